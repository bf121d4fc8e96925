"""What the encoder knows of a source and of those who may be meant by it.

The hand-made features (``onrecord.stages.speaker_options``) say where a name stands and what the
article calls its bearer; the encoder's vectors say what kind of person or body the words around it
suggest, so that "the agency" finds the one body of three that is an agency.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from onrecord.records import Span
from onrecord.stages.attribution_head import FloatArray
from onrecord.stages.encoder import ArticleTokens, IntArray
from onrecord.stages.roster import Candidate
from onrecord.stages.speaker_options import Options

_MENTIONS = 12  # of one candidate, those nearest to the source


@dataclass(frozen=True, slots=True)
class OptionPlaces:
    """Where the vectors of one statement's options come from.

    Attributes:
        first, last: first token of each span and one past its last, shape (spans,); the first span
            is the source, the others are mentions of candidates.
        near: the span of each option's mention nearest to the source, -1 for none; shape
            (options,).
        shares: what each span counts in the mean of an option's mentions; shape (options, spans).
    """

    first: IntArray
    last: IntArray
    near: IntArray
    shares: FloatArray


def option_places(tokens: ArticleTokens, options: Options) -> OptionPlaces:
    """Places of the source and of the mentions of each candidate; nobody has none."""
    spans = [options.place]
    near = [-1]
    counts = [0]
    for candidate in options.candidates:
        mentions = _nearest(candidate, options.place.start)
        near.append(len(spans) if mentions else -1)
        counts.append(len(mentions))
        spans += mentions
    shares = np.zeros((len(counts), len(spans)), dtype=np.float32)
    for option, (begin, count) in enumerate(zip(near, counts, strict=True)):
        shares[option, begin : begin + count] = 1 / max(count, 1)
    first = np.searchsorted(tokens.ends, [span.start for span in spans], side="right")
    last = np.searchsorted(tokens.starts, [span.end for span in spans], side="left")
    return OptionPlaces(first, np.maximum(first, last), np.array(near), shares)


def _nearest(candidate: Candidate, start: int) -> list[Span]:
    """Mentions of a candidate: the last one before ``start``, those before it, then the next."""
    count = bisect_right(candidate.seen, start, key=lambda seen: seen.end)
    before = candidate.seen[max(count - _MENTIONS, 0) : count][::-1]
    after = candidate.seen[count : count + _MENTIONS - len(before)]
    return [Span(s.start, s.end) for s in (*before, *after)]


class MentionVectors:
    """Mean vectors of spans of one article, from those of its tokens, shape (n, hidden)."""

    def __init__(self, vectors: Tensor) -> None:
        zero = torch.zeros(1, vectors.shape[1], dtype=torch.float64)
        # Sums up to each token: the mean of any span is then one subtraction.
        self._sums = torch.cat([zero, vectors.double().cumsum(0)])

    def read(self, places: OptionPlaces) -> Tensor:
        """Vectors of each option, shape (options, 3 * hidden).

        They are that of the source, that of the candidate's mention nearest to it and the mean of
        the candidate's mentions; nobody has zeros for the last two.
        """
        first, last, near = (
            torch.from_numpy(part) for part in (places.first, places.last, places.near)
        )
        count = (last - first).clamp(min=1)[:, None]
        spans = ((self._sums[last] - self._sums[first]) / count).float()
        nearest = spans[near.clamp(min=0)] * (near >= 0)[:, None]
        mean = torch.from_numpy(places.shares).to(spans.dtype) @ spans
        return torch.cat([spans[:1].expand(len(near), -1), nearest, mean], dim=1)
