"""Figures of a run for notebooks and papers; every function draws into Axes and returns them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from onrecord.report.posture import (
    SIDES,
    count_by_period,
    count_by_speaker,
    count_mentions_by,
    dated_quotes,
    quotes_of,
)
from onrecord.runs import Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# As in the HTML report; mixed is hatched so that colour is never the only sign.
COLOURS = {
    "defiant": "#b3261e",
    "conciliatory": "#0a6b63",
    "mixed": "#7a3fa0",
    "neutral": "#9aa1aa",
}
_HATCH = {"mixed": "///"}
_NAME_LENGTH = 32


def posture_by_speaker(run: Run, *, top: int = 15, ax: Axes | None = None) -> Axes:
    """Defiant statements to the left, conciliatory ones to the right, the most quoted on top.

    Mixed statements are hatched and count on both sides; neutral ones are only in the number
    beside the name.

    Args:
        run: the tables.
        top: so many of the most quoted speakers.
        ax: where to draw; a new figure if None.
    """
    table = count_by_speaker(run).head(top).iloc[::-1]
    ax = ax or _new_axes(7.5, 0.8 + 0.32 * max(len(table), 3))
    rows = range(len(table))
    for side, sign in (("defiant", -1), ("conciliatory", 1)):
        left = 0 * table["all"]
        for stance in SIDES[side]:
            width = sign * table[stance]
            label = stance if stance != "mixed" or sign < 0 else None
            ax.barh(rows, width, left=left, label=label, **_style(stance))
            left = left + width
    labels = [f"{_short(name)} ({n})" for name, n in zip(table["name"], table["all"], strict=True)]
    ax.set_yticks(list(rows), labels)
    _finish(ax, title="Posture by speaker", zero="vertical")
    ax.set_xlabel("statements: defiant to the left, conciliatory to the right")
    if len(table):
        ax.legend(frameon=False)
    return ax


def posture_over_time(
    run: Run, speaker: str | None = None, *, freq: str | None = None, ax: Axes | None = None
) -> Axes:
    """Conciliatory statements above the line and defiant ones below, by period in UTC.

    Args:
        run: the tables; articles without ``published_at`` are left out.
        speaker: ``speaker_id`` or name, also as one article gives it; every statement if None,
            also those of nobody named.
        freq: "D", "W", "M" or "Y"; if None, the finest that gives at most 40 periods.
        ax: where to draw; a new figure if None.

    Raises:
        UnknownSpeakerError: no statement is by this speaker.
    """
    quotes = dated_quotes(run) if speaker is None else quotes_of(run, speaker)
    whose = "all speakers" if speaker is None else _short(quotes["name"].iloc[0])
    table = count_by_period(quotes, freq)
    ax = ax or _new_axes(7.5, 3.2)
    rows = range(len(table))
    for side, sign in (("conciliatory", 1), ("defiant", -1)):
        bottom = 0 * table["neutral"]
        for stance in SIDES[side]:
            height = sign * table[stance]
            label = stance if stance != "mixed" or sign > 0 else None
            ax.bar(rows, height, bottom=bottom, label=label, **_style(stance))
            bottom = bottom + height
    every = max(1, math.ceil(len(table) / 8))
    names = [str(period).split("/")[0] for period in table.index]
    ax.set_xticks(list(rows)[::every], names[::every], rotation=30, ha="right")
    _finish(ax, title=f"Posture over time: {whose}", zero="horizontal")
    ax.set_ylabel("statements")
    ax.set_xlabel("published (UTC)")
    if len(table):
        ax.legend(frameon=False)
    else:
        ax.text(0.5, 0.5, "no dated statements", ha="center", transform=ax.transAxes)
    return ax


def speaker_network(run: Run, *, top: int = 12, ax: Axes | None = None) -> Axes:
    """Who names whom: an arrow where one speaker's statements name another speaker.

    Speakers stand in a circle, the most quoted on top, the size of a point after their number of
    statements. An arrow is as thick as it is frequent, and coloured by the mean stance score of
    the statements behind it: red and dashed below zero, green and solid above, grey and dotted
    where it is zero or no statement has a score.

    Args:
        run: the tables.
        top: so many of the most quoted speakers.
        ax: where to draw; a new figure if None.
    """
    speakers = count_by_speaker(run).head(top)
    pairs = count_mentions_by(run, top)
    ax = ax or _new_axes(7.5, 7)
    place = {
        key: (math.sin(turn), math.cos(turn))
        for number, key in enumerate(speakers.index)
        for turn in [2 * math.pi * number / max(len(speakers), 1)]
    }
    columns = (pairs[name].tolist() for name in ("speaker", "named", "n", "score"))
    for speaker, named, n, score in zip(*columns, strict=True):
        _arrow(ax, place[speaker], place[named], n, score)
    most = max(speakers["all"].max(), 1) if len(speakers) else 1
    for key, row in speakers.iterrows():
        x, y = place[key]
        ax.scatter([x], [y], s=60 + 400 * row["all"] / most, color="#3d4a5c", zorder=3)
        side = "left" if x > 0.1 else "right" if x < -0.1 else "center"
        ax.text(x * 1.14, y * 1.14, _short(row["name"]), ha=side, va="center")
    ax.set_xlim(-1.9, 1.9)
    ax.set_ylim(-1.35, 1.35)
    ax.set_aspect("equal")
    ax.set_axis_off()
    ax.set_title("Who names whom in statements", loc="left")
    return ax


def _arrow(
    ax: Axes, start: tuple[float, float], end: tuple[float, float], n: int, score: float
) -> None:
    # The mean of no scores is NaN, which is neither below zero nor above.
    stance, line = "neutral", ":"
    if score < 0:
        stance, line = "defiant", "--"
    elif score > 0:
        stance, line = "conciliatory", "-"
    ax.annotate(
        "",
        xy=end,
        xytext=start,
        arrowprops={
            "arrowstyle": "-|>",
            "color": COLOURS[stance],
            "linestyle": line,
            "linewidth": 0.8 + math.log2(n + 1),
            "connectionstyle": "arc3,rad=0.15",
            "shrinkA": 9,
            "shrinkB": 11,
        },
    )


def _new_axes(width: float, height: float) -> Axes:
    from matplotlib import pyplot

    return pyplot.subplots(figsize=(width, height), layout="constrained")[1]


def _style(stance: str) -> dict[str, Any]:
    hatch = _HATCH.get(stance)
    if hatch is None:
        return {"color": COLOURS[stance]}
    return {"facecolor": "white", "edgecolor": COLOURS[stance], "hatch": hatch, "linewidth": 0.5}


def _finish(ax: Axes, *, title: str, zero: str) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    counts = ax.xaxis if zero == "vertical" else ax.yaxis
    counts.set_major_locator(MaxNLocator(integer=True))
    counts.set_major_formatter(FuncFormatter(lambda value, _: f"{abs(value):.0f}"))
    (ax.axvline if zero == "vertical" else ax.axhline)(0, color="#1d1f23", linewidth=0.8)
    for edge in ("top", "right", "left" if zero == "vertical" else "bottom"):
        ax.spines[edge].set_visible(False)
    ax.set_title(title, loc="left")


def _short(name: str) -> str:
    # "$" would start mathematical text.
    name = " ".join(name.split()).replace("$", r"\$")
    return name if len(name) <= _NAME_LENGTH else name[: _NAME_LENGTH - 1] + "…"
