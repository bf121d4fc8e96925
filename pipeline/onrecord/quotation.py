"""Pairing of quotation marks, the ground that segmentation and attribution share.

A news article opens and closes quotations with straight or curly double marks, guillemets, double
apostrophes, or (in British style) single marks; a quotation of several paragraphs repeats the
opening mark and closes once. Nothing is rewritten: the result is spans into the text as given.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from onrecord.records import Sentence, Span

# Each style's opening and closing marks; a straight mark serves as both.
_OPENERS = {"“": "curly", "„": "curly", "‟": "curly", "«": "guillemet", "``": "backtick"}
_CLOSERS = {"”": "curly", "»": "guillemet"}
_DOUBLE = re.compile(r"[\"“”„‟«»＂]|``|''|‘‘|’’")
_SINGLE = re.compile(r"['‘’]")
_BLOCK = re.compile(r"\S[^\n]*(?:\n(?![^\S\n]*(?:\n|\Z))[^\n]+)*")
# A closed single-quoted stretch counts as speech only where an article has no double marks to
# speak with, or in the nested position; this many make it the article's own style.
_MIN_SINGLE_STYLE = 2
_LONGEST_SINGLE = 1500


@dataclass(frozen=True, slots=True)
class Quotation:
    """One quotation inside one block: ``start`` and ``end`` include the marks that are there.

    ``opened`` and ``closed`` say whether the mark stands at that end. ``continues`` is true where
    the block ends unclosed and the next block opens with a mark: the same speech goes on.
    """

    start: int
    end: int
    style: str
    opened: bool = True
    closed: bool = True
    continues: bool = False


def find_blocks(text: str) -> list[Span]:
    """Paragraph blocks: maximal runs of lines without a blank line between them."""
    return [Span(m.start(), m.end()) for m in _BLOCK.finditer(text)]


def paragraph_spans(sentences: Sequence[Sentence]) -> list[Span]:
    """Paragraphs as segmentation sees them: blocks of lines, or lines, as the article has it."""
    spans: dict[int, Span] = {}
    for sentence in sentences:
        known = spans.get(sentence.paragraph_id)
        start = sentence.start if known is None else known.start
        spans[sentence.paragraph_id] = Span(start, sentence.end)
    return list(spans.values())


# No quotation begins with these: a straight mark before one closes, whatever stands before it.
_AFTER_CLOSING = frozenset(",.;:")


def find_quotations(text: str, blocks: Sequence[Span] | None = None) -> list[Quotation]:
    """All quotations of ``text``, in order, none overlapping another of the same level.

    Args:
        text: the article as decoded.
        blocks: paragraph spans; marks pair only inside one. Found by blank lines if not given.

    Returns:
        Outer quotations only: marks nested inside another quotation belong to it.
    """
    spans = find_blocks(text) if blocks is None else blocks
    found: list[list[Quotation]] = [_pair_double(text, span) for span in spans]
    if _uses_single_marks(text, found):
        found = [
            _merge(outer, _pair_single(text, spans, index)) for index, outer in enumerate(found)
        ]
    return _link_paragraphs(text, spans, found)


def _pair_double(text: str, block: Span) -> list[Quotation]:
    quotations: list[Quotation] = []
    opened: tuple[int, str] | None = None
    for mark in _DOUBLE.finditer(text, block.start, block.end):
        token = mark.group()
        style, opens = _role(text, block, mark.start(), mark.end(), token, opened is not None)
        if opens:
            if opened is None:
                opened = (mark.start(), style)
            elif opened[1] == style and style != "guillemet":
                # A second opening mark of the same style: the first was never closed.
                quotations.append(_unclosed(text, opened, mark.start()))
                opened = (mark.start(), style)
        elif opened is not None:
            quotations.append(Quotation(opened[0], mark.end(), opened[1]))
            opened = None
    if opened is not None:
        quotations.append(_unclosed(text, opened, block.end))
    return quotations


def _role(
    text: str, block: Span, start: int, end: int, token: str, inside: bool
) -> tuple[str, bool]:
    """The mark's style, and whether it opens: by its shape, else by the spaces around it."""
    if token in _OPENERS:
        return _OPENERS[token], True
    if token in _CLOSERS:
        return _CLOSERS[token], False
    style = "apostrophes" if len(token) == 2 else "straight"
    before = text[start - 1] if start > block.start else " "
    after = text[end] if end < block.end else " "
    if inside and after in _AFTER_CLOSING:
        return style, False
    if before.isspace() and not after.isspace():
        return style, True
    if after.isspace() and not before.isspace():
        return style, False
    if before in "([{—–-/" and not after.isspace() and not inside:
        return style, True
    return style, not inside


def _unclosed(text: str, opened: tuple[int, str], limit: int) -> Quotation:
    end = opened[0] + len(text[opened[0] : limit].rstrip())
    return Quotation(opened[0], end, opened[1], closed=False)


def _uses_single_marks(text: str, found: Sequence[Sequence[Quotation]]) -> bool:
    """British style: single marks speak, double marks are rare or nested."""
    singles = sum(1 for _ in _single_candidates(text, Span(0, len(text))))
    doubles = sum(len(block) for block in found)
    return singles >= _MIN_SINGLE_STYLE and singles > 2 * doubles


def _single_candidates(text: str, block: Span) -> Iterator[Quotation]:
    """Single-quoted stretches: an opener after space, its closer after punctuation or a word end.

    An apostrophe between letters never closes; one after a plural s closes only where no better
    closer follows before the next opener.
    """
    opened: int | None = None
    last_close: int | None = None
    for mark in _SINGLE.finditer(text, block.start, block.end):
        at = mark.start()
        before = text[at - 1] if at > block.start else " "
        after = text[at + 1] if at + 1 < block.end else " "
        if before.isalnum() and after.isalnum():
            continue
        if _opens_single(before, after, mark.group()):
            if opened is not None and last_close is not None:
                yield Quotation(opened, last_close, "single")
            if opened is None or last_close is not None or _is_stale(text, opened, at):
                opened, last_close = at, None
        elif opened is not None and not before.isspace() and at - opened < _LONGEST_SINGLE:
            last_close = at + 1
            if before in ",.!?…;":
                yield Quotation(opened, last_close, "single")
                opened = last_close = None
    if opened is not None and last_close is not None:
        yield Quotation(opened, last_close, "single")


def _is_stale(text: str, opened: int, at: int) -> bool:
    """Whether a single mark at ``opened`` can no longer be closed at ``at``."""
    return at - opened >= _LONGEST_SINGLE or "\n" in text[opened:at]


def _opens_single(before: str, after: str, mark: str) -> bool:
    if mark == "’" or after.isspace():
        return False
    return before.isspace() or before in '([{—–-"“:'


def _pair_single(text: str, blocks: Sequence[Span], index: int) -> list[Quotation]:
    """Single-quoted stretches of one block, the last unclosed if the next block opens with one."""
    block = blocks[index]
    found = list(_single_candidates(text, block))
    follows = text[blocks[index + 1].start] if index + 1 < len(blocks) else ""
    if follows and follows in "'‘":
        start = found[-1].end if found else block.start
        for mark in _SINGLE.finditer(text, start, block.end):
            before = text[mark.start() - 1] if mark.start() > block.start else " "
            after = text[mark.end()] if mark.end() < block.end else " "
            if _opens_single(before, after, mark.group()):
                found.append(_unclosed(text, (mark.start(), "single"), block.end))
                break
    return found


def _merge(outer: list[Quotation], inner: list[Quotation]) -> list[Quotation]:
    """Both levels in order; where two overlap, the one that starts first holds the other."""
    merged: list[Quotation] = []
    for quotation in sorted([*outer, *inner], key=lambda q: (q.start, -q.end)):
        if not merged or quotation.start >= merged[-1].end:
            merged.append(quotation)
    return merged


def _link_paragraphs(
    text: str, spans: Sequence[Span], found: Sequence[Sequence[Quotation]]
) -> list[Quotation]:
    linked: list[Quotation] = []
    for index, block in enumerate(found):
        for position, quotation in enumerate(block):
            last = position == len(block) - 1
            follows = found[index + 1] if index + 1 < len(found) else ()
            continues = (
                last
                and not quotation.closed
                and bool(follows)
                and text[spans[index + 1].start : follows[0].start].strip() == ""
            )
            linked.append(
                Quotation(
                    quotation.start,
                    quotation.end,
                    quotation.style,
                    quotation.opened,
                    quotation.closed,
                    continues,
                )
            )
    return linked
