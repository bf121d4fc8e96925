"""Take the pictures of the report that the README shows; needs Chromium.

python docs/screenshots.py outputs/demo [ARTICLE_ID]
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Browser, sync_playwright

from onrecord.report.page import report
from onrecord.runs import read_run

IMAGES = Path(__file__).resolve().parent / "images"


def main(run: Path, article_id: str | None) -> None:
    """Write ``report-desktop.png`` (an article) and ``report-phone.png`` (the overview)."""
    page = report(run).resolve().as_uri()
    quotes = read_run(run).quotes
    marked = quotes[quotes["stance"] != "neutral"]
    article = article_id or str(marked["article_id"].value_counts().index[0])
    statement = 1 + int(marked.loc[marked["article_id"] == article, "quote_id"].min())
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        address = f"{page}#/article/{quote(article, safe='')}?statement={statement}"
        _take(browser, address, 1280, 800, "report-desktop.png")
        _take(browser, f"{page}#/", 390, 844, "report-phone.png")
        browser.close()


def _take(browser: Browser, address: str, width: int, height: int, name: str) -> None:
    page = browser.new_page(viewport={"width": width, "height": height})
    page.set_default_timeout(180_000)
    page.goto(address)
    page.wait_for_selector("main h1", state="attached")
    page.wait_for_timeout(300)
    page.screenshot(path=IMAGES / name)
    page.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None)
