"""Dates, times, amounts and numbers: the recogniser's spans, completed by what their form shows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from onrecord.records import NAMED_LABELS, Mention
from onrecord.stages.mention_spans import Found, Words

_MONTHS = (
    "January|February|March|April|May|June|July|August|September|October|November|December|"
    "Jan\\.?|Feb\\.?|Mar\\.?|Apr\\.?|Jun\\.?|Jul\\.?|Aug\\.?|Sept?\\.?|Oct\\.?|Nov\\.?|Dec\\.?"
)
_DAYS = "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday"
_NUMBER = r"\d[\d,]*(?:\.\d+)?"
# What reads as one expression whatever a recogniser makes of its parts.
_FORMS = (
    (
        "DATE",
        re.compile(
            rf"(?:\b(?:{_DAYS}),? )?\b(?:\d{{1,2}}(?:st|nd|rd|th)? (?:{_MONTHS})\b"
            rf"|(?:{_MONTHS}) \d{{1,2}}(?:st|nd|rd|th)?\b(?!:))(?:,? (?:19|20)\d\d\b)?"
        ),
    ),
    (
        "DATE",
        re.compile(
            r"\b(?:New Year['’]s (?:Eve|Day)|New Year|Christmas(?: (?:Eve|Day))?|Easter|Boxing Day|"
            r"Thanksgiving|Ramadan|Eid al-(?:Fitr|Adha)|Independence Day|Good Friday)\b(?! [A-Z])"
        ),
    ),
    (
        "MONEY",
        re.compile(
            rf"(?:US|A|C|NZ|HK|S)?[£$€¥₹]\s?{_NUMBER}"
            r"(?:\s?(?:million|billion|trillion|thousand|crore|lakh)\b|[mbk]n?\b)?"
        ),
    ),
    ("PERCENT", re.compile(rf"\b{_NUMBER} ?(?:%|per ?cent\b)")),
    (
        "TIME",
        re.compile(
            r"\b\d{1,2}(?:[:.]\d\d)? ?(?:[ap]m\b|[ap]\.m\.)|\b\d{1,2}[:.]\d\d (?:GMT|UTC|BST|CET)\b"
            r"|\b\d{1,2}:\d\d\b"
        ),
    ),
)
_QUALIFIED = (
    "at least ",
    "about ",
    "more than ",
    "some ",
    "nearly ",
    "almost ",
    "over ",
    "around ",
)


def read_amounts(
    words: Words, found: Sequence[Found], names: Sequence[Mention]
) -> Iterator[Mention]:
    """Mentions of dates, amounts and numbers that touch none of ``names``.

    Args:
        words: the article.
        found: the recogniser's spans; those with a name's label are passed over.
        names: mentions of named entities, which keep their place.
    """
    covered = bytearray(len(words.text) + 1)
    for mention in names:
        covered[mention.start : mention.end] = b"\1" * (mention.end - mention.start)
    starts = set(words.starts)
    ends = {words.end(token) for token in range(len(words.tokens))}
    recognised = [
        (words.starts[place.start], words.end(place.end - 1), place.label)
        for place in found
        if place.label is not None and place.label not in NAMED_LABELS
    ]
    shaped = [
        (match.start(), match.end(), label)
        for label, form in _FORMS
        for match in form.finditer(words.text)
    ]
    for start, end, label in _merged(shaped, recognised):
        if start in starts and end in ends and not any(covered[start:end]):
            covered[start:end] = b"\1" * (end - start)
            yield Mention(start, end, label)


def _merged(
    shaped: Sequence[tuple[int, int, str]], recognised: Sequence[tuple[int, int, str]]
) -> Iterator[tuple[int, int, str]]:
    """Shaped expressions widened by the recogniser's spans around them, then the others."""
    by_start = sorted(recognised)
    position = 0
    for start, end, label in sorted(shaped):
        while position < len(by_start) and by_start[position][1] <= start:
            position += 1
        for low, high, other in by_start[position : position + 3]:
            if low < start and high >= end and other == label:
                start = low
            if high > end and low <= start and other == label:
                end = high
        yield start, end, label
    yield from by_start
