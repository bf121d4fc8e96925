"""Model folders: what is written comes back, and what was changed or is not whole is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from spacy.language import Language
from torch import nn

import onrecord
from onrecord.language import ModelNotFoundError
from onrecord.model_folder import (
    CHECKSUMS,
    CONFIG,
    TOKENIZER,
    open_model,
    write_checksums,
    write_model,
)
from tiny_model import write_tiny_model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_tiny_model(tmp_path / "tiny")


def write_linear(path: Path, version: str = "1") -> nn.Linear:
    layer = nn.Linear(3, 2)
    write_model(path, {"name": "line", "version": version}, {"layer": layer}, b"{}")
    return layer


def test_weights_come_back_in_half_precision(tmp_path: Path) -> None:
    written = write_linear(tmp_path / "line")
    read = nn.Linear(3, 2)
    folder = open_model(tmp_path / "line")
    folder.load_into(read, "layer")
    assert folder.name == "line-1"
    for ours, theirs in zip(read.parameters(), written.parameters(), strict=True):
        assert ours.dtype == torch.float32
        assert torch.equal(ours, theirs.half().float())


def test_weights_may_be_read_by_whoever_may_read_the_configuration(model: Path) -> None:
    modes = {file.name: file.stat().st_mode for file in model.iterdir()}
    assert set(modes.values()) == {modes["config.json"]}, modes


def test_a_folder_may_be_named_by_text_and_from_elsewhere(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(model.parent)
    assert open_model("tiny") == open_model(model)


def test_a_folder_that_was_written_anew_is_read_anew(tmp_path: Path) -> None:
    write_linear(tmp_path, version="1")
    assert open_model(tmp_path).name == "line-1"
    write_linear(tmp_path, version="2")
    assert open_model(tmp_path).name == "line-2"


@pytest.mark.parametrize("name", ["stance.safetensors", CONFIG, TOKENIZER])
def test_a_changed_file_is_refused(model: Path, name: str) -> None:
    file = model / name
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(ModelNotFoundError, match=rf"{name}: SHA-256 is \w{{64}}, .*changed or"):
        open_model(model)


@pytest.mark.parametrize("name", ["stance.safetensors", CONFIG, TOKENIZER])
def test_a_missing_file_is_refused(model: Path, name: str) -> None:
    (model / name).unlink()
    with pytest.raises(ModelNotFoundError, match=f"{name} is listed in {CHECKSUMS} but not there"):
        open_model(model)


def test_a_folder_without_checksums_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match=r"no model here .*--model"):
        open_model(tmp_path)
    with pytest.raises(ModelNotFoundError, match="no model here"):
        open_model(tmp_path / "none")


@pytest.mark.parametrize("listed", ["../secret", "/etc/passwd", "deep/model.safetensors"])
def test_a_list_that_leaves_the_folder_is_refused(model: Path, listed: str) -> None:
    (model.parent / "secret").write_text("x", encoding="utf-8")
    with (model / CHECKSUMS).open("a", encoding="utf-8") as stream:
        stream.write(f"{'0' * 64}  {listed}\n")
    with pytest.raises(ModelNotFoundError, match=f"{listed} is listed"):
        open_model(model)


@pytest.mark.parametrize(
    "damage",
    [
        lambda listing: "",
        lambda listing: "".join(listing.splitlines(keepends=True)[1:]),
        lambda listing: listing + "\nnonsense\n",
        lambda listing: listing[:40],
    ],
    ids=["empty", "line lost", "line too much", "cut"],
)
def test_a_damaged_list_is_refused(model: Path, damage: object) -> None:
    listing = model / CHECKSUMS
    listing.write_text(damage(listing.read_text(encoding="utf-8")), encoding="utf-8")  # type: ignore[operator]
    with pytest.raises(ModelNotFoundError, match=f"{CHECKSUMS}: damaged; expected a line"):
        open_model(model)


def test_a_stage_that_was_not_trained_is_named(model: Path) -> None:
    with pytest.raises(
        ModelNotFoundError, match=r"no 'speakers' section .*onrecord train speakers"
    ):
        open_model(model).section("speakers")


def test_weights_of_another_shape_are_refused(model: Path) -> None:
    with pytest.raises(RuntimeError, match="Missing key"):
        open_model(model).load_into(nn.Linear(3, 2), "stance")


def test_a_corrected_configuration_needs_new_checksums(model: Path) -> None:
    config = json.loads((model / CONFIG).read_text(encoding="utf-8"))
    config["stance"]["threshold_defiance"] = 0.9
    (model / CONFIG).write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(ModelNotFoundError, match="changed or damaged"):
        open_model(model)
    write_checksums(model)
    assert open_model(model).section("stance")["threshold_defiance"] == 0.9


def test_every_row_names_the_models_that_made_it(nlp: Language) -> None:
    """Names with versions, whatever spaCy calls the components."""
    (row,) = onrecord.analyze(["“We will stay,” Ana Ortiz said."], nlp=nlp).quotes["model"]
    name = open_model().name
    assert row == f"attribution:{name} speakers:{name} stance:{name}"
