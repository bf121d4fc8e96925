"""Scores as formulas over additive counts.

Every formula works on numbers and on arrays alike: given the counts of 2,000 resampled sets of
articles it gives 2,000 scores. A score without any item to judge is NaN, never 0 or 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from onrecord.records import KINDS

Values = NDArray[np.float64]
Counts = Mapping[str, Any]
"""Names to numbers or to arrays of one shape."""


class Metric(NamedTuple):
    """A score and the number of items it is the rate of, each a number or an array."""

    value: Values
    n: Values


Metrics = dict[str, Metric]


def rate(right: Any, n: Any) -> Metric:
    """``right`` over ``n``; NaN where ``n`` is 0."""
    right, n = np.asarray(right, dtype=float), np.asarray(n, dtype=float)
    value = np.divide(right, n, out=np.full(n.shape, np.nan), where=n > 0)
    return Metric(value, n)


def f1(right_gold: Any, n_gold: Any, right_predicted: Any, n_predicted: Any) -> Metric:
    """F1 where the two sides may count different items: right of both over all of both.

    With ``right_gold == right_predicted`` this is the harmonic mean of precision and recall.
    ``n`` is the number of gold items (of predictions where there is no gold item at all).
    """
    total = np.asarray(n_gold, dtype=float) + np.asarray(n_predicted, dtype=float)
    both = np.asarray(right_gold, dtype=float) + np.asarray(right_predicted, dtype=float)
    n = np.where(np.asarray(n_gold) > 0, n_gold, n_predicted)
    return Metric(rate(both, total).value, np.asarray(n, dtype=float))


def harmonic(precision: Metric, recall: Metric) -> Metric:
    """Harmonic mean of a precision and a recall that are averages of shares, not of counts."""
    total = precision.value + recall.value
    product = 2 * precision.value * recall.value
    value = np.divide(product, total, out=np.where(np.isnan(total), np.nan, 0.0), where=total > 0)
    # One side without items: nothing is found of the other, which is no overlap at all.
    one_sided = np.isnan(total) & ((precision.n > 0) | (recall.n > 0))
    n = np.where(recall.n > 0, recall.n, precision.n)
    return Metric(np.where(one_sided, 0.0, value), n)


def _prf(counts: Counts, right: str, prefix: str, name: str) -> Metrics:
    """Precision, recall and F1 of one sense of right: ``name`` is "" or ends in "_"."""
    gold, predicted = counts[f"{prefix}n_gold"], counts[f"{prefix}n_predicted"]
    right_gold = counts[f"{prefix}{right}_gold"]
    right_predicted = counts[f"{prefix}{right}_predicted"]
    return {
        f"{name}f1": f1(right_gold, gold, right_predicted, predicted),
        f"{name}precision": rate(right_predicted, predicted),
        f"{name}recall": rate(right_gold, gold),
    }


def attribution_metrics(counts: Counts) -> Metrics:
    """Scores of the attribution layer from :meth:`AttributionCounts.flat`."""
    scores: Metrics = {}
    for kind in ("", *KINDS):
        prefix = name = f"{kind}_" if kind else ""
        scores |= _prf(counts, "right", prefix, name)
        scores |= _prf(counts, "content", prefix, f"{name}content_")
        exact = _prf(counts, "exact", prefix, f"{name}content_exact_")
        scores[f"{name}content_exact_f1"] = exact[f"{name}content_exact_f1"]
        scores[f"{name}content_soft_f1"] = harmonic(
            rate(counts[f"{prefix}soft_predicted"], counts[f"{prefix}n_predicted"]),
            rate(counts[f"{prefix}soft_gold"], counts[f"{prefix}n_gold"]),
        )
        matched = counts[f"{prefix}content_gold"]
        scores[f"{name}source_given_content"] = rate(counts[f"{prefix}right_gold"], matched)
        scores[f"{name}cue_given_content"] = rate(counts[f"{prefix}cue_gold"], matched)
    return scores


def sentence_metrics(counts: Counts) -> Metrics:
    """Scores of the sentences layer."""
    return _prf(counts, "right", "", "")


def entity_metrics(counts: Counts) -> Metrics:
    """Scores of the entities layer; ``f1_PERSON`` and so on for each label that occurs."""
    scores = _prf(counts, "right", "", "")
    for name in ("span", "partial"):
        scores[f"{name}_f1"] = _prf(counts, name, "", f"{name}_")[f"{name}_f1"]
    scores["entity_accuracy"] = rate(counts["identity_named"], counts["identity_n"])
    scores["cluster_f1"] = harmonic(
        rate(counts["cluster_predicted"], counts["identity_n"]),
        rate(counts["cluster_gold"], counts["identity_n"]),
    )
    nothing = np.zeros_like(np.asarray(counts["n_gold"], dtype=float))
    for label in sorted({name.split(":")[1] for name in counts if name.startswith("label:")}):
        right, gold, predicted = (
            counts.get(f"label:{label}:{side}", nothing)
            for side in ("right", "n_gold", "n_predicted")
        )
        scores[f"f1_{label}"] = f1(right, gold, right, predicted)
    return scores


def speaker_metrics(counts: Counts) -> Metrics:
    """Scores of the speakers layer.

    ``accuracy``: of the gold statements that were found and whose speaker is named, the share with
    that name. ``unknown_accuracy``: of those found whose speaker nobody names, the share left
    unknown. ``accuracy_all``: both together. ``name_precision``: of the names given to statements
    found, the share that is right. ``f1`` counts statements that were not found, and names given
    to statements that are not gold, as wrong.
    """
    right, found = counts["named_right"], counts["named_found"]
    unnamed_right, unnamed_found = counts["unnamed_right"], counts["unnamed_found"]
    scores = {
        "accuracy": rate(right, found),
        "unknown_accuracy": rate(unnamed_right, unnamed_found),
        "accuracy_all": rate(right + unnamed_right, found + unnamed_found),
        "name_precision": rate(counts["name_right"], counts["name_given"]),
        "f1": f1(right, counts["n_named"], right, counts["n_predicted_named"]),
        "precision": rate(right, counts["n_predicted_named"]),
        "recall": rate(right, counts["n_named"]),
    }
    for kind in KINDS:
        scores[f"{kind}_accuracy"] = rate(
            counts[f"{kind}_named_right"], counts[f"{kind}_named_found"]
        )
        scores[f"{kind}_name_precision"] = rate(
            counts[f"{kind}_name_right"], counts[f"{kind}_name_given"]
        )
    return scores


STANCE_CLASSES = ("defiant", "conciliatory", "neutral")


def stance_metrics(counts: Counts) -> Metrics:
    """Scores of the stance layer.

    ``macro_f1`` is the mean of the F1 of the classes that occur, in gold or prediction; statements
    that were not found or are not gold count as wrong. ``found_macro_f1`` is over statements found.
    ``ece`` is the expected calibration error (Guo et al., ICML 2017) in ten bins of equal width,
    averaged over the two marks.
    """
    scores: Metrics = {}
    for prefix in ("", "found_"):
        classes = [
            f1(
                counts[f"{prefix}{name}_right_gold"],
                counts[f"{prefix}{name}_n_gold"],
                counts[f"{prefix}{name}_right_predicted"],
                counts[f"{prefix}{name}_n_predicted"],
            )
            for name in STANCE_CLASSES
        ]
        n = counts["n_found"] if prefix else counts["n_gold"]
        scores[f"{prefix}macro_f1"] = _mean_of_present(classes, n)
        if not prefix:
            named = zip(STANCE_CLASSES, classes, strict=True)
            scores |= {f"f1_{name}": metric for name, metric in named}
    scores["found_accuracy"] = rate(counts["n_equal"], counts["n_found"])
    errors = [_calibration_error(counts, mark) for mark in ("defiance", "conciliation")]
    scores["ece"] = Metric((errors[0].value + errors[1].value) / 2, errors[0].n)
    scores["ece_defiance"], scores["ece_conciliation"] = errors
    return scores


def _mean_of_present(metrics: list[Metric], n: Any) -> Metric:
    values = np.stack([np.asarray(m.value, dtype=float) for m in metrics])
    present = ~np.isnan(values)
    total = np.where(present, values, 0.0).sum(axis=0)
    return Metric(rate(total, present.sum(axis=0)).value, np.asarray(n, dtype=float))


def _calibration_error(counts: Counts, mark: str) -> Metric:
    bins = sorted({name for name in counts if name.startswith(f"bin:{mark}:") and name[-1] == "n"})
    n = sum(np.asarray(counts[name], dtype=float) for name in bins)
    gap = sum(
        np.abs(np.asarray(counts[f"{name[:-1]}p"]) - np.asarray(counts[f"{name[:-1]}y"]))
        for name in bins
    )
    return rate(gap, n)


FORMULAS: Mapping[str, Callable[[Counts], Metrics]] = {
    "sentences": sentence_metrics,
    "entities": entity_metrics,
    "attribution": attribution_metrics,
    "speakers": speaker_metrics,
    "stance": stance_metrics,
}

HEADLINES = {
    "sentences": "f1",
    "entities": "f1",
    "attribution": "f1",
    "speakers": "accuracy",
    "stance": "macro_f1",
}
