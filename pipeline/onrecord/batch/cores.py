"""How many cores this process may use."""

from __future__ import annotations

import math
import os
from pathlib import Path


def usable_cores(
    groups: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")
) -> int:
    """Cores that this process may run on, or the time of so many where a container is given less.

    Args:
        groups: where the control groups (version 2) of Linux are.
        own: file that says which group this process is in.
    """
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return max(1, min(cores, math.ceil(min(_quotas(groups, own), default=cores))))


def _quotas(groups: Path, own: Path) -> list[float]:
    """Limits of the group and of those that it lies in; a container may see its own only."""
    try:
        lines = own.read_text(encoding="ascii").splitlines()
    except (OSError, ValueError):
        return []
    places = (line.removeprefix("0::/") for line in lines if line.startswith("0::/"))
    folder = groups / next(places, "")
    return [
        found
        for group in (folder, *folder.parents)
        if group.is_relative_to(groups) and (found := _quota(group / "cpu.max")) is not None
    ]


def _quota(file: Path) -> float | None:
    """Cores by a ``cpu.max``: microseconds of work in so many of time; None for no limit."""
    try:
        work, time = file.read_text(encoding="ascii").split()
        return int(work) / int(time)
    except (OSError, ValueError, ZeroDivisionError):
        return None
