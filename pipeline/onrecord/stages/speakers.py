"""Speakers: the named person or body that each statement belongs to.

A source span is read as a name, a pronoun, a description ("the Venezuelan leader"), a thing that
somebody issued ("the statement") or nothing at all; each reading has its rules, and every rule that
names somebody says so in ``Speaker.how``. Where pronouns and descriptions leave a choice, every
candidate gets the same features (``onrecord.stages.speaker_features``) and a ranking decides; the
rules' ranking is a table of weights, and another scorer can take its place.

Who is not named in the article stays unknown: "officials", "a spokesman for the ministry", "both
leaders". A name that is only near is no reason to name it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice, zip_longest
from typing import Any, NamedTuple

from spacy.tokens import Doc

from onrecord.records import UNKNOWN_SPEAKER, Attribution, Mention, Span, Speaker
from onrecord.stages import patterns
from onrecord.stages.roster import Candidate, Roster, description_words
from onrecord.stages.speaker_features import (
    BODY_WEIGHTS,
    DESCRIPTION_WEIGHTS,
    PRONOUN_WEIGHTS,
    Query,
    features,
    rank,
)

# Precision of each rule on the 180 training articles that carry speaker identities, gold source
# spans given: how often the name it gives is the right one.
RULE_PRECISION = {
    "name": 0.9,
    "text": 0.8,
    "owner": 0.8,
    "pronoun": 0.8,
    "relative": 0.8,
    "title": 0.8,
    "body": 0.6,
    "continued": 0.6,
}
_GENDERED = {
    "he": "he",
    "his": "he",
    "him": "he",
    "himself": "he",
    "she": "she",
    "her": "she",
    "hers": "she",
    "herself": "she",
}
_RELATIVE = frozenset({"who", "which", "that", "whose", "whom"})
_NEUTER = frozenset({"it", "its"})
_ANY_WORD = re.compile(r"[^\W_]+(?:[-’'.&][^\W_]+)*")
_NAME_RUN = re.compile(r"[A-Z][\w.’'-]*(?:\s+(?:[A-Z][\w.’'-]*|de|van|von|der|bin|al|la|le|du))+")
_NAMED_BODY = re.compile(
    r"(?:[Tt]he\s+)?(?P<name>(?!(?:The|His|Her|Its|Their|A)\b)(?:[A-Z][\w.-]+(?:[’']s)?\s+){1,3}(?:presidential\s)?"
    r"(?:campaign|administration))(?:[’']s)?\s*,?$"
)
_JOINED = re.compile(r"(?:,[^,]{2,40},?|\s*\([^)]*\),?)?\s+and\s+")
_ISSUING = frozenset({"by", "from"})
_QUALIFYING = frozenset(
    {"of", "at", "for", "in", "with", "to", "on", "against", "near", "like", "including"}
)
_OWNED = re.compile(r"(?:his|her|its|their)\b|[^,]*?[’']s\s", re.IGNORECASE)
_TITLES = patterns.ROLE_WORDS_IN_NAMES


class _Context(NamedTuple):
    """What the resolution of one statement may look back on."""

    speaker: Speaker
    sentence: int
    end: int


class RuleResolver:
    """Resolves the sources of one article by rule."""

    def __init__(self, doc: Doc) -> None:
        self.text = doc.text
        self.roster = Roster(doc.text, doc._.sentences, doc._.mentions)
        self.last = _Context(UNKNOWN_SPEAKER, -99, 0)

    def resolve(self, attribution: Attribution) -> Speaker:
        """The speaker of a statement; call it in the order of the article."""
        if attribution.source:
            first, last = attribution.source[0], attribution.source[-1]
            speaker = self.resolve_source(Span(first.start, last.end))
            at = first.start
        else:
            speaker = self._continued(attribution)
            at = attribution.start
        if speaker.name is not None:
            end = max(attribution.content[-1].end, at)
            self.last = _Context(speaker, self.roster.sentence_at(end - 1), end)
        return speaker

    def resolve_source(self, span: Span) -> Speaker:
        """The speaker that a source span refers to."""
        text = self.text[span.start : span.end].strip(" ,\n“”\"'")
        lower = text.lower()
        if lower in _GENDERED:
            return self._pronoun(span, _GENDERED[lower])
        if lower in _RELATIVE:
            return self._relative(span)
        if lower in _NEUTER:
            return self._body(span, "", frozenset(), how="pronoun")
        words = _ANY_WORD.findall(lower)
        if not words or lower in patterns.SUBJECT_PRONOUNS or words[0] in patterns.PLURAL_STARTS:
            return UNKNOWN_SPEAKER
        return self._named(span) or self._described(span, text, words) or UNKNOWN_SPEAKER

    # --- names ----------------------------------------------------------------------------------

    def _named(self, span: Span) -> Speaker | None:
        """The entity that heads the phrase; UNKNOWN where the head is somebody unnamed."""
        mentions = [m for m in self.roster.mentions_in(span) if self.roster.candidate(m)]
        if self._is_plural(span, mentions):
            return UNKNOWN_SPEAKER
        body = self._body_of(span)
        if body is not None:
            return body
        for mention in self._head_first(span, mentions):
            role = self._role_of(span, mention)
            if role == "head":
                return self._speaker(mention, "name")
            if role == "owner":
                return self._speaker(mention, "owner")
        return self._named_by_text(span, mentions)

    def _head_first(self, span: Span, mentions: Sequence[Mention]) -> list[Mention]:
        """People before bodies, unless a body comes first in the phrase and heads it."""
        core_end = self._core_end(span)
        return sorted(
            mentions,
            key=lambda m: (m.start >= core_end, m.label != "PERSON", m.start),
        )

    def _core_end(self, span: Span) -> int:
        """End of the phrase before its first apposition or relative clause."""
        match = re.search(r",\s|\s\(|\s[—–-]\s|\swho\s", self.text[span.start : span.end])
        return span.end if match is None else span.start + match.start()

    def _is_plural(self, span: Span, mentions: Sequence[Mention]) -> bool:
        """Two sources joined by "and" before any long apposition."""
        for first, second in zip_longest(mentions, mentions[1:]):
            joined = _JOINED.match(self.text, first.end, span.end)
            if joined is None:
                continue
            opens = not self.text[span.start : first.start].strip()
            alike = second is not None and second.label == first.label
            direct = self.text[first.end : joined.end()].strip() == "and"
            if (direct or alike) and (opens or first.label == "PERSON"):
                return True
        return False

    def _role_of(self, span: Span, mention: Mention) -> str:
        """Whether the mention is the "head", the "owner" of a thing issued, or neither ("")."""
        before = self.text[span.start : mention.start]
        after = self.text[mention.end : span.end]
        words_before = _ANY_WORD.findall(before.lower())
        last_before = words_before[-1] if words_before else ""
        head = re.match(r"(?P<possessive>[’']s?)?(?P<gap>[\s-]*)(?P<rest>.*)", after, re.DOTALL)
        rest = head.group("rest") if head else ""
        following = _ANY_WORD.findall(rest.lower()[:80])
        issued = next(
            (
                w
                for w in following[:5]
                if w.rstrip("s") in patterns.ISSUED_NOUNS or w in patterns.ISSUED_NOUNS
            ),
            None,
        )
        if rest and rest[0].isalnum() and head is not None:
            if following and following[0] in (
                "who",
                "which",
                "and",
                "of",
                "in",
                "from",
                "at",
                "on",
                "for",
                "himself",
                "herself",
                "itself",
            ):
                pass
            elif issued and not self._other_noun(following, issued):
                return "owner"
            elif (
                mention.label == "PERSON"
                and not head.group("possessive")
                and following[0] in patterns.COMMON_VERBS
            ):
                return "head"
            else:
                return ""
        elif head is not None and head.group("possessive") and not rest:
            return "head" if not self._qualifies(before, last_before) else ""
        return "" if self._qualifies(before, last_before) else "head"

    def _other_noun(self, following: Sequence[str], issued: str) -> bool:
        """Whether somebody unnamed comes before the thing issued: "X spokesman's statement"."""
        index = following.index(issued)
        return any(
            patterns.ROLE_FORMS.get(w, w) in patterns.PERSON_NOUNS for w in following[:index]
        )

    def _qualifies(self, before: str, last_word: str) -> bool:
        """Whether a preposition, or an earlier head noun, makes the mention a mere qualifier."""
        if last_word in _ISSUING:
            return False
        if last_word in _QUALIFYING:
            return True
        stripped = before.strip()
        if stripped.endswith(","):
            return False
        if not stripped or stripped.endswith(("’s", "'s", "(", "—", "–")):
            return bool(re.search(r"\b(?:of|at|for|from|with)\b[^,]*$", stripped))
        return bool(
            re.search(r"\b(?:of|at|for|with|to)\s+(?:the\s+|an?\s+)?(?:[a-z]+\s+){0,2}$", before)
        )

    def _body_of(self, span: Span) -> Speaker | None:
        """A body named after a person: "the Clinton campaign", "Obama's administration"."""
        match = _NAMED_BODY.match(self.text[span.start : span.end])
        if match is None:
            return None
        return Speaker(match.group("name"), None, "body", RULE_PRECISION["text"])

    def _named_by_text(self, span: Span, mentions: Sequence[Mention]) -> Speaker | None:
        """A known name, or a full name the recogniser missed, read from the words themselves."""
        core = self.text[span.start : self._core_end(span)]
        words = _ANY_WORD.findall(core)
        if not words or any(m.start < span.start + len(core) for m in mentions):
            return None
        owner = self._by_surname(words)
        if owner is not None:
            return self._from_candidate(owner, "name")
        run = _NAME_RUN.search(core)
        if run is None or run.end() < len(core.rstrip(" ,’'s")) or core[:1].islower():
            return None
        name = run.group().split()
        while name and name[0].lower().strip(".") in _TITLES:
            name = name[1:]
        if len(name) < 2:
            return None
        return Speaker(
            " ".join(name).rstrip("’'s,") if name[-1].endswith(("’s", "'s")) else " ".join(name),
            None,
            "text",
            RULE_PRECISION["text"],
        )

    def _by_surname(self, words: Sequence[str]) -> Candidate | None:
        last = re.sub(r"[’']s?$", "", words[-1])
        if not last[:1].isupper():
            return None
        matches = [
            c
            for c in self.roster.candidates.values()
            if last.lower() in (c.surname if c.kind == "person" else "", c.entity.name.lower())
            or last in c.entity.aliases
        ]
        return matches[0] if len(matches) == 1 else None

    # --- pronouns -------------------------------------------------------------------------------

    def _query(self, span: Span, **known: Any) -> Query:
        sentence = self.roster.sentence_at(span.start)
        paragraph = self._paragraph_start(sentence)
        previous = self.last.speaker.entity_id
        query = Query(
            span.start, sentence, paragraph, previous=previous, gap=sentence - self.last.sentence
        )
        return query._replace(**known)

    def _paragraph_start(self, sentence: int) -> int:
        sentences = self.roster.sentences
        if not sentences:
            return 0
        first = sentence
        while first and sentences[first - 1].paragraph_id == sentences[sentence].paragraph_id:
            first -= 1
        return sentences[first].start

    def _pronoun(self, span: Span, gender: str) -> Speaker:
        people = self.roster.persons()
        return self._best(self._query(span, gender=gender), people, PRONOUN_WEIGHTS, "pronoun")

    def _relative(self, span: Span) -> Speaker:
        """The name right before "who" or "which", with its apposition."""
        sentence = self.roster.sentences[self.roster.sentence_at(span.start)]
        before = self.roster.mentions_in(Span(sentence.start, span.start))
        for mention in reversed(before):
            between = self.text[mention.end : span.start]
            if re.fullmatch(
                r"(?:\s*\([^)]*\))?(?:,[^,]{2,80})?[,\s—–-]*", between
            ) and self.roster.candidate(mention):
                if not re.fullmatch(r"[\s,—–-]*|.*[,)—–-]\s*", between):
                    return UNKNOWN_SPEAKER
                return self._speaker(mention, "relative") or UNKNOWN_SPEAKER
        return UNKNOWN_SPEAKER

    def _best(
        self, query: Query, pool: Sequence[Candidate], weights: Mapping[str, float], how: str
    ) -> Speaker:
        found = [features(query, candidate, pool) for candidate in pool]
        scores = rank(found, weights)
        if not scores:
            return UNKNOWN_SPEAKER
        best = max(range(len(scores)), key=scores.__getitem__)
        if scores[best] < 1 - sum(scores):
            return UNKNOWN_SPEAKER
        return self._from_candidate(pool[best], how, scores[best])

    # --- descriptions ---------------------------------------------------------------------------

    def _described(self, span: Span, text: str, words: Sequence[str]) -> Speaker | None:
        described = description_words(text)
        if not described or _plural_head(text, described):
            return None
        if words[0] in ("a", "an", "one", "another", "no", "any", "every", "each"):
            return None
        heads = [word for word in described if word in patterns.PERSON_NOUNS]
        head = described[-1]
        if head in patterns.ISSUED_NOUNS:
            return self._issued(span, head)
        if head in patterns.BODY_NOUNS and not heads:
            return self._body(span, head, frozenset(described), how="body")
        return self._by_role(span, described, heads)

    def _by_role(
        self, span: Span, described: Sequence[str], heads: Sequence[str]
    ) -> Speaker | None:
        """Whoever the article gives the role, or the person it can only mean."""
        text = self.text[span.start : span.end]
        query = self._query(
            span,
            words=frozenset(described),
            head=heads[-1] if heads else described[-1],
            places=frozenset(
                m.entity.entity_id for m in self.roster.mentions_in(span) if m.entity is not None
            ),
            known_head=bool(heads),
            owned=bool(_OWNED.match(text)),
        )
        return self._best(query, self.roster.persons(), DESCRIPTION_WEIGHTS, "title")

    def _body(self, span: Span, head: str, words: frozenset[str], how: str) -> Speaker:
        pool = [
            c
            for c in self.roster.candidates.values()
            if c.kind == "body" and c.seen[0].start < span.start
        ]
        query = self._query(span, words=words, head=head)
        return self._best(query, pool, BODY_WEIGHTS, how)

    def _issued(self, span: Span, head: str) -> Speaker | None:
        """Whoever is known to have issued such a thing, for a statement else who spoke last."""
        owners = [
            c
            for c in self.roster.candidates.values()
            if head in c.roles and c.kind == "body" and c.seen[0].start < span.start
        ]
        if owners:
            query = self._query(span, head=head, words=frozenset({head}))
            return self._best(query, owners, BODY_WEIGHTS, "body")
        if head in (
            "statement",
            "tweet",
            "letter",
            "email",
            "post",
            "message",
            "release",
            "speech",
        ):
            near = self.roster.sentence_at(span.start) - self.last.sentence <= 1
            if near and self.last.speaker.name is not None:
                return replace(
                    self.last.speaker, how="continued", score=RULE_PRECISION["continued"]
                )
        return None

    # --- no source ------------------------------------------------------------------------------

    def _continued(self, attribution: Attribution) -> Speaker:
        """A statement without a source goes on with the last one where only that is between."""
        if attribution.kind == "indirect" or self.last.speaker.name is None:
            return UNKNOWN_SPEAKER
        near = self.roster.sentence_at(attribution.start) - self.last.sentence <= 1
        if not near:
            return UNKNOWN_SPEAKER
        return replace(self.last.speaker, how="continued", score=RULE_PRECISION["continued"])

    # --- results --------------------------------------------------------------------------------

    def _speaker(self, mention: Mention, how: str) -> Speaker | None:
        candidate = self.roster.candidate(mention)
        return None if candidate is None else self._from_candidate(candidate, how)

    def _from_candidate(self, candidate: Candidate, how: str, share: float = 1.0) -> Speaker:
        entity = candidate.entity
        return Speaker(entity.name, entity.entity_id, how, round(RULE_PRECISION[how] * share, 4))


def _plural_head(text: str, described: Sequence[str]) -> bool:
    """Plural head nouns name nobody: "officials", "top Sanders strategists"."""
    head = described[-1]
    raw = next(
        (
            w
            for w in reversed(_ANY_WORD.findall(text.lower()))
            if patterns.ROLE_FORMS.get(w, w) == head
        ),
        head,
    )
    if head in patterns.ISSUED_NOUNS or head in patterns.BODY_NOUNS:
        return False
    return raw.endswith("s") and not raw.endswith(("ss", "us", "is", "'s"))


class SpeakerResolver:
    """Fills ``Attribution.speaker`` of every statement of a doc."""

    def __call__(self, doc: Doc) -> Doc:
        """Resolve one doc."""
        self.set_annotations([doc], self.predict([doc]))
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """Resolve docs in batches, in order."""
        iterator = iter(stream)
        while batch := list(islice(iterator, batch_size)):
            self.set_annotations(batch, self.predict(batch))
            yield from batch

    def predict(self, docs: Sequence[Doc]) -> list[list[Speaker]]:
        """The speaker of each attribution of each doc."""
        found = []
        for doc in docs:
            resolver = RuleResolver(doc)
            found.append([resolver.resolve(attribution) for attribution in doc._.attributions])
        return found

    def set_annotations(self, docs: Sequence[Doc], values: Sequence[Sequence[Speaker]]) -> None:
        """Write the speakers into ``doc._.attributions``."""
        for doc, speakers in zip(docs, values, strict=True):
            doc._.attributions = tuple(
                replace(attribution, speaker=speaker)
                for attribution, speaker in zip(doc._.attributions, speakers, strict=True)
            )


def make_speaker_resolver(model: str | None) -> SpeakerResolver:
    """Build the stage; ``model`` is a folder of trained weights, unread while rules decide."""
    del model
    return SpeakerResolver()
