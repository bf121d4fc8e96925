"""Posture of statements whose spans are given, as by a gold file or by another program."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc

from onrecord.language import load
from onrecord.records import Attribution, Span, Spans

# An attribution in the gold format: lists of [start, end] under "content", "cue" and "source".
GoldRow = Mapping[str, Any]
_ROLES = ("content", "cue", "source")
# What would find statements and speakers; here they are given, and stance reads no speaker.
_NOT_NEEDED = ("onrecord_attribution", "onrecord_speakers")
_TEXTS_AT_ONCE = 16


def score_stance(
    items: Iterable[tuple[str, Attribution | GoldRow]], *, model: Path | str | None = None
) -> list[tuple[float, float]]:
    """Calibrated probabilities of defiance and conciliation of given statements.

    Args:
        items: pairs of a text and an attribution in it: an ``Attribution``, or a mapping with
            lists of ``[start, end]`` (code points, half open) under ``content``, ``cue`` and
            ``source``. Cue and source may be empty or absent; other keys are not read. A text
            that comes several times is encoded once.
        model: folder of trained weights; the shipped model if None.

    Returns:
        ``(p_defiance, p_conciliation)`` of each item, in the order given.

    Raises:
        TypeError: an attribution is neither of the two forms.
        ValueError: a statement without content, or a span that is not inside its text; the
            message names the item's position and the offsets.
        ModelNotFoundError: the model folder is missing or damaged.
    """
    places: dict[str, list[int]] = {}
    statements: list[Attribution] = []
    for index, (text, attribution) in enumerate(items):
        statements.append(_checked(index, text, attribution))
        places.setdefault(text, []).append(index)
    scores = [(0.0, 0.0)] * len(statements)
    if not statements:
        return scores
    nlp = _pipeline(None if model is None else str(Path(model).resolve()))
    docs = (_doc(nlp, text, [statements[i] for i in places[text]]) for text in places)
    for doc, indices in zip(
        nlp.pipe(docs, batch_size=_TEXTS_AT_ONCE), places.values(), strict=True
    ):
        for index, attribution in zip(indices, doc._.attributions, strict=True):
            marks = attribution.stance
            scores[index] = (marks.p_defiance, marks.p_conciliation)
    return scores


@lru_cache(maxsize=2)
def _pipeline(model: str | None) -> Language:
    return load(model=model, exclude=_NOT_NEEDED)


def _doc(nlp: Language, text: str, attributions: Sequence[Attribution]) -> Doc:
    doc = nlp.make_doc(text)
    doc._.attributions = tuple(attributions)
    return doc


def _checked(index: int, text: str, attribution: Attribution | GoldRow) -> Attribution:
    if isinstance(attribution, Attribution):
        given: dict[str, Any] = {role: getattr(attribution, role) for role in _ROLES}
    elif isinstance(attribution, Mapping):
        given = {role: attribution.get(role) or () for role in _ROLES}
    else:
        raise TypeError(
            f"item {index}: expected an Attribution or a mapping with 'content', 'cue' and "
            f"'source', got {type(attribution).__name__}"
        )
    if not given["content"]:
        raise ValueError(
            f"item {index}: the statement has no content; give at least one [start, end] under "
            "'content'"
        )
    spans = {role: _spans(index, text, role, given[role]) for role in _ROLES}
    return Attribution(spans["content"], spans["cue"], spans["source"], kind="indirect", score=1.0)


def _spans(index: int, text: str, role: str, values: Sequence[Sequence[int]]) -> Spans:
    return tuple(_span(index, text, role, value) for value in values)


def _span(index: int, text: str, role: str, value: Sequence[int]) -> Span:
    match value:
        case [int(start), int(end)] if 0 <= start < end <= len(text):
            return Span(start, end)
    raise ValueError(
        f"item {index}: {role} {value!r} is not a span of its text, which has {len(text)} code "
        "points; expected [start, end] with 0 <= start < end <= length"
    )
