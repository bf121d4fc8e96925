"""Counts of postures, the figures drawn from them, and a run's display in a notebook."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pandas as pd
import pytest
from changed_run import change_quotes, without_scores
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.colors import to_hex

import onrecord
from gold_run import make_run, simple_article
from onrecord import plots
from onrecord.records import STANCES
from onrecord.report.figures import COLOURS
from onrecord.report.posture import (
    UnknownSpeakerError,
    count_by_period,
    count_by_speaker,
    count_mentions_by,
    quotes_of,
)
from onrecord.runs import Run


@pytest.fixture(autouse=True)
def _close_figures() -> Iterator[None]:
    yield
    pyplot.close("all")


def _run_of(*statements: tuple[str, str, int | None]) -> Run:
    """One article a statement, given as (speaker, stance, day of May)."""
    return make_run(
        simple_article(
            f"“We heard Lindqvist,” said {speaker}.",
            [("We heard Lindqvist", "said", speaker)],
            article_id=f"a{number}",
            stance=stance,
            published_at=day and datetime(2026, 5, day, 23, 30, tzinfo=UTC),
        )
        for number, (speaker, stance, day) in enumerate(statements)
    )


def test_counts_agree_with_the_actors_table(run: Run) -> None:
    counts = count_by_speaker(run)
    actors = run.actors.set_index("entity_id")
    with_id = counts[~counts.index.str.startswith("name:")]
    assert len(with_id) > 20
    for key, row in with_id.iterrows():
        actor = actors.loc[key]
        assert row["name"] == actor["name"]
        assert row["all"] == actor["n_quotes"]
        assert row["defiant"] + row["mixed"] == actor["n_defiant"]
        assert row["conciliatory"] + row["mixed"] == actor["n_conciliatory"]
    assert counts["all"].sum() == run.quotes["speaker"].notna().sum()
    assert counts["all"].is_monotonic_decreasing


def test_a_speaker_whose_statements_have_no_stance_is_counted() -> None:
    run = change_quotes(_run_of(("Ortiz", "defiant", 2)), without_scores)
    (speaker,) = count_by_speaker(run).to_dict("records")
    assert speaker == {"name": "Ortiz", **dict.fromkeys(STANCES, 0), "all": 1}


def test_statements_without_a_stance_have_their_periods() -> None:
    scored = _run_of(("Ortiz", "defiant", 2), ("Ortiz", "defiant", 4))
    run = change_quotes(scored, without_scores)
    table = count_by_period(quotes_of(run, "Ortiz"))
    assert [str(period) for period in table.index] == ["2026-05-02", "2026-05-03", "2026-05-04"]
    assert list(table.columns) == list(STANCES)
    assert not table.to_numpy().any()
    assert isinstance(plots.posture_over_time(run), Axes)


def test_periods_without_statements_are_there() -> None:
    run = _run_of(("Ortiz", "defiant", 2), ("Ortiz", "conciliatory", 5), ("Ortiz", "defiant", None))
    table = count_by_period(quotes_of(run, "Ortiz"))
    assert [str(period) for period in table.index] == [f"2026-05-0{day}" for day in (2, 3, 4, 5)]
    assert table["defiant"].tolist() == [1, 0, 0, 0]
    assert table["conciliatory"].tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize(("days", "freq"), [(30, "D"), (200, "W-SUN"), (900, "M"), (4000, "Y-DEC")])
def test_periods_are_as_fine_as_can_be_read(days: int, freq: str) -> None:
    times = pd.to_datetime(["2015-01-05", pd.Timestamp("2015-01-05") + pd.Timedelta(days=days)])
    quotes = pd.DataFrame({"stance": "defiant", "published_at": times})
    table = count_by_period(quotes)
    assert table.index.freqstr == freq
    assert table["defiant"].sum() == 2


def test_a_speaker_is_found_by_name_and_by_id(run: Run) -> None:
    by_name = quotes_of(run, "Graham Tolland")
    by_id = quotes_of(run, "person:graham-tolland")
    assert len(by_name) == len(by_id) == (run.quotes["speaker"] == "Graham Tolland").sum() > 5
    most = re.escape(count_by_speaker(run)["name"].iloc[0])
    with pytest.raises(UnknownSpeakerError, match=rf"'Nobody'.*the most quoted are '{most}'"):
        quotes_of(run, "Nobody")


def test_a_speaker_is_found_by_the_name_that_one_article_gives() -> None:
    run = _run_of(("Ortiz", "defiant", 2), ("Ortiz", "defiant", 3), ("Okafor", "defiant", 4))
    spelled = change_quotes(
        run, lambda row: row | {"speaker": "Señora Ortiz"} if row["article_id"] == "a1" else row
    )
    assert quotes_of(spelled, "Señora Ortiz").equals(quotes_of(spelled, "Ortiz"))
    assert len(quotes_of(spelled, "Señora Ortiz")) == 2


def test_mentions_count_once_a_statement() -> None:
    run = make_run(
        [
            simple_article(
                "“Lindqvist, Lindqvist, I know no Lindqvist,” said Ortiz.",
                [("Lindqvist, Lindqvist, I know no Lindqvist", "said", "Ortiz")],
                named=["Lindqvist"],
            ),
            simple_article(
                "“Enough,” said Lindqvist of Ortiz.",
                [("Enough", "said", "Lindqvist")],
                article_id="a2",
                named=["Ortiz"],
            ),
        ]
    )
    (pair,) = count_mentions_by(run, 5).to_dict("records")
    assert (pair["speaker"], pair["named"], pair["n"]) == ("person:ortiz", "person:lindqvist", 1)
    assert pair["score"] == pytest.approx(0.05 - 0.9)


def test_posture_by_speaker_draws_both_sides(run: Run) -> None:
    ax = plots.posture_by_speaker(run, top=5)
    assert isinstance(ax, Axes)
    counts = count_by_speaker(run).head(5)
    widths = [bar.get_width() for bar in ax.patches]
    assert sum(w for w in widths if w < 0) == -(counts["defiant"] + counts["mixed"]).sum()
    assert sum(w for w in widths if w > 0) == (counts["conciliatory"] + counts["mixed"]).sum()
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels[-1] == f"{counts['name'].iloc[0]} ({counts['all'].iloc[0]})"


def test_posture_over_time_draws_into_given_axes() -> None:
    run = _run_of(("Ortiz", "defiant", 2), ("Ortiz", "conciliatory", 5), ("Okafor", "defiant", 3))
    _, given = pyplot.subplots()
    ax = onrecord.plots.posture_over_time(run, "Ortiz", ax=given)
    assert ax is given
    heights = sorted(bar.get_height() for bar in ax.patches if bar.get_height())
    assert heights == [-1, 1]
    assert "Ortiz" in ax.get_title(loc="left")


def test_posture_over_time_without_dates_says_so() -> None:
    ax = plots.posture_over_time(_run_of(("Ortiz", "defiant", None)), "Ortiz")
    assert [text.get_text() for text in ax.texts] == ["no dated statements"]


def test_speaker_network_places_every_speaker(run: Run) -> None:
    ax = plots.speaker_network(run, top=8)
    names = {text.get_text() for text in ax.texts} - {""}
    assert names == set(count_by_speaker(run)["name"].head(8))


def test_an_arrow_without_a_score_takes_no_side() -> None:
    statements = [
        ("“Ortiz heard us,” said Okafor.", "Ortiz heard us", "Okafor"),
        ("“Okafor left,” said Ortiz.", "Okafor left", "Ortiz"),
    ]
    run = make_run(
        simple_article(
            text, [(content, "said", speaker)], article_id=speaker, named=["Ortiz", "Okafor"]
        )
        for text, content, speaker in statements
    )
    for shown, colour in ((run, "defiant"), (change_quotes(run, without_scores), "neutral")):
        ax = plots.speaker_network(shown)
        arrows = [text.arrow_patch for text in ax.texts if getattr(text, "arrow_patch", None)]
        assert len(arrows) == 2
        assert {to_hex(arrow.get_edgecolor()) for arrow in arrows} == {COLOURS[colour]}


@pytest.mark.parametrize("draw", [plots.posture_by_speaker, plots.speaker_network])
def test_figures_of_a_run_without_statements(draw: object) -> None:
    assert isinstance(draw(make_run([])), Axes)  # type: ignore[operator]


def test_a_run_shows_itself_in_a_notebook(run: Run) -> None:
    shown = run._repr_html_()
    assert f"{len(run.articles)} articles, {len(run.quotes)} quotes" in shown
    assert count_by_speaker(run)["name"].iloc[0] in shown


def test_a_notebook_shows_a_run_without_unpacking_its_texts(run: Run) -> None:
    fresh = Run(run.table)
    fresh._repr_html_()
    assert not {"articles", "sentences", "entities", "errors"} & set(vars(fresh))


def test_names_are_escaped_in_a_notebook() -> None:
    run = _run_of(("<b onclick=x>", "defiant", None))
    assert "&lt;b onclick=x&gt;" in run._repr_html_()
    assert "<b onclick" not in run._repr_html_()
