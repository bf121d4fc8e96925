"""What confidence is worth: how right the program is above each score."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from onrecord.evaluation.counting import MARKS, N_BINS
from onrecord.evaluation.gold import GoldArticle
from onrecord.evaluation.matching import match_attributions
from onrecord.evaluation.names import same_name
from onrecord.evaluation.predictions import PredictedAttribution, Prediction

_MOST_POINTS = 200


@dataclass(frozen=True, slots=True)
class Judged:
    """One answer: its confidence in [0, 1], and whether it was right."""

    score: float
    right: bool


@dataclass(frozen=True, slots=True)
class Point:
    """Keeping only answers of at least ``threshold``: their share of all, and the share right."""

    threshold: float
    coverage: float
    precision: float


def coverage_curve(answers: Iterable[Judged], n_asked: int | None = None) -> list[Point]:
    """Precision against coverage, from the most confident answers to all of them.

    Args:
        answers: answers that were given.
        n_asked: number of questions; answers withheld are the difference.

    Returns:
        At most 200 points; answers of equal score are kept or dropped together.
    """
    ordered = sorted(answers, key=lambda a: -a.score)
    asked = len(ordered) if n_asked is None else n_asked
    points, right = [], 0
    for number, answer in enumerate(ordered, start=1):
        right += answer.right
        last = number == len(ordered)
        if last or ordered[number].score < answer.score:
            points.append(Point(answer.score, number / asked, right / number))
    step = max(1, -(-len(points) // _MOST_POINTS))
    # Counted from the end: the point of full coverage is always there.
    return points[::-1][::step][::-1]


def attribution_answers(gold: GoldArticle, predicted: Prediction) -> list[Judged]:
    """Every predicted statement: right if it is gold, and its source agrees."""
    matches = match_attributions(gold.text, gold.attributions or (), predicted.attributions)
    right = {m.predicted for m in matches if m.source_agrees}
    return [Judged(a.score, n in right) for n, a in enumerate(predicted.attributions)]


def speaker_answers(gold: GoldArticle, predicted: Prediction) -> tuple[list[Judged], int]:
    """Names given to statements found; and the number of statements found."""
    statements = gold.attributions or ()
    pairs = [
        (statements[m.gold], predicted.attributions[m.predicted])
        for m in match_attributions(gold.text, statements, predicted.attributions)
        if statements[m.gold].speaker_labelled
    ]
    named = [
        Judged(answer.speaker_score, same_name(statement.speaker, answer.speaker))
        for statement, answer in pairs
        if answer.speaker is not None
    ]
    return named, len(pairs)


def stance_confidence(answer: PredictedAttribution) -> float:
    """Probability that both marks are as predicted, taking them as independent."""
    sure = 1.0
    for p in (answer.p_defiance, answer.p_conciliation):
        sure *= max(p, 1 - p)
    return sure


def stance_answers(gold: GoldArticle, predicted: Prediction) -> list[Judged]:
    """Stances given to statements found."""
    statements = gold.attributions or ()
    answers = []
    for match in match_attributions(gold.text, statements, predicted.attributions):
        stance = statements[match.gold].stance
        answer = predicted.attributions[match.predicted]
        if stance is not None and answer.stance is not None:
            answers.append(Judged(stance_confidence(answer), stance == answer.stance))
    return answers


def reliability(counts: Mapping[str, float]) -> dict[str, list[dict[str, float]]]:
    """For each mark, the bins that hold statements: mean probability, share marked in gold, n."""
    bins: dict[str, list[dict[str, float]]] = {}
    for mark in MARKS:
        named = [(counts.get(f"bin:{mark}:{b}:n", 0), f"bin:{mark}:{b}") for b in range(N_BINS)]
        bins[mark] = [
            {"p": counts[f"{name}:p"] / n, "share": counts[f"{name}:y"] / n, "n": n}
            for n, name in named
            if n
        ]
    return bins


def curves_of(
    articles: Sequence[GoldArticle], predictions: Sequence[Prediction], layers: Sequence[str]
) -> dict[str, list[Point]]:
    """Curves of attribution, speakers and stance, where there are answers to draw one from.

    Args:
        articles: gold; those without attributions are passed over.
        predictions: the prediction of each.
        layers: layers to draw.
    """
    answers: dict[str, list[Judged]] = {"attribution": [], "speakers": [], "stance": []}
    n_found = 0
    for gold, predicted in zip(articles, predictions, strict=True):
        if gold.attributions is None:
            continue
        answers["attribution"] += attribution_answers(gold, predicted)
        named, found = speaker_answers(gold, predicted)
        answers["speakers"] += named
        n_found += found
        answers["stance"] += stance_answers(gold, predicted)
    asked = {"speakers": n_found}
    return {
        layer: coverage_curve(given, asked.get(layer))
        for layer, given in answers.items()
        if layer in layers and given
    }
