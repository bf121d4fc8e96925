"""Why a statement has its posture: the words that decide it come first."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from spacy.language import Language

from onrecord.records import Attribution, Span
from onrecord.stages.encoder import ArticleEncoder, ArticleTokens, Encoding, encode_tokens
from onrecord.stages.stance import StanceClassifier
from onrecord.stages.stance_explanation import explain
from tiny_model import LEARNED, light_pipeline, quoted


@pytest.fixture(scope="module")
def learned_nlp(learned: tuple[Path, torch.Tensor]) -> Language:
    return light_pipeline("onrecord_encoder", "onrecord_stance", model=learned[0])


@pytest.mark.parametrize(
    ("statement", "word"), [(LEARNED[1][0], "negotiate"), (LEARNED[3][0], "meet")]
)
def test_the_word_that_makes_the_act_comes_first(
    learned_nlp: Language, statement: str, word: str
) -> None:
    text, attribution = quoted(statement)
    first = explain(learned_nlp, learned_nlp(text), attribution)[0]
    assert text[slice(*first.span)] == word
    assert first.conciliation > 0.1


def test_an_influence_is_the_change_of_the_marks_when_the_word_is_masked(
    tiny_nlp: Language,
) -> None:
    text, attribution = quoted("We will meet the owners")
    text = "\n\n".join([text, *["The ships waited off the port for days."] * 40])
    doc = tiny_nlp(text)
    encoder: ArticleEncoder = tiny_nlp.get_pipe("onrecord_encoder")  # type: ignore[assignment]
    classifier: StanceClassifier = tiny_nlp.get_pipe("onrecord_stance")  # type: ignore[assignment]
    tokens: ArticleTokens = doc._.encoding.tokens
    before = classifier.probabilities(doc._.encoding, [attribution])[0]
    mask = encoder.tokenizer("[MASK]")
    assert len(mask) == 1
    for found in explain(tiny_nlp, doc, attribution):
        pieces = [
            mask * len(known) if found.span.start <= start < found.span.end else known
            for start, known in zip(tokens.starts.tolist(), tokens.pieces, strict=True)
        ]
        masked = replace(tokens, pieces=tuple(pieces))
        vectors = encode_tokens(encoder.encoder, masked, encoder.windowing, encoder.tokenizer)
        after = classifier.probabilities(Encoding(masked, vectors), [attribution])[0]
        change = torch.tensor([found.defiance, found.conciliation])
        # Windows of other shapes may round otherwise in bfloat16.
        assert torch.allclose(before - after, change, atol=5e-3)


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
