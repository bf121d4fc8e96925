"""What every child process of a run does, and how its end is told."""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import signal
import sys
import threading
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def settle_in() -> None:
    """Be a good child: leave interrupts to the parent, end with it, die first for memory."""
    # The parent decides what an interrupt means; a child must not die of it half way.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    _volunteer_for_memory()


def describe_exit(code: int | None) -> str:
    """An exit code in words: the signal by its name, and what a kill usually means."""
    if code is None or code >= 0:
        return f"exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = "unknown"
    memory = ", as when memory runs out" if -code == signal.SIGKILL else ""
    return f"signal {-code} ({name}{memory})"


def end_with_parent() -> None:
    """End this process as soon as its parent has gone, also in the middle of an article.

    Linux is asked to see to it, for a thread does not run while native code holds the interpreter.
    The thread serves elsewhere, and where the parent has gone before it could be asked. (Linux
    means the thread that began this process, which stays as long as what it began is used.)
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _volunteer_for_memory() -> None:
    """Where memory runs out, Linux ends the process of the highest score: not the parent."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")
