"""``onrecord info``: what is installed, and where it comes from."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from onrecord.commands.output import errors_as_messages

EPILOG = """Examples:

onrecord info

onrecord info --json"""


def info(
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show version, models, their checksums, licences and training data."""
    with errors_as_messages():
        from onrecord.provenance import describe

        about = describe()
        typer.echo(json.dumps(about, indent=2) if as_json else _as_lines(about))


def _as_lines(about: dict[str, Any]) -> str:
    lines = [f"onrecord {about['onrecord']}"]
    lines += [f"  {name} {version}" for name, version in about["versions"].items()]
    recogniser = about["entity_recogniser"]
    lines.append(f"entities: {recogniser['name']} {recogniser['version']}")
    lines.append(f"  licence {recogniser.get('license', 'unknown')}")
    for model in about["models"]:
        lines.append(f"model: {model['name']} {model['version']} ({model['path']})")
        lines.append(f"  licence {model['license']}")
        lines += [f"  trained on {source}" for source in model["training_data"]]
        lines.append(f"  checksums {model['problem'] or 'verified'}")
        lines += [f"    {digest}  {name}" for name, digest in model["sha256"].items()]
    if not about["models"]:
        lines.append("model: none shipped; only '--attribution rules' works")
    return "\n".join(lines)
