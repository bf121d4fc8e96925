"""The encoder of the teachers: all-mpnet-base-v2 (Song et al., NeurIPS 2020).

Five times as large as the shipped one, it learns a task better from the same labels; a small
encoder then learns from what it thinks (Hinton, Vinyals and Dean, 2015). Training needs it, a model
does not hold it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import cast

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import MPNetConfig, MPNetModel
from transformers.models.mpnet.modeling_mpnet import MPNetLayer

from onrecord.model_folder import file_sha256
from onrecord.stages.encoder import PieceTokenizer, WindowBatch

WEIGHTS = "model.safetensors"
TEACHER_SHA256 = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"
# The word pieces are those of BERT, four numbers on; the special ones have numbers of their own.
_PIECES_BEFORE = 4
_CLS, _PAD, _SEP = 0, 1, 2
# Layers that stay as they are: they hardly change, and cost much time.
_SETTLED_LAYERS = 4
_LAYER_DECAY = 0.9


class TeacherEncoder(nn.Module):
    """An MPNet whose embeddings and lowest layers stay as they are."""

    def __init__(self, config: MPNetConfig, dropout: nn.Module | None = None) -> None:
        super().__init__()
        self.mpnet = MPNetModel(config, add_pooling_layer=False)
        self.dropout = dropout or nn.Identity()
        self.hidden_size = config.hidden_size
        settled = self._layers()[:_SETTLED_LAYERS]
        relative = self.mpnet.encoder.relative_attention_bias
        for module in (self.mpnet.embeddings, relative, *settled):
            module.requires_grad_(False)

    @classmethod
    def from_folder(cls, folder: Path, dropout: nn.Module | None = None) -> TeacherEncoder:
        """The published encoder.

        Raises:
            ValueError: the weights are not the official ones.
        """
        digest = file_sha256(folder / WEIGHTS)
        if digest != TEACHER_SHA256:
            raise ValueError(
                f"{folder / WEIGHTS}: SHA-256 is {digest}, expected {TEACHER_SHA256}, that of "
                "all-mpnet-base-v2; --teacher names the folder that holds it"
            )
        config = MPNetConfig.from_json_file(str(folder / "config.json"))
        # What is dropped, ``dropout`` drops.
        config.hidden_dropout_prob = 0.0
        encoder = cls(config, dropout)
        encoder.mpnet.load_state_dict(load_file(folder / WEIGHTS), strict=False)
        return encoder

    def _layers(self) -> list[MPNetLayer]:
        return cast(list[MPNetLayer], list(self.mpnet.encoder.layer))

    @torch.no_grad()
    def settled(self, batch: WindowBatch, tokenizer: PieceTokenizer) -> tuple[Tensor, Tensor]:
        """States after the layers that never change, and what ``learning`` needs beside them.

        Returns:
            States, shape (windows, length, hidden); the bias of attention, shape (windows, heads,
            length, length).
        """
        states = self.mpnet.embeddings(_mpnet_ids(batch, tokenizer))
        bias: Tensor = self.mpnet.encoder.compute_position_bias(states[:1])  # type: ignore[no-untyped-call]
        bias = bias.masked_fill(~batch.mask[:, None, None, :], -1e4)
        return _through(self._layers()[:_SETTLED_LAYERS], states, bias, nn.Identity()), bias

    def learning(self, states: Tensor, bias: Tensor) -> Tensor:
        """States after the layers that learn, of the same shape."""
        return _through(self._layers()[_SETTLED_LAYERS:], states, bias, self.dropout)

    def parameter_groups(self, rate: float) -> list[dict[str, object]]:
        """The layers that learn, lower ones slower."""
        layers = self._layers()
        return [
            {"params": list(layer.parameters()), "lr": rate * _LAYER_DECAY ** (len(layers) - 1 - n)}
            for n, layer in enumerate(layers)
            if n >= _SETTLED_LAYERS
        ]


def _mpnet_ids(batch: WindowBatch, tokenizer: PieceTokenizer) -> Tensor:
    ids = batch.ids + _PIECES_BEFORE
    for known, number in ((tokenizer.cls, _CLS), (tokenizer.pad, _PAD), (tokenizer.sep, _SEP)):
        ids[batch.ids == known] = number
    return ids


def _through(
    layers: Iterable[MPNetLayer], states: Tensor, bias: Tensor, dropout: nn.Module
) -> Tensor:
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
        found = dropout(inner.o(found.transpose(1, 2).reshape(states.shape)))
        states = layer.attention.LayerNorm(found + states)
        found = dropout(layer.output.dense(layer.intermediate(states)))
        states = layer.output.LayerNorm(found + states)
    return states
