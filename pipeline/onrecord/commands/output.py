"""How commands speak: errors to standard error with exit code 1, colours only where they show."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

import typer
from rich.console import Console
from rich.text import Text

FAILED = 1
SOME_IN_ERRORS = 3


def error_console() -> Console:
    """Where progress and errors go; rich heeds NO_COLOR and whether it is a terminal."""
    return Console(stderr=True, highlight=False)


def fail(message: str) -> NoReturn:
    """Say why the command could not be done, and end with exit code 1."""
    text = Text("error: ", style="bold red")
    error_console().print(text.append(message, style="not bold default"), soft_wrap=True)
    raise typer.Exit(FAILED)


@contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """A request to terminate, as a scheduler sends it, ends the work as Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(signum: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


@contextmanager
def errors_as_messages() -> Iterator[None]:
    """Errors that say what to do become that message; others are bugs and show their trace."""
    try:
        yield
    except (OSError, ValueError, RuntimeError, ModuleNotFoundError) as error:
        if not type(error).__module__.startswith("onrecord.") and not isinstance(error, OSError):
            raise
        fail(str(error))
    except KeyboardInterrupt:
        fail("interrupted")
