"""From inputs (files, folders, globs) to files, and from a file to its unpacked bytes."""

from __future__ import annotations

import glob
import gzip
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Literal, cast

from onrecord.readers.problems import InputError, UnreadableError, error_row, shown
from onrecord.records import ErrorRow

Format = Literal["text", "markdown", "html", "jsonl", "csv", "parquet"]

FORMATS: dict[str, Format] = {
    ".txt": "text",
    ".md": "markdown",
    ".html": "html",
    ".htm": "html",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".parquet": "parquet",
}
ACCEPTED = ", ".join(FORMATS) + ", each also with .gz"
_HINTS = {
    ".json": "write it as JSON Lines, one article a line (jq -c '.[]')",
    ".tsv": "write it as .csv",
    ".xlsx": "export it as .csv",
    ".pdf": "extract its text first",
    ".docx": "save it as .txt",
    ".zip": "unpack it first",
}
# A gzip file of a few megabytes can unpack to gigabytes; Parquet is compressed inside already, so
# one that unpacks to more than this and to many times its size is not what it seems.
_MAX_UNPACKED = 200_000_000
_MAX_RATIO = 10
_BLOCK = 1 << 20


def file_format(path: Path | str) -> Format | None:
    """What the name says the file holds, looking through ``.gz``; None if nothing known."""
    name = Path(path).name.lower().removesuffix(".gz")
    return FORMATS.get(Path(name).suffix)


def find_files(
    inputs: Iterable[Path | str], *, apart_from: Path | None = None
) -> Iterator[Path | ErrorRow]:
    """The files that the inputs stand for, in order; what a folder holds, sorted by name.

    In a folder, hidden names are passed over, and so are names with a leading underscore that are
    of no known type (the markers Spark leaves). Links in a folder are not followed, so that a walk
    ends and stays inside: one whose target lies inside names a file that is read anyway.

    Args:
        inputs: files, folders and globs.
        apart_from: a folder that is passed over, with all in it, where a folder or a glob holds
            it: where the tables made of these files go.

    Yields:
        Files of a known type, and error rows for what a folder holds beside them.

    Raises:
        InputError: an input does not exist, a glob matches nothing, or a named file is of no
            known type. Raised at the call, before anything is read.
    """
    left_out = None if apart_from is None else Path(os.path.realpath(apart_from))
    named = [path for given in inputs for path in _expand(given, left_out)]
    if not named:
        raise InputError(f"no input given; name files ({ACCEPTED}), folders or globs")
    return _walk_all(named, left_out)


def _expand(given: Path | str, left_out: Path | None) -> list[Path]:
    path = Path(given)
    try:
        if path.is_dir():
            return [path]
        if path.is_file():
            return [_known_file(path)]
        if glob.has_magic(str(given)):
            return _matches(str(given), left_out)
        raise InputError(f"{shown(path)}: {_why_missing(path)}")
    except OSError as error:
        raise InputError(f"{shown(path)}: cannot be looked at ({error.strerror})") from error


def _known_file(path: Path) -> Path:
    if file_format(path) is None:
        raise InputError(f"{shown(path)}: not a type that can be read; {_hint(path.name)}")
    return path


def _hint(name: str) -> str:
    return _HINTS.get(Path(name).suffix.lower(), f"accepted are {ACCEPTED}")


def _matches(pattern: str, left_out: Path | None) -> list[Path]:
    # Path.glob takes no absolute pattern.
    found = [Path(match) for match in sorted(glob.glob(pattern, recursive=True))]  # noqa: PTH207
    usable = [
        path
        for path in found
        if (path.is_dir() or file_format(path) is not None) and not _lies_in(path, left_out)
    ]
    if not usable:
        raise InputError(f"{shown(pattern)}: matches nothing that can be read ({ACCEPTED})")
    # "**" matches a folder and all that is in it: what a folder covers is not taken twice.
    folders = {path for path in usable if path.is_dir()}
    return [path for path in usable if folders.isdisjoint(path.parents)]


def _lies_in(path: Path, folder: Path | None) -> bool:
    return folder is not None and Path(os.path.realpath(path)).is_relative_to(folder)


def _why_missing(path: Path) -> str:
    if path.is_symlink():
        return f"a link whose target does not exist ({shown(path.readlink())})"
    if path.exists():
        return "neither a file nor a folder; accepted are files, folders and globs"
    return f"no such file or folder; accepted are {ACCEPTED}, folders and globs"


def _walk_all(named: list[Path], left_out: Path | None) -> Iterator[Path | ErrorRow]:
    for path in named:
        if path.is_dir():
            yield from _walk(path, root=path.resolve(), left_out=left_out)
        else:
            yield path


def _walk(folder: Path, *, root: Path, left_out: Path | None) -> Iterator[Path | ErrorRow]:
    try:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        yield error_row(folder, error)
        return
    for entry in entries:
        path = folder / entry.name
        known = file_format(path) is not None
        if entry.name.startswith(".") or (entry.name.startswith("_") and not known):
            continue
        if entry.is_symlink():
            yield from _link(path, root=root)
        elif entry.is_dir(follow_symlinks=False):
            if left_out is None or Path(os.path.realpath(path)) != left_out:
                yield from _walk(path, root=root, left_out=left_out)
        elif not entry.is_file(follow_symlinks=False):
            yield _skipped(path, "NotAFile", "neither a file nor a folder")
        elif known:
            yield path
        else:
            message = f"not a type that can be read; {_hint(entry.name)}"
            yield _skipped(path, "UnknownType", message)


def _link(path: Path, *, root: Path) -> Iterator[ErrorRow]:
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):
        yield _skipped(path, "BrokenLink", "a link that leads nowhere, or back to itself")
        return
    if not target.is_relative_to(root):
        message = f"a link out of the folder; to read {shown(target)}, name it as an input"
        yield _skipped(path, "LinkOutside", message)


def _skipped(path: Path, reason: str, message: str) -> ErrorRow:
    return error_row(path, UnreadableError(reason, message, kind="skipped"))


def open_unpacked(path: Path) -> IO[bytes]:
    """The file's bytes, unpacked as they are read where its name ends in ``.gz``."""
    if path.name.lower().endswith(".gz"):
        return cast(IO[bytes], gzip.open(path, "rb"))
    return path.open("rb")


def read_limited(path: Path, limit: int) -> bytes:
    """All bytes of the unpacked file, of which no more than ``limit`` are ever held.

    Raises:
        UnreadableError: there are more.
    """
    with open_unpacked(path) as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise UnreadableError(
            "TextTooLong",
            f"one article of more than {limit:,} bytes (unpacked); split it into articles, or "
            "raise the limit with --max-chars",
            kind="skipped",
        )
    return data


def open_seekable(path: Path) -> IO[bytes]:
    """As ``open_unpacked``, for readers that jump: a packed file goes to a temporary one first.

    Raises:
        UnreadableError: the file unpacks to more than 200 MB and ten times its size.
    """
    if not path.name.lower().endswith(".gz"):
        return path.open("rb")
    limit = max(_MAX_UNPACKED, _MAX_RATIO * path.stat().st_size)
    unpacked = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    try:
        with gzip.open(path, "rb") as packed:
            while block := packed.read(_BLOCK):
                unpacked.write(block)
                if unpacked.tell() > limit:
                    raise UnreadableError(
                        "UnpacksTooLarge",
                        f"unpacks to more than {limit:,} bytes; if that is right, unpack it and "
                        "give the .parquet file",
                    )
        unpacked.seek(0)
    except BaseException:
        unpacked.close()
        raise
    return unpacked
