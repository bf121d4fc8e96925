"""Deterministic attribution: who says what, by quotation marks and verbs of saying alone.

The baseline and fallback of the learned stage. It reads words and quotation marks, no parse: each
verb of saying outside quotation marks is a cue; its source is the noun phrase before it (or after
it, in ``"...", said X``); its statement is the quotation or clause on the side the verb's frame
asks for. Quotations that no cue claims continue the statement before them, or take their source
from the sentence before or from the form of a press release, or are scare quotes and titles, which
state nothing.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator, Sequence

from spacy.tokens import Doc

from onrecord.quotation import Quotation, find_quotations, paragraph_spans
from onrecord.records import Attribution, AttributionKind, Sentence, Span
from onrecord.stages.loose_quotations import ArticleReader
from onrecord.stages.statements import Draft

MODEL_NAME = "attribution:rules"
# How often a statement found by each rule is right (content and source both overlap the gold by
# half or more), measured on the 840 training articles of PolNeAR.
RULE_PRECISION = {
    "quotation": 0.89,
    "release": 0.86,
    "according": 0.73,
    "clause": 0.68,
    "label": 0.65,
    "act": 0.53,
    "infinitive": 0.48,
    "before": 0.39,
}
_FRAGMENT_RULES = frozenset({"act", "infinitive", "clause"})
_STRAY_MARKS = 2  # characters outside quotation marks that are no words, such as a full stop


class RuleAttributor:
    """Component ``onrecord_attribution`` without weights; reads ``doc._.sentences``."""

    def __call__(self, doc: Doc) -> Doc:
        """Find the statements of one doc."""
        self.set_annotations([doc], self.predict([doc]))
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 8) -> Iterator[Doc]:
        """Find the statements of a stream of docs."""
        for doc in stream:
            yield self(doc)

    def predict(self, docs: Sequence[Doc]) -> list[list[Attribution]]:
        """The statements of each doc, in order of their first code point."""
        return [attribute(doc.text, doc._.sentences) for doc in docs]

    def set_annotations(self, docs: Sequence[Doc], found: Sequence[Sequence[Attribution]]) -> None:
        """Write the statements to ``doc._.attributions``."""
        for doc, attributions in zip(docs, found, strict=True):
            doc._.attributions = tuple(attributions)


def attribute(text: str, sentences: Sequence[Sentence]) -> list[Attribution]:
    """Every attributed statement of an article.

    Args:
        text: the article as decoded.
        sentences: its sentences in order; their paragraphs bound the quotations.

    Returns:
        Attributions sorted by start; no two share a code point of content, nor do the content,
        the cue and the source of one.
    """
    quotations = find_quotations(text, paragraph_spans(sentences))
    drafts = ArticleReader(text, sentences, quotations).read()
    starts = [quotation.start for quotation in quotations]
    built = [_build(text, draft, quotations, starts) for draft in drafts]
    return _one_owner_each(item for item in built if item is not None)


def _one_owner_each(found: Iterable[Attribution]) -> list[Attribution]:
    """Without statements that share content with a likelier one; sorted by start."""
    claimed: list[Span] = []
    kept = []
    for item in sorted(found, key=lambda item: (-item.score, item.start)):
        places = [bisect_right(claimed, span) for span in item.content]
        if any(
            (at and claimed[at - 1].end > span.start)
            or (at < len(claimed) and claimed[at].start < span.end)
            for at, span in zip(places, item.content, strict=True)
        ):
            continue
        for span in item.content:
            insort(claimed, span)
        kept.append(item)
    return sorted(kept, key=lambda item: item.start)


def _build(
    text: str, draft: Draft, quotations: Sequence[Quotation], starts: Sequence[int]
) -> Attribution | None:
    cue = [] if draft.cue is None else [draft.cue]
    source = [] if draft.source is None else _without(text, [draft.source], cue)
    content = tuple(_without(text, _merged(draft.content), [*cue, *source]))
    if not content:
        return None
    return Attribution(
        content=content,
        cue=tuple(cue),
        source=tuple(source),
        kind=_kind(content, quotations, starts, fragment=draft.rule in _FRAGMENT_RULES),
        score=RULE_PRECISION[draft.rule],
        model=MODEL_NAME,
    )


def _merged(spans: Iterable[Span]) -> list[Span]:
    """The same places as spans that do not overlap, in order."""
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start < merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged


def _without(text: str, spans: Sequence[Span], taken: Sequence[Span]) -> list[Span]:
    """What ``taken`` leaves of ``spans``, trimmed; pieces that hold no word are dropped."""
    left = list(spans)
    for hole in taken:
        left = [piece for span in left for piece in _around(span, hole)]
    trimmed = (_trimmed(text, span) for span in left)
    return [span for span in trimmed if any(map(str.isalnum, text[span.start : span.end]))]


def _around(span: Span, hole: Span) -> list[Span]:
    if hole.end <= span.start or span.end <= hole.start:
        return [span]
    beside = Span(span.start, hole.start), Span(hole.end, span.end)
    return [piece for piece in beside if piece.start < piece.end]


def _trimmed(text: str, span: Span) -> Span:
    inner = text[span.start : span.end]
    end = span.start + len(inner.rstrip())
    return Span(min(span.end - len(inner.lstrip()), end), end)


def _kind(
    content: Sequence[Span],
    quotations: Sequence[Quotation],
    starts: Sequence[int],
    *,
    fragment: bool,
) -> AttributionKind:
    """Direct where quotation marks hold all of the content's words, mixed where some.

    A quoted ``fragment`` that is built into the reporter's clause (called it "a farce") is mixed.
    """
    quoted = plain = 0
    for span in content:
        covered = 0
        first = max(bisect_right(starts, span.start) - 1, 0)
        for quotation in quotations[first : bisect_left(starts, span.end)]:
            covered += max(0, min(span.end, quotation.end) - max(span.start, quotation.start))
        outside = span.end - span.start - covered
        quoted += covered
        plain += outside if outside > _STRAY_MARKS else 0
    if not quoted:
        return "indirect"
    return "mixed" if plain or fragment else "direct"
