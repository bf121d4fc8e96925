import gzip
from datetime import UTC, datetime

import pytest

from onrecord.readers import derive_id, find_title, read_file
from onrecord.records import Article, ErrorRow

BODY = "The dockers' union said on Tuesday that it would not sign. “No,” said Mara Okoye."

PAGE = """<!DOCTYPE html>
<html lang="en"><head>
<meta charset="utf-8">
<title>Dockers refuse &amp; walk out | The Quay</title>
<meta property="og:site_name" content="The Quay">
<meta property="og:title" content="Dockers refuse &amp; walk out">
<meta name="author" content="Ana Silva">
<meta property="article:published_time" content="2024-03-05T09:15:00+01:00">
<link rel="canonical" href="https://quay.example/news/dockers-refuse">
</head><body>
<nav><a href="/">Home</a> <a href="/world">World</a></nav>
<article><h1>Dockers refuse &amp; walk out</h1>
<p>The dockers&#39; union said on Tuesday that it would not sign the accord the port offered.</p>
<p>&ldquo;We will not sign,&rdquo; said Mara Okoye, who leads it. &#8220;Not for £5m &mdash; not ever.&#8221;</p>
<h2>What comes next</h2>
<p>The port, which runs two terminals, said it would publish its offer by the end of the week.</p>
<ul><li>Pay rises by 4% a year</li><li>Night shifts stay as they are</li></ul>
<table><tr><td>Terminal</td><td>Containers</td></tr><tr><td>North</td><td>4,100</td></tr></table>
</article>
<section class="comments"><p>First! This reader comment is not part of the article at all.</p></section>
<footer>Copyright 2031 The Quay</footer></body></html>
"""  # noqa: E501


def read_one(path, data, **options):
    path.write_bytes(data)
    (item,) = read_file(path, **options)
    return item


@pytest.mark.parametrize("suffix", [".txt", ".md", ".TXT", ".txt.gz", ".md.GZ"])
def test_a_text_file_is_one_article_exactly_as_decoded(tmp_path, suffix):
    text = "Dockers refuse\r\n\r\n\t" + BODY + " \r\n\x0c\r"
    data = text.encode("utf-8")
    path = tmp_path / f"a{suffix}"
    item = read_one(path, gzip.compress(data) if suffix.lower().endswith("gz") else data)
    assert item == Article(
        article_id=derive_id(text), text=text, source_path=str(path), title="Dockers refuse"
    )


def test_the_id_depends_on_the_text_alone(tmp_path):
    first = read_one(tmp_path / "a.txt", BODY.encode("utf-8"))
    second = read_one(tmp_path / "b.md", BODY.encode("utf-16"))
    assert first.article_id == second.article_id


@pytest.mark.parametrize(
    ("text", "title"),
    [
        (f"Dockers refuse to sign accord\n\n{BODY}", "Dockers refuse to sign accord"),
        (f"\n\n  Who will sign?\r\n\r\n{BODY}", "Who will sign?"),
        (f"Hewitt decries 'career sexism'\n\n{BODY}", "Hewitt decries 'career sexism'"),
        (f"Dockers Refuse To Sign Accord\nUnion leader says no\n\n{BODY}",
         "Dockers Refuse To Sign Accord"),
        (f"Dockers refuse to sign\n{BODY * 2}", "Dockers refuse to sign"),
        (f"# Dockers *refuse* #\n\n{BODY}", "Dockers *refuse*"),
        # What only looks like one.
        (f"{BODY}\n\n{BODY}", None),
        ("The dockers' union said on Tuesday that it\nwould not sign the accord.", None),
        (f"By Ana Silva in Lagos\n\n{BODY}", None),
        (f"LAGOS, March 5 (Quay Wire) —\n\n{BODY}", None),
        (f"----- ------\n\n{BODY}", None),
        (f"Dockers\n\n{BODY}", None),
        ("Dockers refuse to sign accord", None),
        (f"{'Dockers refuse ' * 20}\n\n{BODY}", None),
        ("", None),
    ],
)  # fmt: skip
def test_a_headline_on_the_first_line_is_the_title(text, title):
    assert find_title(text) == title


def test_an_html_page(tmp_path):
    article = read_one(tmp_path / "page.html", PAGE.encode("utf-8"))
    assert article.title == "Dockers refuse & walk out"
    assert article.author == "Ana Silva"
    assert article.publisher == "The Quay"
    assert article.published_at == datetime(2024, 3, 5, 8, 15, tzinfo=UTC)
    assert article.url == "https://quay.example/news/dockers-refuse"
    lines = article.text.split("\n")
    assert "“We will not sign,” said Mara Okoye, who leads it. “Not for £5m — not ever.”" in lines
    assert "What comes next" in lines
    assert "- Night shifts stay as they are" in lines
    for furniture in ("Home", "Containers", "First!", "Copyright"):
        assert furniture not in article.text


@pytest.mark.parametrize(
    "data",
    [
        PAGE.encode("utf-8"),
        PAGE.encode("utf-8-sig"),
        PAGE.encode("utf-16"),
        PAGE.replace("utf-8", "windows-1252").encode("cp1252"),
        PAGE.replace("utf-8", "iso-8859-1").encode("cp1252"),
        PAGE.replace('<meta charset="utf-8">', "").encode("cp1252"),
        PAGE.replace("<!DOCTYPE html>", '<?xml version="1.0" encoding="utf-8"?>').encode("utf-8"),
    ],
)
def test_the_encoding_of_a_page(tmp_path, data):
    article = read_one(tmp_path / "page.htm", data)
    assert "“Not for £5m — not ever.”" in article.text
    assert article.title == "Dockers refuse & walk out"


def test_a_declared_encoding_settles_what_detection_cannot(tmp_path):
    page = PAGE.replace("utf-8", "iso-8859-15").replace("£5m", "€5m").replace("&#39;", "’")
    data = page.replace("’", "&rsquo;").encode("iso-8859-15")
    assert "“Not for €5m" in read_one(tmp_path / "page.html", data).text


def test_a_date_is_never_guessed_from_the_text(tmp_path):
    lines = [line for line in PAGE.splitlines() if "published_time" not in line]
    page = "\n".join(lines).replace("5m", "5m on January 3, 2019")
    assert read_one(tmp_path / "page.html", page.encode("utf-8")).published_at is None


def test_a_page_without_metadata(tmp_path):
    page = f"<html><body><p>{BODY}</p><p>{BODY}</p></body></html>"
    article = read_one(tmp_path / "page.html", page.encode("utf-8"))
    assert article.text.startswith("The dockers' union")
    assert (article.title, article.author, article.published_at, article.url) == (None,) * 4


@pytest.mark.parametrize(
    ("name", "data", "kind", "error"),
    [
        ("a.txt", b"", "skipped", "EmptyText"),
        ("a.md", b"\xef\xbb\xbf \r\n\t", "skipped", "EmptyText"),
        ("a.txt.gz", gzip.compress(b""), "skipped", "EmptyText"),
        ("a.txt", b"zero \0 byte", "failed", "BinaryFile"),
        ("a.txt", bytes(range(1, 256)) * 20, "failed", "UndecodableText"),
        ("a.txt", b"one line " * 600_000, "skipped", "TextTooLong"),
        ("a.txt", ("é" * 1_000_001).encode(), "skipped", "TextTooLong"),
        ("a.txt.gz", gzip.compress(bytes(50_000_000)), "skipped", "TextTooLong"),
        ("a.txt.gz", gzip.compress(BODY.encode() * 50)[:-20], "failed", "EOFError"),
        ("a.txt.gz", BODY.encode(), "failed", "BadGzipFile"),
        ("a.html", b"", "skipped", "NoBody"),
        ("a.html", b"<html><body><script>x()</script></body></html>", "skipped", "NoBody"),
        ("a.html", b"<html><title>Only a title</title></html>", "skipped", "NoBody"),
        ("a.html", b"\x00\x01\x02", "failed", "BinaryFile"),
        ("a.html", b"<p>word</p>" * 1_000_000, "skipped", "TextTooLong"),
    ],
)
def test_a_file_that_gives_no_article(tmp_path, name, data, kind, error):
    path = tmp_path / name
    row = read_one(path, data)
    assert isinstance(row, ErrorRow)
    assert (row.source_path, row.stage, row.kind, row.error) == (str(path), "read", kind, error)
    assert row.message.startswith(f"{path}: ")
    assert row.article_id is None


def test_a_damaged_gzip_file_is_told(tmp_path):
    data = bytearray(gzip.compress(BODY.encode() * 500))
    data[20:40] = bytes(20)
    assert read_one(tmp_path / "a.txt.gz", bytes(data)).kind == "failed"


def test_a_long_single_line_is_read_when_the_limit_allows(tmp_path):
    line = b"one line of text " * 300_000
    article = read_one(tmp_path / "a.txt", line, max_chars=6_000_000)
    assert article.text == line.decode()


def test_the_limit_counts_characters_not_bytes(tmp_path):
    text = "𝔸" * 100
    assert read_one(tmp_path / "a.txt", text.encode(), max_chars=100).text == text
    assert read_one(tmp_path / "a.txt", text.encode("utf-32"), max_chars=100).text == text
    assert read_one(tmp_path / "a.txt", text.encode(), max_chars=99).error == "TextTooLong"


@pytest.mark.parametrize(
    "page",
    [
        "<div>" * 20_000 + BODY,
        "<p>" + BODY + "<p" * 5000,
        "<![CDATA[" + BODY,
        "&#xD800;&#0;&bogus;" + BODY,
        '<script type="application/ld+json">{"@type": ["NewsArticle", 3], "author": [[]]}</script>'
        + f"<p>{BODY}</p>",
    ],
)
def test_no_page_breaks_it(tmp_path, page):
    item = read_one(tmp_path / "a.html", page.encode())
    if isinstance(item, Article):
        item.text.encode("utf-8")
    else:
        assert item.error in ("NoBody", "BadPage")
