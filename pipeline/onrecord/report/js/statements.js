// The table of statements: filtered, sorted, a page at a time. Its state is the page's address, so
// that the back button and a copied link work.

const ROWS = 50;
const UNKNOWN = "?";
// Orders by name: what they go by, null where a statement has no such thing.
const SORTS = {
  date: { title: "Date (UTC)", of: (quote) => quote.article.time, down: true },
  speaker: { title: "Speaker", of: (quote) => quote.speaker && folded(quote.speaker.name) },
  posture: { title: "Posture", of: (quote) => (quote.stance < 0 ? null : quote.stance) },
  score: { title: "Score", of: (quote) => quote.score },
  kind: { title: "Kind", of: (quote) => quote.kind },
  sure: { title: "Certainty", of: (quote) => quote.attributionScore, down: true },
  outlet: { title: "Outlet", of: (quote) => quote.article.outlet && folded(quote.article.outlet) },
};
// Filters by name: whether a statement passes, given what was chosen.
const FILTERS = {
  q: (quote, words) => words.every((word) => haystack(quote).includes(word)),
  speaker: (quote, key) => (key === UNKNOWN ? !quote.speaker : quote.speaker?.key === key),
  posture: (quote, name) => stanceOf(quote).name === name,
  kind: (quote, kind) => quote.kind === kind,
  outlet: (quote, outlet) => quote.article.outlet === outlet,
  from: (quote, day) => quote.article.date !== null && quote.article.date >= day,
  to: (quote, day) => quote.article.date !== null && quote.article.date <= day,
  least: (quote, score) => quote.attributionScore >= score,
  low: (quote, score) => quote.score !== null && shownScore(quote) >= score,
  high: (quote, score) => quote.score !== null && shownScore(quote) <= score,
};
const NUMBERS = ["least", "low", "high"];

/** The score as the table shows it, so that what reads +0.85 is at least 0.85. */
function shownScore(quote) {
  return Number(quote.score.toFixed(2));
}

/** The newest first; in the order of the articles where there are no dates. */
function usualSort() {
  return HAS.date ? "date" : "";
}

function haystack(quote) {
  quote.folded ??= folded(
    [
      ...["content", "cue", "source"].map((part) => pieces(quote, part)),
      quote.speaker?.name ?? "",
      titleOf(quote.article),
    ].join(" "),
  );
  return quote.folded;
}

function filtered(filters) {
  const chosen = Object.entries(filters)
    .filter(([name, value]) => Object.hasOwn(FILTERS, name) && value !== "")
    .map(([name, value]) => {
      if (name === "q") return [FILTERS.q, folded(value).split(/\s+/).filter(Boolean)];
      return [FILTERS[name], NUMBERS.includes(name) ? Number(value) : value];
    });
  return QUOTES.filter((quote) => chosen.every(([passes, value]) => passes(quote, value)));
}

/** What the address asks to sort by, if there is such an order. */
function sortOf({ sort = "" }) {
  return Object.hasOwn(SORTS, sort) && HAS[sort] !== false ? sort : usualSort();
}

function isDown(state) {
  return state.order ? state.order === "down" : Boolean(SORTS[sortOf(state)]?.down);
}

function sorted(quotes, state) {
  const by = SORTS[sortOf(state)] ?? { of: (quote) => quote.index };
  const way = isDown(state) ? -1 : 1;
  const rows = quotes.map((quote) => [by.of(quote), quote]);
  rows.sort(([a, x], [b, y]) => {
    // What has no value comes last, whichever way.
    const missing = (a === null) - (b === null);
    return missing || (a < b ? -way : a > b ? way : 0) || x.index - y.index;
  });
  return rows.map(([, quote]) => quote);
}

function statements(filters) {
  const state = { ...filters };
  const results = el("div", { class: "results" });
  const count = el("p", { class: "count", role: "status" });
  const about = el("div");
  const introduce = () => {
    const speaker = SPEAKERS.find(({ key }) => key === state.speaker);
    const heading = speaker ? cut(speaker.name, 120) : "Statements";
    about.replaceChildren(
      el("h1", { class: speaker ? "" : "hidden" }, heading),
      speaker ? speakerCard(speaker) : "",
    );
  };
  const refresh = () => {
    const rows = sorted(filtered(state), state);
    const pages = Math.max(1, Math.ceil(rows.length / ROWS));
    const page = Math.min(Math.max(1, Number(state.page) || 1), pages);
    count.textContent = `${plural(rows.length, "statement")} of ${QUOTES.length.toLocaleString("en")}`;
    const shown = rows.slice((page - 1) * ROWS, page * ROWS);
    results.replaceChildren(
      rows.length ? statementTable(shown, state, change) : nothingFound(),
      pages > 1 ? pager(page, pages, (next) => change({ page: next }, ".results")) : "",
    );
  };
  const change = (changed, focus = null) => {
    if (!results.isConnected) return;
    Object.assign(state, { page: "" }, changed);
    replaceAddress(link("statements", state));
    refresh();
    if ("speaker" in changed) {
      introduce();
      nameTab();
    }
    if (focus) {
      results.scrollIntoView({ block: "start" });
      results.querySelector(focus === ".results" ? "a" : focus)?.focus({ preventScroll: true });
    }
  };
  introduce();
  refresh();
  return [
    about,
    filterForm(state, change),
    count,
    results,
    el("p", { class: "quiet" }, SCORE_NOTE),
  ];
}

function nothingFound() {
  return el(
    "p",
    { class: "notice" },
    "No statement passes these filters. ",
    el("a", { href: link("statements") }, "Clear all filters"),
  );
}

const SCORE_INPUT = { type: "number", min: -1, max: 1, step: 0.05, placeholder: "−1 to 1" };

function filterForm(state, change) {
  const field = (name, label, control) =>
    el("div", { class: `field ${name}` }, el("label", { for: `f-${name}` }, label), control);
  const input = (name, attributes) =>
    el("input", {
      id: `f-${name}`,
      value: state[name] ?? "",
      oninput: later((event) => change({ [name]: event.target.value })),
      ...attributes,
    });
  const choice = (name, options) => {
    const select = el(
      "select",
      { id: `f-${name}`, onchange: (event) => change({ [name]: event.target.value }) },
      el("option", { value: "" }, "any"),
      options.map(([value, text]) => el("option", { value }, text)),
    );
    select.value = state[name] ?? "";
    return select;
  };
  const stances = [...STANCES, ...(QUOTES.some(({ stance }) => stance < 0) ? [NOT_SCORED] : [])];
  const outlets = [...new Set(ARTICLES.map(({ outlet }) => outlet).filter(Boolean))].sort();
  const open = Object.keys(FILTERS).some((name) => name !== "q" && state[name]);
  const toggle = el("button", { type: "button", class: "toggle", "aria-expanded": open }, "Filters");
  toggle.addEventListener("click", () => {
    const isFolded = toggle.closest("form").classList.toggle("folded");
    toggle.setAttribute("aria-expanded", !isFolded);
  });
  return el(
    "form",
    {
      class: `filters card ${open ? "" : "folded"}`,
      role: "search",
      "aria-label": "Filter statements",
      onsubmit: (event) => event.preventDefault(),
    },
    field("q", "Search", input("q", { type: "search", placeholder: "words in statement, source or title" })),
    toggle,
    field("speaker", "Speaker", choice("speaker", speakerOptions())),
    field("posture", "Posture", choice("posture", stances.map((stance) => [stance.name, `${stance.sign} ${stance.name}`]))),
    field("low", "Score at least", input("low", SCORE_INPUT)),
    field("high", "Score at most", input("high", SCORE_INPUT)),
    field("kind", "Kind", choice("kind", DATA.run.kinds.map((kind) => [kind, kind]))),
    field("least", "Certainty at least", choice("least", [0.5, 0.7, 0.9].map((score) => [score, percent(score)]))),
    outlets.length > 0 && field("outlet", "Outlet", choice("outlet", outlets.map((name) => [name, cut(name, 60)]))),
    HAS.date && field("from", "From (UTC)", input("from", { type: "date" })),
    HAS.date && field("to", "To (UTC)", input("to", { type: "date" })),
    field("sort", "Sort by", sortChoice(state, change)),
    el("a", { class: "clear", href: link("statements") }, "Clear all"),
  );
}

function speakerOptions() {
  const unknown = QUOTES.length - SPEAKERS.reduce((sum, { quotes }) => sum + quotes.length, 0);
  const named = SPEAKERS.map(({ key, name, quotes }) => [key, `${cut(name, 60)} (${quotes.length})`]);
  return unknown ? [[UNKNOWN, `unknown (${unknown})`], ...named] : named;
}

function sortChoice(state, change) {
  const select = el(
    "select",
    { id: "f-sort", onchange: (event) => change({ sort: event.target.value, order: "" }) },
    !HAS.date && el("option", { value: "" }, "order of the articles"),
    Object.entries(SORTS)
      .filter(([name]) => HAS[name] !== false)
      .map(([name, { title }]) => el("option", { value: name }, title)),
  );
  select.value = sortOf(state);
  return select;
}

function statementTable(quotes, state, change) {
  const [current, down] = [sortOf(state), isDown(state)];
  const head = (name) => {
    if (!(name in SORTS)) return el("th", { scope: "col" }, name);
    const active = name === current;
    const order = active ? (down ? "up" : "down") : "";
    return el(
      "th",
      { scope: "col", class: name, "aria-sort": active ? (down ? "descending" : "ascending") : null },
      el(
        "button",
        {
          type: "button",
          "data-sort": name,
          onclick: () => {
            document.getElementById("f-sort").value = name;
            change({ sort: name, order }, `[data-sort=${name}]`);
          },
        },
        SORTS[name].title,
        el("span", { class: "arrow", "aria-hidden": "true" }, active ? (down ? "▼" : "▲") : "↕"),
      ),
    );
  };
  const columns = ["speaker", "posture", "score", "Statement", "kind", "sure", "outlet", "date"];
  const shown = columns.filter((name) => HAS[name] !== false);
  return el(
    "table",
    { class: "statements" },
    el("caption", { class: "hidden" }, "Statements that pass the filters"),
    el("thead", {}, el("tr", {}, shown.map(head))),
    el("tbody", {}, quotes.map(statementRow)),
  );
}

function statementRow(quote) {
  const { article } = quote;
  return el(
    "tr",
    { class: `edge-${stanceOf(quote).name.replace(" ", "-")}` },
    el("td", { class: "speaker" }, quote.speaker ? speakerLink(quote.speaker) : speakerName(quote)),
    el("td", { class: "posture" }, sign(stanceOf(quote))),
    el("td", { class: "score number" }, signed(quote.score)),
    el(
      "td",
      { class: "text" },
      el("a", { class: "statement", href: articleLink(article, quote) }, inContext(quote, 320)),
      el("span", { class: "quiet title" }, cut(titleOf(article), 120)),
    ),
    el("td", { class: "kind" }, quote.kind),
    el("td", { class: "sure number" }, percent(quote.attributionScore)),
    HAS.outlet && el("td", { class: "outlet" }, article.outlet ? cut(article.outlet, 40) : "–"),
    HAS.date && el("td", { class: "date" }, article.date ? el("span", { class: "day" }, article.date) : "–"),
  );
}

const LABELS = {
  PERSON: "person",
  ORG: "organisation",
  GPE: "country, state or town",
  NORP: "nationality or group",
  LOC: "place",
  FAC: "building or site",
};

function speakerCard(speaker) {
  const counts = tally(speaker.quotes);
  const facts = [
    Object.hasOwn(LABELS, speaker.label) ? LABELS[speaker.label] : speaker.label,
    speaker.kbId,
    speaker.aliases.length && `also as ${speaker.aliases.slice(0, 6).map((name) => cut(name, 40)).join(", ")}`,
    `${plural(speaker.quotes.length, "statement")} in ${plural(new Set(speaker.quotes.map(({ article }) => article)).size, "article")}`,
  ].filter(Boolean);
  const days = new Set(speaker.quotes.map(({ article }) => article.date).filter(Boolean));
  return el(
    "section",
    { class: "card", "aria-label": `About ${cut(speaker.name, 80)}` },
    el("p", { class: "quiet" }, facts.join(" · ")),
    shareBar(counts),
    days.size > 1 && timeChart(speaker.quotes, cut(speaker.name, 60)),
  );
}

function pager(page, pages, go) {
  const button = (text, to) =>
    el("button", { type: "button", disabled: to < 1 || to > pages, onclick: () => go(to) }, text);
  return el(
    "nav",
    { class: "pager", "aria-label": "Pages" },
    button("‹ Previous", page - 1),
    el("span", {}, `Page ${page} of ${pages.toLocaleString("en")}`),
    button("Next ›", page + 1),
  );
}

/** Wait for a pause in typing. */
function later(run) {
  let timer = 0;
  return (event) => {
    clearTimeout(timer);
    timer = setTimeout(() => run(event), 120);
  };
}
