"""Fixtures that several test modules share."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import settings
from spacy.language import Language

import onrecord
from fakes import load_fake
from onrecord.model_folder import open_model
from onrecord.records import Article
from onrecord.stages.encoder import ArticleEncoder
from tiny_model import write_tiny_model

# How long an example takes says more about the machine than about the code.
settings.register_profile("onrecord", deadline=None)
settings.load_profile("onrecord")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first, so that the other files are tested beside it."""
    items.sort(key=lambda item: item.path.name != "test_spark.py")


@pytest.fixture(scope="session")
def nlp() -> Language:
    """The whole pipeline with the shipped models."""
    return onrecord.load()


@pytest.fixture(scope="session")
def fake_nlp() -> Language:
    """The pipeline of fake stages."""
    return load_fake()


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> ArticleEncoder:
    """The encoder of a tiny model with random weights."""
    return ArticleEncoder(open_model(write_tiny_model(tmp_path_factory.mktemp("encoder"))))


@pytest.fixture
def write_jsonl(tmp_path: Path) -> Callable[..., Path]:
    """Write articles as JSON Lines; gives the file."""

    def write(articles: Iterable[Article], name: str = "news.jsonl") -> Path:
        path = tmp_path / name
        lines = [
            json.dumps({"id": article.article_id, "text": article.text}) for article in articles
        ]
        path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        return path

    return write
