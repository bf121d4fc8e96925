"""A teacher's encoder small enough for a test: six layers of MPNet's kind."""

from __future__ import annotations

import torch
from transformers import MPNetConfig

from onrecord.stages.encoder import PieceTokenizer
from onrecord.training import mpnet
from onrecord.training.mpnet import TeacherEncoder


def tiny_mpnet(tokenizer: PieceTokenizer) -> TeacherEncoder:
    """Random weights, always the same."""
    torch.manual_seed(3)
    pieces = 1 + max(tokenizer.cls, tokenizer.sep, tokenizer.pad, 2_000)
    config = MPNetConfig(
        vocab_size=pieces + mpnet._PIECES_BEFORE,
        hidden_size=32,
        num_hidden_layers=6,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=514,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    return TeacherEncoder(config)
