from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc

from onrecord.entity_file import EntityFileError
from onrecord.language import load_spacy
from onrecord.records import NAMED_LABELS, Mention
from onrecord.stages.entities import EntityLinker
from onrecord.stages.segment import Segmenter


@pytest.fixture(scope="module")
def recogniser() -> Language:
    return load_spacy()


@pytest.fixture(scope="module")
def link(recogniser: Language) -> Callable[..., Doc]:
    """Segment, recognise, link; with ``ents`` in place of the recogniser's own."""

    def run(
        text: str,
        *,
        linker: EntityLinker | None = None,
        ents: list[tuple[str, str]] | None = None,
        article_id: str = "a1",
    ) -> Doc:
        doc = Segmenter()(recogniser.make_doc(text))
        doc.user_data["article_id"] = article_id
        if ents is None:
            for _, stage in recogniser.pipeline:
                doc = stage(doc)
        else:
            doc.ents = given_spans(doc, ents)
        return (linker or EntityLinker())(doc)

    return run


def given_spans(doc: Doc, ents: list[tuple[str, str]]) -> list:
    """Spans of the texts in ``ents``, each searched behind the one before it."""
    spans, position = [], 0
    for text, label in ents:
        start = doc.text.index(text, position)
        position = start + len(text)
        span = doc.char_span(start, position, label=label)
        assert span is not None, f"{text!r} is no run of tokens"
        spans.append(span)
    return spans


def entities_of(doc: Doc) -> dict[str, list[str]]:
    """Entity name to the texts of its mentions."""
    found: dict[str, list[str]] = {}
    for mention in doc._.mentions:
        if mention.entity is not None:
            found.setdefault(mention.entity.name, []).append(doc.text[mention.start : mention.end])
    return found


def labels_of(doc: Doc, text: str) -> set[str]:
    return {m.label for m in doc._.mentions if doc.text[m.start : m.end] == text}


def mention(doc: Doc, text: str) -> Mention:
    return next(m for m in doc._.mentions if doc.text[m.start : m.end] == text)


TALKS = """Sorensen Offers EU Fishing Talks Amid Rising Tensions

Norway's Prime Minister Karl Sorensen has offered formal talks with the European Union on fishing. \
In an interview with Danish journalist Mette Lund, Sorensen struck a softer tone.

Unexpected Offers and New Doubts

"We are ready," Sorensen said. The EU accusations were unfair, Mr Sorensen told Lund. An EU-led \
inquiry begins in Brussels on 12 November, the European Union's fisheries office said.
"""


def test_one_entity_holds_every_mention(link: Callable[..., Doc]) -> None:
    found = entities_of(link(TALKS))
    assert found["Karl Sorensen"] == ["Sorensen", "Karl Sorensen", *["Sorensen"] * 3]
    assert found["Mette Lund"] == ["Mette Lund", "Lund"]
    assert found["European Union"] == ["EU", "the European Union", "EU", "EU", "the European Union"]
    assert found["Denmark"] == ["Danish"]


def test_a_name_has_one_label(link: Callable[..., Doc]) -> None:
    assert labels_of(link(TALKS), "Sorensen") == {"PERSON"}
    text = (
        "Maria Kovac, the finance minister, resigned on Friday. Kovac said she was tired. "
        "Kovac struck a dual tone in her letter. The opposition thanked Kovac."
    )
    wrong = [("Maria Kovac", "PERSON"), ("Kovac", "ORG"), ("Kovac", "GPE")]
    assert labels_of(link(text, ents=wrong), "Kovac") == {"PERSON"}


def test_headline_junk_goes_and_known_names_inside_stay(link: Callable[..., Doc]) -> None:
    ents = [
        ("Sorensen Offers EU Fishing", "ORG"),
        ("Karl Sorensen", "PERSON"),
        ("the European Union", "ORG"),
        ("Unexpected Offers", "PERSON"),
        ("Sorensen", "ORG"),
        ("EU", "ORG"),
    ]
    doc = link(TALKS, ents=ents)
    texts = [doc.text[m.start : m.end] for m in doc._.mentions if m.start < doc.text.index("\n")]
    assert texts == ["Sorensen", "EU"]
    assert not any("Offers" in doc.text[m.start : m.end] for m in doc._.mentions)


@pytest.mark.parametrize(
    ("text", "name", "mentions"),
    [
        (
            "President Donald Trump spoke. Later Trump left. The Trump administration slept.",
            "Donald Trump",
            ["Donald Trump", "Trump", "Trump"],
        ),
        (
            "The US and China met. The U.S. said little, and the United States waited.",
            "United States",
            ["The US", "The U.S.", "the United States"],
        ),
        (
            "Xi Jinping met reporters in Beijing on Monday. Mr Xi said the talks were good.",
            "Xi Jinping",
            ["Xi Jinping", "Xi"],
        ),
        (
            "Recep Tayyip Erdoğan visited Kyiv. Erdogan said he was glad, and Mr Erdoğan smiled.",
            "Recep Tayyip Erdoğan",
            ["Recep Tayyip Erdoğan", "Erdogan", "Erdoğan"],
        ),
        (
            "Human Rights Watch (HRW) published a report in Geneva. HRW said 40 people had died.",
            "Human Rights Watch",
            ["Human Rights Watch", "HRW", "HRW"],
        ),
        (
            "The WHO (World Health Organization) warned of flu. The WHO said it was worried.",
            "World Health Organization",
            ["The WHO", "World Health Organization", "The WHO"],
        ),
        (
            "A CIA-led raid failed, officials said. The CIA declined to comment on the CIA raid.",
            "CIA",
            ["CIA", "The CIA", "CIA"],
        ),
        (
            "Spanish voters and Spain's ministers were calm. A Spaniard in Madrid was not.",
            "Spain",
            ["Spanish", "Spain", "Spaniard"],
        ),
    ],
)
def test_forms_of_one_name(
    link: Callable[..., Doc], text: str, name: str, mentions: list[str]
) -> None:
    assert entities_of(link(text)).get(name) == mentions


def test_country_known_by_its_adjective_alone(link: Callable[..., Doc]) -> None:
    doc = link("A Venezuelan crew and two American lawyers flew home on Tuesday.")
    assert mention(doc, "Venezuelan").label == "NORP"
    entity = mention(doc, "American").entity
    assert entity is not None
    assert (entity.name, entity.entity_id, entity.label) == (
        "United States",
        "place:united-states",
        "GPE",
    )


def test_people_of_a_place_the_world_does_not_know(link: Callable[..., Doc]) -> None:
    text = "Orsania sent envoys to Geneva. The Orsanian minister was late. Orsania waited."
    ents = [("Orsania", "GPE"), ("Geneva", "GPE"), ("Orsanian", "NORP"), ("Orsania", "GPE")]
    assert entities_of(link(text, ents=ents))["Orsania"] == ["Orsania", "Orsanian", "Orsania"]


CLINTONS = (
    "Former President Bill Clinton spoke first. Mr Clinton thanked the crowd. Then Secretary "
    "Hillary Clinton took the stage. Secretary Clinton smiled, and Clinton sat down. "
    "President Clinton clapped."
)


def test_two_people_of_one_surname_stay_two(link: Callable[..., Doc]) -> None:
    doc = link(CLINTONS)
    found = entities_of(doc)
    assert found["Bill Clinton"] == ["Bill Clinton", "Clinton", "Clinton"]
    assert found["Hillary Clinton"] == ["Hillary Clinton", "Clinton", "Clinton"]
    ids = {m.entity.entity_id for m in doc._.mentions if m.entity and m.label == "PERSON"}
    assert ids == {"person:bill-clinton", "person:hillary-clinton"}


def test_bare_surname_is_an_entity_of_its_article_only(link: Callable[..., Doc]) -> None:
    text = "Mr Johnson said the deal was off. Johnson left."
    one, other = (link(text, article_id=article) for article in ("a1", "a2"))
    ids = [mention(doc, "Johnson").entity.entity_id for doc in (one, other)]  # type: ignore[union-attr]
    assert ids == ["person:johnson@a1", "person:johnson@a2"]


def test_full_name_has_the_same_id_in_every_article(link: Callable[..., Doc]) -> None:
    docs = [link("Angela Merkel said no to the plan.", article_id=name) for name in ("a1", "a2")]
    ids = {mention(doc, "Angela Merkel").entity.entity_id for doc in docs}  # type: ignore[union-attr]
    assert ids == {"person:angela-merkel"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It opened on 12 November in Paris.", ("12 November", "DATE")),
        ("The ship left on New Year's Eve.", ("New Year's Eve", "DATE")),
        ("They want £90m for the wall.", ("£90m", "MONEY")),
        ("The fine was 140 million kroner.", ("140 million kroner", "MONEY")),
        ("Some 9 per cent agreed.", ("Some 9 per cent", "PERCENT")),
        ("At 6.30pm the doors closed.", ("6.30pm", "TIME")),
        ("They promised it twice before.", ("twice", "CARDINAL")),
    ],
)
def test_amounts(link: Callable[..., Doc], text: str, expected: tuple[str, str]) -> None:
    doc = link(text)
    found = [(doc.text[m.start : m.end].lower(), m.label) for m in doc._.mentions if not m.entity]
    text, label = expected
    assert (text.lower(), label) in found


def test_number_of_a_list_item_is_no_amount(link: Callable[..., Doc]) -> None:
    doc = link("The plan says:\n\n1. Open the port.\n2. Pay the crews.\n", ents=[])
    assert doc._.mentions == ()


# --- entity file --------------------------------------------------------------------------------


@pytest.fixture
def known(tmp_path: Path) -> EntityLinker:
    rows = [
        {"name": "Karl Sorensen", "aliases": ["Sorensen", "the Old Fox"], "kb_id": "X7"},
        {"name": "European Union", "label": "ORG", "aliases": ["EU", "Brussels"], "kb_id": "X8"},
        {"name": "Sandbank", "label": "ORG"},
    ]
    path = tmp_path / "known.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return EntityLinker(path)


def test_entity_file_has_the_last_word(link: Callable[..., Doc], known: EntityLinker) -> None:
    doc = link(TALKS, linker=known)
    entity = mention(doc, "Sorensen").entity
    assert entity is not None
    assert (entity.entity_id, entity.kb_id, entity.name) == ("kb:X7", "X7", "Karl Sorensen")
    brussels = mention(doc, "Brussels")
    assert brussels.label == "ORG"
    assert brussels.entity is not None
    assert brussels.entity.name == "European Union"
    assert {span.kb_id_ for span in doc.ents if span.text == "Sorensen"} == {"X7"}


def test_entity_file_names_what_nothing_recognised(
    link: Callable[..., Doc], known: EntityLinker
) -> None:
    doc = link("They call him the Old Fox at Sandbank.", linker=known, ents=[])
    assert entities_of(doc) == {"Karl Sorensen": ["the Old Fox"], "Sandbank": ["Sandbank"]}
    assert mention(doc, "Sandbank").entity.entity_id == "file:sandbank"  # type: ignore[union-attr]


def test_alias_of_the_file_leaves_another_full_name_alone(
    link: Callable[..., Doc], known: EntityLinker
) -> None:
    text = "Anna Sorensen won the race in Oslo. Mrs Sorensen, 24, was glad."
    doc = link(text, linker=known, ents=[("Anna Sorensen", "PERSON"), ("Sorensen", "PERSON")])
    assert entities_of(doc)["Anna Sorensen"] == ["Anna Sorensen", "Sorensen"]


def test_broken_entity_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text('{"name": ""}\n', encoding="utf-8")
    with pytest.raises(EntityFileError, match=r"bad\.jsonl:1"):
        EntityLinker(path)


# --- invariants ---------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [
        "Donald Trump", "Trump", "Mr Xi", "Xi Jinping", "the US", "U.S.", "Bank of Ghana", "(HRW)",
        "Human Rights Watch", "Venezuelan", "’s", "'s", "said", "in", "“", "”", '"', ",", ".",
        "\n\n", "• ", "—", "-led", "12 May", "£40m",
        "MADURO HITS BACK", "@handle", "é", "😀", "\u200b", " ",
        "of", "The", "and", "(", ")", "al-Assad", "\t", "1.", "Ms",
    ]
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(PIECES, max_size=25).map(" ".join),
    st.lists(
        st.tuples(
            st.integers(0, 40), st.integers(1, 5), st.sampled_from(["PERSON", "ORG", "GPE", "DATE"])
        ),
        max_size=8,
    ),
)
def test_mentions_are_sound_whatever_was_recognised(
    recogniser: Language, text: str, spans: list[tuple[int, int, str]]
) -> None:
    doc = Segmenter()(recogniser.make_doc(text))
    free = 0
    ents = []
    for start, size, label in sorted(spans):
        if free <= start and start + size <= len(doc):
            ents.append(doc[start : start + size])
            ents[-1].label_ = label
            free = start + size
    doc.ents = ents
    doc = EntityLinker()(doc)
    end = 0
    for found in doc._.mentions:
        assert end <= found.start < found.end <= len(text)
        covered = text[found.start : found.end]
        assert covered == covered.strip()
        assert (found.entity is not None) == (found.label in NAMED_LABELS)
        end = found.end
    assert [(e.start_char, e.end_char, e.label_) for e in doc.ents] == [
        (m.start, m.end, m.label) for m in doc._.mentions
    ]


def test_the_belongs_to_one_mention_only(link: Callable[..., Doc]) -> None:
    ents = [("Srinagar- The", "GPE"), ("BJP", "ORG")]
    doc = link("Srinagar- The BJP said so.", ents=ents)
    ends = [0, *(mention.end for mention in doc._.mentions)]
    assert all(mention.start >= end for mention, end in zip(doc._.mentions, ends, strict=False))
    assert "BJP" in [doc.text[mention.start : mention.end] for mention in doc._.mentions]


def test_empty_article(link: Callable[..., Doc]) -> None:
    assert link("")._.mentions == ()


def test_predicting_writes_nothing_and_batches_agree(recogniser: Language) -> None:
    linker = EntityLinker()
    docs = [Segmenter()(recogniser(text)) for text in (TALKS, CLINTONS)]
    before = [[ent.text for ent in doc.ents] for doc in docs]
    values = linker.predict(docs)
    assert [[ent.text for ent in doc.ents] for doc in docs] == before
    assert [doc._.mentions for doc in linker.pipe(docs, batch_size=2)] == values


def test_hundreds_of_names_take_linear_time(link: Callable[..., Doc]) -> None:
    """Regression guard: comparing every name with every other took seconds."""
    first = ["Anna", "Bruno", "Carla", "David", "Elena", "Felix", "Greta", "Hugo", "Irena", "Jonas"]
    last = [f"{a}{b}" for a in ("Kor", "Lam", "Mer", "Nov", "Pel") for b in ("vik", "zin", "ado")]
    people = [f"{f} {n}{m}" for f in first for n in last for m in ("", "ova")]
    text = " ".join(f"{name} spoke. Then {name.split()[1]} left." for name in people)
    doc = link(text, ents=[(name, "PERSON") for name in people])
    ids = {m.entity.entity_id for m in doc._.mentions if m.entity}
    assert len(ids) == len(people)


@pytest.mark.parametrize(
    ("text", "ents", "name"),
    [
        # The given name was recognised nowhere; a peer or a pope has none.
        (
            "A coach, Amelia Valverde, agreed. Valverde left.",
            [("Valverde", "PERSON"), ("Valverde", "PERSON")],
            "Amelia Valverde",
        ),
        (
            "The peer Lord Faulkes agreed. Faulkes left.",
            [("Faulkes", "PERSON"), ("Faulkes", "PERSON")],
            "Lord Faulkes",
        ),
    ],
)
def test_name_of_a_person_known_by_one_word(
    link: Callable[..., Doc], text: str, ents: list[tuple[str, str]], name: str
) -> None:
    doc = link(text, ents=ents)
    assert {m.entity.name for m in doc._.mentions if m.label == "PERSON"} == {name}
