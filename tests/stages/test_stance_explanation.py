"""Why a statement has its posture: the words that decide it come first."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
import torch
from spacy.language import Language

from onrecord.records import Attribution, Span
from onrecord.stages.stance_explanation import explain
from tiny_model import LEARNED, light_pipeline, quoted


@pytest.fixture(scope="module")
def learned_nlp(learned: tuple[Path, torch.Tensor]) -> Language:
    return light_pipeline("onrecord_encoder", "onrecord_stance", model=learned[0])


@pytest.mark.parametrize("statement", [LEARNED[0][0], LEARNED[2][0]])
def test_the_word_that_flips_the_act_comes_first(learned_nlp: Language, statement: str) -> None:
    text, attribution = quoted(statement)
    first = explain(learned_nlp, learned_nlp(text), attribution)[0]
    assert text[slice(*first.span)] == "not"
    assert first.defiance > 0.2
    assert first.conciliation < -0.2


def test_every_word_of_statement_cue_and_source_is_judged_once(tiny_nlp: Language) -> None:
    text = "On Monday, “We won't talk under threat,” said Petra Lindgren, who leads the union."
    attribution = Attribution(
        content=(Span(11, 40),), cue=(Span(41, 45),), source=(Span(46, 60),), kind="direct", score=1
    )
    found = explain(tiny_nlp, tiny_nlp(text), attribution)
    words = [text[slice(*influence.span)] for influence in sorted(found)]
    expected = ["We", "won't", "talk", "under", "threat", "said", "Petra", "Lindgren"]
    assert words == expected
    assert all(a.strength >= b.strength for a, b in pairwise(found))
    assert found[0].strength > 0


def test_a_name_is_masked_as_a_whole(tiny_model: Path) -> None:
    nlp = light_pipeline("onrecord_encoder", "onrecord_stance", model=tiny_model)
    ruler = nlp.add_pipe("entity_ruler", after="onrecord_segment")
    ruler.add_patterns([{"label": "PERSON", "pattern": "Petra Lindgren"}])  # type: ignore[attr-defined]
    text = "“Never,” said Petra Lindgren."
    attribution = Attribution((Span(0, 8),), (Span(9, 13),), (Span(14, 28),), "direct", 1.0)
    found = explain(nlp, nlp(text), attribution)
    words = {text[slice(*influence.span)] for influence in found}
    assert words == {"Never", "said", "Petra Lindgren"}


def test_a_long_statement_is_searched_from_coarse_to_fine(tiny_nlp: Language) -> None:
    words = " ".join("abcde"[place % 5] for place in range(120))
    text = f"He spoke for an hour. “{words},” said Ortiz, and nobody stirred."
    start, end = text.index("“"), text.index("”") + 1
    attribution = Attribution((Span(start, end),), (), (), "direct", 1.0)
    found = explain(tiny_nlp, tiny_nlp(text), attribution)
    spans = sorted(influence.span for influence in found)
    assert 40 <= len(spans) <= 80
    assert all(a.end < b.start for a, b in pairwise(spans))
    assert (spans[0].start, spans[-1].end) == (start + 1, end - 2)
    single = [text[slice(*span)] for span in spans]
    assert any(" " not in word for word in single)
    assert found[0].strength > 0


def test_marks_alone_have_no_reason(tiny_nlp: Language) -> None:
    text = "“...”"
    attribution = Attribution((Span(0, 5),), (), (), "direct", 1.0)
    assert explain(tiny_nlp, tiny_nlp(text), attribution) == []


def test_a_doc_that_was_not_encoded_is_refused(tiny_nlp: Language) -> None:
    text, attribution = quoted("We will meet the owners")
    with pytest.raises(ValueError, match="not encoded"):
        explain(tiny_nlp, tiny_nlp.make_doc(text), attribution)
