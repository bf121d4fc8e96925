"""Whole names of people from what the recogniser cut too short or too long.

A recogniser trained on American news takes "Tayyip Erdoğan" of "Recep Tayyip Erdoğan" and the whole
of "Pastor Darrell Scott" or "Breitbart's Joel Pollak". Fragments of one name that stand side by
side are joined, and what is no part of the name is left out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import dropwhile, zip_longest

from onrecord.gazetteer import load_gazetteer
from onrecord.names import fold, is_role, is_title
from onrecord.stages import patterns
from onrecord.stages.mention_spans import POSSESSIVES, Found, Words
from onrecord.stages.name_lists import (
    BODY_WORDS,
    FAC_WORDS,
    GIVEN_NAMES,
    LOC_WORDS,
    OPENING_WORDS,
    PARTY_WORDS,
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
    brigadier undersecretary moderator nurse cleric mufti qadi chargé trustee organizer organiser"""
)
# Given names that are words as well: no evidence that the word is no name.
_WORDS_TOO = _words(
    """will mark bill grant may rose frank chase drew rich jack grace hope faith art pat rob sue
    gene ray dale dean glen april june august mike josh amber ruby joy don van ben al li de la el
    ivy iris lily daisy heather ginger robin jay penny victor miles stone forest river sky dawn"""
)
_SHORTEST_ACRONYM = 3
_DATES = frozenset(word.title() for word in patterns.DAYS | patterns.TIMES | {"may"})
_NO_NAME = OPENING_WORDS | POSTNOMINALS | _DATES
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
    tokens, start = words.tokens, place.start
    if place.label != "PERSON":
        if place.label in (None, "ORG") and _is_officer(words, place):
            while names_role(tokens[start]) or _is_party(tokens[start]):
                start += 1
            place = Found(start, place.end, "PERSON")
        elif place.label in (None, "ORG") and (owner := _owner_of(words, place)):
            yield Found(start, owner, "ORG")
            place = Found(owner + 1, place.end, "PERSON")
        yield place
        return
    for index in range(place.start + 1, place.end - 1):
        spaced = tokens[index] in ("-", "–", "—") and not words.joined(index + 1)
        if tokens[index] in POSSESSIVES or spaced:
            yield Found(start, index, "ORG")
            start = index + 1
    while place.end - start > _SHORTEST_NAME and _is_no_name(words, start, place.end):
        start += 1
    yield Found(start, place.end, "PERSON")


def _is_officer(words: Words, place: Found) -> bool:
    """Whether what was taken for a body is an office and its holder: "Envoy Mike Hammer"."""
    tokens = words.tokens[place.start : place.end]
    rest = list(dropwhile(lambda word: names_role(word) or _is_party(word), tokens))
    before = tokens[: len(tokens) - len(rest)]
    of_two_or_three = _SHORTEST_NAME <= len(rest) <= _LONGEST_FRAGMENT
    return (
        of_two_or_three
        and any(names_role(word) and not _is_party(word) for word in before)
        and not any(names_role(word) for word in rest)
        and all(_is_plain(words, at) for at in range(place.end - len(rest), place.end))
    )


def _is_no_name(words: Words, start: int, end: int) -> bool:
    """Whether a word before two words of a name is none: a role, "MSP", "Using"."""
    word = words.tokens[start]
    if names_role(word) or (_is_party(word) and names_role(words.tokens[start + 1])):
        return True
    if not all(_is_plain(words, at) for at in range(start + 1, end)):
        return False
    acronym = word.isupper() and word.isalpha() and len(word) >= _SHORTEST_ACRONYM
    return acronym or (word.lower() in words.small and word.lower() not in _WORDS_TOO)


def _owner_of(words: Words, place: Found) -> int | None:
    """The possessive ending between a body and its man: "Harlow News’s John Roe"."""
    for at in range(place.start + 1, place.end - 1):
        rest = range(at + 1, place.end)
        if words.tokens[at] in POSSESSIVES and _SHORTEST_NAME <= len(rest) <= _LONGEST_FRAGMENT:
            known = words.tokens[at + 1].lower() in GIVEN_NAMES
            return at if known and all(_is_plain(words, word) for word in rest) else None
    return None


def _is_party(word: str) -> bool:
    return word.lower() in PARTY_WORDS


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
        and all(_is_plain(words, at) for at in range(first.start, second.end))
        # A surname may look like an office: "Godfred Yeboah Dame".
        and not any(names_role(words.tokens[at]) for at in range(first.start, second.end - 1))
    )


def _is_plain(words: Words, at: int) -> bool:
    """A word that is nothing but a name: capital and small letters, no office, people or body."""
    token, gazetteer = words.tokens[at], load_gazetteer()
    lower = token.lower()
    return (
        len(token) >= _SHORTEST_WORD
        and token[0].isupper()
        and token.replace("-", "").replace("’", "").replace("'", "").isalpha()
        and not token.isupper()
        and token not in _NO_NAME
        and lower not in words.small
        and lower not in _KINDS_OF_PLACE
        and fold(token) not in gazetteer.peoples
        and fold(token) not in gazetteer.countries
    )


def given_names(words: Words, surnames: Collection[str], taken: Collection[int]) -> dict[str, str]:
    """The one given name that stands before each surname somewhere in the article.

    In a title-case heading, where any word stands before a name, only a common given name is
    taken for one, and only where running text has none. Initials between the two belong to it.

    Args:
        words: the article.
        surnames: single words, as written, that name people.
        taken: last tokens of bodies and peoples, which are no given names: "Fox News Maddow".
    """
    running: dict[str, set[str]] = {}
    headings: dict[str, set[str]] = {}
    tokens = words.tokens
    for at in range(1, len(tokens)):
        surname, first = tokens[at], at - 1
        if surname not in surnames or words.sentence[at] < 0 or words.joined(at):
            continue
        while first > 0 and _is_initials(tokens[first]):
            first -= 1
        given = tokens[first]
        if first in taken or words.sentence[at] != words.sentence[first]:
            continue
        if not _is_plain(words, first) or names_role(given):
            continue
        if words.in_title_case(at) and given.lower() not in GIVEN_NAMES:
            continue
        found = headings if words.in_title_case(at) else running
        found.setdefault(surname, set()).add(" ".join(tokens[first:at]))
    return {
        surname: next(iter(given))
        for surname, given in {**headings, **running}.items()
        if len(given) == 1
    }


def _is_initials(token: str) -> bool:
    return token.isupper() and token.endswith(".") and token.replace(".", "").isalpha()
