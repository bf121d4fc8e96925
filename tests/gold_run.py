"""Runs made without models: of the gold of corpus/, and of articles written by a machine."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import spacy
from spacy.language import Language
from spacy.tokens import Doc

from onrecord.actors import merge_actors
from onrecord.batch.directory import RunDirectory, Shard
from onrecord.batch.durable import write_parquet
from onrecord.evaluation.gold import GoldArticle, GoldAttribution, read_gold
from onrecord.records import (
    SCHEMAS,
    Article,
    Attribution,
    Entity,
    ErrorRow,
    Mention,
    Sentence,
    SentenceKind,
    Span,
    Speaker,
    StanceMarks,
)
from onrecord.runs import Run
from onrecord.tables import (
    ARTICLE_TABLES,
    SORT_KEYS,
    Row,
    Tables,
    article_rows,
    concat_sorted,
    error_row,
    to_tables,
)

GOLD = Path(__file__).resolve().parents[1] / "corpus" / "gold"
INFO: dict[str, Any] = {
    "onrecord": "0.1.0",
    # No pipeline made it.
    "config": {"model": "none"},
    "sessions": [{"finished_at": "2026-11-23T18:04:00+00:00"}],
}
_OUTLETS = ("Continental Press", "The Morning Ledger", "Isthmus Wire", "Harbour Post")
_FIRST_DAY = datetime(2026, 9, 28, 7, 30, tzinfo=UTC)


def make_run(pairs: Iterable[tuple[Article, Doc | None]], errors: Iterable[ErrorRow] = ()) -> Run:
    """A run in memory of annotated docs."""
    parts = [to_tables(article_rows(article, doc)) for article, doc in pairs]
    parts.append(to_tables({"errors": [error_row(error) for error in errors]}))
    tables: Tables = {
        name: concat_sorted(name, (part[name] for part in parts)) for name in ARTICLE_TABLES
    }
    actors = merge_actors([(tables["entities"], tables["quotes"])])
    tables["actors"] = pa.Table.from_batches(actors, schema=SCHEMAS["actors"])
    return Run(tables.__getitem__, INFO)


def write_run(run: Run, path: Path) -> Path:
    """Write a run as onrecord run does."""
    tables = {name: run.table(name) for name in SORT_KEYS}
    with RunDirectory(path) as directory:
        directory.begin({"onrecord": "0.1.0"})
        shard = directory.commit_shard(Shard(0, {}, len(run.articles), 0, {}), tables)
        actors = directory.work / "actors.parquet"
        write_parquet(actors, tables["actors"])
        directory.publish({0: shard}, actors, {**INFO, "parts": [shard.files]})
    return path


@cache
def gold_run() -> Run:
    """The gold of corpus/ as a run; scores, dates and outlets are made up, and stay the same."""
    articles = read_gold(GOLD).articles
    error = ErrorRow("corpus/scan.txt", None, "read", "failed", "EmptyFile", "the file is empty")
    return make_run([_gold_pair(article, place) for place, article in enumerate(articles)], [error])


def _gold_pair(gold: GoldArticle, place: int) -> tuple[Article, Doc]:
    doc = _blank().make_doc(gold.text)
    entities = {e.entity: _entity(e.entity, e.label) for e in gold.entities or () if e.entity}
    doc._.mentions = tuple(
        Mention(e.start, e.end, e.label, entities.get(e.entity)) for e in gold.entities or ()
    )
    doc._.sentences = tuple(
        Sentence(start, end, number, _kind(number, gold.text[start:end]))
        for number, (start, end) in enumerate(gold.sentences or ())
    )
    doc._.attributions = tuple(_attribution(gold, a, entities) for a in gold.attributions or ())
    article = Article(
        gold.id,
        gold.text,
        source_path=f"corpus/articles/{gold.id}.txt",
        title=gold.extra["title"],
        publisher=_OUTLETS[place % len(_OUTLETS)],
        published_at=_FIRST_DAY + timedelta(days=5 * place, hours=place),
    )
    return article, doc


@cache
def _blank() -> Language:
    return spacy.blank("en")


def _kind(number: int, text: str) -> SentenceKind:
    if number == 0:
        return "headline"
    return "body" if text[-1] in ".?!:”’\"'" or len(text) > 80 else "heading"


def _entity(name: str, label: str) -> Entity:
    group = {"PERSON": "person", "GPE": "place", "LOC": "place", "FAC": "place"}.get(label, "org")
    return Entity(f"{group}:{re.sub(r'[^a-z]+', '-', name.lower())}", name, label)


def _attribution(
    gold: GoldArticle, labelled: GoldAttribution, entities: dict[str, Entity]
) -> Attribution:
    chance = random.Random(gold.text[slice(*labelled.content[0])])  # noqa: S311
    high, low = chance.uniform(0.62, 0.98), chance.uniform(0.01, 0.3)
    defiant = labelled.stance in ("defiant", "mixed")
    conciliatory = labelled.stance in ("conciliatory", "mixed")
    stance = StanceMarks(
        high if defiant else low,
        chance.uniform(0.6, 0.97) if conciliatory else chance.uniform(0.01, 0.2),
        labelled.stance or "neutral",
    )
    entity = entities.get(labelled.speaker or "")
    speaker = Speaker(
        labelled.speaker,
        entity.entity_id if entity else None,
        "name" if labelled.speaker else "unknown",
        chance.uniform(0.7, 0.99) if labelled.speaker else 0.0,
    )
    return Attribution(
        labelled.content,
        labelled.cue,
        labelled.source,
        labelled.kind or "indirect",
        chance.uniform(0.5, 0.99),
        "onrecord-en 0.1.0",
        speaker,
        stance,
    )


def big_run(n_articles: int, source: Run | None = None) -> Run:
    """A run of so many articles: those of ``source``, with other ids, dates, outlets and names."""
    source = source or gold_run()
    seed = {name: source.table(name).to_pylist() for name in ARTICLE_TABLES}
    by_article: dict[str, dict[str, list[Row]]] = {}
    for name in ("sentences", "entities", "quotes"):
        for row in seed[name]:
            by_article.setdefault(row["article_id"], {}).setdefault(name, []).append(row)
    rows: dict[str, list[Row]] = {name: [] for name in ARTICLE_TABLES}
    for number in range(n_articles):
        article = seed["articles"][number % len(seed["articles"])]
        changed = {"article_id": f"a{number:05d}"}
        rows["articles"].append(
            article
            | changed
            | {
                "title": f"{article['title']} ({number})",
                "publisher": f"Outlet {number % 40}",
                "published_at": _FIRST_DAY - timedelta(hours=7 * number),
            }
        )
        group = f" {number // 60}"
        for name, found in by_article[article["article_id"]].items():
            for row in found:
                named = name == "quotes" and row["speaker"] is not None
                names = {"speaker": row["speaker"] + group, "speaker_id": None} if named else {}
                rows[name].append(row | changed | names)
    tables = to_tables(rows)
    tables["actors"] = SCHEMAS["actors"].empty_table()
    return Run(tables.__getitem__, INFO)


def simple_article(
    text: str,
    spans: Iterable[tuple[str, str, str]],
    *,
    article_id: str = "a1",
    stance: str = "defiant",
    named: Iterable[str] = (),
    **fields: Any,
) -> tuple[Article, Doc]:
    """An article with statements given as (content, cue, source), found in the text.

    Mentions are those of the sources, and of ``named``.
    """
    doc = _blank().make_doc(text)
    lines = [m.span() for m in re.finditer(r"[^\n]+", text)]
    doc._.sentences = tuple(Sentence(s, e, i, "body") for i, (s, e) in enumerate(lines))
    marks = {
        "defiant": StanceMarks(0.9, 0.05, "defiant"),
        "conciliatory": StanceMarks(0.05, 0.9, "conciliatory"),
    }
    doc._.mentions = tuple(
        Mention(m.start(), m.end(), "PERSON", _entity(name, "PERSON"))
        for name in {source for _, _, source in spans} | set(named)
        for m in re.finditer(re.escape(name), text)
    )
    doc._.attributions = tuple(
        Attribution(
            content=(_find(text, content),),
            cue=(_find(text, cue),),
            source=(_find(text, source),),
            kind="direct",
            score=0.9,
            model="test",
            speaker=Speaker(source, _entity(source, "PERSON").entity_id, "name", 0.9),
            stance=marks[stance],
        )
        for content, cue, source in spans
    )
    return Article(article_id, text, **fields), doc


def _find(text: str, piece: str) -> Span:
    start = text.index(piece)
    return Span(start, start + len(piece))
