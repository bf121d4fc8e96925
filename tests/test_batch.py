"""Runs that survive: failing stages, dying workers, full disks, kill -9, and the same tables."""

from __future__ import annotations

import contextlib
import errno
import functools
import io
import itertools
import json
import multiprocessing
import os
import random
import resource
import shutil
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from fakes import STAGES, load_broken, load_fake, load_slow, load_unsteady, make_article
from onrecord.annotation import AnnotatedBatch, annotate_articles
from onrecord.batch import RunError, RunOptions, RunSummary, run_batch
from onrecord.batch.cores import usable_cores
from onrecord.batch.csv_tables import write_csv
from onrecord.batch.directory import RunDirectory
from onrecord.batch.job import cut_batches
from onrecord.batch.plan import KnownArticle, Plan
from onrecord.batch.workers import Death, PipelineSpec, Task, WorkerError, WorkerPool
from onrecord.readers import InputError, text_sha256
from onrecord.records import SCHEMAS, Article, ErrorRow
from onrecord.runs import IncompleteRunError, read_run
from waiting import eventually

HERE = RunOptions(workers=0, batch_size=4, shard_size=5)
WriteJsonl = Callable[..., Path]


def run_fake(inputs: Path | Sequence[Path], out: Path, **changes: Any) -> RunSummary:
    flags = {
        name: changes.pop(name) for name in ("resume", "overwrite", "append") if name in changes
    }
    given = [inputs] if isinstance(inputs, Path) else inputs
    options = HERE.model_copy(update=changes)
    return run_batch(given, out, options, load_pipeline=load_fake, **flags)


def tables(out: Path) -> dict[str, pa.Table]:
    run = read_run(out)
    return {name: run.table(name) for name in SCHEMAS}


def assert_same(out: Path, expected: dict[str, pa.Table]) -> None:
    found = tables(out)
    for name in SCHEMAS:
        assert found[name].equals(expected[name]), name


def errors(out: Path) -> list[tuple[str, str, str, str]]:
    rows = read_run(out).table("errors").to_pylist()
    return [(row["article_id"], row["stage"], row["kind"], row["error"]) for row in rows]


# --- one batch ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("failing", "lost", "kept"),
    [
        ("stance", (), ("sentences", "entities", "quotes")),
        ("quotes", ("quotes",), ("sentences", "entities")),
        ("entities", ("entities",), ("sentences", "quotes")),
        ("sentences", ("sentences", "entities", "quotes"), ()),
    ],
)
def test_an_article_that_breaks_one_stage_keeps_the_others(
    fake_nlp: Any, failing: str, lost: Iterable[str], kept: Iterable[str]
) -> None:
    batch = [make_article(1), make_article(2, f"FAIL:{failing}"), make_article(3)]
    done = annotate_articles(fake_nlp, batch)
    (error,) = done.errors
    assert (error["article_id"], error["stage"]) == ("a0002", f"fake_{failing}")
    assert error["message"].startswith(f"asked to fail in {failing}")
    ids = {name: table["article_id"].to_pylist() for name, table in done.tables.items()}
    assert ids["articles"] == ["a0001", "a0002", "a0003"]
    for name in lost:
        assert "a0002" not in ids[name]
    for name in kept:
        assert "a0002" in ids[name]
    assert {"a0001", "a0003"} <= set(ids["quotes"])


def test_a_failed_stage_names_the_stages_that_could_not_run(fake_nlp: Any) -> None:
    done = annotate_articles(fake_nlp, [make_article(1, "FAIL:quotes")])
    assert "not run without it: fake_stance" in done.errors[0]["message"]


def test_statements_without_a_stance_have_none(fake_nlp: Any) -> None:
    done = annotate_articles(fake_nlp, [make_article(0, "FAIL:stance")])
    (quote,) = done.tables["quotes"].to_pylist()
    assert (quote["stance"], quote["p_defiance"]) == (None, None)


FRENCH = (
    "Le ministre a déclaré mardi que les négociations avec le syndicat des dockers avaient "
    "échoué. « Nous ne signerons jamais ce texte », a-t-il ajouté devant la presse."
)


@pytest.mark.parametrize(("language", "annotated"), [("en", False), ("fr", True), ("any", True)])
def test_articles_in_another_language_are_skipped(
    fake_nlp: Any, language: str, annotated: bool
) -> None:
    done = annotate_articles(fake_nlp, [Article("f1", FRENCH)], language=language)
    assert done.tables["articles"]["language"].to_pylist() == ["fr"] * annotated
    assert [row["error"] for row in done.errors] == ["OtherLanguage"] * (not annotated)


def test_text_that_no_table_can_hold_is_an_error_row(fake_nlp: Any) -> None:
    done = annotate_articles(fake_nlp, [Article("s1", "half a pair: \ud83d", language="en")])
    assert [row["error"] for row in done.errors] == ["UnicodeEncodeError"]
    assert done.tables["articles"].num_rows == 0


def test_batches_hold_articles_of_like_length_and_bounded_text() -> None:
    articles = [Article(f"n{n}", "x" * n) for n in (10, 150_000, 30, 120_000, 20)]
    lengths = [[len(a.text) for a in batch] for batch in cut_batches(articles, 2)]
    assert lengths == [[150_000], [120_000, 30], [20, 10]]


# --- planning -------------------------------------------------------------------------------------


def _planned(path: Path, items: Sequence[Article | ErrorRow], known: Any = ()) -> Any:
    path.unlink(missing_ok=True)
    plan = Plan.write(path, items, known)
    found = plan.articles(0, 100)
    problems = sorted((row.article_id, row.source_path, row.error) for row in plan.errors())
    plan.close()
    return found, problems


def test_duplicates_are_the_same_ones_in_any_order(tmp_path: Path) -> None:
    items = [
        Article("a", "first text", "1.txt"),
        Article("a", "second text", "2.txt"),  # same id
        Article("b", "second text", "3.txt"),  # its text is free again
        Article("c", "first text", "4.txt"),  # same text as a
        Article("a", "first text", "9.txt"),  # both
    ]
    expected = _planned(tmp_path / "plan", items)
    assert [article.source_path for article in expected[0]] == ["1.txt", "3.txt"]
    assert expected[1] == [
        ("a", "2.txt", "DuplicateId"),
        ("a", "9.txt", "DuplicateText"),
        ("c", "4.txt", "DuplicateText"),
    ]
    for seed in range(10):
        shuffled = random.Random(seed).sample(items, len(items))  # noqa: S311
        assert _planned(tmp_path / "plan", shuffled) == expected


def test_what_the_run_has_is_not_planned_again(tmp_path: Path) -> None:
    old = Article("a", "first text", "1.txt")
    known = [KnownArticle("a", "1.txt", text_sha256(old.text))]
    items = [old, Article("b", "first text", "2.txt"), Article("a", "new text", "1.txt")]
    found, problems = _planned(tmp_path / "plan", [*items, Article("c", "news", "")], known)
    assert [article.article_id for article in found] == ["c"]
    assert problems == [("a", "1.txt", "DuplicateId"), ("b", "2.txt", "DuplicateText")]


# --- whole runs -----------------------------------------------------------------------------------


def test_the_same_tables_whatever_the_order_batches_and_shards(
    tmp_path: Path, write_jsonl: WriteJsonl
) -> None:
    articles = [make_article(number) for number in range(23)]
    news = write_jsonl([*articles, replace(articles[3], article_id="z3")])
    run_fake(news, tmp_path / "one", shard_size=100, batch_size=16)
    expected = tables(tmp_path / "one")
    assert errors(tmp_path / "one") == [("z3", "read", "skipped", "DuplicateText")]
    write_jsonl([replace(articles[3], article_id="z3"), *reversed(articles)])
    run_fake(news, tmp_path / "two", shard_size=4, batch_size=3)
    assert_same(tmp_path / "two", expected)


def test_run_json_says_what_made_the_tables(tmp_path: Path, write_jsonl: WriteJsonl) -> None:
    summary = run_fake(write_jsonl(map(make_article, range(7))), tmp_path / "out")
    info = json.loads((tmp_path / "out" / "run.json").read_text())
    assert info["status"] == "complete"
    assert info["counts"] == summary.counts
    assert summary.counts["articles"] == 7
    assert info["identity"]["spacy_model"]["version"] == "3.8.0"
    assert info["versions"]["pyarrow"] == pa.__version__
    assert info["sessions"][0]["config"]["shard_size"] == 5
    stages = list(info["seconds_by_stage"])
    assert stages[:3] == ["read", "language", "tokenizer"]
    assert {"tables", "commit", "merge", *STAGES} <= set(stages)
    log = [json.loads(line) for line in (tmp_path / "out" / "run.log").read_text().splitlines()]
    assert [line["event"] for line in log] == ["start", "planned", "shard", "shard", "finish"]
    assert not (tmp_path / "out" / ".work").exists()


def test_input_that_gives_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(RunError, match=r"empty: no article found"):
        run_fake(tmp_path / "empty", tmp_path / "out")
    with pytest.raises(InputError, match="missing"):
        run_fake(tmp_path / "missing", tmp_path / "out")


def test_input_of_which_nothing_can_be_read_still_makes_a_run(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("")
    summary = run_fake(tmp_path / "empty.txt", tmp_path / "out")
    assert (summary.counts["articles"], summary.n_errors) == (0, 1)
    assert read_run(tmp_path / "out").articles.empty


def test_a_directory_with_a_run_is_left_alone(tmp_path: Path, write_jsonl: WriteJsonl) -> None:
    news = write_jsonl([make_article(1)])
    run_fake(news, tmp_path / "out")
    with pytest.raises(RunError, match="already holds a run"):
        run_fake(news, tmp_path / "out")
    other = write_jsonl([make_article(2)], "other.jsonl")
    with pytest.raises(RunError, match="read other input; add this with --append"):
        run_fake(other, tmp_path / "out", resume=True)
    run_fake(other, tmp_path / "out", overwrite=True)
    assert read_run(tmp_path / "out").articles.article_id.tolist() == ["a0002"]


def test_files_that_are_not_a_run_are_never_touched(
    tmp_path: Path, write_jsonl: WriteJsonl
) -> None:
    news = write_jsonl([make_article(1)])
    precious = tmp_path / "out" / "thesis.tex"
    precious.parent.mkdir()
    precious.write_text("years of work")
    with pytest.raises(RunError, match=r"is not a run directory, it holds 'thesis.tex'"):
        run_fake(news, precious.parent, overwrite=True)
    assert [path.name for path in precious.parent.iterdir()] == ["thesis.tex"]
    with pytest.raises(RunError, match="is a file"):
        run_fake(news, precious)


@pytest.mark.parametrize(
    "name", ["articles/a.txt", "articles.csv", "quotes/1.txt", "report.html", "run.json.tmp"]
)
@pytest.mark.parametrize("flags", [{}, {"resume": True}, {"append": True}, {"overwrite": True}])
def test_files_that_have_the_names_of_a_run_are_never_touched(
    tmp_path: Path, write_jsonl: WriteJsonl, name: str, flags: dict[str, bool]
) -> None:
    """A folder of articles may well be called articles."""
    precious = tmp_path / "data" / name
    precious.parent.mkdir(parents=True)
    precious.write_text("the only copy")
    # Nor is the directory a run's because a folder in it has the name of a work folder.
    (tmp_path / "data" / ".work").mkdir()
    with pytest.raises(RunError, match=f"is not a run directory, it holds '{name.split('/')[0]}'"):
        run_fake(write_jsonl([make_article(1)]), tmp_path / "data", **flags)
    assert precious.read_text() == "the only copy"


@pytest.mark.parametrize("flags", [{}, {"resume": True}, {"append": True}, {"overwrite": True}])
def test_a_run_does_not_read_what_it_writes(
    tmp_path: Path, write_jsonl: WriteJsonl, monkeypatch: pytest.MonkeyPatch, flags: dict[str, bool]
) -> None:
    data = tmp_path / "data"
    (data / "articles").mkdir(parents=True)
    (data / "articles" / "a.txt").write_text("the only copy")
    monkeypatch.chdir(data)
    for given in (data, data / "articles", Path("articles"), data / "articles" / "a.txt"):
        with pytest.raises(RunError, match="is where the run writes its own files"):
            run_fake(given, data, **flags)
    assert (data / "articles" / "a.txt").read_text() == "the only copy"
    run_fake(write_jsonl([make_article(1)]), tmp_path / "out", csv=True)
    for name in ("quotes", "articles.csv"):
        with pytest.raises(RunError, match="is where the run writes its own files"):
            run_fake(tmp_path / "out" / name, tmp_path / "out", **flags)


def test_a_run_inside_the_folder_that_it_reads_is_no_input(tmp_path: Path) -> None:
    news = tmp_path / "news"
    news.mkdir()
    (news / "monday.txt").write_text(make_article(1).text)
    run_fake(news, news / "out", csv=True)
    (news / "tuesday.txt").write_text(make_article(2).text)
    assert run_fake(news, news / "out", append=True).n_articles == 1
    assert errors(news / "out") == []
    assert len(read_run(news / "out").articles) == 2


def _no_pyspark(patch: pytest.MonkeyPatch, news: Path) -> dict[str, Any]:
    patch.setitem(sys.modules, "pyspark", None)
    return {"inputs": [news], "options": HERE.model_copy(update={"engine": "spark"})}


def _no_java(patch: pytest.MonkeyPatch, news: Path) -> dict[str, Any]:
    pyspark, session = ModuleType("pyspark"), MagicMock()
    session.SparkSession.getActiveSession.return_value = None
    for name, module in {"pyspark": pyspark, "pyspark.sql": session}.items():
        patch.setitem(sys.modules, name, module)
    patch.delenv("JAVA_HOME", raising=False)
    patch.setenv("PATH", "")
    return {"inputs": [news], "options": HERE.model_copy(update={"engine": "spark"})}


def _no_input(patch: pytest.MonkeyPatch, news: Path) -> dict[str, Any]:
    return {"inputs": [news.with_name("gone.jsonl")]}


def _nothing_to_read(patch: pytest.MonkeyPatch, news: Path) -> dict[str, Any]:
    (news.parent / "empty").mkdir()
    return {"inputs": [news.parent / "empty"]}


def _no_model(patch: pytest.MonkeyPatch, news: Path) -> dict[str, Any]:
    return {"inputs": [news], "options": HERE.model_copy(update={"model": news.parent})}


def _broken_pipeline(patch: pytest.MonkeyPatch, news: Path) -> dict[str, Any]:
    return {"inputs": [news], "load_pipeline": load_broken, "options": RunOptions(workers=1)}


@pytest.mark.parametrize(
    ("hindrance", "message", "begun"),
    [
        (_no_pyspark, "PySpark is not installed", False),
        (_no_java, "no java is on the path", False),
        (_no_input, "no such file", False),
        (_nothing_to_read, "no article found", False),
        (_no_model, "no model here", False),
        (_broken_pipeline, "the model file is missing", True),
    ],
)
def test_an_overwrite_that_cannot_be_done_leaves_the_run_that_is_there(
    tmp_path: Path,
    write_jsonl: WriteJsonl,
    monkeypatch: pytest.MonkeyPatch,
    hindrance: Callable[[pytest.MonkeyPatch, Path], dict[str, Any]],
    message: str,
    begun: bool,
) -> None:
    news, out = write_jsonl([make_article(1)]), tmp_path / "out"
    run_fake(news, out, csv=True)
    before = tables(out)
    arguments = {"options": HERE, "load_pipeline": load_fake, **hindrance(monkeypatch, news)}
    with pytest.raises((RunError, InputError), match=message):
        run_batch(out=out, overwrite=True, **arguments)
    assert_same(out, before)
    assert (out / "articles.csv").is_file()
    assert (out / ".work").exists() == begun


def test_an_overwrite_leaves_nothing_of_the_run_before(
    tmp_path: Path, write_jsonl: WriteJsonl
) -> None:
    out = tmp_path / "out"
    run_fake(write_jsonl(map(make_article, range(12)), "long.jsonl"), out, csv=True)
    (out / "report.html").write_text("on the run before")
    short = write_jsonl([make_article(50)], "short.jsonl")
    run_fake(short, out, overwrite=True)
    run_fake(short, tmp_path / "anew")
    assert_same(out, tables(tmp_path / "anew"))
    names = [
        sorted(path.relative_to(run).as_posix() for path in run.rglob("*"))
        for run in (out, tmp_path / "anew")
    ]
    assert names[0] == names[1]


def test_the_name_of_a_new_directory_is_flushed_to_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[Path] = []
    monkeypatch.setattr("onrecord.batch.durable.sync_directory", flushed.append)
    with RunDirectory(tmp_path / "outputs" / "today"):
        assert flushed == [tmp_path / "outputs", tmp_path]


def test_resuming_a_finished_run_does_nothing_and_says_so(
    tmp_path: Path, write_jsonl: WriteJsonl
) -> None:
    news = write_jsonl([make_article(1), make_article(2, "FAIL:stance")])
    first = run_fake(news, tmp_path / "out", resume=True)
    run_fake(write_jsonl([make_article(3)], "more.jsonl"), tmp_path / "out", append=True)
    before = (tmp_path / "out" / "run.json").read_bytes()
    write_jsonl([make_article(1), make_article(4)])
    console = Console(file=io.StringIO(), width=200)
    again = run_batch(
        [news], tmp_path / "out", HERE, resume=True, console=console, load_pipeline=load_fake
    )
    told = console.file.getvalue()  # type: ignore[attr-defined]
    assert "finished before; nothing was read; --append adds new articles" in told
    # What the session that read this input came to, not the last one.
    assert (again.n_articles, again.n_errors) == (first.n_articles, first.n_errors) == (2, 1)
    assert again.counts["articles"] == 3
    assert (tmp_path / "out" / "run.json").read_bytes() == before


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="finds open files in /proc")
def test_what_is_sorted_lies_on_the_disk_of_the_run(
    tmp_path: Path, write_jsonl: WriteJsonl, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system's folder for temporary files is often small, or in memory."""
    open_files: list[str] = []
    read = Plan.write

    def write(path: Path, *arguments: Any) -> Plan:
        with contextlib.closing(sqlite3.connect(tmp_path / "rows")) as database:
            database.executescript(
                "PRAGMA cache_size = 10; CREATE TABLE row AS WITH RECURSIVE n(i) AS "
                "(SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9000) "
                "SELECT hex(randomblob(200)) AS text FROM n;"
            )
            in_order = database.execute("SELECT text FROM row ORDER BY text")
            next(in_order)
            for link in Path("/proc/self/fd").iterdir():
                with contextlib.suppress(OSError):
                    open_files.append(str(link.readlink()))
        return read(path, *arguments)

    monkeypatch.setattr(Plan, "write", write)
    # A connection before the run: SQLite has looked for its folder already.
    sqlite3.connect(":memory:").close()
    run_fake(write_jsonl([make_article(1)]), tmp_path / "out")
    sorted_in = [name for name in open_files if "etilqs" in name]
    assert sorted_in
    assert [name for name in sorted_in if f"{tmp_path}/out/.work/" not in name] == []


@pytest.mark.parametrize(
    ("limits", "cores"),
    [
        ({}, None),
        ({"cpu.max": "max 100000"}, None),
        ({"cpu.max": "nonsense"}, None),
        ({"a.slice/b.scope/cpu.max": "100000 100000"}, 1),
        ({"a.slice/cpu.max": "50000 100000"}, 1),
        ({"a.slice/b.scope/cpu.max": "99900000 100000"}, None),
        ({"other.slice/cpu.max": "100000 100000"}, None),
    ],
)
def test_a_container_has_the_cores_that_it_is_given_time_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limits: dict[str, str], cores: int | None
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
    (tmp_path / "own").write_text("4:memory:/elsewhere\n0::/a.slice/b.scope\n")
    for name, limit in limits.items():
        file = tmp_path / "groups" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(limit + "\n")
    assert usable_cores(tmp_path / "groups", tmp_path / "own") == (cores or 8)


def test_append_adds_what_is_new_and_equals_one_run_over_all(
    tmp_path: Path, write_jsonl: WriteJsonl
) -> None:
    monday = write_jsonl(map(make_article, range(0, 12, 2)), "monday.jsonl")
    tuesday = write_jsonl(map(make_article, range(1, 12, 2)), "tuesday.jsonl")
    run_fake([monday, tuesday], tmp_path / "all", csv=True)
    run_fake(monday, tmp_path / "days", append=True)
    summary = run_fake(tuesday, tmp_path / "days", append=True, csv=True)
    assert summary.n_articles == 6
    assert_same(tmp_path / "days", tables(tmp_path / "all"))
    for name in SCHEMAS:
        one, other = (tmp_path / run / f"{name}.csv" for run in ("all", "days"))
        assert one.read_text() == other.read_text()
    nothing = run_fake([monday, tuesday], tmp_path / "days", append=True)
    assert (nothing.n_articles, nothing.n_errors) == (0, 0)
    assert_same(tmp_path / "days", tables(tmp_path / "all"))


def test_append_records_a_known_text_once(tmp_path: Path, write_jsonl: WriteJsonl) -> None:
    run_fake(write_jsonl([make_article(1)], "a.jsonl"), tmp_path / "out")
    copy = write_jsonl([replace(make_article(1), article_id="copy")], "b.jsonl")
    assert run_fake(copy, tmp_path / "out", append=True).n_errors == 1
    assert run_fake(copy, tmp_path / "out", append=True).n_errors == 0
    assert errors(tmp_path / "out") == [("copy", "read", "skipped", "DuplicateText")]


def test_append_tells_once_what_is_in_another_language(
    tmp_path: Path, write_jsonl: WriteJsonl
) -> None:
    news = tmp_path / "news.jsonl"
    news.write_text(json.dumps({"id": "f1", "text": FRENCH}) + "\n", encoding="utf-8")
    run_fake(news, tmp_path / "out")
    assert run_fake(news, tmp_path / "out", append=True).n_errors == 0
    assert errors(tmp_path / "out") == [("f1", "language", "skipped", "OtherLanguage")]


def test_csv_files_do_not_fall_behind(tmp_path: Path, write_jsonl: WriteJsonl) -> None:
    run_fake(write_jsonl([make_article(1)], "a.jsonl"), tmp_path / "out", csv=True)
    run_fake(write_jsonl([make_article(2)], "b.jsonl"), tmp_path / "out", append=True)
    assert "a0002" in (tmp_path / "out" / "articles.csv").read_text()


def test_csv_files_of_a_run_that_was_appended_to_often_need_few_open_files(
    tmp_path: Path,
) -> None:
    """Each day has articles from the whole range of ids, so that no part follows another."""
    days = [[f"a{number:04d}" for number in range(day, 1_500, 150)] for day in range(150)]
    parts = []
    for day, ids in enumerate(days):
        rows = [{"article_id": article_id, "text": "“Yes”,\nhe said"} for article_id in ids]
        parts.append(tmp_path / f"{day}.parquet")
        pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMAS["articles"]), parts[-1])
    (tmp_path / "csv").mkdir()
    with _open_files_at_most(100):
        write_csv("articles", parts, tmp_path / "csv" / "articles.csv")
    found = pd.read_csv(tmp_path / "csv" / "articles.csv")
    assert found.article_id.tolist() == sorted(itertools.chain(*days))
    assert set(found.text) == {"“Yes”,\nhe said"}
    assert [path.name for path in (tmp_path / "csv").iterdir()] == ["articles.csv"]


@contextlib.contextmanager
def _open_files_at_most(more: int) -> Iterator[None]:
    """The system lets this process open so many files beside those that are open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    first_free = os.dup(0)
    os.close(first_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (first_free + more, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_problems_of_the_input_fill_parts_of_bounded_size(
    tmp_path: Path, write_jsonl: WriteJsonl, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies = [replace(make_article(1), article_id=f"copy{n}") for n in range(6)]
    news = write_jsonl([*copies, make_article(2)])
    run_fake(news, tmp_path / "one")
    monkeypatch.setattr("onrecord.batch.job._ERRORS_OF_A_PART", 2)
    assert run_fake(news, tmp_path / "many").n_errors == 5
    assert len(read_run(tmp_path / "many").info["parts"]) == 4
    assert_same(tmp_path / "many", tables(tmp_path / "one"))


def test_runs_of_another_configuration_are_not_mixed(
    tmp_path: Path, write_jsonl: WriteJsonl
) -> None:
    news = write_jsonl([make_article(1)])
    run_fake(news, tmp_path / "out")
    with pytest.raises(RunError, match='its run has attribution = "model", this one "rules"'):
        run_fake(news, tmp_path / "out", append=True, attribution="rules")


def test_one_writer_at_a_time_and_a_stale_lock_is_no_obstacle(
    tmp_path: Path, write_jsonl: WriteJsonl
) -> None:
    news = write_jsonl([make_article(1)])
    out = tmp_path / "out"
    with RunDirectory(out), pytest.raises(RunError, match=f"process {os.getpid()} on .* writing"):
        run_fake(news, out)
    # What a killed process leaves: the file, but nobody who holds it.
    (out / ".lock").write_text("process 4194303 on elsewhere (since yesterday)\n")
    run_fake(news, out)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_output_that_cannot_be_written_is_a_clear_error(
    tmp_path: Path, write_jsonl: WriteJsonl
) -> None:
    (tmp_path / "out").mkdir(mode=0o500)
    with pytest.raises(RunError, match="Permission denied"):
        run_fake(write_jsonl([make_article(1)]), tmp_path / "out" / "run")


# --- interrupted ----------------------------------------------------------------------------------


class _FaultyDisk:
    """Counts the calls of one kind, and does something else at the n-th."""

    def __init__(self, patch: pytest.MonkeyPatch, name: str, fault: Callable[[], None]) -> None:
        self.calls = 0
        self.fail_at = -1
        self._real = getattr(os, name)
        self._fault = fault
        patch.setattr(os, name, self)

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        self.step()
        return self._real(*args, **keywords)

    def step(self) -> None:
        self.calls += 1
        if self.calls == self.fail_at:
            self._fault()


class _FaultyWrites(_FaultyDisk):
    """As ``_FaultyDisk`` for the writes of files that Python opens; half of the data gets there."""

    def __init__(self, patch: pytest.MonkeyPatch, fault: Callable[[], None]) -> None:
        self.calls = 0
        self.fail_at = -1
        self._real = io.open
        self._fault = fault
        patch.setattr(io, "open", self)

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        stream = self._real(*args, **keywords)
        return _FaultyStream(stream, self) if stream.writable() else stream


class _FaultyStream:
    def __init__(self, stream: Any, disk: _FaultyDisk) -> None:
        self._stream, self._disk = stream, disk

    def write(self, data: Any) -> Any:
        try:
            self._disk.step()
        except OSError:
            self._stream.write(data[: len(data) // 2])
            self._stream.flush()
            raise
        return self._stream.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __enter__(self) -> _FaultyStream:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()


def _failing(code: int) -> Callable[[], None]:
    def fail() -> None:
        raise OSError(code, os.strerror(code))

    return fail


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("name", ["fsync", "replace", "write", "mkdir"])
def test_a_fault_of_the_disk_at_any_step_can_be_resumed(
    tmp_path: Path, write_jsonl: WriteJsonl, monkeypatch: pytest.MonkeyPatch, name: str, code: int
) -> None:
    news = write_jsonl([*map(make_article, range(5)), make_article(50, "FAIL:stance")])
    if name == "write":
        disk: _FaultyDisk = _FaultyWrites(monkeypatch, _failing(code))
    else:
        disk = _FaultyDisk(monkeypatch, name, _failing(code))
    run_fake(news, tmp_path / "whole", csv=True)
    expected, steps = tables(tmp_path / "whole"), disk.calls
    assert steps > 8
    # The two kinds of fault share the steps between them.
    stride = max(2, steps // 6)
    for step in range(1 + (code == errno.EIO) * stride // 2, steps + 1, stride):
        out = tmp_path / f"run{step}"
        disk.calls, disk.fail_at = 0, step
        with pytest.raises(RunError, match=f"{os.strerror(code)}.*--resume"):
            run_fake(news, out, csv=True)
        disk.fail_at = -1
        with contextlib.suppress(IncompleteRunError):
            # Only what was done but for tidying up is taken for a run.
            assert_same(out, expected)
        run_fake(news, out, csv=True, resume=True)
        assert_same(out, expected)


@contextlib.contextmanager
def _files_no_larger_than(limit: int) -> Iterator[None]:
    """The system refuses to let any file grow beyond this, whoever writes it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_no_writer_takes_a_file_that_was_cut_off_for_whole(
    tmp_path: Path, write_jsonl: WriteJsonl
) -> None:
    """SQLite and Arrow write past Python: the plan, the state of the merge, and Parquet."""
    news = write_jsonl([*map(make_article, range(12)), make_article(50, "FAIL:stance")])
    run_fake(news, tmp_path / "whole", csv=True)
    failed = []
    for limit in (0, 100, 400, 1_600, 6_400, 25_600, 51_200, 102_400, 1 << 30):
        try:
            with _files_no_larger_than(limit):
                run_fake(news, tmp_path / "out", csv=True, resume=True)
            break
        except RunError as error:
            failed.append(str(error))
        with pytest.raises(IncompleteRunError):
            read_run(tmp_path / "out")
    assert len(failed) >= 5
    assert [told for told in failed if "--resume: finished shards are kept" not in told] == []
    assert_same(tmp_path / "out", tables(tmp_path / "whole"))


@pytest.mark.parametrize(("flag", "stride"), [("append", 1), ("overwrite", 2)])
def test_killed_before_each_rename_over_a_finished_run(
    tmp_path: Path, write_jsonl: WriteJsonl, flag: str, stride: int
) -> None:
    monday = write_jsonl(map(make_article, range(0, 6, 2)), "monday.jsonl")
    tuesday = write_jsonl(map(make_article, range(1, 12, 2)), "tuesday.jsonl")
    run_fake(monday, tmp_path / "monday", csv=True)
    run_fake([monday, tuesday] if flag == "append" else tuesday, tmp_path / "whole")
    before, expected = tables(tmp_path / "monday"), tables(tmp_path / "whole")
    for step in itertools.count(1, stride):
        out = tmp_path / f"run{step}"
        shutil.copytree(tmp_path / "monday", out)
        if not _killed_at(step, tuesday, out, **{flag: True}):
            break
        with contextlib.suppress(IncompleteRunError):
            done = tables(out)["articles"].num_rows != 3
            assert_same(out, expected if done else before)
        begun = (out / ".work" / "run.json").is_file()
        run_fake(tuesday, out, **{"resume" if begun else flag: True})
        assert_same(out, expected)
        assert not list(out.glob(".work*"))
        # The CSV files of an overwritten run are gone; those of an appended one have grown.
        assert (out / "articles.csv").is_file() == (flag == "append")
    assert step > 15


def _killed_at(step: int, news: Path, out: Path, **flags: bool) -> bool:
    """Run in a process of its own that is killed before its n-th rename; False if it is not."""

    def run() -> None:
        with pytest.MonkeyPatch.context() as patch:
            kill = functools.partial(os.kill, os.getpid(), signal.SIGKILL)
            _FaultyDisk(patch, "replace", kill).fail_at = step
            run_fake(news, out, **flags)

    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0


def test_an_overwrite_that_was_cut_off_leaves_nothing_to_resume(
    tmp_path: Path, write_jsonl: WriteJsonl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monday = write_jsonl([make_article(1)], "monday.jsonl")
    tuesday = write_jsonl([make_article(2)], "tuesday.jsonl")
    out = tmp_path / "out"
    run_fake(monday, out)
    with monkeypatch.context() as patch:
        patch.setattr(RunDirectory, "publish", _broken_disk)
        with pytest.raises(RunError, match="--resume"):
            run_fake(tuesday, out, append=True)
    with monkeypatch.context() as patch:
        _FaultyDisk(patch, "rmdir", _failing(errno.EIO)).fail_at = 1
        with pytest.raises(RunError, match="--resume"):
            run_fake(tuesday, out, overwrite=True)
    run_fake(tuesday, out, resume=True)
    assert read_run(out).articles.article_id.tolist() == ["a0002"]


@pytest.mark.parametrize("name", ["run.json", "plan.sqlite"])
def test_a_damaged_work_folder_says_what_to_do(
    tmp_path: Path, write_jsonl: WriteJsonl, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    news = write_jsonl([make_article(1)])
    out = tmp_path / "out"
    stop_before_publishing(news, out, monkeypatch)
    (out / ".work" / name).write_bytes(b"{ damage " * 2_000)
    with pytest.raises(RunError, match=r"remove .*\.work and"):
        run_fake(news, out, resume=True)
    shutil.rmtree(out / ".work")
    run_fake(news, out, resume=True)
    assert len(read_run(out).articles) == 1


def test_an_append_whose_work_was_removed_is_no_whole_run(
    tmp_path: Path, write_jsonl: WriteJsonl, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_fake(write_jsonl([make_article(1)], "a.jsonl"), tmp_path / "out")
    info = tmp_path / "out" / "run.json"
    info.write_text(info.read_text().replace('"complete"', '"publishing"'))
    for flags in ({"append": True}, {"resume": True}):
        with pytest.raises(RunError, match="replace it with --overwrite"):
            run_fake(tmp_path / "a.jsonl", tmp_path / "out", **flags)


def test_a_disk_that_fills_up_while_a_shard_is_written(
    tmp_path: Path, write_jsonl: WriteJsonl, monkeypatch: pytest.MonkeyPatch
) -> None:
    from onrecord.batch import durable

    news = write_jsonl(map(make_article, range(12)))
    whole = durable.write_bytes

    def half(path: Path, content: bytes) -> None:
        if path.parent.name == "shard-00001.tmp" and path.name == "quotes.parquet":
            path.write_bytes(content[: len(content) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        whole(path, content)

    monkeypatch.setattr(durable, "write_bytes", half)
    with pytest.raises(RunError, match="No space left"):
        run_fake(news, tmp_path / "out")
    monkeypatch.setattr(durable, "write_bytes", whole)
    run_fake(news, tmp_path / "out", resume=True)
    run_fake(news, tmp_path / "whole")
    assert_same(tmp_path / "out", tables(tmp_path / "whole"))


def _broken_disk(*_: Any) -> None:
    _failing(errno.EIO)()


def stop_before_publishing(news: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run whose shards are all there, cut off by its disk."""
    with monkeypatch.context() as patch:
        patch.setattr(RunDirectory, "publish", _broken_disk)
        with pytest.raises(RunError, match="--resume"):
            run_fake(news, out)


def test_the_log_says_why_a_run_ended(
    tmp_path: Path, write_jsonl: WriteJsonl, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    news, out = write_jsonl([make_article(1)]), tmp_path / "out"
    stop_before_publishing(news, out, monkeypatch)
    monkeypatch.setattr(RunDirectory, "publish", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run_fake(news, out, resume=True)
    events = [json.loads(line) for line in (out / "run.log").read_text().splitlines()]
    ends = [event for event in events if event["event"] in ("failed", "interrupted")]
    assert [(end["event"], end["error"]) for end in ends] == [
        ("failed", "OSError"),
        ("interrupted", "KeyboardInterrupt"),
    ]
    assert "Input/output error" in ends[0]["message"]


def test_the_seconds_of_a_run_are_those_of_all_its_processes(
    tmp_path: Path, write_jsonl: WriteJsonl, monkeypatch: pytest.MonkeyPatch
) -> None:
    news, out = write_jsonl([make_article(1)]), tmp_path / "out"
    stop_before_publishing(news, out, monkeypatch)
    noted = out / ".work" / "seconds.json"
    seconds = json.loads(noted.read_text())
    assert {"total", "read", "commit"} <= seconds.keys()
    noted.write_text(json.dumps({**seconds, "total": 5_000.0, "read": 1_000.0}))
    run_fake(news, out, resume=True)
    info = read_run(out).info
    assert 5_000 < info["sessions"][0]["seconds"] < 5_100
    assert info["seconds_by_stage"]["read"] == 1_000.0
    # What is told of a run never stops it.
    again = tmp_path / "again"
    stop_before_publishing(news, again, monkeypatch)
    (again / ".work" / "seconds.json").write_text("{ damage")
    run_fake(news, again, resume=True)
    assert read_run(again).info["sessions"][0]["seconds"] < 5_000


def test_a_damaged_shard_is_done_again(
    tmp_path: Path, write_jsonl: WriteJsonl, monkeypatch: pytest.MonkeyPatch
) -> None:
    news = write_jsonl(map(make_article, range(12)))
    run_fake(news, tmp_path / "whole")
    out = tmp_path / "out"
    stop_before_publishing(news, out, monkeypatch)
    damaged = out / ".work" / "shard-00000" / "quotes.parquet"
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    run_fake(news, out, resume=True)
    assert_same(out, tables(tmp_path / "whole"))


def test_a_damaged_marker_and_a_line_cut_off_are_no_obstacle(
    tmp_path: Path, write_jsonl: WriteJsonl, monkeypatch: pytest.MonkeyPatch
) -> None:
    news = write_jsonl(map(make_article, range(12)))
    run_fake(news, tmp_path / "whole")
    out = tmp_path / "out"
    stop_before_publishing(news, out, monkeypatch)
    (out / ".work" / "shard-00000" / "done.json").write_text('{"number": 0, "fi')
    with (out / "run.log").open("a") as log:
        log.write('{"time": "2026')
    run_fake(news, out, resume=True)
    assert_same(out, tables(tmp_path / "whole"))
    lines = (out / "run.log").read_text().splitlines()
    assert json.loads(lines[-1])["event"] == "finish"
    assert [line for line in lines if not line.endswith("}")] == ['{"time": "2026']
    assert all(json.loads(line) for line in lines if line.endswith("}"))


def _run_and_kill(
    news: Path, out: Path, *, delay: float = 0.0, after_shards: int = 0, **changes: Any
) -> bool:
    """Run in a process of its own and kill -9 it; False if it was done before that."""
    context = multiprocessing.get_context("fork")
    process = context.Process(target=run_fake, args=(news, out), kwargs=changes)
    process.start()
    if after_shards:
        while _shards_done(out) < after_shards and process.is_alive():
            time.sleep(0.001)
    else:
        process.join(delay)
    process.kill()
    process.join()
    return process.exitcode != 0


def _shards_done(out: Path) -> int:
    return len(list(out.glob(".work/shard-*/done.json")))


@pytest.mark.parametrize(
    ("changes", "kills"), [({}, 12), ({"csv": True}, 6), ({"csv": True, "workers": 2}, 2)]
)
def test_killed_at_twenty_random_moments(
    tmp_path: Path, write_jsonl: WriteJsonl, changes: dict[str, Any], kills: int
) -> None:
    news = write_jsonl([*map(make_article, range(60)), make_article(70, "FAIL:entities")])
    began = time.monotonic()
    run_fake(news, tmp_path / "whole", shard_size=3, **{**changes, "workers": 0})
    settings = {"resume": True, "shard_size": 3, **changes}
    duration = time.monotonic() - began
    expected = tables(tmp_path / "whole")
    chance = random.Random(20)  # noqa: S311
    killed = runs = 0
    while killed < kills:
        out = tmp_path / f"run{runs}"
        runs += 1
        while _run_and_kill(news, out, **_moment(chance, out, duration, changes), **settings):
            killed += 1
        assert_same(out, expected)
        for file in (tmp_path / "whole").glob("*.csv"):
            assert (out / file.name).read_text() == file.read_text()


def _moment(
    chance: random.Random, out: Path, duration: float, changes: dict[str, Any]
) -> dict[str, Any]:
    """When to kill a run: at any time; after some more shards, where loading takes most of it."""
    if changes.get("workers"):
        return {"after_shards": _shards_done(out) + chance.randint(5, 15)}
    return {"delay": chance.uniform(0, duration / 2)}


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds processes in /proc")
def test_interrupted_at_the_terminal_and_resumed(tmp_path: Path, write_jsonl: WriteJsonl) -> None:
    """Ctrl-C goes to the workers, too, which leave it to their parent."""
    news = write_jsonl(map(make_article, range(60)))
    out = tmp_path / "out"
    context = multiprocessing.get_context("fork")
    process = context.Process(target=_command_line_run, args=(news, out, "--shard-size", "3"))
    process.start()
    try:
        eventually(lambda: _shards_done(out))
        workers = _workers_of(process.pid)
        os.killpg(process.pid or 0, signal.SIGINT)
        process.join(20)
        assert process.exitcode == 1
        eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))
    finally:
        process.kill()
    last = json.loads((out / "run.log").read_text().splitlines()[-1])
    assert last["event"] == "interrupted"
    assert 0 < _shards_done(out) < 20
    run_fake(news, out, resume=True)
    run_fake(news, tmp_path / "whole", shard_size=3)
    assert_same(out, tables(tmp_path / "whole"))


def test_an_append_that_was_killed_leaves_no_half(tmp_path: Path, write_jsonl: WriteJsonl) -> None:
    monday = write_jsonl(map(make_article, range(0, 40, 2)), "monday.jsonl")
    tuesday = write_jsonl(map(make_article, range(1, 40, 2)), "tuesday.jsonl")
    run_fake([monday, tuesday], tmp_path / "all")
    out = tmp_path / "out"
    run_fake(monday, out)
    before = tables(out)
    _run_and_kill(tuesday, out, after_shards=1, append=True)
    assert_same(out, before)
    with pytest.raises(RunError, match="finish it with --resume"):
        run_fake(tuesday, out, append=True)
    with pytest.raises(RunError, match="--resume it with the same input first"):
        run_fake(monday, out, resume=True)
    run_fake(tuesday, out, append=True, resume=True)
    assert_same(out, tables(tmp_path / "all"))


# --- workers --------------------------------------------------------------------------------------


def test_the_same_tables_whatever_the_workers(tmp_path: Path, write_jsonl: WriteJsonl) -> None:
    """Pages and Parquet files, too, which workers' runs read in a process of its own."""
    news = write_jsonl([*map(make_article, range(16)), make_article(40, "FAIL:quotes")])
    rows = [{"id": a.article_id, "text": a.text} for a in map(make_article, range(16, 20))]
    pq.write_table(
        pa.Table.from_pylist([*rows, {"id": "none", "text": ""}]), tmp_path / "p.parquet"
    )
    page = make_article(20).text.replace("\n", "</p><p>")
    (tmp_path / "page.html").write_text(
        f"<html><body><article><p>{page}</p></article></body></html>", encoding="utf-8"
    )
    inputs = [news, tmp_path / "p.parquet", tmp_path / "page.html"]
    run_fake(inputs, tmp_path / "one")
    assert len(read_run(tmp_path / "one").articles) == 22
    assert [error for *_, error in errors(tmp_path / "one")] == ["ValueError", "EmptyText"]
    run_fake(inputs[::-1], tmp_path / "two", workers=2, batch_size=3, shard_size=7)
    assert_same(tmp_path / "two", tables(tmp_path / "one"))


def test_progress_counts_what_could_not_be_read(tmp_path: Path, write_jsonl: WriteJsonl) -> None:
    copies = [make_article(1), *(replace(make_article(1), article_id=f"c{n}") for n in range(2))]
    console = Console(file=io.StringIO(), width=200)
    run_batch(
        [write_jsonl([*copies, make_article(2, "FAIL:stance")])],
        tmp_path / "out",
        HERE,
        console=console,
        load_pipeline=load_fake,
    )
    assert "2 of 2 articles" in console.file.getvalue()  # type: ignore[attr-defined]
    assert "1 failed, 2 skipped" in console.file.getvalue()  # type: ignore[attr-defined]


def test_poison_articles_take_down_nothing_but_themselves(
    tmp_path: Path, write_jsonl: WriteJsonl
) -> None:
    poison = [make_article(20, "DIE:quotes"), make_article(21, "HANG:stance")]
    news = write_jsonl([*map(make_article, range(12)), *poison])
    summary = run_fake(news, tmp_path / "out", workers=2, article_timeout=5.0)
    assert errors(tmp_path / "out") == [
        ("a0020", "fake_quotes", "failed", "WorkerDied"),
        ("a0021", "fake_stance", "failed", "Timeout"),
    ]
    assert (summary.counts["articles"], summary.counts["sentences"]) == (14, 42)
    quotes = read_run(tmp_path / "out").quotes.set_index("article_id")
    assert "a0020" not in quotes.index
    assert pd.isna(quotes.stance["a0021"])
    # Everybody else has what a run without them gives.
    run_fake(write_jsonl(map(make_article, range(12)), "good.jsonl"), tmp_path / "good")
    good = read_run(tmp_path / "good").quotes
    assert quotes.drop("a0021").reset_index().equals(good)


def test_a_batch_has_the_time_of_all_its_articles(tmp_path: Path, write_jsonl: WriteJsonl) -> None:
    slow = [make_article(number, "NAP:quotes") for number in range(8)]
    options = {"workers": 1, "batch_size": 8, "shard_size": 8, "article_timeout": 6.0}
    run_fake(write_jsonl(slow), tmp_path / "out", **options)
    log = (tmp_path / "out" / "run.log").read_text()
    assert '"lost"' not in log
    assert errors(tmp_path / "out") == []


def _one_task(pool: WorkerPool, *articles: Article, attempt: int = 0) -> AnnotatedBatch | Death:
    return next(pool.run(iter([Task("key", articles, attempt)]))).result


@contextlib.contextmanager
def _pool(load: Any = load_fake, **arguments: Any) -> Iterator[WorkerPool]:
    pool = WorkerPool(PipelineSpec(load, arguments), 1, timeout=60)
    try:
        yield pool
    finally:
        pool.close()


def _kill_workers() -> None:
    for child in multiprocessing.active_children():
        if child.name == "onrecord-worker":
            child.kill()
            child.join()


def test_a_worker_that_is_killed_while_it_waits_costs_no_article(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with _pool() as pool:
        assert isinstance(_one_task(pool, make_article(1)), AnnotatedBatch)
        _kill_workers()
        assert isinstance(_one_task(pool, make_article(2), attempt=1), AnnotatedBatch)
        # Or just after it was seen to be alive: it was in no stage of the article.
        _kill_workers()
        monkeypatch.setattr(BaseProcess, "is_alive", lambda process: True)
        death = _one_task(pool, make_article(3), attempt=1)
        assert isinstance(death, Death)
        assert (death.error, death.stage) == ("WorkerDied", "waiting")


def test_a_worker_that_dies_while_it_loads_is_replaced_once_one_has_loaded(tmp_path: Path) -> None:
    with _pool(load_unsteady, folder=str(tmp_path), deadly=(2, 3)) as pool:
        assert isinstance(_one_task(pool, make_article(1, "DIE:quotes")), Death)
        assert isinstance(_one_task(pool, make_article(2)), AnnotatedBatch)
    assert len(list(tmp_path.iterdir())) == 4


def test_workers_that_load_no_more_end_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onrecord.batch.workers._RELOADS", 1)
    with _pool(load_unsteady, folder=str(tmp_path), deadly=(2, 3)) as pool:
        assert isinstance(_one_task(pool, make_article(1, "DIE:quotes")), Death)
        with pytest.raises(WorkerError, match=r"ended while it was loading \(signal 9"):
            _one_task(pool, make_article(2))


def test_a_pipeline_that_does_not_load_ends_the_run(
    tmp_path: Path, write_jsonl: WriteJsonl
) -> None:
    news = write_jsonl([make_article(1)])
    options = RunOptions(workers=1)
    with pytest.raises(RunError, match="OSError: the model file is missing"):
        run_batch([news], tmp_path / "out", options, load_pipeline=load_broken)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds processes in /proc")
@pytest.mark.parametrize(
    ("signal_name", "busy"),
    [("SIGKILL", "HANG:stance"), ("SIGKILL", "HOLD:stance"), ("SIGTERM", "HANG:stance")],
)
def test_workers_end_with_their_parent(
    tmp_path: Path, write_jsonl: WriteJsonl, signal_name: str, busy: str
) -> None:
    begun = tmp_path / "begun"
    news = write_jsonl([make_article(1, f"{busy} TOUCH:{begun}")])
    context = multiprocessing.get_context("fork")
    process = context.Process(target=_command_line_run, args=(news, tmp_path / "out"))
    process.start()
    try:
        eventually(begun.exists)
        workers = _workers_of(process.pid)
        assert workers
        os.kill(process.pid or 0, signal.Signals[signal_name])
        process.join(20)
        assert process.exitcode == (-signal.SIGKILL if signal_name == "SIGKILL" else 1)
        eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))
    finally:
        process.kill()


def _command_line_run(news: Path, out: Path, *options: str) -> None:
    """The command in a process group of its own, and to be interrupted, as at a terminal."""
    import onrecord.batch
    from onrecord.cli import app

    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    onrecord.batch.run_batch = functools.partial(run_batch, load_pipeline=load_slow)
    app(["run", str(news), "--out", str(out), "--quiet", *options])


def _workers_of(parent: int | None) -> list[int]:
    """Workers of a process that have loaded their libraries."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, ppid = stat.read_text().rpartition(")")[2].split()[:2]
            loaded = "torch" in (stat.parent / "maps").read_text()
            if int(ppid) == parent and state != "Z" and loaded:
                found.append(int(stat.parent.name))
    return found


# --- the real pipeline ----------------------------------------------------------------------------


@pytest.mark.slow
def test_the_real_pipeline_gives_the_same_whatever_the_order_and_workers(tmp_path: Path) -> None:
    folder = Path(__file__).parents[1] / "corpus" / "articles"
    paths = sorted(folder.glob("*.txt"), key=lambda path: path.stat().st_size)[:3]
    run_batch(paths, tmp_path / "one", RunOptions(workers=1))
    options = RunOptions(workers=2, batch_size=1, shard_size=2)
    run_batch(paths[::-1], tmp_path / "two", options)
    one, two = tables(tmp_path / "one"), tables(tmp_path / "two")
    assert one["quotes"].num_rows
    for name, schema in SCHEMAS.items():
        scores = [field.name for field in schema if pa.types.is_floating(field.type)]
        assert one[name].drop_columns(scores).equals(two[name].drop_columns(scores)), name
        for score in scores:
            # On more threads the last bits of a sum may differ.
            np.testing.assert_allclose(one[name][score], two[name][score], atol=1e-4)
