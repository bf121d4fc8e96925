"""Training of the attribution stage on articles with cue, content and source (PolNeAR's scheme)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from onrecord.stages.attribution_head import (
    BEGIN,
    INSIDE,
    AttributionHead,
    CueSpan,
    FloatArray,
    Regions,
    content_loss,
    cue_candidates,
    make_regions,
)
from onrecord.stages.encoder import ArticleTokens, IntArray
from onrecord.training.data import content_tags, token_range
from onrecord.training.speakers import Question
from onrecord.training.stance import StanceItem

# Candidates kept down to here, so that the head learns to reject what the tagger is unsure of.
CANDIDATE_THRESHOLD = 0.08
# Cues of one article that are read in one step: the rest have their turn in another epoch.
_MOST_GOLD = 24
_MOST_CUES = 40
_JITTER = 0.25
# A content sequence's likelihood sums over some 150 tokens; this keeps it beside the other terms.
_CONTENT_WEIGHT = 0.5
_VALIDITY_WEIGHT = 2.0


@dataclass(frozen=True, slots=True)
class GoldAttribution:
    """One attribution in tokens; ``source`` is None where the text gives none.

    ``validity`` is the probability that it is one: less than 1 where a teacher read it.
    """

    cue: CueSpan
    content: IntArray
    source: CueSpan | None
    validity: float = 1.0


@dataclass(frozen=True, slots=True)
class GoldArticle:
    """One training article.

    Attributes:
        tokens: its tokens.
        cue_tags: probabilities of outside, begin and inside of a cue, those of gold 0 or 1; shape
            (n, 3).
        attributions: its attributions, or what a teacher takes for some.
        complete: whether they are all there, so that the article can teach what is none.
        stance: the marks of its statements, where they were labelled.
        questions: whom its statements belong to, where that was labelled.
    """

    tokens: ArticleTokens
    cue_tags: FloatArray
    attributions: tuple[GoldAttribution, ...]
    complete: bool = True
    stance: StanceItem | None = None
    questions: tuple[Question, ...] = ()


def gold_article(tokens: ArticleTokens, rows: Sequence[dict[str, Any]]) -> GoldArticle:
    """Align gold spans with tokens; an attribution without a cue cannot teach the head."""
    found = []
    tags = np.zeros(len(tokens), dtype=np.int64)
    for row in rows:
        cue = _covering(tokens, row["cue"])
        content = content_tags(tokens, row["content"])
        if cue is None or not content.any():
            continue
        found.append(GoldAttribution(cue, content, _covering(tokens, row["source"])))
        tags[cue[0]] = BEGIN
        tags[cue[0] + 1 : cue[1] + 1] = INSIDE
    return GoldArticle(tokens, np.eye(3, dtype=np.float32)[tags], tuple(found))


def _covering(tokens: ArticleTokens, spans: Sequence[Sequence[int]]) -> CueSpan | None:
    if not spans:
        return None
    return token_range(tokens, min(s for s, _ in spans), max(e for _, e in spans))


def attribution_loss(
    head: AttributionHead, vectors: Tensor, article: GoldArticle, random: np.random.Generator
) -> Tensor:
    """Sum of the losses of cues, validity, content and source of one article, a scalar."""
    logits = head.cue_logits(vectors).float()
    n_gold = sum(attribution.validity for attribution in article.attributions)
    tags = torch.from_numpy(article.cue_tags)
    loss = F.cross_entropy(logits, tags, reduction="sum") / (n_gold + 4)
    probabilities = logits.detach().softmax(-1)
    cues, gold = _sample_cues(article, probabilities.numpy(), random)
    if not cues:
        return loss
    regions = make_regions(article.tokens, cues)
    roles = head(vectors, probabilities, regions)
    shares = torch.tensor([article.attributions[n].validity if n >= 0 else 0.0 for n in gold])
    validity = F.binary_cross_entropy_with_logits(roles.validity, shares)
    loss = loss + _VALIDITY_WEIGHT * validity
    valid = torch.tensor([index >= 0 for index in gold])
    if not bool(valid.any()):
        return loss
    kept = Regions(
        *(part[valid] for part in (regions.index, regions.mask, regions.relation, regions.cue))
    )
    tags, source = role_targets(article, kept, [index for index in gold if index >= 0])
    content = content_loss(roles.content[valid], tags, kept.mask, head.transition_scores())
    scores = roles.source[valid]
    by = sum(
        F.cross_entropy(scores[..., end], source[:, end], reduction="none") for end in range(2)
    )
    each = _CONTENT_WEIGHT * content + by
    # What the teacher doubts has as much less to say about its roles.
    return loss + (each * shares[valid]).sum() / shares.sum().clamp(min=1.0)


def role_targets(
    article: GoldArticle, regions: Regions, gold: Sequence[int]
) -> tuple[Tensor, Tensor]:
    """Content tags (cues, length) and source places (cues, 2) of each cue's region."""
    index, mask = regions.index.numpy(), regions.mask.numpy()
    attributions = [article.attributions[number] for number in gold]
    tags = np.stack([a.content[row] for a, row in zip(attributions, index, strict=True)])
    tags = np.where(mask, tags, 0)
    # A region may cut into content: what is left must still begin.
    tags[:, 0] = np.where(tags[:, 0] == INSIDE, BEGIN, tags[:, 0])
    source = np.zeros((len(gold), 2), dtype=np.int64)
    for row, attribution in enumerate(attributions):
        if attribution.source is not None:
            places = [token - index[row, 0] + 1 for token in attribution.source]
            if min(places) >= 1 and max(places) <= mask[row].sum():
                source[row] = places
    return torch.from_numpy(tags), torch.from_numpy(source)


def _sample_cues(
    article: GoldArticle, probabilities: FloatArray, random: np.random.Generator
) -> tuple[list[CueSpan], list[int]]:
    """Gold cues, some of them jittered, and the tagger's own candidates, with their gold or -1."""
    last_token = len(article.tokens) - 1
    cues: list[CueSpan] = []
    gold: list[int] = []
    drawn = random.permutation(len(article.attributions))[:_MOST_GOLD]
    for number in sorted(drawn.tolist()):
        first, last = article.attributions[number].cue
        if random.random() < _JITTER:
            first = min(last_token, max(0, first + int(random.integers(-1, 2))))
            last = min(last_token, max(first, last + int(random.integers(-1, 2))))
        cues.append((first, last))
        gold.append(number)
    candidates = cue_candidates(probabilities, article.tokens.paragraph, CANDIDATE_THRESHOLD)
    candidates.sort(key=lambda cue: -probabilities[cue[0], BEGIN])
    for cue in candidates:
        if len(cues) >= _MOST_CUES:
            break
        if cue not in cues:
            cues.append(cue)
            gold.append(overlapping_cue(article, cue))
    return cues, gold


def overlapping_cue(article: GoldArticle, cue: CueSpan) -> int:
    """Number of the gold attribution whose cue shares a token with ``cue``, or -1."""
    for number, attribution in enumerate(article.attributions):
        if cue[0] <= attribution.cue[1] and attribution.cue[0] <= cue[1]:
            return number
    return -1
