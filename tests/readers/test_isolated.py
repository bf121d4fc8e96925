"""Files that crash, end or hang the process that reads them cost themselves and no other."""

import os

import pytest

from fake_reader import DoesNotLoad, read_badly
from onrecord.readers import IsolatedReader, ReaderError, read_articles
from onrecord.records import Article


def write(folder, **files):
    for name, lines in files.items():
        stem, _, suffix = name.rpartition("_")
        (folder / f"{stem}.{suffix}").write_text("\n".join(lines), encoding="utf-8")
    return folder


def read(folder, timeout=None):
    with IsolatedReader(timeout, read_badly) as reader:
        items = list(read_articles(sorted(folder.glob("*.*")), reader=reader))
    told = [item.text if isinstance(item, Article) else (item.error, item.kind) for item in items]
    return told, [item.message for item in items if not isinstance(item, Article)]


def test_what_ends_the_process_costs_the_file_that_did_it(tmp_path):
    write(
        tmp_path,
        a_html=["first"],
        b_html=["DIE"],
        c_parquet=["one", "two", "EXIT", "three"],
        d_html=["before", "ONCE", "after"],
        e_html=["last"],
    )
    told, messages = read(tmp_path)
    assert told == [
        "first",
        ("ReaderDied", "failed"),
        *("one", "two", ("ReaderDied", "truncated")),
        *("before", "ONCE", "after"),
        "last",
    ]
    assert messages == [
        f"{tmp_path}/b.html: the process that read it ended: signal 9 (SIGKILL, as when memory "
        "runs out); tried twice; save the text of the page as .txt",
        f"{tmp_path}/c.parquet: the process that read it ended: exit code 7; tried twice; write "
        "the file anew, or as .jsonl; 2 articles before that were read",
    ]


def test_a_file_that_never_ends_is_given_up(tmp_path):
    write(tmp_path, a_html=["HANG"], b_txt=["next"])
    told, messages = read(tmp_path, timeout=0.5)
    assert told == [("Timeout", "failed"), "next"]
    assert messages == [
        f"{tmp_path}/a.html: not read after 0.5 s; raise --article-timeout, or save the text of "
        "the page as .txt"
    ]


def test_only_what_native_libraries_parse_needs_the_process(tmp_path):
    write(tmp_path, a_html=["PID"], b_jsonl=["PID"], c_txt=["PID"], d_html=["PID"])
    (one, *here, other), _ = read(tmp_path)
    assert one == other != str(os.getpid())
    assert here == [str(os.getpid())] * 2


def test_a_caller_that_stops_early_leaves_no_rest_behind(tmp_path):
    write(tmp_path, a_html=["one", "two"], b_html=["three"])
    with IsolatedReader(None, read_badly) as reader:
        assert next(reader(tmp_path / "a.html", None)).text == "one"
        assert [item.text for item in reader(tmp_path / "b.html", None)] == ["three"]


def test_a_process_that_does_not_start_says_so(tmp_path):
    write(tmp_path, a_html=["one"])
    expected = r"does not start \(exit code 4\); check memory"
    with (
        IsolatedReader(None, DoesNotLoad()) as reader,
        pytest.raises(ReaderError, match=expected),
    ):
        list(reader(tmp_path / "a.html", None))
