"""Deterministic attribution: who says what, by quotation marks and verbs of saying alone.

The baseline and fallback of the learned stage. It reads words and quotation marks, no parse: each
verb of saying outside quotation marks is a cue; its source is the noun phrase before it (or after
it, in ``"...", said X``); its statement is the quotation or clause on the side the verb's frame
asks for. Quotations that no cue claims continue the statement before them, or take their source
from the sentence before or from the form of a press release, or are scare quotes and titles, which
state nothing.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from spacy.tokens import Doc

from onrecord.quotation import Quotation, find_quotations
from onrecord.records import Attribution, AttributionKind, Sentence, Span
from onrecord.stages import patterns
from onrecord.stages.clauses import (
    Cue,
    Phrase,
    Word,
    find_cues,
    find_inverted_subject,
    find_lead,
    find_named_source,
    find_statement_end,
    find_subject,
    read_words,
    skip_adjunct,
    verbish,
)

MODEL_NAME = "rules"
# How often a statement found by each rule is right (content and source both overlap the gold by
# half or more), measured on the 840 training articles of PolNeAR.
RULE_PRECISION = {
    "quotation": 0.89,
    "release": 0.86,
    "according": 0.73,
    "clause": 0.68,
    "act": 0.53,
    "label": 0.53,
    "infinitive": 0.48,
    "before": 0.36,
}
_MIN_STATEMENT_WORDS = 4
_STRAY_MARKS = 2  # characters outside quotation marks that are no words, such as a full stop
_LABEL = re.compile(
    r"(?P<from>(?:Statement\s+)?[Ff]rom\s+)?(?P<source>[A-Z][^\n:\"“”«».?!]{0,90}?[^\s:]):[^\S\n]+(?=\S)"
)
_LONGEST_LABEL = 14
_MIN_CLAUSE_WORDS = 2
_DASH_NAME = re.compile(
    r"\s*(?P<dash>[-–—]{1,2}|―)\s*(?P<source>[A-Z][^\n\"“”«»]{2,120}?)[ \t]*(?=\n|$)"
)


@dataclass(slots=True)
class _Draft:
    """A statement under construction."""

    content: list[Span]
    cue: Span | None
    source: Span | None
    rule: str
    sentence: int
    quotations: set[int] = field(default_factory=set)


class RuleAttributor:
    """Component ``onrecord_attribution`` without weights; reads ``doc._.sentences``."""

    def __call__(self, doc: Doc) -> Doc:
        """Find the statements of one doc."""
        self.set_annotations([doc], self.predict([doc]))
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 8) -> Iterator[Doc]:
        """Find the statements of a stream of docs."""
        for doc in stream:
            yield self(doc)

    def predict(self, docs: Sequence[Doc]) -> list[list[Attribution]]:
        """The statements of each doc, in order of their first code point."""
        return [attribute(doc.text, doc._.sentences) for doc in docs]

    def set_annotations(self, docs: Sequence[Doc], found: Sequence[Sequence[Attribution]]) -> None:
        """Write the statements to ``doc._.attributions``."""
        for doc, attributions in zip(docs, found, strict=True):
            doc._.attributions = tuple(attributions)


def attribute(text: str, sentences: Sequence[Sentence]) -> list[Attribution]:
    """Every attributed statement of an article.

    Args:
        text: the article as decoded.
        sentences: its sentences in order; their paragraphs bound the quotations.

    Returns:
        Attributions sorted by start; no two share a code point of content.
    """
    quotations = find_quotations(text, _paragraphs(sentences))
    reader = _Reader(text, sentences, quotations)
    drafts = reader.read()
    starts = [quotation.start for quotation in quotations]
    built = [_build(text, draft, quotations, starts) for draft in drafts]
    return sorted((item for item in built if item is not None), key=lambda item: item.start)


def _paragraphs(sentences: Sequence[Sentence]) -> list[Span]:
    spans: dict[int, Span] = {}
    for sentence in sentences:
        known = spans.get(sentence.paragraph_id)
        start = sentence.start if known is None else known.start
        spans[sentence.paragraph_id] = Span(start, sentence.end)
    return list(spans.values())


def _build(
    text: str, draft: _Draft, quotations: Sequence[Quotation], starts: Sequence[int]
) -> Attribution | None:
    content = tuple(span for span in draft.content if text[span.start : span.end].strip())
    if not content:
        return None
    return Attribution(
        content=tuple(sorted(content)),
        cue=() if draft.cue is None else (draft.cue,),
        source=() if draft.source is None else (draft.source,),
        kind=_kind(content, quotations, starts),
        score=RULE_PRECISION[draft.rule],
        model=MODEL_NAME,
    )


def _kind(
    content: Sequence[Span], quotations: Sequence[Quotation], starts: Sequence[int]
) -> AttributionKind:
    """Direct where quotation marks hold all of the content's words, mixed where some."""
    quoted = plain = 0
    for span in content:
        covered = 0
        for quotation in quotations[max(bisect_right(starts, span.start) - 1, 0) :]:
            if quotation.start >= span.end:
                break
            covered += max(0, min(span.end, quotation.end) - max(span.start, quotation.start))
        outside = span.end - span.start - covered
        quoted += covered
        plain += outside if outside > _STRAY_MARKS else 0
    if not quoted:
        return "indirect"
    return "mixed" if plain else "direct"


class _Reader:
    """Reads one article front to back and collects drafts."""

    def __init__(
        self, text: str, sentences: Sequence[Sentence], quotations: Sequence[Quotation]
    ) -> None:
        self.text = text
        self.sentences = sentences
        self.quotations = quotations
        self.words = [read_words(text, s.start, s.end, quotations) for s in sentences]
        self.starts = [quotation.start for quotation in quotations]
        self.drafts: list[_Draft] = []
        self.owner: dict[int, _Draft] = {}

    def read(self) -> list[_Draft]:
        done = 0
        for index, sentence in enumerate(self.sentences):
            if sentence.start >= done:
                self._read_sentence(index)
                if self.drafts and self.drafts[-1].rule == "label":
                    done = self.drafts[-1].content[-1].end
        for number in range(len(self.quotations)):
            if number not in self.owner:
                self._read_unclaimed(number)
        return self.drafts

    def _add(self, draft: _Draft) -> None:
        self.drafts.append(draft)
        for number in draft.quotations:
            self.owner[number] = draft

    # --- statements with a cue ------------------------------------------------------------------

    def _read_sentence(self, index: int) -> None:
        words = self.words[index]
        label = self._label(index)
        if label is not None:
            self._add(label)
            return
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
            self._add(draft)

    def _label(self, index: int) -> _Draft | None:
        """A headline's "Name: statement", or a transcript's, which runs to its paragraph's end."""
        sentence = self.sentences[index]
        match = _LABEL.match(self.text, sentence.start, sentence.end)
        opens = index == 0 or self.sentences[index - 1].paragraph_id != sentence.paragraph_id
        if match is None or not opens:
            return None
        source = Span(*match.span("source"))
        quoted = self._quotation_from(match.end())
        if not self._is_label(index, source, match, quoted is not None):
            return None
        if quoted is not None:
            spans, numbers = self._forward(quoted)
        else:
            end = sentence.end if self._is_headline(index) else self._paragraph_end(index)
            content = self.text[match.end() : end].rstrip()
            content = content.rstrip(".") if self._is_headline(index) else content
            spans = [Span(match.end(), match.end() + len(content))]
            numbers = set(range(*(bisect_left(self.starts, at) for at in (match.end(), end))))
        if len(self.text[spans[0].start : spans[0].end].split()) < _MIN_STATEMENT_WORDS:
            return None
        cue = Span(source.end, source.end + 1)
        return _Draft(spans, cue, source, "label", index, numbers)

    def _is_headline(self, index: int) -> bool:
        return index == 0 or self.sentences[index].kind in ("headline", "heading")

    def _is_label(self, index: int, source: Span, match: re.Match[str], quoted: bool) -> bool:
        """Whether the words before a colon name a speaker and report nothing themselves."""
        words = self.text[source.start : source.end].split()
        names = [word for word in words if word[0].isupper() or not word[0].isalpha()]
        before = [w for w in self.words[index] if w.end <= source.end]
        if any(verbish(before, at) for at in range(1, len(before))) or find_cues(before):
            return False
        if any(word.lower in patterns.LABELS_OF_NOBODY for word in before):
            return False
        if match.group("from") or (quoted and len(words) <= _LONGEST_LABEL):
            return True
        if self._is_headline(index):
            return len(names) >= len(words) - 2 and len(words) <= _LONGEST_LABEL // 2
        return len(names) == len(words) <= 3 or all(word.isupper() for word in words)

    def _quotation_from(self, offset: int) -> int | None:
        """The quotation that starts at ``offset``."""
        number = self._next_quotation(offset)
        return number if number is not None and self.quotations[number].start == offset else None

    def _paragraph_end(self, index: int) -> int:
        paragraph = self.sentences[index].paragraph_id
        end = self.sentences[index].end
        for sentence in self.sentences[index:]:
            if sentence.paragraph_id != paragraph:
                break
            end = sentence.end
        return end

    def _according(
        self, index: int, words: Sequence[Word], cue: Cue, free: int
    ) -> tuple[_Draft, int, Phrase | None] | None:
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
        goes_on = follows < len(words) and _finite(words, follows)
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
        draft = _Draft(
            spans,
            _span(words, cue.first, cue.last),
            _span(words, *source),
            "according",
            index,
            numbers,
        )
        return draft, end, None

    def _verb(
        self, index: int, words: Sequence[Word], cue: Cue, free: int, shared: Phrase | None
    ) -> tuple[_Draft, int, Phrase | None] | None:
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
            after = _skip_hearer(words, after)
        left_end = self._left_end(words, first, after, free) if speaks else None
        source = None if subject is None else _span(words, *subject)
        cue_span = _span(words, cue.first, cue.last)
        if left_end is not None:
            spans, numbers = self._left(words, free, left_end)
            end = after
            more = self._resumed(words, after, left_end)
            if more is not None:
                more_spans, more_numbers, end = more
                spans, numbers = spans + more_spans, numbers | more_numbers
            rule = "quotation" if numbers else "clause"
            return _Draft(spans, cue_span, source, rule, index, numbers), end, subject
        if inverted:
            return None
        return self._rightward(index, words, cue, after, source, subject)

    def _subject(self, words: Sequence[Word], cue: Cue, shared: Phrase | None) -> Phrase | None:
        before = words[cue.first - 1] if cue.first else None
        joined = (
            before is not None
            and before.quotation < 0
            and before.lower in ("and", "but", "or", "then")
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
        lead = [w for w in words[start : last + 1] if w.quotation < 0]
        if number >= 0 and self._is_aside(words, start, number):
            return self._chain(number, end), {number}
        del lead
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
    ) -> tuple[_Draft, int, Phrase | None] | None:
        start = self._statement_start(words, cue, after)
        cue_span = _span(words, cue.first, cue.last)
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
        return _Draft(spans, cue_span, source, rule, index, numbers), end, subject

    def _after_colon(
        self,
        index: int,
        words: Sequence[Word],
        cue: Cue,
        colon: int,
        source: Span | None,
        subject: Phrase | None,
    ) -> tuple[_Draft, int, Phrase | None] | None:
        if cue.lemma not in patterns.SAY | patterns.TELL:
            return None
        cue_span = _span(words, cue.first, cue.last)
        if colon + 1 < len(words):
            end = find_statement_end(words, colon + 1, clause=True)
            spans, numbers, end = self._right(words, colon + 1, end)
        else:
            number = self._next_quotation(self.sentences[index].end)
            if number is None:
                return None
            spans, numbers = self._forward(number)
            end = len(words)
        rule = "quotation" if numbers else "clause"
        return _Draft(spans, cue_span, source, rule, index, numbers), end, subject

    def _next_quotation(self, offset: int) -> int | None:
        """The quotation that only space divides from ``offset``."""
        number = bisect_left(self.starts, offset)
        if number == len(self.starts) or self.text[offset : self.starts[number]].strip():
            return None
        return number

    def _forward(self, number: int) -> tuple[list[Span], set[int]]:
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
                return _that_ahead(words, after)
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
                spans, numbers = self._forward(first)
                while end > start and words[end - 1].start >= spans[0].end:
                    end -= 1
                return spans, numbers, end
        last = words[end - 1].quotation
        if last >= 0:
            stop = max(stop, self.quotations[last].end)
        return [Span(words[start].start, stop)], numbers, end

    # --- quotations that no cue claims ----------------------------------------------------------

    def _read_unclaimed(self, number: int) -> None:
        quotation = self.quotations[number]
        index = self._sentence_at(quotation.start)
        if index is None or not self._states(quotation, index):
            return
        if self._continue(number, index):
            return
        draft = self._release(number, index) or self._from_before(number, index)
        if draft is not None:
            self._add(draft)

    def _goes_on(self, owner: _Draft, before: Quotation, index: int, gap: str) -> bool:
        """Whether a bare quotation goes on with the statement before it.

        In the same paragraph if nothing but the cue's sentence is between; in the next one if
        the statement's paragraph ends with its cue and the quotation fills its own.
        """
        last = self._sentence_before(before.end)
        steps = self.sentences[index].paragraph_id - self.sentences[last].paragraph_id
        if steps == 0:
            return not gap.strip() or index - max(last, owner.sentence) <= 1
        fills = self._paragraph_end(index) <= self.sentences[index].end or not gap.strip()
        return steps == 1 and index - last == 1 and fills and before.end == owner.content[-1].end

    def _sentence_before(self, offset: int) -> int:
        found = self._sentence_at(offset - 1)
        return -1 if found is None else found

    def _sentence_at(self, offset: int) -> int | None:
        low, high = 0, len(self.sentences)
        while low < high:
            middle = (low + high) // 2
            if self.sentences[middle].end <= offset:
                low = middle + 1
            else:
                high = middle
        return low if low < len(self.sentences) and self.sentences[low].start <= offset else None

    def _states(self, quotation: Quotation, index: int) -> bool:
        """A quotation of whole sentences states something; a scare quote or title does not."""
        sentence = self.sentences[index]
        before = self.text[sentence.start : quotation.start].strip()
        inner = self.text[quotation.start : quotation.end].strip("\"'“”‘’«»` ")
        if before or sentence.kind in ("headline", "heading"):
            return False
        after = self.text[quotation.end : sentence.end].strip(" .")
        ends = (
            inner.endswith((".", "?", "!", "…", ","))
            or not quotation.closed
            or bool(after) is False
        )
        return (
            ends
            and len(inner.split()) >= _MIN_STATEMENT_WORDS
            and (not after or bool(_DASH_NAME.match(self.text, quotation.end)))
        )

    def _continue(self, number: int, index: int) -> bool:
        """Join a quotation to the statement right before it in its paragraph or chain."""
        last = number - 1
        while last >= 0 and last not in self.owner and number - last < 3:
            last -= 1
        if last not in self.owner:
            return False
        before, owner = self.quotations[last], self.owner[last]
        gap = self.text[before.end : self.quotations[number].start]
        if not (before.continues or self._goes_on(owner, before, index, gap)):
            return False
        owner.content.append(Span(self.quotations[number].start, self.quotations[number].end))
        owner.quotations.add(number)
        self.owner[number] = owner
        return True

    def _release(self, number: int, index: int) -> _Draft | None:
        """``"..." - Name`` and ``Name: "..."`` of press releases."""
        quotation = self.quotations[number]
        signed = _DASH_NAME.match(self.text, quotation.end)
        if signed is None:
            return None
        spans, numbers = self._forward(number)
        cue, source = Span(*signed.span("dash")), Span(*signed.span("source"))
        return _Draft(spans, cue, source, "release", index, numbers)

    def _from_before(self, number: int, index: int) -> _Draft | None:
        """A quotation whose source acts in the sentence before it, in the same paragraph."""
        if index == 0:
            return None
        before = self.sentences[index - 1]
        introduces = self.text[before.start : before.end].endswith(":")
        if before.paragraph_id != self.sentences[index].paragraph_id and not introduces:
            return None
        words = self.words[index - 1]
        subject = find_lead(words)
        if subject is None or not (introduces or _personal(words, subject)):
            return None
        spans, numbers = self._forward(number)
        return _Draft(spans, None, _span(words, *subject), "before", index, numbers)


def _is_clause(words: Sequence[Word], end: int) -> bool:
    """Whether the words before ``end`` hold a verb outside relative clauses."""
    for index in range(1, end):
        if words[index].lower in ("who", "whose", "which"):
            return False
        if _finite(words, index) or words[index].lower.endswith("ed"):
            return True
    return False


def _skip_hearer(words: Sequence[Word], start: int) -> int:
    """Past "reporters", "the tribunal" after a verb of telling; ``start`` if more follows."""
    for index in range(start, min(start + 9, len(words))):
        if words[index].quotation >= 0 or words[index].text in (",", ".", ";", ":"):
            return index
        if verbish(words, index) or words[index].lower == "that":
            break
    return start


def _finite(words: Sequence[Word], index: int) -> bool:
    return words[index].lower in patterns.AUXILIARIES or verbish(words, index)


def _past(words: Sequence[Word], index: int) -> bool:
    """A word in -ed right after a pronoun or name: the verb of its clause."""
    before = words[index - 1]
    names = before.text[:1].isupper() or before.lower in patterns.SUBJECT_PRONOUNS
    return words[index].lower.endswith("ed") and words[index].text.islower() and names


def _is_gerund(word: Word) -> bool:
    verb = patterns.VERBS.get(word.lower)
    return verb is not None and verb.form == "gerund"


def _that_ahead(words: Sequence[Word], start: int) -> int:
    """The "that" or quotation that follows an adjunct at ``start``; ``start`` if there is none."""
    for index in range(start + 1, min(start + 16, len(words))):
        if words[index].lower == "that" or words[index].quotation >= 0:
            return index
        if words[index].text in (",", ".", ";"):
            break
    return start


def _personal(words: Sequence[Word], phrase: Phrase) -> bool:
    """Whether a phrase is a pronoun, a name or a word for a person."""
    inside = words[phrase.first : phrase.last + 1]
    if inside[0].lower in ("he", "she", "they"):
        return True
    known = patterns.PERSON_NOUNS | patterns.MASCULINE | patterns.FEMININE
    if any(patterns.ROLE_FORMS.get(w.lower, w.lower) in known for w in inside):
        return True
    return inside[-1].text[:1].isupper() and inside[0].lower not in patterns.DETERMINERS


def _span(words: Sequence[Word], first: int, last: int) -> Span:
    """Code points of words ``first`` to ``last``, without a closing comma."""
    while last > first and words[last].text in (",", "—", "–"):
        last -= 1
    return Span(words[first].start, words[last].end)
