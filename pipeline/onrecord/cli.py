"""The command line: every command calls a public function of the library."""

from __future__ import annotations

from typing import Annotated

import typer

from onrecord.commands import agreement, compare, evaluate, exchange, info, report, run, show, train

app = typer.Typer(
    name="onrecord",
    help="Who is on record saying what in news articles, and how defiantly.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def main(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    """Who is on record saying what in news articles, and how defiantly."""
    if version:
        from onrecord import __version__

        typer.echo(f"onrecord {__version__}")
        raise typer.Exit


app.command(epilog=run.EPILOG)(run.run)
app.command(epilog=show.EPILOG)(show.show)
app.command(epilog=report.EPILOG)(report.report)
app.command(epilog=info.EPILOG)(info.info)
app.command(epilog=evaluate.EPILOG)(evaluate.evaluate)
app.command(epilog=compare.EPILOG)(compare.compare)
app.command(epilog=agreement.EPILOG)(agreement.agreement)
app.command(epilog=exchange.EXPORT_EPILOG)(exchange.export)
app.command("import", epilog=exchange.IMPORT_EPILOG)(exchange.import_gold)
app.command(epilog=train.EPILOG)(train.train)
