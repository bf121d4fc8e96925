"""The typed record of one annotated article, and the schema of every table.

Two things live here and nowhere else: the dataclasses that the stages hang on a spaCy ``Doc`` and
the Arrow schemas of the tables a run writes. All offsets are Unicode code points, half open, into
the article exactly as decoded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, NamedTuple, get_args

import pyarrow as pa
from spacy.tokens import Doc

SentenceKind = Literal["headline", "heading", "body", "list_item"]
AttributionKind = Literal["direct", "indirect", "mixed"]
Stance = Literal["defiant", "conciliatory", "mixed", "neutral"]
ErrorKind = Literal["failed", "skipped", "truncated"]

STANCES: tuple[str, ...] = get_args(Stance)
KINDS: tuple[str, ...] = get_args(AttributionKind)

# Entity labels that name somebody or something; dates, amounts and the like have no identity.
NAMED_LABELS = frozenset(
    {"PERSON", "ORG", "GPE", "NORP", "LOC", "FAC", "EVENT", "PRODUCT", "LAW", "WORK_OF_ART"}
)


class Span(NamedTuple):
    """Half-open code-point offsets into the article's text."""

    start: int
    end: int


Spans = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Article:
    """One article as read, before any annotation.

    ``published_at`` is timezone-aware or None; ``extra`` holds the input's other columns as
    JSON-serialisable values.
    """

    article_id: str
    text: str
    source_path: str = ""
    title: str | None = None
    author: str | None = None
    publisher: str | None = None
    published_at: datetime | None = None
    url: str | None = None
    language: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """One row of the ``errors`` table: an article, or an input, that was not done in full.

    ``error`` is a short class of the problem; ``message`` names the file and the value, and says
    what to do. ``article_id`` is None where the problem came before the article had one.
    """

    source_path: str
    article_id: str | None
    stage: str
    kind: ErrorKind
    error: str
    message: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, heading or list item; ``paragraph_id`` counts layout blocks from 0."""

    start: int
    end: int
    paragraph_id: int
    kind: SentenceKind


@dataclass(frozen=True, slots=True)
class Entity:
    """A named entity of one article: the fullest name given, and every other form used.

    ``entity_id`` is equal across articles exactly when the identity is safe: same full name and
    label class, or same row of the entity file. A bare surname gets an id of its article only.
    """

    entity_id: str
    name: str
    label: str
    kb_id: str | None = None
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mention:
    """An entity mention. ``entity`` is None for labels outside ``NAMED_LABELS``."""

    start: int
    end: int
    label: str
    entity: Entity | None = None


@dataclass(frozen=True, slots=True)
class Speaker:
    """Whom a statement belongs to; ``name`` None and ``how`` "unknown" where nobody is named."""

    name: str | None
    entity_id: str | None
    how: str
    score: float


UNKNOWN_SPEAKER = Speaker(name=None, entity_id=None, how="unknown", score=0.0)


@dataclass(frozen=True, slots=True)
class StanceMarks:
    """Calibrated probabilities of the two independent marks, and the label derived from them."""

    p_defiance: float
    p_conciliation: float
    label: Stance

    @property
    def score(self) -> float:
        """Conciliation minus defiance, in [-1, 1]."""
        return self.p_conciliation - self.p_defiance


@dataclass(frozen=True, slots=True)
class Attribution:
    """One attributed statement: what is said (content), by which words (cue), by whom (source).

    ``model`` names every model or rule set that made a part of the row.
    """

    content: Spans
    cue: Spans
    source: Spans
    kind: AttributionKind
    score: float
    model: str = ""
    speaker: Speaker = UNKNOWN_SPEAKER
    stance: StanceMarks | None = None

    @property
    def start(self) -> int:
        """First code point of the content; statements are listed in this order."""
        return self.content[0].start

    def also_by(self, maker: str) -> Attribution:
        """This statement with one more model or rule set named as a maker of its row."""
        return replace(self, model=f"{self.model} {maker}".strip())


def register_extensions() -> None:
    """Declare the ``Doc`` extensions that the stages assign. Safe to call repeatedly."""
    for name in ("sentences", "mentions", "attributions"):
        if not Doc.has_extension(name):
            Doc.set_extension(name, default=())
    if not Doc.has_extension("encoding"):
        Doc.set_extension("encoding", default=None)


register_extensions()


def join_spans(text: str, spans: Sequence[Span]) -> str:
    """The covered pieces of text, joined by a space where something lies between them."""
    return " ".join(text[start:end] for start, end in spans)


def _table(*columns: tuple[str, pa.DataType, str]) -> pa.Schema:
    return pa.schema(
        [pa.field(name, type_, metadata={"description": text}) for name, type_, text in columns]
    )


_SPANS = pa.list_(pa.list_(pa.int32()))
_TIME = pa.timestamp("us", tz="UTC")

# The only source of truth for the tables: writers, readers, Spark and the documentation use it.
SCHEMAS: dict[str, pa.Schema] = {
    "articles": _table(
        ("article_id", pa.string(), "Given by the input, or derived from the content; stable"),
        ("source_path", pa.string(), "File the article was read from"),
        ("title", pa.string(), "Title as given by the input or found in the page"),
        ("author", pa.string(), "Author or byline"),
        ("publisher", pa.string(), "Outlet"),
        ("published_at", _TIME, "Publication time, UTC"),
        ("url", pa.string(), "Address of the page"),
        ("language", pa.string(), "Detected language, ISO 639-1"),
        ("text", pa.string(), "The article exactly as decoded; every offset points into it"),
        ("text_sha256", pa.string(), "SHA-256 of the text in UTF-8, hexadecimal"),
        ("n_sentences", pa.int32(), "Rows of this article in sentences"),
        ("n_entities", pa.int32(), "Rows of this article in entities"),
        ("n_quotes", pa.int32(), "Rows of this article in quotes"),
        ("extra", pa.string(), "Other columns of the input, as a JSON object"),
    ),
    "sentences": _table(
        ("article_id", pa.string(), "Key of articles"),
        ("sentence_id", pa.int32(), "Position in the article, from 0"),
        ("paragraph_id", pa.int32(), "Layout block the sentence stands in, from 0"),
        ("kind", pa.string(), "headline, heading, body or list_item"),
        ("start", pa.int32(), "First code point in articles.text"),
        ("end", pa.int32(), "One past the last code point"),
        ("text", pa.string(), "Covered text"),
    ),
    "entities": _table(
        ("article_id", pa.string(), "Key of articles"),
        ("mention_id", pa.int32(), "Position in the article, from 0"),
        ("sentence_id", pa.int32(), "Sentence the mention starts in"),
        ("start", pa.int32(), "First code point in articles.text"),
        ("end", pa.int32(), "One past the last code point"),
        ("text", pa.string(), "Covered text"),
        ("label", pa.string(), "Entity type in the OntoNotes scheme"),
        ("entity_id", pa.string(), "Key of actors; null for dates, amounts and the like"),
        ("entity", pa.string(), "Fullest name the article gives, or the entity file's name"),
        ("kb_id", pa.string(), "Identifier from the entity file, for example a Wikidata item"),
    ),
    "actors": _table(
        ("entity_id", pa.string(), "One named entity of the whole run"),
        ("name", pa.string(), "Fullest name"),
        ("label", pa.string(), "Entity type in the OntoNotes scheme"),
        ("kb_id", pa.string(), "Identifier from the entity file"),
        ("aliases", pa.list_(pa.string()), "Other forms used in the articles, sorted"),
        ("n_articles", pa.int32(), "Articles that mention it"),
        ("n_mentions", pa.int32(), "Mentions in all articles"),
        ("n_quotes", pa.int32(), "Statements it makes"),
        ("n_defiant", pa.int32(), "Of these, defiant (a mixed statement counts here too)"),
        ("n_conciliatory", pa.int32(), "Of these, conciliatory (a mixed one counts here too)"),
    ),
    "quotes": _table(
        ("article_id", pa.string(), "Key of articles"),
        ("quote_id", pa.int32(), "Position in the article, from 0"),
        ("kind", pa.string(), "direct, indirect or mixed"),
        ("text", pa.string(), "Content pieces joined by a space"),
        ("content_spans", _SPANS, "What is said: list of [start, end]"),
        ("cue", pa.string(), "Words that attribute it, pieces joined by a space; null if none"),
        ("cue_spans", _SPANS, "List of [start, end]"),
        ("source", pa.string(), "Source as the reporter wrote it; null if none"),
        ("source_spans", _SPANS, "List of [start, end]"),
        ("sentence_ids", pa.list_(pa.int32()), "Sentences that content, cue or source touch"),
        ("speaker", pa.string(), "Fullest name the article gives for the source, or null"),
        ("speaker_id", pa.string(), "Key of actors, or null"),
        ("speaker_how", pa.string(), "Rule or model that named the speaker, or unknown"),
        ("attribution_score", pa.float32(), "Probability that statement and source are right"),
        ("speaker_score", pa.float32(), "Probability that the speaker is right"),
        ("stance", pa.string(), "defiant, conciliatory, mixed or neutral"),
        ("stance_score", pa.float32(), "p_conciliation minus p_defiance, in [-1, 1]"),
        ("p_defiance", pa.float32(), "Calibrated probability of defiance"),
        ("p_conciliation", pa.float32(), "Calibrated probability of conciliation"),
        (
            "model",
            pa.string(),
            'What made this row, a stage each: "stage:model-version" or "stage:rules"',
        ),
    ),
    "errors": _table(
        ("source_path", pa.string(), "File the article was read from"),
        ("article_id", pa.string(), "Key of articles where the article got that far, or null"),
        ("stage", pa.string(), "Reader or stage that reports"),
        ("kind", pa.string(), "failed, skipped or truncated"),
        ("error", pa.string(), "Class of the error or reason"),
        ("message", pa.string(), "What happened, and what to do about it"),
    ),
}

TABLES: tuple[str, ...] = tuple(SCHEMAS)
