"""Direct, indirect or mixed, read off the quotation marks, for gold that does not say."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from onrecord.evaluation.matching import SpanLike, characters_of
from onrecord.quotation import Quotation
from onrecord.records import AttributionKind


def kind_by_marks(
    text: str, content: Sequence[SpanLike], quotations: Sequence[Quotation]
) -> AttributionKind:
    """How much of the content stands inside quotation marks: all, none or some.

    Args:
        text: the article.
        content: half-open code-point spans.
        quotations: what :func:`onrecord.quotation.find_quotations` gives for the article; they do
            not overlap.
    """
    words = sorted(characters_of(text, content))
    quoted = sum(bisect_left(words, q.end) - bisect_left(words, q.start) for q in quotations)
    if quoted == 0:
        return "indirect"
    return "direct" if quoted == len(words) else "mixed"
