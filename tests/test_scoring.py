"""Statements with given spans: what is accepted, what is refused, and how often a text is read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from spacy.language import Language
from spacy.tokens import Doc

import onrecord
from onrecord import scoring
from onrecord.stages.encoder import ArticleEncoder, Encoding
from tiny_model import LEARNED, light_pipeline, quoted, write_tiny_model

TEXT, ATTRIBUTION = quoted(LEARNED[0][0])
ROW = {
    "content": [list(span) for span in ATTRIBUTION.content],
    "cue": [list(span) for span in ATTRIBUTION.cue],
    "source": [list(span) for span in ATTRIBUTION.source],
    "speaker": "Ortiz",
    "stance": "defiant",
}


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Language:
    model = write_tiny_model(tmp_path_factory.mktemp("models") / "tiny")
    return light_pipeline("onrecord_encoder", "onrecord_stance", model=model)


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch, pipeline: Language) -> None:
    monkeypatch.setattr(scoring, "_pipeline", lambda model: pipeline)


def test_gold_rows_and_attributions_score_alike_in_the_order_given() -> None:
    others = [quoted(text) for text, _ in LEARNED[1:]]
    scores = onrecord.score_stance([(TEXT, ROW), *others, (TEXT, ATTRIBUTION)])
    assert len(scores) == len(LEARNED) + 1
    assert scores[0] == pytest.approx(scores[-1], abs=1e-6)
    for item, score in zip(others, scores[1:-1], strict=True):
        assert onrecord.score_stance([item])[0] == pytest.approx(score, abs=1e-6)
    assert len(set(scores)) == len(LEARNED)
    assert all(0.0 < p < 1.0 for pair in scores for p in pair)


def test_cue_and_source_may_be_empty_or_absent() -> None:
    bare = {"content": ROW["content"]}
    scores = onrecord.score_stance([(TEXT, bare), (TEXT, {**bare, "cue": [], "source": []})])
    assert scores[0] == pytest.approx(scores[1], abs=1e-6)
    assert scores[0] != pytest.approx(onrecord.score_stance([(TEXT, ROW)])[0], abs=1e-6)


def test_nothing_gives_nothing() -> None:
    assert onrecord.score_stance([]) == []


def test_a_text_with_several_statements_is_encoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    encoded = []
    predict = ArticleEncoder.predict

    def counting(self: ArticleEncoder, docs: Sequence[Doc]) -> list[Encoding]:
        encoded.extend(doc.text for doc in docs)
        return predict(self, docs)

    monkeypatch.setattr(ArticleEncoder, "predict", counting)
    other, attribution = quoted("The count takes two hours")
    onrecord.score_stance([(TEXT, ROW), (other, attribution), (TEXT, {"content": [[0, 4]]})])
    assert encoded == [TEXT, other]


@pytest.mark.parametrize(
    ("attribution", "error", "message"),
    [
        (
            {"content": [[0, 9999]]},
            ValueError,
            rf"item 1: content \[0, 9999\] .* has {len(TEXT)} code points",
        ),
        ({**ROW, "cue": [[7, 7]]}, ValueError, r"item 1: cue \[7, 7\]"),
        ({**ROW, "source": [[-3, 4]]}, ValueError, r"item 1: source \[-3, 4\]"),
        ({**ROW, "source": [[9, 4]]}, ValueError, r"item 1: source \[9, 4\]"),
        ({**ROW, "cue": [[1, 2, 3]]}, ValueError, r"item 1: cue \[1, 2, 3\]"),
        ({**ROW, "cue": [[1.0, 2.0]]}, ValueError, r"item 1: cue \[1.0, 2.0\]"),
        ({**ROW, "cue": [4]}, ValueError, r"item 1: cue 4 is not a span"),
        ({**ROW, "cue": ["ab"]}, ValueError, r"item 1: cue 'ab' is not a span"),
        ({**ROW, "content": []}, ValueError, "item 1: the statement has no content"),
        ({"cue": [[0, 4]]}, ValueError, "item 1: the statement has no content"),
        ("said", TypeError, "item 1: expected an Attribution or a mapping .* got str"),
    ],
)
def test_what_cannot_be_scored_is_named(
    attribution: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        onrecord.score_stance([(TEXT, ROW), (TEXT, attribution)])


def test_a_missing_model_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    with pytest.raises(OSError, match="no model here"):
        onrecord.score_stance([(TEXT, ROW)], model=tmp_path / "none")
