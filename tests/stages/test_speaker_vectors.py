"""Vectors of a source and of those who may be meant: means over the tokens of spans."""

from __future__ import annotations

import torch

from onrecord.records import Span
from onrecord.stages.encoder import ArticleEncoder
from onrecord.stages.speaker_vectors import MentionVectors
from onrecord.stages.speakers import SpeakerResolver, make_option_reader, make_speaker_resolver
from speaker_markup import build
from tiny_model import HIDDEN


def test_a_span_has_the_mean_vector_of_its_tokens(encoder: ArticleEncoder) -> None:
    doc = encoder(build("[Ana Ruiz|PERSON] of [Corvo|ORG] said no."))
    vectors = MentionVectors(doc._.encoding)
    expected = doc._.encoding.vectors[:2].mean(0)
    assert torch.allclose(vectors.of_span(Span(0, 8)), expected, atol=1e-5)
    assert torch.equal(vectors.of_span(Span(8, 9)), torch.zeros(HIDDEN)), "only a space"
    assert torch.equal(vectors.of_span(Span(900, 905)), torch.zeros(HIDDEN)), "past the end"


def test_options_have_the_source_the_nearest_mention_and_all_mentions(
    encoder: ArticleEncoder,
) -> None:
    markup = "[Ana Ruiz|PERSON] left. Ms [Ruiz|PERSON|Ana Ruiz] was tired, {she} said today."
    doc = encoder(build(markup))
    options = make_option_reader(doc).read(doc._.attributions[0], [])
    vectors = MentionVectors(doc._.encoding)
    nobody, ruiz = vectors.read(options).split(HIDDEN, dim=1)[0], vectors.read(options)[1]
    she, near, mean = ruiz.split(HIDDEN)
    text = doc.text
    last = Span(text.rindex("Ruiz"), text.rindex("Ruiz") + 4)
    assert torch.equal(nobody[0], she)
    assert torch.equal(vectors.read(options)[0, HIDDEN:], torch.zeros(2 * HIDDEN))
    assert torch.equal(she, vectors.of_span(Span(text.index("she"), text.index("she") + 3)))
    assert torch.equal(near, vectors.of_span(last))
    both = torch.stack([vectors.of_span(Span(0, 8)), vectors.of_span(last)]).mean(0)
    assert torch.allclose(mean, both, atol=1e-6)


def test_without_an_encoding_the_rules_decide() -> None:
    resolver = make_speaker_resolver(None)
    assert resolver.model is not None
    doc = build("[Ana Ruiz|PERSON] left. {She} said no.")
    assert resolver.predict([doc]) == SpeakerResolver().predict([doc])
