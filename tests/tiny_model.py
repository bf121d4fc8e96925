"""Model folders that are made at once: a tiny random encoder and a small vocabulary of its own."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import spacy
import torch
from spacy.language import Language
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from torch import nn
from transformers import BertConfig

from onrecord.model_folder import write_model
from onrecord.records import Attribution, Span
from onrecord.stages.attribution import AttributionConfig
from onrecord.stages.attribution_head import AttributionHead
from onrecord.stages.encoder import PieceTokenizer, SharedEncoder
from onrecord.stages.stance import StanceConfig, StanceHead

_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_MARKS = "“”‘’\"'.,;:!?()-–—…%$&/«»"
HIDDEN = 32
WIDTH = 16
# Statements that a tiny model can learn, with their marks: defiance and conciliation.
LEARNED = (
    ("We will not negotiate with them", (1.0, 0.0)),
    ("We will negotiate with them", (0.0, 1.0)),
    ("We will not meet the owners", (1.0, 0.0)),
    ("We will meet the owners", (0.0, 1.0)),
    ("The meeting begins at noon", (0.0, 0.0)),
    ("The count takes two hours", (0.0, 0.0)),
)


def tokenizer_json(texts: Iterable[str] = ()) -> bytes:
    """A word-piece tokenizer that knows the words of some texts, and letters for all others."""
    words = sorted({word for text in texts for word in text.lower().replace(".", " ").split()})
    letters = [*_LETTERS, *(f"##{letter}" for letter in _LETTERS)]
    entries = dict.fromkeys([*_SPECIAL, *_MARKS, *letters, *words])
    vocabulary = {piece: number for number, piece in enumerate(entries)}
    tokenizer = Tokenizer(WordPiece(vocabulary, unk_token=_SPECIAL[1]))
    tokenizer.normalizer = BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.add_special_tokens(list(_SPECIAL))
    return tokenizer.to_str().encode("utf-8")


def tiny_tokenizer(texts: Iterable[str] = ()) -> PieceTokenizer:
    """The tokenizer of ``tokenizer_json``, ready to use."""
    return PieceTokenizer.from_json(tokenizer_json(texts))


def bert_config(content: bytes) -> BertConfig:
    """A BERT of one layer for a tokenizer."""
    return BertConfig(
        vocab_size=Tokenizer.from_buffer(content).get_vocab_size(),
        hidden_size=HIDDEN,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )


def tiny_encoder(content: bytes) -> SharedEncoder:
    """An untrained encoder for a tokenizer; every feature has a say."""
    encoder = SharedEncoder(bert_config(content))
    for table in encoder.features:
        nn.init.normal_(table.weight, std=0.05)
    return encoder


def folder_config(encoder: SharedEncoder, **stages: dict[str, Any]) -> dict[str, Any]:
    """The configuration of a model folder."""
    return {
        "name": "tiny",
        "version": "0",
        "encoder": {**encoder.bert.config.to_diff_dict(), "hidden_size": encoder.hidden_size},
        "windowing": {"core": 320, "left": 32, "right": 16},
        **stages,
    }


def write_tiny_model(path: Path, seed: int = 7, **stance: float) -> Path:
    """A whole model folder with random weights; ``stance`` overrides its configuration."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        content = tokenizer_json()
        encoder = tiny_encoder(content)
        marks = StanceConfig(width=WIDTH, heads=2, **stance)
        roles = AttributionConfig(width=WIDTH, dilations=(1, 2))
        modules: dict[str, nn.Module] = {
            "encoder": encoder,
            "attribution": AttributionHead(HIDDEN, WIDTH, roles.dilations),
            "stance": StanceHead(HIDDEN, WIDTH, 2),
        }
        # Untrained layers hardly tell one statement from another; these do.
        for parameter in modules["stance"].parameters():
            parameter.data *= 3.0
    config = folder_config(encoder, attribution=roles.model_dump(), stance=marks.model_dump())
    write_model(path, config, modules, content)
    return path


def light_pipeline(*stages: str, model: Path | None = None) -> Language:
    """Segmentation and the named learned stages, without an entity recogniser."""
    nlp = spacy.blank("en")
    nlp.add_pipe("onrecord_segment")
    for stage in stages:
        nlp.add_pipe(stage, config={"model": str(model)})
    return nlp


def quoted(statement: str) -> tuple[str, Attribution]:
    """A statement in a sentence, and where it stands."""
    text = f"“{statement},” said Ortiz on Monday."
    end = len(statement) + 3
    attribution = Attribution(
        content=(Span(0, end),),
        cue=(Span(end + 1, end + 5),),
        source=(Span(end + 6, end + 11),),
        kind="direct",
        score=1.0,
    )
    return text, attribution
