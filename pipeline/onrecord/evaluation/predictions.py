"""What the program said about one article, in the form that the scorers compare with gold."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
from spacy.tokens import Doc

from onrecord.evaluation.gold import GoldArticle, GoldAttribution, GoldEntity
from onrecord.records import Attribution, AttributionKind, Span, Spans, Stance

_NEEDED = ("articles", "sentences", "entities", "quotes")


class RunError(ValueError):
    """A run directory that cannot be scored; the message says what is missing."""


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


def read_run_tables(directory: Path | str) -> dict[str, pa.Table]:
    """The tables of a run that evaluation reads.

    Raises:
        RunError: the directory or one of its tables is missing.
    """
    directory = Path(directory)
    tables = {}
    for name in _NEEDED:
        folder = directory / name
        if not folder.exists():
            raise RunError(
                f"{directory}: table {name!r} is missing; expected a directory that "
                "onrecord run has written"
            )
        tables[name] = ds.dataset(folder, format="parquet", exclude_invalid_files=True).to_table()
    return tables


def run_configuration(directory: Path | str) -> dict[str, Any]:
    """The content of ``run.json``, empty if the run has none."""
    path = Path(directory) / "run.json"
    if not path.is_file():
        return {}
    content = json.loads(path.read_text(encoding="utf-8"))
    return content if isinstance(content, dict) else {}


def predictions_from_tables(tables: Mapping[str, pa.Table]) -> dict[str, PredictedArticle]:
    """Articles of a run by ``article_id``, each with its rows of the other tables."""
    sentences = _by_article(tables["sentences"])
    entities = _by_article(tables["entities"])
    quotes = _by_article(tables["quotes"])
    articles = {}
    for row in tables["articles"].to_pylist():
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
        RunError: the directory is not a run.
    """
    return [as_gold(a) for a in predictions_from_tables(read_run_tables(directory)).values()]
