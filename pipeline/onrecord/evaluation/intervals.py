"""Intervals by resampling articles (the bootstrap of Efron, 1979), for one run and for two.

Statements of one article are not independent, so articles are what is drawn. Counts add up:
drawing n articles with replacement is weighting each article's counts by how often it was drawn,
and one matrix product gives the counts of all draws.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onrecord.evaluation.metrics import Metrics

DRAWS = 2000
SEED = 20160311
_LEVEL = 0.95
Floats = NDArray[np.float64]
Formula = Callable[[Mapping[str, Floats]], Metrics]


@dataclass(frozen=True, slots=True)
class Interval:
    """A score with its 95% interval; ``n`` is the number of items it is the rate of."""

    value: float
    low: float
    high: float
    n: int

    def as_dict(self) -> dict[str, float | int]:
        """The form of ``metrics.json``."""
        return {"value": self.value, "low": self.low, "high": self.high, "n": self.n}


@dataclass(frozen=True, slots=True)
class Difference:
    """Score of B minus score of A on the same articles, with interval and two-sided p."""

    a: float
    b: float
    difference: float
    low: float
    high: float
    p: float
    n: int


def article_weights(n_articles: int, draws: int = DRAWS, seed: int = SEED) -> Floats:
    """How often each article is drawn; shape (draws, articles)."""
    generator = np.random.default_rng(seed)
    shares = np.full(n_articles, 1 / n_articles)
    return generator.multinomial(n_articles, shares, size=draws).astype(float)


def as_matrix(counts: Sequence[Mapping[str, float]]) -> tuple[list[str], Floats]:
    """Names of all counts, and the counts of each article; shape (articles, names)."""
    names = sorted({name for article in counts for name in article})
    rows = [[article.get(name, 0.0) for name in names] for article in counts]
    return names, np.array(rows, dtype=float).reshape(len(counts), len(names))


def total(counts: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The counts of all articles together."""
    names, matrix = as_matrix(counts)
    return dict(zip(names, matrix.sum(axis=0).tolist(), strict=True))


class _Counted(dict[str, Floats]):
    """Counts by name; what no article has is zero."""

    def __missing__(self, name: str) -> Floats:
        return np.zeros_like(next(iter(self.values())))


def _resampled(
    counts: Sequence[Mapping[str, float]], formula: Formula, draws: int, seed: int
) -> tuple[Metrics, Metrics]:
    """Scores on all articles, and on each draw."""
    names, matrix = as_matrix(counts)
    drawn = article_weights(len(counts), draws, seed) @ matrix
    whole = formula(_Counted(zip(names, matrix.sum(axis=0), strict=True)))
    return whole, formula(_Counted(zip(names, drawn.T, strict=True)))


def with_intervals(
    counts: Sequence[Mapping[str, float]],
    formula: Formula,
    *,
    draws: int = DRAWS,
    seed: int = SEED,
) -> dict[str, Interval]:
    """Scores over articles with 95% intervals; scores without any item are left out.

    Args:
        counts: additive counts, one mapping an article.
        formula: scores from counts, for numbers and arrays alike.
        draws: resampled sets of articles.
        seed: same seed, same intervals.

    Returns:
        Intervals by name of the score. A single article says nothing about how scores vary over
        articles: its intervals are [0, 1].
    """
    if not counts:
        return {}
    whole, drawn = _resampled(counts, formula, draws, seed)
    intervals = {}
    for name, metric in whole.items():
        value, n = float(metric.value), int(metric.n)
        if n == 0 or np.isnan(value):
            continue
        low, high = (0.0, 1.0) if len(counts) == 1 else _percentiles(drawn[name].value)
        intervals[name] = Interval(value, low, high, n)
    return intervals


def _percentiles(values: Floats) -> tuple[float, float]:
    """The middle 95% of the draws in which the score exists."""
    low, high = np.nanpercentile(values, [50 * (1 - _LEVEL), 50 * (1 + _LEVEL)])
    return float(low), float(high)


def differences(
    a: Sequence[Mapping[str, float]],
    b: Sequence[Mapping[str, float]],
    formula: Formula,
    *,
    draws: int = DRAWS,
    seed: int = SEED,
) -> dict[str, Difference]:
    """Paired comparison: both runs are scored on the same draws of articles.

    Args:
        a: counts of run A, one mapping an article.
        b: counts of run B on the same articles in the same order.
        formula: scores from counts.
        draws: resampled sets of articles.
        seed: same seed, same result.

    Returns:
        Differences by name of the score, where both runs have it. p is twice the smaller share of
        draws on either side of no difference, counting the observed set as one draw.
    """
    if len(a) != len(b):
        raise ValueError(f"paired comparison of {len(a)} articles with {len(b)}: must be the same")
    if not a:
        return {}
    whole_a, drawn_a = _resampled(a, formula, draws, seed)
    whole_b, drawn_b = _resampled(b, formula, draws, seed)
    found = {}
    for name in whole_a.keys() & whole_b.keys():
        value_a, value_b = float(whole_a[name].value), float(whole_b[name].value)
        change = drawn_b[name].value - drawn_a[name].value
        change = change[~np.isnan(change)]
        if np.isnan(value_a) or np.isnan(value_b) or not len(change):
            continue
        low, high = (-1.0, 1.0) if len(a) == 1 else _percentiles(change)
        p = 1.0 if len(a) == 1 else _two_sided(change)
        n = int(whole_a[name].n)
        found[name] = Difference(value_a, value_b, value_b - value_a, low, high, p, n)
    return {name: found[name] for name in whole_a if name in found}


def _two_sided(change: Floats) -> float:
    draws = len(change) + 1
    below, above = (change <= 0).sum() + 1, (change >= 0).sum() + 1
    return float(min(1.0, 2 * min(below, above) / draws))
