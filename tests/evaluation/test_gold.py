"""Gold files: what is read, what is refused, what is warned of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gold_samples import article
from onrecord.evaluation.gold import GoldError, parse_article, read_gold, with_kinds, write_gold
from onrecord.records import Span

ROW: dict[str, Any] = {
    "id": "a1",
    "text": "Rivera agreed to talks. He said “soon”.",
    "sentences": [[0, 23], [24, 39]],
    "entities": [{"start": 0, "end": 6, "label": "PERSON", "entity": "Rivera"}],
    "attributions": [{"content": [[14, 22]], "cue": [[7, 13]], "source": [[0, 6]]}],
}


def write(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_reads_every_layer(tmp_path: Path) -> None:
    gold = read_gold(write(tmp_path / "gold.jsonl", ROW))
    (found,) = gold.articles
    assert found.sentences == (Span(0, 23), Span(24, 39))
    assert found.entities is not None
    assert found.entities[0].entity == "Rivera"
    assert found.attributions is not None
    assert found.attributions[0].content == (Span(14, 22),)
    assert found.attributions[0].speaker_labelled is False
    assert not gold.warnings
    assert len(next(iter(gold.checksums.values()))) == 64


def test_absent_layer_is_not_an_empty_one(tmp_path: Path) -> None:
    rows = [{"id": "a", "text": "Nothing."}, {"id": "b", "text": "Nothing.", "attributions": []}]
    first, second = read_gold(write(tmp_path / "gold.jsonl", *rows)).articles
    assert first.attributions is None
    assert second.attributions == ()


def test_null_speaker_is_labelled_as_nobody() -> None:
    row = {**ROW, "attributions": [{"content": [[14, 22]], "speaker": None}]}
    (statement,) = parse_article(row).attributions or ()
    assert statement.speaker is None
    assert statement.speaker_labelled


def test_one_object_or_a_list_in_a_json_file(tmp_path: Path) -> None:
    single, several = tmp_path / "one.json", tmp_path / "two.json"
    single.write_text(json.dumps(ROW, indent=2))
    several.write_text(json.dumps([{**ROW, "id": "b"}, {**ROW, "id": "c"}], indent=2))
    assert [a.id for a in read_gold(tmp_path).articles] == ["a1", "b", "c"]


def test_writing_gives_back_what_was_read(tmp_path: Path) -> None:
    original = [article("x", publisher="Gazette"), with_kinds(parse_article(ROW))]
    path = tmp_path / "new" / "gold.jsonl"
    assert write_gold(original, path) == 2
    back = read_gold(path).articles
    assert [(a.sentences, a.entities, a.attributions, a.extra) for a in back] == [
        (a.sentences, a.entities, a.attributions, a.extra) for a in original
    ]


def test_kinds_are_read_off_the_marks() -> None:
    row = {**ROW, "attributions": [{"content": [[14, 22]]}, {"content": [[32, 38]]}]}
    kinds = [a.kind for a in with_kinds(parse_article(row)).attributions or ()]
    assert kinds == ["indirect", "direct"]


def test_a_mark_that_is_never_closed_quotes_its_own_paragraph_only() -> None:
    """Also where each line is a paragraph, as the stages read such an article."""
    text = "“We will stay here all week, she said.\nOrtiz said that he had left at noon.\n"
    at = text.index("that")
    row = {"id": "a", "text": text, "attributions": [{"content": [[at, at + 24]]}]}
    (found,) = with_kinds(parse_article(row)).attributions or ()
    assert found.kind == "indirect"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": None}, "id"),
        ({"text": ""}, "text"),
        (
            {"entities": [{"start": 0, "end": 99, "label": "PERSON"}]},
            r"\[0, 99\] does not fit",
        ),
        ({"entities": [{"start": 6, "end": 6, "label": "PERSON"}]}, r"span \[6, 6\]"),
        ({"entities": [{"start": -1, "end": 6, "label": "PERSON"}]}, r"span \[-1, 6\]"),
        ({"entities": [{"start": "0", "end": 6, "label": "PERSON"}]}, "entities.0.start"),
        ({"sentences": [[0, 23, 1]]}, "sentences.0"),
        ({"sentences": [[23, 24]]}, "covers only white space"),
        ({"attributions": [{"content": []}]}, "content"),
        ({"attributions": [{"cue": [[0, 3]]}]}, "content is missing"),
        ({"attributions": [{"content": [[0, 6]], "stance": "angry"}]}, "stance.*angry"),
        ({"attributions": [{"content": [[0, 6]], "kind": "quoted"}]}, "kind.*quoted"),
    ],
)
def test_bad_articles_are_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    path = write(tmp_path / "gold.jsonl", {**ROW, "id": "good"}, {**ROW, **change})
    with pytest.raises(GoldError, match=message) as error:
        read_gold(path)
    assert "line 2" in str(error.value)


def test_a_missing_id_is_named() -> None:
    with pytest.raises(GoldError, match="id is missing"):
        parse_article({"text": "Words."})


def test_only_five_problems_are_listed() -> None:
    rows = [{"start": 90 + n, "end": 99 + n, "label": "ORG"} for n in range(8)]
    with pytest.raises(GoldError, match="and 3 more"):
        parse_article({**ROW, "entities": rows})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"\n \n", "empty"),
        (b"{not json}\n", "line 1: not JSON"),
        (b"[1, 2]\n", "line 1"),
        (b'{"id": "a", "text": "caf\xe9"}', "not UTF-8"),
    ],
)
def test_bad_files_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "gold.jsonl"
    path.write_bytes(content)
    with pytest.raises(GoldError, match=message):
        read_gold(path)


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(GoldError, match="no such file"):
        read_gold(tmp_path / "gold.jsonl")
    with pytest.raises(GoldError, match=r"no \.jsonl or \.json"):
        read_gold(tmp_path)


def test_an_id_twice_is_refused_with_both_places(tmp_path: Path) -> None:
    one, two = write(tmp_path / "1.jsonl", ROW), write(tmp_path / "2.jsonl", ROW)
    with pytest.raises(
        GoldError, match=r"2.jsonl, line 1: id 'a1' was already read from .*1.jsonl"
    ):
        read_gold([one, two])


@pytest.mark.parametrize(
    ("change", "warning"),
    [
        (
            {"entities": [
                {"start": 0, "end": 6, "label": "PERSON"}, {"start": 0, "end": 13, "label": "ORG"},
            ]},
            "overlapping entities (both are scored)",
        ),
        ({"sentences": [[0, 23], [20, 39]]}, "overlapping sentences (both are scored)"),
        (
            {"entities": [{"start": 0, "end": 6, "label": "Politician"}]},
            "entity label 'Politician', which no model of onrecord predicts",
        ),
        ({"attributions": ROW["attributions"] * 2}, "statements given twice"),
        (
            {"sentences": [], "entities": [], "attributions": []},
            "articles without any label",
        ),
    ],
)  # fmt: skip
def test_odd_gold_is_counted(tmp_path: Path, change: dict[str, Any], warning: str) -> None:
    gold = read_gold(write(tmp_path / "gold.jsonl", {**ROW, **change}))
    assert gold.warnings == {warning: 1}


def test_adjacent_entities_do_not_overlap() -> None:
    rows = [{"start": 0, "end": 3, "label": "ORG"}, {"start": 3, "end": 6, "label": "ORG"}]
    parsed = parse_article({**ROW, "entities": rows})
    assert parsed.entities is not None
    assert [(e.start, e.end) for e in parsed.entities] == [(0, 3), (3, 6)]
