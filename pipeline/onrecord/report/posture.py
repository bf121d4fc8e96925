"""Statements counted by posture: by speaker, over time, and between speakers."""

from __future__ import annotations

import pandas as pd

from onrecord.records import STANCES
from onrecord.runs import Run

# A mixed statement counts on both sides, as it does in the actors table and in the scores.
SIDES = {"defiant": ("defiant", "mixed"), "conciliatory": ("conciliatory", "mixed")}


class UnknownSpeakerError(ValueError):
    """No statement of the run is by this speaker."""


def named_quotes(run: Run) -> pd.DataFrame:
    """Statements whose speaker is named, with one ``name`` a speaker for the whole run.

    Speakers are told apart by ``speaker_id``, by their name where they have none.
    """
    quotes = run.quotes[run.quotes["speaker"].notna()].copy()
    names = run.actors.set_index("entity_id")["name"]
    quotes["name"] = quotes["speaker_id"].map(names).fillna(quotes["speaker"])
    quotes["key"] = quotes["speaker_id"].fillna("name:" + quotes["speaker"])
    return quotes


def count_by_speaker(run: Run) -> pd.DataFrame:
    """Statements by speaker and posture, the most quoted speaker first.

    Returns:
        One row a speaker, indexed by ``key``; columns ``name``, one count a stance, ``all``.
    """
    quotes = named_quotes(run)
    grouped = quotes.groupby("key")
    table = _count_stances(quotes["stance"], quotes["key"]).assign(all=grouped.size())
    table.insert(0, "name", grouped["name"].first())
    return table.sort_values(["all", "name"], ascending=[False, True])


def _count_stances(stances: pd.Series, by: pd.Series) -> pd.DataFrame:
    """Statements of each stance, a column each; what was not scored still has its row."""
    marked = pd.DataFrame({stance: (stances == stance).astype(int) for stance in STANCES})
    return marked.groupby(by).sum()


def quotes_of(run: Run, speaker: str) -> pd.DataFrame:
    """Every statement of one speaker, with ``published_at``.

    Args:
        run: the tables.
        speaker: a ``speaker_id``; or a name as in ``actors``; or, where no actor has that name, as
            in the column ``speaker`` of some statement.

    Raises:
        UnknownSpeakerError: no statement is by this speaker.
    """
    quotes = named_quotes(run)
    # An article may know a speaker by another name than the run does.
    keys = next(
        (
            quotes.loc[same, "key"]
            for column in ("speaker_id", "name", "speaker")
            if (same := quotes[column] == speaker).any()
        ),
        None,
    )
    if keys is None:
        known = ", ".join(repr(name) for name in count_by_speaker(run)["name"].head(5))
        raise UnknownSpeakerError(
            f"no statement by {speaker!r} in this run; the most quoted are {known}"
        )
    return _with_times(run, quotes[quotes["key"].isin(keys)])


def dated_quotes(run: Run) -> pd.DataFrame:
    """Every statement, with ``published_at`` of its article."""
    return _with_times(run, run.quotes)


def _with_times(run: Run, quotes: pd.DataFrame) -> pd.DataFrame:
    times = run.articles[["article_id", "published_at"]]
    return quotes.merge(times, on="article_id", how="left")


def count_by_period(quotes: pd.DataFrame, freq: str | None = None) -> pd.DataFrame:
    """Statements by period and posture; periods without statements are there with zeros.

    Args:
        quotes: statements with ``stance`` and ``published_at``; undated ones are left out.
        freq: "D", "W", "M" or "Y"; if None, the finest that gives at most 40 periods.

    Returns:
        One row a period (a ``PeriodIndex``), one column a stance. Empty without dates.
    """
    dated = quotes[quotes["published_at"].notna()]
    if dated.empty:
        return pd.DataFrame(columns=list(STANCES), dtype=int)
    times = pd.to_datetime(dated["published_at"], utc=True).dt.tz_localize(None)
    if freq is None:
        freq = _fitting_freq(times)
    periods = times.dt.to_period(freq)
    every = pd.period_range(periods.min(), periods.max(), freq=freq, name="period")
    return _count_stances(dated["stance"], periods).reindex(every, fill_value=0)


def _fitting_freq(times: pd.Series, most: int = 40) -> str:
    for freq in ("D", "W", "M"):
        span = pd.period_range(times.min(), times.max(), freq=freq)
        if len(span) <= most:
            return freq
    return "Y"


def count_mentions_by(run: Run, top: int) -> pd.DataFrame:
    """How often the most quoted speakers name each other in their statements.

    Args:
        run: the tables.
        top: so many of the most quoted speakers.

    Returns:
        One row a pair: ``speaker`` and ``named`` (keys), ``n``, and ``score``, the mean stance
        score of the statements in which it happens.
    """
    keys = count_by_speaker(run).head(top).index
    quotes = named_quotes(run)
    quotes = quotes[quotes["key"].isin(keys)]
    pieces = quotes[["article_id", "quote_id", "key", "stance_score", "content_spans"]].explode(
        "content_spans"
    )
    pieces["from"] = [int(span[0]) for span in pieces["content_spans"]]
    pieces["to"] = [int(span[1]) for span in pieces["content_spans"]]
    mentions = run.entities[run.entities["entity_id"].isin(keys)]
    mentions = mentions[["article_id", "start", "end", "entity_id"]]
    pairs = pieces.merge(mentions, on="article_id")
    inside = (pairs["start"] >= pairs["from"]) & (pairs["end"] <= pairs["to"])
    pairs = pairs[inside & (pairs["entity_id"] != pairs["key"])]
    pairs = pairs.drop_duplicates(["article_id", "quote_id", "entity_id"])
    grouped = pairs.groupby(["key", "entity_id"])["stance_score"]
    table = grouped.agg(n="size", score="mean").reset_index()
    return table.rename(columns={"key": "speaker", "entity_id": "named"})
