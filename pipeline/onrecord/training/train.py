"""From data folders to checkpoints: reading shares of the data and starting the processes."""

from __future__ import annotations

import json
import logging
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from safetensors.torch import load_file, save_file
from transformers import BertConfig

from onrecord import __version__
from onrecord.child_process import end_with_parent
from onrecord.model_folder import (
    DEFAULT_MODEL,
    ModelFolder,
    open_model,
    write_stage,
)
from onrecord.stages.encoder import PieceTokenizer, SharedEncoder, article_tokens
from onrecord.stages.speaker_scorer import SpeakerModel, SpeakersConfig, SpeakerScorer
from onrecord.training import attention
from onrecord.training.attribution import gold_article
from onrecord.training.attribution_teacher import (
    AttributionTeacher,
    read_article,
    train_attribution_teacher,
)
from onrecord.training.data import prepare_docs, read_json_lines
from onrecord.training.finish import finish, training_data
from onrecord.training.loop import Trainee, TrainingConfig, train_share
from onrecord.training.plan import (
    ARTICLES,
    DATA_FILES,
    SPEAKERS,
    TRAINABLE,
    Plan,
    TrainingDataError,
    base_folder,
    check_files,
    tokenizer_file,
)
from onrecord.training.shares import (
    read_share,
    read_single_statements,
    read_texts,
)
from onrecord.training.speakers import ScorerTraining, train_speakers
from onrecord.training.stance import (
    prepare_marked,
    prepare_statements,
    read_marked_articles,
)
from onrecord.training.teacher import Teacher, taught_marks, train_teacher

logger = logging.getLogger(__name__)

# What the teachers think of articles and statements, beside the checkpoints.
_TAUGHT = "taught.safetensors"
_TAUGHT_ARTICLES = "taught_articles.jsonl"
# An encoder that learns on keeps its lowest layers: they hardly change, and cost much time.
_SETTLED_LAYERS = 2


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
        teacher: folder of all-mpnet-base-v2. For stance it learns the statements first, and what is
            learned then lies half way between the labels and what it thinks; for attribution it
            learns the marked articles first, and reads those of the other stages for it.
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
    if teacher is not None and set(stages) == {SPEAKERS}:
        raise ValueError(
            "a teacher is for attribution and stance; name one of them or leave the teacher out"
        )
    chosen = config or TrainingConfig()
    speakers = None
    if SPEAKERS in stages:
        check_files(data, DATA_FILES[SPEAKERS])
    else:
        speakers = _known_speakers(start)
    encoded = sorted(set(stages) - {SPEAKERS})
    if encoded:
        if start is not None:
            frozen = _frozen_layers(open_model(start), stages, tune_encoder)
            chosen = replace(chosen, frozen_layers=frozen)
        # An encoder that learns for attribution also learns who is meant.
        who = {SPEAKERS, "attribution"} <= set(stages) and (start is None or tune_encoder)
        plan = Plan(tuple(encoded), data, chosen, start, processes, teacher, who)
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
        taught=plan.stages if plan.teacher is not None else (),
    )
    # What is done is never gone on with: the same command trains anew.
    shutil.rmtree(checkpoints)


def _teach(plan: Plan, checkpoints: Path) -> None:
    """Let teachers learn the plan's stages, and write down once what they think."""
    if plan.teacher is None:
        return
    torch.set_num_threads(plan.processes)
    tokenizer = PieceTokenizer.from_file(tokenizer_file(plan))
    if "attribution" in plan.stages and not (checkpoints / _TAUGHT_ARTICLES).is_file():
        _teach_attribution(plan, plan.teacher, tokenizer, checkpoints)
    if "stance" in plan.stages and not (checkpoints / _TAUGHT).is_file():
        _teach_stance(plan, plan.teacher, tokenizer, checkpoints)


def _teach_attribution(
    plan: Plan, weights: Path, tokenizer: PieceTokenizer, checkpoints: Path
) -> None:
    """Marked articles teach the teacher; it reads the others."""
    texts = read_texts(plan)
    known = prepare_docs((name, texts.texts[name]) for name in texts.attributed)
    articles = [
        gold_article(article_tokens(doc, tokenizer), rows)
        for doc, rows in zip(known, texts.attributed.values(), strict=True)
    ]
    teacher = AttributionTeacher.from_folder(weights)
    progress = checkpoints / "teacher"
    train_attribution_teacher(teacher, articles, tokenizer, plan.config.seed, progress)
    aside = checkpoints / f".{_TAUGHT_ARTICLES}.tmp"
    names = texts.without_attributions()
    others = prepare_docs((name, texts.texts[name]) for name in names)
    with aside.open("w", encoding="utf-8") as stream:
        for name, doc in zip(names, others, strict=True):
            read = read_article(teacher, article_tokens(doc, tokenizer), tokenizer)
            stream.write(json.dumps({"id": name, **read}) + "\n")
    aside.replace(checkpoints / _TAUGHT_ARTICLES)


def _teach_stance(plan: Plan, weights: Path, tokenizer: PieceTokenizer, checkpoints: Path) -> None:
    rows = read_marked_articles(plan.data / ARTICLES).values()
    articles = prepare_marked(rows, tokenizer)
    statements = prepare_statements(list(read_single_statements(plan)), tokenizer)
    teacher = Teacher.from_folder(weights)
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
    trainee.speakers.requires_grad_(plan.speakers)
    trainee.give_own_layers(plan.config.own_layers)
    return trainee


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
    told, articles = checkpoints / _TAUGHT, checkpoints / _TAUGHT_ARTICLES
    taught = load_file(told) if told.is_file() else None
    read = read_json_lines(articles) if articles.is_file() else ()
    share = read_share(plan, tokenizer, rank, world, taught, {row["id"]: row for row in read})
    counts = [len(share.articles), len(share.statements), len(share.passages)]
    logger.info("%d articles, %d statements and %d passages a process", *counts)
    logger.info("configuration: %s", asdict(plan.config))
    trainee = make_trainee(plan)
    train_share(trainee, share, tokenizer, plan.config, checkpoints, rank=rank, world=world)
    if world > 1:
        dist.destroy_process_group()
