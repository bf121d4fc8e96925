"""evaluate, compare, agreement, export and import on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fakes import load_fake
from gold_samples import article
from onrecord.batch import RunOptions, run_batch
from onrecord.cli import app
from onrecord.evaluation import evaluate as module
from onrecord.evaluation.gold import read_gold, write_gold
from onrecord.evaluation.predictions import gold_from_run

NEWS = "Talks begin\n“We will never sign”, said Ortiz in the morning, and the talks went on."


@pytest.fixture
def run(tmp_path: Path) -> Path:
    (tmp_path / "talks.txt").write_text(NEWS, encoding="utf-8")
    out = tmp_path / "run"
    run_batch([tmp_path / "talks.txt"], out, RunOptions(workers=0), load_pipeline=load_fake)
    return out


@pytest.fixture
def gold(run: Path, tmp_path: Path) -> Path:
    write_gold(gold_from_run(run), tmp_path / "gold.jsonl")
    return tmp_path / "gold.jsonl"


def call(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result.output


def test_evaluate_a_run(
    run: Path, gold: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "load", load_fake)
    output = call("evaluate", gold, "--run", run, "--out", tmp_path / "report")
    assert "| attribution | f1 | 1.000 |" in output
    metrics = json.loads((tmp_path / "report" / "metrics.json").read_text())
    assert metrics["end_to_end"]["sentences"]["f1"]["value"] == 1.0


def test_evaluate_without_out_prints_everything(
    gold: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "load", load_fake)
    output = call("evaluate", gold)
    assert "source_given_content" in output
    assert "## given_gold" in output


def test_a_pipeline_that_is_gone_leaves_the_run_scored(
    run: Path, gold: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(**arguments: object) -> None:
        raise OSError("no such model")

    monkeypatch.setattr(module, "load", gone)
    output = call("evaluate", gold, "--run", run)
    assert "given_gold not scored" in output
    assert "no such model" in output
    assert "## end_to_end" in output


def test_bad_gold_is_a_message(tmp_path: Path) -> None:
    path = tmp_path / "gold.jsonl"
    path.write_text('{"id": "a"}\n')
    output = call("evaluate", path, code=1)
    assert "text is missing" in output
    assert "Traceback" not in output


def test_contradicting_options_are_usage_errors(run: Path, gold: Path) -> None:
    call("evaluate", gold, "--run", run, "--model", run, code=2)
    call("evaluate", gold, "--attribution", "magic", code=2)


def test_compare(run: Path, gold: Path) -> None:
    output = call("compare", run, run, "--gold", gold)
    assert "| **f1** | 1.000 | 1.000 | +0.000 |" in output


def test_compare_needs_runs(gold: Path, tmp_path: Path) -> None:
    assert "no run here" in call("compare", tmp_path, tmp_path, "--gold", gold, code=1)


def test_agreement(tmp_path: Path) -> None:
    for name in ("anna", "ben"):
        write_gold([article("a"), article("b")], tmp_path / f"{name}.jsonl")
    output = call("agreement", tmp_path / "anna.jsonl", tmp_path / "ben.jsonl")
    assert "2 annotators, 2 articles, 4 ordered pairs" in output
    assert "| **roles** | 1.000 |" in output


@pytest.mark.parametrize("tool", ["brat", "label-studio", "doccano", "prodigy", "inception"])
def test_a_run_goes_to_a_tool_and_comes_back_as_gold(
    run: Path, gold: Path, tool: str, tmp_path: Path
) -> None:
    assert "1 articles in" in call("export", run, "--to", tool, "--out", tmp_path / "tool")
    call("import", tmp_path / "tool", "--from", tool, "--out", tmp_path / "back.jsonl")
    (back,), (original,) = read_gold(tmp_path / "back.jsonl").articles, read_gold(gold).articles
    assert back.attributions == original.attributions
    assert back.entities == original.entities
    assert back.sentences == original.sentences


def test_gold_can_be_exported(gold: Path, tmp_path: Path) -> None:
    call("export", gold, "--to", "conll", "--out", tmp_path / "columns")
    assert list((tmp_path / "columns").glob("*.conll"))


def test_unknown_format_is_a_message(gold: Path, tmp_path: Path) -> None:
    assert "known are brat" in call("export", gold, "--to", "word", "--out", tmp_path / "x", code=1)


def test_import_writes_json_lines_only(tmp_path: Path) -> None:
    call("import", tmp_path, "--from", "brat", "--out", tmp_path / "gold.json", code=1)
