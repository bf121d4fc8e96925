"""Files, folders and globs to articles, one at a time: txt, md, html, jsonl, csv, parquet, gz.

What cannot be read comes out as an ``ErrorRow`` in its place, and reading goes on; only what the
user named wrongly (a path, a column field, an encoding) raises ``InputError``, before anything is
read. Texts come as the bytes say: no line end, control character or mojibake is rewritten, since
every offset of the tables points into them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from onrecord.readers import tables
from onrecord.readers.columns import (
    FIELDS,
    MAX_CHARS,
    SYNONYMS,
    derive_id,
    parse_columns,
    text_sha256,
)
from onrecord.readers.dates import parse_date
from onrecord.readers.documents import find_title
from onrecord.readers.files import ACCEPTED, file_format, find_files
from onrecord.readers.isolated import IsolatedReader, ReaderError, ReadOne
from onrecord.readers.language_id import detect_language
from onrecord.readers.metadata import Metadata
from onrecord.readers.one_file import read_one
from onrecord.readers.options import ReadOptions
from onrecord.readers.problems import InputError
from onrecord.records import Article, ErrorRow

__all__ = [
    "ACCEPTED",
    "FIELDS",
    "MAX_CHARS",
    "SYNONYMS",
    "InputError",
    "IsolatedReader",
    "Metadata",
    "ReaderError",
    "derive_id",
    "detect_language",
    "file_format",
    "find_files",
    "find_title",
    "parse_columns",
    "parse_date",
    "read_articles",
    "read_file",
    "read_records",
    "text_sha256",
]


def read_articles(
    inputs: Iterable[Path | str] | Path | str,
    *,
    columns: Mapping[str, str] | None = None,
    encoding: str | None = None,
    max_chars: int = MAX_CHARS,
    reader: ReadOne = read_one,
    metadata: Path | str | None = None,
    apart_from: Path | None = None,
) -> Iterator[Article | ErrorRow]:
    """The articles of files, folders (recursive, sorted by name) and globs, in that order.

    Streams: one article (of Parquet, one row group's pages) is in memory at a time.

    Args:
        inputs: files (.txt, .md, .html, .htm, .jsonl, .ndjson, .csv, .parquet, each also with
            .gz), folders and globs.
        columns: for tables, field to column ({"text": "body"}); fields that are not named are
            filled by columns of their name or a common synonym, and what is left goes to
            ``Article.extra``.
        encoding: of text files and tables; by default a byte order mark, UTF-8, the page's own
            declaration and detection are tried in this order.
        max_chars: longest text that is taken, in code points.
        reader: what reads a file; an ``IsolatedReader`` survives files that crash or hang.
        metadata: a table of what is known of the articles, as ``Metadata`` reads it.
        apart_from: a folder that is passed over where folders and globs hold it.

    Yields:
        An ``Article`` for each text, an ``ErrorRow`` for each file or row that gives none.

    Raises:
        InputError: an input, a field of ``columns`` or the encoding does not exist, or the
            metadata table is not usable. Raised at the call, before anything is read.
    """
    options = ReadOptions(columns or {}, encoding, max_chars)
    given = [inputs] if isinstance(inputs, (str, Path)) else inputs
    files = find_files(given, apart_from=apart_from)
    if metadata is None:
        return _read_all(files, options, reader)
    return _with_metadata(files, options, reader, Metadata(metadata))


def _read_all(
    files: Iterable[Path | ErrorRow], options: ReadOptions, reader: ReadOne
) -> Iterator[Article | ErrorRow]:
    for file in files:
        if isinstance(file, ErrorRow):
            yield file
        else:
            yield from reader(file, options)


def _with_metadata(
    files: Iterable[Path | ErrorRow], options: ReadOptions, reader: ReadOne, metadata: Metadata
) -> Iterator[Article | ErrorRow]:
    # The table may lie in the folder that it describes.
    others = (file for file in files if isinstance(file, ErrorRow) or not metadata.is_table(file))
    for item in _read_all(others, options, reader):
        yield metadata.add_to(item) if isinstance(item, Article) else item
    yield from metadata.unused()


def read_file(
    path: Path | str,
    *,
    columns: Mapping[str, str] | None = None,
    encoding: str | None = None,
    max_chars: int = MAX_CHARS,
) -> Iterator[Article | ErrorRow]:
    """The articles of one file that ``find_files`` gave; arguments as for ``read_articles``."""
    return read_one(Path(path), ReadOptions(columns or {}, encoding, max_chars))


def read_records(
    records: Iterable[Mapping[str, Any]],
    *,
    columns: Mapping[str, str] | None = None,
    max_chars: int = MAX_CHARS,
    source_path: str = "",
) -> Iterator[Article | ErrorRow]:
    """Articles from rows in memory (dicts, rows of a data frame), mapped as a table's columns.

    Raises:
        InputError: a field of ``columns`` does not exist.
    """
    return tables.read_records(
        records, ReadOptions(columns or {}, None, max_chars), source_path=source_path
    )
