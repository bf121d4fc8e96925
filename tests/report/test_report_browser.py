"""The report in a real browser: what an editor does with it, and what an article cannot do."""

from __future__ import annotations

import math
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from changed_run import change_quotes, without_scores
from playwright.sync_api import Browser, Page, expect, sync_playwright

from gold_run import big_run, make_run, simple_article
from onrecord.records import ErrorRow, Span
from onrecord.report.page import render_page
from onrecord.report.payload import MAX_ERRORS
from onrecord.report.posture import count_by_period, count_by_speaker, quotes_of
from onrecord.runs import Run

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="needs Chromium: apt-get install chromium (Debian, Ubuntu)"
)
# A busy machine may take long over a page.
expect.set_options(timeout=60_000)
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # Playwright gives each start a fresh user-data-dir.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Open a report from its file; on leaving, nothing may have gone wrong or gone out."""
    troubles: list[str] = []
    contexts = []

    def opened(page_html: str | Path, address: str = "#/", width: int = 1280) -> Page:
        path = page_html if isinstance(page_html, Path) else tmp_path / "report.html"
        if isinstance(page_html, str):
            path.write_text(page_html, encoding="utf-8")
        context = browser.new_context(viewport={"width": width, "height": 844})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        url = path.resolve().as_uri()
        page.on(
            "request",
            lambda request: (
                troubles.append(f"request: {request.url}")
                if request.url.split("#")[0] not in (url, "data:,")
                else None
            ),
        )
        page.on("console", lambda message: troubles.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (troubles.append("dialog"), dialog.dismiss()))
        page.goto(f"{url}{address}")
        page.wait_for_selector("main h1", state="attached")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert troubles == []


@pytest.fixture(scope="module")
def report_file(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "demo report.html"
    path.write_text(render_page(run, "demo"), encoding="utf-8")
    return path


def _rows(page: Page) -> list[str]:
    return page.locator("table.statements tbody tr").all_inner_texts()


def test_overview_counts_and_leads_to_a_speaker(
    run: Run, report_file: Path, open_page: Open
) -> None:
    page = open_page(report_file)
    tiles = page.locator(".tiles").inner_text().split("\n")
    speakers = count_by_speaker(run)
    assert tiles[:6] == [
        *(str(len(run.articles)), "articles"),
        *(str(len(run.quotes)), "statements"),
        *(str(len(speakers)), "named speakers"),
    ]
    counts = speakers.set_index("name").loc["Graham Tolland"]
    page.locator(".by-speaker-card").get_by_role("button", name="Show more speakers").click()
    expect(page.locator(".posture tbody tr")).to_have_count(24)
    row = page.locator(".posture tbody tr", has_text="Graham Tolland")
    shown = row.locator("td:not(.bar-cell)").all_inner_texts()
    columns = ["defiant", "conciliatory", "mixed", "neutral", "all"]
    assert shown == [str(counts[column]) for column in columns]
    row.get_by_role("link").click()
    expect(page.get_by_role("heading", name="Graham Tolland")).to_be_visible()
    expect(page.locator("table.statements")).to_be_visible()
    assert len(_rows(page)) == counts["all"]
    assert all("Graham Tolland" in text for text in _rows(page))
    page.go_back()
    expect(page.get_by_role("heading", name="Posture by speaker")).to_be_visible()


def test_posture_over_time_of_one_speaker(run: Run, report_file: Path, open_page: Open) -> None:
    page = open_page(report_file)
    page.locator("#time-speaker").select_option(label="Graham Tolland")
    page.get_by_text("The same as a table").click()
    cells = page.locator(".numbers tbody tr").all_inner_texts()
    periods = count_by_period(quotes_of(run, "Graham Tolland"))
    filled = periods.loc[periods.any(axis=1), ["defiant", "conciliatory", "mixed", "neutral"]]
    assert [[int(n) for n in cell.split("\t")[1:]] for cell in cells] == filled.to_numpy().tolist()


def test_speakers_who_cannot_be_chosen_are_counted(
    run: Run, report_file: Path, open_page: Open
) -> None:
    speakers = len(count_by_speaker(run))
    assert speakers > 100
    page = open_page(report_file)
    expect(page.locator("#time-speaker option")).to_have_count(101)
    expect(page.locator("#time-note")).to_contain_text(f"The 100 most quoted of {speakers}")


def test_every_speaker_and_outlet_can_be_shown(open_page: Open) -> None:
    articles = [
        simple_article(
            f"“No,” said {name}.",
            [("No", "said", name)],
            article_id=name,
            publisher=f"Outlet {number:02}",
        )
        for number in range(30)
        for name in [f"Person{chr(97 + number // 10)}{chr(97 + number % 10)}"]
    ]
    page = open_page(render_page(make_run(articles), "wide"))
    matrix = page.locator(".matrix")
    for what, step, new in (("speakers", 12, "tbody tr"), ("outlets", 8, "thead th")):
        more = page.locator(".outlets-card").get_by_role("button", name=f"Show more {what}")
        expect(more).to_have_text(f"Show more {what} ({30 - step} left)")
        while more.is_visible():
            more.click()
        expect(matrix.locator(new)).to_have_count(30)
    expect(matrix.locator("thead th", has_text="Outlet 24")).to_be_focused()
    assert matrix.locator("tbody a:not(.name)").count() == 30


def test_filters_narrow_the_table(run: Run, report_file: Path, open_page: Open) -> None:
    page = open_page(report_file, "#/statements")
    assert len(_rows(page)) == 50
    page.get_by_label("Posture", exact=True).select_option("conciliatory")
    page.get_by_label("Outlet", exact=True).select_option("Isthmus Wire")
    page.get_by_label("Kind", exact=True).select_option("indirect")
    quotes = run.quotes.merge(run.articles[["article_id", "publisher"]], on="article_id")
    wanted = quotes.query(
        "stance == 'conciliatory' and publisher == 'Isthmus Wire' and kind == 'indirect'"
    )
    assert len(wanted) > 2
    expect(page.locator(".count")).to_have_text(f"{len(wanted)} statements of {len(quotes)}")
    assert len(_rows(page)) == len(wanted)
    page.get_by_label("From (UTC)", exact=True).fill("2027-01-01")
    expect(page.get_by_text("No statement passes these filters")).to_be_visible()
    page.get_by_role("link", name="Clear all filters").click()
    expect(page.locator(".count")).to_have_text(f"{len(quotes)} statements of {len(quotes)}")


def test_statements_are_filtered_by_score(run: Run, report_file: Path, open_page: Open) -> None:
    page = open_page(report_file, "#/statements")
    page.get_by_label("Score at least", exact=True).fill("-0.8")
    page.get_by_label("Score at most", exact=True).fill("-0.5")
    scores = run.quotes["stance_score"].map(lambda score: round(score, 2))
    wanted = scores.between(-0.8, -0.5).sum()
    assert 0 < wanted < len(scores)
    expect(page.locator(".count")).to_have_text(f"{wanted} statements of {len(scores)}")
    page.reload()
    expect(page.locator(".count")).to_have_text(f"{wanted} statements of {len(scores)}")
    assert page.get_by_label("Score at most", exact=True).input_value() == "-0.5"


def test_the_speaker_filter_changes_whose_page_it_is(report_file: Path, open_page: Open) -> None:
    page = open_page(report_file, "#/statements?speaker=person:graham-tolland")
    choice = page.get_by_label("Speaker", exact=True)
    choice.focus()
    choice.select_option("person:farida-nasim")
    expect(page.get_by_role("heading", level=1)).to_have_text("Farida Nasim")
    expect(page.get_by_label("About Farida Nasim")).to_be_visible()
    assert page.get_by_label("About Graham Tolland").count() == 0
    expect(page).to_have_title("Farida Nasim - demo - onrecord")
    expect(choice).to_be_focused()
    choice.select_option("")
    expect(page).to_have_title("Statements - demo - onrecord")
    assert page.get_by_label("About Farida Nasim").count() == 0


def test_what_is_missing_comes_last_whichever_way_it_is_sorted(open_page: Open) -> None:
    days = {"Ortiz": 3, "Okafor": None, "Lindqvist": 5}
    run = make_run(
        simple_article(
            f"“No,” said {name}.",
            [("No", "said", name)],
            article_id=name,
            stance="conciliatory" if name == "Ortiz" else "defiant",
            published_at=day and datetime(2026, 5, day, tzinfo=UTC),
            publisher=day and f"Outlet {day}",
        )
        for name, day in days.items()
    )
    run = change_quotes(run, lambda row: without_scores(row) if row["speaker"] == "Okafor" else row)
    page = open_page(render_page(run, "gaps"), "#/statements")
    for name in ("Date (UTC)", "Posture", "Score", "Outlet"):
        firsts = set()
        for _ in range(2):
            page.get_by_role("button", name=name).click()
            speakers = page.locator("td.speaker").all_inner_texts()
            assert speakers[2] == "Okafor", (name, speakers)
            firsts.add(speakers[0])
        assert firsts == {"Ortiz", "Lindqvist"}, name
    page.get_by_label("Score at least", exact=True).fill("-1")
    expect(page.locator(".count")).to_have_text("2 statements of 3")


def test_a_statement_cut_short_says_so(open_page: Open) -> None:
    # The first piece fills the room that there is to the last character.
    first = ("We refuse " * 32).strip() + "!"
    article, doc = simple_article(
        f"“{first}” said Ortiz. “We will not turn.”", [(first, "said", "Ortiz")]
    )
    assert len(first) == 320
    (found,) = doc._.attributions
    start = article.text.index("We will not")
    doc._.attributions = (replace(found, content=(*found.content, Span(start, start + 16))),)
    page = open_page(render_page(make_run([(article, doc)]), "long"), "#/statements")
    expect(page.locator("a.statement")).to_have_text(f"{first}…")


def test_a_posture_and_a_score_that_seem_to_disagree_are_explained(
    report_file: Path, open_page: Open
) -> None:
    for address in ("#/article/gulf_boats", "#/statements"):
        page = open_page(report_file, address)
        expect(page.locator("main")).to_contain_text("each against a threshold of its own")


def test_days_are_said_to_be_those_of_utc(open_page: Open) -> None:
    articles = [
        simple_article(
            f"{name} spoke.\n“No,” said {name}.",
            [("No", "said", name)],
            article_id=name,
            # Twelve minutes past one the day after, where it was published.
            published_at=datetime(2024, 8, day, 23, 12, tzinfo=UTC),
        )
        for name, day in (("Ortiz", 11), ("Okafor", 14))
    ]
    page = open_page(render_page(make_run(articles), "late"))
    expect(page.locator(".extremes").first).to_contain_text("2024-08-11 UTC")
    expect(page.locator("figcaption")).to_contain_text("by day (UTC)")
    page = open_page(render_page(make_run(articles), "late"), "#/statements")
    expect(page.get_by_role("button", name="Date (UTC)")).to_be_visible()
    page = open_page(render_page(make_run(articles), "late"), "#/article/Ortiz")
    expect(page.locator(".byline")).to_contain_text("2024-08-11 UTC")
    page = open_page(render_page(make_run(articles), "late"), "#/articles")
    expect(page.locator(".articles")).to_contain_text("2024-08-11 UTC")


def test_problems_beyond_those_shown_are_counted(open_page: Open) -> None:
    problems = [
        ErrorRow(f"{n}.txt", None, "read", "failed", "EmptyFile", "the file is empty")
        for n in range(MAX_ERRORS + 3)
    ]
    page = open_page(render_page(make_run([], problems), "broken"))
    expect(page.locator(".tiles")).to_contain_text(str(MAX_ERRORS + 3))
    page.get_by_role("link", name="Problems", exact=True).click()
    expect(page.locator(".problems > li")).to_have_count(MAX_ERRORS)
    expect(page.get_by_text("3 more in the table errors")).to_be_visible()


def test_search_folds_case_and_accents(run: Run, report_file: Path, open_page: Open) -> None:
    everything = len(run.quotes)
    page = open_page(report_file, "#/statements")
    page.get_by_label("Search").fill("PAVON court")
    expect(page.locator(".count")).not_to_have_text(f"{everything} statements of {everything}")
    page.get_by_label("Search").fill("asturias PAVON favour")
    expect(page.locator(".count")).to_have_text(f"1 statement of {everything}")
    assert "We are not asking for a favour" in _rows(page)[0]
    page.reload()
    expect(page.locator(".count")).to_have_text(f"1 statement of {everything}")


def test_sorting_by_score_both_ways_by_keyboard(
    run: Run, report_file: Path, open_page: Open
) -> None:
    page = open_page(report_file, "#/statements")
    button = page.get_by_role("button", name="Score")
    for order, first in (("ascending", "min"), ("descending", "max")):
        button.focus()
        page.keyboard.press("Enter")
        header = page.locator("th", has=page.get_by_role("button", name="Score"))
        expect(header).to_have_attribute("aria-sort", order)
        shown = page.locator("td.score").first.inner_text().replace("−", "-")
        assert float(shown) == round(float(run.quotes["stance_score"].agg(first)), 2)
        expect(button).to_be_focused()


def test_pages_turn(run: Run, report_file: Path, open_page: Open) -> None:
    page = open_page(report_file, "#/statements?sort=speaker")
    first = _rows(page)
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text(f"Page 2 of {math.ceil(len(run.quotes) / 50)}")).to_be_visible()
    expect(page.locator("table.statements tbody tr")).to_have_count(50)
    assert not set(first) & set(_rows(page))


def test_an_article_reads_as_written(run: Run, report_file: Path, open_page: Open) -> None:
    page = open_page(report_file, "#/articles")
    page.get_by_label("Search").fill("honduras")
    expect(page.locator(".count")).to_have_text(f"1 article of {len(run.articles)}")
    page.get_by_role("link", name="Honduras protests to El Salvador").click()
    page.wait_for_selector(".text")
    text = page.evaluate(
        """() => {
            const copy = document.querySelector('.text').cloneNode(true);
            copy.querySelectorAll('.badge').forEach((badge) => badge.remove());
            return copy.textContent;
        }"""
    )
    article = run.articles.set_index("article_id").loc["gulf_boats"]
    assert text == article["text"]
    quotes = run.quotes[run.quotes["article_id"] == "gulf_boats"]
    assert page.locator("button.badge").count() == len(quotes)
    for row in quotes.itertuples():
        marked = page.locator(f"mark[data-statement='{row.quote_id + 1}']").all_text_contents()
        assert "".join(marked).replace(" ", "") in row.text.replace(" ", "")


def test_details_appear_on_hover_and_focus_and_go_with_escape(
    run: Run, report_file: Path, open_page: Open
) -> None:
    page = open_page(report_file, "#/article/gulf_boats")
    details = page.locator("#details")
    expect(details).to_be_hidden()
    page.locator("mark", has_text="These are").first.hover()
    expect(details).to_contain_text("Rodolfo Asturias Pavón")
    expect(details).to_contain_text("onrecord-en 0.1.0")
    expect(details).to_contain_text("defiance")
    page.locator("#badge-1").focus()
    expect(details).to_contain_text("Honduras")
    label = page.locator("#badge-1").get_attribute("aria-label") or ""
    assert re.fullmatch(
        r"Statement 1: Honduras, defiant, score −0\.\d\d, defiance \d+%, conciliation <?\d+%, \w+",
        label,
    )
    page.keyboard.press("Escape")
    expect(details).to_be_hidden()


def test_escape_closes_the_details_wherever_the_focus_is(
    report_file: Path, open_page: Open
) -> None:
    page = open_page(report_file, "#/article/gulf_boats")
    details = page.locator("#details")
    page.locator("mark", has_text="These are").first.hover()
    expect(details).to_be_visible()
    assert page.evaluate("document.activeElement === document.body")
    page.keyboard.press("Escape")
    # At once, with the pointer where it is: nothing but the key closes it.
    assert details.is_hidden()
    page.get_by_role("link", name="Articles", exact=True).click()
    page.get_by_label("Search").press_sequentially("honduras")
    expect(page.get_by_label("Search")).to_have_value("honduras")


def test_every_piece_of_an_interrupted_statement_has_its_sign(open_page: Open) -> None:
    article, doc = simple_article(
        "“We sail,” said Ortiz, “and we will not turn.”", [("We sail", "said", "Ortiz")]
    )
    (found,) = doc._.attributions
    start = article.text.index("and we")
    doc._.attributions = (replace(found, content=(*found.content, Span(start, start + 20))),)
    page = open_page(render_page(make_run([(article, doc)]), "pieces"), "#/article/a1")
    before = "(mark) => mark.previousElementSibling.outerHTML"
    pieces = page.locator("mark")
    assert pieces.all_text_contents() == ["We sail", "and we will not turn"]
    assert pieces.nth(0).evaluate("(mark) => mark.previousElementSibling.id") == "badge-1"
    again = page.locator(".again")
    assert pieces.nth(1).evaluate(before) == again.evaluate("(sign) => sign.outerHTML")
    expect(again).to_have_text("…D")
    expect(again).to_have_attribute("aria-hidden", "true")
    assert again.evaluate("(sign) => sign.tabIndex") == -1
    again.hover()
    expect(page.locator("#details")).to_contain_text("Ortiz")


def test_a_statement_that_goes_on_after_one_inside_it_has_its_sign(open_page: Open) -> None:
    text = "Ortiz said Okafor had told him to go and that he would."
    outer = "Okafor had told him to go and that he would"
    article, doc = simple_article(text, [(outer, "said", "Ortiz"), ("to go", "told", "Okafor")])
    page = open_page(render_page(make_run([(article, doc)]), "nested"), "#/article/a1")
    expect(page.locator(".again")).to_have_count(1)
    assert page.locator(".again").get_attribute("data-statement") == "1"
    assert page.locator(".again + mark").text_content() == " and that he would"


def test_statements_that_overlap_are_all_reachable(open_page: Open) -> None:
    text = "Ortiz said Okafor had told him that the pact was dead."
    article, doc = simple_article(
        text,
        [
            ("Okafor had told him that the pact was dead", "said", "Ortiz"),
            ("that the pact was dead", "told", "Okafor"),
        ],
    )
    page = open_page(render_page(make_run([(article, doc)]), "nested"), "#/article/a1")
    inner = page.locator("mark.nested")
    assert inner.all_text_contents() == ["that the pact was dead"]
    assert inner.get_attribute("data-statement") == "2"
    page.locator("mark", has_text="Okafor").first.hover()
    expect(page.locator("#details")).to_contain_text("Okafor")
    page.locator("#badge-1").focus()
    expect(page.locator("#details .who")).to_contain_text("Ortiz")


def test_hostile_articles_show_as_text(open_page: Open) -> None:
    markup = "<script>alert('a')</script><img src=x onerror=alert(1)>"
    text = (
        f"{markup}\n</script><svg onload=alert(2)>\u202eevil\u202c \u0007bell "
        f"“{markup} we refuse” said Ortiz.\u2028“Never”, said <b>Okafor</b>."
    )
    title = "‮" + "<i>Long</i>" + "x" * 10_000
    run = make_run(
        [
            simple_article(
                text,
                [(f"{markup} we refuse", "said", "Ortiz"), ("Never", "said", "<b>Okafor</b>")],
                article_id="../x?y#z%<script>",
                title=title,
                author="javascript:alert(3)",
                publisher=markup,
                url="javascript:alert(4)",
                published_at=datetime(2026, 5, 9, tzinfo=UTC),
            )
        ]
    )
    page = open_page(render_page(run, "<h1>demo"))
    for address in ("#/statements", "#/articles", "#/problems", "#/"):
        page.evaluate(f"location.hash = '{address}'")
        view = address.removeprefix("#/") or "overview"
        expect(page.locator(f"[data-view={view}][aria-current]")).to_be_attached()
        assert page.locator("main script, main img, main b > i, main [onerror]").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
    page.evaluate("location.hash = '#/statements'")
    page.locator(".statements a.statement").first.click()
    page.wait_for_selector(".text")
    shown = page.locator(".text").inner_text()
    assert markup in shown
    assert "[U+202E]evil[U+202C]" in shown
    assert "␇bell" in shown
    heading = page.locator("h1").text_content() or ""
    assert heading == "[U+202E]" + title[1:]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("a[href^=javascript]").count() == 0


@pytest.mark.parametrize("address", ["#/", "#/statements", "#/articles", "#/article/rail_strike"])
def test_nothing_overflows_on_a_phone(address: str, report_file: Path, open_page: Open) -> None:
    page = open_page(report_file, address, width=390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_an_address_names_views_orders_and_filters_of_the_page_only(
    run: Run, report_file: Path, open_page: Open
) -> None:
    page = open_page(report_file, "#/constructor")
    expect(page.get_by_role("heading", name="Posture by speaker")).to_be_visible()
    page = open_page(report_file, "#/statements?sort=constructor&toString=1&valueOf=2")
    expect(page.locator(".count")).to_have_text(
        f"{len(run.quotes)} statements of {len(run.quotes)}"
    )
    expect(page.locator("[aria-sort=descending]")).to_have_text(re.compile("Date"))


def test_addresses_that_lead_nowhere(report_file: Path, open_page: Open) -> None:
    page = open_page(report_file, "#/article/%E0%A4%A?statement=99")
    expect(page.get_by_role("heading", name="No such article")).to_be_visible()
    page.evaluate("location.hash = '#/nonsense'")
    expect(page.get_by_role("heading", name="Posture by speaker")).to_be_visible()


def test_a_run_without_statements(open_page: Open) -> None:
    page = open_page(render_page(make_run([simple_article("Nothing.", [])]), "quiet"))
    expect(page.get_by_text("No statements were found")).to_be_visible()
    page = open_page(render_page(make_run([]), "empty"), "#/statements")
    expect(page.get_by_text("No statement passes")).to_be_visible()


def test_two_thousand_articles_are_paged(open_page: Open) -> None:
    # How long it takes: benchmarks/report.py.
    run = big_run(2000)
    assert len(run.table("quotes")) > 30_000
    page = open_page(render_page(run, "big"))
    expect(page.get_by_role("heading", name="Posture by speaker")).to_be_visible()
    assert page.locator("*").count() < 2000
    page.get_by_role("link", name="Statements", exact=True).click()
    expect(page.locator("table.statements tbody tr")).to_have_count(50)
    # The list of speakers to filter by grows with the run; nothing else does.
    assert page.locator("main *:not(option)").count() < 2000
    page.get_by_role("link", name="Articles", exact=True).click()
    expect(page.locator(".articles > li")).to_have_count(50)


def test_what_no_article_has_is_not_shown(open_page: Open) -> None:
    article = simple_article("“No,” said Ortiz.", [("No", "said", "Ortiz")])
    page = open_page(render_page(make_run([article]), "bare"))
    expect(page.locator(".notice")).to_contain_text("No date or outlet came with these articles")
    assert page.get_by_role("heading", name="Posture over time").count() == 0
    page.get_by_role("link", name="Statements", exact=True).click()
    expect(page.locator("table.statements tbody tr")).to_have_count(1)
    heads = page.locator("table.statements th").all_inner_texts()
    assert [head.rstrip("↕▲▼ ") for head in heads] == [
        *("Speaker", "Posture", "Score", "Statement", "Kind", "Certainty")
    ]
    assert page.locator("[aria-sort]").count() == 0
    page.get_by_role("button", name="Speaker").click()
    expect(page.locator("[aria-sort=ascending]")).to_have_count(1)
