"""A small labelled article and ways to get predictions wrong, for the tests of this folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from onrecord.evaluation.agreement import as_prediction
from onrecord.evaluation.gold import GoldArticle, GoldAttribution, GoldEntity
from onrecord.evaluation.prediction_sources import GivenGold
from onrecord.evaluation.predictions import PredictedAttribution, Prediction
from onrecord.records import Span, Spans

TEXT = (
    "Harbour strike enters third week\n\n"
    "Union leader Petra Lindqvist rejected the latest offer on Monday. “We will not sign this,” "
    "she said. The port authority said it was ready to meet again.\n\n"
    "Analysts expect a deal by Friday."
)


def at(words: str, text: str = TEXT) -> Span:
    """The first place of some words."""
    start = text.index(words)
    return Span(start, start + len(words))


def spans(*pieces: str) -> Spans:
    return tuple(at(piece) for piece in pieces)


def article(article_id: str = "strike", *, publisher: str | None = None) -> GoldArticle:
    """Four sentences, three entities, four statements."""
    return GoldArticle(
        id=article_id,
        text=TEXT,
        sentences=spans(
            "Harbour strike enters third week",
            "Union leader Petra Lindqvist rejected the latest offer on Monday.",
            "“We will not sign this,” she said.",
            "The port authority said it was ready to meet again.",
            "Analysts expect a deal by Friday.",
        ),
        entities=(
            GoldEntity(*at("Petra Lindqvist"), "PERSON", "Petra Lindqvist"),
            GoldEntity(*at("Monday"), "DATE"),
            GoldEntity(*at("Friday"), "DATE"),
        ),
        attributions=(
            statement("the latest offer", "rejected", "Union leader Petra Lindqvist", "defiant"),
            replace(
                statement("“We will not sign this,”", "she said"[4:], "she", "defiant"),
                kind="direct",
                cue=(Span(at("she said").start + 4, at("she said").end),),
                source=(Span(at("she said").start, at("she said").start + 3),),
            ),
            statement(
                "it was ready to meet again",
                "said it"[:4],
                "The port authority",
                "conciliatory",
                speaker=None,
            ),
            statement("a deal by Friday", "expect", "Analysts", "neutral", speaker=None),
        ),
        extra={} if publisher is None else {"publisher": publisher},
        origin=f"{article_id}.jsonl",
    )


def statement(
    content: str, cue: str, source: str, stance: str, speaker: str | None = "Petra Lindqvist"
) -> GoldAttribution:
    return GoldAttribution(
        spans(content),
        spans(cue),
        spans(source),
        speaker,
        True,
        "indirect",
        stance,  # type: ignore[arg-type]
    )


def perfect(gold: GoldArticle, *, sure: float = 0.9) -> Prediction:
    """The gold as a prediction, with a probability of ``sure`` for each mark it bears."""
    found = as_prediction(gold)
    return replace(
        found,
        attributions=tuple(
            replace(
                a,
                score=sure,
                speaker_score=sure if a.speaker else 0.0,
                p_defiance=sure if a.stance in ("defiant", "mixed") else 1 - sure,
                p_conciliation=sure if a.stance in ("conciliatory", "mixed") else 1 - sure,
            )
            for a in found.attributions
        ),
    )


def changed(prediction: Prediction, index: int, **changes: object) -> Prediction:
    """A prediction with one statement changed."""
    statements: list[PredictedAttribution] = list(prediction.attributions)
    statements[index] = replace(statements[index], **changes)  # type: ignore[arg-type]
    return replace(prediction, attributions=tuple(statements))


@dataclass
class FakePredictor:
    """Answers with what it was given, for every article the same way."""

    answers: Sequence[Prediction]
    warnings: Counter[str] = field(default_factory=Counter)

    def end_to_end(self, articles: Sequence[GoldArticle]) -> list[Prediction]:
        return list(self.answers)

    def given_gold(self, articles: Sequence[GoldArticle]) -> list[GivenGold]:
        return [GivenGold(answer, answer) for answer in self.answers]
