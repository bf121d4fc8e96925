"""A Spark cluster of two executors on this machine gives the same tables, also when one dies."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from fakes import load_broken, load_fake, load_slow, load_unsteady, make_article
from onrecord import spark as onrecord_spark
from onrecord.batch import AnnotatedBatch, RunError, RunOptions, run_batch
from onrecord.batch.job import Job
from onrecord.batch.plan import Plan
from onrecord.batch.workers import LoadPipeline, PipelineSpec, Task, WorkerError
from onrecord.readers import InputError
from onrecord.records import SCHEMAS, Article
from onrecord.runs import Run, analyze, read_run
from onrecord.tables import sort_table
from waiting import eventually

if find_spec("pyspark") is None:
    pytest.skip("PySpark is not installed: make test does", allow_module_level=True)
if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
    pytest.skip("Spark needs Java 17, and no java is on the path", allow_module_level=True)

pytestmark = pytest.mark.slow
WriteJsonl = Callable[..., Path]
_PATIENCE = 60.0  # seconds for a job to begin or end
CLUSTER = "local-cluster[2,1,1024]"
OPTIONS = RunOptions(batch_size=8, shard_size=50)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A master and two workers, each with an executor process, on the loopback interface."""
    from pyspark.sql import SparkSession

    tests = str(Path(__file__).parent)
    settings = {
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.driver.memory": "512m",
        "spark.executor.memory": "512m",
        "spark.executorEnv.PYTHONPATH": tests,
        "spark.executorEnv.SPARK_LOCAL_IP": "127.0.0.1",
        "spark.local.dir": str(tmp_path_factory.mktemp("spark")),
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.session.timeZone": "America/Caracas",
        "spark.task.maxFailures": "2",
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        builder = SparkSession.builder.master(CLUSTER).appName("onrecord-tests")
        for name, value in settings.items():
            builder = builder.config(name, value)
        began = builder.getOrCreate()
        app = began.sparkContext.applicationId
        yield began
        began.stop()
    # Where a cluster of one machine keeps the logs of its executors: in PySpark's own folder.
    shutil.rmtree(Path(find_spec("pyspark").origin).parent / "work" / app, ignore_errors=True)


def run_spark(
    news: Path, out: Path, load_pipeline: LoadPipeline = load_fake, **changes: Any
) -> dict[str, pa.Table]:
    options = OPTIONS.model_copy(update=changes)
    onrecord_spark.run_on_spark([news], out, options, load_pipeline=load_pipeline)
    return arrow_tables(read_run(out))


def run_local(news: Path, out: Path) -> dict[str, pa.Table]:
    run_batch([news], out, RunOptions(workers=0), load_pipeline=load_fake)
    return arrow_tables(read_run(out))


def arrow_tables(run: Run) -> dict[str, pa.Table]:
    return {name: run.table(name) for name in SCHEMAS}


def assert_same(found: dict[str, pa.Table], expected: dict[str, pa.Table]) -> None:
    for name in SCHEMAS:
        assert expected[name].num_rows, name
        assert found[name].equals(expected[name]), name


def articles(count: int) -> list[Article]:
    """Articles of which two break a stage and one is in the input twice."""
    good = [make_article(number) for number in range(count - 3)]
    again = Article("z-again", good[0].text, language="en")
    broken = [make_article(9001, "FAIL:quotes"), make_article(9002, "FAIL:stance")]
    return [*good, *broken, again]


def test_a_cluster_gives_the_tables_of_a_local_run(
    session: Any, tmp_path: Path, write_jsonl: WriteJsonl
) -> None:
    news = write_jsonl(articles(500))
    expected = run_local(news, tmp_path / "local")
    assert_same(run_spark(news, tmp_path / "spark"), expected)
    info = read_run(tmp_path / "spark").info
    assert info["sessions"][0]["config"]["engine"] == "spark"
    assert len(info["parts"]) == 11


def test_poison_articles_take_down_no_executor(
    session: Any, tmp_path: Path, write_jsonl: WriteJsonl
) -> None:
    poison = [make_article(20, "DIE:quotes"), make_article(21, "HANG:stance")]
    news = write_jsonl([*map(make_article, range(12)), *poison])
    before = executors(session)
    found = run_spark(news, tmp_path / "out", article_timeout=5.0)
    assert [(row["article_id"], row["stage"], row["error"]) for row in rows(found["errors"])] == [
        ("a0020", "fake_quotes", "WorkerDied"),
        ("a0021", "fake_stance", "Timeout"),
    ]
    assert found["sentences"].num_rows == 42
    assert executors(session) == before


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds processes in /proc")
def test_a_killed_executor_costs_nothing(
    session: Any, tmp_path: Path, write_jsonl: WriteJsonl
) -> None:
    news = write_jsonl(articles(200))
    expected = run_local(news, tmp_path / "local")
    out = tmp_path / "spark"
    killed: list[int] = []

    def kill_one() -> None:
        while not list(out.glob(".work/shard-*/done.json")):
            time.sleep(0.02)
        killed.append(min(executors(session)))
        os.kill(killed[0], signal.SIGKILL)

    killer = threading.Thread(target=kill_one, daemon=True)
    killer.start()
    found = run_spark(news, out, load_slow, shard_size=20)
    killer.join(10)
    assert killed
    assert_same(found, expected)
    assert killed[0] not in executors(session)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds processes in /proc")
def test_an_article_that_ends_its_executors_takes_down_nothing_but_itself(
    session: Any, tmp_path: Path, write_jsonl: WriteJsonl
) -> None:
    news = write_jsonl([*map(make_article, range(12)), make_article(20, "DOOM:quotes")])
    found = run_spark(news, tmp_path / "out")
    (error,) = rows(found["errors"])
    assert (error["article_id"], error["stage"], error["kind"]) == ("a0020", "executor", "failed")
    assert error["error"] == "ExecutorLost"
    assert "ExecutorLostFailure" in error["message"]
    assert found["articles"].num_rows == 13
    expected = run_local(write_jsonl(map(make_article, range(12)), "good.jsonl"), tmp_path / "good")
    assert found["quotes"].equals(expected["quotes"])


def test_a_run_that_is_interrupted_ends_its_own_jobs_and_no_others(
    session: Any, tmp_path: Path, write_jsonl: WriteJsonl, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session is the user's, who may do something else in it."""
    release, done = tmp_path / "release", []

    def wait_for(name: str) -> str:
        while not Path(name).exists():
            time.sleep(0.05)
        return name

    def other_job() -> None:
        done.extend(session.sparkContext.parallelize([str(release)], 1).map(wait_for).collect())

    def tasks_until_one_runs(job: Job, plan: Plan) -> Iterator[Task]:
        yield next(all_tasks(job, plan))
        eventually(lambda: len(tracker.getActiveJobsIds()) > len(theirs), _PATIENCE)
        raise KeyboardInterrupt

    tracker, all_tasks = session.sparkContext.statusTracker(), Job._tasks
    other = threading.Thread(target=other_job, daemon=True)
    other.start()
    theirs = eventually(tracker.getActiveJobsIds, _PATIENCE)
    monkeypatch.setattr(Job, "_tasks", tasks_until_one_runs)
    news = write_jsonl([make_article(1, "HANG:stance")])
    with pytest.raises(KeyboardInterrupt):
        run_spark(news, tmp_path / "out", article_timeout=None)
    eventually(lambda: tracker.getActiveJobsIds() == theirs, _PATIENCE)
    release.touch()
    other.join(60)
    assert done == [str(release)]


def executors(session: Any) -> set[int]:
    """Executor processes of the application."""
    app = session.sparkContext.applicationId
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (process / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
            # The launcher of an executor names all this too, but is not the Java program.
            if app in words and any(w.endswith("CoarseGrainedExecutorBackend") for w in words):
                found.add(int(process.name))
    return found


def rows(table: pa.Table) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = table.to_pylist()
    return found


def test_a_pipeline_that_does_not_load_ends_the_run(
    session: Any, tmp_path: Path, write_jsonl: WriteJsonl
) -> None:
    news = write_jsonl([make_article(1)])
    with pytest.raises(RunError, match="OSError: the model file is missing"):
        run_spark(news, tmp_path / "out", load_broken)


# --- data frame to data frame ---------------------------------------------------------------------


def data_frame(session: Any, given: list[Article]) -> Any:
    records = [(article.article_id, article.text, article.source_path) for article in given]
    return session.createDataFrame(records, "id string, body string, source_path string")


def collected(annotated: Any) -> dict[str, pa.Table]:
    """The tables of a data frame in the contract's order and exact types."""
    return {
        name: sort_table(name, table.toArrow().cast(SCHEMAS[name])).combine_chunks()
        for name, table in onrecord_spark.tables(annotated).items()
    }


def test_annotated_data_frames_hold_the_same_tables(session: Any) -> None:
    given = articles(100)[:-1]
    annotated = onrecord_spark.annotate(
        data_frame(session, given).repartition(4), load_pipeline=load_fake
    )
    expected = arrow_tables(analyze(given, nlp=load_fake()))
    found = collected(annotated.persist())
    found["articles"] = without(found["articles"], "language")
    expected["articles"] = without(expected["articles"], "language")
    assert_same(found, expected)


def without(table: pa.Table, column: str) -> pa.Table:
    return table.drop_columns([column])


def test_every_row_of_a_data_frame_comes_back(session: Any) -> None:
    given = [
        make_article(1),
        Article("empty", "  "),
        make_article(1, "Another text under the same id."),
        make_article(2, "FAIL:sentences"),
    ]
    annotated = onrecord_spark.annotate(
        data_frame(session, given).coalesce(1), load_pipeline=load_fake
    )
    found = {
        (row.article_id, len(row.sentences), tuple(error.error for error in row.errors))
        for row in annotated.collect()
    }
    assert found == {
        ("a0001", 3, ()),
        ("empty", 0, ("EmptyText",)),
        ("a0002", 0, ("ValueError",)),
    }
    assert annotated.count() == 4


def test_published_times_are_utc_whatever_the_session(session: Any) -> None:
    annotated = onrecord_spark.annotate(
        session.createDataFrame(
            [("t1", make_article(1).text, "2026-03-01T12:00:00Z")],
            "id string, text string, date string",
        ),
        load_pipeline=load_fake,
    )
    (row,) = rows(collected(annotated)["articles"])
    assert row["published_at"].isoformat() == "2026-03-01T12:00:00+00:00"


def test_a_data_frame_without_text_says_which_columns_it_has(session: Any) -> None:
    with pytest.raises(InputError, match=r"columns found: id, teaser"):
        onrecord_spark.annotate(session.createDataFrame([("1", "a")], "id string, teaser string"))


def test_the_real_pipeline_gives_the_same_on_a_cluster(session: Any) -> None:
    folder = Path(__file__).parents[1] / "corpus" / "articles"
    paths = sorted(folder.glob("*.txt"), key=lambda path: path.stat().st_size)[:3]
    given = [Article(path.stem, path.read_text(encoding="utf-8")) for path in paths]
    found = collected(onrecord_spark.annotate(data_frame(session, given).coalesce(1)))
    # Executors compute on one thread; on more, the last bits of scores may differ.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    expected = arrow_tables(analyze(given))
    torch.set_num_threads(threads)
    for name in ("sentences", "entities", "actors"):
        assert found[name].equals(expected[name]), name
    scores = [field.name for field in SCHEMAS["quotes"] if field.type == pa.float32()]
    ours, theirs = found["quotes"], expected["quotes"]
    assert ours.drop_columns(scores).equals(theirs.drop_columns(scores))
    for name in scores:
        np.testing.assert_allclose(ours[name], theirs[name], atol=1e-4)


# --- without Spark --------------------------------------------------------------------------------


def test_a_python_worker_forgets_a_pool_that_does_not_load(tmp_path: Path) -> None:
    """Spark uses the process for other tasks, and repeats the one that failed."""
    arguments = {"folder": str(tmp_path), "deadly": (1,)}
    remote = onrecord_spark._Remote(PipelineSpec(load_unsteady, arguments), 60.0)
    try:
        with pytest.raises(WorkerError, match="ended while it was loading"):
            remote(Task("key", (make_article(1),)))
        outcome = remote(Task("key", (make_article(1),)))
        assert isinstance(outcome.result, AnnotatedBatch)
    finally:
        onrecord_spark._pool_here.cache_clear()
        for child in multiprocessing.active_children():
            child.kill()


def test_missing_pyspark_names_the_line_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, write_jsonl: WriteJsonl
) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    news = write_jsonl([make_article(1)])
    with pytest.raises(RunError, match=r"pip install 'onrecord\[spark\]'"):
        onrecord_spark.run_on_spark([news], tmp_path / "out", OPTIONS)
