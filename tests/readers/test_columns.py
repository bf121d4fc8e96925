import json
from dataclasses import asdict, fields
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from onrecord.readers import FIELDS, SYNONYMS, InputError, derive_id, parse_columns, read_records
from onrecord.readers.columns import map_columns
from onrecord.readers.problems import UnreadableError
from onrecord.records import SCHEMAS, Article, ErrorRow

TEXT = "“We will not sign,” said Mara Okoye, who leads the dockers' union."


def read_one(record, **options):
    (item,) = read_records([record], **options)
    return item


@pytest.mark.parametrize(
    ("names", "columns", "expected"),
    [
        (["text", "id"], {}, {"text": "text", "id": "id"}),
        (["Body", "Headline"], {}, {"text": "Body", "title": "Headline"}),
        (["article_body", "datePublished"], {},
         {"text": "article_body", "published_at": "datePublished"}),
        (["content", "source", "Pub Date"], {},
         {"text": "content", "publisher": "source", "published_at": "Pub Date"}),
        (["article", "byline", "link"], {}, {"text": "article", "author": "byline", "url": "link"}),
        # An exact name beats a synonym, an earlier synonym a later one; the loser is left over.
        (["body", "text"], {}, {"text": "text"}),
        (["content", "body"], {}, {"text": "body"}),
        (["TEXT"], {}, {"text": "TEXT"}),
        # What the user names beats both, and the column it names fills nothing else.
        (["text", "body"], {"text": "body"}, {"text": "body"}),
        (["text", "title"], {"author": "title"}, {"text": "text", "author": "title"}),
        (["body", "date"], {"title": "absent"}, {"text": "body", "published_at": "date"}),
    ],
)  # fmt: skip
def test_columns_are_mapped(names, columns, expected):
    assert map_columns(names, columns) == expected


@pytest.mark.parametrize("field", FIELDS)
def test_every_synonym_is_found_in_the_spellings_of_exports(field):
    for synonym in SYNONYMS[field]:
        for name in (synonym, synonym.upper(), synonym.title(), f" {synonym[0]}_{synonym[1:]}"):
            names = [name] if field == "text" else ["text", name]
            assert map_columns(names, {})[field] == name


def test_synonyms_belong_to_one_field():
    names = [name for synonyms in SYNONYMS.values() for name in synonyms]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({}, r"no column that holds the text \(columns found: Titel, Inhalt\).*--column text="),
        ({"text": "inhalt"}, r"no column 'inhalt' \(columns found: Titel, Inhalt\)"),
    ],
)
def test_a_missing_text_column_is_explained(columns, message):
    with pytest.raises(UnreadableError, match=message):
        map_columns(["Titel", "Inhalt"], columns)


def test_parse_columns():
    assert parse_columns(["text=body", "title=a=b"]) == {"text": "body", "title": "a=b"}


@pytest.mark.parametrize("options", [["text"], ["text="], ["txt=body"], ["text=a", "text=b"]])
def test_parse_columns_refuses(options):
    with pytest.raises(InputError, match=r"text|txt"):
        parse_columns(options)


def test_record_becomes_article():
    record = {
        "id": 7,
        "body": TEXT,
        "headline": " Dockers refuse ",
        "source": {"id": None, "name": "The Quay"},
        "authors": ["Ana Silva", "Jo Pratt"],
        "publishedAt": "2024-03-05T09:15:00+01:00",
        "url": "",
        "section": "ports",
        "score": float("nan"),
        "seen": date(2024, 3, 6),
        "price": Decimal("1.50"),
        "raw": b"\xff",
        "nested": [{"a": (1, 2)}],
    }
    article = read_one(record, source_path="in.jsonl")
    assert article == Article(
        article_id="7",
        text=TEXT,
        source_path="in.jsonl",
        title="Dockers refuse",
        author="Ana Silva, Jo Pratt",
        publisher="The Quay",
        published_at=datetime(2024, 3, 5, 8, 15, tzinfo=UTC),
        url=None,
        extra={
            "section": "ports",
            "score": None,
            "seen": "2024-03-06",
            "price": "1.50",
            "raw": "/w==",
            "nested": [{"a": [1, 2]}],
            "source": {"id": None, "name": "The Quay"},  # the name alone does not say all of it
        },
    )
    assert json.loads(json.dumps(article.extra, allow_nan=False)) == article.extra


@pytest.mark.parametrize(("given", "article_id"), [(12.0, "12"), (0, "0"), ("x-1 ", "x-1")])
def test_ids_are_strings(given, article_id):
    assert read_one({"id": given, "text": TEXT}).article_id == article_id


@pytest.mark.parametrize("given", [None, "", "  ", float("nan")])
def test_an_article_without_id_gets_one_from_its_text(given):
    article = read_one({"id": given, "text": TEXT, "title": "Dockers refuse"})
    assert article.article_id == derive_id(TEXT) != derive_id(TEXT + " ")
    assert len(article.article_id) == 16


def test_an_unparseable_date_is_kept_as_given():
    article = read_one({"text": TEXT, "date": "the day after the strike"})
    assert article.published_at is None
    assert article.extra == {"date": "the day after the strike"}


@pytest.mark.parametrize(
    ("record", "kind", "error"),
    [
        ({"text": None}, "skipped", "EmptyText"),
        ({"text": " \r\n\t\u00a0"}, "skipped", "EmptyText"),
        ({"text": float("nan")}, "skipped", "EmptyText"),
        ({"text": ["a", "b"]}, "failed", "TextNotString"),
        ({"text": 12}, "failed", "TextNotString"),
        ({"text": "x" * 201}, "skipped", "TextTooLong"),
        ({"text": "half \ud800 pair"}, "failed", "InvalidUnicode"),
        ({"text": TEXT, "title": "\udfff"}, "failed", "InvalidUnicode"),
        ({"text": TEXT, "tags": [{"\ud800": 1}]}, "failed", "InvalidUnicode"),
        ({"title": "no text at all"}, "failed", "NoTextColumn"),
    ],
)
def test_a_record_that_gives_no_article(record, kind, error):
    row = read_one({"id": "a1", **record}, max_chars=200, source_path="in.csv")
    assert isinstance(row, ErrorRow)
    assert (row.stage, row.kind, row.error) == ("read", kind, error)
    assert row.message.startswith("in.csv: row 1: ")
    row.message.encode("utf-8")
    # The id is told where it is known to be sound.
    assert row.article_id == (None if error in ("InvalidUnicode", "NoTextColumn") else "a1")


def test_an_error_row_never_stops_the_rows_after_it():
    items = list(read_records([{"text": TEXT}, {"text": ""}, {"text": TEXT + "!"}]))
    assert [type(item) for item in items] == [Article, ErrorRow, Article]
    assert items[1].message.startswith("row 2: ")


def test_error_rows_fit_the_errors_table():
    (row,) = read_records([{"id": "a1", "text": ""}])
    table = pa.Table.from_pylist([asdict(row)], schema=SCHEMAS["errors"])
    assert [field.name for field in fields(ErrorRow)] == table.column_names
    assert table.to_pylist() == [asdict(row)]
