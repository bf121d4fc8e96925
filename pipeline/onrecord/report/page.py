"""The HTML report: one file that needs nothing else and lets nothing in or out.

The page's own script and styles are named in its Content-Security-Policy by their SHA-256, so that
nothing else runs, and no other resource can be loaded. Articles reach the page as JSON, which the
script shows as text only.
"""

from __future__ import annotations

import base64
import hashlib
import html
from importlib import resources
from pathlib import Path
from string import Template

from onrecord.batch.durable import replace_file
from onrecord.report import MAX_ARTICLES
from onrecord.report.payload import page_payload, to_script_json
from onrecord.runs import Run, read_run

REPORT_FILE = "report.html"
# In the order they are read: each uses what stands before it.
_SCRIPTS = (
    "dom.js",
    "data.js",
    "charts.js",
    "overview.js",
    "statements.js",
    "article.js",
    "main.js",
)


def report(
    directory: Path | str,
    out: Path | str | None = None,
    *,
    max_articles: int = MAX_ARTICLES,
) -> Path:
    """Write the HTML report of a finished run.

    Args:
        directory: the run directory.
        out: the file to write; ``report.html`` in the run directory if None.
        max_articles: the page shows the newest so many articles.

    Returns:
        The file written.

    Raises:
        IncompleteRunError: there is no run in the directory, or it is not finished.
        OSError: the file cannot be written.
    """
    folder = Path(directory)
    run = read_run(folder)
    target = folder / REPORT_FILE if out is None else Path(out)
    page = render_page(run, folder.resolve().name, max_articles)
    target.parent.mkdir(parents=True, exist_ok=True)
    replace_file(target, page.encode())
    return target


def render_page(run: Run, name: str, max_articles: int = MAX_ARTICLES) -> str:
    """The report as HTML.

    Args:
        run: the tables to show.
        name: what to call the run.
        max_articles: the page shows the newest so many articles.

    Raises:
        ValueError: ``max_articles`` is less than 1.
    """
    if max_articles < 1:
        raise ValueError(f"max_articles is {max_articles}; expected 1 or more")
    # A directory may have a name that is not UTF-8.
    name = name.encode("utf-8", "backslashreplace").decode()
    style = _asset("page.css")
    script = "\n".join(_asset(f"js/{file}") for file in _SCRIPTS)
    return Template(_asset("page.html")).substitute(
        policy=_policy(style, script),
        title=html.escape(f"{name} - onrecord"),
        style=style,
        script=script,
        data=to_script_json(page_payload(run, name, max_articles)),
    )


def _asset(name: str) -> str:
    return resources.files("onrecord.report").joinpath(name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_source_hash(style)}'",
            f"script-src '{_source_hash(script)}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            # No string ever becomes HTML or code, not even by mistake.
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def _source_hash(content: str) -> str:
    digest = hashlib.sha256(content.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
