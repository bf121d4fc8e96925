"""Columns of a table or keys of a JSON object, mapped to the fields of an ``Article``."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any

from onrecord.readers.dates import parse_date
from onrecord.readers.problems import InputError, UnreadableError
from onrecord.records import Article

FIELDS = ("text", "id", "title", "author", "publisher", "published_at", "url")
MAX_CHARS = 1_000_000

# Names met in news exports (NewsAPI, Common Crawl News, schema.org, MediaStack, spreadsheets),
# best first, as letters and digits only in lower case. The field's own name precedes them.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "text": (
        "text", "body", "content", "article", "articletext", "articlebody", "fulltext", "bodytext",
        "maintext", "contenttext", "plaintext", "rawtext", "story", "document",
    ),
    "id": ("id", "articleid", "docid", "documentid", "storyid", "uuid", "guid"),
    "title": ("title", "headline", "heading", "articletitle"),
    "author": ("author", "authors", "byline", "creator", "writer", "journalist"),
    "publisher": (
        "publisher", "source", "outlet", "publication", "newspaper", "sitename", "site",
        "sourcename",
    ),
    "published_at": (
        "publishedat", "published", "date", "publisheddate", "datepublished", "publicationdate",
        "publishdate", "pubdate", "datetime", "timestamp",
    ),
    "url": ("url", "link", "permalink", "canonicalurl", "articleurl", "sourceurl", "href"),
}  # fmt: skip


def text_sha256(text: str) -> str:
    """SHA-256 of the text in UTF-8, hexadecimal."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def derive_id(text: str) -> str:
    """Identifier of an article that comes with none: it depends on the text alone.

    The first 64 bits of the text's SHA-256: among ten million articles, two texts share one with
    a probability of three in a million.
    """
    return text_sha256(text)[:16]


def parse_columns(options: Iterable[str]) -> dict[str, str]:
    """Read ``FIELD=COLUMN`` options, as in ``--column text=body``, into a mapping.

    Raises:
        InputError: an option is not of this form, or names a field that does not exist.
    """
    columns: dict[str, str] = {}
    for option in options:
        field, equals, column = option.partition("=")
        if not equals or not column:
            raise InputError(f"--column {option!r} is not of the form FIELD=COLUMN (text=body)")
        if field in columns:
            raise InputError(f"--column names {field!r} twice: {columns[field]!r}, {column!r}")
        columns[field] = column
    check_columns(columns)
    return columns


def check_columns(columns: Mapping[str, str]) -> None:
    """Raise InputError where a mapping names a field that articles do not have."""
    for field in columns:
        if field not in FIELDS:
            raise InputError(f"column field {field!r} is not one of {', '.join(FIELDS)}")


def map_columns(names: Iterable[str], columns: Mapping[str, str]) -> dict[str, str]:
    """Which column fills which field: what the user names, then exact names, then synonyms.

    Args:
        names: columns of the table.
        columns: field to column, as named by the user; a column that ``names`` lacks fills
            nothing.

    Returns:
        Field to column, for the fields that have one.

    Raises:
        UnreadableError: nothing fills ``text``.
    """
    return dict(_map_columns(tuple(names), tuple(sorted(columns.items()))))


@lru_cache(maxsize=256)
def _map_columns(
    names: tuple[str, ...], columns: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, str], ...]:
    named = dict(columns)
    mapping = {field: column for field, column in columns if column in names}
    taken = set(named.values())
    free = [name for name in names if name not in taken]
    mapping.update(match_names(free, [field for field in FIELDS if field not in named]))
    if "text" not in mapping:
        raise UnreadableError("NoTextColumn", _no_text_column(names, named.get("text")))
    return tuple(mapping.items())


def match_names(
    names: Iterable[str],
    fields: Iterable[str],
    synonyms: Mapping[str, Iterable[str]] = SYNONYMS,
) -> dict[str, str]:
    """Which column fills which field by its name: exact names, then synonyms.

    Args:
        names: columns of the table.
        fields: fields to fill.
        synonyms: other names of the fields, best first.

    Returns:
        Field to column, for the fields that have one.
    """
    names, fields = list(names), list(fields)
    mapping = {field: field for field in fields if field in names}
    squashed: dict[str, str] = {}
    for name in names:
        if name not in mapping:
            squashed.setdefault(re.sub(r"[\W_]", "", name).casefold(), name)
    for field in fields:
        if field not in mapping:
            column = next((squashed[s] for s in synonyms[field] if s in squashed), None)
            if column is not None:
                mapping[field] = column
    return mapping


def _no_text_column(names: tuple[str, ...], asked: str | None) -> str:
    missing = f"no column {asked!r}" if asked else "no column that holds the text"
    found = ", ".join(names[:30]) + (", ..." if len(names) > 30 else "")
    return f"{missing} (columns found: {found or 'none'}); name it with --column text=COLUMN"


def to_article(
    record: Mapping[str, Any],
    mapping: Mapping[str, str],
    *,
    source_path: str = "",
    max_chars: int = MAX_CHARS,
) -> Article:
    """One row of a table as an article.

    Args:
        record: column to value.
        mapping: field to column, from ``map_columns``.
        source_path: file the row was read from.
        max_chars: longest text that is taken, in code points.

    Raises:
        UnreadableError: no text, one that is too long or not a string, or characters that are
            not valid Unicode.
    """
    values = {field: _known(record.get(column)) for field, column in mapping.items()}
    text = values.pop("text", None)
    used = set(mapping.values())
    extra = {name: to_jsonable(value) for name, value in record.items() if name not in used}
    fields: dict[str, str | None] = {}
    for field in ("id", "title", "author", "publisher", "url"):
        fields[field], whole = as_string(values.get(field))
        if not whole:
            extra[mapping[field]] = to_jsonable(values[field])
    published_at = parse_date(values.get("published_at"))
    if published_at is None and values.get("published_at"):
        extra[mapping["published_at"]] = to_jsonable(values["published_at"])
    check_unicode([text, *fields.values(), extra])
    article_id = fields.pop("id")
    text = check_text(text, article_id=article_id, max_chars=max_chars)
    return Article(
        article_id=article_id or derive_id(text),
        text=text,
        source_path=source_path,
        published_at=published_at,
        extra=extra,
        **fields,
    )


def check_text(text: Any, *, article_id: str | None, max_chars: int) -> str:
    """The text itself where it can be annotated, else UnreadableError."""
    if text is not None and not isinstance(text, str):
        raise UnreadableError(
            "TextNotString",
            f"the text is of type {type(text).__name__}, expected a string; name another column "
            "with --column text=COLUMN",
            article_id=article_id,
        )
    if not text or text.isspace():
        raise UnreadableError(
            "EmptyText", "there is no text; nothing to do", kind="skipped", article_id=article_id
        )
    if len(text) > max_chars:
        raise UnreadableError(
            "TextTooLong",
            f"the text has {len(text):,} characters, more than the limit of {max_chars:,}; split "
            "it into articles, or raise the limit with --max-chars",
            kind="skipped",
            article_id=article_id,
        )
    return text


def _known(value: Any) -> Any:
    """The value, or None for what stands for a missing one in data frames (NaN, NaT)."""
    if isinstance(value, (float, datetime)) and value != value:
        return None
    return value


def as_string(value: Any) -> tuple[str | None, bool]:
    """A scalar field as a string, and whether that says all of the value.

    NewsAPI gives the outlet as an object with a name; authors often come as a list.
    """
    if value is None:
        return None, True
    if isinstance(value, str):
        return value.strip() or None, True
    if isinstance(value, float) and value.is_integer():
        return str(int(value)), True
    if isinstance(value, Mapping) and isinstance(value.get("name"), str):
        return value["name"].strip() or None, False
    if isinstance(value, (list, tuple)):
        names = [as_string(item)[0] for item in value]
        whole = all(isinstance(item, str) for item in value)
        return ", ".join(name for name in names if name) or None, whole
    if isinstance(value, (bytes, Mapping)):
        return None, False
    return str(value), True


def to_jsonable(value: Any) -> Any:
    """The value in JSON's own types; dates in ISO 8601, bytes in base64, NaN as null."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): to_jsonable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_jsonable(item) for item in value]
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return str(value)


def check_unicode(values: list[Any]) -> None:
    """Refuse lone surrogates, which JSON can escape but no UTF-8 file or table can hold."""
    try:
        json.dumps(values, ensure_ascii=False, default=str).encode("utf-8")
    except UnicodeEncodeError as error:
        bad = error.object[error.start]
        raise UnreadableError(
            "InvalidUnicode",
            f"holds half a surrogate pair (U+{ord(bad):04X}), which is not a character; export "
            "the article again with valid Unicode",
        ) from error
