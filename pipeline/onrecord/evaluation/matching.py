"""Which predicted statement is which gold statement, and the counts every score is made of.

Statements are matched by their content alone, one to one, best first; source, cue, speaker and
stance are then compared inside each match. Overlap is counted over characters that are not space,
after trimming quotation marks, punctuation and space at both ends, so that a comma or a mark more
or less is no error. Counts add up over articles, which is what makes averages micro-averages and
lets intervals be drawn by resampling articles.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import NamedTuple, Protocol

from onrecord.evaluation.metrics import attribution_metrics
from onrecord.records import KINDS

SpanLike = tuple[int, int]
Characters = frozenset[int]

MIN_IOU = 0.5
# Spacing accents that writers use as quotation marks; Unicode files them under symbols.
_MARK_SYMBOLS = frozenset("`´")


class AttributionLike(Protocol):
    """Anything with the three span lists of an attribution and its kind (or None)."""

    @property
    def content(self) -> Sequence[SpanLike]:
        """Half-open code-point spans of what is said."""

    @property
    def cue(self) -> Sequence[SpanLike]:
        """Spans of the words that attribute it; may be empty."""

    @property
    def source(self) -> Sequence[SpanLike]:
        """Spans of whom it is attributed to; may be empty."""

    @property
    def kind(self) -> str | None:
        """direct, indirect or mixed."""


def is_edge(character: str) -> bool:
    """Whether a character is trimmed from span ends: space, punctuation or quotation mark."""
    return (
        character.isspace()
        or character in _MARK_SYMBOLS
        or unicodedata.category(character).startswith("P")
    )


def characters_of(text: str, spans: Iterable[SpanLike]) -> Characters:
    """Positions of the characters that count in ``spans``: trimmed at both ends, without space.

    Spans that hold nothing but punctuation count whole, so that they can still equal themselves.

    Raises:
        ValueError: a span is empty or lies outside the text.
    """
    covered: set[int] = set()
    for start, end in spans:
        if not 0 <= start < end <= len(text):
            raise ValueError(
                f"span [{start}, {end}] is not inside a text of {len(text)} characters; offsets "
                "are half-open code points"
            )
        covered.update(range(start, end))
    positions = sorted(i for i in covered if not text[i].isspace())
    first, last = 0, len(positions)
    while first < last and is_edge(text[positions[first]]):
        first += 1
    while first < last and is_edge(text[positions[last - 1]]):
        last -= 1
    return frozenset(positions[first:last] or positions)


def iou(one: Characters, other: Characters) -> float:
    """Shared positions over all positions of both; two empty sets agree fully."""
    if not one and not other:
        return 1.0
    return len(one & other) / len(one | other)


class Match(NamedTuple):
    """A gold statement and its prediction, by index, with the overlap of each part."""

    gold: int
    predicted: int
    content_iou: float
    source_iou: float
    cue_iou: float

    @property
    def source_agrees(self) -> bool:
        """Whether the match counts as right: sources overlap by half, or both are empty."""
        return self.source_iou >= MIN_IOU


@dataclass(frozen=True, slots=True)
class _Side:
    """The statements of one side with their characters, computed once."""

    content: list[Characters]
    source: list[Characters]
    cue: list[Characters]
    order: list[tuple[tuple[SpanLike, ...], ...]]

    @classmethod
    def of(cls, text: str, statements: Sequence[AttributionLike]) -> _Side:
        return cls(
            [characters_of(text, a.content) for a in statements],
            [characters_of(text, a.source) for a in statements],
            [characters_of(text, a.cue) for a in statements],
            [_position(a) for a in statements],
        )


def _position(statement: AttributionLike) -> tuple[tuple[SpanLike, ...], ...]:
    return tuple(
        tuple((start, end) for start, end in spans)
        for spans in (statement.content, statement.cue, statement.source)
    )


def _shared(gold: Sequence[Characters], predicted: Sequence[Characters]) -> Counter[SpanLike]:
    """Number of shared characters of every pair that shares any: {(gold, predicted): n}."""
    owners: dict[int, list[int]] = {}
    for index, characters in enumerate(predicted):
        for position in characters:
            owners.setdefault(position, []).append(index)
    shared: Counter[SpanLike] = Counter()
    for index, characters in enumerate(gold):
        for position in characters:
            for owner in owners.get(position, ()):
                shared[index, owner] += 1
    return shared


def match_attributions(
    text: str, gold: Sequence[AttributionLike], predicted: Sequence[AttributionLike]
) -> list[Match]:
    """Pairs with a content IoU of at least one half, one to one, best first, in gold order.

    Pairs of equal IoU are taken in text order (of content, cue, source), whichever side they come
    from, so that exchanging gold and prediction gives the same pairs.
    """
    ours, theirs = _Side.of(text, gold), _Side.of(text, predicted)
    return _match(ours, theirs, _shared(ours.content, theirs.content))


def _match(gold: _Side, predicted: _Side, shared: Mapping[SpanLike, int]) -> list[Match]:
    candidates = []
    for (g, p), common in shared.items():
        overlap = common / (len(gold.content[g]) + len(predicted.content[p]) - common)
        if overlap >= MIN_IOU:
            ends = sorted((gold.order[g], predicted.order[p]))
            candidates.append((-overlap, ends, g, p))
    taken_gold: set[int] = set()
    taken_predicted: set[int] = set()
    matches = []
    for negative, _, g, p in sorted(candidates):
        if g in taken_gold or p in taken_predicted:
            continue
        taken_gold.add(g)
        taken_predicted.add(p)
        source = iou(gold.source[g], predicted.source[p])
        cue = iou(gold.cue[g], predicted.cue[p])
        matches.append(Match(g, p, -negative, source, cue))
    return sorted(matches)


@dataclass(slots=True)
class MatchCounts:
    """Additive counts over a set of statements, seen from the gold and from the predicted side.

    Over all statements ``right_gold`` equals ``right_predicted``; over one kind they may differ,
    because a matched pair may disagree on its kind, and each side counts under its own.
    """

    n_gold: float = 0
    n_predicted: float = 0
    right_gold: float = 0
    """Matched, and the source agrees."""
    right_predicted: float = 0
    content_gold: float = 0
    """Matched by content."""
    content_predicted: float = 0
    exact_gold: float = 0
    """Matched with equal content after trimming."""
    exact_predicted: float = 0
    soft_gold: float = 0
    """Sum over gold of the largest share of its content that one prediction covers."""
    soft_predicted: float = 0
    cue_gold: float = 0
    """Matched by content, and the cue IoU is at least one half (or both are empty)."""

    def __add__(self, other: MatchCounts) -> MatchCounts:
        return MatchCounts(
            *(getattr(self, f.name) + getattr(other, f.name) for f in fields(MatchCounts))
        )

    def count(self, match: Match, *, gold: bool, predicted: bool) -> None:
        """Add a matched pair, to the gold side, the predicted side or both."""
        exact = match.content_iou == 1.0
        if gold:
            self.content_gold += 1
            self.right_gold += match.source_agrees
            self.exact_gold += exact
            self.cue_gold += match.cue_iou >= MIN_IOU
        if predicted:
            self.content_predicted += 1
            self.right_predicted += match.source_agrees
            self.exact_predicted += exact


@dataclass(frozen=True, slots=True)
class AttributionCounts:
    """Counts of one article or, added up, of many: over all statements and for each kind."""

    overall: MatchCounts = field(default_factory=MatchCounts)
    by_kind: Mapping[str, MatchCounts] = field(
        default_factory=lambda: {kind: MatchCounts() for kind in KINDS}
    )

    def __add__(self, other: AttributionCounts) -> AttributionCounts:
        return AttributionCounts(
            self.overall + other.overall,
            {kind: self.by_kind[kind] + other.by_kind[kind] for kind in KINDS},
        )

    def flat(self) -> dict[str, float]:
        """The same numbers under flat names: ``n_gold``, ``direct_n_gold`` and so on."""
        named = {f.name: getattr(self.overall, f.name) for f in fields(MatchCounts)}
        for kind, counts in self.by_kind.items():
            named.update({f"{kind}_{f.name}": getattr(counts, f.name) for f in fields(MatchCounts)})
        return named

    def metrics(self) -> dict[str, float]:
        """Scores in [0, 1] by the names of ``metrics.json``; those without any item left out."""
        return {
            name: float(metric.value)
            for name, metric in attribution_metrics(self.flat()).items()
            if metric.n > 0
        }


def score_attributions(
    text: str, gold: Sequence[AttributionLike], predicted: Sequence[AttributionLike]
) -> AttributionCounts:
    """Counts of one article: add them up over articles, then ask for ``metrics()``.

    Args:
        text: the article.
        gold: gold statements; where ``kind`` is None the statement counts under no kind.
        predicted: predicted statements.

    Raises:
        ValueError: a span is empty or lies outside the text.
    """
    ours, theirs = _Side.of(text, gold), _Side.of(text, predicted)
    shared = _shared(ours.content, theirs.content)
    counts = AttributionCounts()
    gold_groups = [_groups(counts, a.kind) for a in gold]
    predicted_groups = [_groups(counts, a.kind) for a in predicted]
    best_gold = [0.0] * len(gold)
    best_predicted = [0.0] * len(predicted)
    for (g, p), common in shared.items():
        best_gold[g] = max(best_gold[g], common / len(ours.content[g]))
        best_predicted[p] = max(best_predicted[p], common / len(theirs.content[p]))
    for groups, best in zip(gold_groups, best_gold, strict=True):
        for group in groups:
            group.n_gold += 1
            group.soft_gold += best
    for groups, best in zip(predicted_groups, best_predicted, strict=True):
        for group in groups:
            group.n_predicted += 1
            group.soft_predicted += best
    for match in _match(ours, theirs, shared):
        for group in gold_groups[match.gold]:
            group.count(match, gold=True, predicted=False)
        for group in predicted_groups[match.predicted]:
            group.count(match, gold=False, predicted=True)
    return counts


def _groups(counts: AttributionCounts, kind: str | None) -> list[MatchCounts]:
    """Where a statement counts: over all, and under its kind."""
    if kind is None:
        return [counts.overall]
    return [counts.overall, counts.by_kind[kind]]
