from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from onrecord.entity_file import EntityFileError, read_entity_file

JSONL = (
    '{"name": "Lena Vogt", "label": "PERSON", "aliases": ["Vogt", "L. Vogt"], "kb_id": "X1"}\n'
    "\n"
    '{"name": "Harbour Board", "label": "ORG"}\n'
)
CSV = 'name,label,aliases,kb_id\nLena Vogt,PERSON,Vogt|L. Vogt,X1\n"Harbour Board",ORG,,\n'


def write(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


@pytest.mark.parametrize(("name", "content"), [("e.jsonl", JSONL), ("e.csv", CSV)])
def test_both_formats_give_the_same_entities(tmp_path: Path, name: str, content: str) -> None:
    vogt, board = read_entity_file(write(tmp_path, name, content))
    assert (vogt.name, vogt.label, vogt.aliases, vogt.kb_id) == (
        "Lena Vogt",
        "PERSON",
        ("Vogt", "L. Vogt"),
        "X1",
    )
    assert vogt.entity_id == "kb:X1"
    assert (board.aliases, board.kb_id, board.entity_id) == ((), None, "file:harbour-board")


def test_gzip_and_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl.gz"
    path.write_bytes(gzip.compress(("\ufeff" + JSONL).encode()))
    assert [entity.name for entity in read_entity_file(path)] == ["Lena Vogt", "Harbour Board"]


def test_shipped_entity_file_is_sound() -> None:
    known = read_entity_file(Path(__file__).parents[1] / "corpus" / "entities.jsonl")
    assert {"Nicolás Maduro", "Donald Trump", "Chevron"} <= {entity.name for entity in known}
    assert "CIA" in {form for entity in known for form in entity.forms}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("e.jsonl", '{"name": "A"}\n{"name": "B"\n', "e.jsonl:2: not JSON"),
        ("e.jsonl", "[1]\n", "e.jsonl:1: expected a JSON object"),
        ("e.jsonl", '{"label": "ORG"}\n', "e.jsonl:1: no name"),
        ("e.jsonl", '{"name": "A", "label": "COMPANY"}\n', "unknown label 'COMPANY'"),
        ("e.jsonl", '{"name": "A", "alias": ["B"]}\n', "unknown field 'alias'"),
        ("e.jsonl", '{"name": "A", "aliases": "B"}\n', "aliases must be a list, got 'B'"),
        ("e.jsonl", '{"name": "A", "aliases": [1]}\n', "aliases must be text, got 1"),
        ("e.jsonl", '{"name": 7}\n', "e.jsonl:1: name must be text, got 7"),
        (
            "e.jsonl",
            '{"name": "A B", "aliases": ["B"]}\n{"name": "C B", "aliases": ["B"]}\n',
            "e.jsonl:2: 'B' of 'C B' already belongs to 'A B' in line 1",
        ),
        # Names are looked up whatever their case and accents.
        (
            "e.jsonl",
            '{"name": "A B", "aliases": ["Bé"]}\n{"name": "C B", "aliases": ["BE"]}\n',
            "e.jsonl:2: 'BE' of 'C B' already belongs to 'A B' in line 1 as 'Bé'",
        ),
        ("e.csv", "title,label\nA,ORG\n", "e.csv:1: no column 'name'"),
        ("e.csv", "", "e.csv:1: no column 'name'"),
        ("e.csv", "name,label\nA,ORG\nB,ORG,x,y\n", "e.csv:3: more fields"),
        ("e.csv", 'name,label\n"A,ORG\n', "not CSV"),
        ("e.txt", "A\n", "ends in .jsonl or .csv"),
    ],
)
def test_errors_name_file_line_and_value(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    path = write(tmp_path, name, content)
    with pytest.raises(EntityFileError, match=re.escape(message)):
        read_entity_file(path)


def test_wrong_encoding_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl"
    path.write_bytes('{"name": "A"}\n{"name": "Nicolás"}\n'.encode("latin-1"))
    with pytest.raises(EntityFileError, match=r"e\.jsonl:2: not UTF-8"):
        read_entity_file(path)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(EntityFileError, match="cannot be read"):
        read_entity_file(tmp_path / "none.jsonl")
