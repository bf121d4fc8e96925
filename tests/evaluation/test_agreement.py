"""Agreement of annotators, and the published values of PolNeAR where its data is at hand."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import krippendorff
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gold_samples import article, at
from onrecord.evaluation.agreement import (
    _add,
    agreement,
    agreement_of,
    agreement_summary,
    alpha_metrics,
)
from onrecord.evaluation.formats import write_format
from onrecord.evaluation.gold import GoldArticle, GoldError, write_gold

DATA = os.environ.get("ONRECORD_DATA")


def other(gold: GoldArticle) -> GoldArticle:
    """Another annotator: one statement missing, one boundary and one stance different."""
    first, second, third, _ = gold.attributions or ()
    return replace(
        gold,
        attributions=(
            replace(first, content=(at("latest offer"),), stance="neutral"),
            second,
            third,
        ),
    )


def by_id(*articles: GoldArticle) -> dict[str, GoldArticle]:
    return {a.id: a for a in articles}


def test_an_annotator_agrees_with_herself() -> None:
    one = by_id(article("a"), article("b"))
    result = agreement_of([one, one])
    assert all(
        interval.value == 1.0 for scores in result.scores.values() for interval in scores.values()
    )
    assert {name: interval.value for name, interval in result.alpha.items()} == dict.fromkeys(
        ("content", "cue", "source", "roles", "entities", "sentence_starts", "stance"), 1.0
    )
    assert "ece" not in result.scores["stance"]


def test_agreement_does_not_depend_on_the_order() -> None:
    one, two = by_id(article("a"), article("b")), by_id(other(article("a")), article("b"))
    forth, back = agreement_of([one, two]), agreement_of([two, one])
    assert forth.scores == back.scores
    assert forth.alpha == back.alpha
    found = forth.scores["attribution"]
    assert found["precision"].value == found["recall"].value == pytest.approx(14 / 15)
    assert found["f1"].n == 15


def test_three_annotators_make_six_pairs() -> None:
    one = by_id(article("a"))
    result = agreement_of([one, one, by_id(other(article("a")))])
    assert result.n_pairs == 6
    # Two of six ordered pairs agree fully (4 of 4), four share 3 of 4 and 3 statements.
    assert result.scores["attribution"]["f1"].value == pytest.approx(
        (2 * 8 + 4 * 6) / (2 * 8 + 4 * 7)
    )


@given(
    st.integers(2, 4).flatmap(
        lambda coders: st.lists(
            st.lists(st.sampled_from("abc"), min_size=coders, max_size=coders),
            min_size=2,
            max_size=20,
        )
    )
)
def test_alpha_agrees_with_krippendorff(units: list[list[str]]) -> None:
    coders = [list(values) for values in zip(*units, strict=True)]
    if len({value for values in units for value in values}) < 2:
        return
    counts: dict[str, float] = {}
    _add(counts, "role", coders)
    theirs = krippendorff.alpha(
        np.array([["abc".index(v) for v in values] for values in coders]),
        level_of_measurement="nominal",
    )
    assert float(alpha_metrics(counts)["role"].value) == pytest.approx(theirs)


def test_alpha_without_any_disagreement_to_expect() -> None:
    counts: dict[str, float] = {}
    _add(counts, "role", [["a", "a"], ["a", "a"]])
    assert np.isnan(alpha_metrics(counts)["role"].value)


def test_gold_files_of_two_annotators(tmp_path: Path) -> None:
    write_gold([article("a"), article("b"), article("alone")], tmp_path / "anna.jsonl")
    write_gold([other(article("a")), article("b")], tmp_path / "ben.jsonl")
    paths = [tmp_path / "anna.jsonl", tmp_path / "ben.jsonl"]
    result = agreement(paths, out=tmp_path / "out")
    assert result.article_ids == ["a", "b"]
    assert result.warnings == {"articles of a single annotator: left out": 1}
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"agreement.json", "agreement.md"}
    assert "## Krippendorff's alpha" in agreement_summary(result)
    assert agreement(paths, skip=["b"]).article_ids == ["a"]
    assert agreement(paths, only=["b"]).article_ids == ["b"]


def test_brat_folder_of_several_annotators(tmp_path: Path) -> None:
    for name, labelled in (("anna", article()), ("ben", other(article()))):
        write_format("brat", [labelled], tmp_path)
        (tmp_path / "strike.ann").rename(tmp_path / f"strike_{name}.ann")
    result = agreement([tmp_path])
    assert result.n_annotators == 2
    assert result.scores["attribution"]["f1"].value == pytest.approx(6 / 7)


def test_one_annotator_is_refused(tmp_path: Path) -> None:
    write_gold([article()], tmp_path / "anna.jsonl")
    with pytest.raises(GoldError, match="needs two annotators"):
        agreement([tmp_path / "anna.jsonl"])


def test_nothing_in_common_is_refused() -> None:
    with pytest.raises(GoldError, match="no article id in common"):
        agreement_of([by_id(article("a")), by_id(article("b"))])


def test_another_text_is_refused() -> None:
    changed = GoldArticle("a", article().text + " More.", attributions=())
    with pytest.raises(GoldError, match="has another text"):
        agreement_of([by_id(article("a")), by_id(changed)])


@pytest.mark.slow
@pytest.mark.skipif(DATA is None, reason="ONRECORD_DATA names no folder of training data")
@pytest.mark.parametrize(
    ("only", "skip", "n_articles", "f1", "soft", "exact"),
    [
        (
            [],
            ["breitbart_2016-03-11_*", "wash-post_2016-09-26_*", "politico_2016-09-08_*"],
            16, 0.733, 0.848, 0.681,
        ),
        (["breitbart_2016-03-11_*"], [], 4, 0.763, None, None),
    ],
)  # fmt: skip
def test_polnear_annotators(
    only: list[str],
    skip: list[str],
    n_articles: int,
    f1: float,
    soft: float | None,
    exact: float | None,
) -> None:
    folder = Path(str(DATA)) / "polnear" / "double_annotated"
    result = agreement([folder], only=only, skip=skip, draws=20)
    assert len(result.article_ids) == n_articles
    found = result.scores["attribution"]
    assert round(found["f1"].value, 3) == f1
    assert soft is None or round(found["content_soft_f1"].value, 3) == soft
    assert exact is None or round(found["content_exact_f1"].value, 3) == exact
