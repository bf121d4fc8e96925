"""``onrecord run``: articles to tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from onrecord.commands.output import (
    SOME_IN_ERRORS,
    error_console,
    errors_as_messages,
    fail,
    terminated_as_interrupted,
)

EPILOG = """Examples:

onrecord run news/ --out outputs/today

onrecord run articles/ --metadata articles.csv --out outputs/today

onrecord run archive.parquet --out outputs/archive --column text=body --workers 8 --resume

onrecord run news/2026-11-24/ --out outputs/all --append

onrecord run archive/ --out outputs/archive --engine spark --master spark://host:7077

Exit codes: 0 all articles done, 1 the run could not be done, 2 wrong usage, 3 done but some
articles are in the errors table."""


def run(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT...",
            help="Files, folders and globs: txt md html jsonl csv parquet, each also with .gz.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="DIR", help="Run directory to write.")
    ],
    resume: Annotated[
        bool, typer.Option("--resume", help="Finish an interrupted run; start if there is none.")
    ] = False,
    append: Annotated[
        bool, typer.Option("--append", help="Add the articles that the run does not have yet.")
    ] = False,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Replace the run that is there, once this one is whole."),
    ] = False,
    column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD=COLUMN",
            help="Which column of a table holds a field, as text=body. Fields: text, id, title, "
            "author, publisher, published_at, url. Common names are found without.",
        ),
    ] = None,
    metadata: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Table of what is known of the articles (csv, jsonl): path (seen from the table's "
            "folder) or id, and title, author, publisher, published_at, url.",
        ),
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(help="Encoding of text files and tables; detected by default.")
    ] = None,
    language: Annotated[
        str, typer.Option(help="Language to annotate; others are skipped. 'any' takes all.")
    ] = "en",
    max_chars: Annotated[
        int | None, typer.Option(min=1, help="Longest article; longer ones are skipped.")
    ] = None,
    workers: Annotated[
        int,
        typer.Option(
            "--workers",
            "-w",
            min=0,
            help="Processes; 0 annotates in this one, without protection from crashes.",
        ),
    ] = 1,
    batch_size: Annotated[int, typer.Option(min=1, help="Most articles of one batch.")] = 16,
    shard_size: Annotated[
        int,
        typer.Option(min=1, help="Articles of one shard, the unit that is committed and resumed."),
    ] = 500,
    article_timeout: Annotated[
        float,
        typer.Option(metavar="SECONDS", min=0, help="Time for one article; 0 for no limit."),
    ] = 300,
    spacy_model: Annotated[
        str | None, typer.Option(help="Installed spaCy pipeline that finds the entities.")
    ] = None,
    model: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Model folder; the shipped one by default.")
    ] = None,
    entities: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Known entities (jsonl, csv: name, label, aliases, "
            "kb_id); what it says is authoritative.",
        ),
    ] = None,
    attribution: Annotated[
        str, typer.Option(help="'model', or 'rules' for the deterministic stage.")
    ] = "model",
    engine: Annotated[
        str, typer.Option(help="'local' for worker processes, 'spark' for a Spark cluster.")
    ] = "local",
    master: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Spark master; the cores of this machine by default."),
    ] = None,
    near_duplicates: Annotated[
        bool,
        typer.Option(
            "--near-duplicates",
            help="Note in articles.extra, as duplicate_of, which article a wire copy repeats.",
        ),
    ] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Write every table as CSV too.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False,
) -> None:
    """Annotate articles and write the tables of a run."""
    if overwrite and (resume or append):
        raise typer.BadParameter("--overwrite goes with neither --resume nor --append")
    if attribution not in ("model", "rules"):
        raise typer.BadParameter(
            f"{attribution!r} is neither model nor rules", param_hint="--attribution"
        )
    if engine not in ("local", "spark"):
        raise typer.BadParameter(f"{engine!r} is neither local nor spark", param_hint="--engine")
    if master is not None and engine != "spark":
        raise typer.BadParameter("--master goes with --engine spark")
    with errors_as_messages():
        from onrecord.batch import RunOptions, run_batch
        from onrecord.batch.summary import tell_summary
        from onrecord.readers import parse_columns

        settings: dict[str, Any] = {
            "columns": parse_columns(column or []),
            "encoding": encoding,
            "language": language.lower(),
            "max_chars": max_chars,
            "metadata": metadata,
            "workers": workers,
            "batch_size": batch_size,
            "shard_size": shard_size,
            "spacy_model": spacy_model,
            "model": model,
            "entities": entities,
            "attribution": attribution,
            "near_duplicates": near_duplicates,
            "csv": csv,
            "engine": engine,
            "master": master,
        }
        options = RunOptions(
            **{name: value for name, value in settings.items() if value is not None},
            article_timeout=article_timeout or None,
        )
        console = None if quiet else error_console()
        try:
            with terminated_as_interrupted():
                summary = run_batch(
                    inputs,
                    out,
                    options,
                    resume=resume,
                    overwrite=overwrite,
                    append=append,
                    console=console,
                )
        except KeyboardInterrupt:
            fail(f"interrupted; finish with the same command and --resume ({out})")
    if console is not None:
        tell_summary(console, summary)
    if summary.n_errors:
        raise typer.Exit(SOME_IN_ERRORS)
