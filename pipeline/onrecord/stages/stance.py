"""Statement to posture: the probability that its speaker defies, and that he or she conciliates.

A small head reads the shared encoder's vectors of the statement, its cue, its source and the words
around them, and gives two independent marks. Probabilities are calibrated by a temperature each
(Guo et al., ICML 2017); the thresholds that turn marks into a label are in the model's config.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from spacy.tokens import Doc
from torch import Tensor, nn
from transformers import BertConfig
from transformers.models.bert.modeling_bert import BertLayer

from onrecord.model_folder import ModelFolder
from onrecord.records import Attribution, Span, Stance, StanceMarks
from onrecord.stages.encoder import (
    ArticleTokens,
    Encoding,
    IntArray,
    WindowStates,
    inference_dtype,
)

# What a token is to the statement whose stance is asked.
CONTEXT, CONTENT, CUE, SOURCE = range(4)
# Words of context on either side of the statement, its cue and its source.
_CONTEXT_WORDS = 60
# Tokens read at once, padding included: memory stays flat whatever an article's statements are.
_TOKENS_AT_ONCE = 16_384


class StanceConfig(BaseModel):
    """Section ``stance`` of a model's configuration.

    ``own_layers`` top layers of the encoder are the stage's own: they start from what the shared
    layers below give, and the encoder's own top layers serve the other stages. A statement is mixed
    only if both marks reach ``threshold_mixed``, beside their own thresholds.
    """

    model_config = ConfigDict(extra="forbid")

    width: int = 128
    heads: int = 4
    own_layers: int = 0
    temperature_defiance: float = 1.0
    temperature_conciliation: float = 1.0
    bias_defiance: float = 0.0
    bias_conciliation: float = 0.0
    threshold_defiance: float = 0.5
    threshold_conciliation: float = 0.5
    threshold_mixed: float = 0.0


@dataclass(frozen=True, slots=True)
class StatementRegions:
    """Statements with their context, padded on the right; each field of shape (s, length)."""

    index: Tensor
    mask: Tensor
    role: Tensor


def statement_roles(tokens: ArticleTokens, attribution: Attribution) -> tuple[int, IntArray]:
    """First token of the statement's region, and the role of each token in it."""
    named = (
        (CONTENT, attribution.content),
        (CUE, attribution.cue),
        (SOURCE, attribution.source),
    )
    covered = [(role, *_token_range(tokens, span)) for role, spans in named for span in spans]
    low = max(0, min(first for _, first, _ in covered) - _CONTEXT_WORDS)
    high = min(len(tokens), max(last for _, _, last in covered) + _CONTEXT_WORDS)
    roles = np.full(high - low, CONTEXT, dtype=np.int64)
    for role, first, last in reversed(covered):
        roles[first - low : last - low] = role
    return low, roles


def _token_range(tokens: ArticleTokens, span: Span) -> tuple[int, int]:
    first = int(np.searchsorted(tokens.ends, span.start, side="right"))
    last = int(np.searchsorted(tokens.starts, span.end, side="left"))
    return first, max(first, last)


def article_roles(length: int, placed: Iterable[tuple[int, IntArray]]) -> IntArray:
    """What each of ``length`` tokens is to any of several statements, shape (length,).

    A token of one statement's content that is another's cue or source counts as that.
    """
    roles = np.full(length, CONTEXT, dtype=np.int64)
    for first, own in placed:
        # The roles are numbered so that the larger one says more.
        np.maximum(roles[first : first + len(own)], own, out=roles[first : first + len(own)])
    return roles


def statement_regions(placed: Sequence[tuple[int, IntArray]]) -> StatementRegions:
    """Pad regions, given as first token and roles, into matrices."""
    length = max(len(roles) for _, roles in placed)
    index = np.zeros((len(placed), length), dtype=np.int64)
    mask = np.zeros((len(placed), length), dtype=bool)
    role = np.zeros((len(placed), length), dtype=np.int64)
    for row, (first, roles) in enumerate(placed):
        index[row, : len(roles)] = np.arange(first, first + len(roles))
        mask[row, : len(roles)] = True
        role[row, : len(roles)] = roles
    return StatementRegions(*map(torch.from_numpy, (index, mask, role)))


class StanceHead(nn.Module):
    """Own top layers if it has any, attention pooling over statement and region, two logits.

    The own layers are shown what each token is to the statements of the text.
    """

    def __init__(
        self, hidden: int, width: int = 128, heads: int = 4, layers: Iterable[nn.Module] = ()
    ) -> None:
        super().__init__()
        self.heads = heads
        self.layers = nn.ModuleList(layers)
        self.shown = nn.Embedding(4, hidden)
        # Zero at first: training starts from what the layers already know.
        nn.init.zeros_(self.shown.weight)
        self.token = nn.Linear(hidden, width)
        self.role = nn.Embedding(4, width)
        self.score = nn.Linear(width, 2 * heads)
        self.value = nn.Linear(width, width)
        self.output = nn.Sequential(
            nn.Linear(2 * width + 3 * hidden, 2 * width), nn.GELU(), nn.Linear(2 * width, 2)
        )

    def forward(self, vectors: Tensor, regions: StatementRegions) -> Tensor:
        """Logits of defiance and conciliation, shape (s, 2)."""
        around = vectors[regions.index]
        states = nn.functional.gelu(self.token(around) + self.role(regions.role))
        is_content = regions.mask & (regions.role == CONTENT)
        scores = self.score(states).float()
        values = self.value(states)
        pooled = [
            self._attend(scores[..., : self.heads], values, is_content),
            self._attend(scores[..., self.heads :], values, regions.mask),
            *(
                _mean(around, regions.mask & (regions.role == role))
                for role in (CONTENT, CUE, SOURCE)
            ),
        ]
        logits: Tensor = self.output(torch.cat(pooled, dim=-1)).float()
        return logits

    def vectors(self, encoding: Encoding, roles: IntArray) -> Tensor:
        """What the head reads of an article, shape (n, hidden).

        Args:
            encoding: the article.
            roles: what each token is to the article's statements, from ``article_roles``.
        """
        if not self.layers or not encoding.lower:
            return encoding.vectors
        return self.read_windows(encoding.lower, roles)

    def read_windows(self, lower: Iterable[WindowStates], roles: IntArray) -> Tensor:
        """Vectors of the core tokens of windows in a row, shape (n, hidden).

        Args:
            lower: the windows and their states under the own layers.
            roles: what each core token is to the statements of its text, shape (n,).
        """
        shown = self.shown(torch.from_numpy(roles))
        parts, at = [], 0
        for states in lower:
            end = at + len(states.batch.count)
            parts.append(states.plus(shown[at:end]).through(self.layers).vectors())
            at = end
        return torch.cat(parts)

    def _attend(self, scores: Tensor, values: Tensor, mask: Tensor) -> Tensor:
        weights = scores.masked_fill(~mask[..., None], -1e4).softmax(dim=1).to(values.dtype)
        split = values.reshape(*values.shape[:2], self.heads, -1)
        return torch.einsum("slh,slhd->shd", weights, split).flatten(1)


def own_layers(config: BertConfig, count: int) -> list[nn.Module]:
    """Fresh layers of the encoder's kind, for ``StanceHead``."""
    config._attn_implementation = "sdpa"
    return [BertLayer(config) for _ in range(count)]  # type: ignore[no-untyped-call]


def _of_like_length(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Row numbers in groups, short rows first, so that one long row does not pad all others."""
    group: list[int] = []
    for row in sorted(range(len(lengths)), key=lambda row: lengths[row]):
        if group and lengths[row] * (len(group) + 1) > _TOKENS_AT_ONCE:
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def _mean(states: Tensor, mask: Tensor) -> Tensor:
    weights = mask.to(states.dtype)[..., None]
    return (states * weights).sum(1) / weights.sum(1).clamp(min=1.0)


def derive(p_defiance: float, p_conciliation: float, config: StanceConfig) -> StanceMarks:
    """The label of two marks: a probability at its threshold counts.

    Where both count, but not enough to call the statement mixed, the one decides that is farther
    above its threshold.
    """
    defies = p_defiance >= config.threshold_defiance
    conciliates = p_conciliation >= config.threshold_conciliation
    if defies and conciliates and min(p_defiance, p_conciliation) < config.threshold_mixed:
        over = p_defiance * config.threshold_conciliation
        defies = over >= p_conciliation * config.threshold_defiance
        conciliates = not defies
    label: Stance = "neutral"
    if defies and conciliates:
        label = "mixed"
    elif defies:
        label = "defiant"
    elif conciliates:
        label = "conciliatory"
    return StanceMarks(p_defiance, p_conciliation, label)


class StanceClassifier:
    """Component ``onrecord_stance``: fills ``Attribution.stance`` on ``doc._.attributions``."""

    def __init__(self, folder: ModelFolder) -> None:
        self.config = StanceConfig(**folder.section("stance"))
        # Not "name": spaCy gives every component its name in the pipeline.
        self.made_by = f"stance:{folder.name}"
        encoder = BertConfig(**folder.config["encoder"])
        layers = own_layers(encoder, self.config.own_layers)
        self.head = StanceHead(encoder.hidden_size, self.config.width, self.config.heads, layers)
        folder.load_into(self.head, "stance")
        self.head.layers.to(inference_dtype())
        self.head.eval()

    def __call__(self, doc: Doc) -> Doc:
        """Mark the statements of one doc."""
        self.set_annotations([doc], self.predict([doc]))
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 8) -> Iterator[Doc]:
        """Mark the statements of a stream of docs."""
        for doc in stream:
            yield self(doc)

    def predict(self, docs: Sequence[Doc]) -> list[list[StanceMarks]]:
        """Marks of every attribution of every doc; the docs stay as they are."""
        return [self._marks(doc) for doc in docs]

    def set_annotations(self, docs: Sequence[Doc], marks: Sequence[Sequence[StanceMarks]]) -> None:
        """Write the marks into the attributions."""
        for doc, of_doc in zip(docs, marks, strict=True):
            doc._.attributions = tuple(
                replace(attribution.also_by(self.made_by), stance=stance)
                for attribution, stance in zip(doc._.attributions, of_doc, strict=True)
            )

    def _marks(self, doc: Doc) -> list[StanceMarks]:
        attributions: Sequence[Attribution] = doc._.attributions
        if not attributions:
            return []
        return [
            derive(float(defiance), float(conciliation), self.config)
            for defiance, conciliation in self.probabilities(doc._.encoding, attributions)
        ]

    def probabilities(self, encoding: Encoding, attributions: Sequence[Attribution]) -> Tensor:
        """Calibrated probabilities of defiance and conciliation, shape (attributions, 2)."""
        placed = [statement_roles(encoding.tokens, attribution) for attribution in attributions]
        with torch.inference_mode():
            vectors = self.head.vectors(encoding, article_roles(len(encoding.tokens), placed))
        return self.read(vectors, placed)

    @torch.inference_mode()
    def read(self, vectors: Tensor, placed: Sequence[tuple[int, IntArray]]) -> Tensor:
        """Calibrated probabilities of statements given as regions, shape (statements, 2).

        Args:
            vectors: shape (n, hidden).
            placed: first token and roles of each statement, from ``statement_roles``.
        """
        logits = torch.zeros(len(placed), 2)
        for rows in _of_like_length([len(roles) for _, roles in placed]):
            regions = statement_regions([placed[row] for row in rows])
            logits[rows] = self.head(vectors, regions)
        config = self.config
        temperature = torch.tensor([config.temperature_defiance, config.temperature_conciliation])
        bias = torch.tensor([config.bias_defiance, config.bias_conciliation])
        return torch.sigmoid(logits / temperature + bias)
