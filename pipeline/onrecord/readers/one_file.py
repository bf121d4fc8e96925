"""The articles of one file, whatever its format; a problem of the file ends in an error row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from onrecord.readers import tables
from onrecord.readers.documents import read_html, read_text
from onrecord.readers.files import ACCEPTED, Format, file_format
from onrecord.readers.options import ReadOptions
from onrecord.readers.problems import InputError, error_row
from onrecord.records import Article, ErrorRow

_READERS: dict[Format, Callable[[Path, ReadOptions], Iterator[Article | ErrorRow]]] = {
    "text": read_text,
    "markdown": read_text,
    "html": read_html,
    "jsonl": tables.read_jsonl,
    "csv": tables.read_csv,
    "parquet": tables.read_parquet,
}


def read_one(path: Path, options: ReadOptions) -> Iterator[Article | ErrorRow]:
    """Articles and error rows of a file, in its order; the same at every reading.

    Raises:
        InputError: the file is of no known type.
    """
    read = 0
    kind = file_format(path)
    if kind is None:
        raise InputError(f"{path}: not a type that can be read; accepted are {ACCEPTED}")
    try:
        for item in _READERS[kind](path, options):
            read += isinstance(item, Article)
            yield item
    except Exception as error:  # noqa: BLE001 - a file is arbitrary input; one costs no other
        yield error_row(path, error, read=read)
