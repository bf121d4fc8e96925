"""What can go wrong while reading: one error for the run, one for a file or a row of it."""

from __future__ import annotations

import os
import zlib
from pathlib import Path

from onrecord.records import ErrorKind, ErrorRow

STAGE = "read"


class InputError(ValueError):
    """The run cannot start: an input or a column name given by the user is not usable."""


class UnreadableError(Exception):
    """One file, or one article of it, cannot be read; becomes a row of ``errors``.

    ``reason`` is a short class of the problem, ``kind`` as in the ``errors`` table.
    """

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        kind: ErrorKind = "failed",
        article_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.kind: ErrorKind = kind
        self.article_id = article_id


def shown(path: Path | str) -> str:
    """The path as text that any table can hold: bytes that are not UTF-8 are escaped."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def error_row(path: Path | str, error: BaseException, *, read: int = 0) -> ErrorRow:
    """The ``errors`` row of a problem met in ``path``, after ``read`` of its articles."""
    kind: ErrorKind
    article_id: str | None
    if isinstance(error, UnreadableError):
        article_id, kind, reason = error.article_id, error.kind, error.reason
        message = str(error)
    else:
        article_id, reason = None, type(error).__name__
        kind = "truncated" if read else "failed"
        message = _explain(error) + (f"; {read} articles before that were read" if read else "")
    return ErrorRow(
        source_path=shown(path),
        article_id=article_id,
        stage=STAGE,
        kind=kind,
        error=reason,
        message=f"{shown(path)}: {message}" if str(path) else message,
    )


def _explain(error: BaseException) -> str:
    # A truncated gzip file ends in EOFError, a damaged one in zlib.error.
    if isinstance(error, PermissionError):
        return "no permission to read it; change its mode or run as its owner"
    if isinstance(error, FileNotFoundError):
        return "no longer there; it was removed or renamed while the run went on"
    if isinstance(error, EOFError):
        return "the compressed file ends too early; copy it again from its origin"
    if isinstance(error, zlib.error) or type(error).__name__ == "BadGzipFile":
        return f"not a sound gzip file ({error}); copy it again from its origin"
    if isinstance(error, UnicodeError):
        return f"not in the encoding that was expected ({error}); name it with --encoding"
    # The text of an OSError repeats the path, possibly with bytes no table can hold.
    detail = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    detail = detail.encode("utf-8", "backslashreplace").decode() or type(error).__name__
    return f"cannot be read ({detail}); check that the file is whole and of its type"
