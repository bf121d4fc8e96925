"""Floors under the scores of the shipped models: they rise with the models and never sink unsaid.

A floors file holds, for each guarded score, a value a little under what was measured, and the
checksum of the gold that it was measured on. It can be raised at any time; lowering a floor, or
changing the gold so that one would sink, has to be asked for.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onrecord.batch.durable import as_json, replace_file

# How far under a measured score its floor is put: processors round differently.
MARGIN = 0.01
GUARDED = (
    "end_to_end.sentences.f1",
    "end_to_end.entities.f1",
    "end_to_end.entities.entity_accuracy",
    "end_to_end.attribution.f1",
    "end_to_end.attribution.content_exact_f1",
    "end_to_end.attribution.content_soft_f1",
    "end_to_end.attribution.source_given_content",
    "end_to_end.attribution.direct_f1",
    "end_to_end.speakers.f1",
    "end_to_end.speakers.name_precision",
    "end_to_end.stance.macro_f1",
    "given_gold.attribution.f1",
    "given_gold.speakers.accuracy",
    "given_gold.speakers.direct_accuracy",
    "given_gold.stance.macro_f1",
)

Metrics = Mapping[str, Mapping[str, Mapping[str, Mapping[str, float]]]]


class FloorError(ValueError):
    """Floors that cannot be used or would sink; the message says which and what to do."""


@dataclass(frozen=True, slots=True)
class Floors:
    """Floors by ``setting.layer.metric``, and the gold they hold for."""

    gold_sha256: str
    floors: Mapping[str, float]

    @classmethod
    def read(cls, path: Path) -> Floors:
        """Read a floors file.

        Raises:
            FloorError: the file is not one.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            floors = {str(name): float(value) for name, value in content["floors"].items()}
            return cls(str(content["gold_sha256"]), floors)
        except (json.JSONDecodeError, KeyError, AttributeError, TypeError) as error:
            raise FloorError(f"{path}: not a floors file ({error!r}); restore it") from error

    def write(self, path: Path) -> None:
        """Write the file whole or not at all."""
        floors = dict(sorted(self.floors.items()))
        replace_file(path, as_json({"gold_sha256": self.gold_sha256, "floors": floors}))


def gold_checksum(paths: Iterable[Path]) -> str:
    """SHA-256 over the names and contents of gold files, in order of name."""
    digest = hashlib.sha256()
    for path in sorted(paths, key=lambda p: p.name):
        content = path.read_bytes()
        digest.update(f"{path.name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def find_score(metrics: Metrics, name: str) -> float | None:
    """The value of ``setting.layer.metric`` in the content of ``metrics.json``, if it is there."""
    found: Any = metrics
    for part in (*name.split(".", 2), "value"):
        found = found.get(part) if isinstance(found, Mapping) else None
    return None if found is None else float(found)


def broken_floors(metrics: Metrics, floors: Floors, gold_sha256: str) -> list[str]:
    """What speaks against the scores, a sentence each; nothing if they hold."""
    if gold_sha256 != floors.gold_sha256:
        return [
            f"the gold has changed (SHA-256 {gold_sha256[:12]}..., the floors were measured on "
            f"{floors.gold_sha256[:12]}...); measure anew and update the floors"
        ]
    broken = []
    for name, floor in sorted(floors.floors.items()):
        value = find_score(metrics, name)
        if value is None:
            broken.append(f"{name} is missing; its floor is {floor:.3f}")
        elif value < floor:
            broken.append(f"{name} is {value:.4f}, under its floor of {floor:.3f}")
    return broken


def raised_floors(
    metrics: Metrics, gold_sha256: str, old: Floors | None, *, allow_regression: bool = False
) -> Floors:
    """New floors, each a margin under what was measured, none lower than it was.

    Args:
        metrics: content of ``metrics.json``.
        gold_sha256: checksum of the gold that was scored.
        old: floors so far, if any.
        allow_regression: let floors sink to what was measured.

    Raises:
        FloorError: a score is a margin or more under its floor, or is gone, and
            ``allow_regression`` was not asked for.
    """
    measured = {name: value for name in GUARDED if (value := find_score(metrics, name)) is not None}
    new = {name: _under(value) for name, value in measured.items()}
    if old is None or allow_regression:
        return Floors(gold_sha256, new)
    sunk = [
        f"{name} ({floor:.3f} to {measured.get(name, math.nan):.4f})"
        for name, floor in sorted(old.floors.items())
        if not measured.get(name, -1.0) >= floor
    ]
    if sunk:
        raise FloorError(
            f"these scores are under their floors: {', '.join(sunk)}; --allow-regression lowers "
            "the floors all the same"
        )
    return Floors(
        gold_sha256, {name: max(value, old.floors.get(name, 0.0)) for name, value in new.items()}
    )


def _under(value: float) -> float:
    return max(0.0, math.floor((value - MARGIN) * 1000) / 1000)
