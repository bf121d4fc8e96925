"""Dates, times, amounts and numbers: the recogniser's spans, completed by what their form shows.

A recogniser cuts "Wednesday, 4 December" in two and takes "£" off "£90m"; an expression of plain
form is one mention of one label, with the recogniser's words before it ("at least", "about").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from onrecord.records import NAMED_LABELS, Mention
from onrecord.stages.mention_spans import HOLIDAYS, Found, Words

_MONTHS = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December|"
    r"(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b\.?)"
)
_DAYS = r"(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)"
_NUMBER = r"\d[\d,]*(?:\.\d+)?"
_SCALE = r"(?:million|billion|trillion|thousand|hundred|crore|lakh)"
_COINS = (
    r"(?:dollars|euros|pounds|yen|yuan|rupees|pesos|francs|kroner|kronor|crowns|rand|naira|"
    r"shillings|baht|roubles|rubles|reais|pence|cents)"
)
_AROUND = (
    r"(?:(?i:at least|at most|more than|less than|fewer than|up to|as many as|about|around|some|"
    r"nearly|almost|over|under|only|roughly) )?"
)
_DAY_OF_MONTH = r"\d{1,2}(?:st|nd|rd|th)?"
_FORMS = (
    (
        "DATE",
        rf"(?:\b{_DAYS},? )?\b(?:{_DAY_OF_MONTH} {_MONTHS}(?!\w)|{_MONTHS} {_DAY_OF_MONTH}\b(?!:))"
        r"(?:,? (?:19|20)\d\d\b)?",
    ),
    ("DATE", rf"\b{HOLIDAYS.pattern}\b(?! [A-Z])"),
    ("TIME", rf"\b{_DAYS} (?:morning|afternoon|evening|night)\b"),
    (
        "TIME",
        rf"\b{_AROUND}(?:\d{{1,2}}(?:[:.]\d\d)? ?(?:[ap]m\b|[ap]\.m\.)|"
        r"\d{1,2}[:.]\d\d (?:GMT|UTC|BST|CET)\b|\d{1,2}:\d\d\b|^\d\d\.\d\d$)",
    ),
    (
        "MONEY",
        rf"(?:\b{_AROUND[:-1]})?(?:\b(?:US|A|C|NZ|HK|S))?[£$€¥₹]\s?{_NUMBER}"
        rf"(?:\s?{_SCALE}\b|(?:m|bn|b|k|tn)\b)?",
    ),
    ("MONEY", rf"\b{_AROUND}(?:{_NUMBER}|[a-z]+)(?: {_SCALE})? {_COINS}\b"),
    ("PERCENT", rf"\b{_AROUND}{_NUMBER} ?(?:%|per ?cent\b)"),
    (
        "CARDINAL",
        r"\b(?:twice|(?:a|one|two|three) (?:third|quarter|fifth|sixth|tenth|twelfth)s?)\b",
    ),
)
_SHAPES = tuple((label, re.compile(form, re.MULTILINE)) for label, form in _FORMS)
_NO_NUMBER_WORD = re.compile(r"\b(?:in|the|of|for|to|and|into|their|own|his|her|no|any|many)\b")

Amount = tuple[int, int, str]


def read_amounts(words: Words, found: Sequence[Found], names: Sequence[Mention]) -> list[Mention]:
    """Mentions of dates, amounts and numbers that touch none of ``names``.

    Args:
        words: the article.
        found: the recogniser's spans; those with a name's label are passed over.
        names: mentions of named entities, which keep their place.
    """
    covered = bytearray(len(words.text))
    for mention in names:
        covered[mention.start : mention.end] = b"\1" * (mention.end - mention.start)
    starts, ends = set(words.starts), {words.end(i) for i in range(len(words.tokens))}
    amounts = []
    for start, end, label in (*_shaped(words.text), *_recognised(words, found)):
        if start in starts and end in ends and not any(covered[start:end]):
            covered[start:end] = b"\1" * (end - start)
            amounts.append(Mention(start, end, label))
    return amounts


def _recognised(words: Words, found: Sequence[Found]) -> Iterator[Amount]:
    for place in found:
        # The number of a list item stands outside its sentence and counts nothing.
        if place.label is None or place.label in NAMED_LABELS or words.sentence[place.start] < 0:
            continue
        start, end = words.starts[place.start], words.end(place.end - 1)
        if "@" not in words.text[max(0, start - 1) : end]:
            yield start, end, place.label


def _shaped(text: str) -> Iterator[Amount]:
    for label, shape in _SHAPES:
        for match in shape.finditer(text):
            if label != "MONEY" or not _NO_NUMBER_WORD.match(match.group()):
                yield match.start(), match.end(), label
