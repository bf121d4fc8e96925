"""Where a reported statement starts after its cue, and where its clause ends."""

from __future__ import annotations

from collections.abc import Sequence

from onrecord.stages import patterns
from onrecord.stages.clauses import Word, is_adverb, is_noun, lower_at, verbish

_LONGEST_ADJUNCT = 20
_LONGEST_NEW_SUBJECT = 8


def skip_adjunct(words: Sequence[Word], index: int) -> int:
    """Past "Tuesday", "in an interview", "on Twitter" between a cue and its statement."""
    start = index
    while index < len(words) and words[index].quotation < 0:
        word = words[index]
        if word.lower in patterns.DAYS or word.lower in patterns.TIMES:
            index += 1
        elif (
            word.lower in ("in", "on", "at", "during", "after", "of", "by", "via")
            or (word.lower == "to" and _is_hearer(words, index + 1))
        ) and index - start < _LONGEST_ADJUNCT:
            stop = _adjunct_end(words, index)
            if stop is None:
                break
            index = stop
        else:
            break
    return index


def _is_hearer(words: Sequence[Word], index: int) -> bool:
    """Whether "to" before ``index`` names who was told and is no infinitive: "to reporters"."""
    if index >= len(words):
        return False
    word = words[index]
    return word.text[:1].isupper() or word.lower in patterns.DETERMINERS | patterns.HEARERS


def _adjunct_end(words: Sequence[Word], index: int) -> int | None:
    """Index after a prepositional phrase, where "that", a mark or punctuation ends it soon."""
    for at in range(index + 1, min(index + 14, len(words))):
        word = words[at]
        if word.quotation >= 0 or word.lower == "that" or word.text in (",", ":", "."):
            return at
        if verbish(words, at) or word.lower in patterns.SUBJECT_PRONOUNS:
            return None
        if word.lower in patterns.SPEECH_PLACES or word.lower in patterns.DAYS:
            after = lower_at(words, at + 1)
            if after not in ("with", "of", "on", "to", "by", "at", "in", "'s", "'"):
                return at + 1
    return None


def find_statement_end(words: Sequence[Word], start: int, *, clause: bool) -> int:
    """Index after the last word of the statement that starts at ``start``.

    A clause runs to the end of its sentence or to the next voice; a noun phrase also ends where
    a new clause opens after a comma.
    """
    index = start
    while index < len(words):
        if index > start and words[index].quotation < 0 and _stops(words, index, clause):
            break
        index += 1
    while (
        index > start
        and words[index - 1].quotation < 0
        and not (
            words[index - 1].text[-1].isalnum()
            or words[index - 1].text in (")", "%", "'", "’")
            or len(words[index - 1].text) > 1
        )
    ):
        index -= 1
    return index


def _stops(words: Sequence[Word], index: int, clause: bool) -> bool:
    word, after = words[index], lower_at(words, index + 1)
    if word.text == ";":
        return True
    if word.text == "," or word.lower in ("and", "but"):
        at = index + 1
        if word.text == "," and after in ("and", "but"):
            at += 1
        while at < len(words) and (
            is_adverb(words[at].lower) or words[at].lower in patterns.ADVERBS_IN_GROUP
        ):
            at += 1
        if _new_voice(words, at, word.text == ","):
            return True
        if word.text == "," and after in ("and", "but", "while") and _speaks_soon(words, index + 2):
            return True
    if word.text != ",":
        return False
    if after == "even" and lower_at(words, index + 2) == "as":
        return True
    return after in (patterns.CLAUSE_BREAKS if clause else patterns.PHRASE_BREAKS)


def _speaks_soon(words: Sequence[Word], start: int) -> bool:
    """Whether a new subject with its own verb of saying follows: ", and Ruiz said"."""
    for at in range(start + 1, min(start + _LONGEST_NEW_SUBJECT, len(words))):
        if words[at].quotation >= 0 or words[at].text == ",":
            return False
        if verbish(words, at) or words[at].lower in patterns.AUXILIARIES:
            verb = patterns.VERBS.get(words[at].lower)
            return verb is not None and verb.lemma in patterns.SAY and _new_voice(words, at, False)
    return False


def _new_voice(words: Sequence[Word], at: int, comma: bool) -> bool:
    if at >= len(words) or words[at].quotation >= 0:
        return False
    if words[at].lower == "according":
        return True
    verb = patterns.VERBS.get(words[at].lower)
    if verb is None or is_noun(words, at):
        return False
    if (
        verb.lemma in patterns.ONLY_WITH_PARTICLE
        and lower_at(words, at + 1) not in patterns.PARTICLES[verb.lemma]
    ):
        return False
    return verb.form in ("past", "third") or (comma and verb.form == "gerund")


def skip_hearer(words: Sequence[Word], start: int) -> int:
    """Past "reporters", "the tribunal" after a verb of telling; ``start`` if more follows."""
    for index in range(start, min(start + 9, len(words))):
        if words[index].quotation >= 0 or words[index].text in (",", ".", ";", ":"):
            return index
        if verbish(words, index) or words[index].lower == "that":
            break
    return start


def find_that(words: Sequence[Word], start: int) -> int:
    """The "that" or quotation that follows an adjunct at ``start``; ``start`` if there is none."""
    for index in range(start + 1, min(start + 16, len(words))):
        if words[index].lower == "that" or words[index].quotation >= 0:
            return index
        if words[index].text in (",", ".", ";"):
            break
    return start
