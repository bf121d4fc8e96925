"""Scores of the shipped models on the gold of corpus/, and the command that updates their floors.

python tests/quality/corpus_scores.py                      raise floors to what is measured
python tests/quality/corpus_scores.py --allow-regression   lower them too
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from spacy.language import Language

import onrecord
from onrecord.evaluation.evaluate import Evaluation
from onrecord.evaluation.prediction_sources import PipelinePredictor
from onrecord.evaluation.quality import FloorError, Floors, gold_checksum, raised_floors

FLOORS = Path(__file__).with_name("floors.json")
GOLD = sorted((Path(__file__).parents[2] / "corpus" / "gold").glob("*.jsonl"))


def measure(nlp: Language) -> Evaluation:
    """Score a pipeline on the corpus."""
    return onrecord.evaluate(GOLD, predictor=PipelinePredictor(nlp))


def update(*, allow_regression: bool) -> Floors:
    """Measure the shipped models and write the floors."""
    old = Floors.read(FLOORS) if FLOORS.is_file() else None
    metrics = measure(onrecord.load()).metrics
    floors = raised_floors(metrics, gold_checksum(GOLD), old, allow_regression=allow_regression)
    floors.write(FLOORS)
    return floors


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Update the floors under the shipped models.")
    parser.add_argument("--allow-regression", action="store_true", help="let floors sink")
    try:
        written = update(allow_regression=parser.parse_args().allow_regression)
    except FloorError as error:
        sys.exit(f"error: {error}")
    for name, floor in sorted(written.floors.items()):
        print(f"{floor:.3f}  {name}")
