import csv
import gzip
import io
import json
import tracemalloc
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onrecord.readers import derive_id, read_articles, read_file
from onrecord.records import Article, ErrorRow

ROWS = [
    {
        "id": "q1",
        "headline": "Dockers refuse",
        "body": '“We will not sign,” said Mara Okoye.\r\n\r\n"Never", she added; not for £5m.',
        "date": "2024-03-05T09:15:00+01:00",
        "outlet": "The Quay",
        "section": "ports",
    },
    {
        "id": "q2",
        "headline": "Port replies",
        "body": "The port said it was ready to talk.\nIt has two terminals.",
        "date": "2024-03-06",
        "outlet": "The Quay",
        "section": None,
    },
]


def as_jsonl(rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode("utf-8")


def as_csv(rows, **options):
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, list(rows[0]), **options)
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue().encode("utf-8")


def as_parquet(rows):
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), buffer)
    return buffer.getvalue()


WRITERS = {".jsonl": as_jsonl, ".ndjson": as_jsonl, ".csv": as_csv, ".parquet": as_parquet}


def read(path, data, **options):
    path.write_bytes(data)
    return list(read_file(path, **options))


def outcome(items):
    """Ids of articles and errors of rows, in order."""
    return [item.article_id if isinstance(item, Article) else item.error for item in items]


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize("packed", ["", ".gz"])
def test_a_table_of_articles(tmp_path, suffix, packed):
    data = WRITERS[suffix](ROWS)
    path = tmp_path / f"day{suffix}{packed}"
    first, second = read(path, gzip.compress(data) if packed else data)
    assert first == Article(
        article_id="q1",
        text=ROWS[0]["body"],
        source_path=str(path),
        title="Dockers refuse",
        publisher="The Quay",
        published_at=datetime(2024, 3, 5, 8, 15, tzinfo=UTC),
        extra={"section": "ports"},
    )
    assert (second.article_id, second.text) == ("q2", ROWS[1]["body"])


@pytest.mark.parametrize("suffix", WRITERS)
def test_columns_that_the_user_names(tmp_path, suffix):
    data = WRITERS[suffix](ROWS)
    items = read(tmp_path / f"a{suffix}", data, columns={"text": "headline", "author": "section"})
    assert items[0].text == "Dockers refuse"
    assert items[0].author == "ports"
    assert items[0].extra == {"body": ROWS[0]["body"]}


@pytest.mark.parametrize("suffix", WRITERS)
def test_a_column_that_no_row_has(tmp_path, suffix):
    items = read(tmp_path / f"a{suffix}", WRITERS[suffix](ROWS), columns={"author": "writr"})
    assert items[-1].error == "UnknownColumn"
    assert "--column author=writr" in items[-1].message


@pytest.mark.parametrize("suffix", WRITERS)
def test_no_text_column(tmp_path, suffix):
    rows = [{"id": "1", "Inhalt": "Der Text"}]
    path = tmp_path / f"a{suffix}"
    (row,) = read(path, WRITERS[suffix](rows))
    assert row.error == "NoTextColumn"
    assert row.message.startswith(f"{path}: ")
    assert "columns found: id, Inhalt" in row.message
    assert "--column text=COLUMN" in row.message


@pytest.mark.parametrize("suffix", WRITERS)
def test_a_row_without_text_does_not_stop_the_rest(tmp_path, suffix):
    rows = [{"id": "1", "text": "One."}, {"id": "2", "text": " "}, {"id": "3", "text": "Three."}]
    items = read(tmp_path / f"a{suffix}", WRITERS[suffix](rows))
    assert outcome(items) == ["1", "EmptyText", "3"]
    assert items[1].article_id == "2"
    assert "2: there is no text" in items[1].message


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)


@pytest.mark.parametrize("suffix", [".txt", *WRITERS])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=TEXTS, title=TEXTS)
def test_any_text_comes_back_identical(tmp_path, suffix, text, title):
    if suffix == ".txt":
        data, text = text.encode("utf-8"), text.removeprefix("\ufeff")
        refused = "\0" in text or any(char < " " or "\x7f" <= char < "\xa0" for char in text)
    else:
        data, refused = WRITERS[suffix]([{"text": text, "title": title, "rest": text}]), False
    (item,) = read(tmp_path / f"a{suffix}", data)
    if isinstance(item, ErrorRow):
        assert (item.error, text.strip()) == ("EmptyText", "") or refused
    else:
        assert item.text == text
        assert item.article_id == derive_id(text)
        if suffix != ".txt":
            assert (item.title or "") == title.strip()
            assert item.extra == {"rest": text}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_of_a_csv_file(tmp_path, delimiter):
    items = read(tmp_path / "a.csv", as_csv(ROWS, delimiter=delimiter))
    assert [item.text for item in items] == [row["body"] for row in ROWS]


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "cp1252"])
def test_the_encoding_of_a_csv_file(tmp_path, codec):
    items = read(tmp_path / "a.csv", as_csv(ROWS).decode().encode(codec))
    assert [item.article_id for item in items] == ["q1", "q2"]
    assert items[0].text == ROWS[0]["body"]


def test_a_named_encoding_of_a_table(tmp_path):
    data = as_csv(ROWS).decode().encode("mac_roman")
    assert read(tmp_path / "a.csv", data, encoding="mac_roman")[0].text == ROWS[0]["body"]
    data = b"\xef\xbb\xbf" + as_csv(ROWS)
    assert read(tmp_path / "b.csv", data, encoding="utf-8")[0].article_id == "q1"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ('id,text\n1,One.\n2,Two, and more.\n3,"Three, and more."\n', ["1", "BadCsv", "3"]),
        ("id,text,title\n1,One.\n2\n", ["1", "EmptyText"]),
        ("\n\nid,text\n\n1,One.\n\n2,Two.", ["1", "2"]),
        # After a quotation mark out of place, nothing is certain any more.
        ('id,text\n1,One.\n2,"Two "and" more."\n3,Three.\n', ["1", "BadCsv"]),
        ('id,text\n1,One.\n2,"Two never ends.\n3,Three.\n', ["1", "BadCsv"]),
        ("id,text\n", []),
        ("", ["EmptyFile"]),
        ("\r\n \n", ["EmptyFile"]),
        ("Titel\nEins\n", ["NoTextColumn"]),
    ],
)
def test_csv_with_faults(tmp_path, data, expected):
    assert outcome(read(tmp_path / "a.csv", data.encode())) == expected


def test_the_row_of_a_csv_fault_is_told(tmp_path):
    items = read(tmp_path / "a.csv", b"id,text\n1,One.\n2,Two, and more.\n")
    assert "row 2: 3 fields where the header has 2" in items[1].message
    items = read(tmp_path / "b.csv", b'id,text\n1,"One."\n2,"Two "and"\n')
    assert "near line 3" in items[1].message


def test_one_damaged_row_of_a_utf_8_csv_file(tmp_path):
    data = as_csv(ROWS) + b'q3,,"caf\xe9 at the port",,,\nq4,,"The end, so far.",,,\n'
    items = read(tmp_path / "a.csv", data)
    assert outcome(items) == ["q1", "q2", "UndecodableText", "q4"]
    assert "--encoding" in items[2].message


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b'{"text": "cut o', "BadJson"),
        (b"not json", "BadJson"),
        (b'["a", "list"]', "BadJson"),
        (b"3", "BadJson"),
        (b"[" * 100_000, "BadJson"),
        (b'{"text": "a", "n": ' + b"9" * 5000 + b"}", "BadJson"),
        (b'{"text": "half \\ud800 pair"}', "InvalidUnicode"),
        (b'{"text": "ok", "tags": ["\\udc00"]}', "InvalidUnicode"),
        (b'{"text": "caf\xe9"}', "UndecodableText"),
        (b'{"text": null}', "EmptyText"),
        (b'{"text": {"a": 1}}', "TextNotString"),
        (b'{"text": "' + b"x" * 1_000_001 + b'"}', "TextTooLong"),
        (b'{"text": "' + b"x" * 17_000_000 + b'"}', "TextTooLong"),
        (b'{"text": "a", "deep": ' + b"[" * 900 + b"]" * 900 + b"}", "BadValue"),
        (b"  \r", None),
    ],
)
def test_a_bad_line_of_json_does_not_stop_the_rest(tmp_path, line, error):
    data = b'{"id": "1", "text": "One."}\r\n' + line + b'\n{"id": "3", "text": "Three."}'
    items = read(tmp_path / "a.jsonl", data)
    assert (items[0].article_id, items[-1].article_id) == ("1", "3")
    assert [item.error for item in items[1:-1] if isinstance(item, ErrorRow)] == (
        [error] if error else []
    )
    if error:
        assert "a.jsonl: line 2: " in items[1].message
        assert items[1].kind == ("skipped" if error in ("EmptyText", "TextTooLong") else "failed")


def test_json_pairs_of_surrogates_are_characters(tmp_path):
    (article,) = read(tmp_path / "a.jsonl", b'{"text": "\\ud83d\\ude00 and \\u0000"}')
    assert article.text == "\U0001f600 and \0"


@pytest.mark.parametrize("data", [b"", b"\n\n  \n", b"\xef\xbb\xbf"])
def test_an_empty_json_lines_file(tmp_path, data):
    (row,) = read(tmp_path / "a.jsonl", data)
    assert (row.kind, row.error) == ("skipped", "EmptyFile")


def test_json_lines_in_utf_16(tmp_path):
    items = read(tmp_path / "a.jsonl", as_jsonl(ROWS).decode().encode("utf-16"))
    assert [item.text for item in items] == [row["body"] for row in ROWS]


def test_columns_may_differ_from_line_to_line(tmp_path):
    rows = [{"text": "One.", "n": 1}, {"body": "Two.", "title": "Second"}]
    first, second = read(tmp_path / "a.jsonl", as_jsonl(rows))
    assert (first.text, first.extra) == ("One.", {"n": 1})
    assert (second.text, second.title) == ("Two.", "Second")


@pytest.mark.parametrize("suffix", [".jsonl.gz", ".csv.gz"])
def test_what_a_truncated_gzip_file_still_holds_is_read(tmp_path, suffix):
    rows = [{"id": str(n), "text": derive_id(str(n)) * 50} for n in range(2000)]
    data = gzip.compress(WRITERS[suffix[:-3]](rows))
    items = read(tmp_path / f"a{suffix}", data[: len(data) * 3 // 4])
    assert len(items) > 1000
    assert all(isinstance(item, Article) for item in items[:-1])
    assert (items[-1].kind, items[-1].error) == ("truncated", "EOFError")
    assert f"{len(items) - 1} articles before that were read" in items[-1].message


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
def test_an_endless_line_does_not_fill_the_memory(tmp_path, suffix):
    path = tmp_path / f"bomb{suffix}.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(b"id,text\n1,One.\n" if suffix == ".csv" else b'{"text": "One."}\n')
        for _ in range(200):
            file.write(b"x" * 1_000_000)
    tracemalloc.start()
    items = list(read_file(path, max_chars=10_000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [type(item) for item in items] == [Article, ErrorRow]
    assert items[1].error == "TextTooLong"
    assert peak < 100_000_000


def test_parquet_types(tmp_path):
    table = pa.table(
        {
            "id": pa.array([1, 2], pa.int64()),
            "text": pa.array(["One.", "Two."]).dictionary_encode(),
            "published_at": pa.array([1_709_630_100_123_456_789, None], pa.timestamp("ns")),
            "seen": pa.array([0, 1], pa.date32()),
            "authors": pa.array([["Ana Silva", "Jo Pratt"], []]),
            "meta": pa.array([{"a": 1.5}, None]),
            "raw": pa.array([b"\xff", None]),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    first, second = read_file(tmp_path / "a.parquet")
    assert (first.article_id, first.text, first.author) == ("1", "One.", "Ana Silva, Jo Pratt")
    assert first.published_at == datetime(2024, 3, 5, 9, 15, 0, 123_456, UTC)
    assert first.extra == {"seen": "1970-01-01", "meta": {"a": 1.5}, "raw": "/w=="}
    assert (second.author, second.published_at) == (None, None)


def test_a_parquet_value_that_is_not_utf_8(tmp_path):
    bad = pa.array([b"One.", b"caf\xe9", b"Three."]).view(pa.string())
    pq.write_table(pa.table({"id": ["1", "2", "3"], "text": bad}), tmp_path / "a.parquet")
    items = list(read_file(tmp_path / "a.parquet"))
    assert outcome(items) == ["1", "BadValue", "3"]
    assert "row 2: " in items[1].message


@pytest.mark.parametrize(
    "data",
    [b"", b"not parquet at all", as_parquet(ROWS)[:-30], b"PAR1" + b"\xff" * 100 + b"PAR1"],
)
@pytest.mark.parametrize("packed", ["", ".gz"])
def test_a_damaged_parquet_file(tmp_path, data, packed):
    path = tmp_path / f"a.parquet{packed}"
    (row,) = read(path, gzip.compress(data) if packed else data)
    assert (row.stage, row.kind) == ("read", "failed")
    assert row.message.startswith(f"{path}: ")


def test_a_parquet_file_that_unpacks_too_large_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("onrecord.readers.files._MAX_UNPACKED", 1_000_000)
    (row,) = read(tmp_path / "a.parquet.gz", gzip.compress(bytes(5_000_000)))
    assert row.error == "UnpacksTooLarge"


def test_an_empty_parquet_file_is_nothing_to_tell(tmp_path):
    data = as_parquet(ROWS)
    table = pq.read_table(io.BytesIO(data)).slice(0, 0)
    pq.write_table(table, tmp_path / "part-0.parquet")
    assert list(read_file(tmp_path / "part-0.parquet")) == []


def test_reading_is_lazy_and_the_rest_goes_on_after_a_bad_file(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(as_jsonl(ROWS))
    (tmp_path / "b.parquet").write_bytes(b"bad")
    (tmp_path / "c.csv").write_bytes(as_csv(ROWS))
    items = read_articles([tmp_path])
    assert next(items).article_id == "q1"
    (tmp_path / "c.csv").write_bytes(as_csv(ROWS[1:]))
    assert outcome(items) == ["q2", "ArrowInvalid", "q2"]
