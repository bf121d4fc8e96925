"""Every mistake of a run, one row each, with the words around it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa

from onrecord.batch.durable import write_parquet
from onrecord.evaluation.counting import layers_of
from onrecord.evaluation.gold import GoldArticle, GoldAttribution, GoldEntity
from onrecord.evaluation.matching import MIN_IOU, AttributionLike, Match, match_attributions
from onrecord.evaluation.names import same_name
from onrecord.evaluation.overlaps import Overlaps
from onrecord.evaluation.predictions import PredictedAttribution, Prediction
from onrecord.quotation import find_blocks
from onrecord.records import Span, Spans, join_spans

# Characters of context on either side of what is shown.
_CONTEXT = 240
PROBLEMS = (
    "missed",
    "spurious",
    "wrong boundary",
    "wrong label",
    "wrong entity",
    "wrong source",
    "wrong cue",
    "wrong kind",
    "wrong speaker",
    "wrong stance",
)


@dataclass(frozen=True, slots=True)
class Mistake:
    """One difference between gold and prediction.

    Attributes:
        setting: ``end_to_end`` or ``given_gold``.
        gold: what the gold says, None where the prediction is spurious.
        predicted: what the program says, None where it missed.
        start: first code point of the words at issue.
        end: one past the last.
        context_start: first code point of the sentence or passage to show.
        context: the passage.
        gold_spans: spans to mark as gold.
        predicted_spans: spans to mark as predicted.
    """

    article_id: str
    publisher: str | None
    setting: str
    layer: str
    problem: str
    kind: str | None
    gold: str | None
    predicted: str | None
    score: float | None
    start: int
    end: int
    context_start: int
    context: str
    gold_spans: Spans
    predicted_spans: Spans


def find_mistakes(
    gold: GoldArticle, predicted: Prediction, setting: str, layers: Sequence[str]
) -> list[Mistake]:
    """Mistakes of one article in the layers that its gold has, in text order."""
    wanted = set(layers_of(gold)) & set(layers)
    report = _Report(gold, setting)
    found: list[Mistake] = []
    if "sentences" in wanted:
        found += report.sentences(gold.sentences or (), predicted.sentences)
    if "entities" in wanted:
        found += report.entities(gold.entities or (), predicted.entities)
    if wanted & {"attribution", "speakers", "stance"}:
        found += report.statements(gold.attributions or (), predicted.attributions, wanted)
    return sorted(found, key=lambda m: (m.start, m.end, m.layer, PROBLEMS.index(m.problem)))


class _Report:
    """Compares the layers of one article."""

    def __init__(self, gold: GoldArticle, setting: str) -> None:
        self.article = gold
        self.text = gold.text
        self.setting = setting
        self.passages = gold.sentences or tuple(find_blocks(gold.text))
        self.passages_at = Overlaps(self.passages)

    def sentences(self, gold: Sequence[Span], predicted: Sequence[Span]) -> Iterator[Mistake]:
        same = set(gold) & set(predicted)
        ours, theirs = Overlaps(gold), Overlaps(predicted)
        for span in gold:
            if span not in same:
                touching = tuple(predicted[number] for number in theirs.at(*span))
                problem = "wrong boundary" if touching else "missed"
                yield self._mistake("sentences", problem, (span,), touching)
        for span in predicted:
            if span not in same and not ours.at(*span):
                yield self._mistake("sentences", "spurious", (), (span,))

    def entities(
        self, gold: Sequence[GoldEntity], predicted: Sequence[GoldEntity]
    ) -> Iterator[Mistake]:
        at = {(e.start, e.end): e for e in predicted}
        exact = {(e.start, e.end) for e in gold} & at.keys()
        used: set[tuple[int, int]] = set(exact)
        overlaps = Overlaps((e.start, e.end) for e in predicted)
        for ours in gold:
            span = Span(ours.start, ours.end)
            if span in exact:
                yield from self._same_span(ours, at[span])
                continue
            touching = (predicted[number] for number in overlaps.at(*span))
            theirs = next((e for e in touching if (e.start, e.end) not in used), None)
            if theirs is None:
                yield self._mistake("entities", "missed", (span,), (), ours.label)
            else:
                used.add((theirs.start, theirs.end))
                yield self._entity("wrong boundary", ours, theirs, ours.label, theirs.label)
        for theirs in predicted:
            span = Span(theirs.start, theirs.end)
            if span not in used:
                yield self._mistake("entities", "spurious", (), (span,), None, theirs.label)

    def _same_span(self, ours: GoldEntity, theirs: GoldEntity) -> Iterator[Mistake]:
        if ours.label != theirs.label:
            yield self._entity("wrong label", ours, theirs, ours.label, theirs.label)
        if ours.entity is not None and not same_name(ours.entity, theirs.entity):
            named = theirs.entity or "no entity"
            yield self._entity("wrong entity", ours, theirs, ours.entity, named)

    def _entity(
        self, problem: str, ours: GoldEntity, theirs: GoldEntity, gold: str, predicted: str
    ) -> Mistake:
        spans = (Span(ours.start, ours.end),), (Span(theirs.start, theirs.end),)
        return self._mistake("entities", problem, *spans, gold, predicted)

    def statements(
        self,
        gold: Sequence[GoldAttribution],
        predicted: Sequence[PredictedAttribution],
        wanted: set[str],
    ) -> Iterator[Mistake]:
        matches = match_attributions(self.text, gold, predicted)
        if "attribution" in wanted:
            yield from self._unmatched(gold, predicted, matches)
        for match in matches:
            ours, theirs = gold[match.gold], predicted[match.predicted]
            if "attribution" in wanted:
                yield from self._parts(match, ours, theirs)
            named = "speakers" in wanted and ours.speaker_labelled
            if named and not same_name(ours.speaker, theirs.speaker):
                yield self._about("speakers", "speaker", ours, theirs, theirs.speaker_score)
            marked = "stance" in wanted and ours.stance is not None
            if marked and ours.stance != theirs.stance:
                yield self._about("stance", "stance", ours, theirs, None)

    def _unmatched(
        self,
        gold: Sequence[GoldAttribution],
        predicted: Sequence[PredictedAttribution],
        matches: Sequence[Match],
    ) -> Iterator[Mistake]:
        found, used = {m.gold for m in matches}, {m.predicted for m in matches}
        for number, ours in enumerate(gold):
            if number not in found:
                said = self._said(ours)
                yield self._mistake("attribution", "missed", ours.content, (), said, kind=ours.kind)
        for number, theirs in enumerate(predicted):
            if number not in used:
                yield self._mistake(
                    "attribution",
                    "spurious",
                    (),
                    theirs.content,
                    predicted=self._said(theirs),
                    kind=theirs.kind,
                    score=theirs.score,
                )

    def _parts(
        self, match: Match, ours: GoldAttribution, theirs: PredictedAttribution
    ) -> Iterator[Mistake]:
        if match.content_iou < 1.0:
            yield self._part("wrong boundary", "content", ours, theirs)
        if match.source_iou < MIN_IOU:
            yield self._part("wrong source", "source", ours, theirs)
        if match.cue_iou < MIN_IOU:
            yield self._part("wrong cue", "cue", ours, theirs)
        if ours.kind is not None and ours.kind != theirs.kind:
            yield self._about("attribution", "kind", ours, theirs, theirs.score)

    def _said(self, statement: AttributionLike) -> str:
        source = self._words(statement.source) or "nobody"
        return f"{source} | {self._words(statement.cue)} | {self._words(statement.content)}"

    def _words(self, spans: Sequence[tuple[int, int]]) -> str:
        return join_spans(self.text, [Span(*span) for span in spans])

    def _part(
        self, problem: str, part: str, ours: GoldAttribution, theirs: PredictedAttribution
    ) -> Mistake:
        gold, predicted = getattr(ours, part), getattr(theirs, part)
        return self._mistake(
            "attribution",
            problem,
            gold or (ours.content if not predicted else ()),
            predicted,
            self._words(gold) or "nothing",
            self._words(predicted) or "nothing",
            kind=ours.kind,
            score=theirs.score,
        )

    def _about(
        self,
        layer: str,
        attribute: str,
        ours: GoldAttribution,
        theirs: PredictedAttribution,
        score: float | None,
    ) -> Mistake:
        return self._mistake(
            layer,
            f"wrong {attribute}",
            ours.content,
            theirs.content,
            getattr(ours, attribute) or "unknown",
            getattr(theirs, attribute) or "unknown",
            kind=ours.kind,
            score=score,
        )

    def _mistake(
        self,
        layer: str,
        problem: str,
        gold_spans: Spans,
        predicted_spans: Spans,
        gold: str | None = None,
        predicted: str | None = None,
        *,
        kind: str | None = None,
        score: float | None = None,
    ) -> Mistake:
        spans = sorted(gold_spans or predicted_spans)
        start, end = spans[0].start, max(span.end for span in spans)
        if layer == "sentences":
            gold, predicted = (
                self._words(gold_spans),
                " ‖ ".join(self.text[a:b] for a, b in predicted_spans),
            )
        elif layer == "entities":
            gold = _labelled(self._words(gold_spans), gold)
            predicted = _labelled(self._words(predicted_spans), predicted)
        first, last = self._passage(sorted((*gold_spans, *predicted_spans)))
        return Mistake(
            self.article.id,
            self.article.publisher,
            self.setting,
            layer,
            problem,
            kind,
            gold or None,
            predicted or None,
            score,
            start,
            end,
            first,
            self.text[first:last],
            tuple(gold_spans),
            tuple(predicted_spans),
        )

    def _passage(self, spans: Sequence[Span]) -> Span:
        """The sentences that the spans touch, cut at some distance from them."""
        low, high = spans[0].start, max(span.end for span in spans)
        touched = [self.passages[number] for number in self.passages_at.at(low, high)]
        first = min((p.start for p in touched), default=low)
        last = max((p.end for p in touched), default=high)
        return Span(max(min(first, low), low - _CONTEXT), min(max(last, high), high + _CONTEXT))


def _labelled(words: str, label: str | None) -> str | None:
    return f"{words} ({label})" if words and label else None


SCHEMA = pa.schema(
    [
        ("article_id", pa.string()),
        ("publisher", pa.string()),
        ("setting", pa.string()),
        ("layer", pa.string()),
        ("problem", pa.string()),
        ("kind", pa.string()),
        ("gold", pa.string()),
        ("predicted", pa.string()),
        ("score", pa.float32()),
        ("start", pa.int32()),
        ("end", pa.int32()),
        ("context_start", pa.int32()),
        ("context", pa.string()),
        ("gold_spans", pa.list_(pa.list_(pa.int32()))),
        ("predicted_spans", pa.list_(pa.list_(pa.int32()))),
    ]
)


def write_mistakes(mistakes: Sequence[Mistake], path: Path) -> None:
    """Write mistakes as Parquet; spans point into the article, as in the tables of a run."""
    write_parquet(path, pa.Table.from_pylist([asdict(m) for m in mistakes], schema=SCHEMA))
