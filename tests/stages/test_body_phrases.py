"""Bodies named by a phrase: which phrases are names, and what their forms share."""

from __future__ import annotations

import pytest

from onrecord.stages.body_phrases import find_body_phrases, fullest_form


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("In May, the Okoro campaign said no.", ["Okoro campaign"]),
        ("The Orsanian foreign ministry said no.", ["Orsanian foreign ministry"]),
        ("Orsania’s foreign ministry said no.", ["Orsania’s foreign ministry"]),
        ("Mr. Okoro's presidential campaign said no.", ["Okoro's presidential campaign"]),
        ("West Harlow police said no.", ["West Harlow police"]),
        ("The Élan campaign said no.", ["Élan campaign"]),
        ("The  Turkish government said no.", ["Turkish government"]),
        ("Mr.  Okoro's campaign said no.", ["Okoro's campaign"]),
        ("The Orsanian refugee agency said no.", ["Orsanian refugee agency"]),
        (
            "The Commons work and pensions committee said no.",
            ["Commons work and pensions committee"],
        ),
        (
            "The Senate culture, media and sport committee said no.",
            ["Senate culture, media and sport committee"],
        ),
        ("Okoro and the pensions committee said no.", []),
        ("Okoro and senior army officers said no.", []),
        ("Okoro met and thanked the committee.", []),
        # A capital inside a word begins no name.
        ("The eBay union said no.", []),
        ("A Harlow court said no.", []),
        ("Another Harlow council said no.", []),
        ("The government said no.", []),
        ("In Harlow the council said no.", []),
        ("Okoro left government.", []),
        ("The army-led council met.", []),
        ("The Harlow government-backed plan failed.", []),
    ],
)
def test_phrases(text: str, names: list[str]) -> None:
    found = list(find_body_phrases(text))
    assert [phrase.name for phrase in found] == names
    assert [text[p.span.start : p.span.end] for p in found] == names


def test_forms_of_one_body_share_a_key() -> None:
    text = "Lee Okoro’s campaign began. The Okoro campaign said no. The Okoro campaign left."
    found = list(find_body_phrases(text))
    assert {phrase.key for phrase in found} == {"okoro campaign"}
    assert fullest_form([phrase.name for phrase in found]) == "Okoro campaign"
