"""Statements that a cue introduces: whose words they are and where they start and end.

The reader goes through the sentences of one article and turns each cue into a draft: the source
before or after the cue, and the quotation or clause on the side that the cue's frame asks for.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

from onrecord.quotation import Quotation
from onrecord.records import Sentence, Span
from onrecord.stages import patterns
from onrecord.stages.clause_ends import (
    find_statement_end,
    find_that,
    skip_adjunct,
    skip_hearer,
)
from onrecord.stages.clauses import (
    Cue,
    Phrase,
    Word,
    find_cues,
    find_inverted_subject,
    find_named_source,
    find_subject,
    is_finite,
    read_words,
    verbish,
)

_MIN_CLAUSE_WORDS = 2


@dataclass(slots=True)
class Draft:
    """A statement under construction."""

    content: list[Span]
    cue: Span | None
    source: Span | None
    rule: str
    sentence: int
    quotations: set[int] = field(default_factory=set)


class StatementReader:
    """Reads the cues of one article front to back and collects drafts."""

    def __init__(
        self, text: str, sentences: Sequence[Sentence], quotations: Sequence[Quotation]
    ) -> None:
        self.text = text
        self.sentences = sentences
        self.quotations = quotations
        self.words = [read_words(text, s.start, s.end, quotations) for s in sentences]
        self.starts = [quotation.start for quotation in quotations]
        self.drafts: list[Draft] = []
        self.owner: dict[int, Draft] = {}

    def add(self, draft: Draft) -> None:
        """Keep a statement, and its claim on the quotations it holds."""
        self.drafts.append(draft)
        for number in draft.quotations:
            self.owner[number] = draft

    def read_sentence(self, index: int) -> None:
        """Add the statements of one sentence's cues."""
        words = self.words[index]
        free, shared = 0, None
        for cue in find_cues(words):
            if cue.first < free:
                continue
            if cue.lemma == "accord":
                found = self._according(index, words, cue, free)
            else:
                found = self._verb(index, words, cue, free, shared)
            if found is None:
                continue
            draft, free, phrase = found
            shared = phrase or shared
            self.add(draft)

    def _according(
        self, index: int, words: Sequence[Word], cue: Cue, free: int
    ) -> tuple[Draft, int, Phrase | None] | None:
        opens = cue.first - free < _MIN_CLAUSE_WORDS
        find = find_named_source if opens else find_inverted_subject
        source = find(words, cue.last)
        if source is None:
            return None
        after = source.last + 1
        before = cue.first - 1
        while before >= free and words[before].text in (",", "—", "–"):
            before -= 1
        follows = after + 1 if after < len(words) and words[after].text == "," else after
        goes_on = follows < len(words) and is_finite(words, follows)
        if before - free >= (0 if goes_on else _MIN_CLAUSE_WORDS):
            spans, numbers = self._left(words, free, before)
            end = after
            if goes_on:
                stop = find_statement_end(words, follows, clause=True)
                rest, more, end = self._right(words, follows, stop)
                spans, numbers = spans + rest, numbers | more
        else:
            end = find_statement_end(words, follows, clause=True)
            if end <= follows:
                return None
            spans, numbers, end = self._right(words, follows, end)
        draft = Draft(
            spans,
            span_of(words, cue.first, cue.last),
            span_of(words, *source),
            "according",
            index,
            numbers,
        )
        return draft, end, None

    def _verb(
        self, index: int, words: Sequence[Word], cue: Cue, free: int, shared: Phrase | None
    ) -> tuple[Draft, int, Phrase | None] | None:
        speaks = cue.lemma in patterns.SAY or cue.lemma in patterns.TELL
        inverted = self._inverted(words, cue) if speaks else None
        subject = inverted or self._subject(words, cue, shared)
        first = (
            cue.first
            if inverted or subject is None or subject.first > cue.first
            else min(subject.first, cue.first)
        )
        if subject is shared or (subject is not None and subject.first < free):
            first = cue.first
        last = max(cue.last, inverted.last) if inverted else cue.last
        after = skip_adjunct(words, last + 1)
        if cue.lemma in patterns.TELL and first and words[first - 1].quotation >= 0:
            after = skip_hearer(words, after)
        left_end = self._left_end(words, first, after, free) if speaks else None
        source = None if subject is None else span_of(words, *subject)
        cue_span = span_of(words, cue.first, cue.last)
        if left_end is not None:
            spans, numbers = self._left(words, free, left_end)
            end = after
            more = self._resumed(words, after, left_end)
            if more is not None:
                more_spans, more_numbers, end = more
                spans, numbers = spans + more_spans, numbers | more_numbers
            rule = "quotation" if numbers else "clause"
            return Draft(spans, cue_span, source, rule, index, numbers), end, subject
        if inverted:
            return None
        return self._rightward(index, words, cue, after, source, subject)

    def _subject(self, words: Sequence[Word], cue: Cue, shared: Phrase | None) -> Phrase | None:
        before = words[cue.first - 1] if cue.first else None
        joined = (
            before is not None
            and before.quotation < 0
            and before.lower in ("and", "but", "or", "then", "while")
        )
        if (
            cue.form == "gerund"
            and before is not None
            and (before.text in (",", "—", "–") or joined or before.quotation >= 0)
        ):
            return shared or self._main_subject(words)
        if joined:
            return shared or self._main_subject(words)
        if cue.form == "gerund" and before is None:
            return None
        return find_subject(words, cue.first) or (
            shared if before is not None and before.text == "," else None
        )

    def _main_subject(self, words: Sequence[Word]) -> Phrase | None:
        """Subject of the sentence's first verb, for a participle that has none of its own."""
        for index, word in enumerate(words):
            if word.quotation < 0 and index and (verbish(words, index) or _past(words, index)):
                return find_subject(words, index)
        return None

    def _inverted(self, words: Sequence[Word], cue: Cue) -> Phrase | None:
        if cue.first == 0 or cue.form not in ("past", "third") or cue.first != cue.last:
            return None
        before = words[cue.first - 1]
        if before.quotation < 0 and before.text not in (",", "—", "–"):
            return None
        phrase = find_inverted_subject(words, cue.last)
        if phrase is None:
            return None
        head = words[phrase.first]
        named = (
            head.text[:1].isupper()
            or head.lower in patterns.DETERMINERS
            or head.lower in patterns.SUBJECT_PRONOUNS
        )
        if before.quotation < 0 and not _is_clause(words, cue.first):
            return None
        if before.quotation < 0:
            ends = phrase.last + 2 >= len(words) and not any(
                w.lower in patterns.AUXILIARIES for w in words[phrase.first : phrase.last + 1]
            )
            return (
                phrase
                if named
                and ends
                and head.lower not in patterns.SUBJECT_PRONOUNS
                and cue.lemma in ("say", "add", "write", "note", "explain", "argue")
                else None
            )
        plain = not (head.lower in ("that", "it", "this") or head.lower in patterns.POSSESSIVES)
        return (
            phrase
            if (named or head.text[:1].islower())
            and plain
            and head.lower not in patterns.PREPOSITIONS | patterns.CLAUSE_WORDS | patterns.DAYS
            else None
        )

    def _left_end(self, words: Sequence[Word], first: int, after: int, free: int) -> int | None:
        """Last word of the statement before ``first``, where the cue follows its statement."""
        before = first - 1
        if before < free:
            return None
        closes = (
            after >= len(words)
            or words[after].text in (",", ".", ";", ":", "?", "!")
            or words[after].quotation >= 0
        )
        word = words[before]
        if word.quotation >= 0:
            quotation = self.quotations[word.quotation]
            inner = self.text[quotation.start : quotation.end].rstrip("\"'”’»`")
            finished = inner.endswith((",", ".", "?", "!", "—", "…", "-"))
            return before if finished or closes else None
        if word.text in (",", "—", "–") and words[before - 1].quotation >= 0 and closes:
            return before - 1
        if word.text not in (",", "—", "–") or not closes or before - free < 2:
            return None
        return None if self._opens_speech(words, free, after) else before - 1

    def _opens_speech(self, words: Sequence[Word], free: int, after: int) -> bool:
        """Whether a whole quotation follows the cue, so that the words before it set the scene."""
        start = after + 1 if after < len(words) and words[after].text in (",", ":") else after
        if start >= len(words) or words[start].quotation < 0:
            return False
        quotation = self.quotations[words[start].quotation]
        inner = self.text[quotation.start : quotation.end].lstrip("\"'“‘«`")
        scene = words[free].lower in patterns.PREPOSITIONS | {"when", "asked", "while", "as", "if"}
        return scene or inner[:1].isupper()

    def _left(self, words: Sequence[Word], free: int, last: int) -> tuple[list[Span], set[int]]:
        """Statement that ends at word ``last``: a whole quotation, or the clause up to there."""
        numbers = {
            w.quotation
            for w in words[free : last + 1]
            if w.quotation >= 0 and w.quotation not in self.owner
        }
        end = words[last].end
        opening = words[free]
        if opening.quotation >= 0 and opening.quotation not in self.owner:
            return self._chain(opening.quotation, end), numbers | self._chain_numbers(
                opening.quotation
            )
        number = words[last].quotation
        start = free
        while start < last and (
            words[start].lower in ("and", "but", "so", "yet", "still", ",", "—", "–", ".")
            or words[start].quotation in self.owner
        ):
            start += 1
        if number >= 0 and self._is_aside(words, start, number):
            return self._chain(number, end), {number}
        return [Span(words[start].start, end)], numbers

    def _is_aside(self, words: Sequence[Word], start: int, number: int) -> bool:
        """Whether the words before a quotation introduce it and are no part of the statement."""
        lower = words[start].lower
        before = [
            w for w in words[start:] if w.quotation < 0 and w.end <= self.quotations[number].start
        ]
        if not before:
            return True
        return lower in ("asked", "when", "in", "on", "at") and before[-1].text in (",", ":")

    def _chain_numbers(self, number: int) -> set[int]:
        numbers = {number}
        while number > 0 and self.quotations[number - 1].continues and number - 1 not in self.owner:
            number -= 1
            numbers.add(number)
        return numbers

    def _chain(self, number: int, end: int) -> list[Span]:
        """Spans of a quotation and of the paragraphs of it that went before."""
        spans = [
            Span(self.quotations[n].start, self.quotations[n].end)
            for n in sorted(self._chain_numbers(number))
        ]
        spans[-1] = Span(spans[-1].start, end)
        return spans

    def _resumed(
        self, words: Sequence[Word], after: int, left_end: int
    ) -> tuple[list[Span], set[int], int] | None:
        """The rest of a statement that its cue interrupts: ``"...", he said, "..."``."""
        if after >= len(words):
            return None
        start = after + 1 if words[after].text in (",", ":", "—", "–", "...") else after
        if start >= len(words) or start == after:
            return None
        if words[start].quotation >= 0 and words[start].quotation not in self.owner:
            return self._right(words, start, find_statement_end(words, start, clause=True))
        if words[left_end].quotation >= 0:
            return None
        if (
            words[start].text[:1].isupper()
            or words[start].lower
            in ("and", "but", "as", "who", "which", "while", "when", "according")
            or _is_gerund(words[start])
        ):
            return None
        end = find_statement_end(words, start, clause=True)
        return self._right(words, start, end) if end > start else None

    def _rightward(
        self,
        index: int,
        words: Sequence[Word],
        cue: Cue,
        after: int,
        source: Span | None,
        subject: Phrase | None,
    ) -> tuple[Draft, int, Phrase | None] | None:
        start = self._statement_start(words, cue, after)
        cue_span = span_of(words, cue.first, cue.last)
        if start >= len(words) or words[start].text in (".", "?", "!"):
            return None
        if words[start].text == ":":
            return self._after_colon(index, words, cue, start, source, subject)
        if words[start].text == "," and start + 1 < len(words) and words[start + 1].quotation >= 0:
            start += 1
        if (
            words[start].quotation < 0
            and not words[start].text[0].isalnum()
            and words[start].text not in ("$", "(", "'")
        ):
            return None
        rule = self._rule(words, cue, start)
        if rule is None or (source is None and rule != "quotation" and cue.form != "gerund"):
            return None
        end = find_statement_end(words, start, clause=rule in ("quotation", "clause"))
        if end <= start:
            return None
        spans, numbers, end = self._right(words, start, end)
        return Draft(spans, cue_span, source, rule, index, numbers), end, subject

    def _after_colon(
        self,
        index: int,
        words: Sequence[Word],
        cue: Cue,
        colon: int,
        source: Span | None,
        subject: Phrase | None,
    ) -> tuple[Draft, int, Phrase | None] | None:
        if cue.lemma not in patterns.SAY | patterns.TELL:
            return None
        cue_span = span_of(words, cue.first, cue.last)
        if colon + 1 < len(words):
            end = find_statement_end(words, colon + 1, clause=True)
            spans, numbers, end = self._right(words, colon + 1, end)
        else:
            number = self.next_quotation(self.sentences[index].end)
            if number is None:
                return None
            spans, numbers = self.forward(number)
            end = len(words)
        rule = "quotation" if numbers else "clause"
        return Draft(spans, cue_span, source, rule, index, numbers), end, subject

    def next_quotation(self, offset: int) -> int | None:
        """The quotation that only space divides from ``offset``."""
        number = bisect_left(self.starts, offset)
        if number == len(self.starts) or self.text[offset : self.starts[number]].strip():
            return None
        return number

    def forward(self, number: int) -> tuple[list[Span], set[int]]:
        """A quotation and the paragraphs that go on with it."""
        numbers = {number}
        while self.quotations[number].continues:
            number += 1
            numbers.add(number)
        return [
            Span(self.quotations[n].start, self.quotations[n].end) for n in sorted(numbers)
        ], numbers

    def _statement_start(self, words: Sequence[Word], cue: Cue, after: int) -> int:
        if cue.lemma not in patterns.TELL and cue.lemma not in ("warn", "ask", "write", "assure"):
            if after < len(words) and words[after].lower in patterns.PREPOSITIONS:
                return find_that(words, after)
            return after
        limit = min(cue.last + 14, len(words))
        for index in range(cue.last + 1, limit):
            word = words[index]
            if word.quotation >= 0 or word.lower in (
                "that",
                ":",
                "whether",
                "if",
                "to",
                "why",
                "how",
                "what",
            ):
                return index
            if word.text in (".", ";"):
                break
            if word.text == ",":
                return (
                    index if index + 1 < len(words) and words[index + 1].quotation >= 0 else after
                )
        if cue.lemma not in patterns.TELL:
            return after
        for index in range(cue.last + 2, limit):
            lower = words[index].lower
            if (
                lower in patterns.SUBJECT_PRONOUNS
                or lower in patterns.DETERMINERS
                or lower == "there"
            ):
                return index
        return min(cue.last + 2, len(words))

    def _rule(self, words: Sequence[Word], cue: Cue, start: int) -> str | None:
        """Which rule reads the words at ``start`` as the cue's statement, or None."""
        lower, lemma = words[start].lower, cue.lemma
        particle = cue.last > cue.first and words[cue.last].lower in patterns.PARTICLES.get(
            lemma, ()
        )
        if words[start].quotation >= 0 and lemma in patterns.SAY | patterns.TELL:
            return "quotation"
        if particle:
            return "act"
        if lower == "to":
            return (
                "infinitive"
                if lemma in patterns.INFINITIVE or lemma in ("say", "urge", "ask", "tell")
                else None
            )
        if lemma in patterns.ONLY_WITH_THAT:
            return "clause" if lower == "that" else ("act" if lemma in patterns.ACT else None)
        if lemma in patterns.THINK or lemma in patterns.SAY or lemma in patterns.TELL:
            return "clause" if lower not in patterns.PREPOSITIONS else None
        if lemma in patterns.ACT:
            return "act" if lower not in patterns.PREPOSITIONS else None
        return None

    def _right(
        self, words: Sequence[Word], start: int, end: int
    ) -> tuple[list[Span], set[int], int]:
        """Span of words ``start`` to ``end``, stretched over the quotations it opens."""
        numbers = {
            w.quotation
            for w in words[start:end]
            if w.quotation >= 0 and w.quotation not in self.owner
        }
        stop = words[end - 1].end
        first = words[start].quotation
        if first >= 0 and first not in self.owner:
            quotation = self.quotations[first]
            inner = self.text[quotation.start : quotation.end].rstrip("\"'”’»`")
            if quotation.end >= stop or inner.endswith((",", ".", "?", "!")):
                spans, numbers = self.forward(first)
                while end > start and words[end - 1].start >= spans[0].end:
                    end -= 1
                return spans, numbers, end
        last = words[end - 1].quotation
        if last >= 0:
            stop = max(stop, self.quotations[last].end)
        return [Span(words[start].start, stop)], numbers, end


def _is_clause(words: Sequence[Word], end: int) -> bool:
    """Whether the words before ``end`` hold a verb outside relative clauses."""
    for index in range(1, end):
        if words[index].lower in ("who", "whose", "which"):
            return False
        if is_finite(words, index) or words[index].lower.endswith("ed"):
            return True
    return False


def _past(words: Sequence[Word], index: int) -> bool:
    """A word in -ed right after a pronoun or name: the verb of its clause."""
    before = words[index - 1]
    names = before.text[:1].isupper() or before.lower in patterns.SUBJECT_PRONOUNS
    return words[index].lower.endswith("ed") and words[index].text.islower() and names


def _is_gerund(word: Word) -> bool:
    verb = patterns.VERBS.get(word.lower)
    return verb is not None and verb.form == "gerund"


def span_of(words: Sequence[Word], first: int, last: int) -> Span:
    """Code points of words ``first`` to ``last``, without a closing comma."""
    while last > first and words[last].text in (",", "—", "–"):
        last -= 1
    return Span(words[first].start, words[last].end)
