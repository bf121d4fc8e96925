"""Statements without a cue: labels, signatures, and quotations that stand alone.

A quotation that no cue claims goes on with the statement before it, is signed as in a press
release, or takes its source from the sentence before; else it is a scare quote or a title and
states nothing.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from onrecord.quotation import Quotation
from onrecord.records import Span
from onrecord.stages import patterns
from onrecord.stages.clauses import Phrase, Word, find_cues, find_lead, verbish
from onrecord.stages.name_lists import CAPITALS
from onrecord.stages.statements import Draft, StatementReader, span_of

_MIN_STATEMENT_WORDS = 4
_LABEL = re.compile(
    r"(?P<from>(?:Statement\s+)?[Ff]rom\s+)?"
    rf"(?P<source>[{CAPITALS}][^\n:\"“”«».?!]{{0,90}}?[^\s:]):[^\S\n]+(?=\S)"
)
_LONGEST_LABEL = 14
_DASH_NAME = re.compile(
    r"\s*(?P<dash>[-–—]{1,2}|―)\s*"
    rf"(?P<source>[{CAPITALS}][^\n\"“”«»]{{2,120}}?)[ \t]*(?=\n|$)"
)


class ArticleReader(StatementReader):
    """Reads every statement of one article, with a cue or without."""

    def read(self) -> list[Draft]:
        """All drafts, in the order in which they were found."""
        done = 0
        for index, sentence in enumerate(self.sentences):
            if sentence.start >= done:
                self.read_sentence(index)
                if self.drafts and self.drafts[-1].rule == "label":
                    done = self.drafts[-1].content[-1].end
        for number in range(len(self.quotations)):
            if number not in self.owner:
                self._read_unclaimed(number)
        return self.drafts

    def read_sentence(self, index: int) -> None:
        """Add the statement that a label opens, or those of the sentence's cues."""
        label = self._label(index)
        if label is None:
            super().read_sentence(index)
        else:
            self.add(label)

    def _label(self, index: int) -> Draft | None:
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
            spans, numbers = self.forward(quoted)
        else:
            end = sentence.end if self._is_headline(index) else self._paragraph_end(index)
            content = self.text[match.end() : end].rstrip()
            content = content.rstrip(".") if self._is_headline(index) else content
            spans = [Span(match.end(), match.end() + len(content))]
            numbers = set(range(*(bisect_left(self.starts, at) for at in (match.end(), end))))
        if len(self.text[spans[0].start : spans[0].end].split()) < _MIN_STATEMENT_WORDS:
            return None
        cue = Span(source.end, source.end + 1)
        return Draft(spans, cue, source, "label", index, numbers)

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
        number = self.next_quotation(offset)
        return number if number is not None and self.quotations[number].start == offset else None

    def _paragraph_end(self, index: int) -> int:
        paragraph = self.sentences[index].paragraph_id
        after = bisect_right(self.sentences, paragraph, index, key=lambda s: s.paragraph_id)
        return self.sentences[after - 1].end

    def _read_unclaimed(self, number: int) -> None:
        quotation = self.quotations[number]
        index = self._sentence_at(quotation.start)
        if index is None or not self._states(quotation, index):
            return
        if self._continue(number, index):
            return
        draft = self._release(number, index) or self._from_before(number, index)
        if draft is not None:
            self.add(draft)

    def _goes_on(self, owner: Draft, before: Quotation, index: int, gap: str) -> bool:
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

    def _release(self, number: int, index: int) -> Draft | None:
        """``"..." - Name`` and ``Name: "..."`` of press releases."""
        quotation = self.quotations[number]
        signed = _DASH_NAME.match(self.text, quotation.end)
        if signed is None:
            return None
        spans, numbers = self.forward(number)
        cue, source = Span(*signed.span("dash")), Span(*signed.span("source"))
        return Draft(spans, cue, source, "release", index, numbers)

    def _from_before(self, number: int, index: int) -> Draft | None:
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
        spans, numbers = self.forward(number)
        return Draft(spans, None, span_of(words, *subject), "before", index, numbers)


def _personal(words: Sequence[Word], phrase: Phrase) -> bool:
    """Whether a phrase is a pronoun, a name or a word for a person."""
    inside = words[phrase.first : phrase.last + 1]
    if inside[0].lower in ("he", "she", "they"):
        return True
    known = patterns.PERSON_NOUNS | patterns.MASCULINE | patterns.FEMININE
    if any(patterns.ROLE_FORMS.get(w.lower, w.lower) in known for w in inside):
        return True
    return inside[-1].text[:1].isupper() and inside[0].lower not in patterns.DETERMINERS
