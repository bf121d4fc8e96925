"""Bodies that an article names by a phrase and no recogniser marks: "the Turkish government".

A phrase of capitalised words and a noun for a body ("the Clinton campaign", "China's foreign
ministry", "West Yorkshire police") is a name to a reader, wherever the article uses it. An
indefinite one ("a US court") is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import dropwhile
from typing import NamedTuple

from onrecord.records import Span
from onrecord.stages import patterns
from onrecord.stages.name_lists import CAPITALS, OPENING_WORDS

_NOUNS = (
    "campaign|administration|government|regime|army|military|police|navy|parliament|ministry|"
    "commission|committee|coalition|court|council|embassy|legislature|congress|senate|assembly|"
    "department|authority|movement|opposition|judiciary|treasury|presidency|party|union|agency|"
    "board|federation|association|tribunal|panel|inquiry|team|leadership|force"
)
_NOUN = re.compile(rf"\b(?:{_NOUNS})\b(?![’'-]\w{{2}}|-)")
_REACH = 80  # characters before the noun
_QUALIFYING_AT_MOST = 2
# Words right before the noun, nearest last: a few in small letters, then capitals.
_BEFORE = re.compile(
    r"(?:(?<![\w.’'-])(?P<before>[a-z]+|An?|Another|One|Any|Some|Every|Each|No)\s+)?"
    rf"(?P<names>(?<!\w)(?:[{CAPITALS}][\w&-]*(?:\.[A-Z]\.|\.)?(?:[’'](?:s\b)?)?\s+){{1,4}})"
    r"(?P<between>(?:[a-z]+,?\s+){0,5})$"
)
# These are told apart by the matters they see to: "Commons work and pensions committee".
_WITH_MATTERS = frozenset({"committee", "ministry", "department", "commission"})
_WORD = re.compile(r"\S+")
_OWNED = re.compile(r"[’'](?:s\b|\s)")
_INDEFINITE = frozenset({"a", "an", "another", "any", "some", "every", "each", "no", "one"})
_TITLES = patterns.ROLE_WORDS_IN_NAMES
_NOT_BETWEEN = (
    patterns.PREPOSITIONS
    | patterns.AUXILIARIES
    | patterns.COMMON_VERBS
    | patterns.CLAUSE_WORDS
    | patterns.DETERMINERS
    | patterns.ADVERBS_IN_GROUP
    | frozenset({"of", "to", "not", "or"})
)


class BodyPhrase(NamedTuple):
    """One occurrence: its span without the article, and the key that all its forms share."""

    span: Span
    name: str
    key: str


def find_body_phrases(text: str) -> Iterator[BodyPhrase]:
    """Every such phrase of an article, in order."""
    for noun in _NOUN.finditer(text):
        low = max(noun.start() - _REACH, 0)
        low = max(low, text.rfind("\n", low, noun.start()) + 1)
        before = _BEFORE.search(text, low, noun.start())
        phrase = None if before is None else _read(before, noun)
        if phrase is not None:
            yield phrase


def _read(before: re.Match[str], noun: re.Match[str]) -> BodyPhrase | None:
    found = list(_WORD.finditer(before.group("names")))
    between = before.group("between").split()
    if (before.group("before") or "").lower() in _INDEFINITE:
        return None
    kept = list(dropwhile(lambda word: _is_no_name(word.group()), found))
    matters = between if noun.group() in _WITH_MATTERS else []
    if not kept or not (_qualifies(between) or _is_list(matters)):
        return None
    words = [word.group() for word in kept]
    start = before.start("names") + kept[0].start()
    name = " ".join([*words, *between, noun.group()])
    owner = re.sub(r"[’']s?$", "", words[-1]).lower()
    return BodyPhrase(Span(start, noun.end()), name, " ".join([owner, *matters, noun.group()]))


def _qualifies(words: Sequence[str]) -> bool:
    """Whether words stand before a noun and tell which: "presidential"."""
    few = len(words) <= _QUALIFYING_AT_MOST
    return few and not any("," in w or w in _NOT_BETWEEN or _is_verb(w) for w in words)


def _is_list(words: Sequence[str]) -> bool:
    """Whether words name matters in a row: "culture, media and sport"."""
    if "and" not in words[1:-1]:
        return False
    named = [word.rstrip(",") for word in words if word != "and"]
    return not any(word in _NOT_BETWEEN or _is_verb(word) for word in named)


def _is_no_name(word: str) -> bool:
    """Whether a capitalised word opens a sentence or is a title before the name."""
    return word in OPENING_WORDS or word.lower().rstrip(".") in _TITLES


def _is_verb(word: str) -> bool:
    return word in patterns.VERBS and word not in patterns.NOUN_LIKE


def fullest_form(forms: Sequence[str]) -> str:
    """The form to call a body by: without a possessive, then the most used, then the first."""
    return max(dict.fromkeys(forms), key=lambda form: (not _OWNED.search(form), forms.count(form)))
