"""Statements without a cue: labels and signatures."""

from __future__ import annotations

import pytest

from onrecord.stages.attribution_rules import attribute
from onrecord.stages.segment import segment


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("Édouard Philippe: We will not raise taxes this year.\n\nIt rained.", "Édouard Philippe"),
        ("It rained.\n\n“We will not raise taxes this year.” — Élise Dupont", "Élise Dupont"),
        ("It rained.\n\n“We will not raise taxes this year.” – Şule Özden", "Şule Özden"),
    ],
)
def test_a_source_may_begin_with_any_capital_letter(text: str, source: str) -> None:
    assert [text[a:b] for item in attribute(text, segment(text)) for a, b in item.source] == [
        source
    ]
