"""Trained weights on disk: safetensors, a JSON configuration, a tokenizer, and their checksums.

The encoder and each stage have a file of weights of their own: a stage that is trained anew
replaces one file.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import nn

from onrecord.language import ModelNotFoundError

DEFAULT_MODEL = "onrecord-en"
WEIGHTS_SUFFIX = ".safetensors"
CONFIG = "config.json"
TOKENIZER = "tokenizer.json"
CHECKSUMS = "SHA256SUMS"
# Files that every model has, beside its weights.
ALWAYS = (CONFIG, TOKENIZER)


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A verified model folder.

    Attributes:
        path: the folder.
        config: its ``config.json``; one section a stage.
        files: the files whose checksums were verified.
    """

    path: Path
    config: dict[str, Any]
    files: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """Name and version, as written into the tables."""
        return f"{self.config['name']}-{self.config['version']}"

    def section(self, stage: str) -> dict[str, Any]:
        """Configuration of one stage.

        Raises:
            ModelNotFoundError: the model was not trained for this stage.
        """
        if stage not in self.config:
            raise ModelNotFoundError(
                f"{self.path}: this model has no {stage!r} section (it has: "
                f"{', '.join(sorted(self.config))}); train it with 'onrecord train {stage}'"
            )
        section: dict[str, Any] = self.config[stage]
        return section

    def load_into(self, module: nn.Module, part: str) -> None:
        """Fill ``module`` with the weights of ``part``, as float32.

        Args:
            module: what to fill.
            part: "encoder", or the name of a stage.

        Raises:
            ModelNotFoundError: the model has no verified weights of this part.
            RuntimeError: a weight is missing or of another shape.
        """
        name = part + WEIGHTS_SUFFIX
        if name not in self.files:
            raise ModelNotFoundError(
                f"{self.path}: {name} is not listed in {CHECKSUMS}; restore the folder, or train "
                "it with 'onrecord train'"
            )
        module.load_state_dict(
            {key: value.float() for key, value in load_file(self.path / name).items()}
        )


def shipped_models() -> Path:
    """The folder of shipped models: inside the package, or beside it in a source checkout."""
    package = Path(__file__).resolve().parent
    inside = package / "models"
    return inside if inside.is_dir() else package.parents[1] / "models"


def open_model(model: Path | str | None = None) -> ModelFolder:
    """Open a model folder after verifying its checksums.

    Args:
        model: folder, or None for the shipped one.

    Raises:
        ModelNotFoundError: the folder is missing, not whole, or a file was changed.
    """
    path = shipped_models() / DEFAULT_MODEL if model is None else Path(model)
    return _open(path.resolve())


@lru_cache(maxsize=4)
def _open(path: Path) -> ModelFolder:
    files = verify_checksums(path)
    config = json.loads((path / CONFIG).read_text(encoding="utf-8"))
    return ModelFolder(path, config, files)


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_checksums(path: Path) -> dict[str, str]:
    """Expected SHA-256 of each file of a model folder.

    Raises:
        ModelNotFoundError: the folder has no checksum list, or the list is not whole.
    """
    listing = path / CHECKSUMS
    if not listing.is_file():
        raise ModelNotFoundError(
            f"{path}: no model here ({CHECKSUMS} is missing); name a folder written by "
            "'onrecord train', or leave --model out to use the shipped one"
        )
    rows = [line.split(maxsplit=1) for line in listing.read_text(encoding="utf-8").splitlines()]
    found = {row[-1].strip(): row[0] for row in rows if len(row) == 2}
    expected = _loaded(path)
    if not found.keys() >= set(expected) or len(found) != len(rows):
        raise ModelNotFoundError(
            f"{listing}: damaged; expected a line of SHA-256 and name for each of "
            f"{', '.join(expected)}, got {len(rows)} lines, {len(found)} of them whole; restore "
            "the folder, or retrain with 'onrecord train'"
        )
    return found


def verify_checksums(path: Path) -> frozenset[str]:
    """Compare every listed file with its checksum; the names of these files.

    Raises:
        ModelNotFoundError: a file is missing or differs.
    """
    listed = read_checksums(path)
    for name, expected in listed.items():
        file = path / name
        if Path(name).name != name or not file.is_file():
            raise ModelNotFoundError(f"{path}: {name} is listed in {CHECKSUMS} but not there")
        found = file_sha256(file)
        if found != expected:
            raise ModelNotFoundError(
                f"{file}: SHA-256 is {found}, {CHECKSUMS} says {expected}; the file was changed or "
                "damaged: restore it, or retrain with 'onrecord train'"
            )
    return frozenset(listed)


def write_model(
    path: Path,
    config: dict[str, Any],
    modules: dict[str, nn.Module],
    tokenizer: bytes,
) -> None:
    """Write a model folder: half-precision weights, configuration, tokenizer, checksums."""
    path.mkdir(parents=True, exist_ok=True)
    for old in path.glob(f"*{WEIGHTS_SUFFIX}"):
        old.unlink()
    for part, module in modules.items():
        _write_weights(path, part, module)
    (path / TOKENIZER).write_bytes(tokenizer)
    _write_config(path, config)


def write_stage(
    path: Path, start: ModelFolder, stage: str, config: dict[str, Any], module: nn.Module
) -> None:
    """Write the model of ``start`` with one stage replaced or added; all else is kept as it is.

    Args:
        path: model folder to write; may be that of ``start``.
        start: the model whose other files stay.
        stage: name of the stage.
        config: configuration of the whole model.
        module: weights of the stage.
    """
    path.mkdir(parents=True, exist_ok=True)
    if path.resolve() != start.path:
        for name in start.files - {CONFIG}:
            shutil.copyfile(start.path / name, path / name)
    _write_weights(path, stage, module)
    _write_config(path, config)


def round_as_written(module: nn.Module) -> None:
    """Round weights to what the file will hold, so that a calibration fits what is shipped."""
    for parameter in module.parameters():
        parameter.data = parameter.data.half().float()


def _write_weights(path: Path, part: str, module: nn.Module) -> None:
    state = {key: _half(value) for key, value in module.state_dict().items()}
    # Not save_file: what it writes nobody else on the machine may read.
    (path / (part + WEIGHTS_SUFFIX)).write_bytes(save(state))


def _write_config(path: Path, config: dict[str, Any]) -> None:
    """Write the configuration and, as the last file, the checksums of all."""
    (path / CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    write_checksums(path)
    # A folder of this path that was opened before is another model now.
    _open.cache_clear()


def write_checksums(path: Path) -> None:
    """List the SHA-256 of every file that the program loads."""
    listing = "".join(f"{file_sha256(path / name)}  {name}\n" for name in _loaded(path))
    (path / CHECKSUMS).write_text(listing, encoding="utf-8")


def _loaded(path: Path) -> list[str]:
    return sorted([*ALWAYS, *(file.name for file in path.glob(f"*{WEIGHTS_SUFFIX}"))])


def _half(value: torch.Tensor) -> torch.Tensor:
    return value.half().contiguous() if value.is_floating_point() else value.contiguous()
