"""Files that hold one article each: plain text, Markdown, HTML pages."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import trafilatura
from lxml.etree import LxmlError  # type: ignore[import-untyped]
from trafilatura.settings import Document

from onrecord.readers.columns import to_article
from onrecord.readers.decoding import declared_encoding, decode
from onrecord.readers.files import read_limited
from onrecord.readers.options import ReadOptions
from onrecord.readers.problems import UnreadableError, shown
from onrecord.records import Article

_BYTES_PER_CHAR = 4  # at most, in every encoding that is read
_MAX_PAGE_BYTES = 10_000_000
_MAX_HEADLINE = 150
_LETTERS = re.compile(r"[^\W\d_]")
_BYLINE = re.compile(r"\s*(by|from|with|published|updated|posted)\b", re.IGNORECASE)
_MARKDOWN_HEADING = re.compile(r"#{1,6}\s+(?P<title>.+?)\s*#*")

# What trafilatura finds wrong with a page is told in the errors table, not on the terminal.
for _name in ("trafilatura", "htmldate"):
    logging.getLogger(_name).addHandler(logging.NullHandler())


def read_text(path: Path, options: ReadOptions) -> Iterator[Article]:
    """A plain text or Markdown file, whole; a headline on its first line is the title too."""
    data = read_limited(path, _BYTES_PER_CHAR * options.max_chars + _BYTES_PER_CHAR)
    text = decode(data, encoding=options.encoding)
    yield _article(path, options, text=text, title=find_title(text))


def find_title(text: str) -> str | None:
    """The first line, where it reads like a headline: short, no full stop, set off from the rest.

    Set off by an empty line, by capitals, or by a much longer line below; else it may be the first
    line of a hard-wrapped paragraph.
    """
    lines = text.lstrip("\ufeff \t\r\n").split("\n", 2)
    first = lines[0].strip()
    heading = _MARKDOWN_HEADING.fullmatch(first)
    if heading:
        return heading["title"]
    if len(lines) < 2 or len(first.split()) < 2 or len(first) > _MAX_HEADLINE:
        return None
    if not _LETTERS.search(first) or _BYLINE.match(first):
        return None
    if first.rstrip("\"'”’»)").endswith((".", ",", ";", ":", "—")):
        return None
    below = lines[1].strip()
    set_off = not below or len(below) > max(100, 1.5 * len(first)) or _capitalised(first)
    return first if set_off else None


def _capitalised(line: str) -> bool:
    words = [word for word in line.split() if len(word) > 3 and _LETTERS.search(word)]
    return sum(word.lstrip("\"'“‘")[:1].isupper() for word in words) > 0.8 * len(words)


def read_html(path: Path, options: ReadOptions) -> Iterator[Article]:
    """An HTML page: the body as trafilatura extracts it is the article's text.

    Tables are left out (their cells are not sentences), and so are readers' comments. Only a
    date the page states in its markup is taken, never one guessed from its text.
    """
    data = read_limited(path, _MAX_PAGE_BYTES)
    page = decode(data, encoding=options.encoding, declared=declared_encoding(data))
    document = _extract(page)
    if document is None or not (document.text or "").strip():
        raise UnreadableError(
            "NoBody",
            "no article found in the page; if there is one, save its text as .txt",
            kind="skipped",
        )
    yield _article(
        path,
        options,
        text=document.text,
        title=document.title,
        author=document.author,
        publisher=document.sitename,
        published_at=document.date,
        url=document.url,
    )


def _article(path: Path, options: ReadOptions, **fields: str | None) -> Article:
    mapping = {field: field for field in fields}
    return to_article(fields, mapping, source_path=shown(path), max_chars=options.max_chars)


def _extract(page: str) -> Document | None:
    try:
        document = trafilatura.bare_extraction(
            page,
            with_metadata=True,
            include_comments=False,
            include_tables=False,
            date_extraction_params={
                "original_date": True,
                "extensive_search": False,
                "outputformat": "%Y-%m-%dT%H:%M:%S%z",
            },
        )
    # A page is arbitrary input to a large body of heuristics; whatever they trip over is one
    # article's problem.
    except (LxmlError, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError,
            ValueError, AssertionError) as error:  # fmt: skip
        raise UnreadableError(
            "BadPage",
            f"the page cannot be parsed ({type(error).__name__}: {error}); save its text as .txt",
        ) from error
    return document if isinstance(document, Document) else None
