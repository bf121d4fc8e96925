"""What is known of articles beside their files."""

from __future__ import annotations

import csv
import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from onrecord.evaluation.gold import read_gold
from onrecord.readers import InputError, Metadata, derive_id, read_articles
from onrecord.records import Article, ErrorRow

CORPUS = Path(__file__).resolve().parents[2] / "corpus"
TEXT = "Port refuses to reopen gate\n\n“We will not sign,” said Mara Okoye on Monday."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two articles in a folder of their own, named a.txt and b.txt."""
    news = tmp_path / "news"
    news.mkdir()
    (news / "a.txt").write_text(TEXT, encoding="utf-8")
    (news / "b.txt").write_text("They will talk, the port said.", encoding="utf-8")
    return tmp_path


def table(folder: Path, text: str, name: str = "metadata.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def read(folder: Path, metadata: Path) -> tuple[dict[str, Article], list[ErrorRow]]:
    items = list(read_articles(folder / "news", metadata=metadata))
    articles = {Path(item.source_path).stem: item for item in items if isinstance(item, Article)}
    return articles, [item for item in items if isinstance(item, ErrorRow)]


def test_a_row_says_what_the_file_does_not(folder: Path) -> None:
    metadata = table(
        folder,
        "path;Headline;byline;Outlet;date;link;section\n"
        "news/a.txt;;Kofi Lund;The Quay;2026-11-24T18:05:00+01:00;https://quay.example/a;ports\n",
    )
    articles, errors = read(folder, metadata)
    found = articles["a"]
    assert errors == []
    assert (found.author, found.publisher) == ("Kofi Lund", "The Quay")
    assert found.published_at == datetime(2026, 11, 24, 17, 5, tzinfo=UTC)
    assert found.url == "https://quay.example/a"
    assert found.extra == {"section": "ports"}
    # The text, its id and what the row leaves empty stay as they were.
    assert (found.text, found.article_id) == (TEXT, derive_id(TEXT))
    assert found.title == "Port refuses to reopen gate"
    assert articles["b"].publisher is None


def test_rows_by_id_and_json_lines_and_gzip(folder: Path) -> None:
    rows = [
        {"id": derive_id(TEXT), "title": "Gate stays shut", "published_at": 1_795_000_000},
        {"path": "news/b.txt", "authors": ["A. Lund", "B. Roe"]},
    ]
    path = folder / "metadata.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    articles, errors = read(folder, path)
    assert errors == []
    assert articles["a"].title == "Gate stays shut"
    assert articles["a"].published_at == datetime.fromtimestamp(1_795_000_000, UTC)
    assert articles["b"].author == "A. Lund, B. Roe"


def test_paths_hold_wherever_the_program_is_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table(folder, "path,publisher\nnews/a.txt,The Quay\n")
    monkeypatch.chdir(folder / "news")
    (found,) = read_articles("a.txt", metadata="../metadata.csv")
    assert isinstance(found, Article)
    assert found.publisher == "The Quay"


def test_the_table_may_lie_among_the_articles(folder: Path) -> None:
    metadata = table(folder / "news", "path,publisher\nb.txt,The Quay\n")
    articles, errors = read(folder, metadata)
    assert errors == []
    assert articles["b"].publisher == "The Quay"


def test_rows_about_no_article_are_told_once(folder: Path) -> None:
    # One row is about a file that this run does not read, which is no mistake.
    (folder / "old.txt").write_text("Old.", encoding="utf-8")
    metadata = table(
        folder,
        "path,publisher\nnews/a.txt,Q\nnews/A.txt,Q\nold.txt,Q\n../a.txt,Q\n",
    )
    articles, (error,) = read(folder, metadata)
    assert articles["a"].publisher == "Q"
    assert (error.kind, error.error, error.source_path) == (
        "skipped",
        "UnknownArticle",
        str(metadata),
    )
    assert "2 rows are about no article: 'news/A.txt' (line 3), '../a.txt' (line 5)" in (
        error.message
    )
    assert f"as seen from {folder}/" in error.message


def test_ids_that_no_article_has(folder: Path) -> None:
    metadata = table(folder, "article_id,publisher\n" + "".join(f"x{i},Q\n" for i in range(7)))
    _, (error,) = read(folder, metadata)
    assert "7 rows are about no article: 'x0' (line 2)" in error.message
    assert "'x4' (line 6), ...; expected article_id of articles in the input" in error.message


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ("outlet,date\nQ,2026-11-24\n", "m.csv", "m.csv:2: no column path or id"),
        ("path\nnews/a.txt\n", "m.csv", "m.csv:2: nothing but the column path; expected"),
        ("path,date\n,2026-11-24\n", "m.csv", "m.csv:2: no path; name the article"),
        (
            "path,date\nnews/a.txt,2026-11-24\nnews/b.txt,2026-02-30\n",
            "m.csv",
            "m.csv:3: published_at '2026-02-30' is not a date; expected one like 2026-11-24",
        ),
        ("path,date\nnews/a.txt,soon\n", "m.csv", "'soon' is not a date"),
        (
            "path,outlet\nnews/a.txt,Q\nnews/b.txt,Q\nnews/../news/a.txt,R\n",
            "m.csv",
            "m.csv:4: 'news/../news/a.txt' has a row already, in line 2; keep one",
        ),
        ("path,outlet\nnews/a.txt,Q,R\n", "m.csv", "m.csv:2: more fields than the header"),
        ('path,outlet\nnews/a.txt,"Q" R\n', "m.csv", "m.csv:2: not CSV"),
        ("", "m.csv", "m.csv: the file is empty"),
        ('{"path": "news/a.txt"', "m.jsonl", "m.jsonl:1: not JSON"),
        ("[1]\n", "m.jsonl", "m.jsonl:1: expected an object"),
        ('{"id": "a", "title": "\\ud800"}\n', "m.jsonl", "m.jsonl:1: holds half a surrogate"),
        ("path,outlet\n", "m.tsv", "a metadata table ends in .csv or .jsonl"),
    ],
)
def test_a_table_that_cannot_be_used_says_why(
    text: str, name: str, message: str, folder: Path
) -> None:
    path = table(folder, text, name)
    with pytest.raises(InputError) as told:
        read_articles(folder / "news", metadata=path)
    assert message in str(told.value)
    assert str(path) in str(told.value)


def test_a_table_that_is_not_there(folder: Path) -> None:
    with pytest.raises(InputError, match=r"cannot be read .*No such file"):
        Metadata(folder / "nothing.csv")


def test_the_corpus_has_metadata_of_every_article() -> None:
    articles = list(read_articles(CORPUS / "articles", metadata=CORPUS / "metadata.csv"))
    gold = {article.id: article for article in read_gold(CORPUS / "gold").articles}
    assert len(articles) == len(gold) == 15
    for article in articles:
        assert isinstance(article, Article)
        assert article.publisher
        assert article.published_at
        known = gold[Path(article.source_path).stem]
        assert (article.text, article.title) == (known.text, known.extra["title"])
    with (CORPUS / "metadata.csv").open(encoding="utf-8", newline="") as stream:
        assert len(list(csv.DictReader(stream))) == 15
