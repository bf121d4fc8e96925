"""The shipped models stay above their floors on the gold of corpus/."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from spacy.language import Language

from onrecord.evaluation.quality import Floors, broken_floors, gold_checksum

_spec = importlib.util.spec_from_file_location(
    "corpus_scores", Path(__file__).with_name("corpus_scores.py")
)
assert _spec is not None
assert _spec.loader is not None
corpus_scores = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(corpus_scores)


@pytest.mark.quality
def test_the_shipped_models_hold_their_floors(nlp: Language) -> None:
    floors = Floors.read(corpus_scores.FLOORS)
    metrics = corpus_scores.measure(nlp).metrics
    broken = broken_floors(metrics, floors, gold_checksum(corpus_scores.GOLD))
    assert not broken, "\n".join(broken)


def test_there_is_gold_and_every_floor_means_something() -> None:
    assert len(corpus_scores.GOLD) >= 10
    floors = Floors.read(corpus_scores.FLOORS).floors
    assert len(floors) >= 12
    assert all(0 < floor < 1 for floor in floors.values()), floors
