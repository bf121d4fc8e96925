"""A teacher of the stance stage: a larger encoder that reads the same statements first.

What it thinks of each statement, between yes and no, tells a small encoder more than the labels do
(Hinton, Vinyals and Dean, 2015).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from onrecord.stages.encoder import (
    PieceTokenizer,
    Windowing,
    WindowStates,
    batch_windows,
    make_windows,
)
from onrecord.stages.stance import StanceHead
from onrecord.training.loop import TrainingConfig, learning_rate, mixed_precision
from onrecord.training.mpnet import TeacherEncoder
from onrecord.training.stance import StanceItem, marks_loss, stance_logits

logger = logging.getLogger(__name__)

_RATE, _HEAD_RATE, _DROPOUT = 5e-5, 5e-4, 0.1
_PIECES_PER_STEP, _TEXTS_PER_STEP = 4_096, 48


class Teacher(nn.Module):
    """An MPNet whose upper layers are shown what each token is to a statement, with a head."""

    def __init__(self, encoder: TeacherEncoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = StanceHead(encoder.hidden_size)
        self.dropout = nn.Dropout(_DROPOUT)

    @classmethod
    def from_folder(cls, folder: Path) -> Teacher:
        """The published encoder with a fresh head.

        Raises:
            ValueError: the weights are not the official ones.
        """
        return cls(TeacherEncoder.from_folder(folder))

    def forward(self, items: Sequence[StanceItem], tokenizer: PieceTokenizer) -> Tensor:
        """Logits of both marks of each statement of each item, shape (statements, 2)."""
        sizes = Windowing()
        windows = [(i.tokens, window) for i in items for window in make_windows(i.tokens, sizes)]
        batch = batch_windows(windows, tokenizer)
        roles = torch.from_numpy(np.concatenate([item.roles for item in items]))
        states, bias = self.encoder.settled(batch, tokenizer)
        states = WindowStates(batch, states).plus(self.head.shown(roles)).states
        states = self.encoder.learning(states, bias)
        vectors = self.dropout(WindowStates(batch, states).vectors())
        return stance_logits(self.head, vectors, items)


def train_teacher(
    teacher: Teacher, items: Sequence[StanceItem], tokenizer: PieceTokenizer, seed: int
) -> None:
    """Go through all statements once: a second time would learn them by heart."""
    torch.manual_seed(seed)
    batches = _batches(items, np.random.default_rng(seed))
    head = {"params": list(teacher.head.parameters()), "lr": _HEAD_RATE}
    groups = [*teacher.encoder.parameter_groups(_RATE), head]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    config = TrainingConfig()
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: learning_rate(step, len(batches), config)
    )
    teacher.train()
    told = []
    for batch in batches:
        with mixed_precision():
            loss = marks_loss(teacher(batch, tokenizer), batch)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(teacher.parameters(), config.clip)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)
        told.append(float(loss.detach()))
        if len(told) % 20 == 0:
            mean = float(np.mean(told[-20:]))
            logger.info("teacher, step %d of %d: loss %.3f", len(told), len(batches), mean)
    teacher.eval()


def _batches(items: Sequence[StanceItem], random: np.random.Generator) -> list[list[StanceItem]]:
    """All items that hold a statement once, in random batches of items of like length."""
    kept = [item for item in items if item.statements]
    sizes = np.array([sum(map(len, item.tokens.pieces)) for item in kept])
    batches: list[list[StanceItem]] = []
    room = 0
    for index in np.argsort(sizes * random.uniform(0.8, 1.25, len(kept))):
        room -= int(sizes[index])
        if room < 0 or len(batches[-1]) == _TEXTS_PER_STEP:
            batches.append([])
            room = _PIECES_PER_STEP - int(sizes[index])
        batches[-1].append(kept[index])
    return [batches[index] for index in random.permutation(len(batches))]


@torch.inference_mode()
def taught_marks(
    teacher: Teacher, items: Iterable[StanceItem], tokenizer: PieceTokenizer
) -> Tensor:
    """Probabilities of both marks of each statement of each item, shape (statements, 2)."""
    teacher.eval()
    with mixed_precision():
        logits = [teacher([item], tokenizer) for item in items if item.statements]
    return torch.cat([torch.zeros(0, 2), *logits]).float().sigmoid()
