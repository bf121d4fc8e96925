"""``onrecord agreement``: annotators against each other."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from onrecord.commands.output import errors_as_messages

EPILOG = """Examples:

onrecord agreement anna.jsonl ben.jsonl

onrecord agreement double_annotated/ --skip 'trial_*'"""


def agreement(
    gold: Annotated[
        list[Path],
        typer.Argument(
            metavar="GOLD_A GOLD_B...",
            help="One gold file an annotator; or a folder of brat files ARTICLE_ANNOTATOR.ann.",
            show_default=False,
        ),
    ],
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="PATTERN", help="Article ids to take, as a shell pattern."),
    ] = None,
    skip: Annotated[
        list[str] | None,
        typer.Option(metavar="PATTERN", help="Article ids to leave out, as a shell pattern."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="DIR", help="Directory for the report.")
    ] = None,
) -> None:
    """Say how well annotators agree: the ceiling of what their gold can measure."""
    with errors_as_messages():
        from onrecord.evaluation.agreement import agreement as agree
        from onrecord.evaluation.agreement import agreement_summary

        typer.echo(
            agreement_summary(agree(gold, only=only or (), skip=skip or (), out=out)), nl=False
        )
