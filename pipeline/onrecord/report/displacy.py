"""Statements as displaCy draws them."""

from __future__ import annotations

import spacy
from spacy.tokens import Doc, DocBin, Span, SpanGroup

# The group that displaCy and spaCy's own span categorizer take unless told otherwise.
SHOWN = "sc"
_PARTS = ("content", "cue", "source")


def add_shown_spans(packed: DocBin) -> DocBin:
    """The same docs with the group "sc": all spans of content, cue and source, labelled as such.

    Args:
        packed: docs with the groups "content", "cue" and "source".
    """
    again = DocBin(attrs=packed.attrs, store_user_data=packed.store_user_data)
    for doc in packed.get_docs(spacy.blank("en").vocab):
        doc.spans[SHOWN] = SpanGroup(doc, name=SHOWN, spans=_labelled(doc))
        again.add(doc)
    return again


def _labelled(doc: Doc) -> list[Span]:
    """In the order of the text, as a reader meets them."""
    spans = [
        Span(doc, span.start, span.end, label=part, span_id=span.id_)
        for part in _PARTS
        for span in doc.spans[part]
    ]
    return sorted(spans, key=lambda span: (span.start, -span.end))
