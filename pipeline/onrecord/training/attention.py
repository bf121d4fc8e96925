"""Attention for training on processors.

Torch's fused kernel is the fastest way forward, but on a processor with bfloat16 its backward pass
takes longer than everything else in the layer together; two plain matrix products do not. In
float32 the fused kernel is the faster one both ways.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from transformers import AttentionInterface
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

from onrecord.stages.encoder import inference_dtype

NAME = "onrecord_training"
_MASKED = -1e4


def attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    **unused: object,
) -> tuple[Tensor, None]:
    """Scaled dot-product attention (Vaswani et al., NeurIPS 2017), without dropout.

    Args:
        module: the attention layer; unused.
        query: shape (windows, heads, length, width).
        key: as ``query``.
        value: as ``query``.
        attention_mask: True where a word piece may be looked at, broadcast to
            (windows, heads, length, length).
        scaling: factor of the scores, one over the root of the width if None.
        unused: what other implementations need.

    Returns:
        Shape (windows, length, heads, width); no weights.
    """
    factor = query.shape[-1] ** -0.5 if scaling is None else scaling
    with torch.autocast("cpu", enabled=False):
        query, key, value = (part.to(torch.bfloat16) for part in (query, key, value))
        scores = torch.matmul(query * factor, key.transpose(2, 3))
        if attention_mask is not None:
            scores = scores.masked_fill(~attention_mask, _MASKED)
        mixed = torch.matmul(torch.softmax(scores, dim=-1), value)
    return mixed.transpose(1, 2).contiguous(), None


def fastest() -> str:
    """Name of the attention to train with on this processor, made known to transformers."""
    if inference_dtype() != torch.bfloat16:
        return "sdpa"
    AttentionInterface.register(NAME, attend)
    AttentionMaskInterface.register(NAME, sdpa_mask)
    return NAME
