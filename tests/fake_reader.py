"""A reader that crashes and hangs where a file asks for it; it needs nothing but the readers.

Each line of a file is an article. ``DIE`` kills the process as a crash in native code would,
``EXIT`` ends it, ``HANG`` never returns, ``RAISE`` raises, ``ONCE`` dies at the first reading of
that line only, and ``PID`` becomes the number of the process.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from onrecord.readers.options import ReadOptions
from onrecord.records import Article


def read_badly(path: Path, options: ReadOptions) -> Iterator[Article]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
        been = path.with_name(f"{path.name}-{number}-been")
        if line == "DIE" or (line == "ONCE" and not been.exists()):
            been.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        elif line == "EXIT":
            os._exit(7)
        elif line == "HANG":
            time.sleep(600)
        yield Article(f"{path.stem}{number}", str(os.getpid()) if line == "PID" else line)


class DoesNotLoad:
    """Ends the process that receives it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os._exit, (4,)

    def __call__(self, path: Path, options: ReadOptions) -> Iterator[Article]:
        raise NotImplementedError
