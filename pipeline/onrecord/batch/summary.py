"""What a run came to: a table on a terminal, one plain line in a log."""

from __future__ import annotations

from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table
from rich.text import Text

from onrecord.batch.options import RunSummary

# Tables whose rows are told apart in the summary, and by which column.
_TOLD_APART = {"quotes": "stance", "errors": "kind"}


def tell_summary(console: Console, summary: RunSummary) -> None:
    """Say where the tables are and how many rows they have."""
    if console.is_terminal:
        console.print(_summary_table(summary))
        return
    counts = ", ".join(f"{n:,} {name}" for name, n in summary.counts.items())
    console.print(Text(f"{summary.path}: {counts} ({summary.seconds:.1f} s)"), soft_wrap=True)


def _summary_table(summary: RunSummary) -> Table:
    table = Table(
        title=Text(f"{summary.path} ({summary.seconds:.1f} s)"),
        title_justify="left",
        title_style="bold",
    )
    table.add_column("table")
    table.add_column("rows", justify="right")
    table.add_column("of these")
    for name, rows in summary.counts.items():
        parts = _counts_by(summary.path / name, _TOLD_APART[name]) if name in _TOLD_APART else ""
        style = "bold red" if name == "errors" and rows else ""
        table.add_row(name, f"{rows:,}", parts, style=style)
    return table


def _counts_by(folder: Path, column: str) -> str:
    """As ``54 defiant, 18 conciliatory``, the most frequent first."""
    values = pq.read_table(folder, columns=[column])[column].drop_null()
    counts = {count["values"].as_py(): count["counts"].as_py() for count in pc.value_counts(values)}
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{n:,} {value}" for value, n in ordered)
