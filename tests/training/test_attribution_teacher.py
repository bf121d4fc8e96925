"""The teacher of attribution: it learns articles, reads others, and what it reads can teach."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from onrecord.stages.attribution_head import BEGIN, INSIDE
from onrecord.stages.encoder import ArticleTokens, PieceTokenizer, article_tokens
from onrecord.training import attribution_teacher as teaching
from onrecord.training import train
from onrecord.training.attribution import GoldArticle, attribution_loss, gold_article
from onrecord.training.attribution_teacher import (
    AttributionTeacher,
    read_article,
    taught_article,
    train_attribution_teacher,
)
from onrecord.training.loop import TrainingConfig
from onrecord.training.plan import Plan
from onrecord.training.shares import read_share, read_texts
from tiny_model import light_pipeline, tiny_tokenizer, write_tiny_model
from tiny_mpnet import tiny_mpnet

TOKENIZER = tiny_tokenizer()
SEGMENT = light_pipeline()
WARNED = "Lund warned that the port would close. Nobody moved."
NOTHING = "The ships waited all day. It rained."


def tokens_of(text: str) -> ArticleTokens:
    return article_tokens(SEGMENT(text), TOKENIZER)


def spans(text: str, *phrases: str) -> list[list[int]]:
    return [[text.index(phrase), text.index(phrase) + len(phrase)] for phrase in phrases]


ROW = {
    "content": spans(WARNED, "that the port would close"),
    "cue": spans(WARNED, "warned"),
    "source": spans(WARNED, "Lund"),
}


def gold() -> list[GoldArticle]:
    return [gold_article(tokens_of(WARNED), [ROW]), gold_article(tokens_of(NOTHING), [])]


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> AttributionTeacher:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(teaching, "_RATE", 3e-3)
        patch.setattr(teaching, "_HEAD_RATE", 3e-3)
        patch.setattr(teaching, "TrainingConfig", lambda: TrainingConfig(average_decay=0.5))
        found = AttributionTeacher(tiny_mpnet(TOKENIZER))
        folder = tmp_path_factory.mktemp("teacher")
        train_attribution_teacher(found, gold(), TOKENIZER, 1, folder, epochs=150)
        assert (folder / "epoch").read_text() == "149"
    return found


def test_what_it_learned_is_read_and_teaches_the_same(teacher: AttributionTeacher) -> None:
    tokens = tokens_of(WARNED)
    row = json.loads(json.dumps(read_article(teacher, tokens, TOKENIZER)))
    article = taught_article(tokens, row)
    (known,) = gold()[0].attributions
    found = max(article.attributions, key=lambda one: one.validity)
    assert found.validity > 0.5
    assert (found.cue, found.source) == (known.cue, known.source)
    assert found.content.tolist() == known.content.tolist()
    assert np.allclose(article.cue_tags.sum(1), 1, atol=1e-3)
    assert article.cue_tags[known.cue[0], BEGIN] > 0.5
    assert article.cue_tags[:, INSIDE].max() < 0.5


def test_an_article_without_words_is_read(teacher: AttributionTeacher) -> None:
    assert read_article(teacher, tokens_of("It."), TOKENIZER)["attributions"] == []


def test_doubt_teaches_less(teacher: AttributionTeacher) -> None:
    """A statement that is none as likely as not pulls half as hard at content and source."""
    tokens = tokens_of(WARNED)
    row = {"cue": [1, 1], "content": [[2, 6]], "source": [0, 0]}
    pulls = []
    for validity in (1.0, 0.5):
        read = {"cue_tags": [[1, validity, 0.0]], "attributions": [row | {"validity": validity}]}
        head = teacher.head
        vectors = torch.ones(len(tokens), 32)
        random = np.random.default_rng(0)
        loss = attribution_loss(head, vectors, taught_article(tokens, read), random)
        (pull,) = torch.autograd.grad(loss, [head.source.weight])
        pulls.append(pull)
    assert torch.allclose(pulls[1], pulls[0] / 2, rtol=1e-3, atol=1e-7)


def test_what_is_certainly_no_statement_teaches_nothing_about_roles(
    teacher: AttributionTeacher,
) -> None:
    tokens = tokens_of(WARNED)
    one = {"cue": [1, 1], "content": [[2, 6]], "source": [0, 0], "validity": 0.9}
    none = {"cue": [4, 4], "content": [[5, 6]], "source": None, "validity": 0.0}
    losses = []
    for rows in ([one, none], [one, {**none, "content": [[6, 8]]}]):
        article = taught_article(tokens, {"cue_tags": [], "attributions": rows})
        random = np.random.default_rng(0)
        vectors = torch.ones(len(tokens), 32)
        losses.append(attribution_loss(teacher.head, vectors, article, random).item())
    assert losses[0] == losses[1]


def test_articles_nobody_marked_are_taught_once_and_learned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, data = write_tiny_model(tmp_path / "model"), tmp_path / "data"
    rows = {"polnear/train.jsonl": {"id": "port", "text": WARNED, "attributions": [ROW]}}
    statement = ROW | {"speaker_label": "Lund"}
    rows["speakers/articles.jsonl"] = {"id": "b", "text": WARNED, "attributions": [statement]}
    rows["speakers/train.jsonl"] = {
        "id": "port",
        "text": WARNED,
        "sources": [{"start": 0, "end": 4, "identity": "Lund"}],
    }
    for name, row in rows.items():
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_text(json.dumps(row) + "\n", encoding="utf-8")
    plan = Plan(("attribution",), data, TrainingConfig(), model, 1, tmp_path, speakers=True)
    assert read_texts(plan).without_attributions() == ["b"]
    learned: list[int] = []
    monkeypatch.setattr(
        train.AttributionTeacher, "from_folder", lambda _: AttributionTeacher(tiny_mpnet(TOKENIZER))
    )
    monkeypatch.setattr(
        train, "train_attribution_teacher", lambda _, articles, *__: learned.append(len(articles))
    )
    checkpoints = tmp_path / "checkpoints"
    checkpoints.mkdir()
    for _ in range(2):
        train._teach(plan, checkpoints)
    assert learned == [1], "the second time nothing is left to do"
    told = [json.loads(line) for line in (checkpoints / "taught_articles.jsonl").open()]
    assert [row["id"] for row in told] == ["b"]
    tokenizer = PieceTokenizer.from_file(model / "tokenizer.json")
    told[0]["attributions"] = [
        {"cue": [1, 1], "content": [[2, 6]], "source": None, "validity": 0.4}
    ]
    share = read_share(plan, tokenizer, 0, 1, None, {"b": told[0]})
    port, other = share.articles
    assert [one.validity for one in port.attributions] == [1.0]
    assert [one.validity for one in other.attributions] == [0.4]
    assert port.complete
    assert other.complete
    untaught = read_share(plan, tokenizer, 0, 1).articles[1]
    assert not untaught.complete
    assert untaught.attributions == ()
