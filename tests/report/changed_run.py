"""Runs that differ from another in some statements."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

from onrecord.records import SCHEMAS
from onrecord.runs import Run
from onrecord.tables import Row

_SCORES = ("stance", "stance_score", "p_defiance", "p_conciliation")


def change_quotes(run: Run, change: Callable[[Row], Row]) -> Run:
    """The run with every row of ``quotes`` changed."""
    rows = [change(row) for row in run.table("quotes").to_pylist()]
    quotes = pa.Table.from_pylist(rows, schema=SCHEMAS["quotes"])
    return Run(lambda name: quotes if name == "quotes" else run.table(name), run.info)


def without_scores(row: Row) -> Row:
    """A statement as it is where the stage of stance failed on its article."""
    return row | dict.fromkeys(_SCORES)
