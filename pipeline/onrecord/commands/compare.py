"""``onrecord compare``: two runs on the same gold."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from onrecord.commands.output import errors_as_messages

EPILOG = """Example:

onrecord compare outputs/before outputs/after --gold gold.jsonl"""


def compare(
    run_a: Annotated[Path, typer.Argument(metavar="RUN_A", help="Run directory.")],
    run_b: Annotated[Path, typer.Argument(metavar="RUN_B", help="Run directory.")],
    gold: Annotated[
        list[Path], typer.Option("--gold", help="Gold file or folder; may be given repeatedly.")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="DIR", help="Directory for the report.")
    ] = None,
) -> None:
    """Say which of two runs is better, by how much, how surely, and in which articles."""
    with errors_as_messages():
        from onrecord.evaluation.compare import compare as compare_runs
        from onrecord.evaluation.compare import comparison_summary

        typer.echo(comparison_summary(compare_runs(run_a, run_b, gold, out=out)), nl=False)
