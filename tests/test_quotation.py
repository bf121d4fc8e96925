"""Pairing of quotation marks: told by their shape and by what stands around them."""

from __future__ import annotations

import pytest

from onrecord.quotation import find_quotations


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"I left," he said. "We stayed."', ['"I left,"', '"We stayed."']),
        # A space that slipped in before the closing mark.
        ('"I had never sat behind a kit ", he recalled.', ['"I had never sat behind a kit "']),
        ('"We stay ." She left. "No."', ['"We stay ."', '"No."']),
        ('He called it ("a trap") and left.', ['"a trap"']),
    ],
)
def test_marks_pair(text: str, expected: list[str]) -> None:
    found = [text[quotation.start : quotation.end] for quotation in find_quotations(text)]
    assert found[: len(expected)] == expected
