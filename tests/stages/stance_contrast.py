"""The contrast set of the stance stage: pairs of statements a few words apart in posture.

``stance_contrast.txt`` is written as the pairs for training are (``training.stance.read_pairs``);
nothing is trained on it.
"""

from __future__ import annotations

from pathlib import Path

from onrecord.training.stance import Pair, read_pairs

FILE = Path(__file__).with_name("stance_contrast.txt")


def contrast_pairs() -> list[Pair]:
    """All pairs of the contrast set."""
    return list(read_pairs(FILE))
