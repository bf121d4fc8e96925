"""Floors: checked, raised, and lowered only when asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from onrecord.evaluation.quality import (
    FloorError,
    Floors,
    broken_floors,
    find_score,
    gold_checksum,
    raised_floors,
)

SHA = "ab" * 32
F1 = "end_to_end.attribution.f1"


def metrics(value: float) -> dict[str, dict[str, dict[str, dict[str, float]]]]:
    return {"end_to_end": {"attribution": {"f1": {"value": value, "low": 0, "high": 1, "n": 9}}}}


def test_scores_are_found_by_name() -> None:
    assert find_score(metrics(0.7), F1) == 0.7
    assert find_score(metrics(0.7), "given_gold.stance.ece") is None


def test_floors_hold_or_break() -> None:
    floors = Floors(SHA, {F1: 0.7})
    assert broken_floors(metrics(0.7), floors, SHA) == []
    assert broken_floors(metrics(0.69), floors, SHA) == [
        f"{F1} is 0.6900, under its floor of 0.700"
    ]
    assert broken_floors({}, floors, SHA) == [f"{F1} is missing; its floor is 0.700"]


def test_other_gold_breaks_every_floor() -> None:
    (problem,) = broken_floors(metrics(0.9), Floors(SHA, {F1: 0.7}), "cd" * 32)
    assert "the gold has changed" in problem


def test_floors_rise_a_little_under_the_score() -> None:
    assert raised_floors(metrics(0.8234), SHA, None).floors == {F1: 0.813}
    assert raised_floors(metrics(0.8234), SHA, Floors(SHA, {F1: 0.7})).floors == {F1: 0.813}


def test_floors_stay_where_the_score_is_within_the_margin() -> None:
    assert raised_floors(metrics(0.705), SHA, Floors(SHA, {F1: 0.7})).floors == {F1: 0.7}


@pytest.mark.parametrize("found", [metrics(0.69), {}])
def test_floors_sink_only_when_asked(found: dict[str, object]) -> None:
    old = Floors(SHA, {F1: 0.7})
    with pytest.raises(FloorError, match="--allow-regression"):
        raised_floors(found, SHA, old)  # type: ignore[arg-type]
    lowered = raised_floors(found, SHA, old, allow_regression=True)  # type: ignore[arg-type]
    assert lowered.floors.get(F1, 0.0) < 0.7


def test_files_come_back(tmp_path: Path) -> None:
    path = tmp_path / "floors.json"
    Floors(SHA, {F1: 0.7}).write(path)
    assert Floors.read(path) == Floors(SHA, {F1: 0.7})
    path.write_text("{}")
    with pytest.raises(FloorError, match="not a floors file"):
        Floors.read(path)


def test_checksum_covers_names_and_contents(tmp_path: Path) -> None:
    one, two = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    one.write_text("x")
    two.write_text("y")
    before = gold_checksum([one, two])
    assert gold_checksum([two, one]) == before
    two.write_text("z")
    assert gold_checksum([one, two]) != before
    two.write_text("y")
    two.rename(tmp_path / "c.jsonl")
    assert gold_checksum([one, tmp_path / "c.jsonl"]) != before
