"""Measure how long the report of many articles takes to open in Chromium.

    python benchmarks/report.py 2000
    python benchmarks/report.py 2000 --run outputs/demo

The articles of ``corpus/``, with their gold, or of the run given, are repeated under other ids,
dates, outlets and speakers until there are enough. The file is opened several times, each in a
fresh browser profile; one line an opening: wall-clock seconds from the request until the overview
is drawn, of these the processor time of the page's own thread, and the seconds until the table of
statements stands after a click on its tab.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from onrecord.report.page import render_page
from onrecord.runs import Run, read_run

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from gold_run import big_run

_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")


def measure(browser: Browser, address: str) -> tuple[float, float, float]:
    """Open the page once: seconds, processor seconds, seconds to the table of statements."""
    page = browser.new_context(viewport={"width": 1280, "height": 844}).new_page()
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    began = time.perf_counter()
    page.goto(address)
    page.wait_for_selector("table.posture tbody tr")
    seconds = time.perf_counter() - began
    metrics = session.send("Performance.getMetrics")["metrics"]
    processor = next(m["value"] for m in metrics if m["name"] == "TaskDuration")
    began = time.perf_counter()
    page.click("[data-view=statements]")
    page.wait_for_selector("table.statements tbody tr")
    table = time.perf_counter() - began
    page.context.close()
    return seconds, processor, table


def main() -> None:
    """Write the page and open it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("articles", type=int)
    parser.add_argument("--run", type=Path, help="a run whose articles are repeated")
    parser.add_argument("--times", type=int, default=5)
    given = parser.parse_args()
    seed: Run | None = read_run(given.run) if given.run else None
    run = big_run(given.articles, seed)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder) / "report.html"
        path.write_text(render_page(run, "benchmark", given.articles), encoding="utf-8")
        quotes = run.table("quotes").num_rows
        print(f"{given.articles:,} articles, {quotes:,} statements, {path.stat().st_size:,} bytes")
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=list(_FLAGS)
        )
        for _ in range(given.times):
            seconds, processor, table = measure(browser, path.as_uri())
            print(f"open {seconds:.2f} s (processor {processor:.2f} s), statements {table:.2f} s")
        browser.close()


if __name__ == "__main__":
    main()
