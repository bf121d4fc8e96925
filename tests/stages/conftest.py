"""Fixtures of the learned stages: tiny models, one of them trained to know a few statements."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from spacy.language import Language

from onrecord.model_folder import write_model
from onrecord.stages.encoder import PieceTokenizer, Windowing, article_tokens
from onrecord.stages.stance import StanceConfig, statement_roles
from onrecord.training.loop import Share, Trainee, TrainingConfig, train_share
from onrecord.training.stance import MarkedStatement, StanceItem, stance_logits
from tiny_model import (
    LEARNED,
    folder_config,
    light_pipeline,
    quoted,
    tiny_encoder,
    tokenizer_json,
    write_tiny_model,
)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder with random weights."""
    return write_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session")
def tiny_nlp(tiny_model: Path) -> Language:
    """Segmentation, encoder and stance with random weights."""
    return light_pipeline("onrecord_encoder", "onrecord_stance", model=tiny_model)


@pytest.fixture(scope="session")
def learned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, torch.Tensor]:
    """A model trained on ``LEARNED``, and its logits of these before it was written."""
    folder = tmp_path_factory.mktemp("learned")
    content = tokenizer_json(text for text, _ in LEARNED)
    pieces = PieceTokenizer.from_json(content)
    nlp = light_pipeline()
    items = []
    for statement, marks in LEARNED:
        text, attribution = quoted(statement)
        tokens = article_tokens(nlp(text), pieces)
        statement = MarkedStatement(*statement_roles(tokens, attribution), marks)
        items.append(StanceItem(tokens, (statement,)))
    with torch.random.fork_rng():
        torch.manual_seed(3)
        trainee = Trainee(tiny_encoder(content), dropout=0.0)
        config = TrainingConfig(
            epochs=90,
            statements_per_step=len(items),
            encoder_rate=3e-3,
            head_rate=4e-3,
            average_decay=0.0,
        )
        train_share(trainee, Share(statements=items), pieces, config, folder / "checkpoints")
    write_model(
        folder / "model",
        folder_config(
            trainee.encoder,
            stance=StanceConfig().model_dump(),
        ),
        {"encoder": trainee.encoder, "stance": trainee.stance},
        content,
    )
    return folder / "model", _logits(trainee, items, pieces)


@torch.inference_mode()
def _logits(trainee: Trainee, items: list[StanceItem], pieces: PieceTokenizer) -> torch.Tensor:
    trainee.eval()
    lower = trainee.lower_states([item.tokens for item in items], Windowing(), pieces)
    return stance_logits(trainee.stance, trainee.stance_vectors(lower, items), items)
