"""Reading in a process of its own, for files that native libraries parse.

A page or a Parquet file can crash lxml or Arrow, or take all time or memory there is; no exception
is raised then. Here that costs the file: the process is replaced, and reading goes on with the
next. Text, CSV and JSON Lines are read by Python itself, a bounded piece at a time, and need none.
"""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Callable, Iterator
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path

from onrecord.child_process import describe_exit, settle_in
from onrecord.readers.files import file_format
from onrecord.readers.one_file import read_one
from onrecord.readers.options import ReadOptions
from onrecord.readers.problems import UnreadableError, error_row
from onrecord.records import Article, ErrorKind, ErrorRow

ReadOne = Callable[[Path, ReadOptions], Iterator[Article | ErrorRow]]

_NATIVE = frozenset({"html", "parquet"})
_NEXT_STEP = {
    "html": "save the text of the page as .txt",
    "parquet": "write the file anew, or as .jsonl",
}
# What ends a process is not always the file's fault: memory may have been short for a moment.
_ATTEMPTS = 2
_SECONDS_TO_END = 5


class ReaderError(OSError):
    """The reading process cannot be started; the message says what to do."""


class IsolatedReader:
    """Reads files in a child process that may die, as a context manager.

    The child is started for the first file that needs it, and kept for the next ones.

    Args:
        timeout: seconds that one article may take to be read, None for no limit.
        read: importable function that reads a file, in this process or in the child.
    """

    def __init__(self, timeout: float | None = None, read: ReadOne = read_one) -> None:
        self._timeout = timeout
        self._read = read
        self._child: _Child | None = None

    def __enter__(self) -> IsolatedReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._end_child()

    def __call__(self, path: Path, options: ReadOptions) -> Iterator[Article | ErrorRow]:
        """As ``read_one``; an error row takes the place of what the process did not survive.

        Raises:
            ReaderError: the process cannot be started.
        """
        if file_format(path) not in _NATIVE:
            yield from self._read(path, options)
            return
        given = read = 0
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                # Read again from its start, which shows all the while that it does not hang.
                for item in islice(self._in_child(path, options), given, None):
                    given += 1
                    read += isinstance(item, Article)
                    yield item
            except _DiedError as death:
                if attempt == _ATTEMPTS or death.out_of_time:
                    yield _error(path, death, read)
                    return
            else:
                return

    def _in_child(self, path: Path, options: ReadOptions) -> Iterator[Article | ErrorRow]:
        if self._child is None:
            self._child = _Child(self._read)
        finished = False
        try:
            self._child.ask(path, options)
            while (item := self._child.answer(self._timeout)) is not None:
                yield item
            finished = True
        finally:
            # Also where the caller stops in the middle: the rest is still in the pipe.
            if not finished:
                self._end_child()

    def _end_child(self) -> None:
        if self._child is not None:
            self._child.end()
            self._child = None


class _DiedError(Exception):
    """The child ended, or was out of time, before it had read all of a file."""

    def __init__(self, message: str, *, out_of_time: bool) -> None:
        super().__init__(message)
        self.out_of_time = out_of_time


class _Child:
    """The process and its pipe, which holds back a child that reads faster than is taken."""

    def __init__(self, read: ReadOne) -> None:
        # Not forked from here: threads of this process may hold locks that the child would wait
        # for. A server without threads loads the readers once, so that a child starts at once.
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([read_one.__module__])
        self._connection, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(theirs, read), daemon=True, name="onrecord-reader"
        )
        self._process.start()
        theirs.close()
        try:
            self._connection.recv()
        except (EOFError, OSError) as error:
            how = self._how_it_ended()
            self.end()
            raise ReaderError(
                f"the process that reads HTML and Parquet does not start ({how}); check memory, "
                "or read without it: --workers 0"
            ) from error

    def ask(self, path: Path, options: ReadOptions) -> None:
        """Have a file read."""
        # If it has died just now, the pipe says so when it is read.
        with contextlib.suppress(OSError):
            self._connection.send((path, options))

    def answer(self, timeout: float | None) -> Article | ErrorRow | None:
        """The next item, None at the end of the file.

        Raises:
            _DiedError: there is none within the time, or the process has ended.
        """
        try:
            if not self._connection.poll(timeout):
                raise _DiedError(f"not read after {timeout:g} s", out_of_time=True)
            item: Article | ErrorRow | None = self._connection.recv()
        except (EOFError, OSError) as error:
            how = self._how_it_ended()
            raise _DiedError(f"the process that read it ended: {how}", out_of_time=False) from error
        return item

    def end(self) -> None:
        """Kill it, if it still runs, and let go of the pipe."""
        self._process.kill()
        self._process.join()
        self._connection.close()

    def _how_it_ended(self) -> str:
        # The pipe closes a moment before the exit code is known.
        self._process.join(_SECONDS_TO_END)
        return describe_exit(self._process.exitcode)


def _error(path: Path, death: _DiedError, read: int) -> ErrorRow:
    """The row of ``errors`` for a file that the process did not survive."""
    step = _NEXT_STEP[file_format(path) or ""]
    if death.out_of_time:
        reason, step = "Timeout", f"raise --article-timeout, or {step}"
    else:
        reason, step = "ReaderDied", f"tried twice; {step}"
    before = f"; {read} articles before that were read" if read else ""
    kind: ErrorKind = "truncated" if read else "failed"
    return error_row(path, UnreadableError(reason, f"{death}; {step}{before}", kind=kind))


def _serve(connection: Connection, read: ReadOne) -> None:
    """Life of the child: say that it is there, then read what it is asked to."""
    settle_in()
    connection.send(None)
    while True:
        try:
            path, options = connection.recv()
        except EOFError:
            return
        for item in read(path, options):
            connection.send(item)
        connection.send(None)
