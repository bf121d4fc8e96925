"""Measure runs: speed, memory, workers, resume and Spark.

    python benchmarks/batch.py size 200 2000 20000 --data NEWS
    python benchmarks/batch.py workers 2000 --data NEWS
    python benchmarks/batch.py resume 2000 --data NEWS
    python benchmarks/batch.py spark 2000 --data NEWS

NEWS is a folder of articles that ``onrecord run`` reads. They are repeated until there are enough,
each time with every longer name changed, so that nothing learned from one copy serves another.
``--run='--attribution rules'`` passes options to ``onrecord run``. Needs Linux (/proc) for memory.

``--words 60`` takes the first words of each article only, for many articles in little time; say so
beside the figures.

A row of the table in ``docs/scaling.md`` a run: wall-clock seconds with loading, articles/s from
the first finished shard to the last (loading left out), and the peak of the resident memory of all
processes, shared pages counted once. ``size`` has shards of one size, whatever the number of
articles, and compares every number with the first.
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from onrecord.readers import read_articles
from onrecord.records import Article

_NAME = re.compile(r"\b[A-Z][a-z]{4,}\b")
_SAMPLE_SECONDS = 0.5
_MIB = 1024
_SPARK = ["--engine", "spark", "--master"]


@dataclass(frozen=True)
class Measured:
    """What one run took.

    ``rate`` is articles/s between the first and the last shard, 0 where there is one shard.
    """

    articles: int
    words: int
    seconds: float
    rate: float
    peak_mib: float

    @property
    def per_article(self) -> float:
        """Seconds an article; by the rate, which leaves loading out, where there is one."""
        return 1 / self.rate if self.rate else self.seconds / self.articles

    def line(self, what: str) -> str:
        """The measurement as a row of the table in ``docs/scaling.md``."""
        # One shard has no rate.
        rate = f"{self.rate:.2f}" if self.rate else ""
        return (
            f"| {what} | {self.articles:,} | {self.words:,} | {self.seconds:.1f} | "
            f"{self.words / self.seconds:,.0f} | {rate} | {self.peak_mib:,.0f} |"
        )


def varied(texts: Sequence[str], count: int) -> Iterator[tuple[str, str]]:
    """Ids and texts: the articles again and again, their names changed each time."""
    for number in range(count):
        copy, which = divmod(number, len(texts))
        ending = "".join("aeiou"[int(digit) % 5] + "klmnrstvxz"[int(digit)] for digit in str(copy))
        text = texts[which]
        yield f"n{number:06d}", _NAME.sub(rf"\g<0>{ending}", text) if copy else text


def shortened(text: str, words: int) -> str:
    """The first so many words of a text, its layout kept; 0 for all of it."""
    found = itertools.islice(re.finditer(r"\S+", text), words) if words else iter(())
    ends = [word.end() for word in found]
    return text[: ends[-1]] if ends else text


def write_input(data: Path, count: int, words: int, path: Path) -> Path:
    """JSON Lines of so many articles."""
    articles = [
        shortened(item.text, words) for item in read_articles([data]) if isinstance(item, Article)
    ]
    with path.open("w", encoding="utf-8") as stream:
        for article_id, text in varied(articles, count):
            stream.write(json.dumps({"id": article_id, "text": text}) + "\n")
    return path


def measure(
    news: Path,
    out: Path,
    options: Sequence[str],
    *,
    stop_at: float = 1.0,
    one_core: bool = False,
) -> Measured | None:
    """Run the program; kill it when ``stop_at`` of the articles are done, and give None then."""
    program = ["taskset", "-c", "0"] * one_core + [Path(sys.executable).with_name("onrecord")]
    command = [*map(str, program), "run", str(news), "--out", str(out), "-q"]
    began = time.monotonic()
    process = subprocess.Popen([*command, *options])
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, sum(map(_resident_mib, _family(process.pid))))
        if stop_at < 1 and _share_done(out) >= stop_at:
            process.kill()
            process.wait()
            return None
        time.sleep(_SAMPLE_SECONDS)
    if process.returncode not in (0, 3):
        sys.exit(f"{shlex.join([*command, *options])}: exit code {process.returncode}")
    session = json.loads((out / "run.json").read_text(encoding="utf-8"))["sessions"][-1]
    seconds = time.monotonic() - began
    return Measured(session["articles"], session["words"], seconds, _steady_rate(out), peak)


def _events(out: Path) -> list[dict[str, str]]:
    log = out / "run.log"
    lines = log.read_text(encoding="utf-8").splitlines() if log.is_file() else []
    return [json.loads(line) for line in lines if line.endswith("}")]


def _share_done(out: Path) -> float:
    events = _events(out)
    planned = [int(event["articles"]) for event in events if event["event"] == "planned"]
    done = sum(int(event["articles"]) for event in events if event["event"] == "shard")
    return done / planned[-1] if planned else 0.0


def _steady_rate(out: Path) -> float:
    """Articles/s of the process that finished the run, from its first shard to its last."""
    events = _events(out)
    began = max((n for n, event in enumerate(events) if event["event"] == "start"), default=0)
    # What could not be read is committed before the models are loaded, in shards of no articles.
    shards = [e for e in events[began:] if e["event"] == "shard" and int(e["articles"])]
    times = [datetime.fromisoformat(event["time"]).timestamp() for event in shards]
    articles = sum(int(event["articles"]) for event in shards[1:])
    return articles / (times[-1] - times[0]) if len(times) > 1 else 0.0


def _family(pid: int) -> Iterator[int]:
    """A process and all that it began."""
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = task.read_text().split()
        except OSError:
            continue
        for child in children:
            yield from _family(int(child))


def _resident_mib(pid: int) -> float:
    """Proportional set size: pages that processes share are divided among them."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    return int(re.search(r"^Pss:\s+(\d+)", rollup, re.M)[1]) / _MIB  # type: ignore[index]


class Bench:
    """Measurements in a folder that is removed afterwards."""

    def __init__(
        self, data: Path, options: Sequence[str], folder: Path, words: int, fewest: int
    ) -> None:
        self._data, self._options, self._folder = data, list(options), folder
        self._words = words
        # Ten shards at least, so that there is a rate between the first and the last.
        self._shard_size = min(500, max(10, fewest // 10))
        self._first: Measured | None = None
        self._numbers = itertools.count()

    def _input(self, count: int) -> Path:
        path = self._folder / f"news-{count}.jsonl"
        return path if path.is_file() else write_input(self._data, count, self._words, path)

    def _out(self) -> Path:
        return self._folder / f"run-{next(self._numbers)}"

    def _show(self, what: str, count: int, *options: str, one_core: bool = False) -> Measured:
        found = measure(
            self._input(count), self._out(), [*self._options, *options], one_core=one_core
        )
        assert found is not None  # noqa: S101 - nothing stops this run
        print(found.line(what), flush=True)
        return found

    def size(self, count: int) -> None:
        """Speed and memory, and how they change with the number of articles."""
        found = self._show("one worker", count, "--shard-size", str(self._shard_size))
        if self._first is None:
            self._first = found
            return
        first = self._first
        print(
            f"{found.articles / first.articles:.1f} times the articles of the first: "
            f"{found.per_article / first.per_article:.2f} times the time an article, "
            f"{found.peak_mib / first.peak_mib:.2f} times the memory "
            f"({found.peak_mib - first.peak_mib:+,.0f} MiB)"
        )

    def workers(self, count: int) -> None:
        """Two workers against one that has one core and one thread."""
        one = self._show("one worker, one core", count, "--workers", "1", one_core=True)
        two = self._show("two workers", count, "--workers", "2")
        times = one.seconds / two.seconds
        print(f"two workers are {times:.2f} times as fast as one, loading included")

    def resume(self, count: int) -> None:
        """A run that is killed half way and finished, against one that is not."""
        options = [*self._options, "--shard-size", str(max(10, count // 20))]
        news, out = self._input(count), self._out()
        whole = measure(news, self._out(), options)
        began = time.monotonic()
        measure(news, out, options, stop_at=0.5)
        killed = time.monotonic() - began
        rest = measure(news, out, [*options, "--resume"])
        assert whole is not None  # noqa: S101 - nothing stops these runs
        assert rest is not None  # noqa: S101
        print(whole.line("one worker, undisturbed"))
        print(f"killed half way after {killed:.1f} s, resumed in {rest.seconds:.1f} s: ", end="")
        print(f"{killed + rest.seconds - whole.seconds:+.1f} s in all")

    def spark(self, count: int) -> None:
        """Two executors against one, and against a local run; each with one core."""
        self._show("local, one worker, one core", count, one_core=True)
        one = self._show("Spark, one executor", count, *_SPARK, "local-cluster[1,1,2048]")
        two = self._show("Spark, two executors", count, *_SPARK, "local-cluster[2,1,2048]")
        times = one.seconds / two.seconds
        print(f"two executors are {times:.2f} times as fast as one, start included")


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("what", choices=("size", "workers", "resume", "spark"))
    parser.add_argument("articles", nargs="+", type=int, help="how many, one or more numbers")
    parser.add_argument("--data", required=True, type=Path, help="folder of articles")
    parser.add_argument("--run", default="", help="options for onrecord run")
    parser.add_argument("--words", type=int, default=0, help="shorten articles to about so many")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(
            options.data,
            shlex.split(options.run),
            Path(folder),
            options.words,
            min(options.articles),
        )
        for count in options.articles:
            getattr(bench, options.what)(count)


if __name__ == "__main__":
    main()
