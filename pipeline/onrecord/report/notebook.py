"""How a run shows itself in a notebook."""

from __future__ import annotations

import html

from onrecord.report.figures import COLOURS
from onrecord.report.posture import count_by_speaker
from onrecord.runs import Run

_SHOWN = 5


def run_html(run: Run) -> str:
    """A run as HTML: its counts, and the most quoted speakers by posture. Everything is escaped."""
    counts = ", ".join(
        f"{run.table(name).num_rows:,} {name}"
        for name in ("articles", "quotes", "actors", "errors")
    )
    speakers = count_by_speaker(run).head(_SHOWN)
    stances = list(COLOURS)
    head = "".join(
        f'<th style="color:{COLOURS[name] if name != "neutral" else "inherit"}">{name}</th>'
        for name in stances
    )
    rows = "".join(
        f'<tr><td style="text-align:left">{html.escape(row["name"][:80])}</td>'
        + "".join(f"<td>{row[name]}</td>" for name in stances)
        + f"<td>{row['all']}</td></tr>"
        for _, row in speakers.iterrows()
    )
    return (
        f"<p><strong>onrecord run</strong>: {counts}</p><table><thead><tr>"
        f'<th style="text-align:left">most quoted</th>{head}<th>all</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )
