"""A run directory: one writer at a time, shards committed whole, published as datasets at the end.

While a run works, everything is under ``DIR/.work``: the plan, what the run is (``run.json``), and
one folder a finished shard with its tables and a marker of counts and checksums. Only when all
shards are there do their files move to ``DIR/<table>/part-NNNNN.parquet``, and ``DIR/run.json``
comes last. A directory without a complete ``run.json`` is no finished run.

A run that replaces another leaves it where it is, and readable, until then. What is moved or
removed is only what a ``run.json`` of onrecord, here or in ``.work``, says to be a run's.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Literal

from onrecord.batch.durable import (
    as_json,
    is_whole,
    make_directory,
    remove_tree,
    rename_directory,
    replace_file,
    sync_directory,
    write_bytes,
    write_parquet,
)
from onrecord.records import TABLES
from onrecord.tables import ARTICLE_TABLES, Tables

RUN_FILE = "run.json"
LOG_FILE = "run.log"
WORK = ".work"
_OLD_WORK = ".work.old"
_REPLACED = ".work.replaced"
_CLEARED = "cleared"
_LOCK = ".lock"
_MARKER = "done.json"
# Whatever a run and its report leave in the directory; --overwrite removes no more. What says that
# there is a run goes first.
PUBLISHED = (
    *(RUN_FILE, f"{RUN_FILE}.tmp"),
    *TABLES,
    *(f"{name}.csv" for name in TABLES),
    "report.html",
)
# What may be there before a first run says in run.json that the directory is its own.
_BEFORE_A_RUN = frozenset({_LOCK, LOG_FILE, WORK, _OLD_WORK, _REPLACED})

State = Literal["new", "unfinished", "complete"]


class RunDirectoryError(OSError):
    """The run directory cannot be used as asked; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Shard:
    """A committed shard.

    Attributes:
        number: its part number in every table.
        files: table to ``rows``, ``bytes`` and ``sha256`` of its file.
        n_articles: input articles it covers, those in errors included.
        n_words: words annotated.
        seconds: time spent by stage.
    """

    number: int
    files: dict[str, dict[str, Any]]
    n_articles: int
    n_words: int
    seconds: dict[str, float]


def part_name(number: int) -> str:
    """File name of a part; names of the first 100,000 sort as numbers do, so read by number."""
    return f"part-{number:05d}.parquet"


class RunDirectory:
    """Exclusive use of a run directory, as a context manager.

    Args:
        path: the directory; made on entering if it is not there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.work = path / WORK
        self._lock: IO[str] | None = None

    def __enter__(self) -> RunDirectory:
        if self.path.exists() and not self.path.is_dir():
            raise RunDirectoryError(f"{self.path}: is a file; name a directory with --out")
        _refuse_foreign(self.path)
        make_directory(self.path)
        self._lock = _take_lock(self.path / _LOCK)
        remove_tree(self.path / _OLD_WORK)
        if self.state == "complete":
            remove_tree(self.path / _REPLACED)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._lock is not None:
            # The file stays: removing it would let two writers lock two files of one name. What
            # it says is for people; a disk that fails here must not fail a run that is done.
            with contextlib.suppress(OSError):
                self._lock.truncate(0)
            self._lock.close()
            self._lock = None

    @property
    def state(self) -> State:
        """Whether a run is to be begun here, to be finished, or done."""
        if (self.work / RUN_FILE).is_file():
            return "unfinished"
        return "complete" if read_run_file(self.path) is not None else "new"

    def begin(self, description: Mapping[str, Any]) -> None:
        """Start a run: a work folder that says what the run is, and holds nothing else.

        Work that is there already counts no more from the first step on. A begin that is cut off
        leaves ``"emptying"`` in the description, and has to be done again.

        Args:
            description: what ``description`` gives back; with ``"replaces"``, the run that is here
                makes room when this one is published.
        """
        self.work.mkdir(exist_ok=True)
        left = [entry for entry in self.work.iterdir() if entry.name != RUN_FILE]
        if left:
            replace_file(self.work / RUN_FILE, as_json({**description, "emptying": True}))
            for entry in left:
                remove_tree(entry)
        replace_file(self.work / RUN_FILE, as_json(description))
        sync_directory(self.path)

    def description(self) -> dict[str, Any]:
        """What ``begin`` was given."""
        file = self.work / RUN_FILE
        try:
            found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise RunDirectoryError(
                f"{file}: not valid JSON ({error}); remove {self.work} and run the command again"
            ) from error
        return found

    @property
    def replaces(self) -> bool:
        """Whether what is published here is of another run, to be replaced by the one at work."""
        return bool(self.description().get("replaces")) and not (self.work / _CLEARED).is_file()

    def commit_shard(self, shard: Shard, tables: Tables) -> Shard:
        """Write the tables of a shard aside, flush them, and put them in place with their marker.

        Returns:
            The shard with ``files`` filled in.

        Raises:
            OSError: the disk is full, read-only or broken; nothing of the shard counts then.
        """
        place = self._shard_folder(shard.number)
        aside = place.with_suffix(".tmp")
        remove_tree(aside)
        remove_tree(place)
        aside.mkdir()
        files = {
            name: write_parquet(aside / f"{name}.parquet", tables[name]) for name in ARTICLE_TABLES
        }
        done = Shard(shard.number, files, shard.n_articles, shard.n_words, shard.seconds)
        write_bytes(aside / _MARKER, as_json(_as_dict(done)))
        rename_directory(aside, place)
        return done

    def finished_shards(self) -> dict[int, Shard]:
        """Shards that are whole on disk; anything half written or damaged is left out."""
        found = {}
        for marker in sorted(self.work.glob(f"shard-*/{_MARKER}")):
            if marker.parent.suffix == ".tmp":
                continue
            try:
                shard = Shard(**json.loads(marker.read_text(encoding="utf-8")))
            except (ValueError, TypeError):
                continue
            if all(is_whole(self.file(shard, name), about) for name, about in shard.files.items()):
                found[shard.number] = shard
        return found

    def file(self, shard: Shard, table: str) -> Path:
        """Where a table of a shard is: published, or still in the work folder."""
        published = self.path / table / part_name(shard.number)
        working = self._shard_folder(shard.number) / f"{table}.parquet"
        return working if working.is_file() else published

    def publish(self, shards: Mapping[int, Shard], actors: Path, run: Mapping[str, Any]) -> None:
        """Move finished shards, actors and CSV files to their places, then write ``run.json``.

        Interrupted at any point, it can be done again: what has moved is where it belongs. A run
        that was there before is marked as being written, for its tables and counts differ until
        the end; one that this run replaces makes room, and is removed when all is done.
        """
        if self.replaces:
            self._set_aside()
        if read_run_file(self.path) is not None:
            replace_file(self.path / RUN_FILE, as_json({**run, "status": "publishing"}))
        for name in TABLES:
            (self.path / name).mkdir(exist_ok=True)
        for shard in shards.values():
            for name in shard.files:
                place = self.path / name / part_name(shard.number)
                source = self.file(shard, name)
                if source != place:
                    os.replace(source, place)  # noqa: PTH105
        os.replace(actors, self.path / "actors" / part_name(0))  # noqa: PTH105
        for file in sorted(self.work.glob("*.csv")):
            os.replace(file, self.path / file.name)  # noqa: PTH105
        for name in TABLES:
            sync_directory(self.path / name)
        replace_file(self.path / RUN_FILE, as_json({**run, "status": "complete"}))
        # Out of the way in one step: half a work folder would look like an unfinished run.
        os.replace(self.work, self.path / _OLD_WORK)  # noqa: PTH105
        remove_tree(self.path / _OLD_WORK)
        remove_tree(self.path / _REPLACED)

    def _set_aside(self) -> None:
        """Move what is published out of the way.

        The work folder says all the while that the directory is a run's, and only in the end that
        what is published from now on is the new run's.
        """
        aside = self.path / _REPLACED
        aside.mkdir(exist_ok=True)
        for name in PUBLISHED:
            if (self.path / name).exists():
                remove_tree(aside / name)
                os.replace(self.path / name, aside / name)  # noqa: PTH105
        sync_directory(self.path)
        replace_file(self.work / _CLEARED, b"")

    def _shard_folder(self, number: int) -> Path:
        return self.work / f"shard-{number:05d}"


def _as_dict(shard: Shard) -> dict[str, Any]:
    return {name: getattr(shard, name) for name in Shard.__dataclass_fields__}


def read_run_file(path: Path) -> dict[str, Any] | None:
    """``run.json`` of a finished run, None if there is none.

    Raises:
        RunDirectoryError: the file is there but is not one that onrecord wrote.
    """
    file = path / RUN_FILE
    if not file.is_file():
        return None
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RunDirectoryError(f"{file}: not valid JSON ({error}); restore it") from error
    if not isinstance(found, dict) or "onrecord" not in found:
        raise RunDirectoryError(f"{file}: was not written by onrecord; choose another --out")
    return found


def _refuse_foreign(path: Path) -> None:
    """Never write among files that are not a run's, whatever their names.

    A folder of articles may be called ``articles``, and a table of them ``articles.csv``.
    """
    if not path.is_dir() or read_run_file(path) is not None or _is_begun(path / WORK):
        return
    strange = sorted(_names(path) - _BEFORE_A_RUN)
    if strange:
        raise RunDirectoryError(
            f"{path}: is not a run directory, it holds {strange[0]!r}; choose another --out"
        )


def _is_begun(work: Path) -> bool:
    try:
        return read_run_file(work) is not None
    except RunDirectoryError:
        return False


def _names(path: Path) -> set[str]:
    return {entry.name for entry in path.iterdir()}


def _take_lock(path: Path) -> IO[str]:
    """Lock a file for this process; the system lets go of it however the process ends.

    Raises:
        RunDirectoryError: another process writes here.
    """
    stream = path.open("a+", encoding="utf-8")
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        stream.seek(0)
        holder = stream.read().strip() or "another process"
        stream.close()
        raise RunDirectoryError(
            f"{path.parent}: {holder} is writing here; wait for it, or choose another --out"
        ) from error
    started = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        stream.truncate(0)
        stream.write(f"process {os.getpid()} on {socket.gethostname()} (since {started})\n")
        stream.flush()
    except OSError:
        with contextlib.suppress(OSError):
            stream.close()
        raise
    return stream
