"""The data that the page embeds."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gold_run import make_run, simple_article
from onrecord.records import STANCES, ErrorRow
from onrecord.report.payload import (
    MAX_ERRORS,
    newest_articles,
    outlet_of,
    page_payload,
    to_script_json,
    utf16_offset,
)
from onrecord.runs import Run


@given(st.text(max_size=40), st.data())
def test_utf16_offsets_cover_the_same_characters(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    offset = utf16_offset(text)
    units = text.encode("utf-16-le", "surrogatepass")
    covered = units[2 * offset(start) : 2 * offset(end)].decode("utf-16-le", "surrogatepass")
    assert covered == text[start:end]


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_script_json_cannot_leave_its_element(text: str) -> None:
    escaped = to_script_json({"text": text})
    assert not set(escaped) & set("<>&\u2028\u2029")
    assert json.loads(escaped) == {"text": text}


def test_statements_keep_their_words(run: Run) -> None:
    payload = page_payload(run, "demo", 100)
    quotes = payload["quotes"]
    place = {article: number for number, article in enumerate(payload["articles"]["id"])}
    rows = run.table("quotes").to_pylist()
    assert len(rows) == len(quotes["article"]) > 300
    for number, row in enumerate(rows):
        assert quotes["article"][number] == place[row["article_id"]]
        text = payload["articles"]["text"][quotes["article"][number]]
        flat = quotes["content"][number]
        shown = " ".join(text[s:e] for s, e in zip(flat[::2], flat[1::2], strict=True))
        assert shown == row["text"]
        assert STANCES[quotes["stance"][number]] == row["stance"]
        speaker = quotes["speaker"][number]
        name = None if speaker < 0 else payload["speakers"]["key"][speaker]
        assert name == (row["speaker_id"] or (row["speaker"] and f"name:{row['speaker']}"))


def test_offsets_after_characters_outside_the_basic_plane() -> None:
    text = "🚢🚢 “We sail,” said Okafor."
    run = make_run([simple_article(text, [("We sail", "said", "Okafor")])])
    payload = page_payload(run, "ships", 10)
    (content,) = payload["quotes"]["content"]
    units = payload["articles"]["text"][0].encode("utf-16-le")
    assert units[2 * content[0] : 2 * content[1]].decode("utf-16-le") == "We sail"
    start, end, label, name = payload["articles"]["entities"][0]
    assert units[2 * start : 2 * end].decode("utf-16-le") == "Okafor"
    assert (payload["labels"][label], payload["names"][name]) == ("PERSON", "Okafor")


def test_only_the_newest_articles_are_taken() -> None:
    days = {"old": 1, "new": 9, "newer": 20, "undated": None}
    articles = [
        simple_article(
            "“No,” said Ortiz.",
            [("No", "said", "Ortiz")],
            article_id=name,
            published_at=day and datetime(2026, 5, day, tzinfo=UTC),
        )
        for name, day in days.items()
    ]
    run = make_run(articles)
    order = newest_articles(run.table("articles"), 10)["article_id"].to_pylist()
    assert order == ["newer", "new", "old", "undated"]
    payload = page_payload(run, "run", 2)
    assert payload["articles"]["id"] == ["newer", "new"]
    assert len(payload["quotes"]["article"]) == 2
    assert (payload["run"]["shown"], payload["run"]["articles"]) == (2, 4)


@pytest.mark.parametrize(
    ("publisher", "url", "outlet"),
    [
        ("The Morning Ledger", "https://www.ledger.example/a", "The Morning Ledger"),
        (None, "https://www.ledger.example/a", "ledger.example"),
        (None, "ledger.example/a", None),
        (None, "https://[broken/a", None),
        ("", None, None),
    ],
)
def test_outlet(publisher: str | None, url: str | None, outlet: str | None) -> None:
    assert outlet_of(publisher, url) == outlet


def test_a_run_without_statements_or_dates() -> None:
    run = make_run([simple_article("Nothing was said.", [])])
    payload = page_payload(run, "quiet", 10)
    assert payload["quotes"]["article"] == []
    assert payload["articles"]["date"] == [None]
    assert payload["outlets"] == []


def test_problems_beyond_what_the_page_shows_are_counted_only() -> None:
    problems = [
        ErrorRow(f"{n:04}.txt", None, "read", "failed", "EmptyFile", "the file is empty")
        for n in range(MAX_ERRORS + 3)
    ]
    payload = page_payload(make_run([], problems), "broken", 10)
    assert payload["run"]["errors"] == MAX_ERRORS + 3
    assert len(payload["errors"]) == MAX_ERRORS
    assert payload["errors"][0] == ["failed", "read", "0000.txt", "the file is empty"]


def test_an_article_that_was_not_annotated_is_listed() -> None:
    article, _ = simple_article("Der Vertrag ist unterschrieben.", [])
    payload = page_payload(make_run([(article, None)]), "skipped", 10)
    assert payload["articles"]["id"] == ["a1"]
