"""A teacher of the stance stage: a larger encoder that reads the same statements first.

What it thinks of each statement, between yes and no, tells a small encoder more than the labels do
(Hinton, Vinyals and Dean, 2015). The teacher is an MPNet (Song et al., NeurIPS 2020); training
needs it, a model does not hold it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import cast

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import MPNetConfig, MPNetModel
from transformers.models.mpnet.modeling_mpnet import MPNetLayer

from onrecord.model_folder import file_sha256
from onrecord.stages.encoder import (
    PieceTokenizer,
    WindowBatch,
    Windowing,
    WindowStates,
    batch_windows,
    make_windows,
)
from onrecord.stages.stance import StanceHead
from onrecord.training.loop import TrainingConfig, learning_rate, mixed_precision
from onrecord.training.stance import StanceItem, marks_loss, stance_logits

logger = logging.getLogger(__name__)

WEIGHTS = "model.safetensors"
TEACHER_SHA256 = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"
# The word pieces are those of BERT, four numbers on; the special ones have numbers of their own.
_PIECES_BEFORE = 4
_CLS, _PAD, _SEP = 0, 1, 2
# Layers that stay as they are: they hardly change, and cost much time.
_SETTLED_LAYERS = 4
_RATE, _HEAD_RATE, _LAYER_DECAY, _DROPOUT = 5e-5, 5e-4, 0.9, 0.1
_PIECES_PER_STEP, _TEXTS_PER_STEP = 4_096, 48


class Teacher(nn.Module):
    """An MPNet whose upper layers are shown what each token is to a statement, with a head."""

    def __init__(self, config: MPNetConfig) -> None:
        super().__init__()
        self.mpnet = MPNetModel(config, add_pooling_layer=False)
        self.head = StanceHead(config.hidden_size)
        self.dropout = nn.Dropout(_DROPOUT)
        settled = self.mpnet.encoder.layer[:_SETTLED_LAYERS]
        relative = self.mpnet.encoder.relative_attention_bias
        for module in (self.mpnet.embeddings, relative, *settled):
            module.requires_grad_(False)

    @classmethod
    def from_folder(cls, folder: Path) -> Teacher:
        """The published encoder with a fresh head.

        Raises:
            ValueError: the weights are not the official ones.
        """
        digest = file_sha256(folder / WEIGHTS)
        if digest != TEACHER_SHA256:
            raise ValueError(
                f"{folder / WEIGHTS}: SHA-256 is {digest}, expected {TEACHER_SHA256}, that of "
                "all-mpnet-base-v2; --teacher names the folder that holds it"
            )
        teacher = cls(MPNetConfig.from_json_file(str(folder / "config.json")))
        teacher.mpnet.load_state_dict(load_file(folder / WEIGHTS), strict=False)
        return teacher

    def forward(self, items: Sequence[StanceItem], tokenizer: PieceTokenizer) -> Tensor:
        """Logits of both marks of each statement of each item, shape (statements, 2)."""
        sizes = Windowing()
        windows = [(i.tokens, window) for i in items for window in make_windows(i.tokens, sizes)]
        batch = batch_windows(windows, tokenizer)
        roles = torch.from_numpy(np.concatenate([item.roles for item in items]))
        encoder = self.mpnet.encoder
        layers = cast(list[MPNetLayer], list(encoder.layer))
        with torch.no_grad():
            states = self.mpnet.embeddings(_mpnet_ids(batch, tokenizer))
            bias = encoder.compute_position_bias(states[:1])  # type: ignore[no-untyped-call]
            bias = bias.masked_fill(~batch.mask[:, None, None, :], -1e4)
            states = _through(layers[:_SETTLED_LAYERS], states, bias)
        states = WindowStates(batch, states).plus(self.head.shown(roles)).states
        states = _through(layers[_SETTLED_LAYERS:], states, bias)
        vectors = self.dropout(WindowStates(batch, states).vectors())
        return stance_logits(self.head, vectors, items)


def _mpnet_ids(batch: WindowBatch, tokenizer: PieceTokenizer) -> Tensor:
    ids = batch.ids + _PIECES_BEFORE
    for known, number in ((tokenizer.cls, _CLS), (tokenizer.pad, _PAD), (tokenizer.sep, _SEP)):
        ids[batch.ids == known] = number
    return ids


def _through(layers: Iterable[MPNetLayer], states: Tensor, bias: Tensor) -> Tensor:
    """MPNet's layers with PyTorch's fused attention, twice as fast on a processor as its own."""
    for layer in layers:
        inner = layer.attention.attn
        shape = (*states.shape[:-1], inner.num_attention_heads, inner.attention_head_size)
        query, key, value = (
            part(states).view(shape).transpose(1, 2) for part in (inner.q, inner.k, inner.v)
        )
        found = nn.functional.scaled_dot_product_attention(
            query, key, value, attn_mask=bias.to(query.dtype)
        )
        found = inner.o(found.transpose(1, 2).reshape(states.shape))
        states = layer.attention.LayerNorm(found + states)
        states = layer.output(layer.intermediate(states), states)
    return states


def train_teacher(
    teacher: Teacher, items: Sequence[StanceItem], tokenizer: PieceTokenizer, seed: int
) -> None:
    """Go through all statements once: a second time would learn them by heart."""
    torch.manual_seed(seed)
    batches = _batches(items, np.random.default_rng(seed))
    optimizer = torch.optim.AdamW(_parameter_groups(teacher), weight_decay=0.01)
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


def _parameter_groups(teacher: Teacher) -> list[dict[str, object]]:
    layers = teacher.mpnet.encoder.layer
    groups: list[dict[str, object]] = [
        {"params": list(layer.parameters()), "lr": _RATE * _LAYER_DECAY ** (len(layers) - 1 - n)}
        for n, layer in enumerate(layers)
        if n >= _SETTLED_LAYERS
    ]
    return [*groups, {"params": list(teacher.head.parameters()), "lr": _HEAD_RATE}]


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
