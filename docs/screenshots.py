"""Take the pictures of the report that the README shows; needs Chromium.

python docs/screenshots.py outputs/demo [ARTICLE_ID]
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from urllib.parse import quote

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from onrecord.report.page import report
from onrecord.runs import read_run

IMAGES = Path(__file__).resolve().parent / "images"


def main(run: Path, article_id: str | None) -> None:
    """Write ``report-desktop.png`` (an article) and ``report-phone.png`` (the overview)."""
    page = report(run).resolve().as_uri()
    articles = read_run(run).articles
    article = article_id or str(articles.loc[articles["n_quotes"].idxmax(), "article_id"])
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        address = f"{page}#/article/{quote(article, safe='')}?statement=3"
        _take(browser, address, 1280, 860, "report-desktop.png")
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
    # 128 colours are enough, and a third of the size.
    Image.open(IMAGES / name).convert("RGB").quantize(128).save(IMAGES / name, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None)
