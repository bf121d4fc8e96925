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
from heapq import heappop, heappush, merge, nlargest
from itertools import islice
from operator import itemgetter
from typing import NamedTuple

from onrecord.quotation import Quotation, find_quotations, paragraph_spans
from onrecord.records import Entity, Mention, Sentence, Span
from onrecord.stages import patterns
from onrecord.stages.body_phrases import find_body_phrases, fullest_form

_TOKEN = re.compile(r"(?:[A-Za-z]\.){2,}|[A-Za-z]+\.(?=\s*$|\s+[A-Z])|\w+(?:[-’']\w+)*|[^\w\s]")
ANY_WORD = re.compile(r"[^\W_]+(?:[-’'.&][^\W_]+)*")
_PARTY = re.compile(r"\(?\s*(?P<party>[RD])-[A-Z][\w.]*")
_LONGEST_APPOSITION = 140
_LONGEST_TITLE = 80  # characters before a name
# Characters before a name in which its clause begins, if it is a subject: twelve words and more.
_CLAUSE_REACH = 400
PERSON_LABELS = frozenset({"PERSON"})
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
_A_FEW = 32  # mentions by which a question may lie before the one asked last
_SUFFIXES = frozenset({"jr", "sr", "ii", "iii", "iv"})


class _LastMentions:
    """Candidates by their last mention before a place, latest first.

    Statements are read in the order of the article: the candidates are kept in the order of their
    mentions up to the farthest place asked for, so that an answer costs no look at all of them.
    """

    def __init__(self) -> None:
        self._events: list[tuple[int, int, int]] = []
        self._done = 0
        self._order: dict[int, tuple[int, int]] = {}
        self._candidates: dict[int, Candidate] = {}

    def __len__(self) -> int:
        return len(self._events)

    def add(self, number: int, candidate: Candidate, seen: Seen) -> None:
        """Note one mention of the candidate of this number."""
        self._candidates[number] = candidate
        event = (seen.end, seen.start, number)
        at = bisect_right(self._events, event)
        self._events.insert(at, event)
        if at < self._done:
            self._done, self._order = 0, {}

    def before(self, offset: int) -> Iterator[tuple[int, int, Candidate]]:
        """Start of the last mention that ends before ``offset``, number, candidate.

        They come in falling order of starts, then of numbers; who is mentioned later only, never.
        """
        self._advance(offset)
        waiting: list[tuple[int, int]] = []
        for number, (end, start) in reversed(self._order.items()):
            if end > offset:
                # An earlier question was about a place behind this one.
                at = self._candidates[number].last_before(offset)
                if at >= 0:
                    heappush(waiting, (-at, -number))
                continue
            # Those that follow end before ``end``; a mention may lie inside another.
            while waiting and -waiting[0][0] >= end:
                yield self._pop(waiting)
            heappush(waiting, (-start, -number))
        while waiting:
            yield self._pop(waiting)

    def _pop(self, waiting: list[tuple[int, int]]) -> tuple[int, int, Candidate]:
        start, number = heappop(waiting)
        return -start, -number, self._candidates[-number]

    def _advance(self, offset: int) -> None:
        behind = self._done - bisect_right(self._events, offset, key=itemgetter(0))
        if behind > _A_FEW:
            # Somebody reads the article anew.
            self._done, self._order = 0, {}
        while self._done < len(self._events) and self._events[self._done][0] <= offset:
            end, start, number = self._events[self._done]
            self._order.pop(number, None)
            self._order[number] = (end, start)
            self._done += 1


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
        self.quotations = find_quotations(text, paragraph_spans(sentences) or None)
        self._quotation_starts = [q.start for q in self.quotations]
        self._paragraph_starts = _paragraph_starts(sentences)
        self.candidates: dict[str, Candidate] = {}
        self._people: list[Candidate] = []
        self._by_surname: dict[str, list[Candidate]] = {}
        self._by_word: dict[str, list[tuple[int, Candidate]]] = {}
        self._last_people, self._last_others = _LastMentions(), _LastMentions()
        self._people_starts: list[int] = []
        for mention in self.mentions:
            self._add(mention)
        self._numbers = {id(c): n for n, c in enumerate(self.candidates.values())}
        self._holders = Counter(role for c in self.candidates.values() for role in c.roles)
        for candidate in self.candidates.values():
            self._index(candidate)
            for seen in candidate.seen:
                self._note_seen(candidate, seen)
        self.phrases: list[tuple[Span, Candidate]] = []
        self._add_phrases()
        self._phrase_starts = [place.start for place, _ in self.phrases]

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
        end = bisect_left(self._mention_starts, span.end)
        return [mention for mention in self.mentions[first:end] if mention.end > span.start]

    def mentions_after(self, offset: int) -> Iterator[Mention]:
        """Mentions that begin at ``offset`` or later, in order."""
        first = bisect_left(self._mention_starts, offset)
        return (self.mentions[number] for number in range(first, len(self.mentions)))

    def paragraph_start(self, sentence: int) -> int:
        """First code point of the paragraph that holds a sentence."""
        return self._paragraph_starts[sentence] if self._paragraph_starts else 0

    def candidate(self, mention: Mention) -> Candidate | None:
        """The candidate that a mention belongs to."""
        return None if mention.entity is None else self.candidates.get(mention.entity.entity_id)

    def phrases_from(self, span: Span) -> list[tuple[Span, Candidate]]:
        """Phrases for bodies that begin inside ``span``, in order."""
        first = bisect_left(self._phrase_starts, span.start)
        return self.phrases[first : bisect_left(self._phrase_starts, span.end)]

    def phrase_in(self, span: Span) -> Candidate | None:
        """The body whose phrase fills ``span``, but for "the" and marks around it."""
        for place, candidate in self.phrases_from(span):
            if place.end <= span.end and not self.text[place.end : span.end].strip(" ,’'s"):
                before = self.text[span.start : place.start].lower().strip()
                return candidate if before in ("", "the") else None
        return None

    def add_unlisted(self, name: str, place: Span, label: str = "ORG") -> Candidate:
        """A candidate for a name that no entity has, seen at ``place``."""
        key = f"text:{name.lower()}"
        known = self.candidates.get(key)
        if known is None:
            known = Candidate(Entity(key, name, label), _kind(label), unlisted=True)
            mention = Mention(place.start, place.end, label, known.entity)
            self._collect_before(known, mention)
            self._collect_after(known, mention)
            self._holders.update(known.roles.keys())
            self._numbers[id(known)] = len(self.candidates)
            self.candidates[key] = known
            self._index(known)
        index = self.sentence_at(place.start)
        seen = Seen(place.start, place.end, index, True, self.quotation_at(place.start) is not None)
        at = bisect_left(known.seen, seen)
        if known.seen[at : at + 1] != [seen]:
            known.seen.insert(at, seen)
            self._note_seen(known, seen)
        return known

    def _index(self, candidate: Candidate) -> None:
        number = self._numbers[id(candidate)]
        for word in {*candidate.roles, *candidate.entity.name.lower().split()}:
            self._by_word.setdefault(word, []).append((number, candidate))
        if candidate.kind == "person":
            self._people.append(candidate)
            self._by_surname.setdefault(candidate.surname, []).append(candidate)

    def _note_seen(self, candidate: Candidate, seen: Seen) -> None:
        person = candidate.kind == "person"
        last = self._last_people if person else self._last_others
        last.add(self._numbers[id(candidate)], candidate, seen)
        if person:
            insort(self._people_starts, seen.start)

    def recent(self, pool: Sequence[Candidate], start: int) -> Sequence[Candidate]:
        """Those of ``pool`` mentioned last before ``start``, few enough to weigh each."""
        if len(pool) <= _WEIGHED_AT_MOST:
            return pool
        return nlargest(_WEIGHED_AT_MOST, pool, key=lambda candidate: candidate.last_before(start))

    def persons(self) -> Sequence[Candidate]:
        """All people, in order of first mention."""
        return self._people

    def recent_persons(self, start: int) -> Sequence[Candidate]:
        """The people mentioned last before ``start``, few enough to weigh each."""
        if len(self._people) <= _WEIGHED_AT_MOST:
            return self._people
        found = list(islice(self.last_people(start), _WEIGHED_AT_MOST))
        known = {id(person) for person in found}
        others = (person for person in self._people if id(person) not in known)
        return [*found, *islice(others, _WEIGHED_AT_MOST - len(found))]

    def last_people(self, start: int) -> Iterator[Candidate]:
        """People mentioned before ``start``, whoever was mentioned last first."""
        return (person for _, _, person in self._last_people.before(start))

    def last_others(self, start: int) -> Iterator[Candidate]:
        """Bodies and places mentioned before ``start``, whichever was mentioned last first."""
        return (other for _, _, other in self._last_others.before(start))

    def last_named(self, start: int) -> Iterator[Candidate]:
        """Everyone mentioned before ``start``, whoever was mentioned last first."""
        both = (self._last_people.before(start), self._last_others.before(start))
        return (found for _, _, found in merge(*both, key=lambda item: item[:2], reverse=True))

    def last_called(
        self, roles: frozenset[str], names: frozenset[str], start: int
    ) -> list[Candidate]:
        """Those with one of ``roles``, or one of ``names`` in their name, mentioned last first."""
        found = {
            number: candidate
            for word in roles | names
            for number, candidate in self._by_word.get(word, ())
            if roles & candidate.roles.keys()
            or not names.isdisjoint(candidate.entity.name.lower().split())
        }
        placed = [(c.last_before(start), number) for number, c in found.items()]
        return [found[number] for at, number in sorted(placed, reverse=True) if at >= 0]

    def with_surname(self, surname: str) -> Sequence[Candidate]:
        """The people of this surname, in lower case, in order of first mention."""
        return self._by_surname.get(surname, ())

    def n_holders(self, role: str) -> int:
        """How many have a role."""
        return self._holders[role]

    def n_seen(self) -> int:
        """Mentions of all candidates."""
        return len(self._last_people) + len(self._last_others)

    def names_people(self, span: Span) -> bool:
        """Whether a mention of a person begins inside ``span``."""
        starts = self._people_starts
        return bisect_left(starts, span.start) < bisect_left(starts, span.end)

    # --- evidence -------------------------------------------------------------------------------

    def _add_phrases(self) -> None:
        named = {c.entity.name.lower() for c in self.candidates.values()}
        found = [p for p in find_body_phrases(self.text) if p.name.lower() not in named]
        forms: dict[str, list[str]] = {}
        for phrase in found:
            forms.setdefault(phrase.key, []).append(phrase.name)
        names = {key: fullest_form(of_key) for key, of_key in forms.items()}
        for phrase in found:
            candidate = self.add_unlisted(names[phrase.key], phrase.span)
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
        self._collect_before(known, mention)
        self._collect_after(known, mention)

    def _is_subject(self, mention: Mention, index: int) -> bool:
        """Whether the mention looks like a subject: early in its clause, no preposition before."""
        start = self._starts[index] if self._starts else 0
        before = self.text[max(start, mention.start - _CLAUSE_REACH) : mention.start]
        words = re.findall(r"\w+", before.lower())
        after = self.text[mention.end : mention.end + 2]
        if after.startswith(("'s", "’s")):
            return False
        last = next((w for w in reversed(words[-3:]) if w not in ("the", "mr", "ms", "mrs")), "")
        return last not in patterns.PREPOSITIONS and last not in ("of", "to") and len(words) <= 12

    def _collect_before(self, known: Candidate, mention: Mention) -> None:
        start = self._starts[self.sentence_at(mention.start)] if self._starts else 0
        start = max(start, mention.start - _LONGEST_TITLE)
        others = self.mentions_in(Span(start, mention.start))
        start = max([start, *(m.end for m in others if m.label == "PERSON")])
        before = self.text[start : mention.start]
        words = _TOKEN.findall(before)
        taken = 0
        for position in range(len(words) - 1, -1, -1):
            word = words[position]
            lower = word.lower().rstrip(".")
            if taken >= 6 or not word[0].isalpha() or lower in _NOT_IN_TITLE or _is_verb(word):
                break
            if known.kind != "person" and not word.islower():
                # "the insurer Aviva" tells what it is; "Chicago Aviva" is another name.
                break
            _note(known, lower)
            taken += 1
        if taken:
            self._note_places(known, Span(start + _tail(before, words, taken), mention.start))

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


def _paragraph_starts(sentences: Sequence[Sentence]) -> list[int]:
    """Where the paragraph of each sentence begins."""
    starts: list[int] = []
    for number, sentence in enumerate(sentences):
        goes_on = number and sentences[number - 1].paragraph_id == sentence.paragraph_id
        starts.append(starts[-1] if goes_on else sentence.start)
    return starts


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
