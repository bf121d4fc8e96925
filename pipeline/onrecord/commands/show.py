"""``onrecord show``: one article in the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onrecord.commands.output import errors_as_messages, fail

if TYPE_CHECKING:
    from onrecord.records import Article

EPILOG = """Examples:

onrecord show article.txt

onrecord show news.jsonl --id 2026-11-24-017

onrecord show article.txt --why

Colours: defiant red, conciliatory green, mixed yellow, neutral blue; the letter after each
statement says the same. NO_COLOR=1 turns colours off."""


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
    why: Annotated[
        bool, typer.Option("--why", help="Name the words that decided each posture.")
    ] = False,
) -> None:
    """Print one article with its statements coloured by posture, and who said what."""
    with errors_as_messages():
        from rich.console import Console

        from onrecord.language import load
        from onrecord.terminal import render_article, render_reasons

        article = _find(file, article_id)
        nlp = load(entities=entities, model=model, attribution=attribution)
        console = Console(highlight=False)
        console.print(render_article(nlp, article))
        if why:
            console.print(render_reasons(nlp, article))


def _find(file: Path, article_id: str | None) -> Article:
    from onrecord.readers import read_articles
    from onrecord.records import ErrorRow

    problems = []
    for item in read_articles(file):
        if isinstance(item, ErrorRow):
            problems.append(item.message)
        elif article_id in (None, item.article_id):
            return item
    wanted = "no article" if article_id is None else f"no article with the id {article_id!r}"
    return fail("; ".join([f"{file}: {wanted}", *problems[:3]]))
