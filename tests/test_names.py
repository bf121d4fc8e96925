from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onrecord import names


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Recep Tayyip Erdoğan", "recep tayyip erdogan"),
        ("the U.S.", "US"),
        ("The United Nations", "United Nations"),
        ("Søren Łukasz", "Soren Lukasz"),
        ("Côte d’Ivoire", "Cote d'Ivoire"),
        ("Jun-seok", "Jun seok"),
        ("Maduro’s", "Maduro"),
    ],
)
def test_fold_forgives_writing(one: str, other: str) -> None:
    assert names.fold(one) == names.fold(other)


@pytest.mark.parametrize(("one", "other"), [("Bill", "Hillary"), ("Theodore", "The Odore")])
def test_fold_keeps_names_apart(one: str, other: str) -> None:
    assert names.fold(one) != names.fold(other)


@given(st.text(max_size=40))
def test_fold_ignores_outer_space(text: str) -> None:
    folded = names.fold(text)
    assert folded == names.fold(f"  {text} ") == folded.strip()


@pytest.mark.parametrize(
    ("name", "label", "expected"),
    [
        ("Nicolás Maduro", "PERSON", "person:nicolas-maduro"),
        ("Chevron", "ORG", "org:chevron"),
        ("the United States", "GPE", "place:united-states"),
        ("Rhine", "LOC", "place:rhine"),
        ("Johnson", "PERSON", "person:johnson@a1"),
        # A title or one initial before a surname makes no full name; two initials do.
        ("Lord Falconer", "PERSON", "person:lord-falconer@a1"),
        ("J. Smith", "PERSON", "person:j-smith@a1"),
        ("Smith Jr.", "PERSON", "person:smith-jr@a1"),
        ("Ocasio-Cortez", "PERSON", "person:ocasio-cortez@a1"),
        ("J. K. Rowling", "PERSON", "person:j-k-rowling"),
        ("King Charles III", "PERSON", "person:king-charles-iii"),
        ("Democrat", "NORP", "group:democrat"),
    ],
)
def test_entity_id(name: str, label: str, expected: str) -> None:
    assert names.entity_id(name, label, "a1") == expected


def test_entity_id_needs_a_named_label() -> None:
    with pytest.raises(ValueError, match="DATE"):
        names.entity_id("Monday", "DATE")


def test_entity_id_of_a_name_without_letters_is_not_empty() -> None:
    assert names.entity_id("!!!", "ORG") != names.entity_id("???", "ORG")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Tayyip Erdogan", "Recep Tayyip Erdoğan"),
        ("Donald Trump", "Donald J. Trump"),
        ("J. Smith", "John Smith"),
        ("Nicolás Maduro", "Nicolás Maduro Moros"),
        ("Hillary Clinton", "Hillary Rodham Clinton"),
        ("Volodymyr Zelensky", "Volodymyr Zelenskyy"),
        ("Asturias Pavón", "Rodolfo Asturias Pavón"),
        ("John Smith Jr.", "John Smith"),
    ],
)
def test_same_person(one: str, other: str) -> None:
    assert names.same_person(names.person_words(one), names.person_words(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Bill Clinton", "Hillary Clinton"),
        ("Michelle Obama", "Barack Obama"),
        ("Clinton", "Hillary Clinton"),
        ("John Smith", "Jane Smith"),
        ("Kim Jong-un", "Kim Jong-il"),
        ("J. Smith", "John Jones"),
    ],
)
def test_different_people(one: str, other: str) -> None:
    assert not names.same_person(names.person_words(one), names.person_words(other))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Marquis Brown", ("marquis", "brown")),
        ("Sultan Ahmed", ("sultan", "ahmed")),
        ("Blessed Royal", ("blessed", "royal")),
        ("Judge Marquis Brown", ("marquis", "brown")),
        ("Dr. Maria Ruiz", ("maria", "ruiz")),
        ("Lord Falconer", ("falconer",)),
        ("Martin Luther King Jr.", ("martin", "luther", "king")),
    ],
)
def test_a_given_name_is_no_title(name: str, words: tuple[str, ...]) -> None:
    assert names.person_words(name) == words


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Donald Trump Jr.", "jr"),
        ("Donald Trump, Jr", "jr"),
        ("Charles III", "III"),
        ("Xi", None),
        ("President Xi", None),
        ("Donald Trump", None),
    ],
)
def test_generation(name: str, expected: str | None) -> None:
    assert names.generation(name) == expected


@pytest.mark.parametrize(
    ("one", "other", "differ"),
    [
        ("George W. Bush", "George H. W. Bush", True),
        ("George W. Bush", "George Herbert Walker Bush", True),
        ("George W. Bush", "George Walker Bush", False),
        ("George W. Bush", "George Bush", False),
        # People leave out one or the other of whole middle names.
        ("Ana María Ruiz García", "Ana Ruiz García", False),
    ],
)
def test_initials_tell_people_apart(one: str, other: str, differ: bool) -> None:
    words = names.person_words(one), names.person_words(other)
    assert names.have_other_initials(*words) == differ


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("HRW", "Human Rights Watch"),
        ("UN", "United Nations"),
        ("IMF", "the International Monetary Fund"),
        ("SMUG", "Sexual Minorities Uganda"),
        ("UNHCR", "United Nations High Commissioner for Refugees"),
        ("RSWU", "Rail and Signal Workers’ Union"),
        ("DoJ", "Department of Justice"),
    ],
)
def test_acronym(short: str, full: str) -> None:
    assert names.is_acronym_of(short, full)


@pytest.mark.parametrize(
    ("short", "full"),
    [("HRW", "Amnesty International"), ("NATO", "Nata"), ("US", "Union"), ("he", "Human Element")],
)
def test_no_acronym(short: str, full: str) -> None:
    assert not names.is_acronym_of(short, full)


@pytest.mark.parametrize(
    ("words", "gender"),
    [(["mr"], "he"), (["Mrs."], "she"), (["senator"], None), (["former", "Congresswoman"], "she")],
)
def test_title_gender(words: list[str], gender: str | None) -> None:
    assert names.title_gender(words) == gender


def test_organisation_core_drops_the_legal_form_but_never_the_name() -> None:
    assert names.organisation_core("Chevron Corp.") == names.organisation_core("Chevron")
    assert names.organisation_core("Group Ltd") == "group"
