"""Speakers by rule: whom a source span names, and when nobody may be named.

Articles are written as ``speaker_markup`` reads them.
"""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onrecord.records import AttributionKind, Speaker
from onrecord.stages.speakers import SpeakerResolver, make_speaker_resolver
from speaker_markup import build


def speakers(markup: str, kind: AttributionKind = "indirect") -> list[Speaker]:
    return SpeakerResolver().predict([build(markup, kind)])[0]


NAMED = [
    # Names and what stands around them.
    ("{[Ana Ruiz|PERSON]} said no.", "Ana Ruiz", "name"),
    ("[Ana Ruiz|PERSON] came. {Ms [Ruiz|PERSON|Ana Ruiz]} said no.", "Ana Ruiz", "name"),
    ("{[Ana Ruiz|PERSON], a doctor from [Leeds|GPE],} said no.", "Ana Ruiz", "name"),
    (
        "{[Okoro|PERSON|Sam Okoro]'s spokesman [Ben Hale|PERSON]} said no.",
        "Ben Hale",
        "name",
    ),
    ("{A spokesman, [Ben Hale|PERSON],} said no.", "Ben Hale", "name"),
    ("{Secretary of State [Mia Lund|PERSON]} said no.", "Mia Lund", "name"),
    ("{[Chevron|ORG]} said no.", "Chevron", "name"),
    ("{[Moscow|GPE]} said no.", "Moscow", "name"),
    ("{[Ana Ruiz|PERSON]'s} answer was no.", "Ana Ruiz", "name"),
    # A known surname that the recogniser missed here.
    ("[Ana Ruiz|PERSON] came in. {Ruiz} said no.", "Ana Ruiz", "name"),
    # Things that somebody issued.
    ("{A [CBS|ORG] poll} found more.", "CBS", "owner"),
    ("{[Ana Ruiz|PERSON]'s letter} said no.", "Ana Ruiz", "owner"),
    ("{A report by [Amnesty|ORG]} said no.", "Amnesty", "name"),
    # Bodies named after people.
    ("{The [Okoro|PERSON|Sam Okoro] campaign} said no.", "Okoro campaign", "body"),
    # Pronouns.
    ("[Ana Ruiz|PERSON] opened the door. {She} said no.", "Ana Ruiz", "pronoun"),
    (
        "Mr [Hale|PERSON|Ben Hale] met Ms [Ruiz|PERSON|Ana Ruiz] in May. {She} said no.",
        "Ana Ruiz",
        "pronoun",
    ),
    (
        "Ms [Ruiz|PERSON|Ana Ruiz] met Mr [Hale|PERSON|Ben Hale] in May. {He} said no.",
        "Ben Hale",
        "pronoun",
    ),
    (
        "[Ana Ruiz|PERSON] praised her brother. Then [Ana Ruiz|PERSON] met [Ben Hale|PERSON]. "
        "{She} said no.",
        "Ana Ruiz",
        "pronoun",
    ),
    ("[Ana Ruiz|PERSON], {who} said no, left.", "Ana Ruiz", "relative"),
    ("[Chevron|ORG] cut its forecast on Monday. {It} said sales fell.", "Chevron", "pronoun"),
    # Descriptions with evidence in the article.
    (
        "[Venezuela|GPE]'s President [Nicolás Maduro|PERSON] spoke to [Ignacio Ramonet|PERSON]. "
        "Oil fell. {The [Venezuelan|NORP|Venezuela] leader} said no.",
        "Nicolás Maduro",
        "title",
    ),
    (
        "Gov. [Lee Park|PERSON] and Sen. [Ana Ruiz|PERSON] met. {The governor} said no.",
        "Lee Park",
        "title",
    ),
    (
        "[Lee Park|PERSON], the mayor, met [Ana Ruiz|PERSON], a judge. Rain fell. {The judge} "
        "said no.",
        "Ana Ruiz",
        "title",
    ),
    (
        "The [Electoral Commission|ORG] met [Chevron|ORG] on Monday. {The commission} said no.",
        "Electoral Commission",
        "body",
    ),
]


@pytest.mark.parametrize(("markup", "name", "how"), NAMED)
def test_named(markup: str, name: str, how: str) -> None:
    speaker = speakers(markup)[-1]
    assert (speaker.name, speaker.how) == (name, how)
    assert 0 < speaker.score <= 1
    assert speaker.entity_id == (None if name == "Okoro campaign" else f"id:{name}")


@pytest.mark.parametrize(
    "markup",
    [
        "[Ana Ruiz|PERSON] left. {Officials} said no.",
        "[Ana Ruiz|PERSON] left. {Both leaders} said no.",
        "[Ana Ruiz|PERSON] left. {They} said no.",
        "{[Ana Ruiz|PERSON] and [Ben Hale|PERSON]} said no.",
        "{[Ana Ruiz|PERSON] and her brother} said no.",
        "{A spokesman for [Chevron|ORG]} said no.",
        "{A spokesman for Mayor [Ben Hale|PERSON]} said no.",
        "{Two officials in [Moscow|GPE]} said no.",
        "{A [State Department|ORG] official} said no.",
        "{Top [Okoro|PERSON|Sam Okoro] strategists} said no.",
        "{[Republicans|NORP]} said no.",
        "[Ana Ruiz|PERSON] left. {A new poll} found more.",
        "[Ana Ruiz|PERSON] left. {The law} says no.",
        "[Ana Ruiz|PERSON] left. {https://example.org/report} says no.",
        "[Ana Ruiz|PERSON] left. {People {who} were there} said no.",
        "[Ana Ruiz|PERSON] left. {Her lawyer} said no.",
        "[Ana Ruiz|PERSON] left. {A woman in the queue} said no.",
        "[Lee Park|PERSON], the mayor, left. {Another mayor} said no.",
    ],
)
def test_nobody_is_named_because_he_is_near(markup: str) -> None:
    speaker = speakers(markup)[-1]
    assert (speaker.name, speaker.entity_id, speaker.how) == (None, None, "unknown")


def test_same_surname_goes_by_the_mention() -> None:
    found = speakers(
        "[Hillary Clinton|PERSON] met [Bill Clinton|PERSON]. "
        "{Mrs [Clinton|PERSON|Hillary Clinton]} said no. "
        "{Mr [Clinton|PERSON|Bill Clinton]} said yes. {She} laughed."
    )
    assert [s.name for s in found] == ["Hillary Clinton", "Bill Clinton", "Hillary Clinton"]


def test_bare_surname_of_two_people_names_neither() -> None:
    (speaker,) = speakers("[Hillary Clinton|PERSON] met [Bill Clinton|PERSON]. {Clinton} said no.")
    assert speaker.name is None


def test_statement_without_source_goes_on_with_the_speaker_before() -> None:
    found = speakers("{[Ana Ruiz|PERSON]} said “no.”\n\n{}“Never again,” and “no more.”", "direct")
    assert [(s.name, s.how) for s in found] == [("Ana Ruiz", "name"), ("Ana Ruiz", "continued")]


def test_statement_without_source_far_from_any_speaker_is_unknown() -> None:
    markup = "{[Ana Ruiz|PERSON]} said “no.” Rain fell. Snow fell. Hail fell. {}“Never again.”"
    assert speakers(markup, "direct")[-1].name is None


def test_issued_statement_goes_on_with_the_speaker_before() -> None:
    found = speakers("{[Ana Ruiz|PERSON]} said no. {The statement} added that she would stay.")
    assert (found[-1].name, found[-1].how) == ("Ana Ruiz", "continued")


def test_previous_speaker_is_preferred_over_a_nearer_object() -> None:
    found = speakers(
        "{[Lee Park|PERSON]} said he was ready. He had written to [Tom Bell|PERSON]. {He} said no."
    )
    assert found[-1].name == "Lee Park"


def test_annotations_are_replaced_in_place_and_nothing_else_changes() -> None:
    doc = build("{[Ana Ruiz|PERSON]} said no.")
    before = doc._.attributions[0]
    make_speaker_resolver(None)(doc)
    (after,) = doc._.attributions
    assert after.speaker.name == "Ana Ruiz"
    assert (after.content, after.source, after.kind) == (before.content, before.source, before.kind)


def test_pipe_keeps_the_order_of_docs() -> None:
    docs = [build(f"{{[{name}|PERSON]}} said no.") for name in ("Ana Ruiz", "Ben Hale", "Lee Park")]
    names = [d._.attributions[0].speaker.name for d in SpeakerResolver().pipe(docs, batch_size=2)]
    assert names == ["Ana Ruiz", "Ben Hale", "Lee Park"]


def test_no_entities_no_speakers() -> None:
    found = speakers(
        "{He} said no. {The mayor} said no. {It} fell. {} “No,” and no more.", "direct"
    )
    assert {s.how for s in found} == {"unknown"}


def test_a_hundred_people_are_read_in_time() -> None:
    parts = [
        f"[Ana{i} Ruiz{i}|PERSON] met him. {{He}} said no. {{The mayor}} left." for i in range(100)
    ]
    started = time.process_time()
    assert len(speakers(" ".join(parts))) == 200
    assert time.process_time() - started < 10


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "[Ana Ruiz|PERSON]",
                "{He}",
                "{she}",
                "{The mayor}",
                "[Chevron|ORG]",
                "{It}",
                "{}",
                "said",
                ",",
                ".",
                "and",
                "{[Ben Hale|PERSON], the mayor,}",
                "\n\n",
                "“",
                "”",
                "who",
                "{[Moscow|GPE] officials}",
                "{the company}",
                "(",
                ")",
                "{who}",
            ]
        ),
        max_size=40,
    )
)
def test_any_article_gives_known_names_or_unknown(parts: list[str]) -> None:
    doc = build(" ".join(parts) + " The end.")
    known = {m.entity.name: m.entity.entity_id for m in doc._.mentions if m.entity}
    (found,) = SpeakerResolver().predict([doc])
    assert len(found) == len(doc._.attributions)
    for speaker in found:
        assert (speaker.name is None) == (speaker.how == "unknown")
        assert speaker.entity_id == known.get(speaker.name)
        assert 0 <= speaker.score <= 1
