"""One batch of articles through every stage: the function that all engines share.

Local runs, Spark and the notebook call ``annotate_articles``. A batch goes through each stage as a
whole; where that fails, its articles are redone one at a time, each in a fresh ``Doc``, so that a
bad article costs nobody else anything and keeps the results of the stages that it passed. The
encoder reads each article of a batch by itself, so that its vectors never depend on the others.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc

from onrecord.readers.language_id import detect_language
from onrecord.records import Article, ErrorRow
from onrecord.tables import Row, Tables, article_rows, error_row, to_tables

# Called with the name of each stage before it runs and after each article that leaves it, so that a
# parent process knows where a worker was when it died, and that it does not stand still.
StageObserver = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class AnnotatedBatch:
    """Tables of a batch.

    Attributes:
        tables: every table of the contract but ``actors``.
        n_articles: articles of the batch, skipped ones included.
        n_words: words of the annotated articles, split at white space.
        seconds: time spent, by stage.
    """

    tables: Tables
    n_articles: int
    n_words: int
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def errors(self) -> list[Row]:
        """Rows of the ``errors`` table."""
        rows: list[Row] = self.tables["errors"].to_pylist()
        return rows


def annotate_articles(
    nlp: Language,
    articles: Iterable[Article],
    *,
    language: str = "en",
    failing: Mapping[str, ErrorRow] | None = None,
    observe: StageObserver = lambda stage: None,
) -> AnnotatedBatch:
    """Annotate a batch of articles.

    Args:
        nlp: the pipeline, from ``onrecord.load()``.
        articles: the batch; all of it is in memory at once.
        language: ISO 639-1 code; articles in another language get a row of ``errors`` only.
            "any" annotates all.
        failing: stages that are known to fail on these articles, with the error to record; they
            do not run.
        observe: called with the name of each stage before it runs and after each of its articles.

    Returns:
        Tables sorted as the batch was; an error of one article never raises.
    """
    clock = _Clock(observe)
    batch = list(articles)
    errors: list[ErrorRow] = []
    rows: dict[str, list[Row]] = {}
    with clock.timed("language"):
        wanted = [kept for article in batch if (kept := _accepted(article, language, errors))]
    with _own_memory(nlp):
        docs = None if failing else _whole_batch(nlp, wanted, clock)
        for index, article in enumerate(wanted):
            doc = docs[index] if docs else _alone(nlp, article, clock, errors, failing or {})
            with clock.timed("tables"):
                _extend(rows, _rows_or_error(article, doc, errors))
    rows["errors"] = [error_row(error) for error in errors]
    words = sum(len(article.text.split()) for article in wanted)
    return AnnotatedBatch(to_tables(rows), len(batch), words, clock.seconds)


def _own_memory(nlp: Language) -> AbstractContextManager[Any]:
    """Where the vocabulary lets go of a batch's new words once its rows are made.

    Otherwise a worker that reads for days keeps every misspelling it has met.
    """
    vocab: Any = nlp.vocab  # its stub lacks the property
    return nullcontext() if vocab.in_memory_zone else nlp.memory_zone()


def unannotated(article: Article, errors: Sequence[ErrorRow]) -> AnnotatedBatch:
    """Tables of an article that no worker survives: its own row, and the reasons."""
    rows: dict[str, list[Row]] = dict(article_rows(article, None))
    rows["errors"] = [error_row(error) for error in errors]
    return AnnotatedBatch(to_tables(rows), 1, 0)


def failure(article: Article, stage: str, error: BaseException) -> ErrorRow:
    """The row of ``errors`` for an exception that a stage raised on an article."""
    detail = str(error).encode("utf-8", "backslashreplace").decode() or "no message"
    return ErrorRow(
        source_path=article.source_path,
        article_id=article.article_id,
        stage=stage,
        kind="failed",
        error=type(error).__name__,
        message=detail,
    )


class _Clock:
    """Seconds spent by stage."""

    def __init__(self, observe: StageObserver) -> None:
        self.seconds: dict[str, float] = {}
        self._observe = observe
        self._stage = ""
        self._began = 0.0

    def timed(self, stage: str) -> _Clock:
        self._stage = stage
        return self

    def beat(self) -> None:
        """Say that the stage goes on."""
        self._observe(self._stage)

    def __enter__(self) -> None:
        self.beat()
        self._began = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        spent = time.perf_counter() - self._began
        self.seconds[self._stage] = self.seconds.get(self._stage, 0.0) + spent


def _accepted(article: Article, wanted: str, errors: list[ErrorRow]) -> Article | None:
    """The article with its language filled in; None and an error row if it cannot be annotated."""
    try:
        article.text.encode()
    except UnicodeEncodeError as error:
        errors.append(failure(article, "read", error))
        return None
    undecided = "en" if wanted == "any" else wanted
    found = article.language or detect_language(article.text, undecided=undecided)
    if wanted != "any" and found.split("-")[0].lower() != wanted:
        errors.append(
            ErrorRow(
                source_path=article.source_path,
                article_id=article.article_id,
                stage="language",
                kind="skipped",
                error="OtherLanguage",
                message=f"the text is in {found!r}, not in {wanted!r}; "
                "--language any annotates it all the same",
            )
        )
        return None
    return replace(article, language=found)


def make_doc(nlp: Language, article: Article) -> Doc:
    """The tokens of an article, with its id where the stages look for it."""
    doc = nlp.make_doc(article.text)
    doc.user_data["article_id"] = article.article_id
    return doc


def _whole_batch(nlp: Language, articles: Sequence[Article], clock: _Clock) -> list[Doc] | None:
    """Docs of the batch, or None if any stage raised on any of them."""
    try:
        with clock.timed("tokenizer"):
            docs = [make_doc(nlp, article) for article in articles]
        for name, stage in nlp.pipeline:
            with clock.timed(name):
                docs = _pipe(name, stage, docs, clock)
    except Exception:  # noqa: BLE001 - any stage may raise anything; redone one at a time
        return None
    return docs


def _pipe(name: str, stage: Any, docs: list[Doc], clock: _Clock) -> list[Doc]:
    if hasattr(stage, "pipe"):
        stream = stage.pipe(docs, batch_size=max(1, len(docs)))
    else:
        stream = map(stage, docs)
    done = []
    for doc in stream:
        clock.beat()
        done.append(doc)
    if len(done) != len(docs):
        raise RuntimeError(f"stage {name} gave {len(done)} docs for {len(docs)}")
    return done


def _alone(
    nlp: Language,
    article: Article,
    clock: _Clock,
    errors: list[ErrorRow],
    failing: Mapping[str, ErrorRow],
) -> Doc | None:
    """The doc of one article with every stage that works on it; errors get the others.

    A stage does not run where something that it requires is missing because an earlier one failed.
    """
    try:
        with clock.timed("tokenizer"):
            doc = make_doc(nlp, article)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is recorded
        errors.append(failure(article, "tokenizer", error))
        return None
    promised: set[str] = set()
    assigned: set[str] = set()
    failed: list[ErrorRow] = []
    not_run: list[str] = []
    for name, stage in nlp.pipeline:
        meta = nlp.get_pipe_meta(name)
        if promised.intersection(meta.requires) - assigned:
            not_run.append(name)
        elif name in failing:
            failed.append(failing[name])
        else:
            try:
                with clock.timed(name):
                    doc = stage(doc)
                assigned.update(meta.assigns)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is recorded
                failed.append(failure(article, name, error))
        promised.update(meta.assigns)
    note = f" (not run without it: {', '.join(not_run)})" if not_run else ""
    errors.extend(replace(error, message=error.message + note) for error in failed)
    return doc


def _rows_or_error(
    article: Article, doc: Doc | None, errors: list[ErrorRow]
) -> Mapping[str, Sequence[Row]]:
    try:
        return article_rows(article, doc)
    except Exception as error:  # noqa: BLE001 - a stage's annotations are not what they should be
        errors.append(failure(article, "tables", error))
        return article_rows(article, None)


def _extend(rows: dict[str, list[Row]], more: Mapping[str, Sequence[Row]]) -> None:
    for name, added in more.items():
        rows.setdefault(name, []).extend(added)
