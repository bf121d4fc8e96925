"""The quick-start notebook runs from top to bottom, and its two files are one notebook."""

from __future__ import annotations

from pathlib import Path

import jupytext
import nbformat
import pandas as pd
from nbclient import NotebookClient

from gold_run import GOLD
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


def test_the_notebook_runs(run: Run, run_directory: Path, tmp_path: Path) -> None:
    notebook = nbformat.read(NOTEBOOKS / "quickstart.ipynb", as_version=4)
    place = next(
        number
        for number, cell in enumerate(notebook.cells)
        if "parameters" in cell.metadata.get("tags", ())
    )
    given = f"RUN, GOLD, OUT = {str(run_directory)!r}, {str(GOLD)!r}, {str(tmp_path)!r}"
    notebook.cells.insert(place + 1, nbformat.v4.new_code_cell(given))
    NotebookClient(notebook, timeout=300, startup_timeout=300, kernel_name="python3").execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
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
