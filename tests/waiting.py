"""Waiting for what other processes do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest


def eventually(condition: Callable[[], Any], patience: float = 30.0) -> Any:
    """What ``condition`` gives once it gives anything; the test fails after so many seconds."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.05)
    pytest.fail(f"not so after {patience} s")
