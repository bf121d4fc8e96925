"""Where predictions come from: a loaded pipeline, or anything that answers like one.

Two questions are asked of a program. End to end: what does it make of an article as it stands?
Given gold: how good is each stage when the stages before it have made no mistake?
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import filter_spans

from onrecord.annotation import annotate_articles
from onrecord.evaluation.gold import GoldArticle, GoldEntity
from onrecord.evaluation.names import fold_name
from onrecord.evaluation.predictions import Prediction, predictions_from_tables
from onrecord.records import Article, Attribution, Entity, Mention, Sentence, Span

_BATCH = 16


@dataclass(frozen=True, slots=True)
class GivenGold:
    """Answers of the stages, each given the gold of the stages before it.

    Attributes:
        found: sentences; entities in gold sentences; attributions given gold entities as well.
        judged: the gold statements with the speakers and stances predicted for them.
    """

    found: Prediction
    judged: Prediction


class Predictor(Protocol):
    """What evaluation asks; tests answer with fakes."""

    warnings: Counter[str]
    """What went wrong on the way to the answers, with the number of articles."""

    def end_to_end(self, articles: Sequence[GoldArticle]) -> list[Prediction]:
        """A prediction for each text, no gold seen."""

    def given_gold(self, articles: Sequence[GoldArticle]) -> list[GivenGold]:
        """The answer of each stage to gold input, for each article."""


class PipelinePredictor:
    """Predictions of a pipeline from ``onrecord.load()``."""

    def __init__(self, nlp: Language) -> None:
        self.nlp = nlp
        self.warnings: Counter[str] = Counter()

    def end_to_end(self, articles: Sequence[GoldArticle]) -> list[Prediction]:
        """A prediction for each text, by the way of the tables that a run would write.

        A stage that fails on an article has predicted nothing there, and is warned of.
        """
        predictions = []
        for batch in _batches(articles):
            records = [as_article(gold) for gold in batch]
            annotated = annotate_articles(self.nlp, records, language="any")
            for error in annotated.errors:
                self.warnings[f"{error['stage']} failed ({error['error']}): scored as empty"] += 1
            found = predictions_from_tables(annotated.tables.__getitem__)
            predictions += [found[gold.id].prediction for gold in batch]
        return predictions

    def given_gold(self, articles: Sequence[GoldArticle]) -> list[GivenGold]:
        """Runs the stages one by one, putting the gold of each layer in place behind it.

        A layer that the gold lacks stays as predicted.
        """
        return [answer for batch in _batches(articles) for answer in self._given_gold(batch)]

    def _given_gold(self, articles: Sequence[GoldArticle]) -> Iterator[GivenGold]:
        docs = [self._start(gold) for gold in articles]
        found = [Prediction() for _ in articles]
        for name, component in self.nlp.pipeline:
            docs = list(_apply(component, docs))
            if name == "onrecord_segment":
                found = [Prediction.from_doc(doc) for doc in docs]
                _each(put_sentences, docs, articles)
            elif name == "onrecord_entities":
                found = [_with(p, doc, "entities") for p, doc in zip(found, docs, strict=True)]
                _each(put_entities, docs, articles)
            elif name == "onrecord_attribution":
                found = [_with(p, doc, "attributions") for p, doc in zip(found, docs, strict=True)]
                _each(put_attributions, docs, articles)
        for prediction, doc in zip(found, docs, strict=True):
            yield GivenGold(prediction, Prediction.from_doc(doc))

    def _start(self, gold: GoldArticle) -> Doc:
        doc = self.nlp.make_doc(gold.text)
        doc.user_data["article_id"] = gold.id
        return doc


def as_article(gold: GoldArticle) -> Article:
    """The gold article as a reader would give it, without its labels."""
    title = gold.extra.get("title")
    return Article(
        article_id=gold.id,
        text=gold.text,
        title=title if isinstance(title, str) else None,
        publisher=gold.publisher,
    )


def _batches(articles: Sequence[GoldArticle]) -> Iterator[Sequence[GoldArticle]]:
    for first in range(0, len(articles), _BATCH):
        yield articles[first : first + _BATCH]


def _apply(component: Any, docs: list[Doc]) -> Iterator[Doc]:
    if hasattr(component, "pipe"):
        yield from component.pipe(docs, batch_size=_BATCH)
    else:
        yield from map(component, docs)


def _each(put: Any, docs: Sequence[Doc], articles: Sequence[GoldArticle]) -> None:
    for doc, gold in zip(docs, articles, strict=True):
        put(doc, gold)


def _with(before: Prediction, doc: Doc, layer: str) -> Prediction:
    now = Prediction.from_doc(doc)
    if layer == "entities":
        return Prediction(before.sentences, now.entities, before.attributions)
    return Prediction(before.sentences, before.entities, now.attributions)


def put_sentences(doc: Doc, gold: GoldArticle) -> None:
    """Replace the sentences of a doc by gold.

    Kind and paragraph, which gold does not say, are those of the predicted sentence that shares
    most characters with the gold one (the one before it where none does).
    """
    if gold.sentences is None:
        return
    predicted: Sequence[Sentence] = doc._.sentences
    sentences = []
    for span in gold.sentences:
        nearest = max(
            predicted,
            key=lambda s: (min(s.end, span.end) - max(s.start, span.start), -s.start),
            default=None,
        )
        kind, paragraph = ("body", 0) if nearest is None else (nearest.kind, nearest.paragraph_id)
        sentences.append(Sentence(span.start, span.end, paragraph, kind))  # type: ignore[arg-type]
    doc._.sentences = tuple(sentences)
    starts = [sentence.start for sentence in sentences]
    following = 0
    for token in doc:
        begins = following < len(starts) and token.idx + len(token) > starts[following]
        token.is_sent_start = token.i == 0 or begins
        while following < len(starts) and token.idx + len(token) > starts[following]:
            following += 1


def put_entities(doc: Doc, gold: GoldArticle) -> None:
    """Replace the mentions of a doc by gold; spaCy's own entities follow as far as tokens allow."""
    if gold.entities is None:
        return
    identities = _identities(gold.text, gold.entities)
    doc._.mentions = tuple(
        Mention(e.start, e.end, e.label, None if e.entity is None else identities[e.entity])
        for e in gold.entities
    )
    spans = [
        doc.char_span(e.start, e.end, label=e.label, alignment_mode="expand") for e in gold.entities
    ]
    doc.ents = tuple(filter_spans([span for span in spans if span is not None]))


def _identities(text: str, mentions: Sequence[GoldEntity]) -> dict[str, Entity]:
    """An entity for each gold name: its most frequent label, its other forms as aliases."""
    forms: dict[str, Counter[str]] = {}
    labels: dict[str, Counter[str]] = {}
    for mention in mentions:
        if mention.entity is not None:
            forms.setdefault(mention.entity, Counter())[text[mention.start : mention.end]] += 1
            labels.setdefault(mention.entity, Counter())[mention.label] += 1
    return {
        name: Entity(
            entity_id=f"gold:{fold_name(name).replace(' ', '-')}",
            name=name,
            label=labels[name].most_common(1)[0][0],
            aliases=tuple(sorted(set(forms[name]) - {name})),
        )
        for name in forms
    }


def put_attributions(doc: Doc, gold: GoldArticle) -> None:
    """Replace the attributions of a doc by gold, without speaker and stance."""
    if gold.attributions is None:
        return
    doc._.attributions = tuple(
        Attribution(
            content=a.content,
            cue=tuple(Span(*span) for span in a.cue),
            source=tuple(Span(*span) for span in a.source),
            kind=a.kind or "indirect",
            score=1.0,
            model="gold",
        )
        for a in gold.attributions
    )
