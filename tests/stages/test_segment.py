"""What segmentation promises, as tables of news sentences.

In the tables of sentences a bar stands where one sentence ends and the next begins: the text that
is segmented has a space there.
"""

from __future__ import annotations

import re
import time

import pytest
import spacy
from hypothesis import example, given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc

from onrecord.stages.layout import BULLET_GLYPHS, TRIM
from onrecord.stages.segment import Segmenter, segment


def pieces(text: str) -> list[str]:
    return [text[sentence.start : sentence.end] for sentence in segment(text)]


def kinds(text: str) -> list[tuple[str, str]]:
    return [(sentence.kind, text[sentence.start : sentence.end]) for sentence in segment(text)]


def check_row(row: str) -> None:
    assert pieces(row.replace(" | ", " ")) == row.split(" | ")


@pytest.mark.parametrize(
    "row",
    [
        "The talks ended at noon. | No deal was signed.",
        "Is the port open? | Nobody knows! | The ministry would not say.",
        "She arrived in the U.S. on Monday. | It was snowing.",
        "The order came from the U.S. Treasury in March.",
        "He has lived in the U.S. | The rest of his family has not.",
        "They trained in the U.S. | Responding to the report, the army said nothing.",
        "Gen. Odhiambo met Lt. Col. Ruiz and Dr. Amara Sy. | Mrs. Quist did not come.",
        "Sen. Dana Whitlow (D-Mass.) and Rep. Lee Ito (R-Calif.) wrote the bill.",
        "Reactor No. 3 was shut down. | The answer was no. | Nobody asked again.",
        "The vote begins at 9 a.m. Friday and ends at 5 p.m. Accra time.",
        "Polls close at 8 p.m. | Counting begins at once.",
        "At 6 a.m. Okoro called the guards.",
        "J. K. Adeyemi and George W. Lindqvist signed for Hartmann & Co. in Bern.",
        "The shares of Delta Freight Inc. fell. | They recovered later.",
        "They sued Delta Freight Inc. | The court agreed.",
        "Growth was 3.5 per cent, not 4.25. | Prices rose by $1.1m.",
        "It opened on Sept. 11 and shut on Dec. 3, 2019. | Few noticed.",
        "Wages, rents, fares, etc. went up. | Pensions did not.",
        "The case is Ortiz v. Nordbank, i.e. Europe's test of the law.",
        "It was between you and I. | Lindqvist kept the money.",
        "He works in St. Louis and lives on Elm St. | His son does too.",
        "SPRINGFIELD, Ill. (NWS) — The river rose again. | Schools stayed shut.",
        "See https://news.example.org/a.b/Cd.e?f=1. | All of it is there.",
        "Write to Press.Office@example.org. | They answer.",
        "Troops left Homs. | al-Rashid stayed behind.",
        "He bought shares in Yahoo! and sold them.",
        "The plant emits carbon.[4][5] | The firm denies it.",
        "He stayed silent for years (nobody asked. Nobody dared.) but wrote it all down.",
        "Nobody asked him. | (He would not have answered.) | He wrote it all down.",
    ],
)
def test_a_full_stop_ends_a_sentence_unless_it_belongs_to_a_word(row: str) -> None:
    check_row(row)


@pytest.mark.parametrize(
    "row",
    [
        '"We will not sign," she said. | "We will not sit down either."',
        '"What do they want? | They want our water," Ms Okafor said.',
        "He called it “a betrayal.” | The crowd agreed.",
        '"Why now?" he asked.',
        '"Why now?" Ms Okafor asked.',
        "“Will you resign?” Lindqvist said on Sunday.",
        '"Who pays for it?" | Mr Ode said he did not know.',
        '"Stop!" shouted the guard. | Nobody did.',
        "‘It is over.’ | The minister sat down.",
        "'This is our harbour.' | He pointed at the boats.",
        "She said: “He told me, ‘Never again.’” | They have not met since.",
        '"We waited... and they never came," he said.',
        "“We tried … | Who else would have?” he asked.",
        "I thought ... I could stay.",
        "The report “is wrong.” | (It was later withdrawn.)",
        "« Nous restons. » | The mayor left.",
        'They shouted "Out! | Out!" until dawn.',
        '"It is theirs, too. " | The committee agreed.',
        "“It was always ours.“ | The mayor agreed.",
        "“We waited. | Nobody came.” — Lena Vogt, mediator",
        '"We waited." -Lena Vogt, mediator for the two banks',
    ],
)
def test_a_closing_mark_belongs_to_the_sentence_it_closes(row: str) -> None:
    check_row(row)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It left the party.The minister denied it.", 2),
        ("“We never left.”The minister denied it.", 2),
        ("Read it on Example.Com or in print.", 1),
        ("we waited all day. nobody came. then it rained. why us? who knows.", 5),
        ("The ruling was read out.  onrecord-dl stays online.", 2),
        ("Officials named approx. twelve towns.", 1),
        ("Is it legal?\u00a0 Nobody\u00a0knows.", 2),
    ],
)
def test_text_as_it_comes(text: str, expected: int) -> None:
    assert len(pieces(text)) == expected


def test_a_headline_is_not_glued_to_the_body() -> None:
    text = (
        "Harbour Talks Collapse After Nine Hours\n"
        "Both sides blame each other as boats stay out\n\n"
        "By Ines Moreau\n\n"
        "GENEVA, 3 May — Talks on the shared harbour collapsed on Friday. Nobody was surprised.\n\n"
        "What Comes Next\n\n"
        "The mediator has asked for a week. He will report to the council.\n"
    )
    assert kinds(text) == [
        ("headline", "Harbour Talks Collapse After Nine Hours"),
        ("headline", "Both sides blame each other as boats stay out"),
        ("heading", "By Ines Moreau"),
        ("body", "GENEVA, 3 May — Talks on the shared harbour collapsed on Friday."),
        ("body", "Nobody was surprised."),
        ("heading", "What Comes Next"),
        ("body", "The mediator has asked for a week."),
        ("body", "He will report to the council."),
    ]


@pytest.mark.parametrize(
    ("first", "kind"),
    [
        ("Mayor Quits Over Harbour Deal", "headline"),
        ("Mayor Quits Over Harbour Deal.", "headline"),
        ("Mayor: ‘I will not stay’", "headline"),
        ("# Mayor quits over harbour deal", "headline"),
        ("Friday, 3 May 2024", "heading"),
        ("https://news.example.org/mayor-quits", "heading"),
        ("By Ines Moreau and Tom Ode", "heading"),
        ("The mayor quit on Friday.", "body"),
    ],
)
def test_kind_of_the_first_line(first: str, kind: str) -> None:
    body = "The mayor of Port Sable quit on Friday after a long dispute over the harbour. He left."
    assert kinds(f"{first}\n\n{body}")[0] == (kind, first.removeprefix("# "))


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ("  • A ban on trawlers.\n  • A joint patrol\n", ["A ban on trawlers.", "A joint patrol"]),
        ("- no trawlers\n- two patrols\n", ["no trawlers", "two patrols"]),
        ("* No trawlers\n* Two patrols\n", ["No trawlers", "Two patrols"]),
        ("1. No trawlers\n2. Two patrols\n", ["No trawlers", "Two patrols"]),
        ("(a) No trawlers\n(b) Two patrols\n", ["No trawlers", "Two patrols"]),
        ("1) No trawlers 2) Two patrols", ["No trawlers", "Two patrols"]),
        ("• No trawlers • Two patrols", ["No trawlers", "Two patrols"]),
        ("•\tNo trawlers\r\n•\tTwo patrols\r\n", ["No trawlers", "Two patrols"]),
        (
            "- No trawlers\n  in winter.\n- Two patrols.",
            ["No trawlers\n  in winter.", "Two patrols."],
        ),
    ],
)
def test_list_items_without_their_bullets(items: str, expected: list[str]) -> None:
    text = f"The draft asks for three things:\n\n{items}"
    assert kinds(text) == [("body", "The draft asks for three things:")] + [
        ("list_item", item) for item in expected
    ]


def test_a_count_after_a_colon_is_a_list() -> None:
    text = "What comes next: 1. Monday: the council votes. 2. Friday: 3 boats leave. 3. Silence."
    assert pieces(text) == [
        "What comes next:",
        "Monday: the council votes.",
        "Friday: 3 boats leave.",
        "Silence.",
    ]


def test_a_dash_alone_opens_a_signature() -> None:
    text = (
        "The gates shut at noon.\n— Port Sable Harbour (@portsable) May 3\n\nNobody had been told."
    )
    assert pieces(text)[1] == "— Port Sable Harbour (@portsable) May 3"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("One paragraph ends.\nAnother begins.", 2, id="a line is a paragraph"),
        pytest.param("One paragraph ends.\n\nAnother begins.", 2, id="a blank line"),
        pytest.param("One paragraph ends.\r\n\r\nAnother begins.", 2, id="CRLF"),
        pytest.param("One paragraph ends.\n \t\nAnother begins.", 2, id="blank but for spaces"),
        pytest.param("It was a cold\nnight in the port.", 1, id="a stray line break"),
        pytest.param(
            "The envoy had read the paper of the other side and said\n\nnothing at all.",
            1,
            id="a blank line inside a sentence",
        ),
        pytest.param("harbour fees\nfishing quotas\npatrol boats", 3, id="a list without bullets"),
        pytest.param("It ended.\n\n* * *\n\nIt began again.", 2, id="a rule"),
    ],
)
def test_paragraphs(text: str, expected: int) -> None:
    sentences = segment(text)
    assert len(sentences) == expected
    assert [sentence.paragraph_id for sentence in sentences] == list(range(expected))


WRAPPED = """\
Harbour talks collapse

The talks on the shared harbour collapsed on Friday after nine hours,
with each side accusing the other of having come without a mandate to
sign. The mediator, Lena Vogt, asked for a week.

"We came to sign," the envoy of the northern bank told reporters on the
steps. "They came to be photographed. We shall see on Monday who is
still in the room."
- the agency's own reporting
"""


def test_text_wrapped_at_a_column() -> None:
    assert [" ".join(piece.split()) for piece in pieces(WRAPPED)][:6] == [
        "Harbour talks collapse",
        "The talks on the shared harbour collapsed on Friday after nine hours, with each side "
        "accusing the other of having come without a mandate to sign.",
        "The mediator, Lena Vogt, asked for a week.",
        '"We came to sign," the envoy of the northern bank told reporters on the steps.',
        '"They came to be photographed.',
        'We shall see on Monday who is still in the room."',
    ]


def test_markdown_keeps_its_text() -> None:
    text = "# Port Sable\n\n## What happened\n\n**The mayor quit.** Nobody cared.\n\n> He left."
    assert kinds(text) == [
        ("headline", "Port Sable"),
        ("heading", "What happened"),
        ("body", "**The mayor quit.**"),
        ("body", "Nobody cared."),
        ("body", "He left."),
    ]


@pytest.mark.parametrize("text", ["", " \n\t\r\n", "---", "\ufeff"])
def test_nothing_to_read(text: str) -> None:
    assert segment(text) == []


_WORDS = ("The", "minister", "said", "U.S.", "No.", "3", "J.", "a.m.", "é", "中", "https://a.b/c.")
_MARKS = (".", "?", "!", "...", "…", '"', "“", "”", "'", "’", "(", ")", "[", "]", "—", "\x00")
_LAYOUT = ("• ", "1. ", "- ", "# ", "> ", "---", " ", "  ", "\n", "\n\n", "\r\n", "\t", "\u00a0")
_NEWS = st.lists(st.sampled_from(_WORDS + _MARKS + _LAYOUT)).map("".join)
# What may stand outside every sentence: white space, bullets, item numbers, rules.
_OUTSIDE = re.compile(
    rf"(?:[-*+–—#>=_~|.…{BULLET_GLYPHS}]|[{re.escape(TRIM)}]|\(?(?:\d{{1,2}}|[a-z]|[ivx]{{2,4}})[.)]+)*"
)


@given(st.one_of(_NEWS, st.text(max_size=200)))
@settings(max_examples=200, deadline=None)
@example('. " ')
@example("“.“ “\n”")
@example("1. \n2. a")
def test_every_text_is_covered_by_sentences_in_order(text: str) -> None:
    last = 0
    left_out: list[str] = []
    for sentence in segment(text):
        assert last <= sentence.start < sentence.end <= len(text)
        piece = text[sentence.start : sentence.end]
        assert piece == piece.strip(TRIM)
        left_out.append(text[last : sentence.start])
        last = sentence.end
    left_out.append(text[last:])
    assert all(_OUTSIDE.fullmatch(gap) for gap in left_out), left_out


@given(_NEWS)
@settings(max_examples=60, deadline=None)
def test_paragraph_numbers_rise_and_kinds_hold_for_a_paragraph(text: str) -> None:
    sentences = segment(text)
    numbers = [sentence.paragraph_id for sentence in sentences]
    assert numbers == sorted(numbers)
    assert len({(s.paragraph_id, s.kind) for s in sentences}) == len(set(numbers))


@pytest.mark.parametrize(
    "unit", ["a.b", "a. ", '" ', "“a. ", "(a ", "\n ", "x", "! ", "- ", "1) a "]
)
def test_time_is_linear_in_the_length(unit: str) -> None:
    def seconds(length: int) -> float:
        text = unit * (length // len(unit))
        start = time.process_time()
        segment(text)
        return time.process_time() - start

    # Sixteen times the text would take 256 times as long if any step were quadratic.
    assert seconds(80_000) < 80 * max(seconds(5_000), 0.002)


@pytest.fixture(scope="module")
def tokenize() -> spacy.language.Language:
    return spacy.blank("en")


def test_component_writes_sentences_and_starts(tokenize: spacy.language.Language) -> None:
    text = "Harbour Talks Collapse\n\nThe U.S. envoy left.Nobody knew.\n\n  • No deal\n  • No date"
    doc = Segmenter()(tokenize.make_doc(text))
    assert doc._.sentences == tuple(segment(text))
    assert {token.is_sent_start for token in doc} == {True, False}
    starts = [token.idx for token in doc if token.is_sent_start]
    assert starts[0] == 0
    # "left.Nobody" is one token to the tokenizer: a start inside a token marks that token.
    assert len(starts) == len(doc._.sentences)
    assert doc[0].is_sent_start


def test_component_predicts_without_writing(tokenize: spacy.language.Language) -> None:
    doc = tokenize.make_doc("It ended. It began.")
    assert [len(sentences) for sentences in Segmenter().predict([doc])] == [2]
    assert doc._.sentences == ()
    assert not doc.has_annotation("SENT_START")


def test_component_pipes_many_documents(tokenize: spacy.language.Language) -> None:
    texts = ["It ended. It began.", "", "   ", "Nobody came."]
    docs = list(Segmenter().pipe(tokenize.make_doc(text) for text in texts))
    assert [len(doc._.sentences) for doc in docs] == [2, 0, 0, 1]
    assert all(isinstance(doc, Doc) for doc in docs)


def test_component_is_registered() -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("onrecord_segment")
    assert len(list(nlp("It ended at noon. It began again.").sents)) == 2
