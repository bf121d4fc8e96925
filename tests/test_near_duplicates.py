"""Wire copies are found, the same ones whatever the order, shards and workers."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fakes import load_fake, make_article
from onrecord.batch import RunError, RunOptions, run_batch
from onrecord.batch.near_duplicates import NearDuplicates
from onrecord.records import Article
from onrecord.runs import read_run

WriteJsonl = Callable[..., Path]
WORDS = [f"{a}{b}" for a in ("port", "ship", "crew", "pay", "dock", "sign") for b in "abcdefghij"]


def story(seed: int, words: int = 300) -> str:
    return " ".join(random.Random(seed).choices(WORDS, k=words))  # noqa: S311


def copied(text: str, head: str) -> str:
    """A wire copy: another headline, one word changed, the last words cut."""
    words = text.split()
    words[100] = "harbour"
    return f"{head}\n" + " ".join(words[:-15])


def run_near(news: Path, out: Path, **changes: object) -> dict[str, str | None]:
    append = bool(changes.pop("append", False))
    options = RunOptions(workers=0, near_duplicates=True).model_copy(update=changes)
    run_batch([news], out, options, load_pipeline=load_fake, append=append)
    articles = read_run(out).articles
    return {
        row.article_id: json.loads(row.extra).get("duplicate_of")
        for row in articles.itertuples(index=False)
    }


def test_copies_are_told_from_other_articles(tmp_path: Path) -> None:
    with NearDuplicates(tmp_path / "near.sqlite") as near:
        assert near.original_of("a", story(1)) is None
        assert near.original_of("b", copied(story(1), "Dockers stay out")) == "a"
        assert near.original_of("c", story(2)) is None
        half = " ".join(story(1).split()[:150]) + " " + " ".join(story(3).split()[:150])
        assert near.original_of("d", half) is None
        assert near.original_of("e", "one two") is None
        assert near.original_of("f", "One, two!") == "e"
    assert not list(tmp_path.iterdir())


def test_the_same_copies_whatever_the_order_and_shards(
    tmp_path: Path, write_jsonl: WriteJsonl
) -> None:
    articles = [Article(f"n{n}", story(n)) for n in range(5)]
    articles += [Article(f"z{n}", copied(story(n % 5), f"Head {n}")) for n in range(8)]
    expected = {f"n{n}": None for n in range(5)} | {f"z{n}": f"n{n % 5}" for n in range(8)}
    assert run_near(write_jsonl(articles), tmp_path / "one", language="any") == expected
    again = write_jsonl(reversed(articles), "again.jsonl")
    found = run_near(again, tmp_path / "two", language="any", shard_size=3, batch_size=2)
    assert found == expected


def test_the_original_is_what_was_published_first(tmp_path: Path) -> None:
    news = tmp_path / "news.jsonl"
    rows = [
        {"id": "a", "text": copied(story(1), "Later"), "date": "2026-03-02T00:30:00+09:00"},
        {"id": "b", "text": story(1), "date": "2026-03-01T12:00:00Z"},
        {"id": "c", "text": copied(story(1), "Undated")},
    ]
    news.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    found = run_near(news, tmp_path / "out", language="any")
    assert found == {"a": "b", "b": None, "c": "b"}


def test_an_appended_copy_names_what_the_run_holds(tmp_path: Path, write_jsonl: WriteJsonl) -> None:
    monday = [Article("m1", story(1)), Article("m2", copied(story(1), "Monday"))]
    run_near(write_jsonl(monday, "m.jsonl"), tmp_path / "out", language="any")
    tuesday = write_jsonl([Article("a", copied(story(1), "Tuesday"))], "t.jsonl")
    found = run_near(tuesday, tmp_path / "out", language="any", append=True)
    assert found == {"m1": None, "m2": "m1", "a": "m1"}


def test_nothing_is_looked_for_unless_asked(tmp_path: Path, write_jsonl: WriteJsonl) -> None:
    first = make_article(1)
    news = write_jsonl([first, replace(first, article_id="b", text=first.text + " Extra.")])
    run_batch([news], tmp_path / "out", RunOptions(workers=0), load_pipeline=load_fake)
    assert set(read_run(tmp_path / "out").articles.extra) == {"{}"}


def test_a_missing_library_is_named_before_anything_is_written(
    tmp_path: Path, write_jsonl: WriteJsonl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onrecord.batch.near_duplicates.find_spec", lambda name: None)
    news = write_jsonl([make_article(1)])
    with pytest.raises(RunError, match=r"pip install 'onrecord\[near-duplicates\]'"):
        run_near(news, tmp_path / "out")
    assert not (tmp_path / "out" / ".work").exists()
