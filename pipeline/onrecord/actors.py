"""The actors table: every named entity of a run, merged over all of its articles.

The merge groups on ``entity_id``, which is equal across articles only where the identity is safe.
Facts are counted in SQLite, on disk for a run, so that memory does not grow with the articles.
"""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from onrecord.records import SCHEMAS
from onrecord.tables import Row

# What is read of the tables; a run's other columns hold most of its bytes.
ENTITY_COLUMNS = ["article_id", "text", "label", "entity_id", "entity", "kb_id"]
QUOTE_COLUMNS = ["speaker", "speaker_id", "stance"]
_CHUNK = 10_000
# One fact of an entity: a value of a field, and how often it was met.
Fact = tuple[str, str, str]


def read_part(path: Path, columns: list[str] | None = None) -> pa.Table:
    """Columns of one Parquet file."""
    return pq.ParquetFile(path).read(columns=columns)


def merge_actors(
    parts: Iterable[tuple[pa.Table, pa.Table]], database: Path | str = ":memory:"
) -> Iterator[pa.RecordBatch]:
    """Actors of all parts, sorted by ``entity_id``.

    Args:
        parts: (entities, quotes) tables, of which ``ENTITY_COLUMNS`` and ``QUOTE_COLUMNS`` are
            needed; all rows of an article are in the same part.
        database: SQLite file to count in; it must not exist yet.
    """
    with closing(sqlite3.connect(database, isolation_level=None)) as counts:
        counts.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
            "CREATE TABLE fact (entity_id TEXT, field TEXT, value TEXT, n INTEGER); BEGIN"
        )
        for entities, quotes in parts:
            facts = count_facts(entities, quotes)
            counts.executemany(
                "INSERT INTO fact VALUES (?, ?, ?, ?)", ((*fact, n) for fact, n in facts.items())
            )
        summed = counts.execute(
            "SELECT entity_id, field, value, SUM(n) FROM fact "
            "GROUP BY entity_id, field, value ORDER BY entity_id, field, value"
        )
        rows = (actor_row(key, found) for key, found in groupby(summed, key=lambda fact: fact[0]))
        yield from _in_batches(rows)


def count_facts(entities: pa.Table, quotes: pa.Table) -> Counter[Fact]:
    """What the rows of whole articles say of each named entity, and how often."""
    facts: Counter[Fact] = Counter()
    articles: set[tuple[str, str]] = set()
    for row in entities.select(ENTITY_COLUMNS).to_pylist():
        key = row["entity_id"]
        if key is None:
            continue
        articles.add((key, row["article_id"]))
        facts[key, "n_mentions", ""] += 1
        facts[key, "name", row["entity"]] += 1
        facts[key, "label", row["label"]] += 1
        facts[key, "alias", " ".join(row["text"].split())] += 1
        if row["kb_id"] is not None:
            facts[key, "kb_id", row["kb_id"]] += 1
    for key, _ in articles:
        facts[key, "n_articles", ""] += 1
    for row in quotes.select(QUOTE_COLUMNS).to_pylist():
        key = row["speaker_id"]
        if key is None:
            continue
        facts[key, "n_quotes", ""] += 1
        facts[key, "name", row["speaker"]] += 1
        if row["stance"] in ("defiant", "mixed"):
            facts[key, "n_defiant", ""] += 1
        if row["stance"] in ("conciliatory", "mixed"):
            facts[key, "n_conciliatory", ""] += 1
    return facts


def actor_row(entity_id: str, facts: Iterable[tuple[str, str, str, int]]) -> Row:
    """The row of an entity, from all that is said of it: (entity_id, field, value, count)."""
    fields: dict[str, dict[str, int]] = defaultdict(dict)
    for _, field, value, n in facts:
        fields[field][value] = n
    name = _commonest(fields["name"])
    counts = {
        field: fields[field].get("", 0)
        for field in ("n_articles", "n_mentions", "n_quotes", "n_defiant", "n_conciliatory")
    }
    return {
        "entity_id": entity_id,
        "name": name,
        "label": _commonest(fields["label"]),
        "kb_id": _commonest(fields["kb_id"]),
        "aliases": sorted(set(fields["alias"]) - {name}),
        **counts,
    }


def _commonest(values: dict[str, int]) -> str | None:
    """The value met most often; of equals the longest, then the first in code-point order."""
    if not values:
        return None
    return min(values, key=lambda value: (-values[value], -len(value), value))


def _in_batches(rows: Iterator[Row]) -> Iterator[pa.RecordBatch]:
    chunk: list[dict[str, Any]] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == _CHUNK:
            yield pa.RecordBatch.from_pylist(chunk, schema=SCHEMAS["actors"])
            chunk = []
    if chunk:
        yield pa.RecordBatch.from_pylist(chunk, schema=SCHEMAS["actors"])
