"""Write the pages that are made from the program itself: ``tables.md`` and ``cli.md``.

python docs/generate.py          write them
python docs/generate.py --check  exit with 1 if one of them is not what the program says
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click
import pyarrow as pa
import typer
from typer.cli import get_docs_for_click

from onrecord.cli import app
from onrecord.records import SCHEMAS

FOLDER = Path(__file__).resolve().parent
_NOTE = "<!-- Made by docs/generate.py; change what it is made from. -->\n"
_TABLES = {
    "articles": "One row an article that was read.",
    "sentences": "One row a sentence, heading or list item.",
    "entities": "One row an entity mention.",
    "actors": "One row a named entity of the whole run.",
    "quotes": "One row an attributed statement.",
    "errors": "One row an article, or an input, that was not done in full.",
}


def tables_page() -> str:
    """The reference of the tables, from the descriptions in their schemas."""
    parts = [
        _NOTE,
        "# The tables\n",
        "A run directory holds one Parquet dataset a table (`DIR/quotes/part-00000.parquet`, ...)"
        "\nand `run.json`. `onrecord.read_run(DIR)` gives each as a pandas data frame: kinds and"
        "\nstances as categoricals, times in UTC, list columns as Python lists. `.table(NAME)`"
        "\nis the Arrow table, `.spacy_docs()` gives spaCy docs for displaCy, `.to_duckdb(FILE)`"
        "\nwrites a DuckDB file.\n",
        "Offsets count Unicode code points, half open, into `articles.text`. Rows are sorted by\n"
        "`article_id` and position. Any column but the keys may be null.\n",
    ]
    for name, schema in SCHEMAS.items():
        parts += [f"## {name}\n", f"{_TABLES[name]}\n", "| column | type | |\n|---|---|---|"]
        for field in schema:
            description = field.metadata[b"description"].decode()
            parts.append(f"| `{field.name}` | {_type_name(field.type)} | {description} |")
        parts[-1] += "\n"
    return "\n".join(parts)


def _type_name(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return f"list of {_type_name(kind.value_type)}"
    if pa.types.is_timestamp(kind):
        return "timestamp (UTC)"
    return str(kind)


def cli_page() -> str:
    """The reference of the commands, from their help."""
    command = typer.main.get_command(app)
    with click.Context(command, info_name="onrecord") as context:
        text = get_docs_for_click(obj=command, ctx=context, name="onrecord")
    # What a shell completes is no part of the program's own face.
    lines = [line for line in text.splitlines() if "-completion" not in line]
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in lines))
    return f"{_NOTE}\n{text.strip()}\n"


PAGES = {"tables.md": tables_page, "cli.md": cli_page}


def main(check: bool) -> int:
    """Write the pages, or say which differ."""
    stale = 0
    for name, make in PAGES.items():
        path, text = FOLDER / name, make()
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        if check:
            print(f"{path}: not what the program says; run 'python docs/generate.py'")
            stale = 1
        else:
            path.write_text(text, encoding="utf-8")
    return stale


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv[1:]))
