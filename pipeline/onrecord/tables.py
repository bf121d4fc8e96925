"""From annotated docs to the rows and Arrow tables of the contract, and the one order they have."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
from spacy.tokens import Doc

from onrecord.readers.columns import text_sha256
from onrecord.records import (
    SCHEMAS,
    Article,
    Attribution,
    ErrorRow,
    Mention,
    Sentence,
    Span,
    join_spans,
)

Row = dict[str, Any]
Rows = dict[str, list[Row]]
Tables = dict[str, pa.Table]

# What one article contributes rows to; actors is made of all articles together.
ARTICLE_TABLES = ("articles", "sentences", "entities", "quotes", "errors")

# The order of every table, whatever the order of the input was.
SORT_KEYS: dict[str, tuple[str, ...]] = {
    "articles": ("article_id",),
    "sentences": ("article_id", "sentence_id"),
    "entities": ("article_id", "mention_id"),
    "actors": ("entity_id",),
    "quotes": ("article_id", "quote_id"),
    "errors": ("article_id", "source_path", "stage", "kind", "error", "message"),
}


class OffsetError(ValueError):
    """A stage gave a span that lies outside its article or is empty."""


def article_rows(article: Article, doc: Doc | None) -> Rows:
    """Rows of one article in every table but ``actors`` and ``errors``.

    Args:
        article: the article as read.
        doc: its annotated ``Doc``, or None where it could not be annotated at all.

    Raises:
        OffsetError: a span of the doc does not lie inside the text.
        UnicodeEncodeError: the text holds lone surrogates, which no table can store.
    """
    if doc is None:
        return {"articles": [_article_row(article, 0, 0, 0)]}
    layout = _Layout(doc.text, doc._.sentences)
    mentions = sorted(doc._.mentions, key=lambda mention: (mention.start, mention.end))
    attributions = doc._.attributions
    return {
        "articles": [
            _article_row(article, len(layout.sentences), len(mentions), len(attributions))
        ],
        "sentences": [
            _sentence_row(article.article_id, number, sentence, layout)
            for number, sentence in enumerate(layout.sentences)
        ],
        "entities": [
            _mention_row(article.article_id, number, mention, layout)
            for number, mention in enumerate(mentions)
        ],
        "quotes": [
            _quote_row(article.article_id, number, attribution, layout)
            for number, attribution in enumerate(attributions)
        ],
    }


class _Layout:
    """The text of one article and the sentences that its spans stand in."""

    def __init__(self, text: str, sentences: Sequence[Sentence]) -> None:
        self.text = text
        self.sentences = sorted(sentences, key=lambda sentence: sentence.start)
        self._starts = [sentence.start for sentence in self.sentences]

    def covered(self, start: int, end: int) -> str:
        if not 0 <= start < end <= len(self.text):
            raise OffsetError(
                f"span [{start}, {end}) does not lie inside the text of {len(self.text)} characters"
            )
        return self.text[start:end]

    def pieces(self, spans: Sequence[Span]) -> str | None:
        """Covered text of the spans, None if there are none."""
        for start, end in spans:
            self.covered(start, end)
        return join_spans(self.text, spans) if spans else None

    def sentence_of(self, offset: int) -> int | None:
        number = bisect_right(self._starts, offset) - 1
        return number if number >= 0 and offset < self.sentences[number].end else None

    def sentences_of(self, spans: Iterable[Span]) -> list[int]:
        touched: set[int] = set()
        for start, end in spans:
            number = max(0, bisect_right(self._starts, start) - 1)
            while number < len(self.sentences) and self._starts[number] < end:
                if self.sentences[number].end > start:
                    touched.add(number)
                number += 1
        return sorted(touched)


def _article_row(article: Article, n_sentences: int, n_entities: int, n_quotes: int) -> Row:
    return {
        "article_id": article.article_id,
        "source_path": article.source_path,
        "title": article.title,
        "author": article.author,
        "publisher": article.publisher,
        "published_at": article.published_at,
        "url": article.url,
        "language": article.language,
        "text": article.text,
        "text_sha256": text_sha256(article.text),
        "n_sentences": n_sentences,
        "n_entities": n_entities,
        "n_quotes": n_quotes,
        "extra": json.dumps(article.extra, ensure_ascii=False, sort_keys=True),
    }


def _sentence_row(article_id: str, number: int, sentence: Sentence, layout: _Layout) -> Row:
    return {
        "article_id": article_id,
        "sentence_id": number,
        "paragraph_id": sentence.paragraph_id,
        "kind": sentence.kind,
        "start": sentence.start,
        "end": sentence.end,
        "text": layout.covered(sentence.start, sentence.end),
    }


def _mention_row(article_id: str, number: int, mention: Mention, layout: _Layout) -> Row:
    entity = mention.entity
    return {
        "article_id": article_id,
        "mention_id": number,
        "sentence_id": layout.sentence_of(mention.start),
        "start": mention.start,
        "end": mention.end,
        "text": layout.covered(mention.start, mention.end),
        "label": mention.label,
        "entity_id": entity.entity_id if entity else None,
        "entity": entity.name if entity else None,
        "kb_id": entity.kb_id if entity else None,
    }


def _quote_row(article_id: str, number: int, quote: Attribution, layout: _Layout) -> Row:
    stance = quote.stance
    return {
        "article_id": article_id,
        "quote_id": number,
        "kind": quote.kind,
        "text": layout.pieces(quote.content),
        "content_spans": _as_lists(quote.content),
        "cue": layout.pieces(quote.cue),
        "cue_spans": _as_lists(quote.cue),
        "source": layout.pieces(quote.source),
        "source_spans": _as_lists(quote.source),
        "sentence_ids": layout.sentences_of((*quote.content, *quote.cue, *quote.source)),
        "speaker": quote.speaker.name,
        "speaker_id": quote.speaker.entity_id,
        "speaker_how": quote.speaker.how,
        "attribution_score": quote.score,
        "speaker_score": quote.speaker.score,
        "stance": stance.label if stance else None,
        "stance_score": stance.score if stance else None,
        "p_defiance": stance.p_defiance if stance else None,
        "p_conciliation": stance.p_conciliation if stance else None,
        "model": quote.model,
    }


def _as_lists(spans: Sequence[Span]) -> list[list[int]]:
    return [[start, end] for start, end in spans]


def error_row(error: ErrorRow) -> Row:
    """An error as a row of the ``errors`` table."""
    return {name: getattr(error, name) for name in SCHEMAS["errors"].names}


def to_tables(rows: Mapping[str, Sequence[Row]]) -> Tables:
    """Rows as Arrow tables of the contract's schemas; a table without rows is there all the same.

    Raises:
        pyarrow.ArrowInvalid: a value is not of its column's type.
    """
    return {
        name: pa.Table.from_pylist(list(rows.get(name, ())), schema=SCHEMAS[name])
        for name in ARTICLE_TABLES
    }


def concat_sorted(name: str, tables: Iterable[pa.Table]) -> pa.Table:
    """Tables of one kind as one, in the contract's order, with every column in one chunk."""
    empty = SCHEMAS[name].empty_table()
    whole = pa.concat_tables([empty, *tables])
    return sort_table(name, whole).combine_chunks()


def sort_table(name: str, table: pa.Table) -> pa.Table:
    """The table in the contract's order: by article, then position; nulls first."""
    keys = [(key, "ascending") for key in SORT_KEYS[name]]
    return table.sort_by(keys) if name != "errors" else _sort_errors(table)


def _sort_errors(table: pa.Table) -> pa.Table:
    keys = SORT_KEYS["errors"]
    rows = table.select(list(keys)).to_pylist()
    order = sorted(range(len(rows)), key=lambda at: tuple(rows[at][key] or "" for key in keys))
    return table.take(pa.array(order, pa.int64()))
