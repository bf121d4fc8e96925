"""The training loop: one encoder, one or several heads, one or several processes.

Processes hold equal shares of the data and average their gradients, which on a few cores is faster
than one process with several threads. Everything is seeded; with the same seed and number of
processes the same weights come out. A checkpoint after every epoch allows an interrupted training
to go on.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
import torch.distributed as dist
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers.models.bert.modeling_bert import BertOutput, BertSelfOutput

from onrecord.stages.attribution_head import AttributionHead
from onrecord.stages.encoder import (
    ArticleTokens,
    PieceTokenizer,
    SharedEncoder,
    WindowBatch,
    Windowing,
    WindowStates,
    batch_windows,
    inference_dtype,
    make_windows,
)
from onrecord.stages.speaker_scorer import SpeakersConfig, SpeakerScorer
from onrecord.stages.stance import StanceHead
from onrecord.training.attribution import GoldArticle, attribution_loss
from onrecord.training.speakers import speakers_loss
from onrecord.training.stance import StanceItem, stance_loss

logger = logging.getLogger(__name__)

Item = TypeVar("Item")
# An article with so few statements has half a say in their stance and in their speakers.
_FEW_STATEMENTS = 4


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """How long and how fast to learn.

    ``articles_per_step`` and ``statements_per_step`` count for each process; ``frozen_layers``
    counts the lowest layers of the encoder that stay as they are, its embeddings with them;
    ``own_layers`` the top layers that the stance stage gets for its own.
    """

    epochs: int = 10
    seed: int = 13
    articles_per_step: int = 2
    statements_per_step: int = 16
    encoder_rate: float = 3e-4
    layer_decay: float = 0.85
    head_rate: float = 1e-3
    weight_decay: float = 0.01
    warmup: float = 0.06
    dropout: float = 0.1
    stance_weight: float = 3.0
    speakers_weight: float = 1.0
    average_decay: float = 0.995
    clip: float = 1.0
    frozen_layers: int = 0
    own_layers: int = 0


class ChannelDropout(nn.Module):
    """Drops whole channels of a window; its mask is small, where a mask of every value is slow."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, states: Tensor) -> Tensor:
        """Drop channels of (windows, length, hidden) or (n, hidden) while training."""
        if not self.training or self.p == 0.0:
            return states
        shape = (*states.shape[:-2], 1, states.shape[-1])
        keep = torch.rand(shape) >= self.p
        return states * (keep.to(states.dtype) / (1 - self.p))


class Trainee(nn.Module):
    """The encoder and its heads, as one module to optimise."""

    def __init__(self, encoder: SharedEncoder, dropout: float, own_layers: int = 0) -> None:
        super().__init__()
        self.encoder = encoder
        self.attribution = AttributionHead(encoder.hidden_size)
        self.stance = StanceHead(encoder.hidden_size)
        # Shows the encoder what tells who is meant; the model's scorer learns after it, from more.
        self.speakers = SpeakerScorer(SpeakersConfig(hidden=encoder.hidden_size, members=1))
        self.dropout = ChannelDropout(dropout)
        for module in encoder.modules():
            if isinstance(module, BertSelfOutput | BertOutput):
                module.dropout = ChannelDropout(dropout)  # type: ignore[assignment]
        self.give_own_layers(own_layers)
        self._frozen_layers = 0
        self._settled: dict[int, Tensor] = {}

    def give_own_layers(self, count: int) -> None:
        """Let stance have copies of the encoder's top layers, as they are now, for its own.

        Those that it has already stay; copies are put under them.
        """
        layers = list(self.encoder.bert.encoder.layer)
        known = list(self.stance.layers)
        copied = layers[len(layers) - count : len(layers) - len(known)]
        self.stance.layers = nn.ModuleList([*(deepcopy(layer) for layer in copied), *known])

    def freeze(self, layers: int) -> None:
        """Let the lowest ``layers`` of the encoder, and its embeddings, stay as they are."""
        self._frozen_layers = layers
        if layers:
            bert = self.encoder.bert
            frozen = bert.encoder.layer[:layers]
            for module in (bert.embeddings, self.encoder.features, *frozen):
                module.requires_grad_(False)

    def heads(self) -> dict[str, nn.Module]:
        """Each stage's own part, by the stage's name."""
        return {"attribution": self.attribution, "stance": self.stance}

    def lower_states(
        self, parts: Sequence[ArticleTokens], windowing: Windowing, tokenizer: PieceTokenizer
    ) -> WindowStates:
        """States of several texts under the layers that stance has copies of, if it learns.

        Frozen layers are gone through once for each text, without dropout.
        """
        layers = self.encoder.bert.encoder.layer
        top = self._common_layers()
        settled = min(self._frozen_layers, top)
        batch = _batch(parts, windowing, tokenizer)
        if not self._frozen_layers:
            return self.encoder.states(batch, len(layers) - top)[1]
        states = torch.zeros(*batch.ids.shape, self.encoder.hidden_size)
        first = 0
        for tokens in parts:
            known = self._settled_states(tokens, settled, windowing, tokenizer)
            states[first : first + len(known), : known.shape[1]] = known
            first += len(known)
        return WindowStates(batch, states).through(layers[settled:top])

    def _common_layers(self) -> int:
        """How many layers all stages in training go through together."""
        learns = any(parameter.requires_grad for parameter in self.stance.parameters())
        own = len(self.stance.layers) if learns else 0
        return len(self.encoder.bert.encoder.layer) - own

    def _settled_states(
        self, tokens: ArticleTokens, layers: int, windowing: Windowing, tokenizer: PieceTokenizer
    ) -> Tensor:
        """What comes out of the lowest layers for one text, in half precision, remembered."""
        if id(tokens) not in self._settled:
            batch = _batch([tokens], windowing, tokenizer)
            above = len(self.encoder.bert.encoder.layer) - layers
            with torch.no_grad():
                _, lower = self.encoder.eval().states(batch, above)
            self.encoder.train(self.training)
            self._settled[id(tokens)] = lower.states.half()
        return self._settled[id(tokens)]

    def shared_vectors(self, lower: WindowStates) -> Tensor:
        """Vectors of all tokens for attribution, shape (n, hidden), from ``lower_states``."""
        above = self.encoder.bert.encoder.layer[self._common_layers() :]
        dropped: Tensor = self.dropout(lower.through(above).vectors())
        return dropped

    def stance_vectors(self, lower: WindowStates, items: Sequence[StanceItem]) -> Tensor:
        """Vectors of all tokens for stance, shape (n, hidden), from their ``lower_states``."""
        roles = np.concatenate([item.roles for item in items])
        dropped: Tensor = self.dropout(self.stance.read_windows([lower], roles))
        return dropped


def _batch(
    parts: Sequence[ArticleTokens], windowing: Windowing, tokenizer: PieceTokenizer
) -> WindowBatch:
    windows = [(tokens, window) for tokens in parts for window in make_windows(tokens, windowing)]
    return batch_windows(windows, tokenizer)


@dataclass(slots=True)
class Share:
    """The training data of one process; ``passages`` are short texts of one question each."""

    articles: list[GoldArticle] = field(default_factory=list)
    statements: list[StanceItem] = field(default_factory=list)
    passages: list[GoldArticle] = field(default_factory=list)


def train_share(
    trainee: Trainee,
    share: Share,
    tokenizer: PieceTokenizer,
    config: TrainingConfig,
    checkpoints: Path,
    *,
    rank: int = 0,
    world: int = 1,
    after_epoch: Callable[[int], None] | None = None,
) -> None:
    """Train on one process's share; with several processes, each calls this with its own.

    Checkpoints (averaged weights, safetensors) go to ``checkpoints``; an earlier one is resumed.

    Raises:
        ValueError: the earlier checkpoint was cut short while it was saved.
    """
    windowing = Windowing()
    trainee.freeze(config.frozen_layers)
    steps = math.ceil(len(share.articles) / config.articles_per_step)
    if not share.articles:
        steps = math.ceil(len(share.statements) / config.statements_per_step)
    steps = _same_everywhere(max(steps, 1), world)
    optimizer = torch.optim.AdamW(
        _parameter_groups(trainee, config), weight_decay=config.weight_decay
    )
    total = steps * config.epochs
    average = {name: value.detach().clone() for name, value in trainee.state_dict().items()}
    first, done = resume(trainee, optimizer, average, checkpoints)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: learning_rate(step, total, config), last_epoch=done - 1
    )
    for epoch in range(first, config.epochs):
        random = np.random.default_rng([config.seed, epoch, rank])
        torch.manual_seed(config.seed * 1_000_003 + epoch * 1009 + rank)
        began = time.monotonic()
        losses = []
        trainee.train()
        for batch in _steps(share, config, steps, epoch, random):
            losses.append(_step(trainee, batch, windowing, tokenizer, config, random))
            if len(losses) % 20 == 0:
                told = np.mean(losses[-20:], axis=0)
                logger.info(
                    "epoch %d, step %d of %d: losses %.3f, %.3f", epoch, len(losses), steps, *told
                )
            _average_gradients(trainee, world)
            nn.utils.clip_grad_norm_(trainee.parameters(), config.clip)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad(set_to_none=True)
            update_average(average, trainee, config.average_decay)
        mean = np.mean(losses, axis=0)
        seconds = time.monotonic() - began
        logger.info(
            "epoch %d: loss of articles %.3f, of statements %.3f, %.0f s", epoch, *mean, seconds
        )
        if rank == 0:
            save_checkpoint(trainee, optimizer, average, checkpoints, epoch)
        if after_epoch is not None:
            after_epoch(epoch)


def _steps(
    share: Share, config: TrainingConfig, steps: int, epoch: int, random: np.random.Generator
) -> Iterator[Share]:
    """What each step of an epoch learns from."""

    def drawn(
        number: int, items: Sequence[Item], lengths: Sequence[int], size: int
    ) -> Iterator[list[Item]]:
        shared = np.random.default_rng([config.seed, epoch, number])
        return _batches(items, lengths, size, steps, random, shared)

    articles, statements, passages = share.articles, share.statements, share.passages
    batches = zip(
        drawn(0, articles, [_work(one) for one in articles], config.articles_per_step),
        drawn(1, statements, [len(one.tokens) for one in statements], config.statements_per_step),
        drawn(2, passages, [len(one.tokens) for one in passages], -(-len(passages) // steps)),
        strict=True,
    )
    for parts in batches:
        yield Share(*parts)


def _step(
    trainee: Trainee,
    batch: Share,
    windowing: Windowing,
    tokenizer: PieceTokenizer,
    config: TrainingConfig,
    random: np.random.Generator,
) -> tuple[float, float]:
    """Gradients of one step; the losses of its articles and of its statements are told."""
    told = 0.0
    for article in batch.articles:
        with mixed_precision():
            lower = trainee.lower_states([article.tokens], windowing, tokenizer)
            loss = _article_loss(trainee, article, lower, config, random)
        (loss / len(batch.articles)).backward()  # type: ignore[no-untyped-call]
        told += float(loss.detach()) / len(batch.articles)
    if batch.passages:
        with mixed_precision():
            loss = _passages_loss(trainee, batch.passages, windowing, tokenizer)
        (config.speakers_weight * loss).backward()  # type: ignore[no-untyped-call]
    if not batch.statements:
        return told, 0.0
    with mixed_precision():
        texts = [item.tokens for item in batch.statements]
        lower = trainee.lower_states(texts, windowing, tokenizer)
        vectors = trainee.stance_vectors(lower, batch.statements)
        loss = config.stance_weight * stance_loss(trainee.stance, vectors, batch.statements)
    loss.backward()  # type: ignore[no-untyped-call]
    return told, float(loss.detach())


def _article_loss(
    trainee: Trainee,
    article: GoldArticle,
    lower: WindowStates,
    config: TrainingConfig,
    random: np.random.Generator,
) -> Tensor:
    """What an article teaches: its attributions if all are known, whose they are, their stance."""
    loss = torch.zeros(())
    if article.complete or article.questions:
        shared = trainee.shared_vectors(lower)
    if article.complete:
        loss = loss + attribution_loss(trainee.attribution, shared, article, random)
    if article.questions:
        share = config.speakers_weight * _share(len(article.questions))
        loss = loss + share * speakers_loss(trainee.speakers, shared, article.questions)
    if article.stance is not None and article.stance.statements:
        share = config.stance_weight * _share(len(article.stance.statements))
        vectors = trainee.stance_vectors(lower, [article.stance])
        loss = loss + share * stance_loss(trainee.stance, vectors, [article.stance])
    return loss


def _share(count: int) -> float:
    return count / (count + _FEW_STATEMENTS)


def _passages_loss(
    trainee: Trainee,
    passages: Sequence[GoldArticle],
    windowing: Windowing,
    tokenizer: PieceTokenizer,
) -> Tensor:
    """Mean loss of the questions of passages that are read together."""
    texts = [passage.tokens for passage in passages]
    vectors = trainee.shared_vectors(trainee.lower_states(texts, windowing, tokenizer))
    parts = torch.split(vectors, [len(text) for text in texts])
    losses = [
        speakers_loss(trainee.speakers, part, passage.questions)
        for part, passage in zip(parts, passages, strict=True)
    ]
    return torch.stack(losses).mean()


def mixed_precision() -> torch.autocast:
    """Bfloat16 for matrix products where the processor has it; elsewhere it only costs time."""
    dtype = inference_dtype()
    return torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16)


def _work(article: GoldArticle) -> int:
    """What an article costs: reading roles around cues takes as long as encoding."""
    return len(article.tokens) * (2 if article.complete else 1)


def _batches(
    items: Sequence[Item],
    lengths: Sequence[int],
    size: int,
    steps: int,
    random: np.random.Generator,
    shared: np.random.Generator,
) -> Iterator[list[Item]]:
    """``steps`` random batches of items of like length, going round as often as needed.

    Every process draws the order of lengths from ``shared``, so that no process waits long for
    another at the end of a step.
    """
    if not items:
        yield from ([] for _ in range(steps))
        return
    rounds = math.ceil(steps * size / len(items))
    drawn = np.concatenate([random.permutation(len(items)) for _ in range(rounds)])
    drawn = drawn[: steps * size]
    blurred = np.asarray(lengths)[drawn] * random.uniform(0.8, 1.25, len(drawn))
    ranked = drawn[np.argsort(blurred)]
    for step in shared.permutation(steps):
        yield [items[index] for index in ranked[step * size : (step + 1) * size]]


def _parameter_groups(trainee: Trainee, config: TrainingConfig) -> list[dict[str, object]]:
    """Word embeddings stay as they are; lower layers learn slower, heads and features faster."""
    own = trainee.stance.layers
    heads = [
        parameter
        for head in (*trainee.heads().values(), trainee.speakers)
        for name, parameter in head.named_parameters()
        if not name.startswith("layers.")
    ]
    groups: list[dict[str, object]] = [
        {"params": list(layer.parameters()), "lr": _layer_rate(config, len(own), depth)}
        for depth, layer in enumerate(own)
    ]
    bert = trainee.encoder.bert
    bert.embeddings.word_embeddings.weight.requires_grad_(False)
    layers = list(bert.encoder.layer)
    lowest = config.encoder_rate * config.layer_decay ** len(layers)
    groups += [
        {"params": list(bert.embeddings.parameters()), "lr": lowest},
        {"params": [*trainee.encoder.features.parameters(), *heads], "lr": config.head_rate},
    ]
    for depth, layer in enumerate(layers):
        rate = _layer_rate(config, len(layers), depth)
        groups.append({"params": list(layer.parameters()), "lr": rate})
    for group in groups:
        group["params"] = [p for p in group["params"] if p.requires_grad]  # type: ignore[attr-defined]
    return [group for group in groups if group["params"]]


def _layer_rate(config: TrainingConfig, layers: int, depth: int) -> float:
    return config.encoder_rate * config.layer_decay ** (layers - 1 - depth)


def learning_rate(step: int, total: int, config: TrainingConfig) -> float:
    """Share of the full rates at a step: a rise, then half a cosine."""
    warm = max(1, int(total * config.warmup))
    if step < warm:
        return (step + 1) / warm
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, total - warm)))


def _same_everywhere(steps: int, world: int) -> int:
    if world == 1:
        return steps
    count = torch.tensor(steps)
    dist.all_reduce(count, op=dist.ReduceOp.MAX)
    return int(count)


def _average_gradients(trainee: Trainee, world: int) -> None:
    if world == 1:
        return
    parameters = [p for p in trainee.parameters() if p.requires_grad]
    flat = torch.cat(
        [(torch.zeros_like(p) if p.grad is None else p.grad).reshape(-1) for p in parameters]
    )
    dist.all_reduce(flat)
    flat /= world
    for parameter, part in zip(
        parameters, torch.split(flat, [p.numel() for p in parameters]), strict=True
    ):
        parameter.grad = part.view_as(parameter)


@torch.no_grad()
def update_average(average: dict[str, Tensor], trainee: nn.Module, decay: float) -> None:
    """Move the running average of the weights towards what they are now."""
    for name, value in trainee.state_dict().items():
        if value.is_floating_point():
            average[name].lerp_(value, 1 - decay)


def save_checkpoint(
    trainee: nn.Module,
    optimizer: torch.optim.Optimizer,
    average: dict[str, Tensor],
    checkpoints: Path,
    epoch: int,
) -> None:
    """Averaged and raw weights and the optimizer's moments, each written aside and renamed."""
    checkpoints.mkdir(parents=True, exist_ok=True)
    moments = {
        f"{number}.{key}": value
        for number, state in optimizer.state_dict()["state"].items()
        for key, value in state.items()
    }
    parts = {"average": average, "raw": trainee.state_dict(), "moments": moments}
    for name, tensors in parts.items():
        aside = checkpoints / f".{name}.tmp"
        metadata = {"epoch": str(epoch)}
        save_file({k: v.contiguous() for k, v in tensors.items()}, str(aside), metadata=metadata)
    for name in parts:
        (checkpoints / f".{name}.tmp").replace(checkpoints / f"{name}.safetensors")
    (checkpoints / "epoch").write_text(str(epoch), encoding="ascii")


def _check_same_epoch(checkpoints: Path, epoch: int) -> None:
    """Refuse files of two epochs: the program was stopped between replacing one and the next."""
    for name in ("average", "raw", "moments"):
        file = checkpoints / f"{name}.safetensors"
        with safe_open(str(file), framework="pt") as tensors:
            found = tensors.metadata()["epoch"]
        if int(found) != epoch:
            raise ValueError(
                f"{file}: weights of epoch {found}, but {checkpoints / 'epoch'} says {epoch}; the "
                f"training was stopped while it saved: remove {checkpoints} and train again"
            )


def resume(
    trainee: nn.Module,
    optimizer: torch.optim.Optimizer,
    average: dict[str, Tensor],
    checkpoints: Path,
) -> tuple[int, int]:
    """Load the last checkpoint if there is one; the epoch to go on with, and the steps done.

    Raises:
        ValueError: the checkpoint was cut short while it was saved.
    """
    marker = checkpoints / "epoch"
    if not marker.is_file():
        return 0, 0
    done = int(marker.read_text(encoding="ascii"))
    _check_same_epoch(checkpoints, done)
    trainee.load_state_dict(load_file(checkpoints / "raw.safetensors"))
    average.update(load_file(checkpoints / "average.safetensors"))
    state = optimizer.state_dict()
    for key, value in load_file(checkpoints / "moments.safetensors").items():
        number, name = key.split(".", 1)
        state["state"].setdefault(int(number), {})[name] = value
    steps = max((int(s["step"]) for s in state["state"].values()), default=0)
    optimizer.load_state_dict(state)
    for group in optimizer.param_groups:
        # The schedule counts from the full rates.
        group["initial_lr"] = group["lr"]
    logger.info("going on after epoch %d (%d steps)", done, steps)
    return done + 1, steps
