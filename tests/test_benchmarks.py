"""What the benchmarks print is what they say they measure."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


@pytest.fixture(scope="module")
def batch() -> ModuleType:
    spec = importlib.util.spec_from_file_location("batch_benchmark", BENCHMARKS / "batch.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Its dataclasses look their module up.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def event(second: int, name: str, **fields: Any) -> str:
    return json.dumps({"time": f"2026-11-24T10:00:{second:02d}+00:00", "event": name, **fields})


def test_the_rate_is_that_of_annotating_and_of_the_last_process(
    batch: ModuleType, tmp_path: Path
) -> None:
    """What could not be read is committed at once; models are loaded after that."""
    killed = [event(0, "start"), event(1, "shard", articles=10), event(2, "shard", articles=10)]
    lines = [
        *killed,
        event(20, "start"),
        event(21, "shard", articles=0),
        event(40, "shard", articles=10),
        event(44, "shard", articles=10),
        event(45, "shard", articles=10),
    ]
    (tmp_path / "run.log").write_text("\n".join(lines) + "\n")
    assert batch._steady_rate(tmp_path) == 20 / 5


def test_runs_of_any_size_have_shards_of_one_size_and_are_compared_with_the_first(
    batch: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked: list[list[str]] = []

    def measure(news: Path, out: Path, options: list[str], **_: Any) -> Any:
        asked.append(options)
        count = int(news.stem.removeprefix("news-"))
        return batch.Measured(count, 100 * count, 10.0, 4.0 if count == 200 else 2.0, count / 2)

    monkeypatch.setattr(batch, "measure", measure)
    monkeypatch.setattr(batch, "write_input", lambda data, count, words, path: path)
    bench = batch.Bench(tmp_path, [], tmp_path, 0, 200)
    for count in (200, 800):
        bench.size(count)
    assert asked == [["--shard-size", "20"]] * 2
    told = capsys.readouterr().out.splitlines()[-1]
    assert told == (
        "4.0 times the articles of the first: 2.00 times the time an article, "
        "4.00 times the memory (+300 MiB)"
    )


def test_spark_is_compared_with_a_local_run_on_as_many_cores(
    batch: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_core: list[bool] = []

    def measure(*_: Any, **keywords: Any) -> Any:
        one_core.append(keywords["one_core"])
        return batch.Measured(10, 1000, 10.0, 1.0, 100.0)

    monkeypatch.setattr(batch, "measure", measure)
    monkeypatch.setattr(batch, "write_input", lambda data, count, words, path: path)
    batch.Bench(tmp_path, [], tmp_path, 0, 10).spark(10)
    assert one_core == [True, False, False]
