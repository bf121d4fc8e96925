"""The command line: exit codes, help, and what reaches the terminal."""

from __future__ import annotations

import errno
import functools
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

import onrecord.batch
from fakes import load_fake, make_article
from gold_run import make_run, simple_article
from onrecord.batch.progress import RunProgress
from onrecord.cli import app
from onrecord.records import Article, Span
from onrecord.runs import read_run
from onrecord.terminal import _statements, render_article, safe

CLI = CliRunner()
COMMANDS: dict[str, click.Command] = typer.main.get_command(app).commands  # type: ignore[attr-defined]


@pytest.fixture
def fake_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """``onrecord run`` with the fake pipeline, in this process unless it says otherwise."""
    run = functools.partial(onrecord.batch.run_batch, load_pipeline=load_fake)
    monkeypatch.setattr(onrecord.batch, "run_batch", run)


def invoke(*arguments: object) -> Any:
    return CLI.invoke(app, [str(argument) for argument in arguments])


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_says_what_it_does_with_an_example(name: str) -> None:
    command = COMMANDS[name]
    assert command.help
    assert f"onrecord {name}" in (command.epilog or ""), "no example in its help"
    for parameter in command.params:
        if parameter.name != "help":
            assert getattr(parameter, "help", None), f"{name}: {parameter.name} has no help"


@pytest.mark.usefixtures("fake_run")
def test_exit_code_0_when_all_articles_are_done(
    tmp_path: Path, write_jsonl: Callable[..., Path]
) -> None:
    news = write_jsonl([make_article(1)])
    result = invoke("run", news, "--out", tmp_path / "out", "--workers", 0)
    assert result.exit_code == 0, result.output
    assert "1 articles, 3 sentences" in result.stderr
    assert result.stdout == ""


@pytest.mark.usefixtures("fake_run")
def test_metadata_reach_the_tables(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(make_article(1).text, encoding="utf-8")
    table = tmp_path / "metadata.csv"
    table.write_text("path,outlet,date\na.txt,The Quay,2026-11-24\n", encoding="utf-8")
    given = ("run", tmp_path / "a.txt", "--metadata", table, "--workers", 0)
    result = invoke(*given, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    (article,) = read_run(tmp_path / "out").articles.to_dict("records")
    assert (article["publisher"], str(article["published_at"])[:10]) == ("The Quay", "2026-11-24")
    table.write_text("path,date\na.txt,soon\n", encoding="utf-8")
    failed = invoke(*given, "--out", tmp_path / "other")
    assert failed.exit_code == 1
    assert "metadata.csv:2: published_at 'soon' is not a date" in " ".join(failed.stderr.split())


@pytest.mark.usefixtures("fake_run")
def test_exit_code_3_when_some_are_in_errors(
    tmp_path: Path, write_jsonl: Callable[..., Path]
) -> None:
    news = write_jsonl([make_article(1), make_article(2, "FAIL:stance")])
    result = invoke("run", news, "--out", tmp_path / "out", "--workers", 0, "--quiet")
    assert result.exit_code == 3
    assert result.output == ""


def terminal(**settings: Any) -> Console:
    page = io.StringIO()
    return Console(
        width=100, highlight=False, file=page, force_terminal=True, legacy_windows=False, **settings
    )


def printed(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.usefixtures("fake_run")
@pytest.mark.parametrize("colourless", [True, False])
def test_a_run_on_a_terminal_ends_with_a_table(
    tmp_path: Path,
    write_jsonl: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    colourless: bool,
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    if colourless:
        monkeypatch.setenv("NO_COLOR", "1")
    console = terminal(color_system="standard")
    monkeypatch.setattr("onrecord.commands.run.error_console", lambda: console)
    news = write_jsonl([make_article(1), make_article(2, "FAIL:stance")])
    assert invoke("run", news, "--out", tmp_path / "out", "--workers", 0).exit_code == 3
    page = printed(console)
    assert ("\x1b[1;31m" in page) is not colourless
    rows = [
        [cell.strip() for cell in line.split("│")[1:-1]]
        for line in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", page).splitlines()
    ]
    assert ["articles", "2", ""] in rows
    assert ["errors", "1", "1 failed"] in rows


def shown_on_a_terminal(progress: RunProgress, width: int) -> list[str]:
    """Lines of the bar as they stand now on a terminal so wide."""
    console = Console(width=width, file=io.StringIO())
    assert progress._bar is not None
    console.print(progress._bar.get_renderable())
    return [line.rstrip() for line in printed(console).splitlines()]


def test_a_terminal_of_80_columns_shows_bar_counts_and_every_failure() -> None:
    with RunProgress(terminal()) as progress:
        progress.start(123_456, 0)
        progress.start_clock()
        progress.advance(12_345, 98_765_432, ["failed"] * 1_234 + ["skipped"] * 5_678)
        progress.advance(0, 0, ["truncated"] * 9_012)
        first, rates, failures = shown_on_a_terminal(progress, 80)
    assert re.fullmatch(r"\S [━╸╺ ]{24} 12,345/123,456 \d+:\d\d:\d\d left", first)
    assert re.fullmatch(r"[\d,.]+ articles/s, [\d,]+ words/s", rates)
    assert failures == "1,234 failed, 5,678 skipped, 9,012 truncated"


def test_the_bar_counts_nothing_before_it_is_known_how_many_there_are() -> None:
    with RunProgress(terminal()) as progress:
        (line,) = shown_on_a_terminal(progress, 80)
        assert re.fullmatch(r"\S [━╸╺ ]{24}  reading", line)
        progress.start(12_345, 678)
        assert shown_on_a_terminal(progress, 80)[0].endswith("678/12,345 loading models")


def test_progress_tells_rates_and_failures_by_kind() -> None:
    console = Console(file=io.StringIO(), width=200)
    with RunProgress(console) as progress:
        progress.start(3, 0)
        progress.start_clock()
        progress.advance(2, 800, ["failed", "skipped", "failed"])
        progress.advance(1, 400, [])
    last = printed(console).splitlines()[-1]
    assert "3 of 3 articles" in last
    assert "words/s" in last
    assert last.endswith("0:00:00 left, 2 failed, 1 skipped")
    assert "\x1b" not in last


@pytest.mark.usefixtures("fake_run")
def test_exit_code_1_says_what_where_and_what_to_do(
    tmp_path: Path, write_jsonl: Callable[..., Path]
) -> None:
    news = write_jsonl([make_article(1)])
    out = tmp_path / "out"
    assert invoke("run", news, "--out", out, "-w", 0, "-q").exit_code == 0
    for arguments, message in (
        ((news, "--out", out), f"{out}: already holds a run; add new articles with --append"),
        ((tmp_path / "none", "--out", out, "--overwrite"), "none: no such file or folder"),
        ((news, "--out", tmp_path / "b", "--column", "body=text"), "'body' is not one of"),
        ((news, "--out", tmp_path / "c", "--entities", "no.csv"), "no.csv: no such file"),
    ):
        result = invoke("run", *arguments, "--quiet")
        assert result.exit_code == 1, result.output
        assert message in result.stderr
        assert result.stderr.startswith("error: ")
    assert len(onrecord.read_run(out).articles) == 1, "an error removed the run that was there"


@pytest.mark.usefixtures("fake_run")
def test_exit_code_1_when_the_disk_is_full(
    tmp_path: Path, write_jsonl: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    command = ("run", write_jsonl([make_article(1)]), "--out", tmp_path / "out", "-w", 0, "-q")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        result = invoke(*command)
    assert result.exit_code == 1
    assert "No space left on device; free space" in result.stderr
    assert "--resume" in result.stderr
    assert invoke(*command, "--resume").exit_code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("run",),
        ("run", "news", "--out", "o", "--overwrite", "--resume"),
        ("run", "news", "--out", "o", "--workers", "-1"),
        ("run", "news", "--out", "o", "--attribution", "guess"),
        ("nonsense",),
    ],
)
def test_exit_code_2_for_wrong_usage(arguments: tuple[str, ...]) -> None:
    assert invoke(*arguments).exit_code == 2


def test_an_interrupt_names_the_way_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(onrecord.batch, "run_batch", interrupted)
    result = invoke("run", "news.txt", "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "interrupted; finish with the same command and --resume" in result.stderr


def test_version() -> None:
    assert invoke("--version").stdout == f"onrecord {onrecord.__version__}\n"


def test_info_names_models_and_licences() -> None:
    about = json.loads(invoke("info", "--json").stdout)
    assert about["entity_recogniser"]["license"] == "MIT"
    lines = invoke("info").stdout
    for model in about["models"]:
        assert model["problem"] is None
        assert model["name"] in lines


def test_help_needs_no_heavy_import() -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from onrecord.cli import app;"
        "CliRunner().invoke(app, ['run', '--help']);"
        "sys.exit(bool({'spacy', 'torch', 'pandas', 'pyarrow'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- show -----------------------------------------------------------------------------------------


def shown(article: Article, **settings: Any) -> str:
    page = io.StringIO()
    console = Console(width=100, highlight=False, file=page, **settings)
    console.print(render_article(load_fake(), article))
    return page.getvalue()


def test_statements_carry_a_letter_beside_their_colour() -> None:
    page = shown(make_article(0), no_color=True)
    assert "“We will never sign this paper [1 D]”, said Ortiz" in page
    assert "D defiant" in page
    assert "-0.90" in page


def test_the_pieces_of_a_statement_are_told_apart() -> None:
    article, doc = simple_article(
        "“We sail,” said Ortiz, “and we will not turn.”", [("We sail", "said", "Ortiz")]
    )
    (found,) = doc._.attributions
    start = article.text.index("and")
    rest = Span(start, start + len("and we will not turn"))
    doc._.attributions = (replace(found, content=(*found.content, rest)),)
    page = io.StringIO()
    table = _statements(article.text, make_run([(article, doc)]).table("quotes").to_pylist())
    Console(width=100, file=page).print(table)
    assert "We sail … and we will not turn" in page.getvalue()


def test_statements_are_coloured_by_posture() -> None:
    page = shown(make_article(0), force_terminal=True, color_system="standard")
    assert "\x1b[31mWe will never sign this paper\x1b[0m" in page


@pytest.mark.parametrize(
    "hostile", ["[bold red]", "[/]", "[link=x]y[/link]", "\x1b[31mred", "\x07", "\u202egnp.exe"]
)
def test_nothing_in_an_article_reaches_the_terminal_as_a_command(hostile: str) -> None:
    text = f"Head {hostile}\n“We refuse {hostile}”, said Ortiz.\nThe end."
    page = shown(Article("a1", text, title=f"Title {hostile}", language="en"), no_color=True)
    assert safe(hostile) in page
    assert not set(page) & set("\x1b\x07\u202e")


def test_safe_text_keeps_offsets() -> None:
    text = "a\x00b\r\nc\u2066d\te"
    assert safe(text) == "a\ufffdb \nc\ufffdd\te"
    assert len(safe(text)) == len(text)


def test_reasons_of_an_article_on_which_a_stage_fails_are_a_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onrecord.language.load", load_fake)
    article = tmp_path / "a.txt"
    article.write_text(make_article(1, "FAIL:stance").text, encoding="utf-8")
    result = invoke("show", article, "--why")
    assert result.exit_code == 0, result.exception
    page = " ".join(result.stdout.split())
    assert "failed in fake_stance: asked to fail in stance" in page
    assert page.endswith(
        "no reasons, for they need every stage: ValueError: asked to fail in stance"
    )


def test_show_names_an_article_that_is_not_there(
    write_jsonl: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onrecord.language.load", load_fake)
    news = write_jsonl([make_article(1), make_article(2)])
    assert "day 2" in invoke("show", news, "--id", "a0002").stdout
    missing = invoke("show", news, "--id", "a0003")
    assert missing.exit_code == 1
    assert "no article with the id 'a0003'" in missing.stderr
