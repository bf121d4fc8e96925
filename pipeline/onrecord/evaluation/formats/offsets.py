"""Offsets of other tools: what they count, and proof that they point where they should.

Tools disagree on what an offset counts: Python and brat count Unicode code points, browsers UTF-16
units (an emoji is two), and some see a CRLF line end as one character. The covered text that
travels with a span decides: offsets are read in the way under which every covered text is found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import numpy as np

from onrecord.evaluation.gold import GoldError
from onrecord.records import Span, Spans

_SPACE = re.compile(r"\s+")
Unit = Literal["code points", "UTF-16 units"]
# Characters of each text shown in a mismatch.
_SHOWN = 60


class OffsetMap:
    """Code-point offsets of a text to and from the offsets of a tool.

    Args:
        text: the article.
        unit: what the tool counts.
        crlf_is_one: whether the tool sees a CRLF line end as one character.
    """

    def __init__(self, text: str, unit: Unit, *, crlf_is_one: bool = False) -> None:
        self.unit = unit
        self.crlf_is_one = crlf_is_one
        widths = np.ones(len(text), dtype=np.int64)
        if unit == "UTF-16 units":
            codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
            widths[codes > 0xFFFF] = 2
        if crlf_is_one:
            for index in range(len(text) - 1):
                if text[index] == "\r" and text[index + 1] == "\n":
                    widths[index] = 0
        self._native = np.concatenate([[0], np.cumsum(widths)])

    def __str__(self) -> str:
        return self.unit + (", CRLF as one character" if self.crlf_is_one else "")

    def to_native(self, offset: int) -> int:
        """The tool's offset of a code point."""
        return int(self._native[offset])

    def from_native(self, offset: int) -> int | None:
        """The code point at a tool's offset; None outside the text or inside a character.

        Next to a CRLF that the tool sees as one, the offset before it is meant.
        """
        if not 0 <= offset <= self._native[-1]:
            return None
        index = int(np.searchsorted(self._native, offset, side="left"))
        return index if self._native[index] == offset else None

    def span(self, start: int, end: int) -> Span | None:
        """A tool's span in code points; None where it does not fit the text."""
        first, last = self.from_native(start), self.from_native(end)
        return None if first is None or last is None or first >= last else Span(first, last)


class NativeSpan(NamedTuple):
    """A span as a tool gives it.

    Attributes:
        pieces: start and end of each piece, in the tool's offsets.
        covered: the text that travels with it, pieces joined by a space; None if none does.
        where: where in the file it stands, for messages.
    """

    pieces: Sequence[tuple[int, int]]
    covered: str | None = None
    where: str = ""


def normalise(covered: str) -> str:
    """Covered text as it is compared and written: tools flatten line breaks, which is no shift."""
    return _SPACE.sub(" ", covered)


def locate(
    text: str, spans: Sequence[NativeSpan], units: Iterable[Unit], origin: str
) -> tuple[list[Spans], OffsetMap]:
    """Spans in code points.

    Args:
        text: the article.
        spans: spans as the tool gives them.
        units: what the tool may count, the likeliest first.
        origin: file and article, for messages.

    Returns:
        The pieces of each span, and the map under which all covered texts were found.

    Raises:
        GoldError: a span does not fit the text, or the text there is not the covered text.
    """
    maps = [
        OffsetMap(text, unit, crlf_is_one=crlf)
        for crlf in ((False, True) if "\r\n" in text else (False,))
        for unit in units
    ]
    for candidate in maps:
        if not any(_problem(text, span, candidate) for span in spans):
            return [_place(span, candidate) for span in spans], candidate
    where, problem = next(
        (span.where, problem) for span in spans if (problem := _problem(text, span, maps[0]))
    )
    raise GoldError(f"{origin}{where}: {problem}")


def _place(span: NativeSpan, offsets: OffsetMap) -> Spans:
    found = (offsets.span(start, end) for start, end in span.pieces)
    return tuple(piece for piece in found if piece is not None)


def _problem(text: str, span: NativeSpan, offsets: OffsetMap) -> str | None:
    """What is wrong with a span under a map, None if it is right."""
    at = ", ".join(f"{start} to {end}" for start, end in span.pieces)
    places = _place(span, offsets)
    if len(places) < len(span.pieces):
        return (
            f"span {at} (counted in {offsets}) does not fit a text of length "
            f"{offsets.to_native(len(text))}; is it the same text?"
        )
    covered = " ".join(text[start:end] for start, end in places)
    if span.covered is None or normalise(covered) == normalise(span.covered):
        return None
    return (
        f"at {at} (counted in {offsets}) the article reads {covered[:_SHOWN]!r}, the annotation "
        f"says {span.covered[:_SHOWN]!r}; the text was changed after it was annotated, or the "
        "tool counts otherwise"
    )
