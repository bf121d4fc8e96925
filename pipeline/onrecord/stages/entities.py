"""Entities: the recogniser's spans to mentions of the article's named entities.

The recogniser sees one sentence at a time; this stage sees the article. It puts span boundaries
right, types each name once from the evidence of all its occurrences, finds those that were missed,
and joins names of one person, body or place. An entity file, if given, has the last word.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from spacy.lang.en import English
from spacy.tokens import Doc, Span

from onrecord.entity_file import KnownEntity, read_entity_file
from onrecord.names import fold
from onrecord.records import NAMED_LABELS, Mention
from onrecord.stages.amounts import read_amounts
from onrecord.stages.entity_links import link_mentions
from onrecord.stages.mention_search import find_mentions, index_names, with_the
from onrecord.stages.mention_spans import (
    Found,
    Words,
    capitalised_runs,
    is_shouted,
    read_words,
    recognised,
)
from onrecord.stages.name_types import (
    bracketed_acronyms,
    collect_names,
    load_weights,
    type_names,
)
from onrecord.stages.person_names import whole_names


class EntityLinker:
    """spaCy component: sets ``doc._.mentions`` and rewrites ``doc.ents`` to agree with them.

    Args:
        entity_file: names with identifiers (see ``onrecord.entity_file``), or None.

    Raises:
        EntityFileError: the entity file cannot be used.
    """

    def __init__(self, entity_file: Path | str | None = None) -> None:
        self.known: tuple[KnownEntity, ...] = ()
        self._known_forms: list[tuple[tuple[str, ...], KnownEntity]] = []
        self._known_keys: dict[str, KnownEntity] = {}
        if entity_file is not None:
            self.known = read_entity_file(entity_file)
            tokenizer = English().tokenizer
            for entity in self.known:
                for form in entity.forms:
                    tokens = tuple(token.text for token in tokenizer(form))
                    self._known_forms.append((tokens, entity))
                    self._known_keys.setdefault(fold(form), entity)

    def __call__(self, doc: Doc) -> Doc:
        """Link the mentions of one doc."""
        self.set_annotations([doc], self.predict([doc]))
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """Link docs in batches, in order."""
        iterator = iter(stream)
        while batch := list(islice(iterator, batch_size)):
            self.set_annotations(batch, self.predict(batch))
            yield from batch

    def predict(self, docs: Sequence[Doc]) -> list[tuple[Mention, ...]]:
        """The mentions of each doc, sorted and disjoint; writes nothing."""
        return [self._mentions(doc) for doc in docs]

    def set_annotations(self, docs: Sequence[Doc], values: Sequence[tuple[Mention, ...]]) -> None:
        """Write mentions to the docs, and the same spans to ``doc.ents``."""
        for doc, mentions in zip(docs, values, strict=True):
            # The spans first: if they cannot stand, no half of the annotation stays behind.
            doc.ents = [span for mention in mentions if (span := _span(doc, mention))]
            doc._.mentions = mentions

    def _mentions(self, doc: Doc) -> tuple[Mention, ...]:
        words = read_words(doc)
        found = find_candidates(doc, words)
        named = [place for place in found if _may_be_name(place)]
        names = collect_names(words, named)
        labels = type_names(words, names, load_weights())
        index = index_names(words, names, labels, self._known_forms)
        placed = find_mentions(words, index, found)
        introduced = bracketed_acronyms(words, names)
        article_id = str(doc.user_data.get("article_id", ""))
        entities = link_mentions(words, placed, introduced, self._known_keys, article_id)
        ends = [0, *(place.end for place in placed)]
        mentions = [
            Mention(
                words.starts[with_the(words, place, free)],
                words.end(place.end - 1),
                place.label,
                entity,
            )
            for place, entity, free in zip(placed, entities, ends, strict=False)
        ]
        return tuple(sorted([*mentions, *read_amounts(words, found, mentions)], key=_by_start))


def find_candidates(doc: Doc, words: Words) -> list[Found]:
    """The recogniser's spans, put right, and the capitalised runs between them."""
    seen = list(recognised(doc, words))
    taken = [False] * len(words.tokens)
    for place in seen:
        taken[place.start : place.end] = [True] * (place.end - place.start)
    seen.extend(Found(start, end, None) for start, end in capitalised_runs(words, taken))
    named = [place for place in seen if not (_may_be_name(place) and is_shouted(words, place))]
    return whole_names(words, named)


def _may_be_name(place: Found) -> bool:
    return place.label is None or place.label in NAMED_LABELS


def _by_start(mention: Mention) -> int:
    return mention.start


def _span(doc: Doc, mention: Mention) -> Span | None:
    kb_id = mention.entity.kb_id if mention.entity else None
    return doc.char_span(mention.start, mention.end, label=mention.label, kb_id=kb_id or 0)
