"""Every code block of the documentation is run: commands on stand-ins for the files they name.

The pipeline is a fake one and training is not done, as neither is what the documentation says; that
options, files and names of functions are right is.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import textwrap
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock, create_autospec

import pytest
from typer.testing import CliRunner

import onrecord.batch
import onrecord.evaluation.evaluate
import onrecord.training.train
from fakes import load_fake, make_article
from onrecord import spark as spark_module
from onrecord.batch import RunOptions, RunSummary, run_batch
from onrecord.cli import app
from onrecord.evaluation.formats import write_format
from onrecord.evaluation.gold import write_gold
from onrecord.evaluation.predictions import gold_from_run

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
_FENCED = r"^```(?P<language>\w*)\n(?P<fenced>.*?)^```$"
_INDENTED = r"(?:(?<=\n\n)|\A)(?P<indented>(?:    [^\n]*\n|\n)+)"
_BLOCK = re.compile(f"{_FENCED}|{_INDENTED}", re.MULTILINE | re.DOTALL)
_PROGRAMS = ("onrecord", "make", "python", "pip", "git")
# Blocks that show something: a page of output, a tree of folders, usage made from the program.
_SHOWN = re.compile(r"it would take the matter|pipeline/onrecord/|\$ onrecord( \w+)? \[OPTIONS\]")


def blocks(page: Path) -> Iterator[tuple[str, str]]:
    """Kind ("commands", "python", "shown") and text of every code block of a page."""
    for found in _BLOCK.finditer(page.read_text(encoding="utf-8")):
        text = textwrap.dedent(found["fenced"] or found["indented"] or "").strip("\n")
        first = text.split(maxsplit=1)[0].removeprefix(".venv/bin/") if text.strip() else ""
        if not first:
            continue
        if found["language"] == "python" or first in ("import", "from") or "spark.read" in text:
            yield "python", text
        elif first in _PROGRAMS:
            yield "commands", text
        else:
            assert _SHOWN.match(text), f"{page.name}: what is this block?\n{text}"
            yield "shown", text


def _cases(kind: str) -> list[Any]:
    return [
        pytest.param(text, id=f"{page.name}-{number}")
        for page in PAGES
        for number, (found, text) in enumerate(blocks(page))
        if found == kind
    ]


def run_fake(inputs: Any, out: Path, options: RunOptions | None = None, **flags: Any) -> RunSummary:
    """A run in this process with the fake pipeline, whatever workers and model are asked for."""
    here = {"workers": 0, "model": None, "engine": "local", "master": None}
    options = (options or RunOptions()).model_copy(update=here)
    return run_batch(inputs, out, options, load_pipeline=load_fake, **flags)


@pytest.fixture(scope="module")
def stand_ins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files and runs that the documentation names."""
    folder = tmp_path_factory.mktemp("docs")
    texts = [make_article(number).text for number in range(3)]
    for name in ("articles", "archive", "new", "INPUT"):
        (folder / name).mkdir()
    for name in ("articles/a.txt", "archive/b.txt", "INPUT/c.txt", "article.txt"):
        (folder / name).write_text(texts[0], encoding="utf-8")
    body = "".join(f"<p>{line}</p>" for line in texts[1].splitlines() * 6)
    page = f"<html><body><article>{body}</article></body></html>"
    (folder / "new" / "d.html").write_text(page, encoding="utf-8")
    rows = "path,publisher,published_at\narticles/a.txt,The Quay,2026-11-24\n"
    (folder / "articles.csv").write_text(rows, encoding="utf-8")
    (folder / "archive.csv").write_text(f'body\n"{texts[2]}"\n', encoding="utf-8")
    news = "".join(json.dumps({"text": text}) + "\n" for text in texts)
    (folder / "news.jsonl").write_text(news, encoding="utf-8")
    run_fake([folder / "news.jsonl"], folder / "outputs" / "demo")
    for name in ("before", "after", "mine", "today"):
        shutil.copytree(folder / "outputs" / "demo", folder / "outputs" / name)
    gold = gold_from_run(folder / "outputs" / "demo")
    for name in ("gold", "GOLD", "anna", "ben"):
        write_gold(gold, folder / f"{name}.jsonl")
    for path in write_format("label-studio", gold, folder / "tool"):
        if path.suffix == ".json":
            for name in ("tasks", "corrected"):
                shutil.copy(path, folder / f"{name}.json")
    return folder


@pytest.fixture
def place(stand_ins: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the stand-ins to work in, with the fake pipeline."""
    folder = tmp_path / "place"
    shutil.copytree(stand_ins, folder)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(onrecord.batch, "run_batch", run_fake)
    monkeypatch.setattr("onrecord.language.load", load_fake)
    monkeypatch.setattr(onrecord.evaluation.evaluate, "load", load_fake)
    monkeypatch.setattr("onrecord.terminal.render_reasons", lambda nlp, article: "")
    train = onrecord.training.train.train
    monkeypatch.setattr(onrecord.training.train, "train", create_autospec(train))
    return folder


def _check_make(targets: list[str]) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in targets:
        assert re.search(rf"^{re.escape(target)}:", makefile, re.MULTILINE), target


def _check_pip(arguments: list[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = re.fullmatch(r"onrecord\[(?P<extra>[\w-]+)\]", arguments[-1])
    assert named is not None
    assert named["extra"] in project["optional-dependencies"]


def _check_python(arguments: list[str]) -> None:
    script = (ROOT / arguments[0]).read_text(encoding="utf-8")
    assert f"python {arguments[0]} {arguments[1]}" in script


def _run_onrecord(arguments: list[str]) -> None:
    given = [
        str(path)
        for word in arguments
        for path in (sorted(Path().glob(word)) if "*" in word else [word])
    ]
    out = Path(given[given.index("--out") + 1]) if "--out" in given else None
    if given[0] == "run" and "--append" not in given and out is not None and out.exists():
        given.append("--overwrite")
        given = [word for word in given if word != "--resume"]
    result = CliRunner().invoke(app, given)
    assert result.exit_code == 0, f"{given}: {result.output} {result.exception!r}"


@pytest.mark.parametrize("text", _cases("commands"))
@pytest.mark.usefixtures("place")
def test_commands(text: str) -> None:
    checks = {
        "onrecord": _run_onrecord,
        "make": _check_make,
        "pip": _check_pip,
        "python": _check_python,
        "git": lambda _: None,
    }
    for line in text.splitlines():
        words = shlex.split(line, comments=True)
        if words:
            checks[Path(words[0]).name](words[2:] if words[0] == "pip" else words[1:])


@pytest.mark.parametrize("text", _cases("python"))
@pytest.mark.usefixtures("place")
def test_python(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("annotate", "tables"):
        stand_in = create_autospec(getattr(spark_module, name))
        monkeypatch.setattr(spark_module, name, stand_in)
    spark_module.tables.return_value = {"quotes": MagicMock()}
    monkeypatch.setattr(onrecord, "load", load_fake, raising=False)
    exec(compile(text, "documentation", "exec"), {"spark": MagicMock()})  # noqa: S102


def test_every_page_is_looked_at() -> None:
    kinds = [kind for page in PAGES for kind, _ in blocks(page)]
    assert kinds.count("commands") >= 8
    assert kinds.count("python") >= 2
