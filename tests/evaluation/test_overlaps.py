from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from onrecord.evaluation.overlaps import Overlaps

PLACES = st.tuples(st.integers(0, 30), st.integers(0, 12)).map(lambda p: (p[0], p[0] + p[1]))


@given(st.lists(PLACES, max_size=12), PLACES)
def test_it_finds_what_a_look_at_every_span_finds(
    spans: list[tuple[int, int]], place: tuple[int, int]
) -> None:
    start, end = place
    seen = [number for number, (a, b) in enumerate(spans) if a < end and start < b]
    assert Overlaps(spans).at(start, end) == seen


class Counted(int):
    """A number that counts how often it is compared."""

    compared = 0

    def __lt__(self, other: int) -> bool:
        Counted.compared += 1
        return super().__lt__(other)

    def __gt__(self, other: int) -> bool:
        Counted.compared += 1
        return super().__gt__(other)


def test_it_looks_at_few_spans_of_many() -> None:
    overlaps = Overlaps((number, number + 1) for number in range(10_000))
    Counted.compared = 0
    assert overlaps.at(Counted(5_000), Counted(5_001)) == [5_000]
    assert 0 < Counted.compared < 100
