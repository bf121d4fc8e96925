"""Worker processes that may die: each annotates a batch at a time and is replaced when it ends.

Every worker has a pipe of its own, so that one which crashes in native code, is killed for its
memory, or runs out of time takes nothing with it but the batch it had.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.sharedctypes import RawArray, RawValue
from typing import Any, Protocol

from spacy.language import Language

from onrecord.annotation import AnnotatedBatch, annotate_articles
from onrecord.child_process import describe_exit, settle_in
from onrecord.readers import detect_language
from onrecord.records import Article, ErrorRow

LoadPipeline = Callable[..., Language]
_STAGE_BYTES = 128
_LOADING = "loading"
_WAITING = "waiting"
# Once the pipeline has loaded, a worker that does not load had too little memory for a moment, or
# its disk failed; more often than this in a row is no chance.
_RELOADS = 3


class WorkerError(RuntimeError):
    """Workers cannot be started: the pipeline does not load in them."""


@dataclass(frozen=True, slots=True)
class PipelineSpec:
    """How a worker makes its pipeline and what it leaves out.

    Attributes:
        load: importable function that returns the pipeline, such as ``onrecord.load``.
        arguments: keyword arguments of ``load``.
        language: as for ``annotate_articles``.
        threads: native threads that one worker may use.
    """

    load: LoadPipeline
    arguments: Mapping[str, Any] = field(default_factory=dict)
    language: str = "en"
    threads: int = 1


@dataclass(frozen=True, slots=True)
class Task:
    """A batch to annotate; ``key`` is the caller's own, ``attempt`` counts from 0."""

    key: Any
    articles: tuple[Article, ...]
    attempt: int = 0
    failing: Mapping[str, ErrorRow] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Death:
    """Why a task has no result: what ended the worker, and the stage it was in."""

    error: str
    message: str
    stage: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """A finished task: its tables, or the death of its worker."""

    task: Task
    result: AnnotatedBatch | Death


class Pool(Protocol):
    """What runs tasks: ``InProcess`` or ``WorkerPool``."""

    def wait_until_ready(self) -> None:
        """Return when a task would be begun at once."""

    def run(self, tasks: Iterator[Task]) -> Iterator[Outcome]:
        """Outcomes in the order they come; tasks given to ``retry`` meanwhile are run too."""

    def retry(self, task: Task) -> None:
        """Run a task again before any new one."""

    def close(self) -> None:
        """End the workers, whatever they are doing."""


class InProcess:
    """Tasks run one after another in this process: no isolation, no time limit."""

    def __init__(self, spec: PipelineSpec, nlp: Language | None = None) -> None:
        self._nlp = spec.load(**spec.arguments) if nlp is None else nlp
        self._language = spec.language

    def wait_until_ready(self) -> None:
        """Ready from the start."""

    def run(self, tasks: Iterator[Task]) -> Iterator[Outcome]:
        """Outcomes in the order of the tasks."""
        for task in tasks:
            yield Outcome(task, _annotate(self._nlp, self._language, task))

    def retry(self, task: Task) -> None:
        """Never called: nothing dies alone here."""
        raise NotImplementedError(f"{task.key}: this process does not outlive a crash")

    def close(self) -> None:
        """Nothing to end."""


def _annotate(
    nlp: Language, language: str, task: Task, observe: Callable[[str], None] = lambda stage: None
) -> AnnotatedBatch:
    return annotate_articles(
        nlp, task.articles, language=language, failing=task.failing, observe=observe
    )


class _Worker:
    """One process, its pipe, and what it is doing.

    Args:
        spec: the pipeline.
        timeout: seconds that one article may take, None for no limit.
    """

    def __init__(self, spec: PipelineSpec, timeout: float | None) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._stage = RawArray("c", _STAGE_BYTES)
        self._stage.value = _LOADING.encode()
        self._beat = RawValue("d", 0.0)
        self.process = context.Process(
            target=_serve,
            args=(theirs, spec, self._stage, self._beat),
            daemon=True,
            name="onrecord-worker",
        )
        with _thread_limits(spec.threads):
            self.process.start()
        theirs.close()
        self.ready = False
        self.task: Task | None = None
        self._timeout = timeout
        self._began = 0.0

    @property
    def stage(self) -> str:
        """The stage the process is in, or was in when it ended."""
        return bytes(self._stage.value).decode("utf-8", "replace")

    @property
    def idle(self) -> bool:
        """Whether it can take a task."""
        return self.ready and self.task is None

    @property
    def deadline(self) -> float | None:
        """When its task is given up: one article has taken its time, or all of them theirs."""
        if self._timeout is None or self.task is None:
            return None
        together = self._began + self._timeout * len(self.task.articles)
        return min(together, float(self._beat.value) + self._timeout)

    def begin(self, task: Task) -> None:
        """Send it a task."""
        self.task = task
        self._began = self._beat.value = time.monotonic()
        self._stage.value = _WAITING.encode()
        # If it has died just now, the pipe says so when it is read.
        with contextlib.suppress(OSError):
            self.connection.send(task)

    def end(self) -> None:
        """Kill it, if it still runs, and let go of the pipe."""
        self.process.kill()
        self.process.join()
        self.connection.close()


class WorkerPool:
    """Worker processes that share the tasks and are replaced when they die.

    Args:
        spec: the pipeline of each worker.
        n_workers: processes.
        timeout: seconds that one article may take, None for no limit. A task that is late has an
            article that was in one stage for so long, or took so long for each of its articles.
    """

    def __init__(self, spec: PipelineSpec, n_workers: int, timeout: float | None = None) -> None:
        self._spec = spec
        self._timeout = timeout
        self._retries: deque[Task] = deque()
        self._drained = False
        self._loaded = False
        self._failed_loads = 0
        self._workers = [_Worker(spec, timeout) for _ in range(n_workers)]

    def wait_until_ready(self) -> None:
        """Return when a worker has loaded its pipeline.

        Raises:
            WorkerError: it could not.
        """
        while not any(worker.ready for worker in self._workers):
            for place in self._wait():
                self._collect(place)

    def retry(self, task: Task) -> None:
        """Run a task again before any new one."""
        self._retries.append(task)

    def run(self, tasks: Iterator[Task]) -> Iterator[Outcome]:
        """Outcomes as they come.

        Raises:
            WorkerError: workers cannot load the pipeline any more.
        """
        self._drained = False
        while True:
            self._feed(tasks)
            running = any(worker.task for worker in self._workers)
            if self._drained and not running and not self._retries:
                return
            outcomes = [found for place in self._wait() if (found := self._collect(place))]
            self._feed(tasks)
            yield from outcomes

    def close(self) -> None:
        """Kill every worker."""
        for worker in self._workers:
            worker.end()
        self._workers = []

    def _feed(self, tasks: Iterator[Task]) -> None:
        for place, worker in enumerate(self._workers):
            if worker.idle and not worker.process.is_alive():
                # It was killed while it waited; no article is to blame.
                self._replace(place)
            elif worker.idle:
                task = self._retries.popleft() if self._retries else next(tasks, None)
                if task is None:
                    self._drained = True
                    return
                worker.begin(task)

    def _replace(self, place: int) -> None:
        self._workers[place].end()
        self._workers[place] = _Worker(self._spec, self._timeout)

    def _wait(self) -> list[int]:
        """Numbers of the workers that have something to say, have died or are out of time."""
        busy = {
            worker.connection: place
            for place, worker in enumerate(self._workers)
            if not worker.idle
        }
        deadlines = [end for worker in self._workers if (end := worker.deadline) is not None]
        patience = max(0.0, min(deadlines) - time.monotonic()) if deadlines else None
        speaking = {busy[connection] for connection in wait(list(busy), patience)}  # type: ignore[index]
        now = time.monotonic()
        late = {
            place
            for place, worker in enumerate(self._workers)
            if (end := worker.deadline) is not None and end <= now
        }
        return sorted(speaking | late)

    def _collect(self, place: int) -> Outcome | None:
        """What a worker sent, or the death of its task; a dead worker is replaced."""
        worker = self._workers[place]
        if not worker.connection.poll():
            return self._bury(place, out_of_time=True)
        try:
            message = worker.connection.recv()
        except (EOFError, OSError):
            return self._bury(place, out_of_time=False)
        if isinstance(message, Exception):
            self._reload(place, message)
            return None
        if not worker.ready:
            worker.ready = self._loaded = True
            self._failed_loads = 0
            return None
        task, worker.task = worker.task, None
        assert task is not None  # noqa: S101 - a worker speaks only when it is asked
        return Outcome(task, message)

    def _reload(self, place: int, error: Exception) -> None:
        """Try again where a worker did not load; raise if none has, or if it is no chance."""
        self._failed_loads += 1
        if not self._loaded or self._failed_loads > _RELOADS:
            raise WorkerError(str(error)) from error
        self._replace(place)

    def _bury(self, place: int, *, out_of_time: bool) -> Outcome | None:
        worker = self._workers[place]
        if not out_of_time:
            # The pipe closes a moment before the exit code is known.
            worker.process.join(timeout=5)
        code = worker.process.exitcode
        task, stage = worker.task, worker.stage
        if task is None:
            error = WorkerError(
                f"a worker ended while it was {stage} ({describe_exit(code)}); check memory and "
                "the models with 'onrecord info'"
            )
            self._reload(place, error)
            return None
        self._replace(place)
        if out_of_time:
            limit = f"{self._timeout:g}"
            return Outcome(
                task,
                Death("Timeout", f"not done after {limit} s; raise --article-timeout", stage),
            )
        message = f"the worker process ended: {describe_exit(code)}"
        return Outcome(task, Death("WorkerDied", message, stage))


_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@contextlib.contextmanager
def _thread_limits(threads: int) -> Iterator[None]:
    """Environment in which a child's native libraries start with this many threads.

    They sleep while they wait: threads that spin make a run many times slower as soon as another
    program uses the same cores.
    """
    waiting = os.environ.get("OMP_WAIT_POLICY", "PASSIVE")
    wanted = dict.fromkeys(_THREAD_VARIABLES, str(threads))
    wanted |= {"TOKENIZERS_PARALLELISM": "false", "OMP_WAIT_POLICY": waiting}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _serve(connection: Connection, spec: PipelineSpec, stage: Any, beat: Any) -> None:
    """Life of a worker: load, say so, then annotate what comes until the pipe closes."""
    settle_in()
    try:
        nlp = spec.load(**spec.arguments)
        # What loads at its first use must not count as the time of the first article.
        detect_language("so that its model is here")
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent reports it
        connection.send(WorkerError(f"{type(error).__name__}: {error}"))
        return
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(spec.threads)
    connection.send(None)
    while True:
        try:
            task = connection.recv()
        except EOFError:
            return
        connection.send(_annotate(nlp, spec.language, task, _note_into(stage, beat)))


def _note_into(stage: Any, beat: Any) -> Callable[[str], None]:
    def note(name: str) -> None:
        stage.value = name.encode()[: _STAGE_BYTES - 1]
        # This clock is the same in all processes of a machine.
        beat.value = time.monotonic()

    return note
