"""What the user may set about a run, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveFloat, PositiveInt

from onrecord.language import DEFAULT_SPACY_MODEL
from onrecord.readers import MAX_CHARS


class RunError(RuntimeError):
    """The run could not be done; the message says what, where, and what to do."""


class RunOptions(BaseModel):
    """Settings of a run; ``run.json`` records them as resolved.

    Attributes:
        language: ISO 639-1 code to annotate; articles in another language are skipped. "any".
        columns: field to input column, where it is not found by its name.
        encoding: of text files and tables, detected if None.
        max_chars: longest article, in code points.
        metadata: table of what is known of the articles beside their files.
        spacy_model: installed spaCy pipeline that supplies tokenizer and entity recogniser.
        model: folder of trained weights, the shipped ones if None.
        entities: entity file, authoritative.
        attribution: "model", or "rules" for the deterministic stage.
        workers: processes; 0 annotates in this one, without protection from crashes.
        batch_size: most articles of one batch.
        shard_size: input articles of one shard, the unit that is committed and resumed.
        article_timeout: seconds that one article may take; a batch, so many for each of its
            articles. None for no limit.
        near_duplicates: note in ``articles.extra`` which article a wire copy repeats.
        csv: write every table as CSV too.
        engine: "local" for worker processes, "spark" for the executors of a Spark cluster.
        master: Spark master, this machine's cores if None.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    language: str = "en"
    columns: dict[str, str] = {}
    encoding: str | None = None
    max_chars: PositiveInt = MAX_CHARS
    metadata: Path | None = None
    spacy_model: str = DEFAULT_SPACY_MODEL
    model: Path | None = None
    entities: Path | None = None
    attribution: Literal["model", "rules"] = "model"
    workers: NonNegativeInt = 1
    batch_size: PositiveInt = 16
    shard_size: PositiveInt = 500
    article_timeout: PositiveFloat | None = 300.0
    near_duplicates: bool = False
    csv: bool = False
    engine: Literal["local", "spark"] = "local"
    master: str | None = None


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What a run came to.

    Attributes:
        path: the run directory.
        counts: rows by table, all of the directory.
        n_errors: rows of ``errors`` that this run added.
        n_articles: input articles that this run covered.
        seconds: wall-clock time of this process.
    """

    path: Path
    counts: dict[str, int]
    n_errors: int
    n_articles: int
    seconds: float
