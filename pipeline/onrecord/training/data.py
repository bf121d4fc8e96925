"""Preparation of training texts: the same tokens and features that the pipeline will see."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc

from onrecord.language import load_spacy
from onrecord.records import Attribution, Span
from onrecord.stages.encoder import ArticleTokens, IntArray, PieceTokenizer, article_tokens


def read_json_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Rows of a JSON Lines file.

    Raises:
        ValueError: a line is not JSON; the message names file and line.
    """
    with path.open(encoding="utf-8") as stream:
        for number, line in enumerate(stream, start=1):
            try:
                yield json.loads(line)
            except json.JSONDecodeError as error:
                raise ValueError(f"{path}, line {number}: not JSON ({error})") from error


def tagging_pipeline() -> Language:
    """Segmentation and entities, all that the encoder's features read."""
    nlp = load_spacy()
    nlp.add_pipe("onrecord_segment", first=True)
    nlp.add_pipe("onrecord_entities", last=True)
    return nlp


def prepare_docs(articles: Iterable[tuple[str, str]]) -> Iterator[Doc]:
    """Articles, given by name and text, with sentences and mentions as the pipeline finds them."""
    nlp = tagging_pipeline()

    def make(name: str, text: str) -> Doc:
        doc = nlp.make_doc(text)
        doc.user_data["article_id"] = name
        return doc

    return nlp.pipe((make(name, text) for name, text in articles), batch_size=16)


def prepare(
    nlp: Language, texts: Iterable[str], tokenizer: PieceTokenizer
) -> Iterator[ArticleTokens]:
    """Tokens and features of each text."""
    for doc in nlp.pipe(texts, batch_size=16):
        yield article_tokens(doc, tokenizer)


def gold_attribution(row: dict[str, Any]) -> Attribution:
    """An attribution of a gold file as the stages see one; its kind is not read."""
    content, cue, source = (
        tuple(Span(start, end) for start, end in row[role]) for role in ("content", "cue", "source")
    )
    return Attribution(content, cue, source, "indirect", 1.0)


def token_range(tokens: ArticleTokens, start: int, end: int) -> tuple[int, int] | None:
    """First and last token that code points ``start`` to ``end`` touch, or None."""
    first = int(np.searchsorted(tokens.ends, start, side="right"))
    last = int(np.searchsorted(tokens.starts, end, side="left")) - 1
    return (first, last) if first <= last else None


def content_tags(tokens: ArticleTokens, spans: Sequence[Sequence[int]]) -> IntArray:
    """Outside, begin, inside (0, 1, 2) of each token for content given as code-point spans."""
    touched = (token_range(tokens, start, end) for start, end in spans)
    return tag_runs(len(tokens), (run for run in touched if run is not None))


def tag_runs(n_tokens: int, runs: Iterable[Sequence[int]]) -> IntArray:
    """Outside, begin, inside of each token for content given as its first and last tokens."""
    tags = np.zeros(n_tokens, dtype=np.int64)
    for first, last in runs:
        tags[first] = 1
        tags[first + 1 : last + 1] = 2
    return tags
