"""``onrecord evaluate``: a run or a model against gold."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from onrecord.commands.output import errors_as_messages

EPILOG = """Examples:

onrecord evaluate gold.jsonl --out outputs/evaluation

onrecord evaluate gold/ --run outputs/today --out outputs/evaluation

The directory gets metrics.json, details.json, summary.md, figures, errors.html and
errors.parquet. Without --out the summary is printed and nothing is written."""


def evaluate(
    gold: Annotated[
        list[Path],
        typer.Argument(
            metavar="GOLD...",
            help="Gold files (jsonl, json), or folders of them.",
            show_default=False,
        ),
    ],
    run: Annotated[
        Path | None, typer.Option("--run", metavar="DIR", help="Score the tables of this run.")
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            "--model", metavar="DIR", help="Score this model folder; the shipped one by default."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="DIR", help="Directory for the report.")
    ] = None,
    entities: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Known entities, as for run.")
    ] = None,
    attribution: Annotated[
        str, typer.Option(help="'model', or 'rules' for the deterministic stage.")
    ] = "model",
) -> None:
    """Score a run or a model against gold, with intervals, stage by stage and end to end."""
    if run is not None and (model is not None or entities is not None):
        raise typer.BadParameter(
            "--run scores what the run says with its own configuration; it goes with neither "
            "--model nor --entities"
        )
    if attribution not in ("model", "rules"):
        raise typer.BadParameter(
            f"{attribution!r} is neither model nor rules", param_hint="--attribution"
        )
    with errors_as_messages():
        from onrecord.evaluation.evaluate import evaluate as score_gold
        from onrecord.evaluation.outputs import summary

        result = score_gold(
            gold, run=run, model=model, out=out, entities=entities, attribution=attribution
        )
        typer.echo(summary(result, brief=out is not None), nl=False)
        if out is not None:
            typer.echo(f"\n{out}: {len(result.mistakes)} differences from gold in errors.html")
