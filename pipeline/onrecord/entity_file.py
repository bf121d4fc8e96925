"""Entity files: the names a user knows, with identifiers of an outside knowledge base.

A file is JSON Lines (one object a line) or CSV (with a header line); both may end in ``.gz``.
Fields: ``name`` (required), ``label`` (an entity label such as PERSON, default PERSON), ``aliases``
(a JSON list, in CSV separated by ``|``) and ``kb_id`` (for example a Wikidata item).
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from onrecord.names import LABEL_CLASSES, fold, slug

_FIELDS = ("name", "label", "aliases", "kb_id")
_DEFAULT_LABEL = "PERSON"


class EntityFileError(ValueError):
    """An entity file that cannot be used; the message names file, line, value and remedy."""


@dataclass(frozen=True, slots=True)
class KnownEntity:
    """One row of an entity file."""

    name: str
    label: str
    aliases: tuple[str, ...] = ()
    kb_id: str | None = None

    @property
    def entity_id(self) -> str:
        """``kb:<kb_id>``, or ``file:<slug>`` for a row without one."""
        return f"kb:{self.kb_id}" if self.kb_id else f"file:{slug(self.name)}"

    @property
    def forms(self) -> tuple[str, ...]:
        """Name and aliases."""
        return (self.name, *self.aliases)


class _Owner(NamedTuple):
    """The row that a form was first read in."""

    line: int
    entity: KnownEntity
    form: str


def read_entity_file(path: Path | str) -> tuple[KnownEntity, ...]:
    """Read an entity file.

    Args:
        path: a ``.jsonl`` or ``.csv`` file, plain or ``.gz``.

    Raises:
        EntityFileError: the file cannot be read or decoded, a line has no name, an unknown label
            or field, or a form belongs to two entities.
    """
    path = Path(path)
    kind = path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix
    if kind not in (".jsonl", ".csv"):
        raise EntityFileError(
            f"{path}: an entity file ends in .jsonl or .csv (or .gz of these), not {kind!r}"
        )
    text = _read_text(path)
    rows = _json_rows(path, text) if kind == ".jsonl" else _csv_rows(path, text)
    known: list[KnownEntity] = []
    owners: dict[str, _Owner] = {}
    for line, row in rows:
        entity = _entity(path, line, row)
        _claim_forms(path, line, entity, owners)
        known.append(entity)
    return tuple(known)


def _read_text(path: Path) -> str:
    try:
        data = path.read_bytes()
        if path.suffix == ".gz":
            data = gzip.decompress(data)
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise EntityFileError(f"{path}:{line}: not UTF-8 ({error}); save it as UTF-8") from error
    except (OSError, EOFError) as error:
        raise EntityFileError(f"{path}: the entity file cannot be read: {error}") from error


def _json_rows(path: Path, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for line, content in enumerate(text.split("\n"), 1):
        if not content.strip():
            continue
        try:
            row = json.loads(content)
        except json.JSONDecodeError as error:
            raise EntityFileError(
                f"{path}:{line}: not JSON ({error}); expected one object a line, such as "
                '{"name": "Nicolás Maduro", "label": "PERSON", "aliases": ["Maduro"]}'
            ) from error
        if not isinstance(row, dict):
            raise EntityFileError(f"{path}:{line}: expected a JSON object, got {content[:60]!r}")
        yield line, row


def _csv_rows(path: Path, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        if reader.fieldnames is None or "name" not in reader.fieldnames:
            raise EntityFileError(
                f"{path}:1: no column 'name' in the header {reader.fieldnames or []}; "
                f"expected {', '.join(_FIELDS)}"
            )
        for row in reader:
            if None in row:
                raise EntityFileError(
                    f"{path}:{reader.line_num}: more fields than the header has; put values with "
                    "a comma in double quotation marks and separate aliases by |"
                )
            aliases = [part.strip() for part in (row.get("aliases") or "").split("|")]
            yield reader.line_num, {**row, "aliases": [part for part in aliases if part]}
    except csv.Error as error:
        raise EntityFileError(f"{path}:{reader.line_num}: not CSV ({error})") from error


def _entity(path: Path, line: int, row: dict[str, Any]) -> KnownEntity:
    unknown = sorted(set(row) - set(_FIELDS))
    if unknown:
        raise EntityFileError(
            f"{path}:{line}: unknown field {unknown[0]!r}; expected {', '.join(_FIELDS)}"
        )
    name = _text(path, line, "name", row.get("name"))
    if name is None or not fold(name):
        raise EntityFileError(f"{path}:{line}: no name; every row needs one")
    label = _text(path, line, "label", row.get("label")) or _DEFAULT_LABEL
    if label not in LABEL_CLASSES:
        raise EntityFileError(
            f"{path}:{line}: unknown label {label!r}; expected one of {', '.join(LABEL_CLASSES)}"
        )
    aliases = row.get("aliases") or []
    if not isinstance(aliases, list):
        raise EntityFileError(f"{path}:{line}: aliases must be a list, got {aliases!r}")
    forms = [_text(path, line, "aliases", alias) for alias in aliases]
    kept = tuple(form for form in forms if form is not None and fold(form))
    return KnownEntity(name, label, kept, _text(path, line, "kb_id", row.get("kb_id")))


def _text(path: Path, line: int, name: str, value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise EntityFileError(f"{path}:{line}: {name} must be text, got {value!r}")
    return " ".join(value.split()) or None


def _claim_forms(path: Path, line: int, entity: KnownEntity, owners: dict[str, _Owner]) -> None:
    """A form may belong to one entity only; who "Johnson" is cannot be left open here.

    Names are looked up as folded, so "JOHNSON" in another row would be left open as well.
    """
    for form in entity.forms:
        earlier = owners.setdefault(fold(form), _Owner(line, entity, form))
        if earlier.line != line:
            spelled = "" if earlier.form == form else f" as {earlier.form!r}"
            raise EntityFileError(
                f"{path}:{line}: {form!r} of {entity.name!r} already belongs to "
                f"{earlier.entity.name!r} in line {earlier.line}{spelled}; leave it to one of them"
            )
