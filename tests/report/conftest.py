"""Runs that the report is tested on; none needs a model."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import pytest

from gold_run import gold_run, write_run
from onrecord.runs import Run

mpl.use("Agg")


@pytest.fixture(scope="session")
def run() -> Run:
    """The gold of corpus/ as a run."""
    return gold_run()


@pytest.fixture(scope="session")
def run_directory(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a run directory."""
    return write_run(run, tmp_path_factory.mktemp("runs") / "demo")
