"""Speakers: the named person or body that each statement belongs to.

A source span is read as a name, a pronoun, a description ("the Venezuelan leader"), a thing that
somebody issued ("the statement") or nothing at all; each reading has its rules, and every rule that
names somebody says so in ``Speaker.how``. A trained model weighs all that the rules read, with more
(``onrecord.stages.speaker_options``), and decides (``onrecord.stages.speaker_scorer``). Without one
the rules decide by themselves; where pronouns and descriptions leave them a choice, a ranking of
hand-fitted weights does (``onrecord.stages.speaker_features``).

Who is not named in the article stays unknown: "officials", "a spokesman for the ministry", "both
leaders". A name that is only near is no reason to name it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from spacy.tokens import Doc

from onrecord.records import UNKNOWN_SPEAKER, Attribution, Span, Speaker
from onrecord.stages import patterns
from onrecord.stages.roster import ANY_WORD, Candidate, Roster, description_words
from onrecord.stages.speaker_features import (
    BODY_WEIGHTS,
    DESCRIPTION_WEIGHTS,
    PRONOUN_WEIGHTS,
    Query,
    features,
    rank,
)
from onrecord.stages.speaker_names import RULE_PRECISION, NameReader, speaker_of
from onrecord.stages.speaker_options import PRONOUNS, OptionReader, is_plural

if TYPE_CHECKING:
    from onrecord.stages.speaker_scorer import SpeakerModel

_GENDERED = {word: kind for word, kind in PRONOUNS.items() if kind in ("he", "she")}
_PRONOUN = re.compile(rf"\b(?:{'|'.join(_GENDERED)})\b", re.IGNORECASE)
_LONGEST_APPOSITION = 300  # characters between a name and its relative pronoun
_OTHERS = frozenset({"other", "second", "third", "another", "later"})
_OWNED = re.compile(r"(?:his|her|its|their)\b|[^,]*?[’']s\s", re.IGNORECASE)


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
        self.names = NameReader(doc.text, self.roster)
        self.last = _Context(UNKNOWN_SPEAKER, -99, 0)
        self._learn_genders()

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
        if PRONOUNS.get(lower) == "relative":
            return self._relative(span)
        if PRONOUNS.get(lower) == "it":
            return self._body(span, "", frozenset(), how="pronoun")
        words = ANY_WORD.findall(lower)
        if not words or lower in patterns.SUBJECT_PRONOUNS or words[0] in patterns.PLURAL_STARTS:
            return UNKNOWN_SPEAKER
        return self.names.read(span) or self._described(span, text, words) or UNKNOWN_SPEAKER

    def _learn_genders(self) -> None:
        """Give each person the he and she that the ranking would give them.

        Every pronoun outside quotations is shared out among the people by a first ranking that
        knows titles alone; over an article the shares show who is "he" and who is "she".
        """
        people = self.roster.persons()
        shares: list[tuple[str, Sequence[Candidate], list[float]]] = []
        for match in _PRONOUN.finditer(self.text):
            if people and self.roster.quotation_at(match.start()) is None:
                gender = _GENDERED[match.group().lower()]
                query = self._query(Span(*match.span()), gender=gender)
                near = self.roster.recent_persons(query.start)
                shares.append((gender, near, rank(features(query, near), PRONOUN_WEIGHTS)))
        for gender, near, probabilities in shares:
            for person, share in zip(near, probabilities, strict=True):
                if gender == "he":
                    person.masculine += share
                else:
                    person.feminine += share

    # --- pronouns -------------------------------------------------------------------------------

    def _query(self, span: Span, **known: Any) -> Query:
        sentence = self.roster.sentence_at(span.start)
        paragraph = self.roster.paragraph_start(sentence)
        previous = self.last.speaker.entity_id
        query = Query(
            span.start, sentence, paragraph, previous=previous, gap=sentence - self.last.sentence
        )
        return query._replace(**known)

    def _pronoun(self, span: Span, gender: str) -> Speaker:
        people = self.roster.recent_persons(span.start)
        return self._best(self._query(span, gender=gender), people, PRONOUN_WEIGHTS, "pronoun")

    def _relative(self, span: Span) -> Speaker:
        """The name right before "who" or "which", with its apposition."""
        sentence = self.roster.sentences[self.roster.sentence_at(span.start)]
        start = max(sentence.start, span.start - _LONGEST_APPOSITION)
        before = self.roster.mentions_in(Span(start, span.start))
        for mention in reversed(before):
            between = self.text[mention.end : span.start]
            if re.fullmatch(
                r"(?:\s*\([^)]*\))?(?:,[^,]{2,80})?[,\s—–-]*", between
            ) and self.roster.candidate(mention):
                if not re.fullmatch(r"[\s,—–-]*|.*[,)—–-]\s*", between):
                    return UNKNOWN_SPEAKER
                return self.names.speaker(mention, "relative") or UNKNOWN_SPEAKER
        return UNKNOWN_SPEAKER

    def _best(
        self, query: Query, pool: Sequence[Candidate], weights: Mapping[str, float], how: str
    ) -> Speaker:
        pool = self.roster.recent(pool, query.start)
        found = features(query, pool)
        scores = rank(found, weights)
        if not scores:
            return UNKNOWN_SPEAKER
        best = max(range(len(scores)), key=scores.__getitem__)
        if scores[best] < 1 - sum(scores):
            return UNKNOWN_SPEAKER
        return speaker_of(pool[best], how, scores[best])

    # --- descriptions ---------------------------------------------------------------------------

    def _described(self, span: Span, text: str, words: Sequence[str]) -> Speaker | None:
        described = description_words(text)
        core = ANY_WORD.findall(self.text[span.start : self.names.core_end(span)])
        if (
            len(core) > 1
            and core[-1][0].isupper()
            and core[-1].lower() not in patterns.PERSON_NOUNS
        ):
            return None
        if not described or _plural_head(text, described):
            return None
        if words[0] in ("a", "an", "one", "another", "no", "any", "every", "each"):
            return None
        head = described[-1]
        heads = [head] if head in patterns.PERSON_NOUNS else []
        if head in patterns.ISSUED_NOUNS:
            return self._issued(span, head)
        if head in patterns.BODY_NOUNS and not heads:
            return self._body(span, head, frozenset(described), how="body")
        if _OTHERS & set(words):
            return None
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
        people = self.roster.recent_persons(span.start)
        if query.owned or not heads:
            people = self.roster.persons()
            kinds = patterns.HYPERNYMS.get(query.head, frozenset()) | {query.head}
            people = [person for person in people if kinds & person.roles.keys()]
        return self._best(query, people, DESCRIPTION_WEIGHTS, "title")

    def _body(self, span: Span, head: str, words: frozenset[str], how: str) -> Speaker:
        places = head in patterns.PLACE_NOUNS
        pool = [
            c
            for c in self.roster.candidates.values()
            if (c.kind == "place" if places else c.entity.label == "ORG")
            and c.seen[0].start < span.start
        ]
        named = [c for c in pool if head and head in c.entity.name.lower().split()]
        if len(named) == 1:
            return speaker_of(named[0], how)
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


def _plural_head(text: str, described: Sequence[str]) -> bool:
    """Plural head nouns name nobody: "officials", "top Sanders strategists"."""
    named = described[-1] in patterns.ISSUED_NOUNS or described[-1] in patterns.BODY_NOUNS
    return not named and is_plural(text, described)


class SpeakerResolver:
    """Fills ``Attribution.speaker`` of every statement of a doc.

    Args:
        model: the learned resolver; without it, and for docs that no encoder has read, the rules
            and their rankings decide.
    """

    def __init__(self, model: SpeakerModel | None = None) -> None:
        self.model = model

    def _made_by(self, doc: Doc) -> str:
        """Which of the two decides for a doc."""
        if self.model is None or doc._.encoding is None:
            return "speakers:rules"
        return self.model.made_by

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
        return [self._resolve(doc) for doc in docs]

    def _resolve(self, doc: Doc) -> list[Speaker]:
        if not doc._.attributions:
            return []
        if self.model is not None and doc._.encoding is not None:
            reader = make_option_reader(doc)
            return self.model.resolve(reader, doc._.attributions, doc._.encoding)
        resolver = RuleResolver(doc)
        return [resolver.resolve(attribution) for attribution in doc._.attributions]

    def set_annotations(self, docs: Sequence[Doc], values: Sequence[Sequence[Speaker]]) -> None:
        """Write the speakers into ``doc._.attributions``."""
        for doc, speakers in zip(docs, values, strict=True):
            doc._.attributions = tuple(
                replace(attribution.also_by(self._made_by(doc)), speaker=speaker)
                for attribution, speaker in zip(doc._.attributions, speakers, strict=True)
            )


def make_option_reader(doc: Doc) -> OptionReader:
    """Who may have said what in a doc, with the genders that the article shows."""
    return OptionReader(RuleResolver(doc).roster, doc._.attributions)


def make_speaker_resolver(model: str | None) -> SpeakerResolver:
    """Build the stage from a folder of trained weights, the shipped one if None.

    A folder whose model was not trained for speakers leaves the rules to decide.

    Raises:
        ModelNotFoundError: the folder is missing or damaged.
    """
    # Imported here: the rules alone need no torch.
    from onrecord.model_folder import DEFAULT_MODEL, open_model, shipped_models

    if model is None and not (shipped_models() / DEFAULT_MODEL).is_dir():
        return SpeakerResolver()
    folder = open_model(model)
    if "speakers" not in folder.config:
        return SpeakerResolver()
    from onrecord.stages.speaker_scorer import SpeakerModel

    return SpeakerResolver(SpeakerModel.from_folder(folder))
