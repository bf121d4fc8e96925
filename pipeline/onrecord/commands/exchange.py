"""``onrecord export`` and ``onrecord import``: to annotation tools, and back as gold."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from onrecord.commands.output import errors_as_messages, fail

_FORMATS = "brat, label-studio, doccano, prodigy, inception, conll (entities only), jsonl"

EXPORT_EPILOG = """Examples:

onrecord export outputs/today --to label-studio --out pre-annotated

onrecord export gold.jsonl --to brat --out to-correct"""

IMPORT_EPILOG = """Example:

onrecord import project-7.json --from label-studio --out gold.jsonl

Offsets are mapped from what the tool counts to code points, and checked against the text that each
span covers."""


def export(
    source: Annotated[Path, typer.Argument(metavar="DIR", help="Run directory, or a gold file.")],
    to: Annotated[str, typer.Option("--to", metavar="FORMAT", help=f"One of: {_FORMATS}.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="Directory to write.")],
) -> None:
    """Write the predictions of a run as pre-annotations for an annotation tool."""
    with errors_as_messages():
        from onrecord.evaluation.formats import write_format
        from onrecord.evaluation.gold import read_gold
        from onrecord.evaluation.predictions import gold_from_run

        found = gold_from_run(source) if source.is_dir() else list(read_gold(source).articles)
        files = write_format(to, found, out)
        typer.echo(f"{out}: {len(found)} articles in {len(files)} files")


def import_gold(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="File or folder of the tool.")],
    from_: Annotated[str, typer.Option("--from", metavar="FORMAT", help=f"One of: {_FORMATS}.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FILE", help="Gold file to write (.jsonl).")
    ],
) -> None:
    """Read what was corrected in an annotation tool, check it, and write it as gold."""
    if out.suffix != ".jsonl":
        fail(f"{out}: gold is written as JSON Lines; end the name in .jsonl")
    with errors_as_messages():
        from onrecord.evaluation.formats import read_format
        from onrecord.evaluation.gold import count_warnings, write_gold

        articles = read_format(from_, path)
        for what, count in count_warnings(articles).items():
            typer.echo(f"warning: {what}: {count}", err=True)
        typer.echo(f"{out}: {write_gold(articles, out)} articles")
