"""What made a run: versions of the program and its libraries, checksums of models and files."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from onrecord.language import DEFAULT_SPACY_MODEL, ModelNotFoundError
from onrecord.model_folder import (
    CHECKSUMS,
    DEFAULT_MODEL,
    read_checksums,
    shipped_models,
    verify_checksums,
)

_LIBRARIES = (
    *("spacy", "torch", "transformers", "tokenizers", "safetensors", "numpy"),
    *("pyarrow", "pandas", "trafilatura", "py3langid"),
)


def package_version(name: str = "onrecord") -> str:
    """Installed version of a distribution, "not installed" if it is none."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def library_versions() -> dict[str, str]:
    """Python and every library that has a part in the tables."""
    return {"python": platform.python_version()} | {
        name: package_version(name) for name in _LIBRARIES
    }


def model_folders() -> Iterator[Path]:
    """Every shipped model, by name."""
    folder = shipped_models()
    if folder.is_dir():
        yield from sorted(path for path in folder.iterdir() if (path / "config.json").is_file())


def model_checksums(model: Path | None) -> dict[str, str]:
    """File to SHA-256 as the model folder lists them; the encoder verifies them when it loads.

    Args:
        model: model folder, the shipped one if None. Empty where there is none.
    """
    folder = shipped_models() / DEFAULT_MODEL if model is None else model
    return read_checksums(folder) if (folder / CHECKSUMS).is_file() else {}


def spacy_model_version(name: str) -> str:
    """Version of an installed spaCy pipeline, given by package name or folder."""
    if (Path(name) / "meta.json").is_file():
        meta: dict[str, Any] = json.loads((Path(name) / "meta.json").read_text(encoding="utf-8"))
        return str(meta.get("version", "unknown"))
    return package_version(name)


def describe() -> dict[str, Any]:
    """Version, libraries, and every model with checksums, licence and training data.

    Returns:
        ``{"onrecord", "versions", "entity_recogniser", "models"}``; each model says as
        ``"problem"`` what is wrong with its files, None if they are as its checksum list names.
    """
    return {
        "onrecord": package_version(),
        "versions": library_versions(),
        "entity_recogniser": _describe_distribution(DEFAULT_SPACY_MODEL),
        "models": [_describe_model(folder) for folder in model_folders()],
    }


def _describe_model(folder: Path) -> dict[str, Any]:
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    listed = model_checksums(folder)
    try:
        verify_checksums(folder)
        problem = None
    except ModelNotFoundError as error:
        problem = str(error)
    return {
        "name": config.get("name", folder.name),
        "version": config.get("version", "unknown"),
        "path": str(folder),
        "license": config.get("license", "unknown"),
        "training_data": config.get("training_data", []),
        "sha256": listed,
        "problem": problem,
    }


def _describe_distribution(name: str) -> dict[str, Any]:
    try:
        about = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return {"name": name, "version": "not installed"}
    return {"name": name, "version": about["Version"], "license": about["License"] or "unknown"}
