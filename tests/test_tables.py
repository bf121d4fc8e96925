"""From docs to rows: positions, covered text, order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone

import pyarrow as pa
import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc

from fakes import load_fake, make_article
from onrecord.actors import merge_actors
from onrecord.annotation import annotate_articles
from onrecord.records import (
    SCHEMAS,
    Article,
    Attribution,
    Entity,
    Mention,
    Sentence,
    Span,
    Speaker,
    StanceMarks,
)
from onrecord.tables import OffsetError, article_rows, concat_sorted, to_tables

NLP = load_fake()
TEXT = "Talks end\n“Never”, said Ada Ruiz. “Not now, not later.”"


def annotated(text: str = TEXT, attributions: Sequence[Attribution] = ()) -> Doc:
    doc = spacy.blank("en").make_doc(text)
    doc._.sentences = (
        Sentence(0, 9, 0, "headline"),
        Sentence(10, 33, 1, "body"),
        Sentence(34, 55, 1, "body"),
    )
    doc._.attributions = tuple(attributions)
    return doc


def statement(**changes: object) -> Attribution:
    fields: dict[str, object] = {
        "content": (Span(11, 16), Span(35, 54)),
        "cue": (Span(19, 23),),
        "source": (Span(24, 32),),
        "kind": "direct",
        "score": 0.75,
        "model": "rules-1",
        "speaker": Speaker("Ada Ruiz", "person:ada-ruiz", "name", 1.0),
        "stance": StanceMarks(0.75, 0.25, "defiant"),
    }
    return Attribution(**{**fields, **changes})  # type: ignore[arg-type]


def test_a_statement_becomes_one_row_with_all_it_touches() -> None:
    rows = article_rows(Article("a1", TEXT), annotated(attributions=[statement()]))
    assert rows["quotes"] == [
        {
            "article_id": "a1",
            "quote_id": 0,
            "kind": "direct",
            "text": "Never Not now, not later.",
            "content_spans": [[11, 16], [35, 54]],
            "cue": "said",
            "cue_spans": [[19, 23]],
            "source": "Ada Ruiz",
            "source_spans": [[24, 32]],
            "sentence_ids": [1, 2],
            "speaker": "Ada Ruiz",
            "speaker_id": "person:ada-ruiz",
            "speaker_how": "name",
            "attribution_score": 0.75,
            "speaker_score": 1.0,
            "stance": "defiant",
            "stance_score": -0.5,
            "p_defiance": 0.75,
            "p_conciliation": 0.25,
            "model": "rules-1",
        }
    ]
    assert rows["articles"][0]["n_quotes"] == 1
    assert [row["text"] for row in rows["sentences"]] == [
        "Talks end",
        "“Never”, said Ada Ruiz.",
        "“Not now, not later.”",
    ]


def test_what_is_missing_is_null() -> None:
    bare = Attribution(content=(Span(11, 16),), cue=(), source=(), kind="direct", score=0.5)
    (row,) = article_rows(Article("a1", TEXT), annotated(attributions=[bare]))["quotes"]
    names = ("cue", "source", "speaker", "speaker_id", "stance", "stance_score", "p_defiance")
    assert {name: row[name] for name in names} == dict.fromkeys(names)
    assert row["speaker_how"] == "unknown"
    assert row["cue_spans"] == []


def test_mentions_are_listed_by_position_and_know_their_sentence() -> None:
    doc = annotated()
    ruiz = Entity("person:ada-ruiz", "Ada Ruiz", "PERSON", "Q1")
    doc._.mentions = (Mention(24, 32, "PERSON", ruiz), Mention(0, 5, "EVENT"))
    rows = article_rows(Article("a1", TEXT), doc)["entities"]
    assert [(row["mention_id"], row["text"], row["sentence_id"]) for row in rows] == [
        (0, "Talks", 0),
        (1, "Ada Ruiz", 1),
    ]
    assert [row["entity_id"] for row in rows] == [None, "person:ada-ruiz"]
    assert rows[1]["kb_id"] == "Q1"


@pytest.mark.parametrize("span", [Span(-1, 4), Span(5, 5), Span(40, 4000), Span(9, 3)])
def test_a_span_outside_the_text_is_refused(span: Span) -> None:
    with pytest.raises(OffsetError, match="does not lie inside the text of 55 characters"):
        article_rows(Article("a1", TEXT), annotated(attributions=[statement(content=(span,))]))


def test_times_are_stored_in_utc() -> None:
    local = datetime(2026, 3, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    article = Article("a1", TEXT, published_at=local)
    table = to_tables(article_rows(article, None))["articles"]
    assert table["published_at"].to_pylist() == [datetime(2026, 2, 28, 23, 30, tzinfo=UTC)]


def test_every_table_has_exactly_the_schema_of_the_contract() -> None:
    tables = annotate_articles(NLP, [make_article(1)]).tables
    for name, table in tables.items():
        assert table.schema.equals(SCHEMAS[name]), name
    empty = annotate_articles(NLP, []).tables
    assert {name: table.schema for name, table in empty.items()} == {
        name: table.schema for name, table in tables.items()
    }


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 30), unique=True, max_size=12), st.integers(1, 5))
def test_tables_do_not_depend_on_order_or_batches(numbers: list[int], size: int) -> None:
    articles = [make_article(number) for number in numbers]
    one = annotate_articles(NLP, sorted(articles, key=lambda a: a.article_id)).tables
    several = [
        annotate_articles(NLP, articles[at : at + size]).tables
        for at in range(0, len(articles), size)
    ]
    for name, table in one.items():
        assert concat_sorted(name, [part[name] for part in several]).equals(table), name


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80))
def test_offsets_point_into_the_text_as_given(text: str) -> None:
    article = Article("a1", text, language="en")
    tables = annotate_articles(NLP, [article]).tables
    (stored,) = tables["articles"]["text"].to_pylist()
    assert stored == text
    for name in ("sentences", "entities"):
        for row in tables[name].to_pylist():
            assert text[row["start"] : row["end"]] == row["text"]
    assert tables["errors"].num_rows == 0


def _parts(*articles: Article) -> tuple[pa.Table, pa.Table]:
    tables = annotate_articles(NLP, articles).tables
    return tables["entities"], tables["quotes"]


def test_actors_count_articles_mentions_and_postures_over_all_parts() -> None:
    mixed = Article(
        "b1",
        "Ortiz speaks\n“We refuse, but we welcome the offer”, said Ortiz.\n“Noon”, said Ortiz.",
        language="en",
    )
    batches = merge_actors([_parts(make_article(0), make_article(1)), _parts(mixed)])
    rows = pa.Table.from_batches(batches, SCHEMAS["actors"]).to_pylist()
    assert [row["entity_id"] for row in rows] == ["person:lindqvist", "person:ortiz"]
    ortiz = rows[1]
    counted = ("n_articles", "n_mentions", "n_quotes", "n_defiant", "n_conciliatory")
    assert [ortiz[name] for name in counted] == [2, 4, 3, 2, 1]


def test_an_actor_has_its_commonest_name_and_the_other_forms_as_aliases() -> None:
    rows = [
        {"article_id": f"a{number}", "text": text, "label": label, "entity_id": "person:x",
         "entity": name, "kb_id": None}
        for number, (text, name, label) in enumerate(
            [
                ("Nicolás\nMaduro", "Nicolás Maduro", "PERSON"),
                ("Maduro", "Nicolás Maduro", "PERSON"),
                ("Nicolas Maduro", "Nicolas Maduro", "ORG"),
            ]
        )
    ]  # fmt: skip
    entities = pa.Table.from_pylist(rows, schema=SCHEMAS["entities"])
    batches = merge_actors([(entities, SCHEMAS["quotes"].empty_table())])
    (actor,) = pa.Table.from_batches(batches, SCHEMAS["actors"]).to_pylist()
    assert (actor["name"], actor["label"]) == ("Nicolás Maduro", "PERSON")
    assert actor["aliases"] == ["Maduro", "Nicolas Maduro"]
