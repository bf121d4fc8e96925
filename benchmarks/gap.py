"""Score the speakers stage on GAP: does a pronoun mean A, B or neither?

    python benchmarks/gap.py --data gap-validation.tsv [--limit N] [--open]

GAP (Webster et al., TACL 2018) gives a Wikipedia passage, a pronoun and two names. The pronoun is
taken as the source of a statement, the rest of its sentence as what is said. As in the task, the
two names are given: they are the only entities. With --open the stage has to find the names itself,
and may mean somebody else.
"""

from __future__ import annotations

import argparse
import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import onrecord
from onrecord.evaluation.gold import GoldArticle, GoldAttribution, GoldEntity
from onrecord.evaluation.intervals import with_intervals
from onrecord.evaluation.metrics import Metric, Metrics, f1
from onrecord.evaluation.names import fold_name
from onrecord.evaluation.prediction_sources import PipelinePredictor
from onrecord.records import Span

_FEMININE = frozenset({"she", "her", "hers"})


@dataclass(frozen=True, slots=True)
class Question:
    """One row: whether the pronoun means each of the two names."""

    article: GoldArticle
    names: tuple[str, str]
    means: tuple[bool, bool]
    feminine: bool


def read_questions(path: Path, *, named: bool) -> Iterator[Question]:
    """Rows of a GAP file; the two names are the gold entities if ``named``."""
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE):
            text = row["Text"]
            start = int(row["Pronoun-offset"])
            pronoun = Span(start, start + len(row["Pronoun"]))
            entities = tuple(
                GoldEntity(e.start, e.end, "PERSON", row[letter])
                for letter in "AB"
                for e in _places(text, row[letter], int(row[f"{letter}-offset"]))
            )
            statement = GoldAttribution((_rest(text, pronoun),), (), (pronoun,))
            article = GoldArticle(
                row["ID"], text, entities=entities if named else None, attributions=(statement,)
            )
            means = (row["A-coref"].upper() == "TRUE", row["B-coref"].upper() == "TRUE")
            feminine = row["Pronoun"].casefold() in _FEMININE
            yield Question(article, (row["A"], row["B"]), means, feminine)


def _places(text: str, name: str, offset: int) -> list[Span]:
    """The given mention, and every other place where the same name stands in full."""
    places = {m.span() for m in re.finditer(rf"\b{re.escape(name)}\b", text)}
    return [Span(*place) for place in sorted(places | {(offset, offset + len(name))})]


def _rest(text: str, pronoun: Span) -> Span:
    """What follows the pronoun in its sentence; the pronoun itself where nothing does."""
    end = re.compile(r"[.!?]\s|$").search(text, pronoun.end)
    stop = len(text) if end is None else end.start()
    return Span(pronoun.end, stop) if text[pronoun.end : stop].strip() else pronoun


def _count(question: Question, speaker: str | None) -> dict[str, float]:
    gender = "feminine" if question.feminine else "masculine"
    counts = {f"{gender}:gold": float(sum(question.means))}
    given = fold_name(speaker) if speaker else None
    for name, means in zip(question.names, question.means, strict=True):
        says = given is not None and _same(given, fold_name(name))
        counts[f"{gender}:said"] = counts.get(f"{gender}:said", 0) + says
        counts[f"{gender}:right"] = counts.get(f"{gender}:right", 0) + (says and means)
    return counts


def _same(given: str, name: str) -> bool:
    """GAP's names are as they stand in the text; the stage gives the fullest form."""
    return given == name or set(name.split()) <= set(given.split())


def _scores(counts: object) -> Metrics:
    scores: Metrics = {}
    totals = [0.0, 0.0, 0.0]
    for gender in ("masculine", "feminine"):
        right, gold, said = (counts[f"{gender}:{x}"] for x in ("right", "gold", "said"))  # type: ignore[index]
        scores[gender] = f1(right, gold, right, said)
        totals = [a + b for a, b in zip(totals, (right, gold, said), strict=True)]
    right, gold, said = totals
    scores["overall"] = f1(right, gold, right, said)
    bias = scores["feminine"].value / scores["masculine"].value
    scores["bias"] = Metric(bias, scores["overall"].n)
    return scores


def main() -> None:
    """Print F1 for masculine and feminine pronouns and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--open", action="store_true")
    parser.add_argument("--model", type=Path)
    arguments = parser.parse_args()
    questions = list(read_questions(arguments.data, named=not arguments.open))[: arguments.limit]
    nlp = onrecord.load(model=arguments.model, exclude=["onrecord_stance"])
    answers = PipelinePredictor(nlp).given_gold([q.article for q in questions])
    counted = [
        _count(question, answer.judged.attributions[0].speaker)
        for question, answer in zip(questions, answers, strict=True)
    ]
    for name, found in with_intervals(counted, _scores).items():
        print(f"{name:10} {found.value:.3f}  ({found.low:.3f} to {found.high:.3f}, n {found.n})")


if __name__ == "__main__":
    main()
