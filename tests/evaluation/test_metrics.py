"""Counts and formulas, checked by hand and against spaCy and scikit-learn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, f1_score, precision_recall_fscore_support
from spacy.scorer import Scorer
from spacy.training import Example

from gold_samples import article, at, changed, perfect
from onrecord.evaluation.counting import (
    confusion,
    count_article,
    count_entities,
    count_sentences,
    count_stance,
    layers_of,
)
from onrecord.evaluation.gold import GoldArticle, GoldAttribution, GoldEntity
from onrecord.evaluation.intervals import with_intervals
from onrecord.evaluation.matching import Match
from onrecord.evaluation.metrics import FORMULAS, entity_metrics, sentence_metrics, stance_metrics
from onrecord.evaluation.names import fold_name, same_name
from onrecord.evaluation.predictions import PredictedAttribution, Prediction
from onrecord.records import STANCES, Span

GOLD = article()
ENGLISH = spacy.blank("en")
LABELS = ("PERSON", "ORG", "GPE")


def scores(gold: GoldArticle, predicted: Prediction) -> dict[str, dict[str, float]]:
    counted = count_article(gold, predicted)
    return {
        layer: {k: v.value for k, v in with_intervals([counts], FORMULAS[layer]).items()}
        for layer, counts in counted.items()
    }


def test_perfect_prediction_scores_one_everywhere() -> None:
    found = scores(GOLD, perfect(GOLD, sure=1.0))
    assert set(found) == {"sentences", "entities", "attribution", "speakers", "stance"}
    for layer, metrics in found.items():
        for name, value in metrics.items():
            assert value == (0.0 if name.startswith("ece") else 1.0), (layer, name)


def test_empty_prediction_scores_zero() -> None:
    found = scores(GOLD, Prediction())
    assert found["sentences"]["f1"] == found["entities"]["f1"] == found["attribution"]["f1"] == 0.0
    assert found["speakers"]["f1"] == found["stance"]["macro_f1"] == 0.0
    assert "accuracy" not in found["speakers"], "no statement was found: there is no accuracy"


@pytest.mark.parametrize("layer", ["sentences", "entities", "attributions"])
def test_absent_layer_is_not_scored(layer: str) -> None:
    gold = replace(GOLD, **{layer: None})
    missing = {"attributions": {"attribution", "speakers", "stance"}}.get(layer, {layer})
    assert set(layers_of(GOLD)) - set(layers_of(gold)) == missing
    assert not missing & set(count_article(gold, perfect(GOLD)))


def test_sentences_differ_by_visible_ends_only() -> None:
    text = "One.  Two. "
    counts = count_sentences(text, [Span(0, 4), Span(6, 10)], [Span(0, 6), Span(6, 11)])
    assert sentence_metrics(counts)["f1"].value == 1.0


def test_entity_scores() -> None:
    gold = [
        GoldEntity(0, 5, "PERSON", "Ann Lee"),
        GoldEntity(10, 15, "ORG", "Acme"),
        GoldEntity(20, 25, "ORG", "Acme"),
        GoldEntity(30, 35, "DATE"),
    ]
    predicted = [
        GoldEntity(0, 5, "PERSON", "Ann Lee"),
        GoldEntity(10, 15, "PERSON", "Acme"),  # wrong label
        GoldEntity(20, 28, "ORG", "Acme"),  # wrong boundary
        GoldEntity(30, 35, "DATE"),
        GoldEntity(40, 45, "GPE", "Oslo"),  # spurious
    ]
    metrics = entity_metrics(count_entities(gold, predicted))
    assert metrics["f1"].value == pytest.approx(2 * 2 / 9)
    assert metrics["span_f1"].value == pytest.approx(2 * 3 / 9)
    assert metrics["partial_f1"].value == pytest.approx(2 * 3 / 9)
    assert metrics["f1_ORG"].value == 0.0
    assert metrics["f1_DATE"].value == 1.0
    assert metrics["entity_accuracy"] == (1.0, 2)


def test_clusters_merged_and_split() -> None:
    gold = [GoldEntity(n, n + 1, "PERSON", name) for n, name in enumerate(("A", "A", "B", "B"))]
    merged = [replace(e, entity="A") for e in gold]
    split = [replace(e, entity=str(e.start)) for e in gold]
    one, other = (entity_metrics(count_entities(gold, p)) for p in (merged, split))
    # B-cubed: merged has recall 1 and precision 1/2, split the reverse.
    assert one["cluster_f1"].value == pytest.approx(2 / 3)
    assert other["cluster_f1"].value == pytest.approx(2 / 3)
    assert one["entity_accuracy"].value == 0.5


@st.composite
def _entities(draw: st.DrawFn) -> list[GoldEntity]:
    """Entities over one-letter tokens at even places, not overlapping."""
    edges = sorted(draw(st.sets(st.integers(0, 12), max_size=8)))
    pairs = zip(edges[::2], edges[1::2], strict=False)
    return [GoldEntity(2 * a, 2 * b - 1, draw(st.sampled_from(LABELS))) for a, b in pairs]


@settings(max_examples=50)
@given(_entities(), _entities())
def test_entities_agree_with_spacy(gold: list[GoldEntity], predicted: list[GoldEntity]) -> None:
    docs = []
    for entities in (predicted, gold):
        doc = ENGLISH.make_doc(" ".join("abcdefghijklm"))
        doc.ents = [doc.char_span(e.start, e.end, label=e.label) for e in entities]
        docs.append(doc)
    theirs = Scorer.score_spans([Example(*docs)], "ents")
    ours = entity_metrics(count_entities(gold, predicted))
    if theirs["ents_f"] is None:
        assert not gold
        return
    assert float(ours["f1"].value) == pytest.approx(theirs["ents_f"])
    if gold and predicted:
        assert float(ours["precision"].value) == pytest.approx(theirs["ents_p"])
        assert float(ours["recall"].value) == pytest.approx(theirs["ents_r"])
    for label, score in theirs["ents_per_type"].items():
        assert float(ours[f"f1_{label}"].value) == pytest.approx(score["f"])


@given(st.lists(st.tuples(st.sampled_from(STANCES), st.sampled_from(STANCES)), min_size=1))
def test_stance_agrees_with_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    gold = [GoldAttribution((Span(0, 1),), stance=a) for a, _ in pairs]  # type: ignore[arg-type]
    predicted = [
        PredictedAttribution((Span(0, 1),), (), (), "direct", 1.0, stance=b)  # type: ignore[arg-type]
        for _, b in pairs
    ]
    matches = [Match(n, n, 1.0, 1.0, 1.0) for n in range(len(pairs))]
    metrics = stance_metrics(_zeros(count_stance(gold, predicted, matches)))
    # A mixed statement counts for both its sides: a multi-label problem.
    classes = {"mixed": (1, 1, 0), "defiant": (1, 0, 0), "conciliatory": (0, 1, 0)}
    truth = np.array([classes.get(a, (0, 0, 1)) for a, _ in pairs])
    answer = np.array([classes.get(b, (0, 0, 1)) for _, b in pairs])
    theirs = f1_score(truth, answer, average=None, zero_division=np.nan)
    for name, value in zip(("defiant", "conciliatory", "neutral"), theirs, strict=True):
        assert float(metrics[f"f1_{name}"].value) == pytest.approx(value, nan_ok=True)
    assert float(metrics["macro_f1"].value) == pytest.approx(np.nanmean(theirs))
    assert float(metrics["found_macro_f1"].value) == pytest.approx(np.nanmean(theirs))


@given(st.lists(st.tuples(st.sampled_from(STANCES), st.sampled_from(STANCES)), min_size=1))
def test_confusion_agrees_with_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    gold = [GoldAttribution((Span(0, 1),), stance=a) for a, _ in pairs]  # type: ignore[arg-type]
    predicted = [
        PredictedAttribution((Span(0, 1),), (), (), "direct", 1.0, stance=b)  # type: ignore[arg-type]
        for _, b in pairs
    ]
    matches = [Match(n, n, 1.0, 1.0, 1.0) for n in range(len(pairs))]
    ours = np.array(confusion(count_stance(gold, predicted, matches)))
    truth, answer = zip(*pairs, strict=True)
    theirs = confusion_matrix(truth, answer, labels=STANCES)
    assert (ours[:-1, :-1] == theirs).all()
    assert ours[-1].sum() == ours[:, -1].sum() == 0


class _Zeros(dict[str, float]):
    def __missing__(self, name: str) -> float:
        return 0.0


def _zeros(counts: dict[str, float]) -> dict[str, float]:
    return _Zeros(counts)


def test_attribution_agrees_with_scikit_learn() -> None:
    """Precision, recall and F1 from the same matches."""
    missing = replace(perfect(GOLD), attributions=perfect(GOLD).attributions[:2])
    spurious = PredictedAttribution((at("third week"),), (), (), "indirect", 0.2, stance="neutral")
    predicted = replace(missing, attributions=(*missing.attributions, spurious))
    found = scores(GOLD, predicted)["attribution"]
    truth, answer = [1, 1, 1, 1, 0], [1, 1, 0, 0, 1]
    p, r, f, _ = precision_recall_fscore_support(truth, answer, average="binary")
    assert (found["precision"], found["recall"], found["f1"]) == pytest.approx((p, r, f))


def test_speakers_known_and_unknown() -> None:
    predicted = perfect(GOLD)
    wrong_name = changed(predicted, 0, speaker="Lindqvist")
    given_up = changed(predicted, 0, speaker=None)
    invented = changed(predicted, 2, speaker="Petra Lindqvist")
    assert scores(GOLD, wrong_name)["speakers"]["accuracy"] == 0.5
    assert scores(GOLD, wrong_name)["speakers"]["name_precision"] == 0.5
    assert scores(GOLD, given_up)["speakers"]["accuracy"] == 0.5
    assert scores(GOLD, given_up)["speakers"]["name_precision"] == 1.0
    found = scores(GOLD, invented)["speakers"]
    assert found["accuracy"] == 1.0
    assert found["unknown_accuracy"] == 0.5
    assert found["accuracy_all"] == 0.75
    assert found["name_precision"] == pytest.approx(2 / 3)
    assert found["f1"] == pytest.approx(2 * 2 / (2 + 3))


def test_speakers_of_statements_not_found_count_end_to_end() -> None:
    predicted = replace(perfect(GOLD), attributions=perfect(GOLD).attributions[1:])
    found = scores(GOLD, predicted)["speakers"]
    assert found["accuracy"] == 1.0
    assert found["recall"] == 0.5
    assert found["direct_accuracy"] == 1.0
    assert "indirect_accuracy" not in found


def test_unlabelled_speaker_is_not_judged() -> None:
    statements = GOLD.attributions or ()
    silent = replace(statements[0], speaker=None, speaker_labelled=False)
    gold = replace(GOLD, attributions=(silent, *statements[1:]))
    found = scores(gold, changed(perfect(GOLD), 0, speaker="Somebody Else"))["speakers"]
    assert found["f1"] == found["name_precision"] == 1.0


def test_stance_of_spurious_statements_costs_precision() -> None:
    spurious = PredictedAttribution((at("third week"),), (), (), "indirect", 0.2, stance="defiant")
    predicted = perfect(GOLD)
    found = scores(GOLD, replace(predicted, attributions=(*predicted.attributions, spurious)))
    assert found["stance"]["f1_defiant"] == pytest.approx(2 * 2 / (2 + 3))
    assert found["stance"]["found_macro_f1"] == 1.0


def test_calibration_error() -> None:
    # Every mark is given 0.8 or 0.2 and is always right: off by 0.2 throughout.
    found = scores(GOLD, perfect(GOLD, sure=0.8))["stance"]
    assert found["ece"] == pytest.approx(0.2)
    assert found["ece_defiance"] == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Recep Tayyip Erdoğan", "Recep Tayyip Erdogan"),
        ("U.S. Treasury", "US Treasury"),
        ("the European Union", "European Union"),
        ("O’Neill", "O'Neill"),
        ("Binali Yıldırım", "Binali Yildirim"),
        ("Jean-Luc Moreau", "Jean Luc Moreau"),
        ("AMNESTY INTERNATIONAL", "Amnesty International"),
    ],
)
def test_writing_is_forgiven(one: str, other: str) -> None:
    assert same_name(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Boris Johnson", "Johnson"),
        ("Hillary Clinton", "Bill Clinton"),
        ("North Korea", "South Korea"),
        ("Petra Lindqvist", None),
    ],
)
def test_identity_is_not_forgiven(one: str, other: str | None) -> None:
    assert not same_name(one, other)


@given(st.text(max_size=30))
def test_folding_is_stable(name: str) -> None:
    assert fold_name(fold_name(name)) == fold_name(name)
