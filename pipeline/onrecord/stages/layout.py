"""The layout of an article: its lines grouped into paragraphs, headings and list items.

News text comes with blank lines between paragraphs, with one paragraph a line, wrapped hard at
some column, or as one single line; the convention is read off the article itself. Nothing is
rewritten: a paragraph is a span into the text as given.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from onrecord.records import SentenceKind

# What is trimmed at both ends of a line: white space, byte-order mark, zero-width characters.
_INVISIBLE = "\ufeff\u200b\u200c\u200d\u200e\u200f\u2060\u00ad"
TRIM = "".join(chr(code) for code in range(0x3001) if chr(code).isspace()) + _INVISIBLE

# Glyphs that are bullets wherever they stand; a dash or star is one only before a space.
BULLET_GLYPHS = "•⁃◦▪▫‣∙·●○■□►▶➤✓✔"
_ORDINAL = r"(?:\d{1,2}\.\)?|\(?(?:\d{1,2}|[a-z]|[ivx]{1,4})\)|[a-z]\.\)?(?=\s+[A-Z]))\s+(?=\S)"
_BULLET = re.compile(rf"(?:[{BULLET_GLYPHS}]+\s*|[*+]\s+)(?:{_ORDINAL})?(?=\S)")
_DASH = re.compile(r"[-–—]\s+(?=\S)")
_NUMBER = re.compile(_ORDINAL)
_HASHES = re.compile(r"#{1,6}\s+(?=\S)")
_BLOCK_QUOTE = re.compile(r"(?:>\s*)+(?=\S)")
_MARKERS = (
    ("quote", _BLOCK_QUOTE),
    ("hashes", _HASHES),
    ("bullet", _BULLET),
    ("dash", _DASH),
    ("number", _NUMBER),
)
_ANY_GLYPH = re.compile(rf"[{BULLET_GLYPHS}]")
_INLINE_BULLET = re.compile(rf"\s[{BULLET_GLYPHS}](?=\s*\S)")
_COUNTED = re.compile(
    r"(?<!\S)(?P<open>\(?)(?P<count>\d{1,2}|[a-z]|[ivx]{1,4})(?P<close>\.\)|\.|\))(?=\s+\S)"
)
_SECOND = ("2", "b", "ii")
_ROMAN = ("ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x")
_RULE = re.compile(r"[-=_*~#+|•·●■>](?:\s*[-=_*~#+|•·●■>.])*|[.…*](?:\s*[.…*]){2,}")
_SENTENCE_END = re.compile(r"[.!?…][\"'”’»)\]*_]*$")
_OPEN_END = re.compile(r"[,;:\-–—&(\[]$")
_BROKEN_END = re.compile(r"(?:[a-z]|\bI|,[\"”’]?)$")
_FIRST_WORD = re.compile(r"\S+")
_BYLINE = re.compile(
    r"(?:By|BY|(?:Written|Words|Story|Reporting|Posted) by|Published|Updated|Posted)\b:?\s"
)
_DATE_LINE = re.compile(
    r"(?:(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day,?\s+)?"
    r"(?:\d{1,2}(?:st|nd|rd|th)?\s+)?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?"
    r"(?:\s+\d{1,2}(?:st|nd|rd|th)?)?,?\s+\d{4}.{0,40}|https?://\S+|www\.\S+"
)
_MOST_HEADING_WORDS = 16
_MOST_HEADLINE_WORDS = 30
_MOST_HEADLINES = 3
_FEWEST_BROKEN_WORDS = 6
_LONGEST_ITEM = 6  # lines
_WIDEST_WRAP = 132
_NARROWEST_WRAP = 30


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One layout block: trimmed span, without its bullet or number."""

    start: int
    end: int
    kind: SentenceKind


@dataclass(frozen=True, slots=True)
class _Line:
    start: int  # first visible character after the marker
    end: int
    indent: int
    marker: str  # "", "bullet", "number", "hashes", "quote"; "dash" until settled
    after_blank: bool
    text: str


def find_paragraphs(text: str) -> list[Paragraph]:
    """Paragraphs, headings and list items of ``text`` in order, disjoint, each of one kind."""
    lines = _read_lines(text)
    groups = _group(lines, _wrap_width(lines))
    return _name_kinds(text, groups)


def _read_lines(text: str) -> list[_Line]:
    lines: list[_Line] = []
    at, blank = 0, True
    for raw in text.splitlines(keepends=True):
        visible = raw.strip(TRIM)
        if not visible or _RULE.fullmatch(visible):
            blank = True
        else:
            indent = len(raw) - len(raw.lstrip(TRIM))
            lines.extend(_items(visible, at + indent, indent, blank))
            blank = False
        at += len(raw)
    return [_settle_dash(lines, index) for index in range(len(lines))]


def _settle_dash(lines: Sequence[_Line], index: int) -> _Line:
    """A dash is a bullet in a list, else it opens a signature: ``— Lena Vogt, mediator``."""
    line = lines[index]
    if line.marker != "dash":
        return line
    dash = _DASH.match(line.text)
    if dash is None or not _stands_in_list(lines, index):
        return replace(line, marker="")
    return replace(
        line, start=line.start + dash.end(), text=line.text[dash.end() :], marker="bullet"
    )


def _stands_in_list(lines: Sequence[_Line], index: int) -> bool:
    """Whether another dash stands next to this one, or a colon before it."""
    above, below = (
        lines[max(0, index - _LONGEST_ITEM) : index],
        lines[index + 1 : index + 1 + _LONGEST_ITEM],
    )
    if above and above[-1].text.endswith(":"):
        return True
    upward = [lines[index].after_blank, *(line.after_blank for line in above[::-1])]
    downward = [line.after_blank for line in below]
    return _meets_dash(above[::-1], upward) or _meets_dash(below, downward)


def _meets_dash(lines: Sequence[_Line], blanks: Sequence[bool]) -> bool:
    """Whether a dash line is the next line, or is reached over lines without a blank between."""
    for number, (line, blank) in enumerate(zip(lines, blanks, strict=False)):
        if blank and number:
            return False
        if line.marker == "dash":
            return True
        if blank:
            return False
    return False


def _items(visible: str, start: int, indent: int, after_blank: bool) -> Iterator[_Line]:
    """One line, or several where a list was flattened into it (``1) one 2) two``, ``• a • b``)."""
    begin = 0
    for cut in _item_starts(visible):
        yield _line(visible[begin:cut].rstrip(TRIM), start + begin, indent, after_blank)
        begin, after_blank = cut, True
    yield _line(visible[begin:], start + begin, indent, after_blank)


def _item_starts(visible: str) -> list[int]:
    """Where items of a flattened list begin: at bullets, or at numbers that follow in turn.

    A count begins at the head of the line, or after a colon if a second item follows.
    """
    if _ANY_GLYPH.search(visible):
        return [match.start() + 1 for match in _INLINE_BULLET.finditer(visible)]
    starts: list[int] = []
    style, wanted = "", ""
    turns: Iterator[str] = iter(())
    for match in _COUNTED.finditer(visible):
        if wanted and (match["count"], match["open"] + match["close"]) == (wanted, style):
            starts.append(match.start())
            wanted = next(turns, "")
        elif match["count"] in ("1", "a", "i") and _may_count_from(visible, match.start()):
            starts = starts[:-1] if wanted in _SECOND else starts
            style, turns = match["open"] + match["close"], _turns(match["count"])
            starts.append(match.start())
            wanted = next(turns)
    if wanted in _SECOND:
        starts = starts[:-1]
    return [start for start in starts if start]


def _may_count_from(visible: str, at: int) -> bool:
    return not at or visible[max(0, at - 2) : at].rstrip().endswith(":")


def _turns(first: str) -> Iterator[str]:
    """What follows ``first`` in a count: 2, 3, ...; b, c, ...; ii, iii, ..."""
    if first == "1":
        return (str(number) for number in range(2, 100))
    return iter("bcdefghijklmnopqrstuvwxyz" if first == "a" else _ROMAN)


def _line(visible: str, start: int, indent: int, after_blank: bool) -> _Line:
    end = start + len(visible)
    for name, pattern in _MARKERS:
        match = pattern.match(visible)
        if match:
            # Whether a dash is a bullet only its neighbours tell; until then it stays.
            skip = 0 if name == "dash" else match.end()
            return _Line(start + skip, end, indent, name, after_blank, visible[skip:])
    return _Line(start, end, indent, "", after_blank, visible)


def _wrap_width(lines: Sequence[_Line]) -> int:
    """Column at which the article is wrapped hard, or 0 where a line is a paragraph.

    Wrapped text shows two things: the next line's first word would not have fitted, and lines
    break inside sentences, so that many begin with a small letter.
    """
    pairs = [(a, b) for a, b in pairwise(lines) if not b.after_blank]
    if not pairs:
        return 0
    width = max(line.end - line.start + line.indent for line in lines)
    if not _NARROWEST_WRAP <= width <= _WIDEST_WRAP:
        return 0
    full = [(a, b) for a, b in pairs if _is_full(a, b, width)]
    broken = sum(1 for a, b in full if b.text[0].islower() and not _SENTENCE_END.search(a.text))
    return width if 2 * len(full) >= len(pairs) and 3 * broken >= len(full) > 0 else 0


def _is_full(line: _Line, following: _Line, width: int) -> bool:
    word = _FIRST_WORD.match(following.text)
    length = line.end - line.start + line.indent + 1 + (word.end() if word else 0)
    return length > 0.88 * width


def _group(lines: Sequence[_Line], width: int) -> list[list[_Line]]:
    groups: list[list[_Line]] = []
    for line in lines:
        if groups and _goes_on(groups[-1], line, width):
            groups[-1].append(line)
        else:
            groups.append([line])
    return groups


def _goes_on(group: Sequence[_Line], following: _Line, width: int) -> bool:
    """Whether the line break before ``following`` stands inside a paragraph."""
    line = group[-1]
    if line.marker == "hashes" or following.marker == "hashes":
        return False
    if following.after_blank:
        return _breaks_off(group, following)
    if not any(char.isalnum() for char in following.text):
        return True
    full = bool(width) and _is_full(line, following, width)
    ended = bool(_SENTENCE_END.search(line.text))
    if following.marker in ("bullet", "number"):
        return full and not ended and line.marker == "" and not line.text.endswith(":")
    if full:
        return not (ended and following.indent > line.indent and not line.marker)
    if ended or not following.text[0].islower():
        return False
    # Lines that all begin small are a list without bullets, unless the text is wrapped.
    return bool(width) or not group[0].text[0].islower() or bool(_OPEN_END.search(line.text))


def _breaks_off(group: Sequence[_Line], following: _Line) -> bool:
    """A blank line inside a sentence, left where markup such as a link or italics was taken out."""
    if following.marker or not following.text[0].islower() or not group[0].text[0].isupper():
        return False
    words = sum(line.text.count(" ") + 1 for line in group[-8:])
    ends = _BROKEN_END.search(group[-1].text[-20:])
    return bool(ends) and words >= _FEWEST_BROKEN_WORDS and not following.text.startswith("http")


def _name_kinds(text: str, groups: Sequence[Sequence[_Line]]) -> list[Paragraph]:
    spans = [(group[0].start, group[-1].end) for group in groups]
    kinds = [_kind_alone(group) for group in groups]
    last_body = max((i for i, kind in enumerate(kinds) if kind in ("body", "list_item")), default=0)
    for index in range(last_body, len(kinds)):
        if kinds[index] == "heading" and groups[index][0].marker != "hashes":
            kinds[index] = "body"
    _name_headlines(text, spans, kinds)
    return [Paragraph(start, end, kind) for (start, end), kind in zip(spans, kinds, strict=True)]


def _kind_alone(group: Sequence[_Line]) -> SentenceKind:
    first, joined = group[0], " ".join(line.text for line in group[:3])
    if first.marker == "hashes":
        return "heading"
    if first.marker in ("bullet", "number"):
        return "list_item"
    if len(group) <= 2 and _is_heading(joined):
        return "heading"
    return "body"


def _is_heading(line: str) -> bool:
    if len(line) > 300:
        return False
    if _is_credit(line):
        return True
    if _SENTENCE_END.search(line) or line[-1] in ",:;-–—":
        return False
    first = next((char for char in line if char.isalnum()), "")
    starts = first.isupper() or first.isdigit()
    return starts and len(line.split()) <= _MOST_HEADING_WORDS


def _is_credit(line: str) -> bool:
    """A byline, a date line or a web address on its own."""
    if _DATE_LINE.fullmatch(line):
        return True
    return len(line) <= 120 and line[-1] not in ".!?:" and bool(_BYLINE.match(line))


def _name_headlines(text: str, spans: Sequence[tuple[int, int]], kinds: list[SentenceKind]) -> None:
    """Turn the lines before the body into headlines; bylines and date lines stay headings."""
    found = 0
    for index in range(len(spans) - 1):
        line = text[slice(*spans[index])]
        if len(line) > 300 or found == _MOST_HEADLINES:
            return
        if _is_credit(line):
            continue
        if not _is_headline(line, kinds[index], found, text[slice(*spans[index + 1])][:600]):
            return
        kinds[index] = "headline"
        found += 1


def _is_headline(line: str, kind: SentenceKind, found: int, following: str) -> bool:
    words = len(line.split())
    if kind == "heading":
        return found == 0 or words > 4
    if kind != "body" or found or words > _MOST_HEADLINE_WORDS:
        return False
    if _SENTENCE_END.search(line):
        return _is_title_case(line) and len(following) > 1.5 * len(line)
    return line[-1] not in ",:-–—" and not line[0].islower() and len(following) > len(line)


def _is_title_case(line: str) -> bool:
    long_words = [word for word in re.findall(r"[^\W\d_]+", line) if len(word) > 3]
    capital = sum(1 for word in long_words if word[0].isupper())
    return capital >= 0.75 * len(long_words) and len(long_words) > 1
