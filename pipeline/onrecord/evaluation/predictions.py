"""What the program said about one article, in the form that the scorers compare with gold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from spacy.tokens import Doc

from onrecord.evaluation.gold import GoldArticle, GoldAttribution, GoldEntity
from onrecord.records import Attribution, AttributionKind, Span, Spans, Stance
from onrecord.runs import read_run


@dataclass(frozen=True, slots=True)
class PredictedAttribution:
    """A predicted statement. ``speaker`` None says unknown; ``stance`` None, that none was given.

    Scores and marks are probabilities; ``speaker_score`` is that of the named speaker.
    """

    content: Spans
    cue: Spans
    source: Spans
    kind: AttributionKind
    score: float
    speaker: str | None = None
    speaker_score: float = 0.0
    stance: Stance | None = None
    p_defiance: float = 0.0
    p_conciliation: float = 0.0


@dataclass(frozen=True, slots=True)
class Prediction:
    """Every layer of one article as predicted."""

    sentences: tuple[Span, ...] = ()
    entities: tuple[GoldEntity, ...] = ()
    attributions: tuple[PredictedAttribution, ...] = ()

    @classmethod
    def from_doc(cls, doc: Doc) -> Prediction:
        """The layers that the stages hung on a ``Doc``."""
        return cls(
            tuple(Span(s.start, s.end) for s in doc._.sentences),
            tuple(
                GoldEntity(m.start, m.end, m.label, None if m.entity is None else m.entity.name)
                for m in doc._.mentions
            ),
            tuple(_from_record(a) for a in doc._.attributions),
        )


def _from_record(attribution: Attribution) -> PredictedAttribution:
    marks = attribution.stance
    return PredictedAttribution(
        attribution.content,
        attribution.cue,
        attribution.source,
        attribution.kind,
        attribution.score,
        attribution.speaker.name,
        attribution.speaker.score,
        None if marks is None else marks.label,
        0.0 if marks is None else marks.p_defiance,
        0.0 if marks is None else marks.p_conciliation,
    )


@dataclass(frozen=True, slots=True)
class PredictedArticle:
    """An article of a run with its prediction; ``row`` is its row of the ``articles`` table."""

    id: str
    text: str
    prediction: Prediction
    row: Mapping[str, Any]


def predictions_from_tables(table: Callable[[str], pa.Table]) -> dict[str, PredictedArticle]:
    """Articles by ``article_id``, each with its rows of the other tables.

    Args:
        table: gives a table by name, as ``onrecord.read_run(DIR).table`` does.
    """
    sentences, entities, quotes = map(_by_article, map(table, ("sentences", "entities", "quotes")))
    articles = {}
    for row in table("articles").to_pylist():
        key = row["article_id"]
        prediction = Prediction(
            tuple(Span(r["start"], r["end"]) for r in sentences.get(key, ())),
            tuple(
                GoldEntity(r["start"], r["end"], r["label"], r["entity"])
                for r in entities.get(key, ())
            ),
            tuple(_from_quote(r) for r in quotes.get(key, ())),
        )
        articles[key] = PredictedArticle(key, row["text"], prediction, row)
    return articles


def _by_article(table: pa.Table) -> dict[str, list[dict[str, Any]]]:
    grouped: dict[str, list[dict[str, Any]]] = {}
    for row in table.to_pylist():
        grouped.setdefault(row["article_id"], []).append(row)
    return grouped


def _from_quote(row: Mapping[str, Any]) -> PredictedAttribution:
    return PredictedAttribution(
        _spans(row["content_spans"]),
        _spans(row["cue_spans"]),
        _spans(row["source_spans"]),
        row["kind"],
        _number(row["attribution_score"]),
        row["speaker"],
        _number(row["speaker_score"]),
        row["stance"],
        _number(row["p_defiance"]),
        _number(row["p_conciliation"]),
    )


def _spans(pairs: Iterable[Iterable[int]] | None) -> Spans:
    return tuple(Span(*pair) for pair in pairs or ())


def _number(value: float | None) -> float:
    return 0.0 if value is None else float(value)


# Columns of the articles table that travel with exported articles.
_CARRIED = ("title", "author", "publisher", "url")


def as_gold(article: PredictedArticle) -> GoldArticle:
    """The prediction in the form of a gold article, to be corrected in an annotation tool."""
    row = article.row
    extra = {name: row[name] for name in _CARRIED if row.get(name)}
    if row.get("published_at") is not None:
        extra["published_at"] = row["published_at"].isoformat()
    prediction = article.prediction
    return GoldArticle(
        id=article.id,
        text=article.text,
        sentences=prediction.sentences,
        entities=prediction.entities,
        attributions=tuple(
            GoldAttribution(a.content, a.cue, a.source, a.speaker, True, a.kind, a.stance)
            for a in prediction.attributions
        ),
        extra=extra,
    )


def gold_from_run(directory: Path | str) -> list[GoldArticle]:
    """Every article of a run, as pre-annotated gold in the order of the run.

    Raises:
        IncompleteRunError: the directory holds no finished run.
    """
    return [as_gold(a) for a in predictions_from_tables(read_run(directory).table).values()]
