"""What a run has to do: every article of its input once, in the order of the tables.

The input is read once, into a SQLite file in the run directory. That bounds memory whatever the
number of articles, makes the result independent of the order of the input, finds duplicates
across all of it, and lets an interrupted run go on with exactly what it had read.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from onrecord.batch.durable import remove_tree, sync_directory
from onrecord.batch.near_duplicates import NearDuplicates
from onrecord.readers.columns import text_sha256
from onrecord.records import Article, ErrorRow

# Same identifier first, then same text: a text is lost only if every article that carries it has
# an identifier in conflict. Ties are broken by content, never by the order of arrival.
_SCHEMA = """
CREATE TABLE article (
    position INTEGER PRIMARY KEY, article_id TEXT, source_path TEXT, sha256 TEXT,
    published TEXT, digest BLOB, content BLOB);
CREATE TABLE known (article_id TEXT, source_path TEXT, sha256 TEXT);
CREATE TABLE error (
    source_path TEXT, article_id TEXT, stage TEXT, kind TEXT, error TEXT, message TEXT);
CREATE TABLE known_error AS SELECT * FROM error;
CREATE TABLE near (position INTEGER PRIMARY KEY, original TEXT);
"""
_SELECT = """
CREATE INDEX by_id ON article (article_id, source_path, sha256);
CREATE INDEX known_text ON known (sha256);
CREATE INDEX known_id ON known (article_id);
CREATE INDEX known_message ON known_error (message, article_id);
DELETE FROM article WHERE EXISTS (
    SELECT 1 FROM known WHERE known.article_id = article.article_id
    AND known.source_path = article.source_path AND known.sha256 = article.sha256);
CREATE TABLE first_of_id AS SELECT * FROM (
    SELECT position, article_id, source_path, sha256, FIRST_VALUE(position) OVER (
        PARTITION BY article_id ORDER BY source_path, sha256, digest) AS kept FROM article
    WHERE NOT EXISTS (SELECT 1 FROM known WHERE known.article_id = article.article_id));
CREATE TABLE first_of_text AS
    SELECT position, article_id, source_path, sha256, FIRST_VALUE(position) OVER (
        PARTITION BY sha256 ORDER BY article_id) AS kept FROM first_of_id
    WHERE kept = position
    AND NOT EXISTS (SELECT 1 FROM known WHERE known.sha256 = first_of_id.sha256);
CREATE TABLE todo AS
    SELECT ROW_NUMBER() OVER (ORDER BY article_id) - 1 AS number, position
    FROM first_of_text WHERE kept = position;
CREATE UNIQUE INDEX todo_number ON todo (number);
"""
_INSERT_ERROR = "INSERT INTO {} VALUES (?, ?, ?, ?, ?, ?)"
_DUPLICATES = """
SELECT d.source_path, d.article_id, d.sha256, k.source_path, k.article_id, k.sha256
    FROM first_of_id d JOIN article k ON k.position = d.kept WHERE d.kept != d.position
UNION ALL
SELECT d.source_path, d.article_id, d.sha256, k.source_path, k.article_id, k.sha256
    FROM first_of_text d JOIN article k ON k.position = d.kept WHERE d.kept != d.position
UNION ALL
SELECT d.source_path, d.article_id, d.sha256, k.source_path, k.article_id, k.sha256
    FROM article d JOIN known k ON k.article_id = d.article_id
UNION ALL
SELECT d.source_path, d.article_id, d.sha256, k.source_path, k.article_id, k.sha256
    FROM first_of_id d JOIN known k ON k.sha256 = d.sha256 WHERE d.kept = d.position
"""
_KNOWN_ERROR = """
SELECT 1 FROM known_error k WHERE k.message IS {0}message AND k.article_id IS {0}article_id
    AND k.source_path IS {0}source_path AND k.stage IS {0}stage AND k.kind IS {0}kind
    AND k.error IS {0}error
"""
_DELETE_KNOWN = "DELETE FROM error WHERE EXISTS (" + _KNOWN_ERROR.format("error.") + ")"  # noqa: S608 - no values
# The earliest first, so that the original of a wire copy is the one that was published first.
_BY_TIME = """
SELECT position FROM todo JOIN article USING (position)
    ORDER BY published IS NULL, published, article_id
"""


@dataclass(frozen=True, slots=True)
class KnownArticle:
    """An article that the run directory holds already."""

    article_id: str
    source_path: str
    text_sha256: str


class Plan:
    """The articles to annotate, numbered from 0 in the order of their ids.

    Args:
        path: file written by ``Plan.write``.
    """

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        self.n_articles: int = self._database.execute("SELECT COUNT(*) FROM todo").fetchone()[0]
        self.has_errors = bool(self._database.execute("SELECT 1 FROM error LIMIT 1").fetchone())

    @classmethod
    def write(
        cls,
        path: Path,
        read: Iterable[Article | ErrorRow],
        known: Iterable[KnownArticle] = (),
        known_errors: Iterable[ErrorRow] = (),
        near: NearDuplicates | None = None,
    ) -> Plan:
        """Read all of the input into a plan file, which is there only when it is whole.

        Args:
            path: where the plan goes.
            read: the input, as ``read_articles`` yields it.
            known: articles that are in the tables already and are not annotated again.
            known_errors: rows that ``errors`` holds already; the same problem is not told twice.
            near: where given, articles that repeat another get ``duplicate_of`` in ``extra``.

        Raises:
            OSError, sqlite3.Error: the file cannot be written.
        """
        aside = path.with_name(path.name + ".tmp")
        remove_tree(aside)
        with closing(sqlite3.connect(aside, isolation_level=None)) as database:
            # The file counts only once it is renamed; a journal of its own would be waste.
            database.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + _SCHEMA)
            database.execute("BEGIN")
            _fill(database, read, known, known_errors)
            database.execute("COMMIT")
            database.executescript("BEGIN;" + _SELECT)
            database.executemany(_INSERT_ERROR.format("error"), _duplicates(database))
            database.execute(_DELETE_KNOWN)
            if near is not None:
                database.executemany(
                    "INSERT INTO near VALUES (?, ?)", _near_duplicates(database, near)
                )
            database.execute("COMMIT")
        with aside.open("rb+") as stream:
            os.fsync(stream.fileno())
        os.replace(aside, path)  # noqa: PTH105 - one name for the step that tests make fail
        sync_directory(path.parent)
        return cls(path)

    def articles(self, first: int, last: int) -> list[Article]:
        """Articles number ``first`` to ``last`` (excluded)."""
        rows = self._database.execute(
            "SELECT content, original FROM todo JOIN article USING (position) "
            "LEFT JOIN near USING (position) WHERE number >= ? AND number < ? ORDER BY number",
            (first, last),
        )
        return [_unpack(content, original) for content, original in rows]

    def errors(self) -> Iterator[ErrorRow]:
        """What could not be read, and the duplicates, by article; none that is known."""
        for row in self._database.execute("SELECT * FROM error ORDER BY article_id, source_path"):
            yield ErrorRow(*row)

    def is_known(self, error: ErrorRow) -> bool:
        """Whether the tables hold this very row already."""
        query = _KNOWN_ERROR.format(":")
        return self._database.execute(query, asdict(error)).fetchone() is not None

    def close(self) -> None:
        """Close the file."""
        self._database.close()


def _fill(
    database: sqlite3.Connection,
    read: Iterable[Article | ErrorRow],
    known: Iterable[KnownArticle],
    known_errors: Iterable[ErrorRow],
) -> None:
    database.executemany(
        "INSERT INTO known VALUES (?, ?, ?)",
        ((row.article_id, row.source_path, row.text_sha256) for row in known),
    )
    database.executemany(_INSERT_ERROR.format("known_error"), map(_error_values, known_errors))
    for item in read:
        if isinstance(item, ErrorRow):
            database.execute(_INSERT_ERROR.format("error"), _error_values(item))
            continue
        content = _pack(item)
        digest = hashlib.sha256(content).digest()
        database.execute(
            "INSERT INTO article VALUES (NULL, ?, ?, ?, ?, ?, ?)",
            (
                item.article_id,
                item.source_path,
                text_sha256(item.text),
                item.published_at and item.published_at.astimezone(UTC).isoformat(),
                digest,
                content,
            ),
        )


def _duplicates(database: sqlite3.Connection) -> Iterator[tuple[str | None, ...]]:
    for path, article_id, sha256, kept_path, kept_id, kept_sha256 in database.execute(_DUPLICATES):
        same_text = sha256 == kept_sha256
        what = "the same text" if same_text else "the same id but another text"
        yield _error_values(
            ErrorRow(
                source_path=path,
                article_id=article_id,
                stage="read",
                kind="skipped",
                error="DuplicateText" if same_text else "DuplicateId",
                message=f"has {what} as article {kept_id!r} of {kept_path or 'the input'}, "
                "which is annotated",
            )
        )


def _near_duplicates(
    database: sqlite3.Connection, near: NearDuplicates
) -> Iterator[tuple[int, str]]:
    for (position,) in database.execute(_BY_TIME):
        (content,) = database.execute(
            "SELECT content FROM article WHERE position = ?", (position,)
        ).fetchone()
        article = _unpack(content)
        original = near.original_of(article.article_id, article.text)
        if original is not None:
            yield position, original


def _error_values(row: ErrorRow) -> tuple[str | None, ...]:
    return (row.source_path, row.article_id, row.stage, row.kind, row.error, row.message)


def _pack(article: Article) -> bytes:
    published = article.published_at
    fields: dict[str, Any] = asdict(article)
    fields["published_at"] = None if published is None else published.isoformat()
    return zlib.compress(json.dumps(fields, ensure_ascii=False, sort_keys=True).encode(), 1)


def _unpack(content: bytes, original: str | None = None) -> Article:
    fields = json.loads(zlib.decompress(content))
    published = fields.pop("published_at")
    if original is not None:
        fields["extra"]["duplicate_of"] = original
    return Article(
        published_at=None if published is None else datetime.fromisoformat(published), **fields
    )
