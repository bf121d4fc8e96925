"""The network of the learned attribution stage: cue tagger, and roles of the words around a cue.

Cues are tagged over all tokens. For each candidate cue, a small stack of dilated convolutions
(Yu and Koltun, ICLR 2016) with gated linear units reads the tokens around it and scores content as
a linear-chain conditional random field (Lafferty et al., ICML 2001), the source as a span with a
"no source" choice, and whether the cue attributes anything at all. The encoder's vectors are
computed once and serve every cue of the article.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from onrecord.stages.encoder import ArticleTokens, IntArray

OUTSIDE, BEGIN, INSIDE = range(3)
_IMPOSSIBLE = -1e4
# Words on either side of a cue that may belong to its statement; 99% of PolNeAR's statements
# reach 74 words at most. Longer quotations are completed from their marks.
REACH = 100
_DISTANCES = (1, 2, 3, 4, 5, 6, 8, 10, 13, 17, 22, 29, 38, 50, 70)
_N_DISTANCES = 2 * (len(_DISTANCES) + 1) + 1
_SENTENCE_REACH = 3
_PARAGRAPH_REACH = 2
_N_QUOTATION_RELATIONS = 5

FloatArray = NDArray[np.float32]
CueSpan = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Regions:
    """Tokens around each candidate cue, padded on the right.

    Attributes:
        index: token of each place, 0 in the padding; shape (cues, length).
        mask: False in the padding; shape (cues, length).
        relation: distance, sentence, paragraph and quotation of the token relative to the cue, as
            categories; shape (cues, length, 4).
        cue: first and last token of each cue; shape (cues, 2).
    """

    index: Tensor
    mask: Tensor
    relation: Tensor
    cue: Tensor


def make_regions(tokens: ArticleTokens, cues: Sequence[CueSpan]) -> Regions:
    """The paragraph of each cue and its two neighbours, at most ``REACH`` tokens either way."""
    cue = np.array(cues, dtype=np.int64).reshape(-1, 2)
    paragraph = tokens.paragraph[cue[:, 0]]
    low = np.searchsorted(tokens.paragraph, paragraph - 1, side="left")
    high = np.searchsorted(tokens.paragraph, tokens.paragraph[cue[:, 1]] + 1, side="right")
    low = np.maximum(low, cue[:, 0] - REACH)
    high = np.minimum(high, cue[:, 1] + REACH + 1)
    length = int((high - low).max()) if len(cue) else 0
    index = low[:, None] + np.arange(length)[None, :]
    mask = index < high[:, None]
    index = np.where(mask, index, 0)
    return Regions(
        torch.from_numpy(index),
        torch.from_numpy(mask),
        torch.from_numpy(_relations(tokens, cue, index)),
        torch.from_numpy(cue),
    )


def _relations(tokens: ArticleTokens, cue: IntArray, index: IntArray) -> IntArray:
    first, last = cue[:, :1], cue[:, 1:]
    before = np.searchsorted(_DISTANCES, np.maximum(first - index, 0), side="right")
    after = np.searchsorted(_DISTANCES, np.maximum(index - last, 0), side="right")
    distance = np.where(index < first, -before, np.where(index > last, after, 0))
    distance = distance + len(_DISTANCES) + 1
    sentence = _offset(tokens.sentence, first, index, _SENTENCE_REACH)
    paragraph = _offset(tokens.paragraph, first, index, _PARAGRAPH_REACH)
    here, there = tokens.quotation[first], tokens.quotation[index]
    quotation = np.select(
        [(here < 0) & (there < 0), here < 0, there == here, there < 0], [0, 1, 2, 3], 4
    )
    return np.stack([distance, sentence, paragraph, quotation], axis=-1)


def _offset(groups: IntArray, first: IntArray, index: IntArray, reach: int) -> IntArray:
    clipped: IntArray = np.clip(groups[index] - groups[first], -reach, reach) + reach
    return clipped


@dataclass(frozen=True, slots=True)
class RoleScores:
    """Scores of the roles around each cue.

    Attributes:
        content: emissions of outside, begin, inside; shape (cues, length, 3).
        source: scores of the source's first and last token; shape (cues, length + 1, 2). Place 0
            stands for "no source", place i + 1 for token i of the region.
        validity: logit that the cue attributes a statement; shape (cues,).
    """

    content: Tensor
    source: Tensor
    validity: Tensor


class _DilatedBlock(nn.Module):
    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.dilation = dilation
        self.norm = nn.LayerNorm(width)
        self.mix = nn.Linear(3 * width, 2 * width)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        inner = self.norm(states) * mask
        gap = self.dilation
        padded = F.pad(inner, (0, 0, gap, gap))
        length = inner.shape[1]
        around = torch.cat([padded[:, :length], inner, padded[:, 2 * gap :]], dim=-1)
        return states + F.glu(self.mix(around), dim=-1)


class AttributionHead(nn.Module):
    """Scores cues, and for each cue content, source and validity."""

    def __init__(
        self, hidden: int, width: int = 128, dilations: Sequence[int] = (1, 2, 4, 8, 16, 1)
    ):
        super().__init__()
        self.cue = nn.Sequential(nn.Linear(hidden, width), nn.GELU(), nn.Linear(width, 3))
        self.token = nn.Linear(hidden, width)
        self.token_gate = nn.Linear(hidden, width)
        self.cue_gate = nn.Linear(2 * hidden, width)
        self.cue_bias = nn.Linear(2 * hidden, width)
        self.cue_tags = nn.Linear(2, width)
        self.relations = nn.ModuleList(
            nn.Embedding(size, width)
            for size in (
                _N_DISTANCES,
                2 * _SENTENCE_REACH + 1,
                2 * _PARAGRAPH_REACH + 1,
                _N_QUOTATION_RELATIONS,
            )
        )
        self.blocks = nn.ModuleList(_DilatedBlock(width, dilation) for dilation in dilations)
        self.norm = nn.LayerNorm(width)
        self.content = nn.Linear(width, 3)
        self.transitions = nn.Parameter(torch.zeros(3, 3))
        self.source = nn.Linear(width, 2)
        self.no_source = nn.Linear(width, 2)
        self.validity = nn.Sequential(
            nn.Linear(4 * width + 1, width), nn.GELU(), nn.Linear(width, 1)
        )
        for table in self.relations:
            nn.init.normal_(table.weight, std=0.1)  # type: ignore[arg-type]

    def cue_logits(self, vectors: Tensor) -> Tensor:
        """Outside, begin, inside of each token: (n, hidden) -> (n, 3)."""
        logits: Tensor = self.cue(vectors)
        return logits

    def forward(self, vectors: Tensor, cue_probabilities: Tensor, regions: Regions) -> RoleScores:
        """Role scores of every cue; ``cue_probabilities`` is (n, 3), taken as given."""
        first, last = regions.cue[:, 0], regions.cue[:, 1]
        cue = torch.cat([vectors[first], vectors[last]], dim=-1)
        bias = self.cue_bias(cue)
        tags = self.cue_tags(cue_probabilities[:, 1:].to(vectors.dtype))
        states = (self.token(vectors) + tags)[regions.index]
        states = states + self.token_gate(vectors)[regions.index] * self.cue_gate(cue)[:, None]
        states = states + bias[:, None]
        for column, table in enumerate(self.relations):
            weight = cast(nn.Embedding, table).weight.to(states.dtype)
            states = states + F.embedding(regions.relation[..., column], weight)
        mask = regions.mask[..., None].to(states.dtype)
        for block in self.blocks:
            states = block(states, mask)
        states = self.norm(states)
        content = self.content(states).float()
        source = self._source(states, bias, regions.mask)
        cue_score = torch.logit(cue_probabilities[first, 1].clamp(1e-4, 1 - 1e-4))
        validity = self._validity(states, bias, content, source, regions.mask, cue_score)
        return RoleScores(content, source, validity)

    def _source(self, states: Tensor, bias: Tensor, mask: Tensor) -> Tensor:
        scores = self.source(states).float().masked_fill(~mask[..., None], _IMPOSSIBLE)
        return torch.cat([self.no_source(F.gelu(bias)).float()[:, None], scores], dim=1)

    def _validity(
        self,
        states: Tensor,
        bias: Tensor,
        content: Tensor,
        source: Tensor,
        mask: Tensor,
        cue_score: Tensor,
    ) -> Tensor:
        """Judged from the cue and from what its content and source would be."""
        weights = (1 - content.detach().softmax(-1)[..., OUTSIDE]) * mask
        said = torch.einsum("cl,cld->cd", weights.to(states.dtype), states)
        said = said / weights.sum(1, keepdim=True).clamp(min=1.0).to(states.dtype)
        by = source.detach()[..., 0].softmax(-1)[:, 1:].to(states.dtype)
        speaker = torch.einsum("cl,cld->cd", by, states)
        masked = states.masked_fill(~mask[..., None], _IMPOSSIBLE)
        strongest = masked.max(dim=1).values
        joined = torch.cat(
            [bias, said, speaker, strongest, cue_score[:, None].to(states.dtype)], dim=-1
        )
        logits: Tensor = self.validity(joined).float().squeeze(-1)
        return logits

    def transition_scores(self) -> Tensor:
        """Scores of moving from one content tag to the next, shape (3, 3)."""
        banned = torch.zeros(3, 3)
        banned[OUTSIDE, INSIDE] = _IMPOSSIBLE
        return self.transitions.float() + banned


def content_loss(emissions: Tensor, tags: Tensor, mask: Tensor, transitions: Tensor) -> Tensor:
    """Negative log-likelihood of each cue's content tags, shape (cues,)."""
    emissions = _mask_start(emissions)
    rows = torch.arange(len(tags))
    alpha = emissions[:, 0]
    gold = emissions[rows, 0, tags[:, 0]]
    for at in range(1, emissions.shape[1]):
        here = mask[:, at]
        step = torch.logsumexp(alpha[:, :, None] + transitions, dim=1) + emissions[:, at]
        alpha = torch.where(here[:, None], step, alpha)
        move = transitions[tags[:, at - 1], tags[:, at]] + emissions[rows, at, tags[:, at]]
        gold = gold + move * here
    return torch.logsumexp(alpha, dim=1) - gold


def _mask_start(emissions: Tensor) -> Tensor:
    start = torch.zeros(3)
    start[INSIDE] = _IMPOSSIBLE
    return torch.cat([emissions[:, :1] + start, emissions[:, 1:]], dim=1)


def best_content(
    emissions: FloatArray, mask: NDArray[np.bool_], transitions: FloatArray
) -> IntArray:
    """Most probable tag sequence of each cue (Viterbi), shape (cues, length)."""
    cues, length, _ = emissions.shape
    score = emissions[:, 0].copy()
    score[:, INSIDE] += _IMPOSSIBLE
    back = np.zeros((cues, length, 3), dtype=np.int64)
    stay = np.arange(3)
    for at in range(1, length):
        moves = score[:, :, None] + transitions[None]
        best = moves.argmax(1)
        step = np.take_along_axis(moves, best[:, None], 1)[:, 0] + emissions[:, at]
        here = mask[:, at][:, None]
        back[:, at] = np.where(here, best, stay)
        score = np.where(here, step, score)
    tags = np.zeros((cues, length), dtype=np.int64)
    state = score.argmax(1)
    rows = np.arange(cues)
    for at in range(length - 1, -1, -1):
        tags[:, at] = np.where(mask[:, at], state, OUTSIDE)
        state = back[rows, at, state]
    return tags


def best_source(scores: FloatArray, longest: int) -> tuple[IntArray, FloatArray]:
    """Best source span of each cue and its log-probability.

    Returns:
        Places of first and last token in the region, (-1, -1) for no source, shape (cues, 2);
        log-probabilities, shape (cues,).
    """
    logp = scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)
    first, last = logp[:, 1:, 0], logp[:, 1:, 1]
    spans = np.full((len(scores), 2), -1, dtype=np.int64)
    best = logp[:, 0].sum(1)
    for width in range(min(longest, first.shape[1])):
        joint = first[:, : first.shape[1] - width] + last[:, width:]
        at = joint.argmax(1)
        value = np.take_along_axis(joint, at[:, None], 1)[:, 0]
        better = value > best
        best = np.where(better, value, best)
        spans[better] = np.stack([at, at + width], axis=1)[better]
    return spans, best.astype(np.float32)


def cue_candidates(
    probabilities: FloatArray, paragraph: IntArray, threshold: float
) -> list[CueSpan]:
    """Cue spans that begin with at least ``threshold`` probability, as first and last token."""
    candidates: list[CueSpan] = []
    for first in np.flatnonzero(probabilities[:, BEGIN] >= threshold).tolist():
        last = first
        while (
            last + 1 < len(probabilities)
            and paragraph[last + 1] == paragraph[first]
            and probabilities[last + 1].argmax() == INSIDE
        ):
            last += 1
        candidates.append((first, last))
    return candidates
