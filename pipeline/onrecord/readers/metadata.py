"""A metadata table: what is known of articles whose files say nothing but their text.

A file is CSV (with a header line) or JSON Lines, plain or ``.gz``. The column ``path`` (a file, as
seen from the table's own folder) or ``id`` says which article a row is about; title, author,
publisher, published_at and url are found by their names or common synonyms, and what is left goes
to ``Article.extra``. A value given here takes the place of what the article brought.
"""

from __future__ import annotations

import csv
import io
import json
import os
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from onrecord.readers.columns import (
    SYNONYMS,
    as_string,
    check_unicode,
    match_names,
    to_jsonable,
)
from onrecord.readers.dates import parse_date
from onrecord.readers.decoding import decode
from onrecord.readers.files import open_unpacked
from onrecord.readers.problems import (
    InputError,
    UnreadableError,
    error_row,
    shown,
)
from onrecord.readers.tables import likeliest_delimiter
from onrecord.records import Article, ErrorRow

_STRINGS = ("title", "author", "publisher", "url")
_FIELDS = (*_STRINGS, "published_at")
_NAMES = {**SYNONYMS, "path": ("path", "sourcepath", "file", "filename", "filepath")}
_EXPECTED = "path or id, and " + ", ".join(_FIELDS)
_FILE_ERRORS = (OSError, EOFError, zlib.error, UnicodeError)
_NAMED = 5


@dataclass(frozen=True, slots=True)
class _Known:
    """One row of the table."""

    line: int
    value: str
    fields: Mapping[str, Any]
    extra: Mapping[str, Any]


class Metadata:
    """The rows of a metadata table, by the article that they are about. All are in memory.

    Args:
        path: a ``.csv`` or ``.jsonl`` file, plain or ``.gz``.

    Raises:
        InputError: the table cannot be read, has no column that names articles or none that says
            anything of them, names an article twice, or holds a date that is none.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._by_id: dict[str, _Known] = {}
        self._by_path: dict[str, _Known] = {}
        self._met: set[str] = set()
        for line, row in _rows(self.path):
            self._add(line, row)

    def add_to(self, article: Article) -> Article:
        """The article with what the table says of it."""
        known = self._by_path.get(_absolute(article.source_path))
        if known is None:
            known = self._by_id.get(article.article_id)
        if known is None:
            return article
        self._met.add(known.value)
        return replace(article, **known.fields, extra={**article.extra, **known.extra})

    def is_table(self, file: Path) -> bool:
        """Whether a file of the input is the table itself, which is no article."""
        return _absolute(file) == _absolute(self.path)

    def unused(self) -> Iterator[ErrorRow]:
        """One row of ``errors`` for all rows of the table that are about nothing.

        A path is one if there is no such file, an id if no article of the input had it: a table
        may say more than what one run reads.
        """
        lost = [known for path, known in self._by_path.items() if not Path(path).is_file()]
        lost += [known for key, known in self._by_id.items() if key not in self._met]
        if lost:
            named = ", ".join(f"{known.value!r} (line {known.line})" for known in lost[:_NAMED])
            what = "one row is" if len(lost) == 1 else f"{len(lost):,} rows are"
            yield error_row(
                self.path,
                UnreadableError(
                    "UnknownArticle",
                    f"{what} about no article: {named}{', ...' if len(lost) > _NAMED else ''}; "
                    + (
                        f"expected files as seen from {shown(self.path.parent)}/"
                        if self._by_path
                        else "expected article_id of articles in the input"
                    )
                    + "; correct or remove them",
                    kind="skipped",
                ),
            )

    def _add(self, line: int, row: Mapping[str, Any]) -> None:
        mapping = match_names(row, ("path", "id", *_FIELDS), _NAMES)
        key = "path" if "path" in mapping else "id"
        where = f"{shown(self.path)}:{line}"
        found = ", ".join(row) or "none"
        if key not in mapping:
            raise InputError(
                f"{where}: no column path or id, which says what article a row is about (columns "
                f"found: {found}); expected {_EXPECTED}"
            )
        if len(row) < 2:
            raise InputError(f"{where}: nothing but the column {found}; expected {_EXPECTED}")
        value = as_string(row[mapping[key]])[0]
        if value is None:
            raise InputError(f"{where}: no {mapping[key]}; name the article that the row is about")
        values = {name: row[column] for name, column in mapping.items()}
        fields: dict[str, Any] = {}
        for name in _STRINGS:
            text = as_string(values.get(name))[0]
            if text is not None:
                fields[name] = text
        moment = self._date(where, values.get("published_at"))
        if moment is not None:
            fields["published_at"] = moment
        used = {mapping[name] for name in mapping if name in (*_FIELDS, key)}
        extra = {n: to_jsonable(v) for n, v in row.items() if n not in used and v not in (None, "")}
        known = _Known(line, value, fields, extra)
        try:
            check_unicode([value, *fields.values(), extra])
        except UnreadableError as error:
            raise InputError(f"{where}: {error}") from error
        rows = self._by_path if key == "path" else self._by_id
        place = _absolute(self.path.parent / value) if key == "path" else value
        earlier = rows.setdefault(place, known)
        if earlier is not known:
            raise InputError(
                f"{where}: {value!r} has a row already, in line {earlier.line}; keep one of them"
            )

    def _date(self, where: str, value: Any) -> datetime | None:
        moment = parse_date(value)
        if moment is None and value not in (None, "") and not str(value).isspace():
            raise InputError(
                f"{where}: published_at {value!r} is not a date; expected one like 2026-11-24 or "
                "2026-11-24T18:05:00+01:00, or nothing"
            )
        return moment


def _absolute(path: Path | str) -> str:
    return os.path.abspath(path)  # noqa: PTH100 - takes ".." away without following links


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    name = path.name.lower().removesuffix(".gz")
    if not name.endswith((".csv", ".jsonl")):
        raise InputError(
            f"{shown(path)}: a metadata table ends in .csv or .jsonl (or .gz of these)"
        )
    try:
        with open_unpacked(path) as file:
            text = decode(file.read())
    except UnreadableError as error:
        raise InputError(f"{shown(path)}: {error}") from error
    except _FILE_ERRORS as error:
        detail = getattr(error, "strerror", None) or error
        raise InputError(
            f"{shown(path)}: the metadata table cannot be read ({detail}); check --metadata"
        ) from error
    return _csv_rows(path, text) if name.endswith(".csv") else _json_rows(path, text)


def _csv_rows(path: Path, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    delimiter = likeliest_delimiter(text.split("\n", 1)[0])
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        names = [name.strip() for name in reader.fieldnames or ()]
        reader.fieldnames = names
        if not names:
            raise InputError(f"{shown(path)}: the file is empty; expected columns {_EXPECTED}")
        for row in reader:
            if None in row:
                raise InputError(
                    f"{shown(path)}:{reader.line_num}: more fields than the header has; put values "
                    f"that hold {delimiter!r} in double quotation marks"
                )
            yield reader.line_num, row
    except csv.Error as error:
        raise InputError(f"{shown(path)}:{reader.reader.line_num}: not CSV ({error})") from error


def _json_rows(path: Path, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for line, content in enumerate(text.split("\n"), 1):
        if not content.strip():
            continue
        try:
            row = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise InputError(
                f"{shown(path)}:{line}: not JSON ({error}); expected one object a line, such as "
                '{"path": "a.txt", "publisher": "The Quay", "published_at": "2026-11-24"}'
            ) from error
        if not isinstance(row, dict):
            raise InputError(f"{shown(path)}:{line}: expected an object, got {content[:60]!r}")
        yield line, row
