"""Reading runs back, and analysing texts in memory."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
import spacy
from spacy import displacy

import onrecord
from fakes import load_fake, make_article
from onrecord.batch import RunOptions, run_batch
from onrecord.readers import InputError, derive_id
from onrecord.records import SCHEMAS, STANCES
from onrecord.runs import IncompleteRunError, Run

ARTICLES = [make_article(number) for number in range(8)]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run over eight articles in three shards."""
    folder = tmp_path_factory.mktemp("run")
    news = folder / "news.jsonl"
    rows = pd.DataFrame(
        {"id": [a.article_id for a in ARTICLES], "text": [a.text for a in ARTICLES]}
    )
    rows.to_json(news, orient="records", lines=True)
    run_batch([news], folder / "out", RunOptions(workers=0, shard_size=3), load_pipeline=load_fake)
    return folder / "out"


def test_every_table_is_a_data_frame_with_the_columns_of_the_contract(out: Path) -> None:
    run = onrecord.read_run(out)
    for name, schema in SCHEMAS.items():
        frame = getattr(run, name)
        assert list(frame.columns) == schema.names, name
    assert run.quotes.speaker.value_counts().to_dict() == {"Ortiz": 3, "Lindqvist": 3, "Okafor": 2}
    assert run.articles.article_id.is_monotonic_increasing
    assert run.info["counts"]["articles"] == 8
    assert repr(run).startswith("<onrecord.Run: 8 articles, 24 sentences")


def test_columns_have_types_that_a_notebook_can_use(out: Path) -> None:
    run = onrecord.read_run(out)
    assert list(run.quotes.stance.cat.categories) == list(STANCES)
    assert run.quotes.stance.value_counts()["mixed"] == 0
    assert list(run.quotes.kind.cat.categories) == ["direct", "indirect", "mixed"]
    assert list(run.errors.kind.cat.categories) == ["failed", "skipped", "truncated"]
    assert "list_item" in run.sentences.kind.cat.categories
    assert str(run.articles.published_at.dtype) == "datetime64[us, UTC]"
    texts = run.articles.set_index("article_id").text
    for quote in run.quotes.itertuples():
        assert isinstance(quote.content_spans, list)
        pieces = [texts[quote.article_id][start:end] for start, end in quote.content_spans]
        assert " ".join(pieces) == quote.text
        assert quote.sentence_ids == sorted(quote.sentence_ids)
    assert all(isinstance(aliases, list) for aliases in run.actors.aliases)


def test_analyze_gives_the_tables_of_a_run(out: Path) -> None:
    found = onrecord.analyze(reversed(ARTICLES), nlp=load_fake(), batch_size=3)
    run = onrecord.read_run(out)
    for name in ("sentences", "entities", "actors", "quotes", "errors"):
        assert found.table(name).equals(run.table(name)), name


@pytest.mark.parametrize("form", ["text", "texts", "rows", "frame"])
def test_analyze_takes_texts_rows_and_frames(form: str) -> None:
    text = ARTICLES[0].text
    given = {
        "text": text,
        "texts": [text],
        "rows": [{"body": text, "headline": "Talks"}],
        "frame": pd.DataFrame({"body": [text], "headline": ["Talks"]}),
    }[form]
    articles = onrecord.analyze(given, nlp=load_fake()).articles
    assert articles.article_id.tolist() == [derive_id(text)]
    assert articles.title.tolist() == (["Talks"] if form in ("rows", "frame") else [None])


def test_analyze_reports_what_it_cannot_do() -> None:
    run = onrecord.analyze(["", ARTICLES[0].text, ARTICLES[0].text], nlp=load_fake())
    assert run.errors.error.tolist() == ["EmptyText", "DuplicateId"]
    assert len(run.articles) == 1
    with pytest.raises(InputError, match="text number 0 is of type int"):
        onrecord.analyze([3], nlp=load_fake())  # type: ignore[list-item]
    with pytest.raises(TypeError, match="either nlp or attribution"):
        onrecord.analyze(["x"], nlp=load_fake(), attribution="rules")


@pytest.mark.parametrize(
    "damage",
    [
        *("no directory", "empty", "no run.json", "lost part", "cut part"),
        *("lost actors", "cut actors", "other actors"),
    ],
)
def test_half_a_run_is_never_read(out: Path, tmp_path: Path, damage: str) -> None:
    copy = tmp_path / "copy"
    if damage == "empty":
        copy.mkdir()
    elif damage != "no directory":
        shutil.copytree(out, copy)
    part = copy / "quotes" / "part-00001.parquet"
    actors = copy / "actors" / "part-00000.parquet"
    if damage == "no run.json":
        (copy / "run.json").unlink()
    elif damage == "lost part":
        part.unlink()
    elif damage == "cut part":
        part.write_bytes(part.read_bytes()[:-10])
    elif damage == "lost actors":
        actors.unlink()
    elif damage == "cut actors":
        actors.write_bytes(actors.read_bytes()[:-10])
    elif damage == "other actors":
        pq.write_table(SCHEMAS["actors"].empty_table(), actors)
    with pytest.raises(IncompleteRunError, match=r"onrecord run|--overwrite"):
        onrecord.read_run(copy)


def test_spacy_docs_carry_the_annotations(out: Path) -> None:
    docs = list(onrecord.read_run(out).spacy_docs().get_docs(spacy.blank("en").vocab))
    assert [doc.text for doc in docs] == [article.text for article in ARTICLES]
    first = docs[0]
    assert [span.text for span in first.spans["content"]] == ["We will never sign this paper"]
    assert [span.label_ for span in first.spans["content"]] == ["defiant"]
    assert [span.id_ for span in first.spans["content"]] == ["person:ortiz"]
    assert [span.text for span in first.spans["source"]] == ["Ortiz"]
    assert [(ent.text, ent.label_) for ent in first.ents] == [("Ortiz", "PERSON")]
    assert len(list(first.sents)) == 3
    assert first.user_data["article_id"] == "a0000"


def test_displacy_shows_the_statements_without_being_told_where_they_are(out: Path) -> None:
    docs = onrecord.read_run(out).spacy_docs().get_docs(spacy.blank("en").vocab)
    first = next(docs)
    assert [(span.text, span.label_, span.id_) for span in first.spans["sc"]] == [
        ("We will never sign this paper", "content", "person:ortiz"),
        ("said", "cue", "person:ortiz"),
        ("Ortiz", "source", "person:ortiz"),
    ]
    drawn = displacy.render(first, style="span", jupyter=False)
    for part in ("content", "cue", "source"):
        assert re.search(rf">\s*{part}\s*<", drawn)


def test_duckdb_gets_every_table(out: Path, tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    path = onrecord.read_run(out).to_duckdb(tmp_path / "run.duckdb")
    with duckdb.connect(str(path), read_only=True) as database:
        rows = database.sql(
            "SELECT speaker, COUNT(*) FROM quotes JOIN articles USING (article_id) "
            "WHERE stance = 'defiant' GROUP BY speaker"
        ).fetchall()
    assert rows == [("Ortiz", 3)]


def test_importing_the_package_is_fast() -> None:
    code = "import onrecord, sys; sys.exit(bool({'spacy', 'torch', 'pandas'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_public_face_is_there() -> None:
    for name in onrecord.__all__:
        assert getattr(onrecord, name) is not None
    assert isinstance(onrecord.analyze([], nlp=load_fake()), Run)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = onrecord.nonsense
