"""Fit the weights that type names: ``python -m onrecord.training.name_types DATA [--check]``.

DATA is a folder as en-worldwide-newswire has it (Shan et al., Findings of EMNLP 2023): ``text/``
raw articles whose first line is an address, ``ner/`` the same articles as tokens with BIO tags.
The recogniser and the candidates are those of the pipeline, so the weights fit what it will see.
Needs scikit-learn (the ``train`` extra).
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from spacy.language import Language

from onrecord.language import load_spacy
from onrecord.records import NAMED_LABELS
from onrecord.stages.entities import find_candidates
from onrecord.stages.mention_spans import Found, Words, read_words
from onrecord.stages.name_types import (
    TYPES,
    Name,
    Weights,
    collect_names,
    label_name,
    long_features,
    note_relations,
    relate,
    short_features,
    type_names,
    weights_by_feature,
)
from onrecord.stages.segment import Segmenter

_TYPE_OF_TAG = {
    "Person": "PERSON",
    "Organization": "ORG",
    "Location": "PLACE",
    "Facility": "PLACE",
    "NORP": "NORP",
    "Misc": "OTHER",
    "Product": "OTHER",
}
_FARTHEST_TOKEN = 200
_FEWEST_NAMES = 4
_MOST_WEIGHT = 4
_PARTS = 4
WEIGHTS_FILE = Path(__file__).parents[1] / "data" / "name_types.json"

Row = tuple[dict[str, float], str, float]
WeightRows = dict[str, list[float]]


class GoldSpan(NamedTuple):
    """A tagged span of an article, code points."""

    start: int
    end: int
    tag: str


@dataclass(slots=True)
class Sample:
    """One article with the candidates of the pipeline and its gold."""

    article: str
    words: Words
    named: list[Found]
    names: dict[str, Name]
    gold: list[GoldSpan]
    counts: dict[str, Counter[str]]


def read_tagged(folder: Path) -> Iterator[tuple[str, str, list[GoldSpan]]]:
    """Name, text without its address line, and tagged spans of each article of ``folder``.

    Raises:
        FileNotFoundError: the folder has no ``ner`` and ``text``.
    """
    files = sorted((folder / "ner").glob("*.tsv"))
    if not files:
        raise FileNotFoundError(f"{folder}: no ner/*.tsv; give the folder that holds ner and text")
    for path in files:
        text = (folder / "text" / f"{path.stem}.txt").read_text(encoding="utf-8")
        cut = text.find("\n") + 1
        spans = align(text, path.read_text(encoding="utf-8").split("\n"))
        inside = [GoldSpan(a - cut, b - cut, tag) for a, b, tag in spans if a >= cut]
        yield path.stem, text[cut:], inside


def align(text: str, lines: Iterable[str]) -> list[GoldSpan]:
    """Spans in ``text`` of the tags of ``lines``, each "token TAB tag"; lost tokens are skipped."""
    spans: list[GoldSpan] = []
    position = 0
    is_open = False
    for line in lines:
        token, _, tags = line.partition("\t")
        tag = tags.split("\t")[0]
        start = text.find(token, position, position + _FARTHEST_TOKEN + len(token)) if tag else -1
        if not tag or tag == "O":
            is_open = False
        elif start >= 0 and (tag.startswith("B-") or not is_open):
            spans.append(GoldSpan(start, start + len(token), tag[2:]))
            is_open = True
        elif start >= 0:
            spans[-1] = spans[-1]._replace(end=start + len(token))
        if start >= 0:
            position = start + len(token)
    return spans


def prepare(nlp: Language, folder: Path) -> Iterator[Sample]:
    """Candidates and gold of every article of ``folder``."""
    segmenter = Segmenter()
    for article, text, gold in read_tagged(folder):
        doc = segmenter(nlp.make_doc(text))
        for _, stage in nlp.pipeline:
            doc = stage(doc)
        words = read_words(doc)
        found = find_candidates(doc, words)
        named = [place for place in found if place.label is None or place.label in NAMED_LABELS]
        names = collect_names(words, named)
        note_relations(words, names)
        counts = {key: _gold_types(words, name, gold) for key, name in names.items()}
        yield Sample(article, words, named, names, gold, counts)


def _gold_types(words: Words, name: Name, gold: Sequence[GoldSpan]) -> Counter[str]:
    """How often each type is the gold of a name; occurrences that cross a gold span say nothing."""
    types: Counter[str] = Counter()
    for place in name.places:
        start, end = words.starts[place.start], words.end(place.end - 1)
        touching = [span for span in gold if span.start < end and start < span.end]
        same = [s for s in touching if plain_span(words.text, s) == (start, end)]
        if same:
            types[_TYPE_OF_TAG.get(same[0].tag, "NONE")] += 1
        elif not touching:
            types["NONE"] += 1
    return types


def plain_span(text: str, span: GoldSpan) -> tuple[int, int]:
    """A span without a leading "the" and a final possessive."""
    start, end = span.start, span.end
    if text[start:end].lower().startswith("the "):
        start += 4
    if text[start:end].endswith(("'s", "’s")):
        end -= 2
    return start, end


def fit(samples: Sequence[Sample]) -> dict[str, WeightRows]:
    """Weights of both models, as ``name_types.json`` has them.

    The model of single words is given what the model of longer names says, not their gold.
    """
    long_rows = _fit_rows(_rows(samples, single=False))
    by_feature = weights_by_feature(long_rows)
    for sample in samples:
        labels = {
            key: label_name(sample.words, name, long_features(sample.words, name), by_feature)
            for key, name in sample.names.items()
            if " " in key
        }
        relate(sample.names, labels)
    return {"long": long_rows, "short": _fit_rows(_rows(samples, single=True))}


def _rows(samples: Sequence[Sample], *, single: bool) -> list[Row]:
    features = short_features if single else long_features
    return [
        (
            features(sample.words, name),
            sample.counts[key].most_common(1)[0][0],
            min(sample.counts[key].total(), _MOST_WEIGHT) ** 0.5,
        )
        for sample in samples
        for key, name in sample.names.items()
        if (" " not in key) is single and sample.counts[key]
    ]


def _fit_rows(rows: Sequence[Row]) -> WeightRows:
    seen = Counter(feature for features, _, _ in rows for feature in features)
    kept = [
        {feature: value for feature, value in features.items() if seen[feature] >= _FEWEST_NAMES}
        for features, _, _ in rows
    ]
    vectorizer = DictVectorizer()
    matrix = vectorizer.fit_transform(kept)
    model = LogisticRegression(C=1.0, max_iter=300, tol=1e-3)
    model.fit(matrix, [kind for _, kind, _ in rows], sample_weight=[w for _, _, w in rows])
    columns = {str(kind): row for row, kind in enumerate(model.classes_)}
    weights = {}
    for feature, column in vectorizer.vocabulary_.items():
        row = [float(model.coef_[columns[kind]][column]) for kind in TYPES]
        if feature == "bias":
            row = [w + float(model.intercept_[columns[k]]) for w, k in zip(row, TYPES, strict=True)]
        weights[feature] = [round(value, 2) for value in row]
    return {feature: row for feature, row in sorted(weights.items()) if any(row)}


def write_weights(path: Path, weights: Mapping[str, WeightRows]) -> None:
    """Write a weights file, one feature a line so that changes can be read."""
    parts = [f'"types": {json.dumps(list(TYPES))}']
    for name, rows in weights.items():
        lines = [
            f"{json.dumps(feature, ensure_ascii=False)}: {json.dumps(row, separators=(',', ':'))}"
            for feature, row in rows.items()
        ]
        parts.append(f'"{name}": {{\n' + ",\n".join(lines) + "\n}")
    path.write_text("{" + ",\n".join(parts) + "}\n", encoding="utf-8")


def cross_check(samples: Sequence[Sample]) -> float:
    """Share of names typed right, outlets of the tested articles never in training."""
    outlets = sorted({sample.article.rsplit("_", 1)[0] for sample in samples})
    right = total = 0
    for part in range(_PARTS):
        held = {outlet for number, outlet in enumerate(outlets) if number % _PARTS == part}
        tested = [s for s in samples if s.article.rsplit("_", 1)[0] in held]
        rows = fit([s for s in samples if s.article.rsplit("_", 1)[0] not in held])
        weights = Weights(weights_by_feature(rows["long"]), weights_by_feature(rows["short"]))
        for sample in tested:
            labels = type_names(sample.words, sample.names, weights)
            for key, counts in sample.counts.items():
                if counts:
                    total += 1
                    kind = counts.most_common(1)[0][0]
                    right += _type_of_label(labels.get(key)) == kind
    return right / max(total, 1)


def _type_of_label(label: str | None) -> str:
    if label in ("GPE", "LOC", "FAC"):
        return "PLACE"
    if label in ("PERSON", "ORG", "NORP"):
        return str(label)
    return "NONE" if label is None else "OTHER"


def main() -> None:
    """Fit on a folder and write the package's weights, or only check."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, default=WEIGHTS_FILE)
    parser.add_argument("--check", action="store_true", help="four-fold check, write nothing")
    options = parser.parse_args()
    samples = list(prepare(load_spacy(), options.data))
    if options.check:
        print(f"names typed right, held-out outlets: {cross_check(samples):.4f}")
        return
    write_weights(options.out, fit(samples))


if __name__ == "__main__":
    main()
