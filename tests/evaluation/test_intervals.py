"""Resampling of articles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import bootstrap

from onrecord.evaluation.intervals import article_weights, differences, total, with_intervals
from onrecord.evaluation.metrics import Metrics, rate


def accuracy(counts: object) -> Metrics:
    return {"accuracy": rate(counts["right"], counts["n"])}  # type: ignore[index]


def articles(*pairs: tuple[int, int]) -> list[dict[str, float]]:
    return [{"right": right, "n": n} for right, n in pairs]


def test_value_is_the_micro_average() -> None:
    found = with_intervals(articles((1, 1), (0, 9)), accuracy)["accuracy"]
    assert found.value == pytest.approx(0.1)
    assert found.n == 10
    assert found.low <= found.value <= found.high


def test_same_seed_same_interval() -> None:
    counts = articles((3, 5), (4, 4), (1, 6), (2, 2), (9, 17), (5, 11), (0, 3))
    assert with_intervals(counts, accuracy, seed=7) == with_intervals(counts, accuracy, seed=7)
    assert (article_weights(9, seed=7) != article_weights(9, seed=8)).any()


def test_draws_are_whole_sets_of_articles() -> None:
    weights = article_weights(5, draws=100, seed=1)
    assert weights.shape == (100, 5)
    assert (weights.sum(axis=1) == 5).all()


def test_agrees_with_scipy() -> None:
    generator = np.random.default_rng(3)
    n = generator.integers(5, 40, size=30)
    right = generator.binomial(n, 0.7)
    ours = with_intervals(articles(*zip(right, n, strict=True)), accuracy)["accuracy"]
    theirs = bootstrap(
        (right, n),
        lambda a, b, axis: a.sum(axis=axis) / b.sum(axis=axis),
        paired=True,
        n_resamples=2000,
        method="percentile",
        rng=np.random.default_rng(4),
    ).confidence_interval
    assert ours.low == pytest.approx(theirs.low, abs=0.01)
    assert ours.high == pytest.approx(theirs.high, abs=0.01)


def test_a_single_article_gives_no_interval() -> None:
    found = with_intervals(articles((3, 4)), accuracy)["accuracy"]
    assert (found.value, found.low, found.high) == (0.75, 0.0, 1.0)


def test_scores_without_items_are_left_out() -> None:
    assert with_intervals(articles((0, 0), (0, 0)), accuracy) == {}
    assert with_intervals([], accuracy) == {}


def test_draws_without_items_do_not_spoil_the_interval() -> None:
    found = with_intervals(articles((1, 2), (0, 0), (0, 0), (0, 0)), accuracy)["accuracy"]
    assert (found.low, found.high) == (0.5, 0.5)


def test_counts_missing_in_some_articles_are_zero() -> None:
    assert total([{"a": 1}, {"a": 2, "b": 3}]) == {"a": 3.0, "b": 3.0}


def test_difference_of_a_run_with_itself() -> None:
    counts = articles((3, 5), (4, 4), (1, 6))
    found = differences(counts, counts, accuracy)["accuracy"]
    assert (found.difference, found.low, found.high, found.p) == (0.0, 0.0, 0.0, 1.0)


def test_clear_difference_is_found() -> None:
    a = articles(*[(4, 10)] * 12)
    b = articles(*[(8, 10)] * 6, *[(7, 10)] * 6)
    found = differences(a, b, accuracy)["accuracy"]
    assert found.difference == pytest.approx(0.35)
    assert 0.3 < found.low <= found.high < 0.4
    assert found.p < 0.01


def test_pairing_matters() -> None:
    """Articles differ much, runs differ little but always the same way."""
    a = articles((10, 100), (50, 100), (90, 100), (30, 100), (70, 100))
    b = articles((12, 100), (52, 100), (92, 100), (32, 100), (72, 100))
    found = differences(a, b, accuracy)["accuracy"]
    assert found.low == pytest.approx(0.02)
    assert found.p < 0.01


def test_different_articles_are_refused() -> None:
    with pytest.raises(ValueError, match="must be the same"):
        differences(articles((1, 2)), articles((1, 2), (2, 2)), accuracy)


@given(
    st.lists(
        st.integers(0, 20).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
        min_size=2,
        max_size=8,
    )
)
def test_intervals_lie_between_zero_and_one(pairs: list[tuple[int, int]]) -> None:
    for found in with_intervals(articles(*pairs), accuracy, draws=50).values():
        assert 0.0 <= found.low <= found.high <= 1.0
        assert found.n == sum(n for _, n in pairs)
