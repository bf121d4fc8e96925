"""Whom a statement may belong to, and what speaks for each: the input of the learned resolver.

For every source, the options are "nobody named" and those of the article's names that can be meant
at all: names inside the source, people and bodies mentioned shortly before it or right after it,
whoever spoke last, and whoever has the office that the source names. Each option is a row of
numbers: what is known about the source, and how the name fits it.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from onrecord.names import fold
from onrecord.records import Attribution, Mention, Span
from onrecord.stages import patterns
from onrecord.stages.name_lists import BODY_WORDS, FAC_WORDS, LOC_WORDS
from onrecord.stages.roster import ANY_WORD, Candidate, Roster, description_words
from onrecord.stages.speaker_features import Features, Query, features
from onrecord.stages.speaker_names import NameReader

Row = list[float]

_RECENT = 10  # names mentioned last before a source that are looked at
_RECENT_BESIDE_NAME = 4  # the same where the source itself names somebody
_RECENT_OTHERS = 3  # bodies and places beside people for "he" and "she"
_AHEAD = 2  # names mentioned next after a source
_OF_OFFICE = 5  # names that have the office a description names
_KINDS = (
    "none",
    "he",
    "she",
    "it",
    "they",
    "first",
    "relative",
    "quantity",
    "issued",
    "body",
    "person",
    "described",
    "wordless",
)
# Pronouns are told apart by kind; these, sources of nobody and quantities have no head noun.
_PRONOUN_KINDS = frozenset({"he", "she", "it", "they", "first", "relative"})
_HEADLESS_KINDS = _PRONOUN_KINDS | {"none", "quantity"}
PRONOUNS = {
    **dict.fromkeys(("he", "his", "him", "himself"), "he"),
    **dict.fromkeys(("she", "her", "hers", "herself"), "she"),
    **dict.fromkeys(("it", "its", "itself"), "it"),
    **dict.fromkeys(("they", "them", "their", "themselves"), "they"),
    **dict.fromkeys(("i", "me", "my", "we", "us", "our"), "first"),
    **dict.fromkeys(("who", "which", "that", "whose", "whom"), "relative"),
}
_POSSESSIVE_PRONOUNS = frozenset({"his", "her", "its", "their", "my", "our"})
# Groups of head nouns that tell an owner from an office from an unnamed person.
_HEADS = {
    "spokesperson": frozenset({"spokesperson", "spokespeople", "representative", "aide"}),
    "official": frozenset({"official", "officials", "source", "sources", "authorities", "people"}),
    "campaign": frozenset({"campaign", "team", "camp", "administration", "office"}),
    "poll": frozenset({"poll", "survey", "polls", "data", "figures", "average", "polling"}),
    "report": frozenset({"report", "study", "analysis", "article", "story", "book", "research"}),
    "message": frozenset({"statement", "tweet", "letter", "post", "email", "message", "speech"}),
    "relative": frozenset(
        {"wife", "husband", "mother", "father", "son", "daughter", "brother", "sister", "lawyer"}
    ),
    "law": frozenset({"law", "constitution", "ruling", "order", "bill", "lawsuit", "filing"}),
}
_OWNED = re.compile(r"(?:his|her|its|their|my|our)\b|[^,]*?[’']s?\s", re.IGNORECASE)
# "Ana Ruiz, a clerk at the ministry, who": what may stand between a name and its relative pronoun.
_APPOSITION = re.compile(
    r"\s?[,(–—-]\s?(?:an?|the|one|his|her|its|their|[a-z]+)\b[^.;:“”\"]*", re.DOTALL
)
_SIZES = (1, 2, 4, 8)
_OF_BODIES = BODY_WORDS | FAC_WORDS | LOC_WORDS | patterns.BODY_NOUNS
_INDEFINITE = frozenset({"a", "an", "one", "another", "any", "some", "every", "each", "no"})
_DEFINITE = frozenset({"the", "this", "that", "these", "those"})
_READINGS = ("nothing", "nobody", "name", "owner", "body", "text")
_PLACES = ("before", "after", "inside", "apart")
_LABELS = ("PERSON", "ORG", "GPE", "NORP", "other")


class Spoken(NamedTuple):
    """A statement that was given to somebody: the name's key, and where the statement ends."""

    key: str | None
    sentence: int


@dataclass(frozen=True, slots=True)
class Options:
    """The options of one statement; ``rows[0]`` is nobody, the others are ``candidates``.

    Attributes:
        candidates: names that can be meant.
        rows: one row of ``len(FEATURES)`` numbers for nobody and for each candidate.
        hows: how each candidate would be meant.
        sentence: sentence of the source, or of the statement if it has none.
        place: the words that stand for the source: its core, or without one the cue, or else where
            the statement begins.
    """

    candidates: tuple[Candidate, ...]
    rows: tuple[Row, ...]
    hows: tuple[str, ...]
    sentence: int
    place: Span


@dataclass(frozen=True, slots=True)
class _Source:
    """What is known about one source before any candidate is looked at."""

    span: Span
    core: Span
    text: str
    kind: str
    words: tuple[str, ...]
    query: Query
    reading: str
    read: Candidate | None
    inside: tuple[Mention, ...]
    plural: bool
    row: Row
    attribution: Attribution = field(repr=False)


_KNOWN = (
    *(f"kind_{kind}" for kind in _KINDS),
    *(f"reading_{reading}" for reading in _READINGS),
    *(f"head_{name}" for name in _HEADS),
    *("owned", "indefinite", "definite", "plural", "possessive", "capital", "lower_start", "known"),
    *(f"longer_than_{size}" for size in _SIZES),
    *("names_inside", "people_inside", "and_inside"),
    *("direct", "mixed", *(f"source_{place}" for place in _PLACES), "source_quoted", "heading"),
    *("after_preposition", "opens_sentence", "gap_0", "gap_1", "gap_2", "spoke_unnamed"),
    *("no_people", "few_people"),
)
_OF_CANDIDATE = (
    *Features._fields,
    *(f"label_{label}" for label in _LABELS),
    *("unlisted", "one_word", "inside", "inside_core", "inside_first", "inside_last"),
    *("inside_opens", "inside_ends", "inside_owns", "inside_qualifies", "inside_before_noun"),
    *("is_read", "form_is_source", "shared_words", "surname_is_last", "rival_surname"),
    *("in_content", "in_content_unquoted", "next_in_sentence", "next_near", "next_subject"),
    *("spoke_before_last", "share_spoken", "share_sources", "sources_ahead", "source_next"),
    *("rank_0", "rank_1", "rank_2", "rank_same_kind_0", "rank_same_kind_1", "only_of_office"),
    *("opens_sentence", "owns_there", "first_named", "share_mentions", "gender_known"),
    *("right_before", "words_between", "verb_between", "apposition_between", "last_is_alone"),
)
FEATURES = ("nobody", *_KNOWN, *(f"name_{name}" for name in _OF_CANDIDATE))


class OptionReader:
    """Reads the options of an article's statements, in order."""

    def __init__(self, roster: Roster, attributions: Sequence[Attribution]) -> None:
        self.text = roster.text
        self.roster = roster
        self.names = NameReader(roster.text, roster)
        self._sources = [self._names_in_core(a) for a in attributions]
        self._named = Counter(key for keys in self._sources for key in keys)
        self._numbers = {id(a): n for n, a in enumerate(attributions)}
        self._forms: dict[str, frozenset[str]] = {}
        self._spoken: Sequence[Spoken] = ()
        self._counted: Counter[str | None] = Counter()
        self._n_counted = 0

    def _names_in_core(self, attribution: Attribution) -> frozenset[str]:
        if not attribution.source:
            return frozenset()
        span = Span(attribution.source[0].start, attribution.source[-1].end)
        core = Span(span.start, self.names.core_end(span))
        found = (self.roster.candidate(m) for m in self.roster.mentions_in(core))
        return frozenset(key_of(candidate) for candidate in found if candidate is not None)

    def read(self, attribution: Attribution, spoken: Sequence[Spoken]) -> Options:
        """The options of a statement, given who made those before it."""
        source = self._source(attribution, spoken)
        pool = self._pool(source, spoken)
        found = features(source.query, pool)
        ranks = self._ranks(source, pool)
        rows = [
            [0.0, *source.row, *base, *self._row(source, candidate, base, ranks, spoken)]
            for candidate, base in zip(pool, found, strict=True)
        ]
        nobody = [1.0, *source.row, *[0.0] * len(_OF_CANDIDATE)]
        hows = tuple(self._how(source, candidate) for candidate in pool)
        place = source.core if attribution.source else _beginning(attribution)
        return Options(tuple(pool), (nobody, *rows), hows, source.query.sentence, place)

    # --- the source -----------------------------------------------------------------------------

    def _source(self, attribution: Attribution, spoken: Sequence[Spoken]) -> _Source:
        if attribution.source:
            span = Span(attribution.source[0].start, attribution.source[-1].end)
        else:
            span = Span(attribution.start, attribution.start)
        text = self.text[span.start : span.end].strip(" ,\n“”\"'")
        words = tuple(ANY_WORD.findall(text.lower()))
        core = Span(span.start, self.names.core_end(span))
        described = description_words(self.text[core.start : core.end])
        kind = _kind(bool(attribution.source), text.lower(), words, described)
        reading, read = "nothing", None
        if kind not in _HEADLESS_KINDS:
            reading, read = self._read_name(span)
        inside = tuple(m for m in self.roster.mentions_in(span) if self.roster.candidate(m))
        query = self._query(span, spoken, kind, described, inside)
        plural = is_plural(text, described)
        source = _Source(
            *(span, core, text, kind, words, query, reading, read, inside, plural, []), attribution
        )
        source.row.extend(self._known(source, spoken))
        return source

    def _read_name(self, span: Span) -> tuple[str, Candidate | None]:
        speaker = self.names.read(span)
        if speaker is None:
            return "nothing", None
        if speaker.name is None:
            return "nobody", None
        if speaker.entity_id is not None:
            return speaker.how, self.roster.candidates.get(speaker.entity_id)
        core = Span(span.start, self.names.core_end(span))
        if speaker.how == "body":
            return speaker.how, self.roster.phrase_in(core)
        place = _place_of(speaker.name, self.text, core)
        label = "PERSON" if speaker.how == "text" and self._is_person(place) else "ORG"
        return speaker.how, self.roster.add_unlisted(speaker.name, place, label)

    def _is_person(self, place: Span) -> bool:
        """Whether a full name that no recogniser marks is a person's: no word says otherwise."""
        before = ANY_WORD.findall(self.text[max(place.start - 5, 0) : place.start].lower())
        words = ANY_WORD.findall(self.text[place.start : place.end])
        return before[-1:] != ["the"] and not any(
            word.lower() in _OF_BODIES or (len(word) > 1 and word.isupper()) for word in words
        )

    def _query(
        self,
        span: Span,
        spoken: Sequence[Spoken],
        kind: str,
        described: Sequence[str],
        inside: Sequence[Mention],
    ) -> Query:
        roster = self.roster
        sentence = roster.sentence_at(span.start)
        last = spoken[-1] if spoken else Spoken(None, -99)
        head = described[-1] if described and kind not in _HEADLESS_KINDS else ""
        return Query(
            span.start,
            sentence,
            roster.paragraph_start(sentence),
            gender=kind if kind in ("he", "she") else None,
            words=frozenset(described if head else ()),
            head=head,
            places=frozenset(m.entity.entity_id for m in inside if m.entity is not None),
            previous=last.key,
            gap=sentence - last.sentence,
            known_head=head in patterns.PERSON_NOUNS,
            owned=bool(_OWNED.match(self.text[span.start : span.end])),
        )

    def _known(self, source: _Source, spoken: Sequence[Spoken]) -> Row:
        """The part of a row that is the same for every option."""
        query, words, attribution = source.query, source.words, source.attribution
        first = words[0] if words else ""
        core = self.text[source.core.start : source.core.end]
        people = sum(1 for m in source.inside if m.label == "PERSON")
        persons = len(self.roster.persons())
        place = _place(attribution)
        before = self.text[max(source.span.start - 30, 0) : source.span.start].split()
        sentences = self.roster.sentences
        start = sentences[query.sentence].start if sentences else 0
        heading = bool(sentences) and sentences[query.sentence].kind != "body"
        return [
            *(float(kind == source.kind) for kind in _KINDS),
            *(float(reading == source.reading) for reading in _READINGS),
            *(float(query.head in group) for group in _HEADS.values()),
            float(query.owned),
            float(first in _INDEFINITE),
            float(first in _DEFINITE),
            float(source.plural),
            float(first in _POSSESSIVE_PRONOUNS),
            float(any(word[:1].isupper() for word in core.split()[1:])),
            float(core[:1].islower()),
            float(query.known_head),
            *(float(len(words) > size) for size in _SIZES),
            min(len(source.inside), 3) / 3,
            min(people, 3) / 3,
            float("and" in words),
            float(attribution.kind == "direct"),
            float(attribution.kind == "mixed"),
            *(float(place == name) for name in _PLACES),
            float(self.roster.quotation_at(source.span.start) is not None),
            float(heading),
            float(bool(before) and before[-1].lower() in patterns.PREPOSITIONS),
            float(not self.text[start : source.span.start].strip(" “\"'")),
            *(float(query.gap == gap) for gap in range(3)),
            float(bool(spoken) and spoken[-1].key is None),
            float(persons == 0),
            float(persons <= 2),
        ]

    # --- the candidates -------------------------------------------------------------------------

    def _pool(self, source: _Source, spoken: Sequence[Spoken]) -> list[Candidate]:
        """Who can be meant, each once."""
        roster, start = self.roster, source.span.start
        pool: dict[int, Candidate] = {}

        def add(found: Iterable[Candidate | None]) -> None:
            pool.update((id(c), c) for c in found if c is not None)

        add([source.read])
        add(roster.candidate(mention) for mention in source.inside)
        add(c for _, c in roster.phrases_from(source.span))
        add(roster.candidates.get(s.key) for s in spoken[-2:] if s.key is not None)
        if source.kind in ("he", "she"):
            add(islice(roster.last_people(start), _RECENT))
            add(islice(roster.last_others(start), _RECENT_OTHERS))
        else:
            named = source.inside or source.read
            add(islice(roster.last_named(start), _RECENT_BESIDE_NAME if named else _RECENT))
        head = source.query.head
        if head:
            roles = patterns.HYPERNYMS.get(head, frozenset()) | {head}
            names = patterns.BODY_KINDS.get(head, frozenset()) | {head}
            add(roster.last_called(roles, names, start)[:_OF_OFFICE])
            add(roster.with_surname(source.words[-1])[:_OF_OFFICE] if source.words else ())
        add(self._ahead(source.span.end))
        return list(pool.values())

    def _ahead(self, end: int) -> list[Candidate | None]:
        """Names mentioned next: "According to him, Ruiz ...", "..., said the mayor, Ana Ruiz"."""
        found: list[Candidate | None] = []
        for mention in self.roster.mentions_after(end):
            if len(found) == _AHEAD:
                break
            if mention.label in ("PERSON", "ORG"):
                found.append(self.roster.candidate(mention))
        return found

    def _ranks(self, source: _Source, pool: Sequence[Candidate]) -> dict[int, tuple[int, int]]:
        """Each candidate's rank by recency, among all and among those of its kind."""
        start = source.span.start
        order = sorted(pool, key=lambda c: -c.last_before(start))
        ranks: dict[int, tuple[int, int]] = {}
        kinds: Counter[str] = Counter()
        for number, candidate in enumerate(order):
            ranks[id(candidate)] = (number, kinds[candidate.kind])
            kinds[candidate.kind] += 1
        return ranks

    def _row(
        self,
        source: _Source,
        candidate: Candidate,
        base: Features,
        ranks: dict[int, tuple[int, int]],
        spoken: Sequence[Spoken],
    ) -> Row:
        """What is known of a candidate beside ``Features``, in the order of ``_OF_CANDIDATE``."""
        label = candidate.entity.label
        rank, rank_of_kind = ranks[id(candidate)]
        return [
            *(float(label == name) for name in _LABELS[:-1]),
            float(label not in _LABELS),
            float(candidate.unlisted),
            float(" " not in candidate.entity.name),
            *self._inside(source, candidate),
            *self._form(source, candidate),
            *self._content(source, candidate),
            *self._next(source, candidate),
            *self._turns(source, candidate, spoken),
            *(float(rank == n) for n in range(3)),
            *(float(rank_of_kind == n) for n in range(2)),
            float(base.role_head > 0 and self.roster.n_holders(source.query.head) == 1),
            *self._last(source, candidate),
        ]

    def _inside(self, source: _Source, candidate: Candidate) -> Row:
        """How the candidate is mentioned in the source itself."""
        key = candidate.entity.entity_id
        own = [
            n
            for n, m in enumerate(source.inside)
            if m.entity is not None and m.entity.entity_id == key
        ]
        if not own:
            return [0.0] * 9
        mention = source.inside[own[0]]
        before = self.text[source.span.start : mention.start]
        after = self.text[mention.end : source.core.end]
        words = ANY_WORD.findall(before.lower())
        qualified = any(word in patterns.QUALIFYING for word in words)
        return [
            1.0,
            float(mention.start < source.core.end),
            float(own[0] == 0),
            float(own[-1] == len(source.inside) - 1),
            float(not words),
            float(not ANY_WORD.search(after)),
            float(after[:1] in ("'", "’")),
            float(qualified),
            float(after[:1] == " " and bool(ANY_WORD.match(after[1:]))),
        ]

    def _form(self, source: _Source, candidate: Candidate) -> Row:
        """How the words of the source and the candidate's names go together."""
        forms = self._folded(candidate)
        words = [fold(word) for word in source.words]
        name = set(fold(candidate.entity.name).split())
        shared = sum(word in name for word in words) / max(len(words), 1)
        last = words[-1] if words else ""
        surname = bool(last) and fold(candidate.surname) == last
        rivals = surname and any(
            c is not candidate for c in self.roster.with_surname(candidate.surname)
        )
        own = " ".join(words).removeprefix("the ")
        return [
            float(candidate is source.read),
            float(own in forms),
            shared,
            float(surname),
            float(rivals),
        ]

    def _folded(self, candidate: Candidate) -> frozenset[str]:
        key = candidate.entity.entity_id
        if key not in self._forms:
            entity = candidate.entity
            self._forms[key] = frozenset(fold(form) for form in (entity.name, *entity.aliases))
        return self._forms[key]

    def _content(self, source: _Source, candidate: Candidate) -> Row:
        """People seldom name themselves in what they say."""
        seen = [
            s
            for span in source.attribution.content
            for s in candidate.seen[_first(candidate, span.start) : _first(candidate, span.end)]
        ]
        return [float(bool(seen)), float(any(not s.quoted for s in seen))]

    def _next(self, source: _Source, candidate: Candidate) -> Row:
        at = _first(candidate, source.span.end)
        if at == len(candidate.seen):
            return [0.0, 0.0, 0.0]
        seen = candidate.seen[at]
        distance = seen.sentence - source.query.sentence
        return [
            float(distance == 0),
            1 / (1 + distance),
            float(seen.subject and not seen.quoted and distance <= 1),
        ]

    def _turns(self, source: _Source, candidate: Candidate, spoken: Sequence[Spoken]) -> Row:
        """How often the candidate speaks, so far by the answers given, and by name anywhere."""
        key = key_of(candidate)
        number = self._numbers[id(source.attribution)]
        turns = self._turns_of(spoken)[key]
        ahead = sum(1 for keys in self._sources[number + 1 : number + 4] if key in keys)
        following = self._sources[number + 1] if number + 1 < len(self._sources) else frozenset()
        return [
            float(len(spoken) > 1 and spoken[-2].key == key),
            turns / (len(spoken) + 1),
            self._named[key] / (len(self._sources) + 1),
            ahead / 3,
            float(key in following),
        ]

    def _turns_of(self, spoken: Sequence[Spoken]) -> Counter[str | None]:
        """How often each has spoken; a list that has grown since the last call is counted on."""
        if spoken is not self._spoken or len(spoken) < self._n_counted:
            self._spoken, self._counted, self._n_counted = spoken, Counter(), 0
        self._counted.update(s.key for s in spoken[self._n_counted :])
        self._n_counted = len(spoken)
        return self._counted

    def _last(self, source: _Source, candidate: Candidate) -> Row:
        """How prominent the candidate's last mention before the source is."""
        total = math.log1p(self.roster.n_seen())
        known = float(abs(candidate.masculine - candidate.feminine) >= 1)
        share = math.log1p(len(candidate.seen)) / max(total, 1.0)
        first = float(bool(candidate.seen) and candidate.seen[0].sentence <= 1)
        at = candidate.last_seen(source.span.start)
        if at is None:
            return [0.0, 0.0, first, share, known, *[0.0] * 5]
        sentences = self.roster.sentences
        begin = sentences[at.sentence].start if sentences else 0
        between = self.text[at.end : min(source.span.start, at.end + 400)]
        words = ANY_WORD.findall(between.lower())
        alone = not self.roster.names_people(Span(begin, at.start))
        return [
            float(not self.text[begin : at.start].strip(" “\"'")),
            float(between[:1] in ("'", "’")),
            first,
            share,
            known,
            float(not words),
            math.log1p(len(words)) / 4,
            float(any(w in patterns.VERBS or w in patterns.AUXILIARIES for w in words)),
            float(bool(_APPOSITION.fullmatch(between))),
            float(alone),
        ]

    def _how(self, source: _Source, candidate: Candidate) -> str:
        """The word for the table: how the source comes to mean this candidate."""
        if candidate is source.read:
            return source.reading
        if source.kind == "none":
            return "continued"
        if source.kind == "relative":
            return "relative"
        if source.kind in _PRONOUN_KINDS:
            return "pronoun"
        mentioned = any(self.roster.candidate(m) is candidate for m in source.inside)
        if mentioned:
            return "owner" if source.kind == "issued" or source.query.owned else "name"
        if source.kind == "issued":
            return "continued"
        return "title" if candidate.kind == "person" else "body"


def _beginning(attribution: Attribution) -> Span:
    """The cue of a statement, or where its content begins."""
    if attribution.cue:
        return attribution.cue[0]
    return Span(attribution.content[0].start, attribution.content[0].start + 1)


def _place_of(name: str, text: str, core: Span) -> Span:
    """Where a name stands in a source, all of it where the source gives another form."""
    found = re.compile(r"\s+".join(map(re.escape, name.split()))).search(text, core.start, core.end)
    return core if found is None else Span(*found.span())


def key_of(candidate: Candidate) -> str:
    """What tells a candidate of an article from all others."""
    return candidate.entity.entity_id


def _first(candidate: Candidate, start: int) -> int:
    """Index of the candidate's first mention at or after ``start``."""
    return bisect_left(candidate.seen, start, key=lambda seen: seen.start)


def _kind(has_source: bool, lower: str, words: Sequence[str], described: Sequence[str]) -> str:
    if not has_source:
        return "none"
    if lower in PRONOUNS:
        return PRONOUNS[lower]
    if not words:
        return "wordless"
    if words[0] in patterns.PLURAL_STARTS:
        return "quantity"
    if not described:
        return "wordless"
    head = described[-1]
    if head in patterns.ISSUED_NOUNS:
        return "issued"
    if head in patterns.BODY_NOUNS:
        return "body"
    return "person" if head in patterns.PERSON_NOUNS else "described"


def is_plural(text: str, described: Sequence[str]) -> bool:
    """Whether the head noun is plural: "officials", "top strategists"."""
    if not described:
        return False
    head = described[-1]
    forms = (w for w in reversed(ANY_WORD.findall(text.lower())))
    raw = next((w for w in forms if patterns.ROLE_FORMS.get(w, w) == head), head)
    return raw.endswith("s") and not raw.endswith(("ss", "us", "is", "'s"))


def _place(attribution: Attribution) -> str:
    """Where the source stands to what is said."""
    if not attribution.source:
        return "apart"
    start = attribution.source[0].start
    if start < attribution.content[0].start:
        return "before"
    return "after" if start >= attribution.content[-1].end else "inside"
