"""Begin a run, or go on with one: what a directory holds decides what may be done in it."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from rich.console import Console

from onrecord.batch.directory import PUBLISHED, WORK, RunDirectory, read_run_file
from onrecord.batch.job import Job, open_input, utc_now
from onrecord.batch.near_duplicates import need_datasketch
from onrecord.batch.options import RunError, RunOptions, RunSummary
from onrecord.batch.progress import RunProgress
from onrecord.batch.workers import LoadPipeline, WorkerError
from onrecord.language import load
from onrecord.model_folder import file_sha256, open_model
from onrecord.provenance import model_checksums, package_version, spacy_model_version


def run_batch(
    inputs: Sequence[Path | str],
    out: Path | str,
    options: RunOptions | None = None,
    *,
    resume: bool = False,
    overwrite: bool = False,
    append: bool = False,
    console: Console | None = None,
    load_pipeline: LoadPipeline = load,
) -> RunSummary:
    """Annotate articles into a run directory.

    Args:
        inputs: files, folders and globs, as for ``read_articles``.
        out: the run directory.
        options: settings; the defaults if None.
        resume: finish what an interrupted run left; start or do nothing where none is left.
        overwrite: replace the run that is there; it stays until the new one is whole.
        append: add articles whose text and id a finished run does not have yet.
        console: where to show progress; silent if None.
        load_pipeline: importable function that makes the pipeline in each worker.

    Returns:
        Counts; the tables are read with ``onrecord.read_run(out)``.

    Raises:
        RunError: the run cannot be begun or finished. What is done is kept for ``resume``.
        InputError: an input does not exist, or a column or encoding is not usable.
    """
    chosen = RunOptions() if options is None else options
    began = time.monotonic()
    _refuse_own_files(inputs, Path(out))
    try:
        with RunDirectory(Path(out)) as directory:
            identity = _identity(chosen)
            todo = _prepare(directory, inputs, chosen, identity, (resume, overwrite, append))
            with RunProgress(console) as progress:
                if not todo:
                    progress.say(
                        "the run was finished before; nothing was read; --append adds new articles"
                    )
                    return _summary_of(directory, inputs, began)
                job = Job(directory, chosen, progress, began)
                try:
                    return job.run(inputs, load_pipeline)
                finally:
                    job.close()
    except WorkerError as error:
        raise RunError(str(error)) from error
    except (OSError, sqlite3.Error, pa.ArrowException) as error:
        raise RunError(_explain(error, Path(out))) from error


def _refuse_own_files(inputs: Sequence[Path | str], out: Path) -> None:
    """Articles are never read from where the tables of the run go."""
    home = Path(os.path.realpath(out))
    for given in inputs:
        path = Path(os.path.realpath(given))
        if path == home or any(path.is_relative_to(home / name) for name in PUBLISHED):
            raise RunError(
                f"{given}: is where the run writes its own files; give the articles a folder of "
                "their own, or choose another --out"
            )


def _explain(error: Exception, out: Path) -> str:
    """What failed on disk, and that nothing finished is lost."""
    own_words = type(error).__module__.startswith("onrecord.")
    if own_words:
        return str(error)
    # A disk that fails or is full raises a subclass of this.
    if type(error) is sqlite3.DatabaseError:
        return f"{out}: its plan is damaged ({error}); remove {out / WORK} and start again"
    return (
        f"{out}: {error}; free space or mend the disk or its permissions, then run the same "
        "command with --resume: finished shards are kept"
    )


def _identity(options: RunOptions) -> dict[str, Any]:
    """All that the tables depend on besides the input; equal for runs that may be joined."""
    entities = options.entities
    if entities is not None and not entities.is_file():
        raise RunError(f"--entities {entities}: no such file")
    if options.near_duplicates:
        need_datasketch()
    if options.model is not None:
        open_model(options.model)
    if options.engine == "spark":
        # PySpark is an extra; only here is it needed.
        from onrecord.spark import need_spark

        need_spark()
    return {
        "onrecord": package_version(),
        "language": options.language,
        "columns": options.columns,
        "encoding": options.encoding,
        "max_chars": options.max_chars,
        "attribution": options.attribution,
        "near_duplicates": options.near_duplicates,
        "spacy_model": {
            "name": options.spacy_model,
            "version": spacy_model_version(options.spacy_model),
        },
        "model": {
            "path": None if options.model is None else str(options.model),
            "sha256": model_checksums(options.model),
        },
        "entities": None if entities is None else {"sha256": file_sha256(entities)},
    }


def _prepare(
    directory: RunDirectory,
    inputs: Sequence[Path | str],
    options: RunOptions,
    identity: Mapping[str, Any],
    flags: tuple[bool, bool, bool],
) -> bool:
    """Make the directory ready for work; False if all of it is done already."""
    resume, overwrite, append = flags
    state = directory.state
    names = _names(inputs)
    if state == "unfinished" and not overwrite:
        if not resume:
            raise RunError(
                f"{directory.path}: holds a run that was not finished; finish it with --resume, "
                "or start anew with --overwrite"
            )
        begun = directory.description()
        _refuse_other(directory.path, begun["identity"], identity)
        if begun["inputs"] != names:
            raise RunError(
                f"{directory.path}: the unfinished run reads {', '.join(begun['inputs'])}; "
                "--resume it with the same input first"
            )
        if begun.pop("emptying", False):
            directory.begin(begun)
        return True
    before = None
    if state == "complete" and not overwrite:
        before = read_run_file(directory.path)
        if before is None or not (resume or append):
            raise RunError(
                f"{directory.path}: already holds a run; add new articles with --append, replace "
                "it with --overwrite, or choose another --out"
            )
        if before["status"] != "complete":
            raise RunError(
                f"{directory.path}: articles were being added when its folder .work was removed; "
                "replace it with --overwrite, or choose another --out"
            )
        _refuse_other(directory.path, before["identity"], identity)
        if not append:
            _refuse_more_input(directory.path, before, names)
            return False
    # Raises for input that does not exist, before anything is begun.
    open_input(inputs, options.model_dump(mode="json"), directory.path)
    directory.begin(
        {
            "onrecord": package_version(),
            "identity": identity,
            "config": options.model_dump(mode="json"),
            "inputs": names,
            "started_at": utc_now(),
            "before": before,
            "replaces": overwrite,
        }
    )
    return True


def _names(inputs: Sequence[Path | str]) -> list[str]:
    """What a session notes of its input."""
    return sorted(str(given) for given in inputs)


def _refuse_other(path: Path, there: Mapping[str, Any], here: Mapping[str, Any]) -> None:
    """Tables of one directory come from one version, one set of models and one configuration."""
    for name, value in here.items():
        if json.loads(json.dumps(value)) != there.get(name):
            raise RunError(
                f"{path}: its run has {name} = {_short(there.get(name))}, this one "
                f"{_short(value)}; use the same, or choose another --out"
            )


def _refuse_more_input(path: Path, run: Mapping[str, Any], names: Sequence[str]) -> None:
    """A finished run has nothing to resume; other input than it read would silently be left."""
    if not any(session["inputs"] == list(names) for session in run["sessions"]):
        raise RunError(f"{path}: its run is finished and read other input; add this with --append")


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 200 else text[:200] + "..."


def _summary_of(directory: RunDirectory, inputs: Sequence[Path | str], began: float) -> RunSummary:
    """Summary of a run that was finished before: of the last session that read this input."""
    run = read_run_file(directory.path) or {}
    session = [found for found in run["sessions"] if found["inputs"] == _names(inputs)][-1]
    return RunSummary(
        directory.path,
        run["counts"],
        session["errors"],
        session["articles"],
        time.monotonic() - began,
    )
