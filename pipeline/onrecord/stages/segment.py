"""Segmentation: article text to paragraphs, headings, list items and sentences.

Layout comes first (``onrecord.stages.layout``): a line without a full stop is a heading and is
never glued to what follows. Inside a paragraph, every mark that may end a sentence is judged by
the word before it, the marks that close with it and the word after it. The article is read on
characters, before any tokenizer, in time linear in its length.

The treatment of abbreviations follows the classes of Kiss and Strunk (2006), "Unsupervised
Multilingual Sentence Boundary Detection": an abbreviation ends a sentence only before a word that
begins one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from spacy.tokens import Doc

from onrecord.records import Sentence
from onrecord.stages import abbreviations as abbr
from onrecord.stages.layout import BULLET_GLYPHS, TRIM, Paragraph, find_paragraphs

_CLOSERS = "\"”’'»)\\]*_"
_OPENERS = "\"“„‘'«([*_¿¡"
# A mark that may end a sentence, with what closes along with it and a footnote sign.
_MARK = re.compile(
    rf"(?:\.(?:[^\S\n]\.)+|[.!?…。！？]+)(?P<close>[{_CLOSERS}]*(?:[\u00a0\u2009\u202f][”’])?)"
    r"(?P<note>(?:\[\d{1,3}\])*)"
)
_INLINE_BULLET = re.compile(rf"\s[{BULLET_GLYPHS}]\s*(?=\S)")
_WORD_BEFORE = re.compile(r"[^\s\"“”„‘«»(\[—–/]+$")
_NEXT = re.compile(rf"(?P<dash>[-–—]+\s*)?(?P<open>[{re.escape(_OPENERS)}]*)(?P<word>[\w.’'&-]*)")
_GLUED = re.compile(r"[A-Z“][a-z’]*(?:\s|[a-z],)")
_BRACKETED = re.compile(r"\([^()]{0,400}\)|\[[^\[\]]{0,400}\]")
_NAME_THEN_CUE = re.compile(
    rf"(?:(?:{abbr.NAME_WORD})[\s,]+){{1,6}}?(?P<cue>{abbr.CUES})\b(?P<rest>[\s,.:;]+\w+|)"
)
_LONGEST_WORD = 40


def segment(text: str) -> list[Sentence]:
    """Sentences, headings and list items of an article.

    Args:
        text: the article as decoded.

    Returns:
        Spans in order, disjoint and trimmed of white space, that together hold every visible
        character except bullets, item numbers and rules. ``paragraph_id`` counts layout blocks.
    """
    sentences: list[Sentence] = []
    for number, paragraph in enumerate(find_paragraphs(text)):
        for start, end in _split(text, paragraph):
            sentences.append(Sentence(start, end, number, paragraph.kind))
    return sentences


def _split(text: str, paragraph: Paragraph) -> Iterator[tuple[int, int]]:
    if paragraph.kind in ("headline", "heading") and text[paragraph.end - 1] not in ".!?\"”’'":
        yield paragraph.start, paragraph.end
        return
    start = paragraph.start
    for cut, resume in _boundaries(text, paragraph.start, paragraph.end):
        if resume <= start:
            continue
        piece = _trim(text, start, cut)
        if piece:
            yield piece
        start = resume
    piece = _trim(text, start, paragraph.end)
    if piece:
        yield piece


def _trim(text: str, start: int, end: int) -> tuple[int, int] | None:
    piece = text[start:end]
    left = len(piece) - len(piece.lstrip(TRIM))
    return (start + left, start + len(piece.rstrip(TRIM))) if left < len(piece) else None


def _boundaries(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Pairs (end of a sentence, where the next may begin) inside one paragraph."""
    bracketed = _running_brackets(text, start, end)
    cuts = [(m.start(), m.end()) for m in _INLINE_BULLET.finditer(text, start, end)]
    bullet, bracket = 0, 0
    sentence = start
    for mark in _MARK.finditer(text, start, end):
        while bullet < len(cuts) and cuts[bullet][0] < mark.start():
            yield cuts[bullet]
            sentence = cuts[bullet][1]
            bullet += 1
        while bracket < len(bracketed) and bracketed[bracket][1] <= mark.start():
            bracket += 1
        if bracket < len(bracketed) and bracketed[bracket][0] < mark.start():
            continue
        if _ends_sentence(text, sentence, mark, end):
            yield mark.end(), mark.end()
            sentence = mark.end()
    yield from cuts[bullet:]


def _running_brackets(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Bracketed stretches that the sentence runs on after: no sentence ends inside them."""
    found = []
    for match in _BRACKETED.finditer(text, start, end):
        after = text[match.end() : min(end, match.end() + 3)].lstrip()
        if after and (after[0].islower() or after[0] in ",;:."):
            found.append((match.start(), match.end() - 1))
    return found


def _ends_sentence(text: str, sentence: int, mark: re.Match[str], end: int) -> bool:
    at = mark.end()
    if at >= end:
        return False
    if not text[at].isspace():
        return _is_glued(text, mark, end)
    following = _NEXT.match(text, _skip_space(text, at, end), end)
    if following is None:
        return False
    if not any(char.isalnum() for char in text[sentence : mark.start()][-_LONGEST_WORD:]):
        return False
    word = following["word"]
    if not word:
        return bool(following["open"]) or not following["dash"]
    return _judge(text, sentence, mark, following)


def _skip_space(text: str, at: int, end: int) -> int:
    while at < end and text[at].isspace():
        at += 1
    return at


def _is_glued(text: str, mark: re.Match[str], end: int) -> bool:
    """``...his party.The minister``: a space was lost between two sentences."""
    if mark["note"]:
        return False
    before = text[max(0, mark.start() - 3) : mark.start()]
    if mark["close"]:
        glued = re.match(r"[A-Z][a-z]", text[mark.end() : mark.end() + 2])
        return bool(glued) and mark["close"][-1] in '”"' and text[mark.end() - 1] != "("
    if len(before) < 3 or not before.isalpha() or not before[1:].islower():
        return False
    if not _GLUED.match(text, mark.end(), end):
        return False
    word = _word_before(text, mark.start())
    return "@" not in word and "/" not in word and "www" not in word and "." not in word


def _judge(text: str, sentence: int, mark: re.Match[str], following: re.Match[str]) -> bool:
    token = text[mark.start() : mark.start("close")]
    word = following["word"]
    first = word[0]
    small = first.islower() and not abbr.SMALL_NAME.match(word)
    if token == ".":
        return _judge_stop(text, sentence, mark, following, small)
    if small and not following["open"]:
        return False
    if first.islower() and following["open"] and "." in token:
        return False
    if mark["close"] and _is_cue_clause(text, following.start("word")):
        return False
    return not (token == "!" and _word_before(text, mark.start()) in abbr.EXCLAIMED_NAMES)


def _is_cue_clause(text: str, at: int) -> bool:
    """``"Why?" Ms Okafor asked.``: the name and verb belong to the question."""
    match = _NAME_THEN_CUE.match(text, at, at + 120)
    if match is None:
        return False
    rest = match["rest"].strip(" ,.:;\n\t").lower()
    return match["cue"] in abbr.ASKING or rest not in abbr.REPORTED_STARTS


def _judge_stop(
    text: str, sentence: int, mark: re.Match[str], following: re.Match[str], small: bool
) -> bool:
    """A single full stop: the end of a sentence unless it belongs to an abbreviation."""
    word, opened = following["word"], following["open"]
    before = _word_before(text, mark.start())
    if mark["close"] or mark["note"]:
        return not small or bool(opened and opened[-1] in '"“‘')
    kind = abbr.classify(before, text[max(sentence, mark.start() - 60) : mark.start()])
    if kind is None:
        return not small or bool(opened and opened[-1] in '"“')
    if small or kind == "never":
        return False
    if kind == "digit":
        return not word[0].isdigit()
    if kind == "title":
        return word in abbr.STARTERS and before in abbr.SAINTS
    if word[0].isdigit() or following["dash"] or (opened and opened[0] in "(["):
        return False
    if kind == "final":
        return True
    if kind == "clock":
        return word not in abbr.AFTER_CLOCK and not _opens_with_time(text, sentence, mark.start())
    return word in abbr.STARTERS


def _opens_with_time(text: str, sentence: int, at: int) -> bool:
    opening = text[sentence:at]
    return len(opening) < 30 and opening.split(None, 1)[0] in abbr.BEFORE_TIME


def _word_before(text: str, at: int) -> str:
    match = _WORD_BEFORE.search(text[max(0, at - _LONGEST_WORD) : at])
    return match.group() if match else ""


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
