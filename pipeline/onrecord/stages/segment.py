"""Segmentation: article text to paragraphs, headings, list items and sentences.

Layout comes first (``onrecord.stages.layout``): a line without a full stop is a heading and is
never glued to what follows. Inside a paragraph, every mark that may end a sentence is judged by
the word before it, the marks that close with it and the word after it. The article is read on
characters, before any tokenizer, in time linear in its length.

Abbreviations are treated after Kiss and Strunk (2006), "Unsupervised Multilingual Sentence
Boundary Detection": one ends a sentence only before a word that begins sentences.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from spacy.tokens import Doc

from onrecord.records import Sentence
from onrecord.stages import abbreviations as abbr
from onrecord.stages.layout import Paragraph, find_paragraphs

# A mark that may end a sentence, with what closes along with it and a footnote sign.
_MARK = re.compile(
    r"(?P<sign>\.(?:[^\S\n]\.)+|[.!?…]+)"
    r"(?P<close>[\"”’'»)\]*_]*(?:[\u00a0\u2009\u202f][”’])?)"
    r"(?P<note>(?:\[\d{1,3}\])+|"
    r"(?:(?<=[a-z]{4}\.)|(?<=\w\)\.))\d{1,3}(?:[, ]\d{1,3})*(?=\s+[A-Z])|)"
)
_NEXT = re.compile(
    r"\s*(?P<dash>(?:[-–—―]{1,3}\s*)?)(?P<open>(?:«\s|[\"“„‘'`«(\[{*_<¿¡]){0,8})"
    r"(?P<word>\w[\w.’'&-]{0,40}|[^\s\w,;:/)\]}.?!…%|’”»\"'–—―-]|)"
)
_WORD_BEFORE = re.compile(r"[^\s\"“”„‘«»(\[—–/]+$")
_BRACKETED = re.compile(r"\([^()]{0,400}\)|\[[^\[\]]{0,400}\]")
# A capital that follows without a space: the space was lost, unless it is part of a web address.
_GLUED = re.compile(r"[“‘(]?(?!(?:Com|Org|Net|Co)\b)[A-Z][\w’']*(?:\s|[.,]|$)")
_ADDRESS = re.compile(r"(?:[@/.]|www)\S*$")
# All of a "sentence" that is only its number or letter: "1.", "Q.", "iv.".
_ENUMERATOR = re.compile(r"\W*(?:\d{1,3}|[A-Za-z]|[ivx]+)")
_SMALL_START = re.compile(r"[a-z]{2}[.?!]\s+[a-z]")
_CAPITAL_START = re.compile(r"[a-z]{2}[.?!]\s+[A-Z]")
_STRAIGHT = re.compile('"')
_SPACES = (" ", "\u00a0", "\u2009", "\u202f")
_MORE = re.compile(r"[.?!]\s")
_LOOK_AHEAD = 120
_LONGEST_WORD = 40
_FEWEST_SMALL_STARTS = 3


def segment(text: str) -> list[Sentence]:
    """Sentences, headings and list items of an article.

    Args:
        text: the article as decoded.

    Returns:
        Spans in order, disjoint and trimmed of white space, that together hold every visible
        character except bullets, item numbers and rules. ``paragraph_id`` counts layout blocks.
    """
    casual = _is_casual(text)
    return [
        Sentence(start, end, number, paragraph.kind)
        for number, paragraph in enumerate(find_paragraphs(text))
        for start, end in _split(text, paragraph, casual)
    ]


def _is_casual(text: str) -> bool:
    """Whether sentences often begin with a small letter here, as in posts and messages."""
    small = sum(1 for _ in _SMALL_START.finditer(text))
    if small < _FEWEST_SMALL_STARTS:
        return False
    return small > sum(1 for _ in _CAPITAL_START.finditer(text)) / 2


def _split(text: str, paragraph: Paragraph, casual: bool) -> Iterator[tuple[int, int]]:
    start, end = paragraph.start, paragraph.end
    if paragraph.kind in ("body", "list_item") or text[end - 1] in ".!?…\"”’')":
        for cut in _boundaries(text, start, end, casual):
            yield start, cut
            start = cut + _leading_space(text, cut, end)
    yield start, end


def _leading_space(text: str, start: int, end: int) -> int:
    at = start
    while at < end and text[at].isspace():
        at += 1
    return at - start


def _boundaries(text: str, start: int, end: int, casual: bool) -> Iterator[int]:
    """Ends of all sentences of a paragraph but the last."""
    marks = _DoubleMarks(text, start, end)
    bracketed = iter(_running_brackets(text, start, end))
    bracket = next(bracketed, None)
    for mark in _MARK.finditer(text, start, end):
        while bracket and bracket[1] <= mark.start():
            bracket = next(bracketed, None)
        if bracket and bracket[0] < mark.start():
            continue
        cut = marks.end_of_closing(mark.end())
        stop = _Stop.read(text, start, mark, cut, end)
        if stop is not None and stop.ends_sentence(casual):
            yield cut
            start = cut


def _running_brackets(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Bracketed stretches that the sentence runs on after: no sentence ends inside them."""
    found = []
    for match in _BRACKETED.finditer(text, start, end):
        after = text[match.end() : min(end, match.end() + 3)].lstrip()
        if after and (after[0].islower() or after[0] in ",;:."):
            found.append((match.start(), match.end() - 1))
    return found


class _DoubleMarks:
    """Double quotation marks of one paragraph, for the places where shape does not tell."""

    def __init__(self, text: str, start: int, end: int) -> None:
        self.text, self.start, self.end = text, start, end

    @cached_property
    def straight(self) -> list[int]:
        return [m.start() for m in _STRAIGHT.finditer(self.text, self.start, self.end)]

    def end_of_closing(self, at: int) -> int:
        """``at``, or past a closing mark that stands off by a space or is curled the wrong way."""
        text, end = self.text, self.end
        if at < end and text[at] == "“" and not text[at + 1 : min(at + 2, end)].strip():
            opened = max(self.start, at - 2000)
            return at + 1 if text.rfind("“", opened, at) > text.rfind("”", opened, at) else at
        spaced = text[at : min(at + 3, end)]
        stands_off = spaced[:1] in _SPACES and not spaced[2:].strip(" \t\r\n.,")
        if stands_off and (spaced[1:2] in ("”", "»") or self._closes_straight(at + 1)):
            return at + 2
        return at

    def _closes_straight(self, at: int) -> bool:
        if at >= self.end or self.text[at] != '"':
            return False
        return bisect_left(self.straight, at) % 2 == 1


@dataclass(frozen=True, slots=True)
class _Stop:
    """A mark that may end a sentence, and what decides it."""

    so_far: str  # the last characters of the sentence up to the mark
    sign: str
    close: str
    noted: bool
    gap: str  # white space after the mark
    dash: str
    opening: str
    word: str  # the next word
    after: str  # text from the next word on

    @classmethod
    def read(
        cls, text: str, sentence: int, mark: re.Match[str], cut: int, end: int
    ) -> _Stop | None:
        """The stop at ``mark``; None if nothing follows or nothing is said before it."""
        following = _NEXT.match(text, cut, end)
        so_far = text[max(sentence, mark.start() - 80) : mark.start()]
        if cut >= end or following is None or not any(char.isalnum() for char in so_far):
            return None
        return cls(
            so_far,
            mark["sign"],
            text[mark.end("sign") : cut].strip(),
            bool(mark["note"]),
            text[cut : cut + _leading_space(text, cut, min(end, cut + 3))],
            following["dash"],
            following["open"].rstrip(),
            following["word"],
            text[following.start("word") : min(end, following.start("word") + _LOOK_AHEAD)],
        )

    def ends_sentence(self, casual: bool) -> bool:
        if not self.word or (self.sign == "." and _ENUMERATOR.fullmatch(self.so_far)):
            opens = bool(self.opening) and bool(self.gap) and not self.dash
            return opens and any(char.isalnum() for char in self.after[:8])
        if not self.gap:
            return self._is_glued()
        if self._is_signed():
            return False
        if self.sign == "." and not self.close and not self.noted:
            return self._full_stop_ends(casual)
        if self._begins_small():
            speech = self.opening[-1:] in ("“", '"') and "." not in self.sign[1:]
            return speech or (casual and not self.close and self.sign[0] in "?!")
        if self.sign == ".":
            return True
        return self._exclamation_ends()

    def _is_signed(self) -> bool:
        """``"We will wait." — Lena Vogt, mediator``: the paragraph ends with a signature."""
        signed = self.dash and self.close and self.word[0].isupper()
        return bool(signed) and len(self.after) < _LOOK_AHEAD and not _MORE.search(self.after)

    def _begins_small(self) -> bool:
        return self.word[0].islower() and not abbr.SMALL_NAME.match(self.word)

    def _exclamation_ends(self) -> bool:
        """``!``, ``?`` or an ellipsis before a capital."""
        if self.close.startswith("]") and self.so_far.endswith("["):
            return abbr.begins_sentence(self.after)
        if self.sign[0] in ".…" and abbr.FIRST_PERSON.match(self.word) and not self.opening:
            return False
        if self.close and abbr.is_cue_clause(self.after):
            return False
        return self.sign != "!" or self._word_before() not in abbr.EXCLAIMED_NAMES

    def _word_before(self) -> str:
        match = _WORD_BEFORE.search(self.so_far[-_LONGEST_WORD:])
        return match.group() if match else ""

    def _is_glued(self) -> bool:
        """``...his party.The minister``: a space was lost between two sentences."""
        before = self._word_before()
        if self.noted or not _GLUED.match(self.opening[-1:] + self.after):
            return False
        if self.close:
            return self.close[-1] in '”")' and abbr.classify(before, self.so_far) is None
        if not before or _ADDRESS.search(self.so_far):
            return False
        return before[-1].isdigit() or (len(before) > 2 and before[-2:].islower())

    def _full_stop_ends(self, casual: bool) -> bool:
        """A full stop ends a sentence unless it belongs to an abbreviation."""
        kind = abbr.classify(self._word_before(), self.so_far)
        if self._begins_small():
            return kind is None and self._small_may_begin(casual)
        if kind is None:
            return True
        if kind == "never" or (kind == "digit" and self.word[0].isdigit()):
            return False
        if kind == "digit":
            return True
        if self.word[0].isdigit() or self.dash or self.opening[:1] in ("(", "["):
            return False
        if kind == "clock":
            return not abbr.goes_on_with_clock(self.after) and not self._opens_with_time()
        return kind == "final" or abbr.begins_sentence(self.after)

    def _small_may_begin(self, casual: bool) -> bool:
        if self.opening[-1:] in ("“", '"') or self.word.startswith(("http", "www.")):
            return True
        letters = self.so_far[-3:].isalpha() and self.so_far[-1:].islower()
        return letters and (casual or len(self.gap) > 1)

    def _opens_with_time(self) -> bool:
        """``At 9 p.m. Okoro arrived``: the sentence has only begun."""
        return len(self.so_far) < 30 and self.so_far.split(None, 1)[0] in abbr.BEFORE_TIME


class Segmenter:
    """spaCy component: sets ``doc._.sentences`` and ``Token.is_sent_start``.

    It reads only the text, so it may stand anywhere before the entity recogniser, which then
    does not let a name cross from a heading into the sentence after it.
    """

    def __call__(self, doc: Doc) -> Doc:
        """Segment one document in place."""
        self.set_annotations([doc], self.predict([doc]))
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """Segment a stream of documents; ``batch_size`` is taken for spaCy's sake."""
        del batch_size
        for doc in stream:
            yield self(doc)

    def predict(self, docs: Sequence[Doc]) -> list[tuple[Sentence, ...]]:
        """The sentences of each document; writes nothing."""
        return [tuple(segment(doc.text)) for doc in docs]

    def set_annotations(self, docs: Sequence[Doc], values: Sequence[tuple[Sentence, ...]]) -> None:
        """Write sentences to the documents, and a True or False sentence start to each token."""
        for doc, sentences in zip(docs, values, strict=True):
            doc._.sentences = sentences
            upcoming = iter(sentence.start for sentence in sentences)
            start = next(upcoming, None)
            for token in doc:
                begins = token.i == 0
                while start is not None and start < token.idx + len(token):
                    begins = True
                    start = next(upcoming, None)
                token.is_sent_start = begins
