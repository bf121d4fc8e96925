"""Articles with their entities and sources marked, for tests of speakers.

Entities stand in square brackets, ``[text|LABEL|full name]`` or ``[text|LABEL]`` where the text is
the full name, and each source in braces.
"""

from __future__ import annotations

import re

import spacy
from spacy.tokens import Doc

from onrecord.records import (
    Attribution,
    AttributionKind,
    Entity,
    Mention,
    Span,
    register_extensions,
)
from onrecord.stages.segment import segment

register_extensions()
_NLP = spacy.blank("en")
_MARKUP = re.compile(r"\[(?P<text>[^|\]]+)\|(?P<label>[A-Z_]+)(?:\|(?P<name>[^\]]+))?\]|[{}]")


def build(markup: str, kind: AttributionKind = "indirect") -> Doc:
    """A doc with the marked entities, and a statement for each marked source."""
    text, at = "", 0
    mentions: list[Mention] = []
    labels: dict[str, str] = {}
    sources: list[Span] = []
    opened = 0
    for match in _MARKUP.finditer(markup):
        text += markup[at : match.start()]
        at = match.end()
        if match.group() == "{":
            opened = len(text)
        elif match.group() == "}":
            sources.append(Span(opened, len(text)))
        else:
            name = match.group("name") or match.group("text")
            label = labels.setdefault(name, match.group("label"))
            entity = Entity(f"id:{name}", name, label)
            start = len(text)
            text += match.group("text")
            mentions.append(Mention(start, len(text), match.group("label"), entity))
    text += markup[at:]
    doc = _NLP.make_doc(text)
    doc._.sentences = tuple(segment(text))
    doc._.mentions = tuple(mentions)
    doc._.attributions = tuple(
        Attribution(
            content=(Span(source.end + 1, min(source.end + 12, len(text))),),
            cue=(),
            source=() if source.start == source.end else (source,),
            kind=kind,
            score=1.0,
        )
        for source in sources
    )
    return doc
