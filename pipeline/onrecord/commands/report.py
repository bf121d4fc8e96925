"""``onrecord report``: the HTML report of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from onrecord.commands.output import errors_as_messages
from onrecord.report import MAX_ARTICLES

EPILOG = """Examples:

onrecord report outputs/demo

onrecord report outputs/demo --out today.html"""


def report(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="A finished run.", show_default=False)
    ],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="File to write; DIR/report.html by default."),
    ] = None,
    max_articles: Annotated[
        int, typer.Option(min=1, help="Show the newest so many articles.")
    ] = MAX_ARTICLES,
) -> None:
    """Write one self-contained HTML page of a run: overview, statements, articles."""
    with errors_as_messages():
        from onrecord.report.page import report as write_report

        typer.echo(write_report(directory, out, max_articles=max_articles))
