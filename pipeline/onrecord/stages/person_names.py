"""Whole names of people from what the recogniser cut too short or too long.

A recogniser trained on American news takes "Tayyip Erdoğan" of "Recep Tayyip Erdoğan" and the whole
of "Pastor Darrell Scott" or "Breitbart's Joel Pollak". Fragments of one name that stand side by
side are joined, and what is no part of the name is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest

from onrecord.gazetteer import load_gazetteer
from onrecord.names import fold, is_role, is_title
from onrecord.stages import patterns
from onrecord.stages.mention_spans import POSSESSIVES, Found, Words
from onrecord.stages.name_lists import (
    BODY_WORDS,
    FAC_WORDS,
    LOC_WORDS,
    OPENING_WORDS,
    POSTNOMINALS,
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_LONGEST_NAME = 5
_LONGEST_FRAGMENT = 3
_SHORTEST_NAME = 2
_SHORTEST_WORD = 2
# Kinship and the like are given names or surnames too: "Son Heung-min", "Guy Ryder".
_ALSO_NAMES = frozenset({"son", "head", "star", "man", "guy", "victim", "boy", "independent"})
_ROLES = (patterns.PERSON_NOUNS | patterns.MASCULINE | patterns.FEMININE) - _ALSO_NAMES
_MORE_ROLES = _words(
    """presidential barrister magistrate filmmaker broadcaster ranger envoy parliamentarian
    mullah midfielder striker goalkeeper defender batsman drummer guitarist billionaire comedian
    novelist poet playwright composer photographer blogger columnist correspondent editor
    historian biologist lawmaker legislator congresswoman principal superintendent trooper
    marine cleric mufti qadi chargé trustee organizer organiser"""
)
_NO_NAME = OPENING_WORDS | POSTNOMINALS
_KINDS_OF_PLACE = BODY_WORDS | FAC_WORDS | LOC_WORDS
_ROLE_ENDINGS = ("ologist", "ographer", "ographist", "maker", "caster", "woman")


def whole_names(words: Words, found: Iterable[Found]) -> list[Found]:
    """The places of names with those of people made whole; order is by place."""
    ordered = sorted(found, key=lambda place: (place.start, place.end))
    parts = [part for place in ordered for part in _without_roles(words, place)]
    parts = list(_officers(words, parts))
    typed = {
        words.covered(place.start, place.end)
        for place in parts
        if place.label not in (None, "PERSON")
    }
    joined: list[Found] = []
    for place in parts:
        before = joined[-1] if joined else None
        if before is not None and _is_one_name(words, before, place, typed):
            joined[-1] = Found(before.start, place.end, "PERSON")
        else:
            joined.append(place)
    return joined


def _without_roles(words: Words, place: Found) -> Iterator[Found]:
    """As "Darrell Scott" for "Pastor Darrell Scott", and two names for "Breitbart's Pollak"."""
    if place.label != "PERSON":
        yield place
        return
    tokens, start = words.tokens, place.start
    for index in range(place.start + 1, place.end - 1):
        spaced = tokens[index] in ("-", "–", "—") and not words.joined(index + 1)
        if tokens[index] in POSSESSIVES or spaced:
            yield Found(start, index, "ORG")
            start = index + 1
    while place.end - start > _SHORTEST_NAME and names_role(tokens[start]):
        start += 1
    yield Found(start, place.end, "PERSON")


def names_role(word: str) -> bool:
    """Whether a capitalised word before a name is what its bearer is: "Pastor", "Filmmaker"."""
    plain = word.lower().rstrip(".")
    role = plain in _ROLES or plain in _MORE_ROLES or plain in patterns.ROLE_FORMS
    return role or plain.endswith(_ROLE_ENDINGS) or is_title(word)


def _officers(words: Words, parts: Sequence[Found]) -> Iterator[Found]:
    """A body that swallowed the office and first name of the person right behind it."""
    for place, following in zip_longest(parts, parts[1:]):
        cut = None
        if place.label == "ORG" and following is not None and following.label == "PERSON":
            cut = _office_in(words, place, following)
        if cut is None:
            yield place
            continue
        if cut > place.start:
            yield Found(place.start, cut, "ORG")
        if cut + 1 < place.end:
            yield Found(cut + 1, place.end, "PERSON")


def _office_in(words: Words, place: Found, following: Found) -> int | None:
    if following.start != place.end:
        return None
    last = range(max(place.end - _LONGEST_FRAGMENT, place.start), place.end)
    return next((at for at in reversed(last) if is_role(words.tokens[at])), None)


def _is_one_name(words: Words, first: Found, second: Found, typed: set[str]) -> bool:
    """Whether two places side by side are one person's name: "Godfred" and "Yeboah Dame"."""
    labels = {first.label, second.label}
    beside = first.end == second.start and second.end - first.start <= _LONGEST_NAME
    if not beside or "PERSON" not in labels or not labels <= {None, "PERSON"}:
        return False
    if words.sentence[first.start] != words.sentence[second.start]:
        return False
    if words.in_title_case(first.start):
        return False
    fragment = first if second.label == "PERSON" else second
    short = fragment.end - fragment.start <= _LONGEST_FRAGMENT
    covered = words.covered(fragment.start, fragment.end)
    return (
        short
        and covered not in typed
        and fold(covered) not in load_gazetteer().countries
        and all(_is_plain(words, at) for at in range(first.start, second.end))
        # A surname may look like an office: "Godfred Yeboah Dame".
        and not any(names_role(words.tokens[at]) for at in range(first.start, second.end - 1))
    )


def _is_plain(words: Words, at: int) -> bool:
    """A word that is nothing but a name: capital and small letters, no office, people or body."""
    token = words.tokens[at]
    lower = token.lower()
    return (
        len(token) >= _SHORTEST_WORD
        and token[0].isupper()
        and token.replace("-", "").replace("’", "").replace("'", "").isalpha()
        and not token.isupper()
        and token not in _NO_NAME
        and lower not in words.small
        and lower not in _KINDS_OF_PLACE
        and fold(token) not in load_gazetteer().peoples
    )
