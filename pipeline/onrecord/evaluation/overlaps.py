"""Which of many spans share a character with a given one, without looking at each of them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from itertools import accumulate


class Overlaps:
    """Finds spans by place. They may be in any order and may overlap each other."""

    def __init__(self, spans: Iterable[tuple[int, int]]) -> None:
        ordered = sorted((start, end, number) for number, (start, end) in enumerate(spans))
        self._ordered = ordered
        self._starts = [start for start, _, _ in ordered]
        # The furthest end so far: unlike the ends, it never falls, so it can be searched.
        self._reach = list(accumulate((end for _, end, _ in ordered), max))

    def at(self, start: int, end: int) -> list[int]:
        """Numbers, in order, of the spans that share a character with ``start`` to ``end``."""
        first = bisect_right(self._reach, start)
        last = bisect_left(self._starts, end)
        return sorted(number for _, stop, number in self._ordered[first:last] if stop > start)
