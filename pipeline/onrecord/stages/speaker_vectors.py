"""What the encoder knows of a source and of those who may be meant by it.

The hand-made features (``onrecord.stages.speaker_options``) say where a name stands and what the
article calls its bearer; the encoder's vectors say what kind of person or body the words around it
suggest, so that "the agency" finds the one body of three that is an agency.
"""

from __future__ import annotations

from bisect import bisect_right

import numpy as np
import torch
from torch import Tensor

from onrecord.records import Span
from onrecord.stages.encoder import Encoding
from onrecord.stages.roster import Candidate
from onrecord.stages.speaker_options import Options

_MENTIONS = 12  # of one candidate, those nearest to the source


class MentionVectors:
    """Mean vectors of spans of one article."""

    def __init__(self, encoding: Encoding) -> None:
        self._starts, self._ends = encoding.tokens.starts, encoding.tokens.ends
        self._width = encoding.vectors.shape[1]
        zero = torch.zeros(1, self._width, dtype=torch.float64)
        # Sums up to each token: the mean of any span is then one subtraction.
        self._sums = torch.cat([zero, encoding.vectors.double().cumsum(0)])
        # Statements of one article mean the same few names, by the same mentions.
        self._known: dict[Span, Tensor] = {}

    def of_span(self, span: Span) -> Tensor:
        """Mean vector of the tokens that ``span`` touches, zeros if there is none."""
        if span not in self._known:
            self._known[span] = self._mean(span)
        return self._known[span]

    def _mean(self, span: Span) -> Tensor:
        first = int(np.searchsorted(self._ends, span.start, side="right"))
        last = max(int(np.searchsorted(self._starts, span.end, side="left")), first)
        summed = self._sums[last] - self._sums[first]
        return (summed / max(last - first, 1)).float()

    def read(self, options: Options) -> Tensor:
        """Vectors of each option, shape (options, 3 * hidden).

        They are that of the source, that of the candidate's mention nearest to it and the mean of
        the candidate's mentions; nobody has zeros for the last two.
        """
        source = self.of_span(options.place)
        rows = [torch.cat([source, torch.zeros(2 * self._width)])]
        for candidate in options.candidates:
            seen = [self.of_span(span) for span in _nearest(candidate, options.place.start)]
            near = seen[0] if seen else torch.zeros(self._width)
            mean = torch.stack(seen).mean(0) if seen else near
            rows.append(torch.cat([source, near, mean]))
        return torch.stack(rows)


def _nearest(candidate: Candidate, start: int) -> list[Span]:
    """Mentions of a candidate: the last one before ``start``, those before it, then the next."""
    count = bisect_right(candidate.seen, start, key=lambda seen: seen.end)
    before = candidate.seen[max(count - _MENTIONS, 0) : count][::-1]
    after = candidate.seen[count : count + _MENTIONS - len(before)]
    return [Span(s.start, s.end) for s in (*before, *after)]
