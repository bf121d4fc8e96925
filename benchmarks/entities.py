"""Score entities on gold files and on tagged newswire: the plain recogniser against the stage.

    python benchmarks/entities.py GOLD... [--data FOLDER] [--every N]

GOLD is a gold file of this project (.json, .jsonl): F1 of exact spans with label, and how many of
the spans found right carry the right entity. FOLDER is laid out like en-worldwide-newswire (text/
and ner/): F1 of exact spans with the coarse type (Person, Organization, Location or Facility),
where a leading "the" and a final 's are ignored; --every 5 takes each fifth article. Prints the
stage's own speed.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc

from onrecord.evaluation.names import same_name
from onrecord.language import load_spacy
from onrecord.stages.entities import EntityLinker
from onrecord.stages.segment import Segmenter
from onrecord.training.name_types import GoldSpan, plain_span, read_tagged

_COARSE = {
    **dict.fromkeys(("Person", "PERSON"), "Person"),
    **dict.fromkeys(("Organization", "ORG"), "Organization"),
    **dict.fromkeys(("Location", "Facility", "GPE", "LOC", "FAC"), "Location"),
}
Spans = set[tuple[int, int, str]]


class Pipeline:
    """Recogniser and stage, timed apart."""

    def __init__(self) -> None:
        self.nlp: Language = load_spacy()
        self.segmenter = Segmenter()
        self.linker = EntityLinker()
        self.words = 0
        self.seconds = 0.0

    def plain(self, text: str) -> Doc:
        """The recogniser's spans alone, without onrecord's sentences."""
        return self.nlp(text)

    def linked(self, text: str) -> Doc:
        """Sentences, recogniser, entities."""
        doc = self.segmenter(self.nlp.make_doc(text))
        for _, stage in self.nlp.pipeline:
            doc = stage(doc)
        start = time.perf_counter()
        doc = self.linker(doc)
        self.seconds += time.perf_counter() - start
        self.words += len(text.split())
        return doc


def spans_of(doc: Doc) -> Spans:
    """Spans with labels."""
    return {(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents}


def coarse(text: str, spans: Iterable[tuple[int, int, str]]) -> Spans:
    """Spans with coarse types, "the" and 's ignored; other types left out."""
    return {
        (*plain_span(text, GoldSpan(start, end, label)), _COARSE[label])
        for start, end, label in spans
        if label in _COARSE
    }


def f1(counts: Counter[str], kind: str = "") -> str:
    """Precision, recall and F1 of counts."""
    right, found, gold = (counts[f"{name}{kind}"] for name in ("right", "found", "gold"))
    return (
        f"P {right / max(found, 1):.4f}  R {right / max(gold, 1):.4f}  "
        f"F1 {2 * right / max(found + gold, 1):.4f}"
    )


def count(counts: Counter[str], gold: Spans, found: Spans) -> None:
    """Add one article, in total and by label."""
    for name, spans in (("gold", gold), ("found", found), ("right", gold & found)):
        counts[name] += len(spans)
        counts.update(f"{name}{label}" for _, _, label in spans)


def read_gold(paths: Iterable[Path]) -> Iterator[dict[str, object]]:
    """Articles of gold files."""
    for path in paths:
        content = path.read_text(encoding="utf-8")
        for line in [content] if path.suffix == ".json" else content.splitlines():
            if line.strip():
                yield json.loads(line)


def score_gold(pipeline: Pipeline, paths: Iterable[Path]) -> None:
    """Print the scores on gold files."""
    before, after, named = Counter[str](), Counter[str](), Counter[bool]()
    for article in read_gold(paths):
        text = str(article["text"])
        entities = {
            (row["start"], row["end"], row["label"]): row["entity"] for row in article["entities"]
        }
        count(before, set(entities), spans_of(pipeline.plain(text)))
        doc = pipeline.linked(text)
        count(after, set(entities), spans_of(doc))
        for mention in doc._.mentions:
            gold = entities.get((mention.start, mention.end, mention.label))
            if gold is not None:
                named[same_name(gold, mention.entity.name if mention.entity else None)] += 1
    print(f"gold files, exact span and label: plain  {f1(before)}")
    print(f"                                  stage  {f1(after)}")
    print(f"entity of the spans found: {named[True]} of {named.total()} right")


def score_tagged(pipeline: Pipeline, folder: Path, every: int) -> None:
    """Print the scores on tagged newswire."""
    before, after = Counter[str](), Counter[str]()
    for number, (_, text, gold) in enumerate(read_tagged(folder)):
        if number % every == 0:
            expected = coarse(text, gold)
            count(before, expected, coarse(text, spans_of(pipeline.plain(text))))
            count(after, expected, coarse(text, spans_of(pipeline.linked(text))))
    for name, counts in (("plain", before), ("stage", after)):
        print(f"tagged newswire, coarse types: {name}  {f1(counts)}")
        for kind in ("Person", "Organization", "Location"):
            print(f"    {kind:<13} {f1(counts, kind)}")


def main() -> None:
    """Score what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("gold", nargs="*", type=Path)
    parser.add_argument("--data", type=Path, help="folder with text/ and ner/")
    parser.add_argument("--every", type=int, default=1)
    options = parser.parse_args()
    pipeline = Pipeline()
    if options.gold:
        score_gold(pipeline, options.gold)
    if options.data:
        score_tagged(pipeline, options.data, options.every)
    print(f"the stage alone: {pipeline.words / max(pipeline.seconds, 1e-9):,.0f} words/s")


if __name__ == "__main__":
    main()
