"""The tables as CSV, for programs that read nothing else: lists as JSON, times as ISO 8601."""

from __future__ import annotations

import csv
import heapq
import json
import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from onrecord.records import SCHEMAS
from onrecord.tables import SORT_KEYS, Row

_ROWS_AT_ONCE = 2_000


def write_csv(table: str, files: Sequence[Path], path: Path) -> None:
    """Write the parts of a table as one CSV file in the table's order.

    The parts of one run follow each other; those of appended runs overlap, so they are merged.

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
    with aside.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(names)
        for row in heapq.merge(*_sequences(files, keys), key=lambda row: _sort_key(row, keys)):
            writer.writerow([_as_text(row[name]) for name in names])
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(aside, path)  # noqa: PTH105 - one name for the step that tests make fail


def _sort_key(row: Row, keys: Sequence[str]) -> tuple[Any, ...]:
    return tuple("" if row[key] is None else row[key] for key in keys)


def _sequences(files: Sequence[Path], keys: Sequence[str]) -> list[Iterator[Row]]:
    """As few sorted sequences as the files make when read one after another."""
    chains: list[list[Path]] = []
    last: tuple[Any, ...] | None = None
    for file in files:
        first, final = _ends(file, keys)
        if first is None:
            continue
        if last is None or first < last:
            chains.append([])
        chains[-1].append(file)
        last = final
    return [_rows(chain) for chain in chains]


def _ends(file: Path, keys: Sequence[str]) -> tuple[tuple[Any, ...] | None, tuple[Any, ...] | None]:
    rows = pq.ParquetFile(file).read(columns=list(keys))
    if not rows.num_rows:
        return None, None
    first, final = rows.slice(0, 1).to_pylist()[0], rows.slice(rows.num_rows - 1).to_pylist()[0]
    return _sort_key(first, keys), _sort_key(final, keys)


def _rows(files: Sequence[Path]) -> Iterator[Row]:
    for file in files:
        for batch in pq.ParquetFile(file).iter_batches(_ROWS_AT_ONCE):
            yield from batch.to_pylist()


def _as_text(value: Any) -> Any:
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    return value.isoformat() if isinstance(value, datetime) else value
