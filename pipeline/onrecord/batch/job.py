"""One run in its directory, from the plan to ``run.json``."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from onrecord.actors import ENTITY_COLUMNS, QUOTE_COLUMNS, merge_actors, read_part
from onrecord.annotation import AnnotatedBatch, unannotated
from onrecord.batch.cores import usable_cores
from onrecord.batch.csv_tables import write_csv
from onrecord.batch.directory import LOG_FILE, RunDirectory, Shard, part_name
from onrecord.batch.durable import remove_tree, sorting_in
from onrecord.batch.near_duplicates import NearDuplicates
from onrecord.batch.options import RunError, RunOptions, RunSummary
from onrecord.batch.plan import KnownArticle, Plan
from onrecord.batch.progress import RunLog, RunProgress
from onrecord.batch.spent import Spent
from onrecord.batch.workers import (
    Death,
    InProcess,
    LoadPipeline,
    PipelineSpec,
    Pool,
    Task,
    WorkerPool,
)
from onrecord.language import STAGES
from onrecord.provenance import library_versions, package_version
from onrecord.readers import IsolatedReader, read_articles
from onrecord.readers.isolated import ReadOne
from onrecord.readers.one_file import read_one
from onrecord.records import SCHEMAS, Article, ErrorRow
from onrecord.tables import ARTICLE_TABLES, Tables, concat_sorted, error_row, to_tables

_PLAN = "plan.sqlite"
_SPENT = "seconds.json"
# Of ten million articles, millions may be duplicates: no more rows than this are held at once.
_ERRORS_OF_A_PART = 50_000
# A batch holds no more text than this unless one article does: memory follows text, not articles.
_BATCH_CHARS = 200_000
# Where a worker can die outside of any stage that could be left out.
_OUTSIDE_STAGES = frozenset({"executor", "loading", "waiting", "language", "tokenizer", "tables"})


def utc_now() -> str:
    """Now, in ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def open_input(
    inputs: Sequence[Path | str], config: Mapping[str, Any], out: Path, reader: ReadOne = read_one
) -> Iterator[Article | ErrorRow]:
    """The articles of the input, as the options of a run say; none of what it has written.

    Raises:
        InputError: an input does not exist, or the metadata table is not usable; at the call,
            before anything is read.
    """
    return read_articles(
        list(inputs),
        columns=config["columns"],
        encoding=config["encoding"],
        max_chars=config["max_chars"],
        reader=reader,
        metadata=config.get("metadata"),
        apart_from=out,
    )


@dataclass(slots=True)
class _OpenShard:
    """A shard whose batches are not all back yet."""

    number: int
    n_articles: int
    done: list[AnnotatedBatch] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        return self.n_articles == sum(batch.n_articles for batch in self.done)

    def close(self) -> tuple[Shard, Tables]:
        """Its tables in order, and what there is to say about it."""
        tables = {
            name: concat_sorted(name, (batch.tables[name] for batch in self.done))
            for name in ARTICLE_TABLES
        }
        seconds: dict[str, float] = {}
        for batch in self.done:
            for stage, spent in batch.seconds.items():
                seconds[stage] = seconds.get(stage, 0.0) + spent
        words = sum(batch.n_words for batch in self.done)
        return Shard(self.number, {}, self.n_articles, words, seconds), tables


class Job:
    """One run in its directory, from the plan to ``run.json``.

    Args:
        directory: where the run was begun.
        options: settings of this process.
        progress: what is told meanwhile.
        began: when this process began, by ``time.monotonic``.
    """

    def __init__(
        self, directory: RunDirectory, options: RunOptions, progress: RunProgress, began: float
    ) -> None:
        self._began = began
        self._spent = Spent(directory.work / _SPENT, began)
        self._directory = directory
        self._options = options
        self._progress = progress
        self._begun = directory.description()
        self._before: dict[str, Any] | None = self._begun["before"]
        self._first_part = len(self._before["parts"]) if self._before else 0
        self._shard_size: int = self._begun["config"]["shard_size"]
        self._log = RunLog(directory.path / LOG_FILE)
        self._shards: dict[int, Shard] = {}
        self._open: dict[int, _OpenShard] = {}
        self._plan: Plan | None = None

    def close(self) -> None:
        """Close the files that the job holds open."""
        if self._plan is not None:
            self._plan.close()
        self._log.close()

    def run(self, inputs: Sequence[Path | str], load_pipeline: LoadPipeline) -> RunSummary:
        """Do what is not done yet, and publish; the log says how it ended."""
        try:
            with sorting_in(self._directory.work):
                return self._run(inputs, load_pipeline)
        except BaseException as error:
            self._log_end(error)
            raise

    def _run(self, inputs: Sequence[Path | str], load_pipeline: LoadPipeline) -> RunSummary:
        self._log.write("start", config=self._begun["config"], inputs=self._begun["inputs"])
        self._plan = plan = self._make_plan(inputs)
        self._shards = self._directory.finished_shards()
        done = sum(shard.n_articles for shard in self._shards.values())
        self._log.write("planned", articles=plan.n_articles, done=done)
        self._progress.start(plan.n_articles, done)
        self._commit_read_errors(plan)
        if self._missing(plan):
            self._annotate(plan, load_pipeline)
        summary = self._publish(plan)
        self._log.write("finish", counts=summary.counts, seconds=round(summary.seconds, 3))
        return summary

    def _log_end(self, error: BaseException) -> None:
        """Note why this process ends before the run is done, and what it took."""
        interrupted = isinstance(error, KeyboardInterrupt)
        # On a disk that is full there is no room for this either; the error itself is told.
        with suppress(OSError):
            self._log.write(
                "interrupted" if interrupted else "failed",
                error=type(error).__name__,
                message=str(error) or ("asked to end" if interrupted else "no message"),
                seconds=round(time.monotonic() - self._began, 3),
            )
        with suppress(OSError):
            self._spent.save()

    # --- reading -------------------------------------------------------------------------------

    def _make_plan(self, inputs: Sequence[Path | str]) -> Plan:
        path = self._directory.work / _PLAN
        if path.is_file():
            return Plan(path)
        self._progress.say("reading the input")
        known = self._known_articles(), self._known_errors()
        with self._spent.timed("read"), self._reader() as reader, self._near_duplicates() as near:
            read = open_input(inputs, self._begun["config"], self._directory.path, reader)
            plan = Plan.write(path, read, *known, near)
        if not (plan.n_articles or plan.has_errors or self._before):
            remove_tree(self._directory.work)
            raise RunError(f"{', '.join(map(str, inputs))}: no article found; nothing to do")
        self._spent.save()
        return plan

    def _reader(self) -> AbstractContextManager[ReadOne]:
        """What reads a file; without workers this process does all, at its own risk."""
        if self._options.workers == 0 and self._options.engine == "local":
            return nullcontext(read_one)
        return IsolatedReader(self._options.article_timeout)

    def _known_articles(self) -> Iterator[KnownArticle]:
        for path in self._old_files("articles"):
            rows = read_part(path, ["article_id", "source_path", "text_sha256"]).to_pylist()
            for row in rows:
                yield KnownArticle(**row)

    def _known_errors(self) -> Iterator[ErrorRow]:
        for path in self._old_files("errors"):
            for row in read_part(path, SCHEMAS["errors"].names).to_pylist():
                yield ErrorRow(**row)

    def _near_duplicates(self) -> AbstractContextManager[NearDuplicates | None]:
        """Where wire copies are looked for, the originals of earlier runs in it; None if not."""
        if not self._options.near_duplicates:
            return nullcontext()
        near = NearDuplicates(self._directory.work / "near.sqlite")
        for path in self._old_files("articles"):
            for row in read_part(path, ["article_id", "text", "extra"]).to_pylist():
                if "duplicate_of" not in json.loads(row["extra"]):
                    near.remember(row["article_id"], row["text"])
        return near

    def _old_files(self, table: str) -> Iterator[Path]:
        """Files of a table that were there before this run."""
        for number in range(self._first_part):
            yield self._directory.path / table / part_name(number)

    # --- annotating ----------------------------------------------------------------------------

    def _n_shards(self, plan: Plan) -> int:
        return math.ceil(plan.n_articles / self._shard_size)

    def _missing(self, plan: Plan) -> list[int]:
        numbers = range(self._first_part, self._first_part + self._n_shards(plan))
        return [number for number in numbers if number not in self._shards]

    def _annotate(self, plan: Plan, load_pipeline: LoadPipeline) -> None:
        pool = _make_pool(self._options, load_pipeline)
        try:
            pool.wait_until_ready()
            self._progress.start_clock()
            for outcome in pool.run(self._tasks(plan)):
                if isinstance(outcome.result, Death):
                    self._handle_death(outcome.task, outcome.result, pool)
                else:
                    self._accept(outcome.task.key, outcome.result)
        finally:
            pool.close()

    def _tasks(self, plan: Plan) -> Iterator[Task]:
        for number in self._missing(plan):
            first = (number - self._first_part) * self._shard_size
            articles = plan.articles(first, first + self._shard_size)
            self._open[number] = _OpenShard(number, len(articles))
            for batch in cut_batches(articles, self._options.batch_size):
                yield Task(number, tuple(batch))

    def _accept(self, number: int, result: AnnotatedBatch) -> None:
        shard = self._open[number]
        shard.done.append(result)
        kinds = result.tables["errors"]["kind"].to_pylist()
        self._progress.advance(result.n_articles, result.n_words, kinds)
        if shard.complete:
            self._commit(*shard.close())
            del self._open[number]

    def _commit(self, shard: Shard, tables: Tables) -> None:
        with self._spent.timed("commit"):
            tables["errors"] = self._without_known(tables["errors"])
            done = self._directory.commit_shard(shard, tables)
            self._spent.save()
        self._shards[done.number] = done
        rows = {name: about["rows"] for name, about in done.files.items()}
        self._log.write("shard", number=done.number, articles=done.n_articles, rows=rows)

    def _handle_death(self, task: Task, death: Death, pool: Pool) -> None:
        """Retry the articles of a lost batch alone; give up on one that kills its worker alone."""
        self._log.write(
            "lost", stage=death.stage, error=death.error, message=death.message,
            attempt=task.attempt, articles=[article.article_id for article in task.articles],
        )  # fmt: skip
        if task.attempt == 0:
            for article in task.articles:
                pool.retry(Task(task.key, (article,), attempt=1))
            return
        (article,) = task.articles
        row = _death_row(article, death)
        if task.attempt == 1 and death.stage not in _OUTSIDE_STAGES:
            pool.retry(Task(task.key, (article,), attempt=2, failing={death.stage: row}))
            return
        self._accept(task.key, unannotated(article, [*task.failing.values(), row]))

    # --- finishing -----------------------------------------------------------------------------

    def _commit_read_errors(self, plan: Plan) -> None:
        """Last parts of their own hold what was not read; of no article, the tables are empty."""
        number = self._first_part + self._n_shards(plan)
        errors = plan.errors()
        while (some := list(islice(errors, _ERRORS_OF_A_PART))) or number == 0:
            if number not in self._shards:
                tables = to_tables({"errors": [error_row(error) for error in some]})
                tables["errors"] = concat_sorted("errors", [tables["errors"]])
                self._commit(Shard(number, {}, 0, 0, {}), tables)
                self._progress.advance(0, 0, [error.kind for error in some])
            number += 1

    def _without_known(self, errors: pa.Table) -> pa.Table:
        """Errors that the run does not hold yet.

        An article that gives no row of ``articles``, as one in another language, is met at every
        append.
        """
        if not self._before or self._plan is None:
            return errors
        is_known = self._plan.is_known
        return errors.filter(
            pa.array([not is_known(ErrorRow(**row)) for row in errors.to_pylist()], pa.bool_())
        )

    def _parts(self, table: str) -> Iterator[Path]:
        """Files of a table, those of earlier runs first, wherever they are now."""
        yield from self._old_files(table)
        for number in sorted(self._shards):
            yield self._directory.file(self._shards[number], table)

    def _publish(self, plan: Plan) -> RunSummary:
        self._progress.say("merging actors")
        with self._spent.timed("merge"):
            actors, n_actors = self._write_actors()
            if self._options.csv or self._has_csv():
                self._write_csv(actors)
        run = self._run_file(n_actors)
        self._directory.publish(self._shards, actors, run)
        session = run["sessions"][-1]
        return RunSummary(
            self._directory.path,
            run["counts"],
            session["errors"],
            session["articles"],
            time.monotonic() - self._began,
        )

    def _has_csv(self) -> bool:
        """Whether there are CSV files, which would silently lack what this run adds."""
        return not self._directory.replaces and (self._directory.path / "articles.csv").is_file()

    def _write_actors(self) -> tuple[Path, int]:
        work = self._directory.work
        for name in ("actors.sqlite", "actors.parquet"):
            remove_tree(work / name)
        parts = (
            (read_part(entities, ENTITY_COLUMNS), read_part(quotes, QUOTE_COLUMNS))
            for entities, quotes in zip(self._parts("entities"), self._parts("quotes"), strict=True)
        )
        path = work / "actors.parquet"
        rows = 0
        with path.open("wb") as stream:
            with pq.ParquetWriter(stream, SCHEMAS["actors"], compression="zstd") as writer:
                for batch in merge_actors(parts, work / "actors.sqlite"):
                    writer.write_batch(batch)
                    rows += batch.num_rows
            stream.flush()
            os.fsync(stream.fileno())
        return path, rows

    def _write_csv(self, actors: Path) -> None:
        for table in SCHEMAS:
            files = [actors] if table == "actors" else list(self._parts(table))
            write_csv(table, files, self._directory.work / f"{table}.csv")

    def _run_file(self, n_actors: int) -> dict[str, Any]:
        """Content of ``run.json``: what made the tables, and what is in them."""
        new = [self._shards[number] for number in sorted(self._shards)]
        before = self._before or {"parts": [], "sessions": [], "seconds_by_stage": {}}
        parts = [*before["parts"], *(shard.files for shard in new)]
        counts = {table: sum(part[table]["rows"] for part in parts) for table in ARTICLE_TABLES} | {
            "actors": n_actors
        }
        words = sum(shard.n_words for shard in new)
        articles = sum(shard.n_articles for shard in new)
        session = {
            "inputs": self._begun["inputs"],
            "config": self._options.model_dump(mode="json"),
            "started_at": self._begun["started_at"],
            "finished_at": utc_now(),
            "seconds": round(self._spent.total, 3),
            "articles": articles,
            "words": words,
            "errors": sum(shard.files["errors"]["rows"] for shard in new),
        }
        return {
            "onrecord": package_version(),
            "status": "complete",
            "identity": self._begun["identity"],
            "versions": library_versions(),
            "counts": {table: counts[table] for table in SCHEMAS},
            "seconds_by_stage": _add_seconds(
                before["seconds_by_stage"],
                self._spent.stages,
                *(shard.seconds for shard in new),
            ),
            "sessions": [*before["sessions"], session],
            "parts": parts,
        }


def _make_pool(options: RunOptions, load_pipeline: LoadPipeline) -> Pool:
    spec = PipelineSpec(
        load_pipeline,
        {
            "spacy_model": options.spacy_model,
            "model": options.model,
            "entities": options.entities,
            "attribution": options.attribution,
        },
        language=options.language,
        threads=max(1, usable_cores() // max(1, options.workers)),
    )
    if options.engine == "spark":
        # PySpark is an extra; only here is it needed.
        from onrecord.spark import SparkPool

        return SparkPool(spec, options.article_timeout, options.master)
    if options.workers == 0:
        return InProcess(spec)
    return WorkerPool(spec, options.workers, options.article_timeout)


def cut_batches(articles: Iterable[Article], batch_size: int) -> Iterator[list[Article]]:
    """Articles of like length together, the longest first; a long one is a batch of its own."""
    batch: list[Article] = []
    chars = 0
    for article in sorted(articles, key=lambda a: (-len(a.text), a.article_id)):
        if batch and (len(batch) == batch_size or chars + len(article.text) > _BATCH_CHARS):
            yield batch
            batch, chars = [], 0
        batch.append(article)
        chars += len(article.text)
    if batch:
        yield batch


def _death_row(article: Article, death: Death) -> ErrorRow:
    return ErrorRow(
        source_path=article.source_path,
        article_id=article.article_id,
        stage=death.stage,
        kind="failed",
        error=death.error,
        message=f"{death.message} (tried again alone)",
    )


def _add_seconds(*given: Mapping[str, float]) -> dict[str, float]:
    """Seconds by stage, in the order in which an article meets them."""
    total: dict[str, float] = {}
    for seconds in given:
        for stage, spent in seconds.items():
            total[stage] = total.get(stage, 0.0) + spent
    ordered = [*("read", "language", "tokenizer"), *STAGES[:1], "tok2vec", "ner", *STAGES[1:]]
    ordered += ["tables", "commit", "merge"]
    names = [*(name for name in ordered if name in total), *(set(total) - set(ordered))]
    return {name: round(total[name], 3) for name in names}
