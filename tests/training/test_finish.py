"""From logits on development statements to probabilities and labels."""

from __future__ import annotations

import numpy as np
import pytest

from onrecord.stages.stance import derive
from onrecord.training.finish import Floats, fit_stance


def drawn(count: int, temperature: float, bias: float) -> tuple[Floats, Floats]:
    """Logits of both marks, and marks that follow them at this temperature and bias."""
    random = np.random.default_rng(4)
    logits = random.normal(0.0, 3.0, (count, 2))
    shares = 1 / (1 + np.exp(-(logits / temperature + bias)))
    return logits, (random.random((count, 2)) < shares).astype(np.float64)


def test_the_temperature_and_bias_that_marks_were_drawn_with_are_found() -> None:
    logits, marks = drawn(20_000, 2.0, -1.0)
    found = fit_stance(logits, marks, np.ones(len(marks)))
    for temperature in (found.temperature_defiance, found.temperature_conciliation):
        assert temperature == pytest.approx(2.0, rel=0.05)
    for bias in (found.bias_defiance, found.bias_conciliation):
        assert bias == pytest.approx(-1.0, rel=0.06)


def test_a_statement_that_counts_twice_is_as_good_as_two() -> None:
    logits, marks = drawn(400, 1.0, -0.5)
    weights = np.where(np.arange(400) < 100, 2.0, 1.0)
    twice = [np.concatenate([part, part[:100]]) for part in (logits, marks, np.ones(400))]
    assert fit_stance(logits, marks, weights) == fit_stance(*twice)


def test_the_threshold_is_where_the_rare_mark_is_found_best() -> None:
    """Conciliation is found by half of its probability, where everything likelier is right."""
    logits = np.array([[-9.0, value] for value in (2.0, 1.0, 0.0, -1.0, -2.0, -3.0)] * 40)
    marks = np.array([[0.0, value] for value in (1.0, 1.0, 1.0, 0.0, 0.0, 0.0)] * 40)
    marks[0] = [1.0, 0.0]
    found = fit_stance(logits, marks, np.ones(len(marks)))
    scores = logits[:, 1] / found.temperature_conciliation + found.bias_conciliation
    chosen = 1 / (1 + np.exp(-scores)) >= found.threshold_conciliation
    assert chosen[1:].tolist() == (marks[1:, 1] > 0).tolist()


def test_what_is_seldom_both_is_mixed_only_where_both_are_likely() -> None:
    """A clear mark with a faint other one is that mark alone, if the data say so."""
    clear = [([3.0, -0.4], [1.0, 0.0])] * 300 + [([-0.4, 3.0], [0.0, 1.0])] * 300
    faint = [([-3.0, -0.4], [0.0, 1.0])] * 50 + [([-0.4, -3.0], [1.0, 0.0])] * 50
    nothing, both = [([-3.0, -3.0], [0.0, 0.0])] * 300, [([3.0, 3.0], [1.0, 1.0])] * 20
    logits, marks = map(np.array, zip(*clear, *faint, *nothing, *both, strict=True))
    found = fit_stance(logits, marks, np.ones(len(marks)))
    temperatures = (found.temperature_defiance, found.temperature_conciliation)
    biases = (found.bias_defiance, found.bias_conciliation)
    shares = 1 / (1 + np.exp(-(logits / temperatures + biases)))
    labels = [derive(*share, found).label for share in shares.tolist()]
    assert set(labels[:300]) == {"defiant"}
    assert set(labels[300:600]) == {"conciliatory"}
    assert set(labels[-20:]) == {"mixed"}
