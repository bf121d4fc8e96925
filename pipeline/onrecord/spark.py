"""The same job on a Spark cluster: data frame to data frame, and ``onrecord run --engine spark``.

``annotate`` maps a data frame of articles to one of annotated articles, for people with their own
cluster and their own storage; nothing passes through the driver. ``run_on_spark`` writes a run
directory: the driver plans, commits and merges as a local run does, and the batches are annotated
by the executors, each in a process that may die without harm to the executor.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np
import pyarrow as pa

from onrecord.actors import actor_row, count_facts
from onrecord.annotation import annotate_articles
from onrecord.batch.job import cut_batches
from onrecord.batch.options import RunError, RunOptions, RunSummary
from onrecord.batch.run import run_batch
from onrecord.batch.workers import (
    Death,
    LoadPipeline,
    Outcome,
    PipelineSpec,
    Pool,
    Task,
    WorkerError,
    WorkerPool,
)
from onrecord.language import load
from onrecord.readers import MAX_CHARS, InputError, read_records
from onrecord.readers.columns import check_columns, map_columns
from onrecord.readers.problems import UnreadableError
from onrecord.records import SCHEMAS, Article, ErrorRow
from onrecord.tables import ARTICLE_TABLES, Row, error_row, to_tables

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from spacy.language import Language

_LOCAL = "local[*]"
_THIS_MACHINE = "127.0.0.1"
# So many batches wait for each core that a finished one is followed at once.
_BATCHES_PER_CORE = 2
_MOST_BATCHES = 2000
_EXECUTOR_LOST = "ExecutorLost"
# What Spark says of a task that it gave up because nobody was left who would tell why.
_LOST = re.compile(r"(ExecutorLostFailure|Python worker exited unexpectedly).*")
_FACTS = pa.schema([(name, pa.string()) for name in ("entity_id", "field", "value")]).append(
    pa.field("n", pa.int64())
)
# One row an article, every table of it nested: the tables are made in one pass and written apart.
NESTED = pa.schema(
    [("article_id", pa.string())]
    + [(name, pa.list_(pa.struct(list(SCHEMAS[name])))) for name in ARTICLE_TABLES]
)


class SparkMissingError(RunError):
    """PySpark or Java is not installed; the message says how to install it."""


# --- data frame to data frame -----------------------------------------------------------------


def annotate(
    df: DataFrame,
    *,
    columns: Mapping[str, str] | None = None,
    language: str = "en",
    max_chars: int = MAX_CHARS,
    batch_size: int = 16,
    load_pipeline: LoadPipeline = load,
    **pipeline: Any,
) -> DataFrame:
    """Annotate the articles of a data frame, one row an article.

    A ``mapInArrow``: rows come to the Python workers as Arrow batches, and each worker loads the
    pipeline once. Executors need onrecord installed, and a model folder or entity file that is
    named must be at the same path on each.

    Args:
        df: any Spark source with a column of texts; other columns are mapped as those of a table
            file (``id``, ``title``, ...), and ``source_path``, if there, is where a row is from.
        columns: field to column, where it is not found by its name.
        language: ISO 639-1 code; an article in another gives a row of ``errors``. "any" takes all.
        max_chars: longest text that is taken, in code points.
        batch_size: most articles that go through a stage together.
        load_pipeline: importable function that makes the pipeline.
        **pipeline: arguments of ``load_pipeline``, as for ``onrecord.load()``.

    Returns:
        ``article_id`` and one list of structs a table (``articles``, ``sentences``, ``entities``,
        ``quotes``, ``errors``), in the columns of ``onrecord.records.SCHEMAS``; an article that
        could not be read or annotated has only ``errors``. ``tables`` takes it apart. Articles
        of the same id or text are not told apart: ``df.dropDuplicates`` beforehand.

    Raises:
        InputError: no column holds the text, or ``columns`` names a field that does not exist.
        SparkMissingError: PySpark is not installed.
    """
    _need_pyspark()
    check_columns(columns or {})
    try:
        map_columns([name for name in df.columns if name != "source_path"], columns or {})
    except UnreadableError as error:
        raise InputError(f"data frame: {error}") from error
    annotator = _Annotator(
        dict(columns or {}), language, max_chars, batch_size, load_pipeline, tuple(pipeline.items())
    )
    return df.mapInArrow(annotator, _spark_schema(NESTED))


def tables(annotated: DataFrame) -> dict[str, DataFrame]:
    """The tables of annotated articles, in the columns of the contract.

    Args:
        annotated: what ``annotate`` gave. It is computed again for each table that is used, so
            write it, or ``persist`` it, first.

    Returns:
        Every table by name, ``actors`` included; rows in no particular order.
    """
    from pyspark.sql.functions import explode

    flat = {
        name: annotated.select(explode(name).alias("row")).select("row.*")
        for name in ARTICLE_TABLES
    }
    facts = annotated.select("entities", "quotes").mapInArrow(_facts, _spark_schema(_FACTS))
    summed = facts.groupBy("entity_id", "field", "value").sum("n")
    actors = summed.groupBy("entity_id").applyInArrow(_actor, _spark_schema(SCHEMAS["actors"]))
    return {name: actors if name == "actors" else flat[name] for name in SCHEMAS}


def _spark_schema(schema: pa.Schema) -> Any:
    from pyspark.sql.pandas.types import from_arrow_schema

    return from_arrow_schema(schema)


@lru_cache(maxsize=1)
def _loaded(load_pipeline: LoadPipeline, arguments: tuple[tuple[str, Any], ...]) -> Language:
    """The pipeline of this Python worker, which Spark uses for many tasks."""
    nlp = load_pipeline(**dict(arguments))
    if "torch" in sys.modules:
        # Spark gives a task its cores by this variable and runs one task a core beside it.
        sys.modules["torch"].set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    return nlp


@dataclass(frozen=True)
class _Annotator:
    """What a Python worker does with the Arrow batches of its partition."""

    columns: dict[str, str]
    language: str
    max_chars: int
    batch_size: int
    load_pipeline: LoadPipeline
    pipeline: tuple[tuple[str, Any], ...]

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        nlp = _loaded(self.load_pipeline, self.pipeline)
        for rows in batches:
            articles: list[Article] = []
            for read in self._read(rows.to_pylist()):
                if isinstance(read, ErrorRow):
                    yield _error_batch(read)
                else:
                    articles.append(read)
            for like_length in cut_batches(articles, self.batch_size):
                for batch in _distinct(like_length):
                    yield _nested(
                        batch, annotate_articles(nlp, batch, language=self.language).tables
                    )

    def _read(self, rows: Iterable[dict[str, Any]]) -> Iterator[Article | ErrorRow]:
        for row in rows:
            path = str(row.pop("source_path", None) or "")
            yield from read_records(
                [row], columns=self.columns, max_chars=self.max_chars, source_path=path
            )


def _distinct(batch: Sequence[Article]) -> Iterator[list[Article]]:
    """Batches in which no two articles share an id: their rows are told apart by it."""
    left = list(batch)
    while left:
        first = {article.article_id: article for article in reversed(left)}
        yield list(first.values())
        left = [article for article in left if first[article.article_id] is not article]


def _nested(batch: Sequence[Article], found: Mapping[str, pa.Table]) -> pa.RecordBatch:
    """Tables of a batch as one row an article."""
    ids = [article.article_id for article in batch]
    place = {article_id: number for number, article_id in enumerate(ids)}
    columns = [pa.array(ids, pa.string())]
    columns += [_by_article(found[name], place) for name in ARTICLE_TABLES]
    return pa.RecordBatch.from_arrays(columns, schema=NESTED)


def _by_article(table: pa.Table, place: Mapping[str, int]) -> pa.ListArray:
    at = np.array([place[key] for key in table["article_id"].to_pylist()], dtype=np.int64)
    counts = np.bincount(at, minlength=len(place))
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    ordered = table.take(pa.array(np.argsort(at, kind="stable"))).combine_chunks()
    structs = pa.StructArray.from_arrays(
        [_one_chunk(column) for column in ordered.columns], fields=list(table.schema)
    )
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), structs)


def _one_chunk(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks else pa.array([], column.type)


def _error_batch(error: ErrorRow) -> pa.RecordBatch:
    """The row of an article that could not be read."""
    found = to_tables({"errors": [error_row(error)]})
    nested = {name: [table.to_pylist()] for name, table in found.items()}
    return pa.RecordBatch.from_pydict({"article_id": [error.article_id], **nested}, schema=NESTED)


def _facts(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """What annotated articles say of each named entity."""
    for batch in batches:
        entities, quotes = (
            pa.Table.from_struct_array(batch.column(name).flatten()).cast(SCHEMAS[name])
            for name in ("entities", "quotes")
        )
        rows = [[*fact, n] for fact, n in count_facts(entities, quotes).items()]
        columns = zip(*rows, strict=True) if rows else ([] for _ in _FACTS)
        yield pa.RecordBatch.from_arrays(
            [pa.array(column, kind.type) for column, kind in zip(columns, _FACTS, strict=True)],
            schema=_FACTS,
        )


def _actor(facts: pa.Table) -> pa.Table:
    """One row of ``actors`` from all facts of an entity."""
    facts = facts.rename_columns(_FACTS.names)
    rows = sorted(tuple(row.values()) for row in facts.to_pylist())
    found: list[Row] = [actor_row(key, own) for key, own in groupby(rows, key=lambda row: row[0])]
    return pa.Table.from_pylist(found, schema=SCHEMAS["actors"])


# --- a run directory ----------------------------------------------------------------------------


def run_on_spark(
    inputs: Sequence[Path | str],
    out: Path | str,
    options: RunOptions | None = None,
    *,
    master: str | None = None,
    **arguments: Any,
) -> RunSummary:
    """Annotate articles into a run directory, the batches on a Spark cluster.

    The tables are those of a local run. The session that is active is used, or one is begun for
    the run. Input and directory need only be on the driver's machine; onrecord must be installed
    on the executors, and a model folder or entity file must be at the same path there.

    Args:
        inputs: files, folders and globs, as for ``read_articles``.
        out: the run directory.
        options: settings; ``workers`` has no meaning here.
        master: Spark master, where no session is active; this machine's cores if None.
        **arguments: the others of ``onrecord.batch.run_batch``.

    Raises:
        RunError: as ``run_batch``; or Spark cannot be started, or gave up on a batch.
    """
    chosen = RunOptions() if options is None else options
    return run_batch(
        inputs,
        out,
        chosen.model_copy(update={"engine": "spark", "master": master or chosen.master}),
        **arguments,
    )


class SparkPool(Pool):
    """Tasks run by the executors of a Spark application, each a Spark job of one task.

    Spark moves a task whose executor is lost to another one. An article that crashes or hangs
    ends only a child of its Python worker, and comes back as a ``Death`` as from ``WorkerPool``.
    So does a task with which Spark has lost so many executors that it gives up. Its articles are
    run again one by one after all others, for what an executor does beside them is lost with it.

    Args:
        spec: the pipeline; ``threads`` is set from the cores of a Spark task.
        timeout: seconds that one article may take, None for no limit.
        master: Spark master, where no session is active.
    """

    def __init__(self, spec: PipelineSpec, timeout: float | None, master: str | None) -> None:
        self._session, self._began_session = _session(master)
        self._context = self._session.sparkContext
        cores = int(self._context.getConf().get("spark.task.cpus", "1"))
        self._remote = _Remote(replace(spec, threads=cores), timeout)
        self._retries: deque[Task] = deque()
        self._suspects: deque[Task] = deque()
        self._deadly: set[str] = set()
        # Jobs of others in the user's session go on when this run is interrupted.
        self._tag = f"onrecord-{uuid4().hex}"
        self._closed = False
        self._threads = ThreadPoolExecutor(_MOST_BATCHES, "onrecord-spark")

    def wait_until_ready(self) -> None:
        """Return when an executor has loaded the pipeline.

        Raises:
            WorkerError: it could not, or there is none.
        """
        self._threads.submit(self._run_job, None).result()

    def retry(self, task: Task) -> None:
        """Run a task again: before any new one, or after all if it may end an executor."""
        deadly = not self._deadly.isdisjoint(article.article_id for article in task.articles)
        (self._suspects if deadly else self._retries).append(task)

    def run(self, tasks: Iterator[Task]) -> Iterator[Outcome]:
        """Outcomes as they come.

        Raises:
            WorkerError: Spark gave up on a task, and not because its executors were lost.
        """
        pending: set[Future[Outcome | None]] = set()
        while True:
            while len(pending) < self._width():
                task = self._retries.popleft() if self._retries else next(tasks, None)
                if task is None:
                    break
                pending.add(self._threads.submit(self._run_job, task))
            if not pending and self._suspects:
                pending.add(self._threads.submit(self._run_job, self._suspects.popleft()))
            if not pending:
                return
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            for future in done:
                outcome = future.result()
                if outcome is not None:
                    self._note_deadly(outcome)
                    yield outcome

    def close(self) -> None:
        """Cancel what runs; end the session if it was begun here."""
        from py4j.protocol import Py4JError

        self._closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        # A session that has died has no jobs left; why it has is told elsewhere.
        with suppress(Py4JError):
            self._context.cancelJobsWithTag(self._tag)
        if self._began_session:
            self._session.stop()

    def _note_deadly(self, outcome: Outcome) -> None:
        if isinstance(outcome.result, Death) and outcome.result.error == _EXECUTOR_LOST:
            self._deadly.update(article.article_id for article in outcome.task.articles)

    def _width(self) -> int:
        """How many tasks to have under way; executors come and go."""
        return min(_MOST_BATCHES, _BATCHES_PER_CORE * int(self._context.defaultParallelism))

    def _run_job(self, task: Task | None) -> Outcome | None:
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkException

        if self._closed:
            return None
        # A tag belongs to the thread that sets it, and these serve this pool only.
        self._context.addJobTag(self._tag)
        try:
            (outcome,) = self._context.parallelize([task], 1).map(self._remote).collect()
        except (Py4JError, PySparkException) as error:
            lost = _LOST.search(str(error))
            if task is not None and lost is not None:
                return Outcome(task, _executor_death(lost[0]))
            raise WorkerError(f"Spark: {_reason(error)}") from error
        found: Outcome | None = outcome
        return found


@dataclass(frozen=True)
class _Remote:
    """What a Python worker does with a task; the same process is kept for the next one."""

    spec: PipelineSpec
    timeout: float | None

    def __call__(self, task: Task | None) -> Outcome | None:
        pool = _pool_here(
            self.spec.load,
            tuple(self.spec.arguments.items()),
            self.spec.language,
            self.spec.threads,
            self.timeout,
        )
        try:
            if task is None:
                pool.wait_until_ready()
                return None
            # The first is the only one; a worker that has to be loaded anew is not waited for.
            outcome = next(pool.run(iter([task])))
        except BaseException:
            # What Spark runs here next must not find a pool without a worker.
            _pool_here.cache_clear()
            pool.close()
            raise
        return outcome


@lru_cache(maxsize=1)
def _pool_here(
    load_pipeline: LoadPipeline,
    arguments: tuple[tuple[str, Any], ...],
    language: str,
    threads: int,
    timeout: float | None,
) -> WorkerPool:
    spec = PipelineSpec(load_pipeline, dict(arguments), language, threads)
    return WorkerPool(spec, 1, timeout)


def _executor_death(reason: str) -> Death:
    """The end of a task that Spark gave up because its executors, or their Python, were lost."""
    message = (
        f"Spark lost the executor at every attempt: {reason}; see the executor's log, or raise "
        "spark.executor.memoryOverhead"
    )
    return Death(_EXECUTOR_LOST, message, "executor")


def _session(master: str | None) -> tuple[SparkSession, bool]:
    """The active session, or a new one and True."""
    need_spark()
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    active = SparkSession.getActiveSession()
    if active is not None:
        return active, False
    where = master or _LOCAL
    builder = SparkSession.builder.appName("onrecord").master(where)
    if where.startswith("local"):
        # A run on one machine has no business with its network.
        os.environ.setdefault("SPARK_LOCAL_IP", _THIS_MACHINE)
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        for name in ("spark.driver.host", "spark.driver.bindAddress"):
            builder = builder.config(name, _THIS_MACHINE)
        builder = builder.config("spark.ui.enabled", "false")
    try:
        return builder.getOrCreate(), True
    except PySparkException as error:
        raise RunError(f"Spark does not start with master {where}: {error}") from error


def need_spark() -> None:
    """Raise SparkMissingError where a session is neither active nor can be begun."""
    _need_pyspark()
    from pyspark.sql import SparkSession

    found = os.environ.get("JAVA_HOME") or shutil.which("java")
    if not (found or SparkSession.getActiveSession()):
        raise SparkMissingError(
            "Spark needs Java 17 or newer, and no java is on the path: install it (on Debian: "
            "apt-get install openjdk-17-jre-headless), or set JAVA_HOME"
        )


def _need_pyspark() -> None:
    try:
        import pyspark  # noqa: F401
    except ModuleNotFoundError as error:
        raise SparkMissingError(
            "PySpark is not installed: pip install 'onrecord[spark]'"
        ) from error


def _reason(error: Exception) -> str:
    """The last line that says something of a long Java trace."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = [line for line in lines if not line.startswith(("at ", "...", "File ", "Traceback"))]
    python = [line for line in told if "Error: " in line and "Job aborted" not in line]
    return (python or told or ["no reason given"])[0]
