"""Who can speak in an article: its named entities with what the article says about each.

For every named entity the roster keeps where it is mentioned, which gender its titles and the
words around it show, which roles it is given ("Sen.", "the Florida senator", ", a doctor,"), and
which places go with those roles. Resolving "the Venezuelan leader" or "she" rests on nothing else:
no list of first names, no knowledge from outside the article.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from heapq import nlargest
from itertools import islice
from typing import NamedTuple

from onrecord.quotation import Quotation, find_quotations
from onrecord.records import Entity, Mention, Sentence, Span
from onrecord.stages import patterns
from onrecord.stages.body_phrases import find_body_phrases, fullest_form

_TOKEN = re.compile(r"(?:[A-Za-z]\.){2,}|[A-Za-z]+\.(?=\s*$|\s+[A-Z])|\w+(?:[-’']\w+)*|[^\w\s]")
ANY_WORD = re.compile(r"[^\W_]+(?:[-’'.&][^\W_]+)*")
_PARTY = re.compile(r"\(?\s*(?P<party>[RD])-[A-Z][\w.]*")
_STOP = re.compile(r"[,;:.()—–\"“”\n]")
_LONGEST_APPOSITION = 140
PERSON_LABELS = frozenset({"PERSON"})
BODY_LABELS = frozenset({"ORG", "FAC", "PRODUCT", "WORK_OF_ART", "LAW", "EVENT"})
PLACE_LABELS = frozenset({"GPE", "LOC"})


class Seen(NamedTuple):
    """One mention: its span, its sentence, and how prominent it stands there."""

    start: int
    end: int
    sentence: int
    subject: bool
    quoted: bool


@dataclass(slots=True)
class Candidate:
    """A named entity and the evidence about it.

    ``unlisted`` marks a name that is read from the text and is no entity of the article's.
    """

    entity: Entity
    kind: str
    seen: list[Seen] = field(default_factory=list)
    masculine: float = 0.0
    feminine: float = 0.0
    roles: Counter[str] = field(default_factory=Counter)
    places: set[str] = field(default_factory=set)
    unlisted: bool = False

    @property
    def gender(self) -> str | None:
        """The pronoun "he" or "she", or None where the article shows neither or both alike."""
        if self.masculine > self.feminine:
            return "he"
        return "she" if self.feminine > self.masculine else None

    def last_before(self, start: int) -> int:
        """Start of the last mention that ends before ``start``, or -1."""
        count = bisect_right(self.seen, start, key=lambda seen: seen.end)
        return self.seen[count - 1].start if count else -1

    def last_seen(self, start: int) -> Seen | None:
        """The last mention that ends before ``start``."""
        count = bisect_right(self.seen, start, key=lambda seen: seen.end)
        return self.seen[count - 1] if count else None

    @property
    def surname(self) -> str:
        """Last word of the name, without "Jr." and the like, lower case."""
        words = [w for w in self.entity.name.split() if w.lower().strip(".,") not in _SUFFIXES]
        return words[-1].lower() if words else ""


_WEIGHED_AT_MOST = 25
_SUFFIXES = frozenset({"jr", "sr", "ii", "iii", "iv"})


class Roster:
    """The candidates of one article, in order of first mention."""

    def __init__(
        self, text: str, sentences: Sequence[Sentence], mentions: Sequence[Mention]
    ) -> None:
        self.text = text
        self.sentences = sentences
        self.mentions = [m for m in mentions if m.entity is not None]
        self._starts = [s.start for s in sentences]
        self._mention_starts = [m.start for m in self.mentions]
        self.quotations = find_quotations(text)
        self._quotation_starts = [q.start for q in self.quotations]
        self.candidates: dict[str, Candidate] = {}
        for mention in self.mentions:
            self._add(mention)
        self.phrases: list[tuple[Span, Candidate]] = []
        self._add_phrases()

    def sentence_at(self, offset: int) -> int:
        """Index of the sentence that holds ``offset`` or ends last before it."""
        return max(bisect_right(self._starts, offset) - 1, 0)

    def quotation_at(self, offset: int) -> Quotation | None:
        """The quotation that holds ``offset``."""
        index = bisect_right(self._quotation_starts, offset) - 1
        if index < 0 or self.quotations[index].end <= offset:
            return None
        return self.quotations[index]

    def mentions_in(self, span: Span) -> list[Mention]:
        """Mentions that overlap ``span``, in order."""
        first = max(bisect_right(self._mention_starts, span.start) - 2, 0)
        found = []
        for mention in self.mentions[first:]:
            if mention.start >= span.end:
                break
            if mention.end > span.start:
                found.append(mention)
        return found

    def mentions_after(self, offset: int) -> Iterator[Mention]:
        """Mentions that begin at ``offset`` or later, in order."""
        return islice(self.mentions, bisect_left(self._mention_starts, offset), None)

    def paragraph_start(self, sentence: int) -> int:
        """First code point of the paragraph that holds a sentence."""
        sentences = self.sentences
        if not sentences:
            return 0
        first = sentence
        while first and sentences[first - 1].paragraph_id == sentences[sentence].paragraph_id:
            first -= 1
        return sentences[first].start

    def candidate(self, mention: Mention) -> Candidate | None:
        """The candidate that a mention belongs to."""
        return None if mention.entity is None else self.candidates.get(mention.entity.entity_id)

    def phrase_in(self, span: Span) -> Candidate | None:
        """The body whose phrase fills ``span``, but for "the" and marks around it."""
        for place, candidate in self.phrases:
            before = self.text[span.start : place.start].lower().strip()
            rest = self.text[place.end : span.end].strip(" ,’'s")
            if span.start <= place.start and place.end <= span.end and not rest:
                return candidate if before in ("", "the") else None
        return None

    def add_unlisted(self, name: str, place: Span) -> Candidate:
        """A candidate for a name that no entity has, seen at ``place``."""
        key = f"text:{name.lower()}"
        known = self.candidates.get(key)
        if known is None:
            known = Candidate(Entity(key, name, "ORG"), "body", unlisted=True)
            self.candidates[key] = known
        index = self.sentence_at(place.start)
        seen = Seen(place.start, place.end, index, True, self.quotation_at(place.start) is not None)
        if seen not in known.seen:
            insort(known.seen, seen)
        return known

    def recent(self, pool: Sequence[Candidate], start: int) -> Sequence[Candidate]:
        """Those of ``pool`` mentioned last before ``start``, few enough to weigh each."""
        if len(pool) <= _WEIGHED_AT_MOST:
            return pool
        return nlargest(_WEIGHED_AT_MOST, pool, key=lambda candidate: candidate.last_before(start))

    def persons(self) -> list[Candidate]:
        """All people, in order of first mention."""
        return [c for c in self.candidates.values() if c.kind == "person"]

    # --- evidence -------------------------------------------------------------------------------

    def _add_phrases(self) -> None:
        named = {c.entity.name.lower() for c in self.candidates.values()}
        found = [p for p in find_body_phrases(self.text) if p.name.lower() not in named]
        forms: dict[str, list[str]] = {}
        for phrase in found:
            forms.setdefault(phrase.key, []).append(phrase.name)
        for phrase in found:
            candidate = self.add_unlisted(fullest_form(forms[phrase.key]), phrase.span)
            self.phrases.append((phrase.span, candidate))

    def _add(self, mention: Mention) -> None:
        entity = mention.entity
        if entity is None or (mention.label == "NORP" and entity.label == "NORP"):
            return
        known = self.candidates.get(entity.entity_id)
        if known is None:
            known = Candidate(entity, _kind(entity.label))
            self.candidates[entity.entity_id] = known
        index = self.sentence_at(mention.start)
        quoted = self.quotation_at(mention.start) is not None
        known.seen.append(
            Seen(mention.start, mention.end, index, self._is_subject(mention, index), quoted)
        )
        if known.kind == "person":
            self._collect_before(known, mention)
        self._collect_after(known, mention)

    def _is_subject(self, mention: Mention, index: int) -> bool:
        """Whether the mention looks like a subject: early in its clause, no preposition before."""
        before = self.text[self._starts[index] if self._starts else 0 : mention.start]
        words = re.findall(r"\w+", before.lower())
        after = self.text[mention.end : mention.end + 2]
        if after.startswith(("'s", "’s")):
            return False
        last = next((w for w in reversed(words[-3:]) if w not in ("the", "mr", "ms", "mrs")), "")
        return last not in patterns.PREPOSITIONS and last not in ("of", "to") and len(words) <= 12

    def _collect_before(self, known: Candidate, mention: Mention) -> None:
        start = max(self._starts[self.sentence_at(mention.start)] if self._starts else 0, 0)
        others = self.mentions_in(Span(start, mention.start))
        start = max([start, *(m.end for m in others if m.label == "PERSON")])
        before = self.text[max(start, mention.start - 80) : mention.start]
        words = _TOKEN.findall(before)
        taken = 0
        for position in range(len(words) - 1, -1, -1):
            word = words[position]
            lower = word.lower().rstrip(".")
            if taken >= 6 or not word[0].isalpha() or lower in _NOT_IN_TITLE or _is_verb(word):
                break
            _note(known, lower)
            taken += 1
        if taken:
            begin = max(start, mention.start - 80)
            self._note_places(known, Span(begin + _tail(before, words, taken), mention.start))

    def _collect_after(self, known: Candidate, mention: Mention) -> None:
        window = self.text[mention.end : mention.end + _LONGEST_APPOSITION]
        party = _PARTY.match(window.lstrip(" ,"))
        if party:
            _note(known, "republican" if party.group("party") == "R" else "democrat")
        apposition = re.match(
            r"(?:\s*\([^)]{1,30}\))?(?:,? \d\d,)?(?:,|\s+[—–-])\s+(?P<body>(?:who (?:is|was)\s+)?"
            r"(?:an?|the|his|her|its|their|former|head|[a-z]+|[A-Z][\w.’']+(?:\s[A-Z][\w.]+)*[’']s)\b[^,;.()—–\n]{2,100})"
            r"(?=[,;.()—–\n])",
            window,
        )
        copula = re.match(
            r"\s+(?:is|was|became|remains)\s+(?P<body>(?:an?|the)\s[^,;.()—–\n]{3,60})", window
        )
        for match in (apposition, copula):
            if match is None:
                continue
            body = match.group("body")
            words = [w.lower() for w in _TOKEN.findall(body)]
            if words and words[0] in _NOT_APPOSITION:
                continue
            for word in _phrase_words(words):
                _note(known, word)
            base = mention.end + match.start("body")
            self._note_places(known, Span(base, base + len(body)))
        head = re.match(
            r"(?:[’']s)?\s+(?:[a-z]+\s+)?(?P<head>poll|survey|report|study|analysis|memo)s?\b",
            window,
        )
        if head and known.kind != "person":
            known.roles[head.group("head")] += 1

    def _note_places(self, known: Candidate, span: Span) -> None:
        for mention in self.mentions_in(span):
            if mention.entity is not None and mention.entity.entity_id != known.entity.entity_id:
                known.places.add(mention.entity.entity_id)


_NOT_IN_TITLE = (
    patterns.PREPOSITIONS
    | patterns.DETERMINERS
    | patterns.CLAUSE_WORDS
    | patterns.SUBJECT_PRONOUNS
    | patterns.COMMON_VERBS
    | patterns.AUXILIARIES
    | patterns.DAYS
    | frozenset({"of", "to", "not", "said", "says", "told", "added", "asked"})
)
_NOT_APPOSITION = (
    patterns.PREPOSITIONS
    | patterns.CLAUSE_WORDS
    | patterns.SUBJECT_PRONOUNS
    | patterns.DAYS
    | frozenset(
        {"said", "says", "told", "including", "saying", "adding", "not", "then", "also", "calling"}
    )
)


def _is_verb(word: str) -> bool:
    """A lower-case verb form, which no title holds: "accused", "praised"."""
    return word.islower() and (
        word.endswith("ed") or (word in patterns.VERBS and word not in patterns.NOUN_LIKE)
    )


def _tail(before: str, words: list[str], taken: int) -> int:
    at = len(before)
    for word in reversed(words[-taken:]):
        at = before.rfind(word, 0, at)
    return max(at, 0)


def _kind(label: str) -> str:
    if label in PERSON_LABELS:
        return "person"
    return "place" if label in PLACE_LABELS else "body"


def _note(known: Candidate, word: str) -> None:
    role = patterns.ROLE_FORMS.get(word, word)
    if word in patterns.MASCULINE:
        known.masculine += 3
    elif word in patterns.FEMININE:
        known.feminine += 3
    if role not in patterns.DETERMINERS and len(role) > 1:
        known.roles[role] += 1


def _phrase_words(words: Sequence[str]) -> list[str]:
    """Words of a description up to its first preposition after the head, verbs excluded."""
    kept: list[str] = []
    for position, word in enumerate(words):
        if word in ("who", "that", "which", "whose") and position:
            break
        if word in patterns.PREPOSITIONS | {"of"}:
            break
        if word.isalpha() or "-" in word:
            kept.append(word)
    return kept


def description_words(text: str) -> list[str]:
    """Content words of a description, canonical: "the Florida senator" -> florida, senator."""
    words = _phrase_words([w.lower().rstrip(".") for w in _TOKEN.findall(text)])
    return [patterns.ROLE_FORMS.get(w, w) for w in words if w not in patterns.DETERMINERS]
