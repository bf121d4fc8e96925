// The first view: how much there is, who takes which posture, when, and where.

const SPEAKERS_AT_ONCE = 12;
const OUTLETS_AT_ONCE = 8;
const SPEAKERS_TO_CHOOSE = 100;

function overview() {
  const counts = tally(QUOTES);
  return [
    el("h1", { class: "hidden" }, "Overview"),
    tiles(),
    DATA.run.shown < DATA.run.articles && partNotice(),
    QUOTES.length
      ? [
          section("Posture of all statements", "shares", shareBar(counts)),
          postureSection(),
          timeSection(),
          extremesSection(),
          outletSection(),
          missingNotice(),
        ]
      : el("p", { class: "notice" }, "No statements were found in these articles."),
  ].flat();
}

function section(title, id, ...children) {
  return el(
    "section",
    { class: `card ${id}-card`, "aria-labelledby": id },
    el("h2", { id }, title),
    children,
  );
}

function tiles() {
  const unknown = QUOTES.filter((quote) => !quote.speaker).length;
  const tile = (count, name, href) =>
    el(
      "li",
      {},
      el("a", { href }, el("b", {}, count.toLocaleString("en")), el("span", {}, name)),
    );
  return el(
    "ul",
    { class: "tiles" },
    tile(ARTICLES.length, ARTICLES.length === 1 ? "article" : "articles", link("articles")),
    tile(QUOTES.length, QUOTES.length === 1 ? "statement" : "statements", link("statements")),
    tile(SPEAKERS.length, SPEAKERS.length === 1 ? "named speaker" : "named speakers", link("statements", { sort: "speaker" })),
    tile(unknown, "with speaker unknown", link("statements", { speaker: UNKNOWN })),
    DATA.run.errors > 0 && tile(DATA.run.errors, "problems noted", link("problems")),
  );
}

function partNotice() {
  return el(
    "p",
    { class: "notice" },
    `This page shows the newest ${plural(DATA.run.shown, "article")} of `,
    `${DATA.run.articles.toLocaleString("en")}, and counts only these. `,
    "The tables hold all; a larger --max-articles shows more.",
  );
}

/**
 * A button that shows so many more of a list; the first are shown at once.
 *
 * `show` is told how many are there and how many there are to be, and gives the first new one, to
 * which the focus goes.
 */
function moreButton(what, total, atOnce, show) {
  const button = el("button", { type: "button", class: "more" });
  let shown = 0;
  const more = () => {
    const from = shown;
    shown = Math.min(from + atOnce, total);
    const first = show(from, shown);
    button.hidden = shown === total;
    button.textContent = `Show more ${what} (${(total - shown).toLocaleString("en")} left)`;
    if (from) first.focus();
  };
  button.addEventListener("click", more);
  more();
  return button;
}

function postureSection() {
  const body = el("tbody");
  const most = SPEAKERS.reduce((highest, speaker) => {
    const counts = tally(speaker.quotes);
    return Math.max(highest, Math.max(counts[DEFIANT], counts[CONCILIATORY]) + counts[MIXED]);
  }, 1);
  const more = moreButton("speakers", SPEAKERS.length, SPEAKERS_AT_ONCE, (from, to) => {
    append(body, SPEAKERS.slice(from, to).map((speaker) => speakerRow(speaker, most)));
    return body.children[from]?.querySelector("a");
  });
  const head = (name, attributes = {}) => el("th", { scope: "col", ...attributes }, name);
  return section(
    "Posture by speaker",
    "by-speaker",
    el(
      "table",
      { class: "posture" },
      el(
        "caption",
        { class: "quiet" },
        "Statements to the left are defiant, to the right conciliatory; a mixed one is hatched ",
        "and counts on both sides. Choose a name to see every statement.",
      ),
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          head("Speaker"),
          head(sign(STANCES[DEFIANT]), { class: "number" }),
          el("td", {}),
          head(sign(STANCES[CONCILIATORY])),
          head("mixed", { class: "number wide" }),
          head("neutral", { class: "number wide" }),
          head("all", { class: "number" }),
        ),
      ),
      body,
    ),
    more,
  );
}

function speakerRow(speaker, most) {
  const counts = tally(speaker.quotes);
  return el(
    "tr",
    {},
    el("th", { scope: "row" }, speakerLink(speaker)),
    el("td", { class: "number" }, counts[DEFIANT]),
    el("td", { class: "bar-cell" }, divergingBar(counts, most)),
    el("td", {}, counts[CONCILIATORY]),
    el("td", { class: "number wide" }, counts[MIXED]),
    el("td", { class: "number wide" }, counts[NEUTRAL]),
    el("td", { class: "number" }, speaker.quotes.length),
  );
}

function speakerLink(speaker) {
  return el(
    "a",
    { class: "name", href: link("statements", { speaker: speaker.key }) },
    cut(speaker.name, 80),
  );
}

function timeSection() {
  const days = new Set(QUOTES.map((quote) => quote.article.date).filter(Boolean));
  if (!days.size) return null;
  if (days.size === 1) {
    const text = `All dated articles are of one day, ${utc([...days][0])}.`;
    return section("Posture over time", "over-time", el("p", { class: "quiet" }, text));
  }
  const chart = el("div");
  const choice = el(
    "select",
    { id: "time-speaker", "aria-describedby": "time-note" },
    el("option", { value: "" }, "all speakers"),
    SPEAKERS.slice(0, SPEAKERS_TO_CHOOSE).map((speaker) =>
      el("option", { value: speaker.key }, cut(speaker.name, 60)),
    ),
  );
  const draw = () => {
    const speaker = SPEAKERS.find(({ key }) => key === choice.value);
    chart.replaceChildren(
      timeChart(speaker ? speaker.quotes : QUOTES, speaker ? cut(speaker.name, 60) : "all speakers"),
    );
  };
  choice.addEventListener("change", draw);
  draw();
  const label = el("label", { class: "inline", for: "time-speaker" }, "Speaker ");
  const note =
    SPEAKERS.length > SPEAKERS_TO_CHOOSE
      ? ` The ${SPEAKERS_TO_CHOOSE} most quoted of ${SPEAKERS.length.toLocaleString("en")}; ` +
        "a speaker's own page shows the same."
      : "";
  return section(
    "Posture over time",
    "over-time",
    el("p", {}, label, choice, el("span", { class: "quiet", id: "time-note" }, note)),
    chart,
  );
}

function extremesSection() {
  const scored = QUOTES.filter((quote) => quote.score !== null);
  const list = (title, id, quotes) =>
    el(
      "section",
      { class: "card", "aria-labelledby": id },
      el("h2", { id }, title),
      quotes.length
        ? el("ol", { class: "extremes" }, quotes.map(extreme))
        : el("p", { class: "quiet" }, "None."),
    );
  const top = (stance, order) =>
    scored.filter((quote) => quote.stance === stance).sort(order).slice(0, 3);
  return el(
    "div",
    { class: "pair" },
    list("Most defiant", "most-defiant", top(DEFIANT, (a, b) => a.score - b.score)),
    list("Most conciliatory", "most-conciliatory", top(CONCILIATORY, (a, b) => b.score - a.score)),
  );
}

function extreme(quote) {
  return el(
    "li",
    { class: `edge-${stanceOf(quote).name}` },
    el("p", {}, el("a", { class: "statement", href: articleLink(quote.article, quote) }, inContext(quote, 260))),
    el(
      "p",
      { class: "quiet" },
      quote.speaker ? speakerLink(quote.speaker) : speakerName(quote),
      ` · score ${signed(quote.score)}`,
      quote.article.outlet && ` · ${cut(quote.article.outlet, 40)}`,
      quote.article.date && [" · ", whole(utc(quote.article.date))],
    ),
  );
}

/** How many of these statements stand in each outlet. */
function countOutlets(quotes) {
  const counts = new Map();
  for (const { article } of quotes) {
    if (article.outlet) counts.set(article.outlet, (counts.get(article.outlet) ?? 0) + 1);
  }
  return counts;
}

function outletSection() {
  const counts = countOutlets(QUOTES);
  if (!counts.size) return null;
  const outlets = [...counts.keys()].sort(
    (a, b) => counts.get(b) - counts.get(a) || a.localeCompare(b),
  );
  const head = el("tr");
  const body = el("tbody");
  let [rows, columns] = [0, 0];
  const draw = () => {
    const some = outlets.slice(0, columns);
    const heads = some.map((name) => el("th", { scope: "col", tabindex: -1 }, cut(name, 30)));
    head.replaceChildren(el("td"), ...heads);
    body.replaceChildren(...SPEAKERS.slice(0, rows).map((speaker) => outletRow(speaker, some)));
  };
  const moreSpeakers = moreButton("speakers", SPEAKERS.length, SPEAKERS_AT_ONCE, (from, to) => {
    rows = to;
    draw();
    return body.children[from]?.querySelector("a");
  });
  const moreOutlets = moreButton("outlets", outlets.length, OUTLETS_AT_ONCE, (from, to) => {
    columns = to;
    draw();
    return head.children[from + 1];
  });
  return section(
    "Who speaks in which outlet",
    "outlets",
    // Outside of the table: it would be cut off where the table is wider than a phone.
    el("p", { class: "quiet" }, "Number of statements; the most quoted speakers and outlets first."),
    el(
      "div",
      { class: "scroll", tabindex: 0, role: "region", "aria-labelledby": "outlets" },
      el(
        "table",
        { class: "matrix" },
        el("caption", { class: "hidden" }, "Statements by speaker and outlet"),
        el("thead", {}, head),
        body,
      ),
    ),
    moreSpeakers,
    " ",
    moreOutlets,
  );
}

/** What the articles lack, and what the page shows where they have it. */
function missingNotice() {
  if (HAS.date && HAS.outlet) return null;
  const lacks = [!HAS.date && ["date", "posture over time"], !HAS.outlet && ["outlet", "who speaks in which outlet"]].filter(Boolean);
  const [what, views] = [0, 1].map((part) => lacks.map((lack) => lack[part]).join(" and "));
  return el(
    "p",
    { class: "notice" },
    `No ${what.replace(" and ", " or ")} came with these articles. Web pages, tables with the `,
    `columns published_at and publisher, and text files with --metadata also show ${views}.`,
  );
}

function outletRow(speaker, outlets) {
  const counts = countOutlets(speaker.quotes);
  const cell = (outlet) => {
    const count = counts.get(outlet);
    if (!count) return el("td", { class: "none" }, "·");
    const level = count > 9 ? 4 : count > 4 ? 3 : count > 1 ? 2 : 1;
    const href = link("statements", { speaker: speaker.key, outlet });
    return el("td", { class: `level-${level}` }, el("a", { href }, count));
  };
  return el("tr", {}, el("th", { scope: "row" }, speakerLink(speaker)), outlets.map(cell));
}
