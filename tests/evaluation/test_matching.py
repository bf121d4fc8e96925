"""Matching of statements, and the counts of the attribution scores."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onrecord.evaluation.kinds import kind_by_marks
from onrecord.evaluation.matching import (
    AttributionCounts,
    characters_of,
    iou,
    match_attributions,
    score_attributions,
)
from onrecord.quotation import find_quotations

TEXT = '"We will not sell the port," said Ms Ochieng, the mayor. Critics doubt that she can refuse.'


@dataclass(frozen=True)
class Statement:
    content: tuple[tuple[int, int], ...]
    cue: tuple[tuple[int, int], ...] = ()
    source: tuple[tuple[int, int], ...] = ()
    kind: str | None = None


def spans(*pieces: str, text: str = TEXT) -> tuple[tuple[int, int], ...]:
    found = []
    for piece in pieces:
        start = text.index(piece)
        found.append((start, start + len(piece)))
    return tuple(found)


def statement(
    content: str, source: str | None = None, cue: str | None = None, kind: str | None = None
) -> Statement:
    return Statement(
        spans(content),
        spans(cue) if cue else (),
        spans(source) if source else (),
        kind,
    )


PORT = statement('"We will not sell the port,"', "Ms Ochieng, the mayor", "said", "direct")
DOUBT = statement("that she can refuse", "Critics", "doubt", "indirect")


@pytest.mark.parametrize(
    ("pieces", "kept"),
    [
        (('"We will not sell the port,"',), "Wewillnotselltheport"),
        (("port,", "said"), "port,said"),
        ((" Critics ",), "Critics"),
        ((", the mayor.",), "themayor"),
    ],
)
def test_ends_are_trimmed_and_space_does_not_count(pieces: tuple[str, ...], kept: str) -> None:
    positions = sorted(characters_of(TEXT, spans(*pieces)))
    assert "".join(TEXT[i] for i in positions) == kept


def test_a_span_of_marks_alone_keeps_them() -> None:
    assert characters_of("He said: «?!»", [(9, 13)]) == {9, 10, 11, 12}


@pytest.mark.parametrize("span", [(5, 5), (-1, 3), (3, 400), (6, 2)])
def test_a_span_outside_the_text_is_refused(span: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="half-open code points"):
        characters_of(TEXT, [span])


def test_adjacent_spans_do_not_overlap() -> None:
    word = TEXT.index("Critics")
    left, right = (
        characters_of(TEXT, [(word, word + 4)]),
        characters_of(TEXT, [(word + 4, word + 7)]),
    )
    assert iou(left, right) == 0.0


def test_two_missing_sources_agree() -> None:
    assert iou(frozenset(), frozenset()) == 1.0
    assert iou(frozenset(), frozenset({3})) == 0.0


@pytest.mark.parametrize(
    ("predicted", "f1", "exact", "source_given_content"),
    [
        ([PORT, DOUBT], 1.0, 1.0, 1.0),
        # Marks and the comma left outside are no error.
        ([statement("We will not sell the port", "Ms Ochieng"), DOUBT], 1.0, 1.0, 1.0),
        # The source is somebody else.
        ([statement("We will not sell the port", "Critics"), DOUBT], 0.5, 1.0, 0.5),
        # More than half of the content.
        ([statement("We will not sell", "Ms Ochieng"), DOUBT], 1.0, 0.5, 1.0),
        # Less than half of it.
        ([statement("the port", "Ms Ochieng"), DOUBT], 0.5, 0.5, 1.0),
        # The source is left out.
        ([statement("We will not sell the port"), DOUBT], 0.5, 1.0, 0.5),
        # A statement said twice is found once.
        ([PORT, PORT, DOUBT], 0.8, 0.8, 1.0),
    ],
)
def test_scores(
    predicted: list[Statement], f1: float, exact: float, source_given_content: float
) -> None:
    scores = score_attributions(TEXT, [PORT, DOUBT], predicted).metrics()
    assert scores["f1"] == pytest.approx(f1)
    assert scores["content_exact_f1"] == pytest.approx(exact)
    assert scores["source_given_content"] == pytest.approx(source_given_content)


def test_soft_overlap_is_the_best_covered_share() -> None:
    scores = score_attributions(TEXT, [PORT], [statement("We will not")]).metrics()
    recall, precision = len("Wewillnot") / len("Wewillnotselltheport"), 1.0
    assert scores["content_soft_f1"] == pytest.approx(2 * recall / (recall + precision))


def test_empty_prediction_scores_zero() -> None:
    scores = score_attributions(TEXT, [PORT, DOUBT], []).metrics()
    assert scores["f1"] == scores["recall"] == scores["content_soft_f1"] == 0.0
    assert "precision" not in scores
    assert "source_given_content" not in scores


def test_nothing_to_find_and_nothing_found_has_no_score() -> None:
    assert score_attributions(TEXT, [], []).metrics() == {}


def test_kinds_are_counted_apart() -> None:
    misread = Statement(PORT.content, PORT.cue, PORT.source, "mixed")
    scores = score_attributions(TEXT, [PORT, DOUBT], [misread, DOUBT]).metrics()
    assert scores["direct_recall"] == 1.0
    assert scores["mixed_precision"] == 1.0
    assert "direct_precision" not in scores
    assert scores["indirect_f1"] == 1.0


def test_counts_add_up_over_articles() -> None:
    one = score_attributions(TEXT, [PORT], [PORT])
    other = score_attributions(TEXT, [DOUBT], [])
    both = one + other
    assert both.overall.n_gold == 2
    assert both.by_kind["direct"].right_gold == 1
    assert both.metrics()["recall"] == 0.5
    assert AttributionCounts() + both == both


@pytest.mark.parametrize(
    ("text", "content", "kind"),
    [
        ('"No," he said.', ['"No,"'], "direct"),
        ("He said no deal was near.", ["no deal was near"], "indirect"),
        ('He called it "a farce" and left.', ['it "a farce"'], "mixed"),
        ('"No," he said. "Never."', ['"No,"', '"Never."'], "direct"),
        ("“Nein”, sagte er.", ["Nein"], "direct"),
    ],
)
def test_kind_by_marks(text: str, content: list[str], kind: str) -> None:
    assert kind_by_marks(text, spans(*content, text=text), find_quotations(text)) == kind


def _span() -> st.SearchStrategy[tuple[int, int]]:
    edges = st.tuples(st.integers(0, len(TEXT)), st.integers(0, len(TEXT)))
    ordered = edges.map(lambda e: (min(e), max(e)))
    return ordered.filter(lambda e: bool(TEXT[e[0] : e[1]].strip()))


STATEMENTS = st.lists(
    st.builds(
        Statement,
        content=st.lists(_span(), min_size=1, max_size=2).map(tuple),
        cue=st.lists(_span(), max_size=1).map(tuple),
        source=st.lists(_span(), max_size=1).map(tuple),
        kind=st.sampled_from(["direct", "indirect", "mixed", None]),
    ),
    max_size=5,
)


@given(STATEMENTS.filter(bool))
def test_perfect_prediction_scores_one(gold: list[Statement]) -> None:
    scores = score_attributions(TEXT, gold, gold).metrics()
    assert scores["content_exact_f1"] == 1.0
    assert scores["content_soft_f1"] == pytest.approx(1.0)
    # Two gold statements of equal content may swap their sources; nothing else costs a point.
    if len({characters_of(TEXT, a.content) for a in gold}) == len(gold):
        assert scores["f1"] == 1.0


@given(STATEMENTS, STATEMENTS)
def test_scores_are_symmetric(gold: list[Statement], predicted: list[Statement]) -> None:
    forth = score_attributions(TEXT, gold, predicted).metrics()
    back = score_attributions(TEXT, predicted, gold).metrics()
    for name in ("f1", "content_f1", "content_exact_f1", "content_soft_f1"):
        assert forth.get(name) == pytest.approx(back.get(name))
    assert forth.get("precision") == back.get("recall")


@given(STATEMENTS, STATEMENTS)
def test_matches_are_one_to_one(gold: list[Statement], predicted: list[Statement]) -> None:
    matches = match_attributions(TEXT, gold, predicted)
    assert len({m.gold for m in matches}) == len({m.predicted for m in matches}) == len(matches)
    assert all(0.5 <= m.content_iou <= 1.0 for m in matches)


@given(STATEMENTS, STATEMENTS.filter(bool), st.data())
def test_dropping_a_prediction_never_finds_more(
    gold: list[Statement], predicted: list[Statement], data: st.DataObject
) -> None:
    dropped = data.draw(st.integers(0, len(predicted) - 1))
    fewer = predicted[:dropped] + predicted[dropped + 1 :]
    before = score_attributions(TEXT, gold, predicted).overall
    after = score_attributions(TEXT, gold, fewer).overall
    assert after.content_gold <= before.content_gold
    assert after.exact_gold <= before.exact_gold
    assert after.soft_gold <= before.soft_gold + 1e-9


@given(STATEMENTS, st.data())
def test_dropping_a_correct_statement_lowers_recall(
    gold: list[Statement], data: st.DataObject
) -> None:
    if not gold or len({characters_of(TEXT, a.content) for a in gold}) < len(gold):
        return
    dropped = data.draw(st.integers(0, len(gold) - 1))
    scores = score_attributions(TEXT, gold, gold[:dropped] + gold[dropped + 1 :]).metrics()
    assert scores["recall"] < 1.0
