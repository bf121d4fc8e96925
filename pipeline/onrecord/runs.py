"""Tables of a run, or of a few texts, as pandas data frames."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from onrecord.actors import merge_actors
from onrecord.annotation import annotate_articles
from onrecord.batch.directory import RUN_FILE, WORK, part_name, read_run_file
from onrecord.readers import InputError, read_records
from onrecord.records import (
    KINDS,
    SCHEMAS,
    STANCES,
    Article,
    ErrorKind,
    ErrorRow,
    SentenceKind,
)
from onrecord.tables import ARTICLE_TABLES, concat_sorted, error_row, to_tables

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import DocBin

# Columns whose values come from a fixed list: categoricals with all of its values, used or not.
_CATEGORIES: dict[tuple[str, str], tuple[str, ...]] = {
    ("sentences", "kind"): get_args(SentenceKind),
    ("quotes", "kind"): KINDS,
    ("quotes", "stance"): STANCES,
    ("errors", "kind"): get_args(ErrorKind),
}


class IncompleteRunError(OSError):
    """The directory holds no finished run."""


class Run:
    """The tables of a run, each a data frame with the columns of the contract, in its order.

    Kinds and stances are categoricals, times are in UTC, and list columns hold Python lists:
    ``for start, end in quote.content_spans``.

    Attributes:
        info: content of ``run.json``; empty for texts analysed in memory.

    Args:
        table: gives a table by name, as Arrow.
        info: content of ``run.json``.
    """

    def __init__(
        self, table: Callable[[str], pa.Table], info: Mapping[str, Any] | None = None
    ) -> None:
        self.table = table
        self.info = dict(info or {})

    def __repr__(self) -> str:
        counts = ", ".join(f"{self.table(name).num_rows} {name}" for name in SCHEMAS)
        return f"<onrecord.Run: {counts}>"

    def _frame(self, name: str) -> pd.DataFrame:
        table = self.table(name)
        frame: pd.DataFrame = table.to_pandas()
        for field in table.schema:
            if pa.types.is_list(field.type):
                frame[field.name] = table[field.name].to_pylist()
            if (name, field.name) in _CATEGORIES:
                values = _CATEGORIES[name, field.name]
                frame[field.name] = pd.Categorical(frame[field.name], categories=values)
        return frame

    def _repr_html_(self) -> str:
        from onrecord.report.notebook import run_html

        return run_html(self)

    @cached_property
    def articles(self) -> pd.DataFrame:
        """One row an article."""
        return self._frame("articles")

    @cached_property
    def sentences(self) -> pd.DataFrame:
        """One row a sentence, heading or list item."""
        return self._frame("sentences")

    @cached_property
    def entities(self) -> pd.DataFrame:
        """One row an entity mention."""
        return self._frame("entities")

    @cached_property
    def actors(self) -> pd.DataFrame:
        """One row a named entity of the whole run."""
        return self._frame("actors")

    @cached_property
    def quotes(self) -> pd.DataFrame:
        """One row an attributed statement."""
        return self._frame("quotes")

    @cached_property
    def errors(self) -> pd.DataFrame:
        """One row an article, or an input, that was not done in full."""
        return self._frame("errors")

    def spacy_docs(self) -> DocBin:
        """The articles as spaCy docs, without the models that made them.

        Each doc has sentence boundaries, ``doc.ents`` (with ``kb_id``), and in ``doc.spans`` the
        groups "content", "cue", "source" and "sentences"; the label of a content span is its
        stance and its id the speaker's. A span that begins or ends inside a token covers the
        whole token. ``doc.user_data["article_id"]`` is the key of the tables.

        The group "sc" is the one that displaCy draws: every content, cue and source span, labelled
        as such. ``displacy.render(doc, style="span")`` shows who says what, and
        ``displacy.render(doc, style="span", options={"spans_key": "content"})`` the stances.

        Returns:
            A ``DocBin``; ``list(docs.get_docs(spacy.blank("en").vocab))`` unpacks it.
        """
        from onrecord.doc_bin import to_doc_bin
        from onrecord.report.displacy import add_shown_spans

        return add_shown_spans(to_doc_bin(self.table))

    def to_duckdb(self, path: Path | str) -> Path:
        """Write every table into one DuckDB file, replacing tables of the same name.

        Raises:
            ModuleNotFoundError: DuckDB is not installed.
        """
        try:
            import duckdb
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(
                "to_duckdb needs DuckDB: pip install 'onrecord[duckdb]'"
            ) from error
        target = Path(path)
        with duckdb.connect(str(target)) as database:
            for name in SCHEMAS:
                database.register("arrow_table", self.table(name))
                database.execute(f'CREATE OR REPLACE TABLE "{name}" AS SELECT * FROM arrow_table')  # noqa: S608
                database.unregister("arrow_table")
        return target


def read_run(path: Path | str) -> Run:
    """Read a finished run; a table is loaded when it is first used.

    Raises:
        IncompleteRunError: there is no run, it is not finished, or a file of it is missing.
    """
    folder = Path(path)
    info = read_run_file(folder) if folder.is_dir() else None
    if info is None or info["status"] != "complete":
        half = (folder / WORK).is_dir()
        what = "the run is not finished; finish it with" if half else "no run here; make one with"
        command = f"onrecord run INPUT... --out {folder}" + (" --resume" if half else "")
        raise IncompleteRunError(f"{folder}: {what} '{command}'")
    _check_parts(folder, info["parts"])
    _check_actors(folder, info.get("counts", {}).get("actors"))
    tables: dict[str, pa.Table] = {}

    def table(name: str) -> pa.Table:
        if name not in tables:
            tables[name] = _read_table(folder, name, len(info["parts"]))
        return tables[name]

    return Run(table, info)


def _check_parts(folder: Path, parts: list[dict[str, Any]]) -> None:
    for number, files in enumerate(parts):
        for name, about in files.items():
            file = folder / name / part_name(number)
            if not file.is_file() or file.stat().st_size != about["bytes"]:
                raise IncompleteRunError(
                    f"{file}: missing or not of the {about['bytes']} bytes that {RUN_FILE} notes; "
                    "copy the directory again, or make the run anew with --overwrite"
                )


def _check_actors(folder: Path, n_rows: int | None) -> None:
    """The actors are of all parts together: their file has no entry of its own in ``parts``."""
    file = folder / "actors" / part_name(0)
    try:
        with _open(file) as stream:
            found = pq.read_metadata(stream).num_rows
    except (FileNotFoundError, pa.ArrowInvalid):
        found = None
    if found is None or n_rows not in (None, found):
        rows = "actors" if n_rows is None else f"{n_rows} actors"
        raise IncompleteRunError(
            f"{file}: missing, cut off, or without the {rows} that {RUN_FILE} notes; "
            "copy the directory again, or make the run anew with --overwrite"
        )


def _read_table(folder: Path, name: str, n_parts: int) -> pa.Table:
    numbers = range(1 if name == "actors" else n_parts)
    files = [folder / name / part_name(number) for number in numbers]
    return concat_sorted(name, map(_read_part, files))


def _read_part(file: Path) -> pa.Table:
    with _open(file) as stream:
        return pq.ParquetFile(stream).read()


def _open(file: Path) -> pa.OSFile:
    """A path as bytes, for pyarrow knows no other than UTF-8 in a string."""
    return pa.OSFile(os.fsencode(file))


def analyze(
    texts: Iterable[str | Mapping[str, Any] | Article] | pd.DataFrame | str,
    *,
    nlp: Language | None = None,
    language: str = "en",
    batch_size: int = 16,
    **pipeline: Any,
) -> Run:
    """Annotate texts in memory.

    Args:
        texts: texts; or rows with a ``text`` and whatever else is known (``id``, ``title``, ...,
            by name or common synonym); or a data frame of such rows; or ``Article`` objects.
        nlp: a pipeline from ``onrecord.load()``; loaded if None.
        language: as for ``onrecord run``; "any" annotates whatever language the texts are in.
        batch_size: articles that go through a stage together.
        **pipeline: arguments of ``onrecord.load()`` where ``nlp`` is None.

    Returns:
        The same tables that ``onrecord.read_run()`` gives.

    Raises:
        InputError: ``texts`` holds something that is no text, row or article.
    """
    if nlp is None:
        from onrecord.language import load

        nlp = load(**pipeline)
    elif pipeline:
        raise TypeError(f"give either nlp or {', '.join(pipeline)}, not both")
    articles, errors = _as_articles(texts)
    done = [
        annotate_articles(nlp, articles[at : at + batch_size], language=language).tables
        for at in range(0, len(articles), batch_size)
    ]
    done.append(to_tables({"errors": [error_row(error) for error in errors]}))
    tables = {name: concat_sorted(name, (part[name] for part in done)) for name in ARTICLE_TABLES}
    actors = merge_actors([(tables["entities"], tables["quotes"])])
    tables["actors"] = pa.Table.from_batches(actors, schema=SCHEMAS["actors"])
    return Run(tables.__getitem__)


def _as_articles(
    texts: Iterable[str | Mapping[str, Any] | Article] | pd.DataFrame | str,
) -> tuple[list[Article], list[ErrorRow]]:
    if isinstance(texts, str):
        texts = [texts]
    rows: Iterable[Any] = texts.to_dict("records") if isinstance(texts, pd.DataFrame) else texts
    articles: list[Article] = []
    errors: list[ErrorRow] = []
    seen: set[str] = set()
    for number, item in enumerate(rows):
        for read in [item] if isinstance(item, Article) else _read_one(item, number):
            if isinstance(read, ErrorRow):
                errors.append(read)
            elif read.article_id in seen:
                errors.append(_repeated(read))
            else:
                seen.add(read.article_id)
                articles.append(read)
    return articles, errors


def _read_one(item: Any, number: int) -> Iterable[Article | ErrorRow]:
    if isinstance(item, str):
        item = {"text": item}
    if not isinstance(item, Mapping):
        raise InputError(
            f"text number {number} is of type {type(item).__name__}; expected a string, a row "
            "with a 'text', or an onrecord Article"
        )
    return read_records([item])


def _repeated(article: Article) -> ErrorRow:
    return ErrorRow(
        source_path=article.source_path,
        article_id=article.article_id,
        stage="read",
        kind="skipped",
        error="DuplicateId",
        message=f"an earlier text has the id {article.article_id!r} (texts without an id get one "
        "from their content); give each its own 'id'",
    )


__all__ = ["IncompleteRunError", "Run", "analyze", "read_run"]
