"""Words of a sentence, and the few facts about its clauses that can be read without a parser.

Two questions are answered here: which words are cues (a verb group of saying, or "according to"),
and which noun phrase is the subject of a cue. The answers rest on closed word classes,
capitals, commas and quotation marks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from onrecord.quotation import Quotation
from onrecord.stages import patterns

_WORD = re.compile(
    r"(?:[A-Za-z]\.){2,}"  # U.S., D.C., e.g.
    r"|(?:Mr|Mrs|Ms|Dr|Sen|Rep|Gov|Gen|Lt|Col|Sgt|Capt|Prof|Rev|Jr|Sr|St|No|Inc|Corp|Co)\."
    r"|(?:can|ca|wo|do|does|did|is|are|was|were|has|have|had|would|could|should)(?=n['’]t\b)"
    r"|n['’]t\b"
    r"|['’](?:s|re|ve|ll|d|m)\b"
    r"|\d+(?:[.,:]\d+)*%?"
    r"|[^\W\d_]+?(?=n['’]t\b)"
    r"|\w+(?:[-–&./]\w+)*"
    r"|``|''|[^\w\s]",
    re.IGNORECASE,
)


_LONGEST_TITLE = 10  # tokens, marks included
_LONGEST_LEAD = 9


class Word(NamedTuple):
    """One token; ``quotation`` is the index of the quotation it stands in, or -1."""

    start: int
    end: int
    text: str
    lower: str
    quotation: int


class Cue(NamedTuple):
    """Word indices of a cue, ``last`` included, and the verb at its centre."""

    first: int
    last: int
    lemma: str
    form: str


class Phrase(NamedTuple):
    """Word indices of a noun phrase, ``last`` included."""

    first: int
    last: int


def read_words(text: str, start: int, end: int, quotations: Sequence[Quotation]) -> list[Word]:
    """Tokens of ``text[start:end]``, each with the quotation that holds it."""
    words: list[Word] = []
    at = _first_quotation(quotations, start)
    for match in _WORD.finditer(text, start, end):
        while at < len(quotations) and quotations[at].end <= match.start():
            at += 1
        inside = at < len(quotations) and quotations[at].start <= match.start()
        word = match.group()
        words.append(
            Word(
                match.start(),
                match.end(),
                word,
                word.lower().replace("’", "'"),
                at if inside else -1,
            )
        )
    return words


def _first_quotation(quotations: Sequence[Quotation], start: int) -> int:
    low, high = 0, len(quotations)
    while low < high:
        middle = (low + high) // 2
        if quotations[middle].end <= start:
            low = middle + 1
        else:
            high = middle
    return low


# --- cues ---------------------------------------------------------------------------------------


def find_cues(words: Sequence[Word]) -> list[Cue]:
    """Every cue outside quotation marks, left to right."""
    cues: list[Cue] = []
    for index, word in enumerate(words):
        if word.quotation >= 0 or (cues and index <= cues[-1].last):
            continue
        cue = _according(words, index) or _verb_cue(words, index)
        if cue is not None:
            cues.append(cue)
    return cues


def _according(words: Sequence[Word], index: int) -> Cue | None:
    if words[index].lower == "according" and lower_at(words, index + 1) == "to":
        return Cue(index, index + 1, "accord", "gerund")
    return None


def _verb_cue(words: Sequence[Word], index: int) -> Cue | None:
    verb = patterns.VERBS.get(words[index].lower)
    if verb is None or is_noun(words, index) or words[index].text.isupper():
        return None
    first, passive, infinitive = _group_start(words, index)
    last = index
    particle = lower_at(words, index + 1)
    if particle in patterns.PARTICLES.get(verb.lemma, ()):
        last = index + 1
    elif verb.lemma in patterns.ONLY_WITH_PARTICLE:
        return None
    if infinitive or (passive and verb.form == "past"):
        return None
    if verb.form != "gerund" and lower_at(words, first - 1) in patterns.PREPOSITIONS:
        return None
    if verb.form == "base" and first == index and not _plural_subject(words, index):
        return None
    return Cue(first, last, verb.lemma, verb.form)


def is_noun(words: Sequence[Word], index: int) -> bool:
    """Whether a form of a verb of saying is used as a noun here, or as part of a name."""
    word, before = words[index], lower_at(words, index - 1)
    if word.text[:1].isupper() and index > 0:
        return True
    if index and words[index - 1].quotation >= 0:
        return False
    if before in patterns.DETERMINERS or before in ("'s", "'"):
        return before != "that" or word.lower in patterns.NOUN_LIKE
    if word.lower not in patterns.NOUN_LIKE:
        return False
    return before not in patterns.SUBJECT_PRONOUNS and not _names(words, index - 1)


def _names(words: Sequence[Word], index: int) -> bool:
    return index >= 0 and words[index].text[:1].isupper() and words[index].quotation < 0


def _group_start(words: Sequence[Word], index: int) -> tuple[int, bool, bool]:
    """First word of the verb group; whether it is passive; whether it is an infinitive."""
    first, passive = index, False
    while first > 0 and words[first - 1].quotation < 0:
        before = words[first - 1].lower
        if before in patterns.AUXILIARIES:
            passive = passive or before in patterns.PASSIVE
        elif before == "to":
            return first, passive, True
        elif before not in patterns.ADVERBS_IN_GROUP and not is_adverb(before):
            break
        first -= 1
    return first, passive, False


def is_adverb(lower: str) -> bool:
    """Whether a word looks like an adverb in -ly."""
    return (
        lower.endswith("ly")
        and len(lower) > 4
        and lower
        not in ("family", "july", "italy", "assembly", "early", "rally", "ally", "reply", "supply")
    )


def _plural_subject(words: Sequence[Word], index: int) -> bool:
    """Whether a base form at ``index`` can agree with a plural noun phrase right before it."""
    if lower_at(words, index - 1) in ("i", "we", "you", "they", "who", "people", "many", "some"):
        return True
    for at in range(index - 1, max(index - 8, -1), -1):
        lower = words[at].lower
        if words[at].quotation >= 0 or not lower[0].isalnum() or verbish(words, at):
            return False
        if _is_plural(lower):
            return True
    return False


def _is_plural(lower: str) -> bool:
    return (
        len(lower) > 3
        and lower.endswith("s")
        and not lower.endswith(("ss", "us", "is"))
        and lower not in patterns.DAYS
    )


def lower_at(words: Sequence[Word], index: int) -> str:
    """The word at ``index`` in lower case; empty outside the sentence."""
    return words[index].lower if 0 <= index < len(words) else ""


# --- subjects -----------------------------------------------------------------------------------


def find_subject(words: Sequence[Word], before: int) -> Phrase | None:
    """The noun phrase that ends right before word ``before``, with its appositions."""
    last = before - 1
    while last >= 0 and words[last].lower in patterns.DAYS and words[last].quotation < 0:
        last -= 2 if last and words[last - 1].lower == "on" else 1
    if last < 0 or words[last].quotation >= 0:
        return None
    if words[last].lower in patterns.SUBJECT_PRONOUNS:
        return Phrase(last, last)
    end = last
    if words[last].text in (",", ")", "—", "–"):
        last = _skip_apposition(words, last)
        if last < 0:
            return None
    first = _phrase_start(words, last)
    if first > last:
        return None
    return Phrase(first, _drop_trailing_adjunct(words, first, end) if end == last else end)


def _drop_trailing_adjunct(words: Sequence[Word], first: int, last: int) -> int:
    """Without "in a speech", "in an interview on CNN" between the subject and its verb."""
    for index in range(first + 1, last):
        if words[index].lower in ("in", "on", "at", "during", "after", "via"):
            following = {word.lower for word in words[index + 1 : last + 1]}
            if following & (patterns.SPEECH_PLACES | patterns.DAYS):
                return index - 1
    return last


def _skip_apposition(words: Sequence[Word], closing: int) -> int:
    """Last word of the phrase whose apposition or relative clause ends at ``closing``."""
    mark = {")": "("}.get(words[closing].text, words[closing].text)
    index = closing - 1
    while index > 0:
        if words[index].text == mark and words[index].quotation < 0:
            if words[index - 1].lower.isdigit() and index > 1:
                # An age: "Leila Barzani, 34, a teacher, said".
                index -= 2
                continue
            start = _phrase_start(words, index - 1)
            head = words[start:index]
            if head and head[0].lower not in patterns.PREPOSITIONS:
                earlier = start - 1
                if mark == "," and earlier > 0 and words[earlier].text == ",":
                    farther = _skip_apposition(words, earlier)
                    if (
                        farther >= 0
                        and _looks_name(words, _phrase_start(words, farther), farther)
                        and not _looks_name(words, start, index - 1)
                    ):
                        return farther
                return index - 1
            return -1
        index -= 1
    return -1


def _looks_name(words: Sequence[Word], first: int, last: int) -> bool:
    return first <= last and any(
        w.text[:1].isupper() and w.lower not in patterns.DETERMINERS
        for w in words[first : last + 1]
    )


def _phrase_start(words: Sequence[Word], last: int) -> int:
    """First word of the noun phrase that ends at ``last``; ``last + 1`` where there is none."""
    index = last
    while index >= 0 and _inside_phrase(words, index):
        index -= 1
    first = index + 1
    return _drop_leading_adjunct(words, first, last)


def _inside_phrase(words: Sequence[Word], index: int) -> bool:
    word = words[index]
    if word.quotation >= 0:
        return False
    if word.text in (".", "-", "&", "/", "%", "$", "'", "’", "(", ")"):
        return True
    if not word.text[0].isalnum() and word.lower != "'s":
        return False
    if word.lower in ("and", "or"):
        return _coordinates_names(words, index)
    if word.lower in patterns.CLAUSE_WORDS or word.lower in patterns.SUBJECT_PRONOUNS - {"one"}:
        return False
    return not verbish(words, index)


def _coordinates_names(words: Sequence[Word], index: int) -> bool:
    after, before = index + 1, index - 1
    if after >= len(words) or before < 0:
        return False
    return words[before].text[:1].isupper() == words[after].text[:1].isupper() and not verbish(
        words, after
    )


def verbish(words: Sequence[Word], index: int) -> bool:
    """Whether the word at ``index`` looks like a finite verb."""
    word = words[index]
    if word.text[:1].isupper():
        return False
    if word.lower in patterns.COMMON_VERBS or word.lower in (
        "n't",
        "'re",
        "'ve",
        "'ll",
        "'d",
        "'m",
    ):
        return True
    verb = patterns.VERBS.get(word.lower)
    if verb is not None and verb.form in ("past", "third") and not is_noun(words, index):
        return lower_at(words, index + 1) not in ("by",)
    return False


def _drop_leading_adjunct(words: Sequence[Word], first: int, last: int) -> int:
    """Past a leading "On Tuesday", "In an interview" that no comma divides from the subject."""
    if first > last or words[first].lower not in patterns.PREPOSITIONS | patterns.DAYS:
        return first
    for index in range(last, first, -1):
        word, before = words[index], words[index - 1]
        if word.lower in patterns.DETERMINERS and before.lower not in patterns.PREPOSITIONS | {
            "of",
            "to",
        }:
            return index
        if before.lower in patterns.DAYS or before.lower.isdigit():
            return index
    index = last
    while index > first and words[index - 1].text[:1].isupper():
        index -= 1
    return index if index > first else last + 1


def find_named_source(words: Sequence[Word], after: int) -> Phrase | None:
    """The noun phrase after a sentence-opening "according to", up to the statement's comma."""
    phrase = find_inverted_subject(words, after)
    if phrase is None:
        return None
    for index in range(phrase.first, phrase.last):
        if words[index].text == "," and words[index].quotation < 0:
            opens = lower_at(words, index + 1) in ("a", "an", "who", "whose", "which", "the")
            closes = any(words[at].text == "," for at in range(index + 2, len(words)))
            if not (opens and closes):
                return Phrase(phrase.first, index - 1)
    return phrase


def find_inverted_subject(words: Sequence[Word], after: int) -> Phrase | None:
    """The noun phrase that follows a cue, as in ``"...", said Hugh Hill, a doctor``."""
    first = after + 1
    if first >= len(words) or words[first].quotation >= 0:
        return None
    if words[first].lower in patterns.SUBJECT_PRONOUNS and (
        words[first].lower != "one" or not lower_at(words, first + 1)[:1].isalpha()
    ):
        return Phrase(first, first)
    index = first
    while index < len(words) and not _ends_inverted(words, index, first):
        index += 1
    last = index - 1
    while last >= first and words[last].text in (",", ".", ":", ";", "—", "–", "-"):
        last -= 1
    return Phrase(first, last) if last >= first else None


def _ends_inverted(words: Sequence[Word], index: int, first: int) -> bool:
    word = words[index]
    if word.quotation >= 0:
        return not _is_title(words, index)
    if word.text in (":", ";", "—", "–"):
        return True
    if word.text == "." and index + 1 >= len(words):
        return True
    if index == first:
        return False
    if word.lower in patterns.DAYS and words[index - 1].lower not in ("of", "'s"):
        return True
    after = lower_at(words, index + 1)
    if word.text == ",":
        if after == "who":
            return lower_at(words, index + 2) in patterns.VERBS
        verb = patterns.VERBS.get(after)
        gerund = verb is not None and verb.form == "gerund"
        finite = after in patterns.AUXILIARIES or after in patterns.COMMON_VERBS
        return gerund or finite or after in patterns.PHRASE_BREAKS | patterns.ADJUNCT_OPENERS
    if word.lower in patterns.ADJUNCT_OPENERS:
        return _opens_adjunct(words, index)
    return False


def _is_title(words: Sequence[Word], index: int) -> bool:
    """Whether the quotation at ``index`` is a short name inside a noun phrase."""
    number = words[index].quotation
    first = index
    while first > 0 and words[first - 1].quotation == number:
        first -= 1
    length = sum(1 for word in words[first : first + 12] if word.quotation == number)
    return first > 0 and length <= _LONGEST_TITLE and words[first - 1].text not in (",", ":", ".")


def _opens_adjunct(words: Sequence[Word], index: int) -> bool:
    if words[index].lower in ("as", "when", "before", "while", "after", "during"):
        return True
    following = [word.lower for word in words[index + 1 : index + 7]]
    return any(word in patterns.SPEECH_PLACES or word in patterns.DAYS for word in following)


def find_lead(words: Sequence[Word]) -> Phrase | None:
    """The noun phrase that opens a sentence and is followed by a verb, its likely subject."""
    if not words or words[0].quotation >= 0:
        return None
    if words[0].lower in ("he", "she", "they"):
        return Phrase(0, 0)
    for index in range(1, min(len(words), _LONGEST_LEAD)):
        word = words[index]
        if word.quotation >= 0 or word.lower in patterns.PREPOSITIONS:
            return None
        if word.text == ",":
            last = _apposition_end(words, index)
            return Phrase(0, last) if last > index or index > 1 else None
        if _looks_finite(words, index):
            return Phrase(0, index - 1)
    return None


def _apposition_end(words: Sequence[Word], comma: int) -> int:
    """Last word of the apposition that ``comma`` opens, or the word before it if none closes."""
    for index in range(comma + 2, min(comma + _LONGEST_LEAD, len(words) - 1)):
        if words[index].text == ",":
            return index - 1
        if _looks_finite(words, index):
            break
    return comma - 1


def _looks_finite(words: Sequence[Word], index: int) -> bool:
    word = words[index]
    if not word.text.islower():
        return False
    ending = word.lower.endswith("ed") or (
        word.lower.endswith("s") and words[index - 1].text[:1].isupper()
    )
    return verbish(words, index) or word.lower in patterns.AUXILIARIES or ending


def is_finite(words: Sequence[Word], index: int) -> bool:
    """Whether the word at ``index`` is an auxiliary or looks like a finite verb."""
    return words[index].lower in patterns.AUXILIARIES or verbish(words, index)
