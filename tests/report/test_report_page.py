"""The HTML file as a whole: what its policy lets run, what it holds, how its colours contrast."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gold_run import make_run, simple_article
from onrecord.cli import app
from onrecord.report.page import render_page, report
from onrecord.runs import IncompleteRunError, Run

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)><!-- <script "


class _Page(HTMLParser):
    """Elements with what they hold, and every attribute."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.content: dict[str, list[str]] = {"script": [], "style": [], "title": []}
        self.attributes: list[tuple[str, str, str | None]] = []
        self._open = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open = tag
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag in self.content:
            self.content[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open in self.content:
            self.content[self._open][-1] += data

    @property
    def policy(self) -> dict[str, str]:
        value = next(v for tag, name, v in self.attributes if tag == "meta" and "default-src" in v)
        return dict(rule.split(" ", 1) for rule in value.split("; "))


def _hash(content: str) -> str:
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def test_the_policy_allows_the_page_itself_and_nothing_else(run: Run) -> None:
    page = _Page(render_page(run, "demo"))
    data, script = page.content["script"]
    assert page.policy["default-src"] == "'none'"
    assert page.policy["script-src"] == _hash(script)
    assert page.policy["style-src"] == _hash(page.content["style"][0])
    assert "unsafe" not in str(page.policy)
    assert json.loads(data)["run"]["name"] == "demo"


def test_nothing_is_loaded_and_nothing_inline_is_attached(run: Run) -> None:
    page = _Page(render_page(run, "demo"))
    for tag, name, value in page.attributes:
        assert not name.startswith("on"), (tag, name)
        assert name not in ("style", "src", "srcset", "action"), (tag, name)
        if name == "href":
            assert value is not None
            assert value.startswith(("#", "data:")), value


def test_the_script_never_turns_strings_into_html() -> None:
    folder = Path(__file__).resolve().parents[2] / "pipeline/onrecord/report/js"
    scripts = [path.read_text() for path in folder.glob("*.js")]
    assert len(scripts) == 7
    for script in scripts:
        assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(", script)
        assert "</script" not in script
        assert "<!--" not in script


def test_hostile_text_stays_inside_the_data() -> None:
    text = f"{HOSTILE}\n“No,” said Ortiz."
    run = make_run([simple_article(text, [("No", "said", "Ortiz")], title=HOSTILE)])
    page = _Page(render_page(run, HOSTILE))
    assert len(page.content["script"]) == 2
    payload = json.loads(page.content["script"][0])
    assert payload["articles"]["title"] == [HOSTILE]
    assert payload["articles"]["text"] == [text]
    assert page.content["title"] == [f"{HOSTILE} - onrecord"]
    assert not any(tag == "img" for tag, _, _ in page.attributes)


def test_the_same_run_gives_the_same_page(run: Run) -> None:
    assert render_page(run, "demo") == render_page(run, "demo")


def test_report_writes_into_the_run_directory(run_directory: Path, tmp_path: Path) -> None:
    assert report(run_directory) == run_directory / "report.html"
    written = (run_directory / "report.html").read_text()
    other = report(run_directory, tmp_path / "new" / "page.html")
    assert other.read_text() == written
    assert "<title>demo - onrecord</title>" in written


def test_a_directory_whose_name_is_not_utf_8_has_a_report(
    run_directory: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(run_directory, tmp_path / os.fsdecode(b"caf\xe9"))
    assert "<title>caf\\udce9 - onrecord</title>" in report(folder).read_text(encoding="utf-8")


def test_report_refuses_what_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(IncompleteRunError, match="no run here"):
        report(tmp_path)
    with pytest.raises(ValueError, match="expected 1 or more"):
        render_page(make_run([]), "empty", 0)


def test_the_command_names_the_file(run_directory: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    done = CliRunner().invoke(app, ["report", str(run_directory), "--out", str(page)])
    assert done.exit_code == 0
    assert done.stdout.strip().splitlines()[-1] == str(page)
    assert page.is_file()
    failed = CliRunner().invoke(app, ["report", str(tmp_path / "nothing")])
    assert failed.exit_code == 1
    assert "no run here" in failed.stderr


_CSS = (Path(__file__).resolve().parents[2] / "pipeline/onrecord/report/page.css").read_text()
_SCHEMES = {
    "light": _CSS[: _CSS.index("@media")],
    "dark": _CSS[_CSS.index("@media") : _CSS.index("* {")],
}
_STANCES = ("defiant", "conciliatory", "mixed", "neutral")
_PAIRS = [
    *[(ink, ground) for ink in ("ink", "quiet", "link") for ground in ("card", "page")],
    *[(ink, f"{stance}-tint") for ink in ("ink", "quiet") for stance in _STANCES],
    *[("sign", stance) for stance in ("defiant", "conciliatory", "mixed")],
    *[(stance, ground) for stance in _STANCES for ground in ("card", "page")],
]


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("scheme", _SCHEMES)
def test_text_contrast_is_that_of_wcag_aa(scheme: str) -> None:
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", _SCHEMES[scheme]))
    for ink, ground in _PAIRS:
        light, dark = sorted((_luminance(colours[ink]), _luminance(colours[ground])), reverse=True)
        ratio = (light + 0.05) / (dark + 0.05)
        assert ratio >= 4.5, f"{scheme}: {ink} on {ground} is {ratio:.2f}"
