"""From what the network reads to statements: quotation marks respected, no token owned twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onrecord.annotation import annotate_articles
from onrecord.quotation import Quotation, find_quotations
from onrecord.records import Article, Attribution
from onrecord.stages.attribution import (
    AttributionConfig,
    Reading,
    calibrated_score,
    decode,
    to_attribution,
)
from onrecord.stages.attribution_head import REACH
from onrecord.stages.encoder import ArticleTokens, article_tokens
from onrecord.training.data import token_range
from tiny_model import light_pipeline, tiny_tokenizer

CONFIG = AttributionConfig(threshold=0.5, sourceless_threshold=0.5)
NLP = light_pipeline()
TOKENIZER = tiny_tokenizer()


def tokens_of(text: str) -> ArticleTokens:
    return article_tokens(NLP(text), TOKENIZER)


def reading(
    text: str,
    tokens: ArticleTokens,
    content: Sequence[str],
    cue: str,
    source: str | None = None,
    validity: float = 2.0,
) -> Reading:
    """What the network might read, given as phrases of the text."""

    def place(phrase: str) -> tuple[int, int]:
        start = text.index(phrase)
        found = token_range(tokens, start, start + len(phrase))
        assert found is not None
        return found

    return Reading(
        place(cue),
        tuple(place(piece) for piece in content),
        None if source is None else place(source),
        (0.0, validity, 0.0, 0.0),
    )


Phrases = tuple[Sequence[str], str, str | None, float]


def decoded(text: str, *readings: Phrases) -> list[Attribution]:
    tokens = tokens_of(text)
    read = [reading(text, tokens, *one) for one in readings]
    return [
        to_attribution(tokens, found, score, "tiny")
        for found, score in decode(tokens, read, find_quotations(text), CONFIG)
    ]


def contents(text: str, attributions: Sequence[Attribution]) -> list[list[str]]:
    return [[text[start:end] for start, end in found.content] for found in attributions]


def test_content_that_nearly_fills_a_quotation_takes_it_whole() -> None:
    text = "“We will never leave this port,” said Ortiz."
    (found,) = decoded(text, (["We will never leave this port"], "said", "Ortiz", 2.0))
    assert contents(text, [found]) == [["“We will never leave this port,”"]]
    assert found.kind == "direct"
    assert [text[slice(*span)] for span in (*found.cue, *found.source)] == ["said", "Ortiz"]
    assert found.model == "tiny"
    assert found.score == pytest.approx(1 / (1 + np.exp(-2.0)))


def test_a_quotation_longer_than_the_reach_of_a_cue_is_taken_whole() -> None:
    said = " ".join(f"and word{number}" for number in range(120))
    text = f"Ortiz said: “We stay {said} at last.” Lund left."
    tokens = tokens_of(text)
    cue = next(at for at, start in enumerate(tokens.starts) if text[start:].startswith("said"))
    content = ((cue + 2, cue + REACH),)
    found = Reading((cue, cue), content, (cue - 1, cue - 1), (0.0, 2.0, 0.0, 0.0))
    ((chosen, score),) = decode(tokens, [found], find_quotations(text), CONFIG)
    whole = to_attribution(tokens, chosen, score, "tiny")
    assert contents(text, [whole]) == [[text[text.index("“") : text.index("”") + 1]]]


@pytest.mark.parametrize(
    ("source", "score", "kept"),
    [("Ortiz", 0.6, True), (None, 0.6, False), (None, 0.8, True), ("Ortiz", 0.4, False)],
)
def test_a_statement_that_nobody_is_named_for_needs_a_higher_score(
    source: str | None, score: float, kept: bool
) -> None:
    text = "Ortiz was glad that the plan is expected to pass."
    tokens = tokens_of(text)
    logit = float(np.log(score / (1 - score)))
    read = [reading(text, tokens, ["the plan", "to pass"], "is expected", source, logit)]
    config = AttributionConfig(threshold=0.5, sourceless_threshold=0.7)
    assert bool(decode(tokens, read, (), config)) == kept


def test_content_that_touches_a_quotation_leaves_the_rest_of_it() -> None:
    text = "He said “yes” to the plan that calls this port “a jewel of the whole northern coast”."
    (found,) = decoded(text, (["to the plan that calls this port “a"], "said", "He", 2.0))
    assert contents(text, [found]) == [["to the plan that calls this port “a"]]
    assert found.kind == "mixed"


def test_a_quotation_that_holds_the_cue_is_not_taken() -> None:
    text = "“The minister said we must all leave by noon,” Ortiz recalled."
    (found,) = decoded(text, (["we must all leave by noon,"], "said", "The minister", 2.0))
    assert contents(text, [found]) == [["we must all leave by noon,"]]


def test_a_quotation_of_several_paragraphs_is_followed() -> None:
    text = (
        "Ortiz said: “We have waited for a year.\n\n“Nobody came to see us here.\n\n"
        "“Now we strike.”\n\n“A separate thing,” said Lund."
    )
    (found,) = decoded(text, (["“We have waited for a year."], "said", "Ortiz", 2.0))
    assert contents(text, [found]) == [
        ["“We have waited for a year.", "“Nobody came to see us here.", "“Now we strike.”"]
    ]


def test_a_quotation_that_goes_on_around_the_cue_is_not_followed_into_it() -> None:
    text = (
        "Ortiz stood up: “We have waited for a year.\n\n“The minister said nobody would come.\n\n"
        "“Now we strike.”"
    )
    (found,) = decoded(text, (["“We have waited for a year."], "said", "The minister", 2.0))
    assert contents(text, [found]) == [["“We have waited for a year."]]


@pytest.mark.parametrize(
    ("content", "source", "left", "named"),
    [
        ("We will stay,” said Ortiz", "Ortiz", "We will stay,”", "Ortiz"),
        ("said Ortiz of the port union", "Ortiz", "of the port union", "Ortiz"),
        ("We will stay", "said Ortiz", "We will stay", "Ortiz"),
        ("We will stay", "said", "We will stay", None),
    ],
)
def test_no_token_has_two_roles_in_a_statement(
    content: str, source: str, left: str, named: str | None
) -> None:
    text = "We will stay,” said Ortiz of the port union"
    (found,) = decoded(text, ([content], "said", source, 2.0))
    assert contents(text, [found]) == [[left]]
    assert [text[slice(*span)] for span in found.source] == ([] if named is None else [named])


def test_a_quotation_filled_over_its_own_source_leaves_the_source_out() -> None:
    text = "“We the crews of Ortiz will not ever leave this port,” it said."
    read = (["We the crews of", "will not ever leave this port,"], "said", "Ortiz", 2.0)
    assert contents(text, decoded(text, read)) == [
        ["“We the crews of", "will not ever leave this port,”"]
    ]


def test_the_work_on_a_reading_does_not_grow_with_the_article() -> None:
    """Each of many quotations is looked at by the readings beside it only."""
    looked = []
    for times in (10, 40):
        text = "\n\n".join(["“We will stay here,” said Ortiz."] * times)
        tokens = tokens_of(text)
        cues = [at for at, start in enumerate(tokens.starts) if text[start:].startswith("said")]
        read = [
            Reading((cue, cue), ((cue - 7, cue - 1),), (cue + 1, cue + 1), (0.0, 2.0, 0.0, 0.0))
            for cue in cues
        ]
        quotations = _Counted(find_quotations(text))
        assert len(decode(tokens, read, quotations, CONFIG)) == times
        looked.append(quotations.looked)
    assert looked[1] <= 4 * looked[0] + 4


class _Counted(list[Quotation]):
    """Quotations that count how often one is looked at."""

    looked = 0

    def __getitem__(self, index: Any) -> Any:
        self.looked += 1
        return super().__getitem__(index)

    def __iter__(self) -> Iterator[Quotation]:
        for quotation in super().__iter__():
            self.looked += 1
            yield quotation


def test_an_article_that_no_encoder_has_read_is_refused_in_plain_words(tiny_model: Path) -> None:
    nlp = light_pipeline("onrecord_attribution", model=tiny_model)
    with pytest.raises(ValueError, match=r"has no encoding.*run 'onrecord_encoder'.*or.*'rules'"):
        nlp("Ortiz said no.")


def test_where_the_encoder_fails_only_that_is_an_error(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nlp = light_pipeline("onrecord_encoder", "onrecord_attribution", model=tiny_model)

    def fail(*_: object) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(nlp.get_pipe("onrecord_encoder"), "_encode", fail)
    (error,) = annotate_articles(nlp, [Article("a", "Ortiz said no.")], language="any").errors
    assert error["stage"] == "onrecord_encoder"
    assert error["message"] == "out of memory (not run without it: onrecord_attribution)"


def test_rules_run_where_the_encoder_fails() -> None:
    nlp = light_pipeline()
    for name, method in (("model", "model"), ("rules", "rules")):
        nlp.add_pipe("onrecord_attribution", name=name, config={"method": method})
    needs = {name: "doc._.encoding" in nlp.get_pipe_meta(name).requires for name in nlp.pipe_names}
    assert needs == {"onrecord_segment": False, "model": True, "rules": False}


def test_the_better_reading_owns_the_tokens_and_the_cue() -> None:
    text = "“We will stay here,” said Ortiz, who added that the ships would wait."
    found = decoded(
        text,
        (["“We will stay here,”"], "said", "Ortiz", 2.0),
        (["“We will stay here,”"], "added", "who", 1.0),
        (["that the ships would wait"], "said", "Ortiz", 1.0),
    )
    assert contents(text, found) == [["“We will stay here,”"]]
    assert text[slice(*found[0].cue[0])] == "said"


def test_statements_below_the_threshold_are_dropped_and_others_sorted() -> None:
    text = "Lund said the ships would wait. “We will stay here,” said Ortiz. Abe hinted at a deal."
    found = decoded(
        text,
        (["“We will stay here,”"], "said Ortiz", "Ortiz", 1.0),
        (["the ships would wait"], "said", "Lund", 0.5),
        (["at a deal"], "hinted", "Abe", -1.0),
    )
    assert contents(text, found) == [["the ships would wait"], ["“We will stay here,”"]]
    assert [attribution.kind for attribution in found] == ["indirect", "direct"]


def test_marks_alone_are_no_content() -> None:
    text = "“We will stay here,” said Ortiz (“...”)."
    found = decoded(
        text,
        (["“We will stay here,”", "(“"], "said", "Ortiz", 2.0),
        (["“...”"], "Ortiz", None, 2.0),
    )
    assert contents(text, found) == [["“We will stay here,”"]]
    assert found[0].source


def test_a_score_is_the_logistic_of_weighted_evidence() -> None:
    weights = (0.5, -1.0, 2.0, 0.25, 0.1)
    found = Reading((0, 0), ((1, 2),), None, (1.0, 2.0, -0.5, -4.0))
    expected = 1 / (1 + np.exp(-(0.5 - 2.0 - 1.0 - 1.0 + 0.1)))
    assert calibrated_score(found, weights) == pytest.approx(expected)
    assert calibrated_score(Reading((0, 0), (), None, (0, 1e9, 0, 0)), CONFIG.calibration) < 1.0


ARTICLE = (
    "Port strike goes on\n\n“We will stay,” said Ortiz. “We have food for a month.\n\n"
    "“And we have friends.” Lund, of the port, warned: “Not for long!”\n\nShips wait."
)
ARTICLE_TOKENS = tokens_of(ARTICLE)


@st.composite
def readings(draw: st.DrawFn) -> list[Reading]:
    last = len(ARTICLE_TOKENS) - 1

    def place() -> tuple[int, int]:
        first = draw(st.integers(0, last))
        return first, draw(st.integers(first, min(last, first + 12)))

    return [
        Reading(
            place(),
            tuple(place() for _ in range(draw(st.integers(1, 3)))),
            place() if draw(st.booleans()) else None,
            (0.0, draw(st.floats(-3, 3)), 0.0, 0.0),
        )
        for _ in range(draw(st.integers(0, 8)))
    ]


@settings(max_examples=60)
@given(readings())
def test_no_token_and_no_cue_is_owned_twice(read: list[Reading]) -> None:
    tokens = ARTICLE_TOKENS
    chosen = decode(tokens, read, find_quotations(ARTICLE), CONFIG)
    owned = np.zeros(len(tokens), dtype=int)
    cued = np.zeros(len(tokens), dtype=int)
    for found, score in chosen:
        assert score >= CONFIG.threshold
        assert found.content
        for first, last in found.content:
            assert tokens.paragraph[first] == tokens.paragraph[last]
            owned[first : last + 1] += 1
        cued[found.cue[0] : found.cue[1] + 1] += 1
        attribution = to_attribution(tokens, found, score, "")
        parts = sorted((*attribution.content, *attribution.cue, *attribution.source))
        assert all(one.end <= other.start for one, other in pairwise(parts))
        assert all(ARTICLE[start:end].strip() for start, end in attribution.content)
    assert owned.max(initial=0) <= 1
    assert cued.max(initial=0) <= 1
    assert [found.content for found, _ in chosen] == sorted(found.content for found, _ in chosen)
