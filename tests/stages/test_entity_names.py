"""Which of an article's names are one, and the fullest of them."""

from __future__ import annotations

import pytest
import spacy

from onrecord.stages.entities import EntityLinker
from onrecord.stages.segment import Segmenter

_NLP = spacy.blank("en")
Seen = list[tuple[str, str]]


def entities(text: str, seen: Seen, position: int = 0) -> dict[str, list[str]]:
    """Names to their mentions; the recogniser saw ``seen`` in order, from ``position`` on."""
    doc = Segmenter()(_NLP(text))
    spans = []
    for part, label in seen:
        start = text.index(part, position)
        position = start + len(part)
        span = doc.char_span(start, position, label=label)
        assert span is not None, part
        spans.append(span)
    doc.ents = spans
    found: dict[str, list[str]] = {}
    for mention in EntityLinker()(doc)._.mentions:
        if mention.entity is not None:
            found.setdefault(mention.entity.name, []).append(text[mention.start : mention.end])
    return found


@pytest.mark.parametrize(
    ("heading", "name"),
    [
        ("Angela Lundqvist Goes After Her Old Rivals Again", "Angela Lundqvist"),
        ("Party Turns Against Angela R. Lundqvist On Taxes", "Angela R. Lundqvist"),
        ("Former Lundqvist Aide Leaves The Old Capital", "Lundqvist"),
        ("Rivals Turn Harshly After Lundqvist Speech Today", "Lundqvist"),
        ("Party Praises President Lundqvist Over New Taxes", "Lundqvist"),
        ("Crowds Applaud Lundqvist During Final Speech", "Lundqvist"),
        ("Crooked Lundqvist Loses Final Debate", "Lundqvist"),
        # Two given names: it may be either.
        ("Angela Lundqvist Meets Peter Lundqvist At Home", "Lundqvist"),
    ],
)
def test_full_name_that_only_a_heading_gives(heading: str, name: str) -> None:
    text = f"{heading}\n\nOn Monday Lundqvist said that taxes would fall. Lundqvist then left."
    found = names_with_body(text, ["Lundqvist", "Lundqvist"])
    assert name in found
    assert len(found[name]) >= 2


def names_with_body(text: str, people: list[str]) -> dict[str, list[str]]:
    """As ``entities``; the recogniser saw ``people`` behind the heading alone."""
    heading, _, _ = text.partition("\n\n")
    return entities(text, [(person, "PERSON") for person in people], len(heading))


def test_running_text_counts_before_a_heading() -> None:
    text = (
        "Angela Lundqvist Goes After Old Rivals\n\nThen Petra Lundqvist agreed. Lundqvist left "
        "the house on Monday."
    )
    found = names_with_body(text, ["Lundqvist", "Lundqvist"])
    assert set(found) == {"Petra Lundqvist"}


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("Treasury", "Treasury Select Committee"),
        ("UN", "UN Human Rights Council"),
        ("United Nations", "United Nations Human Rights Council"),
        ("Supreme Court", "Supreme Court Bar Association"),
        ("Homeland Security", "Homeland Security Investigations"),
        ("Senate", "Senate Subcommittee on Consumer Protection"),
        ("Harlow", "Harlow Pictures Television"),
        ("FDA", "FDA Staff Union"),
        ("S.C.", "Supreme Court"),
    ],
)
def test_a_body_of_its_own_is_not_the_one_it_begins_with(short: str, long: str) -> None:
    text = f"On Monday officials of the {short} met. Later the {long} gave its answer."
    found = entities(text, [(short, "ORG"), (long, "ORG")])
    assert {short, long} <= set(found)


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("Harlow", "Harlow University"),
        ("KBC", "KBC News"),
        ("Department", "Department of Trade"),
        ("Harlow", "Harlow Motors Corp"),
        ("Homeland Security", "Department of Homeland Security"),
        ("Supreme Court", "U.S. Supreme Court"),
        ("Department of Justice", "United States Department of Justice"),
        ("Senate", "U.S. Senate"),
        ("I.R.S.", "Internal Revenue Service"),
        ("IRS", "Internal Revenue Service"),
        ("E.U.", "European Union"),
        ("S.E.C.", "Securities and Exchange Commission"),
    ],
)
def test_short_and_long_name_of_one_body(short: str, long: str) -> None:
    text = f"On Monday officials of the {long} met. Later the {short} gave its answer."
    found = entities(text, [(long, "ORG"), (short, "ORG")])
    assert [len(mentions) for name, mentions in found.items() if name == long] == [2]


def test_an_acronym_taken_for_a_place_is_its_body() -> None:
    text = "The Internal Revenue Service wrote. Then the I.R.S. wrote again to the clerk."
    found = entities(text, [("Internal Revenue Service", "ORG"), ("I.R.S.", "GPE")])
    assert list(found) == ["Internal Revenue Service"]


def test_an_acronym_of_two_bodies_is_neither() -> None:
    text = "The Internal Revenue Service met the Indian Rail Staff there. Then the IRS left."
    seen = [("Internal Revenue Service", "ORG"), ("Indian Rail Staff", "ORG"), ("IRS", "ORG")]
    assert len(entities(text, seen)) == 3


def test_a_court_of_two_countries_is_neither() -> None:
    text = "The U.S. Supreme Court and the Ohio Supreme Court met. The Supreme Court ruled."
    seen = [("U.S. Supreme Court", "ORG"), ("Ohio Supreme Court", "ORG"), ("Supreme Court", "ORG")]
    assert {"U.S. Supreme Court", "Ohio Supreme Court", "Supreme Court"} <= set(
        entities(text, seen)
    )


@pytest.mark.parametrize(
    ("run", "is_name"),
    [
        ("BEEN CALLED OUT BY FELLOW DOCTORS", False),
        ("MINERS ARE ANGRY", False),
        ("STRIKE VOTE TODAY", False),
        ("BANK OF HARLOW", True),
        ("HARLOW MINERS UNION", True),
    ],
)
def test_shouted_words_are_no_name(run: str, is_name: bool) -> None:
    text = f"He read the strike vote notice. It said {run} in red. A vote today would follow."
    assert (run in entities(text, [(run, "ORG")])) == is_name


@pytest.mark.parametrize(
    ("written", "label", "name"),
    [
        ("Labour MP Jane Roewell", "PERSON", "Jane Roewell"),
        ("Labour MP Jane Roewell", "ORG", "Jane Roewell"),
        ("Conservative Leader John Roewell", "PERSON", "John Roewell"),
        ("Republican Sen. Jane Roewell", "PERSON", "Jane Roewell"),
        ("Republican Jane Roewell", "PERSON", "Jane Roewell"),
        ("Prime Minister Jane Roewell", "PERSON", "Jane Roewell"),
        ("Harlow News’s John Roewell", "ORG", "John Roewell"),
        ("Tory Lane Roewell", "PERSON", "Tory Lane Roewell"),
    ],
)
def test_party_and_title_are_no_part_of_a_person(written: str, label: str, name: str) -> None:
    text = f"On Monday {written} agreed to the plan. Roewell left, and Labour was silent."
    found = entities(text, [(written, label), ("Roewell", "PERSON")])
    assert found.get(name) == [name, "Roewell"]


@pytest.mark.parametrize(
    ("text", "people", "expected"),
    [
        (
            "We met Donald J. Trump. Donald Trump Jr. left. Trump stayed, Trump Jr. did not. "
            "Donald Trump smiled.",
            ["Donald J. Trump", "Donald Trump Jr.", "Trump", "Trump Jr.", "Donald Trump"],
            {
                "Donald J. Trump": ["Donald J. Trump", "Trump", "Donald Trump"],
                "Donald Trump Jr.": ["Donald Trump Jr.", "Trump Jr."],
            },
        ),
        (
            "We met Donald Trump Jr. there. Mr Trump smiled.",
            ["Donald Trump Jr.", "Trump"],
            {"Donald Trump Jr.": ["Donald Trump Jr.", "Trump"]},
        ),
        # The recogniser left out what tells the son from the father.
        (
            "We met Donald Trump, Jr. there. Donald Trump smiled.",
            ["Donald Trump", "Donald Trump"],
            {"Donald Trump, Jr.": ["Donald Trump, Jr."], "Donald Trump": ["Donald Trump"]},
        ),
        (
            "We met George W. Bush. We met George H. W. Bush.",
            ["George W. Bush", "George H. W. Bush"],
            {"George W. Bush": ["George W. Bush"], "George H. W. Bush": ["George H. W. Bush"]},
        ),
        (
            "We met Karim Ahmed. We met Sultan Ahmed.",
            ["Karim Ahmed", "Sultan Ahmed"],
            {"Karim Ahmed": ["Karim Ahmed"], "Sultan Ahmed": ["Sultan Ahmed"]},
        ),
        (
            "We met Andrew Bailey. Then Prince Andrew left.",
            ["Andrew Bailey", "Andrew"],
            {"Andrew Bailey": ["Andrew Bailey"], "Prince Andrew": ["Andrew"]},
        ),
        (
            "We met Mohammed bin Salman. Then Prince Mohammed left.",
            ["Mohammed bin Salman", "Mohammed"],
            {"Mohammed bin Salman": ["Mohammed bin Salman", "Mohammed"]},
        ),
        (
            "They read Martin Luther King Jr. aloud. Later they praised King again.",
            ["Martin Luther King Jr."],
            {"Martin Luther King Jr.": ["Martin Luther King Jr.", "King"]},
        ),
        # "Jr." is never a name by itself.
        (
            "We met Donald Trump Jr. there. Later Trump, Jr., left.",
            ["Donald Trump Jr.", "Jr."],
            {"Donald Trump Jr.": ["Donald Trump Jr.", "Trump"]},
        ),
    ],
)
def test_people_of_like_names(text: str, people: list[str], expected: dict[str, list[str]]) -> None:
    assert entities(text, [(person, "PERSON") for person in people]) == expected


@pytest.mark.parametrize(
    ("text", "seen", "expected"),
    [
        (
            "Rain fell on Guinea-Bissau today.",
            [("Guinea", "GPE")],
            {"Guinea-Bissau": ["Guinea-Bissau"]},
        ),
        (
            "Rain fell on the People’s Republic of China today.",
            [("China", "GPE")],
            {"People’s Republic of China": ["the People’s Republic of China"]},
        ),
        # What follows the hyphen is another country or no name.
        (
            "Rain stopped the Russia-Ukraine talks in a Guinea-based firm.",
            [("Russia", "GPE"), ("Ukraine", "GPE")],
            {"Russia": ["Russia"], "Ukraine": ["Ukraine"], "Guinea": ["Guinea"]},
        ),
    ],
)
def test_a_country_whose_name_is_several_tokens(
    text: str, seen: Seen, expected: dict[str, list[str]]
) -> None:
    assert entities(text, seen) == expected
