"""Files that hold many articles: JSON Lines, CSV, Parquet. One row at a time is in memory."""

from __future__ import annotations

import csv
import io
import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, zip_longest
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from onrecord.readers.columns import map_columns, to_article
from onrecord.readers.decoding import byte_order_mark, table_encoding
from onrecord.readers.files import open_seekable, open_unpacked
from onrecord.readers.options import ReadOptions
from onrecord.readers.problems import UnreadableError, error_row, shown
from onrecord.records import Article, ErrorRow

_SAMPLE_BYTES = 1 << 20
_PARQUET_ROWS = 64
_BUFFER = 1 << 16
# A line holds one article; escaped to \uXXXX, a character takes up to twelve. What is longer is
# passed over in pieces of this size, so that a file of one endless line cannot fill the memory.
_MIN_LINE_CHARS = 16_000_000
_ESCAPED = 12
_DELIMITERS = ",;\t|"
_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")  # how "surrogateescape" marks an invalid byte


def read_jsonl(path: Path, options: ReadOptions) -> Iterator[Article | ErrorRow]:
    """JSON Lines, one object a line; a line that is not one becomes an error row."""
    with open_unpacked(path) as file:
        stream = _text_stream(file, options, _json_encoding, newline="\n")
        unseen = dict(options.columns)
        read = 0
        for number, line in enumerate(_lines(stream, _longest(options)), start=1):
            if line is not None and (not line or line.isspace()):
                continue
            read += 1
            try:
                record = _json_object(line)
                unseen = {f: column for f, column in unseen.items() if column not in record}
                yield _to_article(path, options, record)
            except UnreadableError as error:
                yield _row_error(path, f"line {number}", error)
        if not read:
            yield error_row(path, _empty())
        unseen.pop("text", None)  # each line has told already
        for field, column in unseen.items() if read else ():
            yield error_row(path, _unknown_column(field, column, "no line has it"))


def _json_encoding(sample: bytes) -> str:
    return byte_order_mark(sample) or "utf-8"  # JSON knows no other


def _json_object(line: str | None) -> dict[str, Any]:
    if line is None:
        raise UnreadableError("TextTooLong", "longer than any article; split it", kind="skipped")
    _check_bytes(line)
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UnreadableError(
            "BadJson", f"not valid JSON ({error}); each line must hold one whole object"
        ) from error
    if not isinstance(record, dict):
        raise UnreadableError(
            "BadJson",
            f"a JSON {type(record).__name__}, expected an object; each line must hold one article",
        )
    return record


def read_csv(path: Path, options: ReadOptions) -> Iterator[Article | ErrorRow]:
    """CSV with a header; the delimiter is the one of comma, semicolon, tab and bar it uses most.

    Quoted fields may hold line ends, which are kept. Reading stops at a quotation mark out of
    place: what follows could be split anywhere, and half an article is worse than none.
    """
    longest = _longest(options)
    csv.field_size_limit(max(csv.field_size_limit(), longest))
    with open_unpacked(path) as file:
        stream = _text_stream(file, options, table_encoding, newline="")
        lines = _whole_lines(stream, longest)
        first = next((line for line in lines if not line.isspace()), None)
        if first is None:
            yield error_row(path, _empty())
            return
        delimiter = likeliest_delimiter(first)
        rows = csv.reader(chain([first], lines), delimiter=delimiter, strict=True)
        try:
            header = [name.strip("\ufeff \t") for name in next(rows)]
            _check_columns(options, header)
            map_columns(header, options.columns)
            for number, row in enumerate(rows, start=1):
                if row:
                    yield from _csv_row(path, options, header, row, number)
        except csv.Error as error:
            message = (
                f"malformed near line {rows.line_num} ({error}), and not read from there on; "
                'quotation marks inside a quoted field must be doubled ("")'
            )
            yield error_row(path, UnreadableError("BadCsv", message))


def likeliest_delimiter(header: str) -> str:
    """The one of comma, semicolon, tab and bar that a header uses most."""
    return max(_DELIMITERS, key=header.count)


def _csv_row(
    path: Path, options: ReadOptions, header: list[str], row: list[str], number: int
) -> Iterator[Article | ErrorRow]:
    try:
        if len(row) > len(header):
            raise UnreadableError(
                "BadCsv",
                f"{len(row)} fields where the header has {len(header)}; a field that holds the "
                "delimiter must be quoted",
            )
        for value in row:
            _check_bytes(value)
        yield _to_article(path, options, dict(zip_longest(header, row)))
    except UnreadableError as error:
        yield _row_error(path, f"row {number}", error)


def read_parquet(path: Path, options: ReadOptions) -> Iterator[Article | ErrorRow]:
    """A Parquet file, a few rows at a time; nested columns go to ``extra``."""
    with (
        open_seekable(path) as file,
        pq.ParquetFile(file, pre_buffer=False, buffer_size=_BUFFER) as parquet,
    ):
        schema = parquet.schema_arrow
        _check_columns(options, schema.names)
        map_columns(schema.names, options.columns)
        number = 0
        for batch in parquet.iter_batches(batch_size=_PARQUET_ROWS, use_threads=False):
            for index in range(batch.num_rows):
                number += 1
                try:
                    record = _parquet_record(batch, index)
                    yield _to_article(path, options, record)
                except UnreadableError as error:
                    yield _row_error(path, f"row {number}", error)


def _parquet_record(batch: pa.RecordBatch, index: int) -> dict[str, Any]:
    try:
        return {
            name: _as_py(column[index])
            for name, column in zip(batch.schema.names, batch.columns, strict=True)
        }
    except (ValueError, OverflowError) as error:  # invalid UTF-8, a date out of range
        raise UnreadableError("BadValue", f"a value cannot be read ({error})") from error


def _as_py(scalar: pa.Scalar) -> Any:
    # Python's datetime ends at microseconds.
    if pa.types.is_timestamp(scalar.type) and scalar.type.unit == "ns":
        scalar = scalar.cast(pa.timestamp("us", tz=scalar.type.tz), safe=False)
    return scalar.as_py()


def read_records(
    records: Iterable[Mapping[str, Any]], options: ReadOptions, *, source_path: str = ""
) -> Iterator[Article | ErrorRow]:
    """Rows that are in memory already; columns are mapped as those of a file."""
    for number, record in enumerate(records, start=1):
        try:
            yield _to_article(source_path, options, record)
        except UnreadableError as error:
            yield _row_error(source_path, f"row {number}", error)


def _to_article(path: Path | str, options: ReadOptions, record: Mapping[str, Any]) -> Article:
    mapping = map_columns(record, options.columns)
    try:
        return to_article(record, mapping, source_path=shown(path), max_chars=options.max_chars)
    except RecursionError as error:
        raise UnreadableError("BadValue", "a value is nested too deeply") from error


def _row_error(path: Path | str, where: str, error: UnreadableError) -> ErrorRow:
    placed = UnreadableError(
        error.reason, f"{where}: {error}", kind=error.kind, article_id=error.article_id
    )
    return error_row(path, placed)


def _empty() -> UnreadableError:
    return UnreadableError("EmptyFile", "the file is empty; nothing to do", kind="skipped")


def _check_columns(options: ReadOptions, names: list[str]) -> None:
    for field, column in options.columns.items():
        if field != "text" and column not in names:
            raise _unknown_column(field, column, f"columns found: {', '.join(names)}")


def _unknown_column(field: str, column: str, found: str) -> UnreadableError:
    return UnreadableError(
        "UnknownColumn",
        f"no column {column!r} ({found}); correct --column {field}={column}, or leave it out",
    )


def _check_bytes(text: str) -> None:
    if _ESCAPED_BYTE.search(text):
        raise UnreadableError(
            "UndecodableText",
            "holds bytes that are not valid in the encoding of the file; save it as UTF-8, or name "
            "its encoding with --encoding",
        )


def _text_stream(
    file: IO[bytes], options: ReadOptions, judge: Callable[[bytes], str], *, newline: str
) -> io.TextIOWrapper:
    """The file as text; invalid bytes come through as surrogates, so that only their row fails."""
    encoding = options.encoding or judge(_sample(file))
    file.seek(0)
    return io.TextIOWrapper(file, encoding, errors="surrogateescape", newline=newline)


def _sample(file: IO[bytes]) -> bytes:
    """The first megabyte, or what can be had of it: damage is told when reading meets it."""
    sample = b""
    try:
        while len(sample) < _SAMPLE_BYTES and (block := file.read1(_SAMPLE_BYTES - len(sample))):  # type: ignore[attr-defined]
            sample += block
    except (EOFError, zlib.error):
        pass
    return sample


def _longest(options: ReadOptions) -> int:
    return max(_MIN_LINE_CHARS, _ESCAPED * options.max_chars)


def _lines(stream: io.TextIOWrapper, longest: int) -> Iterator[str | None]:
    """Lines, with None for each that is longer than ``longest`` characters."""
    while line := stream.readline(longest):
        if len(line) < longest or line.endswith("\n"):
            yield line
            continue
        while (rest := stream.readline(longest)) and not rest.endswith("\n"):
            pass
        yield None


def _whole_lines(stream: io.TextIOWrapper, longest: int) -> Iterator[str]:
    while line := stream.readline(longest):
        if len(line) == longest:
            raise UnreadableError(
                "TextTooLong", f"a line of more than {longest:,} characters; split it into articles"
            )
        yield line
