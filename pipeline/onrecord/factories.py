"""Registration of every stage with spaCy, by name; a stage's module is imported when it is made.

spaCy calls these through entry points as soon as any pipeline is created, so nothing heavy may be
imported here: torch is loaded only by a pipeline that has a learned stage.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from spacy.language import Language

from onrecord.records import register_extensions

if TYPE_CHECKING:
    from onrecord.stages.attribution import Attributor
    from onrecord.stages.encoder import ArticleEncoder
    from onrecord.stages.entities import EntityLinker
    from onrecord.stages.segment import Segmenter
    from onrecord.stages.speakers import SpeakerResolver
    from onrecord.stages.stance import StanceClassifier

register_extensions()


@Language.factory("onrecord_segment", assigns=["doc._.sentences", "token.is_sent_start"])
def segment(nlp: Language, name: str) -> Segmenter:
    """Article text to paragraphs, headings, list items and sentences."""
    from onrecord.stages.segment import Segmenter

    return Segmenter()


@Language.factory(
    "onrecord_entities",
    assigns=["doc._.mentions", "doc.ents"],
    requires=["doc.ents", "doc._.sentences"],
    default_config={"entity_file": None},
)
def entities(nlp: Language, name: str, entity_file: str | None) -> EntityLinker:
    """Entity mentions to named entities of the article; ``entity_file`` is authoritative."""
    from onrecord.stages.entities import EntityLinker

    return EntityLinker(entity_file)


@Language.factory(
    "onrecord_encoder",
    assigns=["doc._.encoding"],
    requires=["doc._.sentences", "doc.ents"],
    default_config={"model": None},
)
def encoder(nlp: Language, name: str, model: str | None) -> ArticleEncoder:
    """One transformer pass over the article; ``model`` is a folder, the shipped one if None."""
    from onrecord.model_folder import open_model
    from onrecord.stages.encoder import ArticleEncoder

    return ArticleEncoder(open_model(model))


@Language.factory(
    "onrecord_attribution",
    assigns=["doc._.attributions"],
    requires=["doc._.sentences"],
    default_config={"method": "model", "model": None},
)
def attribution(nlp: Language, name: str, method: str, model: str | None) -> Attributor:
    """Attributed statements; ``method`` is "model" (reads ``doc._.encoding``) or "rules"."""
    from onrecord.stages.attribution import make_attributor

    # spaCy notes for each component what its factory requires when it is made; one of the two
    # methods must run where the encoder has failed, the other must not.
    requires = ["doc._.sentences", *(["doc._.encoding"] if method == "model" else [])]
    meta = replace(Language.get_factory_meta("onrecord_attribution"), requires=requires)
    Language.set_factory_meta("onrecord_attribution", meta)
    return make_attributor(method, model)


@Language.factory(
    "onrecord_speakers",
    assigns=["doc._.attributions"],
    requires=["doc._.attributions", "doc._.mentions", "doc._.sentences"],
    default_config={"model": None},
)
def speakers(nlp: Language, name: str, model: str | None) -> SpeakerResolver:
    """Source span to named entity."""
    from onrecord.stages.speakers import make_speaker_resolver

    return make_speaker_resolver(model)


@Language.factory(
    "onrecord_stance",
    assigns=["doc._.attributions"],
    requires=["doc._.attributions", "doc._.encoding"],
    default_config={"model": None},
)
def stance(nlp: Language, name: str, model: str | None) -> StanceClassifier:
    """Statement to posture; ``model`` is a folder, the shipped one if None."""
    from onrecord.model_folder import open_model
    from onrecord.stages.stance import StanceClassifier

    return StanceClassifier(open_model(model))
