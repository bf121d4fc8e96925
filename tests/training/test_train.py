"""Which layers of an encoder learn on, and which a stage has for its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import BertConfig

from onrecord.model_folder import ModelFolder, open_model, write_model
from onrecord.stages.attribution import AttributionConfig
from onrecord.stages.encoder import SharedEncoder, Windowing, article_tokens
from onrecord.stages.stance import StanceConfig
from onrecord.training import loop, train
from onrecord.training.loop import Trainee, TrainingConfig
from onrecord.training.train import _frozen_layers
from tiny_model import (
    bert_config,
    folder_config,
    light_pipeline,
    tiny_encoder,
    tiny_tokenizer,
    tokenizer_json,
    write_tiny_model,
)

STANCE_ALONE = {"attribution": None, "speakers": None}


def six_layers(path: Path, **sections: Any) -> ModelFolder:
    """A model whose encoder says it has six layers; a section of None is left out."""
    folder = open_model(write_tiny_model(path))
    config = {**folder.config, "stance": {"own_layers": 2}, "speakers": {}, **sections}
    config["encoder"] = {**folder.config["encoder"], "num_hidden_layers": 6}
    return replace(folder, config={k: v for k, v in config.items() if v is not None})


@pytest.mark.parametrize(
    ("stages", "sections", "frozen"),
    [
        (["attribution", "speakers"], {}, 4),
        (["attribution", "speakers", "stance"], {}, 2),
        (["attribution"], {"speakers": None}, 4),
        (["stance"], STANCE_ALONE, 2),
    ],
)
def test_layers_under_a_stage_that_is_not_trained_stay(
    tmp_path: Path, stages: list[str], sections: dict[str, Any], frozen: int
) -> None:
    folder = six_layers(tmp_path, **sections)
    assert _frozen_layers(folder, stages, tune_encoder=True) == frozen
    assert _frozen_layers(folder, stages, tune_encoder=False) == 6


@pytest.mark.parametrize("stages", [["stance"], ["attribution"]])
def test_a_stage_that_reads_every_layer_must_be_trained_too(
    tmp_path: Path, stages: list[str]
) -> None:
    with pytest.raises(ValueError, match="reads every layer of the encoder; name it too"):
        _frozen_layers(six_layers(tmp_path), stages, tune_encoder=True)


def test_more_own_layers_are_put_under_those_a_stage_has() -> None:
    config = BertConfig(**{**bert_config(tokenizer_json()).to_dict(), "num_hidden_layers": 3})
    trainee = Trainee(SharedEncoder(config), 0.0, own_layers=1)
    (top,) = trainee.stance.layers
    trainee.give_own_layers(2)
    assert trainee.stance.layers[1] is top
    copied = trainee.encoder.bert.encoder.layer[1].state_dict()
    for name, value in trainee.stance.layers[0].state_dict().items():
        assert torch.equal(value, copied[name]), name


def test_remembered_states_of_texts_together_are_those_of_each_alone() -> None:
    """Shorter texts are padded beside longer ones, and come again from what is remembered."""
    tokenizer = tiny_tokenizer()
    encoder = tiny_encoder(tokenizer_json())
    nlp = light_pipeline()
    texts = [
        article_tokens(nlp(text), tokenizer)
        for text in ("Ortiz spoke.", "Rain fell. " * 90, "Lund said that the port would close.")
    ]
    trainee = Trainee(encoder, 0.0, own_layers=1)
    expected = trainee.eval().lower_states(texts, Windowing(), tokenizer).vectors()
    trainee.freeze(1)
    for _ in range(2):
        found = trainee.lower_states(texts, Windowing(), tokenizer).vectors()
        assert torch.allclose(found, expected, atol=2e-3)
    alone = [trainee.lower_states([text], Windowing(), tokenizer).vectors() for text in texts]
    assert torch.equal(torch.cat(alone), found)


class _Planned(Exception):  # noqa: N818 - it only carries the plan out
    """The plan that a training was about to follow."""


def planned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *stages: str, **options: Any
) -> train.Plan:
    """The plan of a training from a model of all three stages, which is not begun."""
    folder = six_layers(tmp_path / "model")

    def stop(plan: train.Plan, *_: object) -> None:
        raise _Planned(plan)

    monkeypatch.setattr(train, "open_model", lambda _: folder)
    monkeypatch.setattr(train, "_known_speakers", lambda _: None)
    monkeypatch.setattr(train, "check_files", lambda *_: None)
    monkeypatch.setattr(train, "_train_encoded", stop)
    with pytest.raises(_Planned) as told:
        train.train(stages, tmp_path, tmp_path / "out", start=tmp_path / "model", **options)
    plan: train.Plan = told.value.args[0]
    return plan


def test_an_encoder_learns_on_where_speakers_are_trained_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = ("attribution", "stance", "speakers")
    plan = planned(tmp_path, monkeypatch, *everything, tune_encoder=True)
    assert plan.stages == ("attribution", "stance")
    assert plan.config.frozen_layers == 2
    assert plan.speakers
    settled = planned(tmp_path, monkeypatch, *everything)
    assert settled.config.frozen_layers == 6
    assert not settled.speakers


def test_checkpoints_go_on_with_the_training_they_are_of_alone(tmp_path: Path) -> None:
    data, checkpoints = tmp_path / "data", tmp_path / "checkpoints"
    (data / "stance").mkdir(parents=True)
    file = data / "stance" / "train.jsonl"
    file.write_text("one", encoding="utf-8")
    model = write_tiny_model(tmp_path / "model")
    plan = train.Plan(("stance",), data, TrainingConfig(), model)
    for _ in range(2):
        train._keep_plan(plan, checkpoints)
    other = replace(plan, config=TrainingConfig(epochs=3), processes=1)
    with pytest.raises(ValueError, match="of a training with another configuration, processes;"):
        train._keep_plan(other, checkpoints)
    file.write_text("two", encoding="utf-8")
    with pytest.raises(ValueError, match="with another data; remove the folder to train anew"):
        train._keep_plan(plan, checkpoints)


@pytest.mark.parametrize("stage", ["attribution", "stance"])
def test_a_stage_that_is_not_named_keeps_its_weights(tmp_path: Path, stage: str) -> None:
    """Also against weight decay, which acts where the processes share a gradient of zeros."""
    content = tokenizer_json()
    encoder = tiny_encoder(content)
    heads = Trainee(encoder, 0.0).heads()
    sections = {
        "attribution": AttributionConfig().model_dump(),
        "stance": StanceConfig().model_dump(),
    }
    model = tmp_path / "model"
    write_model(model, folder_config(encoder, **sections), {"encoder": encoder, **heads}, content)
    plan = train.Plan((stage,), tmp_path, TrainingConfig(), model)
    trainee = train.make_trainee(plan)
    trainee.freeze(1)
    before = {name: value.clone() for name, value in trainee.state_dict().items()}
    groups = loop._parameter_groups(trainee, plan.config)
    optimizer = torch.optim.AdamW(groups, weight_decay=0.1)
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    changed = {
        name for name, value in trainee.state_dict().items() if (value != before[name]).any()
    }
    assert changed
    assert {name.split(".")[0] for name in changed} == {stage}
