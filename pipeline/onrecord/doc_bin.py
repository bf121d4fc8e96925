"""The tables of a run as spaCy docs, without the models that made them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

import pyarrow as pa
import spacy
from spacy.tokens import Doc, DocBin, Span, SpanGroup
from spacy.util import filter_spans

from onrecord.tables import Row

_ATTRIBUTES = ("ENT_IOB", "ENT_TYPE", "ENT_KB_ID", "SENT_START", "SPACY")
_LONGEST = 10**9


def to_doc_bin(table: Callable[[str], pa.Table]) -> DocBin:
    """Articles with sentence starts, entities, and spans of content, cue and source.

    Args:
        table: gives a table of the run by name.
    """
    nlp = spacy.blank("en")
    nlp.max_length = _LONGEST
    packed = DocBin(attrs=_ATTRIBUTES, store_user_data=True)
    sentences, entities, quotes = (
        _by_article(table(name)) for name in ("sentences", "entities", "quotes")
    )
    for article in table("articles").select(["article_id", "text"]).to_pylist():
        article_id = article["article_id"]
        doc = nlp.make_doc(article["text"])
        doc.user_data["article_id"] = article_id
        _set_sentences(doc, sentences[article_id])
        doc.ents = tuple(filter_spans(_entities(doc, entities[article_id])))
        for group in ("content", "cue", "source"):
            spans = list(_pieces(doc, quotes[article_id], group))
            doc.spans[group] = SpanGroup(doc, name=group, spans=spans)
        packed.add(doc)
    return packed


def _by_article(table: pa.Table) -> defaultdict[str, list[Row]]:
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for row in table.to_pylist():
        found[row["article_id"]].append(row)
    return found


def _span(doc: Doc, start: int, end: int, label: str, kb_id: str = "", span_id: str = "") -> Span:
    found = doc.char_span(
        start, end, label=label, kb_id=kb_id, span_id=span_id, alignment_mode="expand"
    )
    if found is None:
        raise ValueError(f"[{start}, {end}) is no span of a text of {len(doc.text)} characters")
    return found


def _set_sentences(doc: Doc, rows: Sequence[Row]) -> None:
    spans = [_span(doc, row["start"], row["end"], row["kind"]) for row in rows]
    starts = {0, *(span.start for span in spans)}
    for token in doc:
        token.is_sent_start = token.i in starts
    doc.spans["sentences"] = SpanGroup(doc, name="sentences", spans=spans)


def _entities(doc: Doc, rows: Iterable[Row]) -> Iterator[Span]:
    for row in rows:
        yield _span(doc, row["start"], row["end"], row["label"], kb_id=row["kb_id"] or "")


def _pieces(doc: Doc, quotes: Iterable[Row], group: str) -> Iterator[Span]:
    for row in quotes:
        label = (row["stance"] or "") if group == "content" else row["kind"]
        for start, end in row[f"{group}_spans"]:
            yield _span(doc, start, end, label, span_id=row["speaker_id"] or "")
