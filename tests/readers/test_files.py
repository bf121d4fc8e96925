import os
from pathlib import Path

import pytest

from onrecord.readers import InputError, file_format, find_files, read_articles
from onrecord.records import Article, ErrorRow

BODY = "The dockers' union said on Tuesday that it would not sign the accord."


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "news"
    for name in ("b.txt", "a.md", "sub/c.txt", "sub/deep/d.html.gz", "z.jsonl", "sub.csv"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(BODY)
    return root


def names(items, root):
    return [
        str(item.relative_to(root)) if isinstance(item, Path) else (item.error, item.kind)
        for item in items
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.txt", "text"), ("a.b.TXT.GZ", "text"), ("a.md", "markdown"), ("a.htm", "html"),
        ("a.html.gz", "html"), ("a.ndjson", "jsonl"), ("a.jsonl.gz", "jsonl"), ("a.csv", "csv"),
        ("a.parquet", "parquet"), ("a.pdf", None), ("txt", None), ("a.gz", None), ("a", None),
        (".txt", None),
    ],
)  # fmt: skip
def test_the_name_says_the_format(name, expected):
    assert file_format(name) == expected


def test_a_folder_is_walked_in_the_order_of_names(folder):
    assert names(find_files([folder]), folder) == [
        "a.md", "b.txt", "sub/c.txt", "sub/deep/d.html.gz", "sub.csv", "z.jsonl",
    ]  # fmt: skip


def test_hidden_names_and_markers_are_passed_over(folder):
    for name in (".hidden.txt", ".git/config.txt", "_SUCCESS", "_metadata"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("x")
    (folder / "_draft.txt").write_text(BODY)
    found = names(find_files([folder]), folder)
    assert len(found) == 7
    assert "_draft.txt" in found


def test_an_unknown_type_in_a_folder_is_told(folder):
    (folder / "report.pdf").write_bytes(b"%PDF")
    (folder / "LICENSE").write_text("MIT")
    rows = [item for item in find_files([folder]) if isinstance(item, ErrorRow)]
    assert [(row.error, row.kind) for row in rows] == [("UnknownType", "skipped")] * 2
    assert "accepted are .txt" in rows[0].message
    assert "extract its text" in rows[1].message


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.txt", ["b.txt"]),
        ("**/*.txt", ["b.txt", "sub/c.txt"]),
        ("[ab].*", ["a.md", "b.txt"]),
        ("s*", ["sub/c.txt", "sub/deep/d.html.gz", "sub.csv"]),
    ],
)
def test_globs(folder, pattern, expected):
    (folder / "extra.pdf").write_bytes(b"%PDF")
    assert names(find_files([str(folder / pattern)]), folder) == expected


def test_a_glob_over_everything_takes_no_file_twice(folder):
    found = names(find_files([f"{folder}/**"]), folder)
    assert sorted(found) == sorted(names(find_files([folder]), folder))


@pytest.mark.parametrize("spelt", ["news/sub", "news/deep/../sub", "link"])
def test_a_folder_to_stay_apart_from_is_passed_over(folder, tmp_path, spelt):
    """Where the tables of a run go may lie among its articles."""
    (folder / "deep").mkdir()
    (tmp_path / "link").symlink_to(folder / "sub")
    apart = tmp_path / spelt
    rest = ["a.md", "b.txt", "sub.csv", "z.jsonl"]
    assert names(find_files([folder], apart_from=apart), folder) == rest
    for pattern in ("*", "**", "**/*.*"):
        found = find_files([f"{folder}/{pattern}"], apart_from=apart)
        assert sorted(names(found, folder)) == rest
    with pytest.raises(InputError, match="matches nothing"):
        find_files([f"{folder}/sub/*"], apart_from=apart)
    # What is named is read.
    inside = names(find_files([folder / "sub"], apart_from=folder), folder)
    assert inside == ["sub/c.txt", "sub/deep/d.html.gz"]


def test_a_name_with_brackets_is_no_glob(tmp_path):
    path = tmp_path / "a[1].txt"
    path.write_text(BODY)
    assert list(find_files([path])) == [path]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("absent.txt", "no such file or folder; accepted are .txt"),
        ("*.nothing", "matches nothing that can be read"),
        ("*.pdf", "matches nothing that can be read"),
        ("paper.pdf", "not a type that can be read; extract its text first"),
        ("list.json", "jq"),
        ("plain", "accepted are .txt"),
        ("dangling.txt", "a link whose target does not exist"),
        ("loop.txt", "a link whose target|cannot be looked at"),
        ("pipe.txt", "neither a file nor a folder"),
        ("x" * 300 + ".txt", "cannot be looked at|no such file"),
        ("b.txt/c.txt", "no such file"),
    ],
)
def test_an_input_that_cannot_be_used_stops_the_run_at_once(folder, name, message):
    for file in ("paper.pdf", "list.json", "plain"):
        (folder / file).write_text("{}")
    (folder / "dangling.txt").symlink_to(folder / "gone.txt")
    (folder / "loop.txt").symlink_to(folder / "loop.txt")
    os.mkfifo(folder / "pipe.txt")
    with pytest.raises(InputError, match=message) as raised:
        read_articles([folder / "b.txt", folder / name])  # not even iterated
    assert str(folder) in str(raised.value)


def test_no_input_at_all():
    with pytest.raises(InputError, match="no input"):
        read_articles([])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": {"txt": "body"}}, "'txt' is not one of text, id"),
        ({"encoding": "utf-9"}, "utf-9"),
        ({"encoding": "hex"}, "hex"),
        ({"max_chars": 0}, "--max-chars 0"),
    ],
)
def test_an_option_that_cannot_be_used_stops_the_run_at_once(folder, options, message):
    with pytest.raises(InputError, match=message):
        read_articles(folder, **options)


def test_links_in_a_folder_neither_loop_nor_lead_out_of_it(folder, tmp_path):
    outside = tmp_path / "secret"
    outside.mkdir()
    (outside / "s.txt").write_text(BODY)
    (folder / "sub" / "up").symlink_to(folder)
    (folder / "l1").symlink_to(folder / "l2")
    (folder / "l2").symlink_to(folder / "l1")
    (folder / "again.txt").symlink_to(folder / "b.txt")
    (folder / "dangling.txt").symlink_to(folder / "gone.txt")
    (folder / "out").symlink_to(outside)
    (folder / "out.txt").symlink_to("../secret/s.txt")
    found = names(find_files([folder]), folder)
    assert [name for name in found if isinstance(name, str)] == [
        "a.md", "b.txt", "sub/c.txt", "sub/deep/d.html.gz", "sub.csv", "z.jsonl",
    ]  # fmt: skip
    errors = sorted(name for name in found if not isinstance(name, str))
    assert errors == [("BrokenLink", "skipped")] * 3 + [("LinkOutside", "skipped")] * 2


def test_a_link_that_the_user_names_is_followed(folder, tmp_path):
    (tmp_path / "link").symlink_to(folder)
    (tmp_path / "link.txt").symlink_to(folder / "b.txt")
    assert len(list(find_files([tmp_path / "link"]))) == 6
    (article,) = read_articles(str(tmp_path / "link.txt"))
    assert article.source_path == str(tmp_path / "link.txt")


def test_a_pipe_in_a_folder_does_not_block(folder):
    os.mkfifo(folder / "pipe.txt")
    assert ("NotAFile", "skipped") in names(find_files([folder]), folder)


def refuse(path, monkeypatch, opener):
    """Make one path unreadable, also for a superuser, to whom modes mean nothing."""
    original = getattr(*opener)

    def guarded(given, *args, **kwargs):
        if Path(given) == path:
            raise PermissionError(13, "Permission denied", str(given))
        return original(given, *args, **kwargs)

    monkeypatch.setattr(*opener, guarded)


def test_an_unreadable_folder_and_file_are_told_and_the_rest_is_read(folder, monkeypatch):
    (folder / "z.jsonl").unlink()
    (folder / "sub.csv").unlink()
    refuse(folder / "sub", monkeypatch, (os, "scandir"))
    refuse(folder / "a.md", monkeypatch, (Path, "open"))
    items = list(read_articles(folder))
    assert [type(item) for item in items] == [ErrorRow, Article, ErrorRow]
    for item, name in ((items[0], "a.md"), (items[2], "sub")):
        assert item.error == "PermissionError"
        assert item.message == (
            f"{folder / name}: no permission to read it; change its mode or run as its owner"
        )


def test_a_file_that_vanishes_during_the_run_is_told(folder):
    items = read_articles([folder / "b.txt", folder / "a.md"])
    (folder / "b.txt").unlink()
    first, second = items
    assert first.error == "FileNotFoundError"
    assert "no longer there" in first.message
    assert isinstance(second, Article)


def test_a_name_that_is_not_utf_8_is_escaped(tmp_path):
    path = tmp_path / os.fsdecode(b"caf\xe9.txt")
    path.write_text(BODY)
    (article,) = read_articles(tmp_path)
    assert article.source_path == f"{tmp_path}/caf\\xe9.txt"
    path.write_text("")
    (row,) = read_articles(tmp_path)
    (row.source_path + row.message).encode("utf-8")


def test_inputs_are_read_in_the_order_given(folder):
    items = list(find_files([folder / "z.jsonl", folder / "a.md"]))
    assert names(items, folder) == ["z.jsonl", "a.md"]
