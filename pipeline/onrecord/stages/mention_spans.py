"""Where names stand in an article: the recogniser's spans put right, and what it missed.

Everything is a token span ``[start, end)``. A recogniser trained on running text takes titles,
quotation marks, line breaks and verbs into names and leaves names out; which of the spans is a
name, and of what, is decided later, for the whole article (``onrecord.stages.name_types``).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from spacy.tokens import Doc

from onrecord.names import is_courtesy, is_generation, is_title
from onrecord.records import NAMED_LABELS, Sentence
from onrecord.stages.name_lists import (
    AFTER_HYPHEN,
    CONNECTORS,
    INNER,
    OPENING_WORDS,
    POSTNOMINALS,
)
from onrecord.stages.patterns import AUXILIARIES, COMMON_VERBS, PREPOSITIONS, SUBJECT_PRONOUNS

# Labels of names proper; the words of a law, an event or a work may be any words.
NAME_LABELS = frozenset({"PERSON", "ORG", "GPE", "LOC", "FAC", "NORP", "PRODUCT"})
POSSESSIVES = frozenset({"'s", "’s", "'", "’", "'S", "’S"})
_HAS_LETTER = re.compile(r"[^\W\d_]")
_HANDLE = re.compile(r"[@#]|https?:|www\.|\w\.(?:com|org|net)\b")
_BYLINE = re.compile(r"(?:(?:Interview|Words|Reporting|Written|Story) )?[Bb]y [A-Z][^.!?]{2,80}$")
HOLIDAYS = re.compile(
    r"(?:the )?(?:New Year['’]s (?:Eve|Day)|New Year|Christmas(?:es)?(?: (?:Eve|Day))?|Easter|"
    r"Boxing Day|Thanksgiving(?: Day)?|Ramadan|Good Friday|Labou?r Day|Independence Day|"
    r"Valentine['’]s Day|Lunar New Year|Diwali|Hanukkah|Passover|Halloween)"
)
_TITLE_CASE_SHARE = 0.7
_SHORTEST_CONTENT = 4
_LONGEST_RUN = 8
_FEWEST_SHOUTED = 3
# What no name has in it, unlike "of", "the", "for" and "and".
_NEVER_IN_NAMES = (AUXILIARIES | COMMON_VERBS | PREPOSITIONS | SUBJECT_PRONOUNS) - (
    CONNECTORS | {"one", "it", "who", "we", "may", "will", "points", "set"}
)


class Found(NamedTuple):
    """A token span with the recogniser's label, None where it saw nothing."""

    start: int
    end: int
    label: str | None


@dataclass(slots=True)
class Words:
    """The tokens of an article as plain lists, which are read far faster than spaCy's tokens.

    Attributes:
        text: the article.
        tokens: text of each token.
        starts: first code point of each token.
        sentence: number of the sentence that each token stands in, -1 for none.
        first: whether a token is the first word of its sentence (behind marks and brackets).
        title_case: whether a sentence, by number, is set in title case.
        small: words that stand in lower case anywhere in the article.
    """

    text: str
    tokens: list[str]
    starts: list[int]
    sentence: list[int]
    first: list[bool]
    title_case: list[bool]
    small: frozenset[str]

    def end(self, token: int) -> int:
        """One past the last code point of a token."""
        return self.starts[token] + len(self.tokens[token])

    def covered(self, start: int, end: int) -> str:
        """The text of tokens ``start`` to ``end``, white space as written."""
        return self.text[self.starts[start] : self.end(end - 1)]

    def in_title_case(self, token: int) -> bool:
        """Whether a token stands in a title-case heading."""
        number = self.sentence[token]
        return number >= 0 and self.title_case[number]

    def joined(self, token: int) -> bool:
        """Whether nothing stands between a token and the one before it."""
        return token > 0 and self.end(token - 1) == self.starts[token]


def read_words(doc: Doc) -> Words:
    """Lay out the tokens of ``doc`` by its sentences."""
    tokens = [token.text for token in doc]
    starts = [token.idx for token in doc]
    sentences: Sequence[Sentence] = doc._.sentences
    numbers = _sentence_numbers(tokens, starts, sentences)
    first = _first_words(tokens, numbers)
    title_case = _title_case(tokens, numbers, first, sentences)
    for number, sentence in enumerate(sentences):
        if title_case[number] and _BYLINE.match(doc.text, sentence.start, sentence.end):
            title_case[number] = False
    for number in _person_lines(doc, tokens, numbers):
        title_case[number] = False
    return Words(
        text=doc.text,
        tokens=tokens,
        starts=starts,
        sentence=numbers,
        first=first,
        title_case=title_case,
        small=frozenset(token for token in tokens if token[:1].islower()),
    )


def _person_lines(doc: Doc, tokens: Sequence[str], numbers: Sequence[int]) -> Iterator[int]:
    """Sentences that are nothing but people's names: a byline on a line of its own."""
    sizes = Counter(
        number for token, number in zip(tokens, numbers, strict=True) if _HAS_LETTER.search(token)
    )
    joins = Counter(
        number for token, number in zip(tokens, numbers, strict=True) if token in ("and", "&")
    )
    named: Counter[int] = Counter()
    for span in doc.ents:
        number = numbers[span.start]
        if number >= 0 and span.label_ == "PERSON":
            size = sum(
                1
                for index in range(span.start, span.end)
                if numbers[index] == number and _HAS_LETTER.search(tokens[index])
            )
            named[number] += size
    for number, size in named.items():
        if size > 1 and size + joins[number] == sizes[number]:
            yield number


def _sentence_numbers(
    tokens: Sequence[str], starts: Sequence[int], sentences: Sequence[Sentence]
) -> list[int]:
    numbers = []
    current, last = 0, len(sentences) - 1
    for token, start in zip(tokens, starts, strict=True):
        while current < last and start >= sentences[current + 1].start:
            current += 1
        inside = bool(sentences) and start < sentences[current].end
        reached = inside and start + len(token) > sentences[current].start
        numbers.append(current if reached else -1)
    return numbers


def _first_words(tokens: Sequence[str], numbers: Sequence[int]) -> list[bool]:
    """First words of sentences, and words right after an opening mark, colon or bullet."""
    first = []
    awaited, current = True, -1
    for token, number in zip(tokens, numbers, strict=True):
        if number != current:
            awaited, current = True, number
        is_word = bool(_HAS_LETTER.search(token)) or token[:1].isdigit()
        first.append(awaited and is_word)
        awaited = not is_word and (awaited or token in ('"', "“", "‘", ":", "•", "«", "„", "—"))
    return first


def _title_case(
    tokens: Sequence[str],
    numbers: Sequence[int],
    first: Sequence[bool],
    sentences: Sequence[Sentence],
) -> list[bool]:
    capital = [0] * len(sentences)
    content = [0] * len(sentences)
    for token, number, opens in zip(tokens, numbers, first, strict=True):
        long = len(token) >= _SHORTEST_CONTENT and token[0].isalpha()
        if number < 0 or not long or sentences[number].kind not in ("headline", "heading"):
            continue
        if opens and token.istitle():
            continue
        content[number] += 1
        capital[number] += token[0].isupper()
    return [
        total > 0 and upper >= _TITLE_CASE_SHARE * total
        for upper, total in zip(capital, content, strict=True)
    ]


def is_name_word(token: str) -> bool:
    """Whether a token is written like a word of a name."""
    return token[:1].isupper() or (len(token) > 2 and any(char.isupper() for char in token[1:]))


def is_shouted(words: Words, place: Found) -> bool:
    """Whether a place is running text in capitals, "CALLED OUT BY DOCTORS", and no name.

    Some word of it is one that no name has, or most are written small elsewhere in the article.
    """
    tokens = [t for t in words.tokens[place.start : place.end] if _HAS_LETTER.search(t)]
    if len(tokens) < _FEWEST_SHOUTED or not all(token.isupper() for token in tokens):
        return False
    lower = [token.lower() for token in tokens if token.lower() not in CONNECTORS]
    if any(word in _NEVER_IN_NAMES and len(word) > 1 for word in lower):
        return True
    return 2 * sum(word in words.small for word in lower) > len(lower)


def recognised(doc: Doc, words: Words) -> Iterator[Found]:
    """The recogniser's spans, trimmed, cut at line breaks and, for names, at words of no name."""
    for span in doc.ents:
        label = span.label_
        for start, end in _lines(words, span.start, span.end):
            if label not in NAMED_LABELS or _is_holiday(words, start, end):
                start, end = _trim(words, start, end)
                if start < end:
                    yield Found(start, end, label if label not in NAMED_LABELS else "DATE")
            elif label in NAME_LABELS:
                for part in _name_parts(words, start, end, label):
                    yield Found(*part, label)
            else:
                start, end = _trim(words, start, end)
                if start < end and any(is_name_word(t) for t in words.tokens[start:end]):
                    yield Found(start, end, label)


def _is_holiday(words: Words, start: int, end: int) -> bool:
    return HOLIDAYS.fullmatch(words.covered(start, end).strip(" .,")) is not None


def _lines(words: Words, start: int, end: int) -> Iterator[tuple[int, int]]:
    begin = start
    for index in range(start, end):
        if "\n" in words.tokens[index] or words.tokens[index] == "•":
            if begin < index:
                yield begin, index
            begin = index + 1
    if begin < end:
        yield begin, end


def _trim(words: Words, start: int, end: int) -> tuple[int, int]:
    """Leave out marks, space and possessive endings at both ends."""
    tokens = words.tokens
    while start < end and not _opens(tokens[start]):
        start += 1
    while start < end:
        last = tokens[end - 1]
        closing = last == ")" and "(" in tokens[start : end - 1]
        if last not in POSSESSIVES and (closing or _HAS_WORD.search(last) or last in "%£$€+"):
            break
        end -= 1
    return start, end


_HAS_WORD = re.compile(r"\w")
_CURRENCY = frozenset("$£€¥₹~#")


def _opens(token: str) -> bool:
    if token[:1] in _CURRENCY:
        return True
    return bool(_HAS_WORD.search(token)) and token not in POSSESSIVES


def _name_parts(words: Words, start: int, end: int, label: str) -> Iterator[tuple[int, int]]:
    """The names inside a span: stretches of name words and the small words that join them."""
    tokens = words.tokens
    if any(_HANDLE.search(token) for token in tokens[start:end]):
        return
    begin = start
    for index in range(start, end + 1):
        if index < end and not _separates(words, index, label):
            continue
        part = _trim_name(words, begin, index)
        if label == "PERSON":
            part = (strip_titles(words, *part), part[1])
        if part[0] < part[1]:
            yield _complete(words, *part, label)
        begin = index + 1


def _complete(words: Words, start: int, end: int, label: str) -> tuple[int, int]:
    """Add what the recogniser cut off: "-seok" of "Lee Jun-seok", initials, "Jr."."""
    tokens = words.tokens
    while (
        end + 1 < len(tokens)
        and tokens[end] == "-"
        and words.joined(end)
        and words.joined(end + 1)
        and label in ("PERSON", "ORG")
        and tokens[end + 1].islower()
        and tokens[end - 1].istitle()
        and tokens[end + 1] not in AFTER_HYPHEN
    ):
        end += 2
    comma = end + (tokens[end : end + 1] == [","])
    if label == "PERSON" and end - start > 1 and _is_son(words, comma):
        same = words.sentence[comma] == words.sentence[start]
        end = comma + 1 if same else end
    while label == "PERSON" and start > 0 and _is_initial(tokens[start - 1]):
        if words.sentence[start - 1] != words.sentence[start] or tokens[start - 1] in ("I", "A"):
            break
        start -= 1
    return start, end


def _is_initial(token: str) -> bool:
    return (len(token) == 1 and token.isupper()) or (
        len(token) == 2 and token[0].isupper() and token[1] == "."
    )


def _separates(words: Words, index: int, label: str) -> bool:
    word = words.tokens[index]
    if is_name_word(word) or not _HAS_LETTER.search(word):
        is_list = label in ("PERSON", "GPE", "NORP")
        return word in _BREAKS or (is_list and word == "," and not _is_son(words, index + 1))
    if label == "PERSON" and word in ("and", "&", "with", "to", "in", "on", "for"):
        return True
    # "al-Assad", "under-21s": the small word is joined to its neighbour and part of it.
    joined = words.joined(index) or (
        index + 1 < len(words.tokens) and words.joined(index + 1) and words.tokens[index + 1] == "-"
    )
    return word not in CONNECTORS and not word[:1].isdigit() and not joined


def _is_son(words: Words, index: int) -> bool:
    """Whether "Jr." stands here, which a comma does not part from its name: "Trump, Jr."."""
    return index < len(words.tokens) and is_generation(words.tokens[index])


_BREAKS = frozenset({"“", "”", '"', ";", ":", "—", "–", "/", "•", "|", "(", ")", "[", "]"})


def _trim_name(words: Words, start: int, end: int) -> tuple[int, int]:
    tokens = words.tokens
    start, end = _trim(words, start, end)
    while start < end and not (is_name_word(tokens[start]) or tokens[start][:1].isdigit()):
        start += 1
    while start < end and not (is_name_word(tokens[end - 1]) or tokens[end - 1][:1].isdigit()):
        end -= 1
    while end - start > 1 and words.first[start] and tokens[start] in OPENING_WORDS:
        start += 1
        while end - start > 1 and not is_name_word(tokens[start]):
            start += 1
    while end - start > 1 and is_courtesy(tokens[start]):
        start += 1
    if end - start == 1 and is_generation(tokens[start]):
        return end, end
    if end - start > 1 and tokens[end - 1] in POSTNOMINALS:
        end -= 1
        return _trim(words, start, end)
    return start, end


def strip_titles(words: Words, start: int, end: int) -> int:
    """Where the name of a person begins behind its titles: "President Donald Trump" is at 1."""
    while end - start > 1 and (
        is_title(words.tokens[start]) or (words.tokens[start] in (".", "-") and start > 0)
    ):
        start += 1
    return start


def capitalised_runs(words: Words, taken: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """Stretches of name words that the recogniser left out, outside title-case headings."""
    tokens = words.tokens
    index, total = 0, len(tokens)
    while index < total:
        if not _starts_run(words, taken, index):
            index += 1
            continue
        end = _run_end(words, taken, index)
        start, stop = _trim_name(words, index, end)
        while start < stop and is_title(tokens[start]):
            start += 1
        while start < stop and is_title(tokens[stop - 1]):
            stop -= 1
        start, stop = _trim_name(words, start, stop)
        if start < stop and stop - start <= _LONGEST_RUN:
            yield start, stop
        index = max(end, index + 1)


def _starts_run(words: Words, taken: Sequence[bool], index: int) -> bool:
    token = words.tokens[index]
    if taken[index] or not token[:1].isupper() or words.sentence[index] < 0:
        return False
    if words.in_title_case(index) or _HANDLE.search(token) or len(token) < 2:
        return False
    # "Boost" in a sentence's first place is no name if the article also writes "boost".
    return not (words.first[index] and (token.lower() in words.small or token in OPENING_WORDS))


def _run_end(words: Words, taken: Sequence[bool], index: int) -> int:
    tokens, number = words.tokens, words.sentence[index]
    end = index + 1
    while end < len(tokens) and words.sentence[end] == number and not taken[end]:
        if tokens[end][:1].isupper() and tokens[end] not in _BREAKS:
            end += 1
        elif (tokens[end] in INNER or (tokens[end] == "-" and words.joined(end))) and _continues(
            words, taken, end + 1, number
        ):
            end += 2
        else:
            break
    return end


def _continues(words: Words, taken: Sequence[bool], index: int, number: int) -> bool:
    return (
        index < len(words.tokens)
        and words.sentence[index] == number
        and not taken[index]
        and words.tokens[index][:1].isupper()
    )
