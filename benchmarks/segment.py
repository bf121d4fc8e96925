"""Score segmentation on files with known sentences.

    python benchmarks/segment.py FILE...

FILE is a gold file of this project (.json, .jsonl), a Universal Dependencies treebank (.conllu;
the sentences of a document are joined as they stood, paragraphs by a blank line) or the English
specification of the Pragmatic Segmenter (.rb; a case passes if its pieces are equal but for white
space, bullets and item numbers). Prints exact-span F1 or the share of cases passed, and the speed.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

from onrecord.stages.segment import segment

_CASE = re.compile(
    r"\n\s*it (?P<quote>[\"'])(?P<name>.*?)(?P=quote) do(?P<body>.*?)\n    end", re.S
)
_LITERAL = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'", re.S)
_ITEM_MARK = re.compile(r"^(?:[•⁃]\s*|\(?(?:\d{1,2}|[a-z]|[ivx]+)[.)]+\s+)*")


def read_gold(path: Path) -> Iterator[tuple[str, set[tuple[int, int]]]]:
    """Texts and sentence spans of a gold file."""
    content = path.read_text(encoding="utf-8")
    lines = [content] if path.suffix == ".json" else content.splitlines()
    for article in (json.loads(line) for line in lines if line.strip()):
        if "sentences" in article:
            yield article["text"], {(start, end) for start, end in article["sentences"]}


def read_treebank(path: Path) -> Iterator[tuple[str, set[tuple[int, int]]]]:
    """Documents of a CoNLL-U file as running text, with the spans of their sentences."""
    for document in path.read_text(encoding="utf-8").split("# newdoc")[1:]:
        text, spans, spaced = "", set(), False
        for block in document.split("\n\n"):
            sentence = re.search(r"^# text = (.*)$", block, re.M)
            if sentence is None:
                continue
            if text:
                text += "\n\n" if "# newpar" in block else " " if spaced else ""
            spans.add((len(text), len(text) + len(sentence[1])))
            text += sentence[1]
            spaced = "SpaceAfter=No" not in block.rstrip().rsplit("\n", 1)[-1]
        yield text, spans


def read_rules(path: Path) -> Iterator[tuple[str, str, list[str]]]:
    """Name, text and expected pieces of each case of the specification."""
    for case in _CASE.finditer(path.read_text(encoding="utf-8")):
        given = re.search(r"text(?::| =) (?=[\"'])", case["body"])
        expected = re.search(r"to eq\(\[(.*)\]\)", case["body"], re.S)
        literal = _LITERAL.match(case["body"], given.end()) if given else None
        if literal and expected:
            pieces = [_unquote(match.group()) for match in _LITERAL.finditer(expected[1])]
            yield case["name"], _unquote(literal.group()), pieces


def _unquote(literal: str) -> str:
    return str(ast.literal_eval(literal[0] * 2 + literal + literal[0] * 2))


def _plain(piece: str) -> str:
    return _ITEM_MARK.sub("", " ".join(piece.split()))


def score_spans(path: Path) -> str:
    """Exact-span precision, recall and F1 over all texts of the file."""
    read = read_treebank if path.suffix == ".conllu" else read_gold
    found = expected = right = words = 0
    seconds = 0.0
    for text, gold in read(path):
        start = time.perf_counter()
        predicted = {(sentence.start, sentence.end) for sentence in segment(text)}
        seconds += time.perf_counter() - start
        found, expected, right = (
            found + len(predicted),
            expected + len(gold),
            right + len(predicted & gold),
        )
        words += len(text.split())
    precision, recall = right / max(found, 1), right / max(expected, 1)
    f1 = 2 * right / max(found + expected, 1)
    return (
        f"precision {precision:.4f}  recall {recall:.4f}  F1 {f1:.4f}  ({expected} sentences, "
        f"{words / max(seconds, 1e-9):,.0f} words/s)"
    )


def score_rules(path: Path, verbose: bool) -> str:
    """Cases passed, the golden rules and the rest apart."""
    passed = {True: 0, False: 0}
    total = {True: 0, False: 0}
    for name, text, expected in read_rules(path):
        golden = not name.startswith("correctly")
        pieces = [_plain(text[sentence.start : sentence.end]) for sentence in segment(text)]
        right = pieces == [_plain(piece) for piece in expected]
        total[golden] += 1
        passed[golden] += right
        if verbose and not right:
            print(f"  {name}\n    expected {expected}\n    found    {pieces}")
    return f"golden rules {passed[True]}/{total[True]}, other cases {passed[False]}/{total[False]}"


def main() -> None:
    """Score every file named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--verbose", action="store_true", help="print the cases that fail")
    options = parser.parse_args()
    for path in options.files:
        rules = path.suffix == ".rb"
        print(path.name, score_rules(path, options.verbose) if rules else score_spans(path))


if __name__ == "__main__":
    main()
