"""Names of people made whole, from what a recogniser saw."""

from __future__ import annotations

import pytest
import spacy
from spacy.tokens import Doc, Span

from onrecord.stages.mention_spans import Found, read_words
from onrecord.stages.person_names import given_names, whole_names
from onrecord.stages.segment import Segmenter

_NLP = spacy.blank("en")


def people(text: str, seen: list[tuple[str, str | None]]) -> list[tuple[str, str | None]]:
    """What becomes of the places of ``seen``: text and label, each at its first occurrence."""
    doc: Doc = Segmenter()(_NLP(text))
    found = []
    for part, label in seen:
        start = text.index(part)
        span = doc.char_span(start, start + len(part))
        assert isinstance(span, Span), part
        found.append(Found(span.start, span.end, label))
    words = read_words(doc)
    return [(words.covered(p.start, p.end), p.label) for p in whole_names(words, found)]


@pytest.mark.parametrize(
    ("text", "seen", "names"),
    [
        (
            "The minister, Sami Ode Baran, left.",
            [("Sami", None), ("Ode Baran", "PERSON")],
            [("Sami Ode Baran", "PERSON")],
        ),
        (
            "They met Lia Teresa Flores Ruiz.",
            [("Lia Teresa Flores", "PERSON"), ("Ruiz", None)],
            [("Lia Teresa Flores Ruiz", "PERSON")],
        ),
        # A surname may look like a title.
        (
            "It was Ato Yebo Dame who left.",
            [("Ato", None), ("Yebo Dame", "PERSON")],
            [("Ato Yebo Dame", "PERSON")],
        ),
        (
            "We heard Pastor Darren Scott sing.",
            [("Pastor Darren Scott", "PERSON")],
            [("Darren Scott", "PERSON")],
        ),
        (
            "We read Harlow Times’s Joe Pollack there.",
            [("Harlow Times’s Joe Pollack", "PERSON")],
            [("Harlow Times", "ORG"), ("Joe Pollack", "PERSON")],
        ),
        (
            "Then Harlow Council Chair Debbie Lund Ruiz left.",
            [("Harlow Council Chair Debbie", "ORG"), ("Lund Ruiz", "PERSON")],
            [("Harlow Council", "ORG"), ("Debbie Lund Ruiz", "PERSON")],
        ),
        # An office and its holder that nobody recognised, or that was taken for a body.
        (
            "Then Presidential Spokesperson Bassam Rady left.",
            [("Presidential Spokesperson Bassam Rady", None)],
            [("Bassam Rady", "PERSON")],
        ),
        (
            "We heard Envoy Mike Lund speak.",
            [("Envoy Mike Lund", "ORG")],
            [("Mike Lund", "PERSON")],
        ),
        # A word that the article also writes small, and letters of a body, are no given names.
        (
            "While entrusting them, Entrusting Lee Lund was odd.",
            [("Entrusting Lee Lund", "PERSON")],
            [("Lee Lund", "PERSON")],
        ),
        ("We met MSP Karen White.", [("MSP Karen White", "PERSON")], [("Karen White", "PERSON")]),
        ("He will go. We met Will Lee Park.", [("Will Lee Park", "PERSON")], None),
        # What is another name in the article is no first name.
        (
            "Unity won. Later Unity Lee Park spoke for Unity.",
            [("Unity", "ORG"), ("Lee Park", "PERSON")],
            [("Unity", "ORG"), ("Lee Park", "PERSON")],
        ),
        (
            "Then Council Lee Park left.",
            [("Council", None), ("Lee Park", "PERSON")],
            [("Council", None), ("Lee Park", "PERSON")],
        ),
        (
            "We saw Son Heung Min play.",
            [("Son Heung Min", "PERSON")],
            [("Son Heung Min", "PERSON")],
        ),
    ],
)
def test_whole_names(
    text: str, seen: list[tuple[str, str | None]], names: list[tuple[str, str | None]] | None
) -> None:
    assert people(text, seen) == (seen if names is None else names)


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("Then Amelia Valverde agreed. Valverde left.", {"Valverde": "Amelia"}),
        ("Then Mr Valverde agreed.", {}),
        ("In May Valverde agreed.", {}),
        ("Then Pastor Valverde agreed.", {}),
        ("Then Amelia Valverde met Boris Valverde.", {}),
        ("Then French Valverde agreed.", {}),
    ],
)
def test_given_names(text: str, given: dict[str, str]) -> None:
    words = read_words(Segmenter()(_NLP(text)))
    assert given_names(words, {"Valverde"}, ()) == given


def test_other_names_give_no_given_name() -> None:
    words = read_words(Segmenter()(_NLP("Then Harlow Valverde agreed.")))
    assert given_names(words, {"Valverde"}, {words.tokens.index("Harlow")}) == {}
