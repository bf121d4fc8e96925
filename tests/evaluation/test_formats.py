"""Annotation tools: what goes out comes back, and what does not fit is refused."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gold_samples import article, at
from onrecord.evaluation.formats import FORMATS, read_format, write_format
from onrecord.evaluation.formats.offsets import NativeSpan, OffsetMap, locate
from onrecord.evaluation.formats.regions import CONTENT, CUE, SOURCE, Link, Region, from_regions
from onrecord.evaluation.gold import GoldArticle, GoldAttribution, GoldEntity, GoldError
from onrecord.records import KINDS, STANCES, Span

FULL = ("brat", "label-studio", "doccano", "prodigy", "inception")
# Emoji beyond the first plane, combining accents, a right-to-left word, a CRLF line end.
HARD = "🗳️ Élection\r\nDr.\u00a0Nguye\u0302\u0303n said: “We 💪🏽 wait.”\r\n\r\nהנשיא אמר: לא.\tOK"


def hard_article() -> GoldArticle:
    def span(words: str) -> Span:
        return at(words, HARD)

    return GoldArticle(
        "tricky/id: 1.0",
        HARD,
        sentences=(span("🗳️ Élection"), span("Dr.\u00a0Nguye\u0302\u0303n said: “We 💪🏽 wait.”")),
        entities=(
            GoldEntity(*span("Nguye\u0302\u0303n"), "PERSON", "Nguye\u0302\u0303n"),
            GoldEntity(*span("הנשיא"), "PERSON"),
        ),
        attributions=(
            GoldAttribution(
                (span("“We 💪🏽 wait.”"), span("OK")),
                (span("said"),),
                (span("Dr.\u00a0Nguye\u0302\u0303n"),),
                "Nguye\u0302\u0303n",
                True,
                "direct",
                "mixed",
            ),
            GoldAttribution(
                (span("לא"),), (span("אמר"),), (span("הנשיא"),), None, True, "indirect"
            ),
        ),
    )


def same(one: GoldArticle, other: GoldArticle) -> bool:
    return all(
        getattr(one, name) == getattr(other, name)
        for name in ("id", "text", "sentences", "entities", "attributions")
    )


@pytest.mark.parametrize("name", FULL)
def test_articles_come_back_as_they_went(name: str, tmp_path: Path) -> None:
    articles = [article("plain"), hard_article()]
    files = write_format(name, articles, tmp_path)
    assert all(path.is_file() for path in files)
    back = {found.id: found for found in read_format(name, tmp_path)}
    assert all(same(original, back[original.id]) for original in articles)


def test_json_lines_come_back_as_they_went(tmp_path: Path) -> None:
    write_format("jsonl", [hard_article()], tmp_path)
    (back,) = read_format("jsonl", tmp_path)
    assert same(back, hard_article())


@pytest.mark.parametrize("name", ["label-studio", "doccano", "prodigy"])
def test_other_keys_travel_where_the_tool_lets_them(name: str, tmp_path: Path) -> None:
    original = replace(article(), extra={"title": "Harbour", "publisher": "Gazette"})
    write_format(name, [original], tmp_path)
    assert read_format(name, tmp_path)[0].extra == original.extra


def test_columns_keep_entities(tmp_path: Path) -> None:
    originals = [article("plain"), hard_article()]
    write_format("conll", originals, tmp_path)
    back = {found.id: found for found in read_format("conll", tmp_path)}
    for original in originals:
        assert back[original.id].text == original.text
        assert back[original.id].entities == original.entities
        assert back[original.id].attributions is None


@pytest.mark.parametrize(
    ("lines", "text", "entities"),
    [
        (
            "Angela\tB-PER\nMerkel\tI-PER\nleft\tO\n\nBerlin\tB-LOC\nwaits\tO\n",
            "Angela Merkel left\nBerlin waits\n",
            [(0, 13, "PER"), (19, 25, "LOC")],
        ),
        ("EU NNP I-ORG\nUK NNP B-ORG\n", "EU UK\n", [(0, 2, "ORG"), (3, 5, "ORG")]),
        ("Rome\tS-LOC\nParis\tB-LOC\nOuest\tE-LOC\n", None, [(0, 4, "LOC"), (5, 16, "LOC")]),
        ("A\tB-X\nb\tI-Y\n", "A b\n", [(0, 1, "X"), (2, 3, "Y")]),
    ],
)
def test_columns_of_other_programs(
    lines: str, text: str | None, entities: list[tuple[int, int, str]], tmp_path: Path
) -> None:
    path = tmp_path / "sample.bio"
    path.write_text(lines, encoding="utf-8")
    (found,) = read_format("conll", path)
    assert [(e.start, e.end, e.label) for e in found.entities or ()] == entities
    assert text is None or found.text == text


def test_columns_cannot_hold_overlap(tmp_path: Path) -> None:
    overlapping = (GoldEntity(0, 7, "ORG"), GoldEntity(0, 14, "EVENT"))
    with pytest.raises(GoldError, match="overlap"):
        write_format("conll", [replace(article(), entities=overlapping)], tmp_path)


# Any article made of characters that shift offsets

_PIECES = st.sampled_from(
    ["a", "é", "e\u0301", "😀", "👩‍👩‍👧", "\r\n", "\n", " ", "שלום", "،", "“", "x"]
)
_TEXTS = (
    st.lists(_PIECES, min_size=3, max_size=25)
    .map("".join)
    .filter(lambda text: len(text.strip()) > 1)
)


@st.composite
def _articles(draw: st.DrawFn) -> GoldArticle:
    text = draw(_TEXTS)
    # A tool that sees CRLF as one character cannot point between its halves.
    edges = [n for n in range(len(text) + 1) if text[n - 1 : n + 1] != "\r\n"]
    pairs = [(a, b) for a in edges for b in edges if a < b and text[a:b].strip()]
    span = st.sampled_from(pairs).map(lambda pair: Span(*pair))
    some = st.lists(span, max_size=2, unique=True).map(lambda found: tuple(sorted(found)))
    names = st.none() | st.sampled_from(["Ann Lee", "Zoë 😀 Núñez"])
    labels = st.sampled_from(["PERSON", "ORG"])
    entities = draw(
        st.lists(
            st.builds(lambda s, label, name: GoldEntity(*s, label, name), span, labels, names),
            min_size=1,
            max_size=2,
            unique_by=lambda e: (e.start, e.end, e.label),
        )
    )
    statements = draw(
        st.lists(
            st.builds(
                lambda content, cue, source, who, kind, stance: GoldAttribution(
                    content, cue, source, who[0], who[1], kind, stance
                ),
                some.filter(bool),
                some,
                some,
                st.sampled_from([(None, False), (None, True), ("Ann Lee", True)]),
                st.none() | st.sampled_from(KINDS),
                st.none() | st.sampled_from(STANCES),
            ),
            min_size=1,
            max_size=2,
            unique_by=lambda a: (a.content, a.cue, a.source),
        )
    )
    return GoldArticle(
        "x",
        text,
        sentences=(draw(span),),
        entities=tuple(sorted(entities, key=lambda e: (e.start, e.end, e.label))),
        attributions=tuple(sorted(statements, key=lambda a: (a.content, a.cue, a.source))),
    )


@pytest.mark.parametrize("name", FULL)
def test_any_article_comes_back(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp(name)

    @settings(max_examples=25, deadline=None)
    @given(_articles())
    def check(original: GoldArticle) -> None:
        write_format(name, [original], folder)
        (back,) = read_format(name, folder)
        assert same(back, original)

    check()


@given(_TEXTS, st.sampled_from(["code points", "UTF-16 units"]), st.booleans())
def test_offsets_map_there_and_back(text: str, unit: Any, crlf_is_one: bool) -> None:
    offsets = OffsetMap(text, unit, crlf_is_one=crlf_is_one)
    for index in range(len(text) + 1):
        native = offsets.to_native(index)
        if not (crlf_is_one and text[index - 1 : index + 1] == "\r\n"):
            assert offsets.from_native(native) == index
    seen = text.replace("\r\n", "\n") if crlf_is_one else text
    length = len(seen.encode("utf-16-le")) // 2 if unit == "UTF-16 units" else len(seen)
    assert offsets.to_native(len(text)) == length


# What a tool changes


def test_label_studio_counts_as_browsers_do(tmp_path: Path) -> None:
    write_format("label-studio", [hard_article()], tmp_path)
    (task,) = json.loads((tmp_path / "tasks.json").read_text())
    labels = [r["value"] for r in task["predictions"][0]["result"] if r["type"] == "labels"]
    units = HARD.encode("utf-16-le")
    for value in labels:
        covered = units[2 * value["start"] : 2 * value["end"]].decode("utf-16-le")
        assert covered == value["text"]


@pytest.mark.parametrize("seen", ["code points", "CRLF as one"])
def test_offsets_counted_otherwise_are_recognised(seen: str, tmp_path: Path) -> None:
    write_format("label-studio", [hard_article()], tmp_path)
    path = tmp_path / "tasks.json"
    tasks = json.loads(path.read_text())
    browser = OffsetMap(HARD, "UTF-16 units")
    other = (
        OffsetMap(HARD, "code points")
        if seen == "code points"
        else OffsetMap(HARD, "UTF-16 units", crlf_is_one=True)
    )
    for result in tasks[0]["predictions"][0]["result"]:
        for edge in ("start", "end") if "value" in result else ():
            index = browser.from_native(result["value"][edge])
            assert index is not None
            result["value"][edge] = other.to_native(index)
    path.write_text(json.dumps(tasks))
    (back,) = read_format("label-studio", tmp_path)
    assert same(back, hard_article())


def test_label_studio_reads_the_last_finished_annotation(tmp_path: Path) -> None:
    write_format("label-studio", [article()], tmp_path)
    path = tmp_path / "tasks.json"
    (task,) = json.loads(path.read_text())
    result = task["predictions"][0]["result"]
    corrected = json.loads(json.dumps(result).replace('"defiant"', '"neutral"'))
    task["annotations"] = [
        {"result": result},
        {"result": corrected},
        {"result": [], "was_cancelled": True},
    ]
    path.write_text(json.dumps([task]))
    (back,) = read_format("label-studio", tmp_path)
    assert {a.stance for a in back.attributions or ()} == {"neutral", "conciliatory"}


def _corrupt(path: Path, old: str, new: str) -> None:
    content = path.read_text(encoding="utf-8")
    assert old in content
    path.write_text(content.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "file", "old", "new", "place"),
    [
        ("brat", "strike.ann", "\tPetra Lindqvist", "\tPetra Lindqvis", r"strike\.ann, line 6"),
        ("label-studio", "tasks.json", '"text": "Monday"', '"text": "Tuesday"', r"task 1, region"),
        ("doccano", "doccano.jsonl", '"text": "Monday"', '"text": "Tuesday"', r"line 1, span"),
        ("prodigy", "prodigy.jsonl", '"text": "Monday", "', '"text": "Mon", "', r"line 1, span"),
        ("conll", "strike.conll", "\nMonday\t", "\nTuesday\t", r"strike\.conll, line \d+"),
    ],
)
def test_covered_text_is_checked(
    name: str, file: str, old: str, new: str, place: str, tmp_path: Path
) -> None:
    write_format(name, [article()], tmp_path)
    if name == "prodigy":  # the token list, which nothing reads, holds the word first
        _corrupt(tmp_path / file, '"tokens": [', '"unread": [')
        content = (tmp_path / file).read_text()
        head, tail = content.split('"spans": ', 1)
        tail = re.sub(r'"text": "Monday"', '"text": "Tuesday"', tail, count=1)
        (tmp_path / file).write_text(head + '"spans": ' + tail)
    else:
        _corrupt(tmp_path / file, old, new)
    with pytest.raises(GoldError, match=place) as error:
        read_format(name, tmp_path)
    assert "the article reads" in str(error.value)
    assert "the annotation says" in str(error.value)
    assert re.search(r"at \d+ to \d+ \(counted in", str(error.value))


def test_a_span_outside_the_text_is_named() -> None:
    with pytest.raises(GoldError, match=r"news\.json, region 3: span 2 to 90 .* does not fit"):
        locate("short", [NativeSpan([(2, 90)], None, ", region 3")], ["code points"], "news.json")


def test_a_span_inside_a_character_is_refused() -> None:
    with pytest.raises(GoldError, match="does not fit"):
        locate("😀 hi", [NativeSpan([(1, 4)])], ["UTF-16 units"], "x")


BRIDGE = "The mayor said the bridge of the old town is shut, a promise that engineers kept."


def bound(key: str, type_: str, *pieces: str) -> str:
    """A text-bound annotation of brat."""
    places = [at(piece, BRIDGE) for piece in pieces]
    offsets = ";".join(f"{start} {end}" for start, end in places)
    return f"{key}\t{type_} {offsets}\t{' '.join(pieces)}"


@pytest.fixture
def stand_off(tmp_path: Path) -> Path:
    lines = [
        bound("T1", "Source", "The mayor"),
        bound("T2", "Cue", "said"),
        bound("T3", "Content", "the bridge", "is shut"),
        bound("T4", "Attribution", "said"),
        "E1\tAttribution:T4 Content:T3 Cue:T2 Source:T1",
        bound("T5", "Content", "a promise"),
        "E2\tAttribution:T9 Content2:T8 Content:T5",
        bound("T8", "Content", "kept"),
        bound("T9", "Attribution-no-source", "promise"),
        bound("T6", "Discuss", "of the old town"),
        "#1\tAnnotatorNotes T6\tIs this one?",
        "A1\tStance E1 neutral",
    ]
    (tmp_path / "bridge.txt").write_text(BRIDGE, encoding="utf-8")
    (tmp_path / "bridge.ann").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path


def test_brat_events_as_polnear_has_them(stand_off: Path) -> None:
    (found,) = read_format("brat", stand_off)
    first, second = found.attributions or ()
    assert first.content == (at("the bridge", BRIDGE), at("is shut", BRIDGE))
    assert first.source == (at("The mayor", BRIDGE),)
    assert first.stance == "neutral"
    assert not first.speaker_labelled
    # A second content argument, defined after the event that names it.
    assert second.content == (at("a promise", BRIDGE), at("kept", BRIDGE))
    assert second.cue == second.source == ()
    # Marks of doubt are no entities.
    assert found.entities is None


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("T1\tSource zero 9\tThe mayor", "line 1: not brat stand-off"),
        ("E1\tAttribution:T4 Content:T77", "line 1: event E1 names T77"),
        ("E1\tAttribution:T4 Cue:T2", "line 1: event E1 has no Content"),
        ("A1\tStance E1 angry", "Stance 'angry' is unknown"),
    ],
)
def test_damaged_stand_off_is_named(line: str, message: str, stand_off: Path) -> None:
    key = line.split("\t")[0]
    lines = [x for x in (stand_off / "bridge.ann").read_text().splitlines() if x]
    kept = [x for x in lines if not x.startswith(f"{key}\t")]
    (stand_off / "bridge.ann").write_text("\n".join([line, *kept]))
    with pytest.raises(GoldError, match=message):
        read_format("brat", stand_off)


def test_brat_text_is_needed(stand_off: Path) -> None:
    (stand_off / "bridge.txt").unlink()
    with pytest.raises(GoldError, match=r"its text bridge\.txt is not in"):
        read_format("brat", stand_off)


def test_several_annotators_are_not_one_gold(stand_off: Path) -> None:
    annotations = (stand_off / "bridge.ann").read_text()
    (stand_off / "bridge.ann").unlink()
    for name in ("anna", "ben"):
        (stand_off / f"bridge_{name}.ann").write_text(annotations)
    with pytest.raises(GoldError, match="several annotators"):
        read_format("brat", stand_off)


def test_a_layer_of_one_article_was_labelled_in_all(tmp_path: Path) -> None:
    silent = replace(article("silent"), attributions=(), entities=())
    write_format("brat", [article("talking"), silent], tmp_path)
    back = {a.id: a for a in read_format("brat", tmp_path)}
    assert back["silent"].attributions == back["silent"].entities == ()


def test_rejected_examples_of_prodigy_are_left_out(tmp_path: Path) -> None:
    write_format("prodigy", [article("one"), article("two")], tmp_path)
    path = tmp_path / "prodigy.jsonl"
    first, second = (json.loads(line) for line in path.read_text().splitlines())
    rows = [{**first, "answer": "reject"}, {**second, "answer": "accept"}]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    assert [a.id for a in read_format("prodigy", tmp_path)] == ["two"]


def test_a_span_moved_in_doccano_loses_what_was_noted(tmp_path: Path) -> None:
    write_format("doccano", [article()], tmp_path)
    path = tmp_path / "doccano.jsonl"
    row = json.loads(path.read_text())
    moved = next(e for e in row["entities"] if e["label"] == "Content")
    moved["start_offset"] += 4
    path.write_text(json.dumps(row))
    (back,) = read_format("doccano", tmp_path)
    statement = next(a for a in back.attributions or () if a.stance is None)
    assert statement.content[0].start == moved["start_offset"]
    assert not statement.speaker_labelled


def test_doccanos_plain_labels(tmp_path: Path) -> None:
    path = tmp_path / "export.jsonl"
    path.write_text(json.dumps({"id": 7, "text": "Kofi left.", "label": [[0, 4, "PERSON"]]}))
    (back,) = read_format("doccano", path)
    assert back.id == "7"
    assert back.entities == (GoldEntity(0, 4, "PERSON"),)


def test_links_may_be_drawn_either_way(tmp_path: Path) -> None:
    write_format("label-studio", [article()], tmp_path)
    path = tmp_path / "tasks.json"
    tasks = json.loads(path.read_text())
    for result in tasks[0]["predictions"][0]["result"]:
        if result["type"] == "relation":
            result["from_id"], result["to_id"] = result["to_id"], result["from_id"]
    path.write_text(json.dumps(tasks))
    assert same(read_format("label-studio", tmp_path)[0], article())


def test_a_link_between_the_wrong_regions_is_named(tmp_path: Path) -> None:
    write_format("label-studio", [article()], tmp_path)
    path = tmp_path / "tasks.json"
    tasks = json.loads(path.read_text())
    results = tasks[0]["predictions"][0]["result"]
    link = next(r for r in results if r["type"] == "relation")
    link["from_id"] = next(r["id"] for r in results if r["value"]["labels"] == ["PERSON"])
    path.write_text(json.dumps(tasks))
    with pytest.raises(GoldError, match="a link joins 'PERSON'"):
        read_format("label-studio", tmp_path)


def linked(*links: tuple[str, str]) -> GoldArticle:
    """Three pieces of content, a cue and a source, of which every two in ``links`` are linked."""
    labels = {"A": CONTENT, "B": CONTENT, "C": CONTENT, "cue": CUE, "source": SOURCE}
    regions = [Region(name, label, at, at + 1) for at, (name, label) in enumerate(labels.items())]
    drawn = [Link(one, other, "part") for one, other in links]
    return from_regions("a1", "abcde", regions, drawn, "news.json")


@pytest.mark.parametrize(
    "links",
    [
        [("A", "B"), ("A", "C"), ("A", "cue"), ("A", "source")],
        [("A", "B"), ("B", "C"), ("C", "cue"), ("B", "source")],
        [("cue", "C"), ("B", "C"), ("source", "A"), ("A", "B")],
    ],
)
def test_links_may_be_drawn_in_a_chain(links: list[tuple[str, str]]) -> None:
    (statement,) = linked(*links).attributions or ()
    assert statement.content == (Span(0, 1), Span(1, 2), Span(2, 3))
    assert (statement.cue, statement.source) == ((Span(3, 4),), (Span(4, 5),))


@pytest.mark.parametrize(
    ("links", "message"),
    [
        ([("A", "B"), ("B", "A")], "the Content at 1 to 2 continues itself"),
        ([("A", "A")], "the Content at 0 to 1 continues itself"),
        ([("A", "C"), ("B", "C"), ("C", "cue")], "the Content at 2 to 3 continues two statements"),
    ],
)
def test_a_content_without_one_first_content_is_named(
    links: list[tuple[str, str]], message: str
) -> None:
    with pytest.raises(GoldError, match=message):
        linked(*links)


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_to_read_is_an_error(name: str, tmp_path: Path) -> None:
    with pytest.raises(GoldError):
        read_format(name, tmp_path)
    with pytest.raises(GoldError):
        read_format(name, tmp_path / "missing")


def test_unknown_formats_are_named(tmp_path: Path) -> None:
    with pytest.raises(GoldError, match="unknown format 'word'; known are brat"):
        write_format("word", [article()], tmp_path)


def test_articles_of_one_id_are_refused(tmp_path: Path) -> None:
    with pytest.raises(GoldError, match="same id"):
        write_format("brat", [article(), article()], tmp_path)


def test_text_that_xml_cannot_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GoldError, match="cannot be written as XML"):
        write_format("inception", [GoldArticle("x", "a\x00b")], tmp_path)


def test_inception_needs_its_type_system(tmp_path: Path) -> None:
    write_format("inception", [article()], tmp_path)
    (tmp_path / "TypeSystem.xml").unlink()
    with pytest.raises(GoldError, match=r"TypeSystem\.xml is not beside it"):
        read_format("inception", tmp_path)


def test_inception_counts_utf_16_in_the_file(tmp_path: Path) -> None:
    write_format("inception", [GoldArticle("x", "😀 Ann", entities=(GoldEntity(2, 5, "PERSON"),))],
                 tmp_path)  # fmt: skip
    content = (tmp_path / "x.xmi").read_text(encoding="utf-8")
    (tag,) = re.findall(r"<[^>]*NamedEntity[^>]*>", content)
    assert 'begin="3"' in tag
    assert 'end="6"' in tag
