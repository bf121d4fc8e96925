"""Vectors of a source and of those who may be meant: means over the tokens of spans."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from spacy.tokens import Doc
from torch import Tensor

from onrecord.stages.encoder import ArticleEncoder
from onrecord.stages.speaker_scorer import SpeakerModel, SpeakersConfig, SpeakerScorer
from onrecord.stages.speaker_vectors import MentionVectors, OptionPlaces, option_places
from onrecord.stages.speakers import SpeakerResolver, make_option_reader, make_speaker_resolver
from speaker_markup import build
from tiny_model import HIDDEN


def read_options(encoder: ArticleEncoder, markup: str) -> tuple[Doc, OptionPlaces, Tensor]:
    doc = encoder(build(markup))
    options = make_option_reader(doc).read(doc._.attributions[0], [])
    places = option_places(doc._.encoding.tokens, options)
    return doc, places, MentionVectors(doc._.encoding.vectors).read(places)


def test_options_have_the_source_the_nearest_mention_and_all_mentions(
    encoder: ArticleEncoder,
) -> None:
    markup = "[Ana Ruiz|PERSON] left. Ms [Ruiz|PERSON|Ana Ruiz] was tired, {she} said today."
    doc, _, found = read_options(encoder, markup)
    vectors = doc._.encoding.vectors
    texts = [token.text for token in doc]
    she, last = texts.index("she"), texts.index("Ruiz", 2)
    nobody, ruiz = found
    assert torch.allclose(nobody[:HIDDEN], vectors[she], atol=1e-5)
    assert torch.equal(nobody[HIDDEN:], torch.zeros(2 * HIDDEN))
    source, near, mean = ruiz.split(HIDDEN)
    assert torch.equal(source, nobody[:HIDDEN])
    assert torch.allclose(near, vectors[last], atol=1e-5)
    assert torch.allclose(mean, (vectors[:2].mean(0) + vectors[last]) / 2, atol=1e-5)


def test_a_place_without_tokens_has_zeros(encoder: ArticleEncoder) -> None:
    doc, places, _ = read_options(encoder, "[Ana Ruiz|PERSON] left. {She} said no.")
    beyond = replace(places, first=places.first * 0 + 3, last=places.last * 0 + 3)
    found = MentionVectors(doc._.encoding.vectors).read(beyond)
    assert torch.equal(found, torch.zeros_like(found))


def test_what_is_learned_of_options_reaches_the_tokens(encoder: ArticleEncoder) -> None:
    doc, places, _ = read_options(encoder, "[Ana Ruiz|PERSON] left. {She} said no.")
    vectors = doc._.encoding.vectors.clone().requires_grad_()
    MentionVectors(vectors).read(places).sum().backward()
    assert vectors.grad is not None
    touched = [t.text for t, g in zip(doc, vectors.grad.abs().sum(1), strict=True) if g > 0]
    assert touched == ["Ana", "Ruiz", "She"]


def test_members_read_side_by_side_say_what_their_scorer_says(encoder: ArticleEncoder) -> None:
    torch.manual_seed(2)
    config = SpeakersConfig(hidden=HIDDEN, temperature=0.7)
    scorer = SpeakerScorer(config).eval()
    doc, places, vectors = read_options(
        encoder, "[Ana Ruiz|PERSON] met [Ben Hale|PERSON] of [Corvo|ORG]. {She} said no."
    )
    options = make_option_reader(doc).read(doc._.attributions[0], [])
    mentions = MentionVectors(doc._.encoding.vectors)
    found = SpeakerModel(config, scorer).probabilities(options, places, mentions)
    with torch.inference_mode():
        expected = (scorer(torch.tensor(options.rows), vectors) / 0.7).softmax(0)
    assert len(found) == 4
    assert found == pytest.approx(expected.tolist(), abs=1e-6)


def test_without_an_encoding_the_rules_decide() -> None:
    resolver = make_speaker_resolver(None)
    assert resolver.model is not None
    doc = build("[Ana Ruiz|PERSON] left. {She} said no.")
    assert resolver.predict([doc]) == SpeakerResolver().predict([doc])
