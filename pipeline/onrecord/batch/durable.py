"""Files that are there whole or not at all, also after a power cut.

Everything is written beside its place, flushed to the disk, and then renamed. What is sorted on the
way goes to the same disk.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

_ASIDE = ".tmp"
_SQLITE_FOLDER = "SQLITE_TMPDIR"


def sync_directory(path: Path) -> None:
    """Flush the names in a directory to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_directory(path: Path) -> None:
    """Make a directory and those that it lies in, if they are not there."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for folder in missing:
        # Where one may write but not list, the names cannot be flushed.
        with contextlib.suppress(PermissionError):
            sync_directory(folder.parent)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file and flush it; the name may be seen before the content is whole."""
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def replace_file(path: Path, content: bytes) -> None:
    """Put a file in its place in one step: readers see the old one or the new one."""
    aside = path.with_name(path.name + _ASIDE)
    write_bytes(aside, content)
    os.replace(aside, path)  # noqa: PTH105 - one name for the step that tests make fail
    sync_directory(path.parent)


def as_json(value: Mapping[str, Any]) -> bytes:
    """An object as indented JSON in UTF-8."""
    return (json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n").encode()


def write_parquet(path: Path, table: pa.Table) -> dict[str, Any]:
    """Write a table as one row group and flush it.

    One row group a file: a shard is small enough to be read whole, and its statistics then say
    which articles the file holds.

    Returns:
        ``rows``, ``bytes`` and ``sha256`` of the file.
    """
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd", row_group_size=max(1, table.num_rows))
    content = buffer.getvalue()
    write_bytes(path, content)
    return {
        "rows": table.num_rows,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


@contextlib.contextmanager
def sorting_in(folder: Path) -> Iterator[None]:
    """Have SQLite keep what it sorts in a folder, not in the system's, which is often in memory."""
    before = os.environ.get(_SQLITE_FOLDER)
    # SQLite reads the variable at the first connection of a process; only the pragma, which a
    # build may lack, changes its mind.
    os.environ[_SQLITE_FOLDER] = str(folder)
    _sort_in(str(folder))
    try:
        yield
    finally:
        _sort_in("")
        if before is None:
            os.environ.pop(_SQLITE_FOLDER, None)
        else:
            os.environ[_SQLITE_FOLDER] = before


def _sort_in(folder: str) -> None:
    quoted = folder.replace("'", "''")
    with contextlib.closing(sqlite3.connect(":memory:")) as database:
        database.execute(f"PRAGMA temp_store_directory = '{quoted}'")


def is_whole(path: Path, described: Mapping[str, Any]) -> bool:
    """Whether a file has the size and SHA-256 that were noted when it was written."""
    if not path.is_file() or path.stat().st_size != described["bytes"]:
        return False
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    return found == str(described["sha256"])


def rename_directory(aside: Path, path: Path) -> None:
    """Move a directory to its place in one step, its names flushed first."""
    sync_directory(aside)
    os.replace(aside, path)  # noqa: PTH105 - one name for the step that tests make fail
    sync_directory(path.parent)


def remove_tree(path: Path) -> None:
    """Remove a file or a directory if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
