"""Run many articles on one machine.

The articles are planned once (``plan``), annotated in shards by worker processes (``job``,
``workers``), and published as a run directory at the end (``directory``, ``durable``).
"""

from __future__ import annotations

from onrecord.annotation import AnnotatedBatch, annotate_articles
from onrecord.batch.options import RunError, RunOptions, RunSummary
from onrecord.batch.run import run_batch

__all__ = [
    "AnnotatedBatch",
    "RunError",
    "RunOptions",
    "RunSummary",
    "annotate_articles",
    "run_batch",
]
