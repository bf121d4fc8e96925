"""Files of annotation tools: finding, reading and naming them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from onrecord.evaluation.gold import GoldError


def find(path: Path, suffix: str) -> list[Path]:
    """The file, or the files of a folder and its subfolders with a suffix, in order of name.

    Raises:
        GoldError: there is none.
    """
    if path.is_file():
        return [path]
    found = sorted(path.rglob(f"*{suffix}")) if path.is_dir() else []
    if not found:
        raise GoldError(f"{path}: no such file, and no folder with {suffix} files")
    return found


def read_text(path: Path) -> str:
    """A text file as it is: line ends are kept, they are characters that offsets count.

    Raises:
        GoldError: the file is not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise GoldError(f"{path}: not UTF-8 ({error}); save the file as UTF-8") from error


def read_lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Place and object of every line of a JSON Lines file.

    Raises:
        GoldError: a line is no JSON object.
    """
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        origin = f"{path}, line {number}"
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise GoldError(f"{origin}: not JSON ({error})") from error
        if not isinstance(row, dict) or not isinstance(row.get("text"), str):
            raise GoldError(f"{origin}: expected a JSON object with a 'text'")
        yield origin, row


def file_name(article_id: str) -> str:
    """A file name that holds the id; :func:`article_id_of` gives it back."""
    return quote(article_id, safe=" !#$&'()+,;=@[]{}~").replace(".", "%2E")


def article_id_of(stem: str) -> str:
    """The id that a file name without suffix holds."""
    return unquote(stem)
