"""Seconds that a run has taken, those of processes included that were ended before it was done."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from onrecord.batch.durable import as_json, replace_file

_TOTAL = "total"


class Spent:
    """The time of this process, added to what others noted that worked on the same run.

    Args:
        path: where it is noted. A process that is killed has noted what it took up to its last
            ``save``.
        began: when this process began, by ``time.monotonic``.
    """

    def __init__(self, path: Path, began: float) -> None:
        self._path = path
        self._began = began
        self._before = _read(path)
        self._stages: dict[str, float] = {}

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Count the time of a block as that of a stage."""
        began = time.monotonic()
        try:
            yield
        finally:
            self._stages[stage] = self._stages.get(stage, 0.0) + time.monotonic() - began

    @property
    def total(self) -> float:
        """Wall-clock seconds of all processes."""
        return self._before.get(_TOTAL, 0.0) + time.monotonic() - self._began

    @property
    def stages(self) -> dict[str, float]:
        """Seconds by stage, of all processes."""
        names = {*self._before, *self._stages} - {_TOTAL}
        return {n: self._before.get(n, 0.0) + self._stages.get(n, 0.0) for n in sorted(names)}

    def save(self) -> None:
        """Note it for the process that goes on, should this one be ended."""
        replace_file(self._path, as_json({_TOTAL: self.total, **self.stages}))


def _read(path: Path) -> dict[str, float]:
    """What was noted; nothing where it is missing or damaged: it is told, not relied on."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): float(seconds) for name, seconds in found.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
