"""``onrecord show``: one article in the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from onrecord.commands.output import errors_as_messages, fail

EPILOG = """Examples:

onrecord show article.txt

onrecord show news.jsonl --id 2026-11-24-017"""


def show(
    file: Annotated[
        Path, typer.Argument(help="An article, or a table of articles.", show_default=False)
    ],
    article_id: Annotated[
        str | None,
        typer.Option("--id", help="Which article of a table; the first by default."),
    ] = None,
    entities: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Known entities, as for run.")
    ] = None,
    model: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Model folder; the shipped one by default.")
    ] = None,
    attribution: Annotated[
        str, typer.Option(help="'model', or 'rules' for the deterministic stage.")
    ] = "model",
) -> None:
    """Print one article with its statements coloured by posture, and who said what."""
    with errors_as_messages():
        from rich.console import Console

        from onrecord.annotation import annotate_articles
        from onrecord.language import load
        from onrecord.readers import read_articles
        from onrecord.records import ErrorRow
        from onrecord.terminal import render_article

        problems = []
        for item in read_articles(file):
            if isinstance(item, ErrorRow):
                problems.append(item.message)
            elif article_id in (None, item.article_id):
                break
        else:
            wanted = (
                "no article" if article_id is None else f"no article with the id {article_id!r}"
            )
            fail("; ".join([f"{file}: {wanted}", *problems[:3]]))
        nlp = load(entities=entities, model=model, attribution=attribution)
        tables = annotate_articles(nlp, [item], language="any").tables
        rows = {name: table.to_pylist() for name, table in tables.items()}
        Console(highlight=False).print(
            render_article(rows["articles"][0], rows["sentences"], rows["quotes"], rows["errors"])
        )
