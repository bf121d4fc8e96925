"""Names that the words of a source give, where the recogniser saw none.

Articles are written as ``speaker_markup`` reads them.
"""

from __future__ import annotations

import pytest

from onrecord.stages.speakers import SpeakerResolver
from speaker_markup import build


@pytest.mark.parametrize(
    ("markup", "name"),
    [
        ("{Sam Okoro} said no.", "Sam Okoro"),
        # A capital letter is one in any language.
        ("{Ángel María Ruiz} said no.", "Ángel María Ruiz"),
        ("{Élise Dupont} said no.", "Élise Dupont"),
        ("{Юлия Орлова} said no.", "Юлия Орлова"),
        # A capital inside a word begins no name.
        ("{eBay Lund} said no.", None),
    ],
)
def test_a_full_name_that_the_recogniser_missed(markup: str, name: str | None) -> None:
    speaker = SpeakerResolver().predict([build(markup, "indirect")])[0][0]
    assert speaker.name == name
