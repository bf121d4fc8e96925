"""What a run tells while it works: a bar on a terminal, plain lines, a log for machines."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from rich.text import Text

_SECONDS_BETWEEN_LINES = 10.0


class RunLog:
    """Events of a run as JSON Lines: ``{"time", "event", ...}``."""

    def __init__(self, path: Path) -> None:
        cut_off = _ends_inside_a_line(path)
        self._stream: IO[str] = path.open("a", encoding="utf-8", buffering=1)
        if cut_off:
            self._stream.write("\n")

    def write(self, event: str, **fields: Any) -> None:
        """Append one event."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = json.dumps({"time": now, "event": event, **fields}, ensure_ascii=False, default=str)
        self._stream.write(line + "\n")

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


def _ends_inside_a_line(path: Path) -> bool:
    """Whether an earlier process was ended while it wrote a line."""
    if not path.is_file() or not path.stat().st_size:
        return False
    with path.open("rb") as stream:
        stream.seek(-1, 2)
        return stream.read() != b"\n"


class RunProgress:
    """Articles and words done, rates, time left and failures, as a context manager.

    Args:
        console: where to tell; None to stay silent.
    """

    def __init__(self, console: Console | None) -> None:
        self._console = console
        self._bar = _Bar(console) if console is not None and console.is_terminal else None
        self._total = self._done = self._words = self._before = 0
        self._errors: Counter[str] = Counter()
        self._began = self._last_line = time.monotonic()

    def __enter__(self) -> RunProgress:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar:
            self._bar.stop()

    def start(self, total: int, done: int) -> None:
        """Annotation begins: ``total`` articles, ``done`` of them by an earlier run."""
        self._total, self._done, self._before = total, done, done
        already = f", {done:,} of them done before" if done else ""
        self.say(f"{total:,} articles to annotate{already}")
        self._show()

    def start_clock(self) -> None:
        """Models are loaded: rates and the time left count from here."""
        self._began = time.monotonic()

    def advance(self, articles: int, words: int, errors: Iterable[str]) -> None:
        """A batch is done; ``errors`` are the kinds of its rows in the errors table."""
        self._done += articles
        self._words += words
        self._errors.update(errors)
        self._show()

    def say(self, line: str) -> None:
        """One line of its own."""
        if self._bar:
            self._bar.console.print(Text(line))
        elif self._console is not None:
            now = datetime.now().astimezone().strftime("%H:%M:%S")
            self._console.print(Text(f"{now} {line}"), soft_wrap=True)

    def _show(self) -> None:
        rates, state, failures = self._rates(), self._state(), self._failures()
        if self._bar:
            self._bar.show(self._done, self._total, state, [rates, failures])
        elif self._console is not None:
            now = time.monotonic()
            if now - self._last_line >= _SECONDS_BETWEEN_LINES or self._done == self._total:
                self._last_line = now
                counts = f"{self._done:,} of {self._total:,} articles"
                self.say(", ".join(filter(None, [counts, rates, state, failures])))

    def _rates(self) -> str:
        """Empty as long as no article is done."""
        rate = self._rate(self._done - self._before)
        return f"{rate:.1f} articles/s, {self._rate(self._words):,.0f} words/s" if rate else ""

    def _state(self) -> str:
        rate = self._rate(self._done - self._before)
        if not rate:
            return "loading models" if self._done < self._total else "nothing to do"
        return f"{timedelta(seconds=round((self._total - self._done) / rate))} left"

    def _failures(self) -> str:
        counts = sorted(self._errors.items())
        none = "no errors" if self._done > self._before else ""
        return ", ".join(f"{n:,} {kind}" for kind, n in counts) or none

    def _rate(self, number: int) -> float:
        spent = time.monotonic() - self._began
        return number / spent if spent else 0.0


class _Bar(Progress):
    """Bar, counts and time left on one line; below it, whole on a narrow terminal too, the rest."""

    def __init__(self, console: Console) -> None:
        self._below: Sequence[str] = ()
        super().__init__(
            SpinnerColumn(),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[counts]}"),
            TextColumn("{task.description}"),
            console=console,
            transient=True,
        )
        self._task = self.add_task("reading", total=None, counts="")

    def show(self, done: int, total: int, state: str, below: Iterable[str]) -> None:
        """Tell how far the run is."""
        self._below = [line for line in below if line]
        counts = f"{done:,}/{total:,}"
        self.update(self._task, total=total, completed=done, description=state, counts=counts)

    def get_renderables(self) -> Iterable[RenderableType]:
        """What is drawn, from the top."""
        yield from super().get_renderables()
        yield from map(Text, self._below)
