"""The tables as CSV, for programs that read nothing else: lists as JSON, times as ISO 8601."""

from __future__ import annotations

import csv
import heapq
import json
import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import count, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from onrecord.batch.directory import part_name
from onrecord.records import SCHEMAS
from onrecord.tables import SORT_KEYS, Row

_ROWS_AT_ONCE = 2_000
# Every sequence that is merged holds a file open, of which a process may have some hundreds only.
_MERGED_AT_ONCE = 64

# Files that are in the table's order when they are read one after another.
Chain = list[Path]


def write_csv(table: str, files: Sequence[Path], path: Path) -> None:
    """Write the parts of a table as one CSV file in the table's order.

    The parts of one run follow each other; those of appended runs overlap, so they are merged: of
    many runs, first some at a time into files in a folder beside the CSV file.

    Args:
        table: name of the table.
        files: its Parquet files, each sorted.
        path: the CSV file; it is replaced in one step.

    Raises:
        OSError: the file cannot be written.
    """
    names = SCHEMAS[table].names
    keys = SORT_KEYS[table]
    aside = path.with_name(path.name + ".tmp")
    with TemporaryDirectory(prefix=f"{table}-", dir=path.parent) as folder:
        chains = _few_chains(table, _chains(files, keys), Path(folder))
        with aside.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(names)
            for row in _merged(chains, keys):
                writer.writerow([_as_text(row[name]) for name in names])
            stream.flush()
            os.fsync(stream.fileno())
    os.replace(aside, path)  # noqa: PTH105 - one name for the step that tests make fail


def _few_chains(table: str, chains: list[Chain], folder: Path) -> list[Chain]:
    """The chains, so many of them merged into one that all can be open at once."""
    numbers = count()
    while len(chains) > _MERGED_AT_ONCE:
        merged = []
        for at in range(0, len(chains), _MERGED_AT_ONCE):
            path = folder / part_name(next(numbers))
            some = chains[at : at + _MERGED_AT_ONCE]
            _write_rows(table, _merged(some, SORT_KEYS[table]), path)
            merged.append([path])
        chains = merged
    return chains


def _merged(chains: Sequence[Chain], keys: Sequence[str]) -> Iterator[Row]:
    return heapq.merge(*map(_rows, chains), key=lambda row: _sort_key(row, keys))


def _write_rows(table: str, rows: Iterator[Row], path: Path) -> None:
    schema = SCHEMAS[table]
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        while some := list(islice(rows, _ROWS_AT_ONCE)):
            writer.write_batch(pa.RecordBatch.from_pylist(some, schema=schema))


def _sort_key(row: Row, keys: Sequence[str]) -> tuple[Any, ...]:
    return tuple("" if row[key] is None else row[key] for key in keys)


def _chains(files: Sequence[Path], keys: Sequence[str]) -> list[Chain]:
    """As few sorted sequences as the files make when read one after another."""
    chains: list[Chain] = []
    last: tuple[Any, ...] | None = None
    for file in files:
        first, final = _ends(file, keys)
        if first is None:
            continue
        if last is None or first < last:
            chains.append([])
        chains[-1].append(file)
        last = final
    return chains


def _ends(file: Path, keys: Sequence[str]) -> tuple[tuple[Any, ...] | None, tuple[Any, ...] | None]:
    with pq.ParquetFile(file) as parquet:
        rows = parquet.read(columns=list(keys))
    if not rows.num_rows:
        return None, None
    first, final = rows.slice(0, 1).to_pylist()[0], rows.slice(rows.num_rows - 1).to_pylist()[0]
    return _sort_key(first, keys), _sort_key(final, keys)


def _rows(files: Sequence[Path]) -> Iterator[Row]:
    for file in files:
        with pq.ParquetFile(file) as parquet:
            for batch in parquet.iter_batches(_ROWS_AT_ONCE):
                yield from batch.to_pylist()


def _as_text(value: Any) -> Any:
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    return value.isoformat() if isinstance(value, datetime) else value
