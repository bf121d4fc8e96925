"""Scores as formulas over additive counts.

Every formula works on numbers and on arrays alike: given the counts of 2,000 resampled sets of
articles it gives 2,000 scores. A score without any item to judge is NaN, never 0 or 1.
"""

from __future__ import annotations

from collections.abc import Mapping
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
