"""The deterministic attribution: forms of quotation and indirect speech, and its invariants."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
import spacy
from attribution_patterns import NOT_STATEMENTS, TABLES, Pattern
from hypothesis import given, settings
from hypothesis import strategies as st

from onrecord.records import Attribution, Span, register_extensions
from onrecord.stages.attribution_rules import RULE_PRECISION, RuleAttributor, _build, attribute
from onrecord.stages.segment import segment
from onrecord.stages.statements import Draft


def read(text: str) -> list[Attribution]:
    return attribute(text, segment(text))


def pieces(text: str, attribution: Attribution) -> tuple[tuple[str, ...], str]:
    content = tuple(text[start:end] for start, end in attribution.content)
    source = " ".join(text[start:end] for start, end in attribution.source)
    return content, source


CASES = [
    pytest.param(pattern, id=f"{name}: {pattern.text[:40]}")
    for name, table in TABLES.items()
    for pattern in table
]


@pytest.mark.parametrize("pattern", CASES)
def test_forms_users_report(pattern: Pattern) -> None:
    found = [pieces(pattern.text, item) for item in read(pattern.text)]
    assert (pattern.content, pattern.source) in found


@pytest.mark.parametrize("text", NOT_STATEMENTS)
def test_scare_quotes_and_titles_state_nothing(text: str) -> None:
    assert read(text) == []


@pytest.mark.parametrize(
    ("text", "content", "source", "kind"),
    [
        ("“We lost,” said Mora.", "“We lost,”", "Mora", "direct"),
        ("Mora said the game was lost.", "the game was lost", "Mora", "indirect"),
        (
            "Mora said the game was “lost from the start.”",
            "the game was “lost from the start.”",
            "Mora",
            "mixed",
        ),
        (
            "The union accused the port of hiding the accident.",
            "the port of hiding the accident",
            "The union",
            "indirect",
        ),
        (
            "According to the central bank, prices rose by a tenth.",
            "prices rose by a tenth",
            "the central bank",
            "indirect",
        ),
        (
            "Prices rose by a tenth, according to figures from the central bank.",
            "Prices rose by a tenth",
            "figures from the central bank",
            "indirect",
        ),
        (
            "The island's governor vowed to rebuild the pier.",
            "to rebuild the pier",
            "The island's governor",
            "indirect",
        ),
        (
            "Karlsen refused to sign the paper.",
            "to sign the paper",
            "Karlsen",
            "indirect",
        ),
        (
            "In an interview with the radio on Sunday, Haile said that nothing had changed.",
            "that nothing had changed",
            "Haile",
            "indirect",
        ),
        (
            "The border will stay shut, officials in the capital said on Monday.",
            "The border will stay shut",
            "officials in the capital",
            "indirect",
        ),
        (
            "She told the court she had never met him.",
            "she had never met him",
            "She",
            "indirect",
        ),
        (
            "He criticised the plan, which the council had approved in May.",
            "the plan",
            "He",
            "indirect",
        ),
        (
            'Oyelaran called the verdict "a theft in daylight."',
            'the verdict "a theft in daylight."',
            "Oyelaran",
            "mixed",
        ),
    ],
)
def test_simple_statements(text: str, content: str, source: str, kind: str) -> None:
    (found,) = read(text)
    assert pieces(text, found) == ((content,), source)
    assert found.kind == kind
    assert found.model == "attribution:rules"
    assert found.score in RULE_PRECISION.values()


def test_adjective_in_ed_is_no_cue() -> None:
    assert read("Airstrikes on alleged smuggling boats went on through the night.") == []


def test_quoted_fragment_in_the_reporters_clause_is_mixed() -> None:
    text = "It was the start of what analysts describe as a “shadow war.”"
    (found,) = read(text)
    assert found.kind == "mixed"
    assert pieces(text, found)[1] == "analysts"


def test_two_voices_in_one_sentence_make_two_statements() -> None:
    text = "Abe said the talks had failed, and Ruiz said they would go on."
    assert [pieces(text, item) for item in read(text)] == [
        (("the talks had failed",), "Abe"),
        (("they would go on",), "Ruiz"),
    ]


def test_participle_takes_the_source_of_its_sentence() -> None:
    text = "“I am done,” Farrow said, adding that his office was already empty."
    assert [pieces(text, item)[1] for item in read(text)] == ["Farrow", "Farrow"]


def test_unbalanced_mark_loses_only_its_own_paragraph() -> None:
    text = (
        "“The bridge is safe, the mayor said.\n\n"
        "Traffic moved again by noon.\n\n"
        "“We will inspect it every week,” he added."
    )
    last = read(text)[-1]
    assert pieces(text, last) == (("“We will inspect it every week,”",), "he")


def test_apostrophes_open_no_quotation() -> None:
    text = "The farmers' union said the '90s subsidies weren't enough."
    (found,) = read(text)
    assert found.kind == "indirect"


def test_second_quotation_of_the_paragraph_joins_the_first() -> None:
    text = "“It rained,” said Pia Holm. “Then it rained harder.” The match was called off."
    (found,) = read(text)
    assert pieces(text, found)[0] == ("“It rained,”", "“Then it rained harder.”")


def test_component_reads_docs() -> None:
    register_extensions()
    doc = spacy.blank("en")("Mora said the game was lost.")
    doc._.sentences = tuple(segment(doc.text))
    (found,) = RuleAttributor().predict([doc])
    assert [item.cue for item in found] == [((5, 9),)]


@pytest.mark.parametrize(
    ("spans", "cue", "source", "left"),
    [
        (["Mora said it rained"], "said", "Mora", ["it rained"]),
        (["it rained, said Mora, and snowed"], "said", "Mora", ["it rained,", ", and snowed"]),
        (["it rained, said", "rained, said Mora"], None, None, ["it rained, said Mora"]),
        (["said Mora"], "said", "Mora", []),
    ],
)
def test_no_word_has_two_roles_in_a_statement(
    spans: list[str], cue: str | None, source: str | None, left: list[str]
) -> None:
    text = "it rained, said Mora, and snowed" if spans[0][0] != "M" else spans[0]

    def place(phrase: str) -> Span:
        return Span(text.index(phrase), text.index(phrase) + len(phrase))

    draft = Draft(
        [place(span) for span in spans],
        None if cue is None else place(cue),
        None if source is None else place(source),
        "quotation",
        0,
    )
    built = _build(text, draft, [], [])
    assert ([] if built is None else [text[a:b] for a, b in built.content]) == left


def test_a_source_that_holds_its_cue_gives_it_up() -> None:
    text = "as Mora said it rained"
    draft = Draft([Span(13, 22)], Span(8, 12), Span(3, 12), "clause", 0)
    built = _build(text, draft, [], [])
    assert built is not None
    assert pieces(text, built) == (("it rained",), "Mora")


_FRAGMENTS = st.lists(
    st.sampled_from(
        [
            "Mora",
            "said",
            "that",
            ",",
            ".",
            "“",
            "”",
            '"',
            "'",
            "’",
            "he",
            "according to",
            "the",
            "told",
            "reporters",
            ":",
            "—",
            "(",
            ")",
            "\n\n",
            "rain fell",
            "who",
            "and",
            "accused",
            "of",
            "«",
            "»",
            "adding",
            "–",
            "said:",
            "Lee,",
            "34,",
            "a doctor,",
            "?",
            "in May",
        ]
    ),
    max_size=60,
)


@settings(max_examples=150, deadline=None)
@given(_FRAGMENTS)
def test_any_arrangement_of_words_and_marks_gives_sound_spans(words: list[str]) -> None:
    text = " ".join(words)
    seen: set[int] = set()
    for item in read(text):
        assert item.content
        for start, end in (*item.content, *item.cue, *item.source):
            assert 0 <= start < end <= len(text)
            assert text[start:end] == text[start:end].strip()
        parts = sorted((*item.content, *item.cue, *item.source))
        assert all(one.end <= other.start for one, other in pairwise(parts))
        places = {place for start, end in item.content for place in range(start, end)}
        assert not places & seen
        seen |= places


@pytest.mark.parametrize(
    "text",
    [
        "",
        "“",
        "“”",
        "said",
        "“Yes.” " * 1000,
        "He said he said he said. " * 300,
        "“" * 1000,
        "word " * 10_000 + ".",
    ],
    ids=["empty", "mark", "pair", "cue", "quotations", "cues", "marks", "one paragraph"],
)
def test_odd_articles_are_read_in_time(text: str) -> None:
    started = time.process_time()
    read(text)
    assert time.process_time() - started < 5
