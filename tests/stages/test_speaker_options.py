"""Whom a statement may belong to: who is an option, how he would be meant, and at what cost.

Articles are written as ``speaker_markup`` reads them.
"""

from __future__ import annotations

from typing import Any

import pytest

from onrecord.records import Sentence, Span
from onrecord.stages import roster as roster_module
from onrecord.stages.roster import Candidate, Roster
from onrecord.stages.speaker_options import FEATURES, OptionReader, Options, Spoken
from onrecord.stages.speakers import make_option_reader
from speaker_markup import build


def options_of(markup: str) -> list[Options]:
    doc = build(markup)
    reader = make_option_reader(doc)
    spoken: list[Spoken] = []
    found = []
    for attribution in doc._.attributions:
        found.append(reader.read(attribution, spoken))
        spoken.append(Spoken(None, found[-1].sentence))
    return found


def called(options: Options, name: str) -> Candidate:
    (found,) = [c for c in options.candidates if c.entity.name == name]
    return found


@pytest.mark.parametrize(
    ("source", "name", "kind", "label"),
    [
        ("Sam Orr", "Sam Orr", "person", "PERSON"),
        ("Mr Sam Orr, a clerk from Leeds,", "Sam Orr", "person", "PERSON"),
        ("Velora Bank", "Velora Bank", "body", "ORG"),
        ("The Daily Lantern", "Daily Lantern", "body", "ORG"),
        ("BRC World", "BRC World", "body", "ORG"),
    ],
)
def test_a_name_that_no_entity_has_is_of_its_kind_and_seen_where_it_stands(
    source: str, name: str, kind: str, label: str
) -> None:
    (options,) = options_of(f"It rained. {{{source}}} said no.")
    found = called(options, name)
    assert (found.kind, found.entity.label, found.unlisted) == (kind, label, True)
    start = len("It rained. ") + source.index(name)
    assert [(seen.start, seen.end) for seen in found.seen] == [(start, start + len(name))]


def test_he_may_be_a_person_whom_no_entity_stands_for() -> None:
    _, he = options_of("{Mr Sam Orr} said no. [Velora|ORG] fell. {He} left.")
    orr = called(he, "Sam Orr")
    assert orr.masculine > orr.feminine
    assert he.candidates[0] is orr


def test_a_phrase_for_a_body_is_seen_once_where_it_is_a_source() -> None:
    (options,) = options_of("{The [Okoro|PERSON|Sam Okoro] campaign} said no.")
    assert len(called(options, "Okoro campaign").seen) == 1


def feature_of(options: Options, name: str, feature: str) -> float:
    """What a named option's row says of a feature."""
    number = options.candidates.index(called(options, name))
    return options.rows[number + 1][FEATURES.index(f"name_{feature}")]


@pytest.mark.parametrize(
    ("body", "description", "kind"),
    [
        ("Congressional Budget Office", "The agency", 1.0),
        ("Halden Gazette", "The paper", 1.0),
        ("Brightway Holdings", "The firm", 1.0),
        ("Ninth Circuit", "The court", 1.0),
        ("Halden Gazette", "The agency", 0.0),
        ("Brightway Holdings", "The union", 0.0),
    ],
)
def test_a_word_of_its_name_tells_what_a_body_is(body: str, description: str, kind: float) -> None:
    (options,) = options_of(f"The [{body}|ORG] moved. It rained. {{{description}}} said no.")
    assert feature_of(options, body, "name_kind") == kind


@pytest.mark.parametrize(
    ("before", "has_role"),
    [
        ("The insurer", 1.0),
        ("Ana Ruiz joined", 0.0),
        ("Nothing is known of", 0.0),
        ("The Insurer", 0.0),
    ],
)
def test_what_stands_before_its_name_tells_what_a_body_is(before: str, has_role: float) -> None:
    (options,) = options_of(f"{before} [Velora|ORG] on Monday. {{The insurer}} said no.")
    assert feature_of(options, "Velora", "role_head") == has_role


def test_a_quantity_is_no_pronoun() -> None:
    (options,) = options_of("[Ana Ruiz|PERSON] left. {Both [Corvo|ORG] leaders} said no.")
    assert dict(zip((c.entity.name for c in options.candidates), options.hows, strict=True)) == {
        "Corvo": "name",
        "Ana Ruiz": "title",
    }


def test_marks_pair_inside_the_paragraphs_of_the_article() -> None:
    text = "“We stay, she said.\nOrtiz left."
    sentences = [Sentence(0, 19, 0, "body"), Sentence(20, 31, 1, "body")]
    roster = Roster(text, sentences, [])
    assert roster.quotation_at(3) is not None
    assert roster.quotation_at(text.index("Ortiz")) is None
    assert [roster.paragraph_start(n) for n in (0, 1)] == [0, 20]


# --- cost: four times the article is four times the work, not sixteen --------------------------


class CountedText(str):
    """A text that counts the characters taken out of it."""

    taken = 0

    def __getitem__(self, key: Any) -> str:
        found = super().__getitem__(key)
        self.taken += len(found)
        return found


def characters_taken(markup: str) -> int:
    doc = build(markup)
    text = CountedText(doc.text)
    reader = OptionReader(Roster(text, doc._.sentences, doc._.mentions), doc._.attributions)
    spoken: list[Spoken] = []
    for attribution in doc._.attributions:
        spoken.append(Spoken(None, reader.read(attribution, spoken).sentence))
    return text.taken


@pytest.mark.parametrize(
    "part",
    [
        "{{The Okoro campaign}} met the Lund{0} government.\n\n",
        "{{He}} met [Ana{0} Ruiz{0}|PERSON].\n\n",
        "{{He}} met [Ana{0} Ruiz{0}|PERSON]. ",
        "[Ana{0} Ruiz{0}|PERSON], ",
    ],
    ids=["phrases", "people", "one paragraph", "one sentence"],
)
def test_text_is_read_in_proportion_to_the_article(part: str) -> None:
    few, many = (
        characters_taken("".join(part.format(number) for number in range(times)))
        for times in (50, 200)
    )
    assert many < 6 * few


def test_each_statement_weighs_few_of_the_people(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = 0
    last_before = Candidate.last_before

    def counted(candidate: Candidate, start: int) -> int:
        nonlocal looked
        looked += 1
        return last_before(candidate, start)

    monkeypatch.setattr(Candidate, "last_before", counted)
    costs = []
    for times in (50, 200):
        looked = 0
        part = "[Ana{0} Ruiz{0}|PERSON] met him. {{He}} said no. {{The mayor}} left. {{It}} fell. "
        options_of("".join(part.format(number) for number in range(times)))
        costs.append(looked)
    assert costs[1] < 6 * costs[0]


@pytest.mark.parametrize("a_few", [0, 2, 32])
def test_whoever_was_mentioned_last_comes_first_wherever_one_asks(
    a_few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Places are asked for in any order; a mention may begin or end where another does."""
    monkeypatch.setattr(roster_module, "_A_FEW", a_few)
    doc = build(
        "[Ana Ruiz|PERSON] met [Corvo|ORG]. The [Okoro|PERSON|Sam Okoro] campaign saw [Ana Ruiz"
        "|PERSON]. {Velora Bank} fell. The [Lund|PERSON|Mia Lund] government met [Corvo|ORG]."
    )
    roster = Roster(doc.text, doc._.sentences, doc._.mentions)
    places = range(len(doc.text) + 1)
    for offset in (*places, *reversed(places)):
        if offset == 40:
            roster.add_unlisted("Velora Bank", Span(doc.text.index("Velora"), 70))
        numbered = [(c.last_before(offset), n) for n, c in enumerate(roster.candidates.values())]
        everyone = list(roster.candidates.values())
        expected = [everyone[n] for at, n in sorted(numbered, reverse=True) if at >= 0]
        assert list(roster.last_named(offset)) == expected
        people = [c for c in expected if c.kind == "person"]
        assert list(roster.last_people(offset)) == people
