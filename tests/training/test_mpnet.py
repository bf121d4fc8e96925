"""The teachers' encoder: MPNet's own layers, and weights that are checked."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from onrecord.stages.encoder import (
    Windowing,
    WindowStates,
    article_tokens,
    batch_windows,
    make_windows,
)
from onrecord.training import mpnet
from onrecord.training.mpnet import TeacherEncoder
from tiny_model import light_pipeline, tiny_tokenizer
from tiny_mpnet import tiny_mpnet


def test_the_layers_are_those_of_mpnet() -> None:
    tokenizer = tiny_tokenizer()
    encoder = tiny_mpnet(tokenizer).eval()
    tokens = article_tokens(light_pipeline()("Ortiz spoke. " * 200 + "It rained."), tokenizer)
    batch = batch_windows([(tokens, w) for w in make_windows(tokens, Windowing())], tokenizer)
    ids = mpnet._mpnet_ids(batch, tokenizer)
    assert ids[0, 0] == 0
    assert ids[~batch.mask].unique().tolist() == [1]
    with torch.no_grad():
        known = encoder.mpnet(input_ids=ids, attention_mask=batch.mask.long()).last_hidden_state
        states = encoder.learning(*encoder.settled(batch, tokenizer))
    own, theirs = (WindowStates(batch, found).vectors() for found in (states, known))
    assert torch.allclose(own, theirs, atol=1e-5)


def test_embeddings_and_lowest_layers_stay_as_they_are() -> None:
    learning = {
        name.split(".")[3]
        for name, parameter in tiny_mpnet(tiny_tokenizer()).named_parameters()
        if parameter.requires_grad
    }
    assert learning == {"4", "5"}


def test_a_folder_with_other_weights_is_refused(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(1)}, tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match=r"SHA-256 is .*, expected 78c0197b.*all-mpnet-base-v2"):
        TeacherEncoder.from_folder(tmp_path)
