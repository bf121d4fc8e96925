"""Gold to and from annotation tools.

Each module has ``read(path)``, which gives the articles of a file or folder, and
``write(articles, out)``, which writes a folder that the tool imports. What the tool shows is
editable there and comes back: entities with their names, statements with content, cue and source in
any number of pieces, kind, stance and speaker.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from onrecord.evaluation.gold import GoldArticle, GoldError, article_row, parse_article

# Name on the command line to module.
FORMATS = {
    "brat": "brat",
    "label-studio": "label_studio",
    "doccano": "doccano",
    "prodigy": "prodigy",
    "inception": "inception",
    "conll": "conll",
    "jsonl": "json_lines",
}
_LAYERS = ("sentences", "entities", "attributions")


def read_format(name: str, path: Path | str) -> list[GoldArticle]:
    """Articles of a file or folder in the format of a tool, checked as gold is.

    A tool does not tell "none here" from "not labelled": a layer that any article of the input has
    was labelled in all of them.

    Raises:
        GoldError: the format is unknown, or the input cannot be trusted; the message names file,
            place, offset and both texts where a span does not cover what it should.
    """
    found = _module(name).read(Path(path))
    if not found:
        raise GoldError(f"{path}: no article of the format {name} found")
    if name != "jsonl":
        found = _same_layers(found)
    return [parse_article(article_row(article), article.origin) for article in found]


def _same_layers(articles: Sequence[GoldArticle]) -> list[GoldArticle]:
    """Articles that all have the layers that any of them has."""
    sentences, entities, attributions = (
        () if any(getattr(a, layer) is not None for a in articles) else None for layer in _LAYERS
    )
    return [
        replace(
            article,
            sentences=article.sentences or sentences,
            entities=article.entities or entities,
            attributions=article.attributions or attributions,
        )
        for article in articles
    ]


def write_format(name: str, articles: Sequence[GoldArticle], out: Path | str) -> list[Path]:
    """Write articles as a folder that a tool imports; returns the files written.

    Raises:
        GoldError: the format is unknown, or two articles have one id.
    """
    ids = [article.id for article in articles]
    if len(set(ids)) < len(ids):
        raise GoldError("two articles have the same id; a tool could not tell them apart")
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    return _module(name).write(articles, folder)


class _Format(Protocol):
    """What each module of this package has."""

    def read(self, path: Path) -> list[GoldArticle]: ...

    def write(self, articles: Sequence[GoldArticle], out: Path) -> list[Path]: ...


def _module(name: str) -> _Format:
    if name not in FORMATS:
        raise GoldError(f"unknown format {name!r}; known are {', '.join(FORMATS)}")
    return cast(_Format, import_module(f"onrecord.evaluation.formats.{FORMATS[name]}"))
