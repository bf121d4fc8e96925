"""What the documentation says of the tables and commands is what the program says."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
import typer

from onrecord.cli import app
from onrecord.records import SCHEMAS

DOCS = Path(__file__).resolve().parents[1] / "docs"


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["tables.md", "cli.md"])
def test_generated_pages_are_current(name: str, generate: ModuleType) -> None:
    written = (DOCS / name).read_text(encoding="utf-8")
    assert written == generate.PAGES[name](), "run: python docs/generate.py"


def test_every_column_is_described() -> None:
    for table, schema in SCHEMAS.items():
        for field in schema:
            assert field.metadata[b"description"].strip(), f"{table}.{field.name}"


def test_every_command_has_help_and_examples() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    assert len(commands) >= 4
    for name, command in commands.items():
        assert command.help, name
        assert command.epilog, f"{name} shows no example"
        assert f"onrecord {name}" in command.epilog
        for option in command.params:
            assert option.help, f"{name} {option.name}"
