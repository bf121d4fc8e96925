"""A teacher of the attribution stage: a larger encoder that learns the same articles first.

It then reads the articles that nobody has marked, and says of each cue how likely it attributes
something, and what to whom. A small encoder that learns from both meets more kinds of news than
the marked articles hold (self-training, as in Xie et al., CVPR 2020).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from onrecord.stages.attribution import AttributionConfig, calibrated_score, read_roles
from onrecord.stages.attribution_head import AttributionHead, FloatArray
from onrecord.stages.encoder import (
    ArticleTokens,
    Encoding,
    FeatureTables,
    PieceTokenizer,
    Windowing,
    WindowStates,
    batch_windows,
    make_windows,
)
from onrecord.training.attribution import (
    CANDIDATE_THRESHOLD,
    GoldArticle,
    GoldAttribution,
    attribution_loss,
)
from onrecord.training.data import tag_runs
from onrecord.training.loop import (
    ChannelDropout,
    TrainingConfig,
    learning_rate,
    mixed_precision,
    resume,
    save_checkpoint,
    update_average,
)
from onrecord.training.mpnet import TeacherEncoder

logger = logging.getLogger(__name__)

EPOCHS = 4
_RATE, _HEAD_RATE, _DROPOUT = 7e-5, 6e-4, 0.1
_WIDTH = 160
_ARTICLES_PER_STEP = 2
# Cue tags less likely than this are not written down.
_UNLIKELY = 0.01


class AttributionTeacher(nn.Module):
    """An MPNet that is shown what it cannot see, as the shipped encoder is, and a wider head."""

    def __init__(self, encoder: TeacherEncoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.features = FeatureTables(encoder.hidden_size)
        self.head = AttributionHead(encoder.hidden_size, _WIDTH)
        self.dropout = ChannelDropout(_DROPOUT)

    @classmethod
    def from_folder(cls, folder: Path) -> AttributionTeacher:
        """The published encoder with a fresh head.

        Raises:
            ValueError: the weights are not the official ones.
        """
        return cls(TeacherEncoder.from_folder(folder, ChannelDropout(_DROPOUT)))

    def forward(self, tokens: ArticleTokens, tokenizer: PieceTokenizer) -> Tensor:
        """Vectors of all tokens of an article, shape (n, hidden)."""
        windows = [(tokens, window) for window in make_windows(tokens, Windowing())]
        batch = batch_windows(windows, tokenizer)
        states, bias = self.encoder.settled(batch, tokenizer)
        states = self.encoder.learning(self.features.add_to(states, batch.features), bias)
        dropped: Tensor = self.dropout(WindowStates(batch, states).vectors())
        return dropped


def train_attribution_teacher(
    teacher: AttributionTeacher,
    articles: Sequence[GoldArticle],
    tokenizer: PieceTokenizer,
    seed: int,
    checkpoints: Path,
    epochs: int = EPOCHS,
) -> None:
    """Learn marked articles; the weights end as their running average.

    A checkpoint after every epoch goes to ``checkpoints``, and an earlier one is gone on with.
    """
    config = TrainingConfig()
    head = [*teacher.features.parameters(), *teacher.head.parameters()]
    groups = [*teacher.encoder.parameter_groups(_RATE), {"params": head, "lr": _HEAD_RATE}]
    optimizer = torch.optim.AdamW(groups, weight_decay=config.weight_decay)
    steps = -(-len(articles) // _ARTICLES_PER_STEP)
    average = {name: value.detach().clone() for name, value in teacher.state_dict().items()}
    first, done = resume(teacher, optimizer, average, checkpoints)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: learning_rate(step, steps * epochs, config), last_epoch=done - 1
    )
    for epoch in range(first, epochs):
        random = np.random.default_rng([seed, epoch])
        torch.manual_seed(seed * 1_000_003 + epoch)
        teacher.train()
        told = []
        for batch in np.array_split(random.permutation(len(articles)), steps):
            told.append(_step(teacher, [articles[n] for n in batch], tokenizer, random))
            nn.utils.clip_grad_norm_(teacher.parameters(), config.clip)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad(set_to_none=True)
            update_average(average, teacher, config.average_decay)
        logger.info("teacher of attribution, epoch %d: loss %.3f", epoch, float(np.mean(told)))
        save_checkpoint(teacher, optimizer, average, checkpoints, epoch)
    teacher.load_state_dict(average)
    teacher.eval()


def _step(
    teacher: AttributionTeacher,
    articles: Sequence[GoldArticle],
    tokenizer: PieceTokenizer,
    random: np.random.Generator,
) -> float:
    told = 0.0
    for article in articles:
        with mixed_precision():
            vectors = teacher(article.tokens, tokenizer)
            loss = attribution_loss(teacher.head, vectors, article, random) / len(articles)
        loss.backward()  # type: ignore[no-untyped-call]
        told += float(loss.detach())
    return told


# --- what it reads ------------------------------------------------------------------------------


@torch.inference_mode()
def read_article(
    teacher: AttributionTeacher, tokens: ArticleTokens, tokenizer: PieceTokenizer
) -> dict[str, Any]:
    """What the teacher reads in an article, in tokens, as JSON.

    ``cue_tags`` are rows of a token and the probabilities that a cue begins and goes on there;
    ``attributions`` have a ``cue``, ``content`` and ``source`` (first and last token of each piece)
    and a ``validity``.
    """
    teacher.eval()
    with mixed_precision():
        vectors = teacher(tokens, tokenizer)
    shares = teacher.head.cue_logits(vectors).softmax(-1)[:, 1:].numpy()
    likely = np.flatnonzero(shares.max(1, initial=0.0) >= _UNLIKELY)
    config = AttributionConfig(cue_threshold=CANDIDATE_THRESHOLD)
    readings = read_roles(teacher.head, Encoding(tokens, vectors), config)
    return {
        "cue_tags": [[n, *(round(float(p), 4) for p in shares[n])] for n in likely.tolist()],
        "attributions": [
            {
                "cue": reading.cue,
                "content": reading.content,
                "source": reading.source,
                # By the calibration of a model that has none: the validity logit alone.
                "validity": round(calibrated_score(reading, config.calibration), 4),
            }
            for reading in readings
        ],
    }


def taught_article(tokens: ArticleTokens, row: dict[str, Any]) -> GoldArticle:
    """An article as a teacher has read it (see ``read_article``)."""
    tags: FloatArray = np.zeros((len(tokens), 3), dtype=np.float32)
    for token, begin, inside in row["cue_tags"]:
        tags[token, 1:] = begin, inside
    tags[:, 0] = 1 - tags[:, 1:].sum(1)
    found = tuple(_taught_attribution(len(tokens), one) for one in row["attributions"])
    return GoldArticle(tokens, tags, found)


def _taught_attribution(n_tokens: int, row: dict[str, Any]) -> GoldAttribution:
    first, last = row["cue"]
    source = None if row["source"] is None else (row["source"][0], row["source"][1])
    content = tag_runs(n_tokens, row["content"])
    return GoldAttribution((first, last), content, source, row["validity"])
