"""Who is on record saying what in news articles, and how defiantly.

import onrecord

nlp = onrecord.load()                                 # a spaCy pipeline
tables = onrecord.analyze(["First article ...", ...])   # data frames
quotes = onrecord.read_run("outputs/demo").quotes       # those of a run
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onrecord import plots
    from onrecord.evaluation.evaluate import evaluate
    from onrecord.language import load
    from onrecord.runs import Run, analyze, read_run
    from onrecord.scoring import score_stance

# Name to module: what a name needs is imported when it is first used, so that "import onrecord"
# and "onrecord --help" take no time.
_PUBLIC = {
    "evaluate": "onrecord.evaluation.evaluate",
    "load": "onrecord.language",
    "analyze": "onrecord.runs",
    "read_run": "onrecord.runs",
    "Run": "onrecord.runs",
    "score_stance": "onrecord.scoring",
}

__all__ = ["Run", "__version__", "analyze", "evaluate", "load", "plots", "read_run", "score_stance"]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("onrecord")
    if name == "plots":
        return import_module("onrecord.plots")
    if name not in _PUBLIC:
        raise AttributeError(f"module 'onrecord' has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
