"""The quick-start notebook runs from top to bottom, and its two files are one notebook.

It runs on the gold of corpus/ as if a run had made it: no model takes part.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jupytext
import nbformat
import pandas as pd
from changed_run import change_quotes, without_scores
from nbclient import NotebookClient

from gold_run import GOLD, write_run
from onrecord.runs import Run

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


def test_the_pair_is_one_notebook() -> None:
    notebook = jupytext.read(NOTEBOOKS / "quickstart.ipynb")
    script = jupytext.read(NOTEBOOKS / "quickstart.py")
    cells = [(cell.cell_type, cell.source) for cell in notebook.cells]
    assert cells == [(cell.cell_type, cell.source) for cell in script.cells], (
        "run: jupytext --sync notebooks/quickstart.ipynb"
    )
    assert all(not cell.get("outputs") for cell in notebook.cells)


# Of a processor: how long a busy machine takes over it says nothing about the notebook.
MOST_SECONDS = 60


def _execute(run_directory: Path, out: Path) -> list[Any]:
    """Outputs of all cells."""
    notebook = nbformat.read(NOTEBOOKS / "quickstart.ipynb", as_version=4)
    place = next(
        number
        for number, cell in enumerate(notebook.cells)
        if "parameters" in cell.metadata.get("tags", ())
    )
    given = f"RUN, GOLD, OUT = {str(run_directory)!r}, {str(GOLD)!r}, {str(out)!r}"
    notebook.cells.insert(place + 1, nbformat.v4.new_code_cell(given))
    notebook.cells.append(nbformat.v4.new_code_cell("import time; time.process_time()"))
    NotebookClient(notebook, timeout=300, startup_timeout=300, kernel_name="python3").execute()
    *cells, clock = notebook.cells
    assert float(clock.outputs[0]["data"]["text/plain"]) <= MOST_SECONDS
    return [output for cell in cells for output in cell.get("outputs", ())]


def test_the_notebook_runs_within_a_minute(run: Run, run_directory: Path, tmp_path: Path) -> None:
    outputs = _execute(run_directory, tmp_path)
    shown = "\n".join(str(output.get("data", {}).get("text/html", "")) for output in outputs)
    assert "onrecord run" in shown
    # The run is the gold itself.
    assert "<td>1.0</td>" in shown
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 4
    printed = [output.text for output in outputs if output.output_type == "stream"]
    # tqdm, which transformers imports, asks for widgets that nothing here uses.
    assert not [text for text in printed if "IProgress not found" not in text]
    shared = pd.read_csv(tmp_path / "statements.csv")
    assert len(shared) == len(run.quotes)
    # Where a statement is interrupted, its pieces are told apart.
    interrupted = (run.quotes["content_spans"].str.len() > 1).sum()
    assert interrupted > 10
    assert shared["text"].str.contains(" … ", regex=False).sum() >= interrupted


def test_the_notebook_shows_scored_statements_where_some_are_not(run: Run, tmp_path: Path) -> None:
    failed = run.articles["article_id"].iloc[0]
    partly = change_quotes(
        run, lambda row: without_scores(row) if row["article_id"] == failed else row
    )
    outputs = _execute(write_run(partly, tmp_path / "partly"), tmp_path)
    tables = [
        output["data"]["text/html"] for output in outputs if "text/html" in output.get("data", {})
    ]
    (most_defiant, most_conciliatory) = (html for html in tables if "<th>said</th>" in html)
    assert "NaN" not in most_defiant + most_conciliatory
