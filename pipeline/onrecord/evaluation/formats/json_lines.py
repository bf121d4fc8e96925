"""The project's own gold files, so that they can be exported and imported like the others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from onrecord.evaluation.gold import GoldArticle, read_gold, write_gold


def read(path: Path) -> list[GoldArticle]:
    """Articles of a gold file or a folder of them."""
    return list(read_gold(path).articles)


def write(articles: Sequence[GoldArticle], out: Path) -> list[Path]:
    """Write ``gold.jsonl``."""
    path = out / "gold.jsonl"
    write_gold(articles, path)
    return [path]
