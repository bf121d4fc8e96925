// One article: the text as the reporter wrote it, marked; and the list of articles.

/**
 * The text cut at every boundary of every span, each piece with what covers it. Spans may overlap
 * and nest; a piece is coloured by the smallest statement that covers it.
 */
function segments(article) {
  const spans = [];
  const flat = (numbers, size, make) => {
    for (let at = 0; at < numbers.length; at += size) spans.push(make(numbers.slice(at, at + size)));
  };
  flat(DATA.articles.headings[article.index], 3, ([start, end, kind]) => ({
    start,
    end,
    part: DATA.run.headings[kind],
  }));
  flat(DATA.articles.entities[article.index], 4, ([start, end, label, name]) => ({
    start,
    end,
    part: "entity",
    title: [DATA.names[name], DATA.labels[label]].filter(Boolean).join(", "),
  }));
  for (const quote of article.quotes) {
    for (const part of ["content", "cue", "source"]) {
      for (const [start, end] of quote[part]) spans.push({ start, end, part, quote });
    }
  }
  const opening = new Map();
  const closing = new Map();
  const put = (map, at, span) => map.set(at, [...(map.get(at) ?? []), span]);
  for (const span of spans) {
    put(opening, span.start, span);
    put(closing, span.end, span);
  }
  const cuts = [...new Set([0, article.text.length, ...opening.keys(), ...closing.keys()])];
  cuts.sort((a, b) => a - b);
  const open = new Set();
  return cuts.slice(0, -1).map((start, index) => {
    for (const span of closing.get(start) ?? []) open.delete(span);
    for (const span of opening.get(start) ?? []) open.add(span);
    return { start, end: cuts[index + 1], spans: [...open] };
  });
}

function extent(quote) {
  const ends = [...quote.content, ...quote.cue, ...quote.source].flat();
  return Math.max(...ends) - Math.min(...ends);
}

function smallest(spans) {
  return spans.reduce((best, span) => (best && extent(best) <= extent(span.quote) ? best : span.quote), null);
}

function pieceNode(article, { start, end, spans }) {
  const text = article.text.slice(start, end);
  const parts = (name) => spans.filter(({ part }) => part === name);
  const ofQuotes = spans.filter(({ quote }) => quote);
  const content = smallest(parts("content"));
  const owner = smallest(ofQuotes);
  const classes = [
    content && `said ${stanceOf(content).name.replace(" ", "-")}`,
    parts("content").length > 1 && "nested",
    ...["cue", "source", "entity", ...DATA.run.headings].map((name) => parts(name).length && name),
  ].filter(Boolean);
  if (!classes.length) return document.createTextNode(safe(text));
  return el(
    content ? "mark" : "span",
    {
      class: classes.join(" "),
      title: owner ? null : parts("entity")[0]?.title,
      "data-statement": owner?.number,
    },
    text,
  );
}

function markedText(article, details) {
  const body = el("div", { class: "text" });
  const starts = new Map();
  for (const quote of [...article.quotes].sort((a, b) => extent(b) - extent(a))) {
    const at = quote.content[0]?.[0];
    starts.set(at, [...(starts.get(at) ?? []), quote]);
  }
  let before = null;
  for (const segment of segments(article)) {
    const begun = starts.get(segment.start) ?? [];
    for (const quote of begun) body.append(badge(quote, details));
    const content = smallest(segment.spans.filter(({ part }) => part === "content"));
    if (content && content !== before && !begun.includes(content)) body.append(signAgain(content));
    before = content;
    body.append(pieceNode(article, segment));
  }
  const statementAt = (event) => event.target.closest?.("[data-statement]");
  body.addEventListener("mouseover", (event) => {
    const node = statementAt(event);
    if (node) details.show(Number(node.dataset.statement), node);
    else details.hideSoon();
  });
  body.addEventListener("mouseleave", () => details.hideSoon());
  body.addEventListener("click", (event) => {
    const node = statementAt(event);
    if (node && getSelection().isCollapsed) details.show(Number(node.dataset.statement), node);
  });
  return body;
}

/** The focusable sign at which a statement begins; it says who and how to a screen reader. */
function badge(quote, details) {
  const stance = stanceOf(quote);
  return el(
    "button",
    {
      type: "button",
      class: `badge ${stance.name.replace(" ", "-")}`,
      id: `badge-${quote.number}`,
      "data-statement": quote.number,
      "aria-label":
        `Statement ${quote.number}: ${speakerName(quote)}, ${stance.name}, score ${signed(quote.score)}, ` +
        `defiance ${percent(quote.defiance)}, conciliation ${percent(quote.conciliation)}, ${quote.kind}`,
      "aria-describedby": "details",
      onfocus: (event) => details.show(quote.number, event.currentTarget),
      onblur: () => details.hideSoon(),
    },
    stance.sign,
  );
}

/** The sign where a statement goes on after other words: a screen reader has met it already. */
function signAgain(quote) {
  const stance = stanceOf(quote);
  return el(
    "span",
    {
      class: `badge again ${stance.name.replace(" ", "-")}`,
      "data-statement": quote.number,
      "aria-hidden": "true",
    },
    `…${stance.sign}`,
  );
}

/** The box that appears at a statement: speaker, scores, model. Escape closes it. */
function detailsBox(article) {
  const box = document.getElementById("details");
  let timer = 0;
  let shown = null;
  const light = (number, on) => {
    for (const node of document.querySelectorAll(`[data-statement="${number}"]`)) {
      node.classList.toggle("on", on);
    }
  };
  const hide = () => {
    clearTimeout(timer);
    if (shown !== null) light(shown, false);
    shown = null;
    box.hidden = true;
  };
  const hideSoon = () => {
    clearTimeout(timer);
    timer = setTimeout(hide, 250);
  };
  const show = (number, node) => {
    clearTimeout(timer);
    if (shown !== number) {
      hide();
      shown = number;
      light(number, true);
      box.replaceChildren(...detailsOf(article.quotes.find((quote) => quote.number === number)));
      box.hidden = false;
    }
    place(box, node);
  };
  box.onmouseenter = () => clearTimeout(timer);
  box.onmouseleave = hideSoon;
  // Of the document: a box that the pointer opened is closed wherever the focus is.
  document.onkeydown = (event) => {
    if (event.key === "Escape") hide();
  };
  return { show, hide, hideSoon };
}

function place(box, node) {
  const rect = node.getClientRects()[0] ?? node.getBoundingClientRect();
  const left = Math.max(8, Math.min(rect.left, document.documentElement.clientWidth - box.offsetWidth - 8));
  const below = rect.bottom + 6 + box.offsetHeight < innerHeight;
  box.style.left = `${left + scrollX}px`;
  box.style.top = `${(below ? rect.bottom + 6 : Math.max(4, rect.top - box.offsetHeight - 6)) + scrollY}px`;
}

function detailsOf(quote) {
  const fact = (name, value) => [el("dt", {}, name), el("dd", {}, value)];
  return [
    el(
      "p",
      { class: "who" },
      sign(stanceOf(quote)),
      " · ",
      quote.speaker ? speakerLink(quote.speaker) : speakerName(quote),
    ),
    el(
      "dl",
      {},
      fact("Stance", `${signed(quote.score)} (defiance ${percent(quote.defiance)}, conciliation ${percent(quote.conciliation)})`),
      fact("Statement", `${quote.kind}, certainty ${percent(quote.attributionScore)}`),
      quote.speaker && fact("Speaker", `by ${quote.how ?? "?"}, certainty ${percent(quote.speakerScore)}`),
      quote.cue.length > 0 && fact("Cue", cut(pieces(quote, "cue"), 80)),
      quote.source.length > 0 && fact("Source", cut(pieces(quote, "source"), 120)),
      quote.model && fact("Model", quote.model),
    ),
  ];
}

function articleView(id, { statement = "" }) {
  const article = ARTICLES.find((candidate) => candidate.id === id);
  if (!article) {
    return [el("h1", {}, "No such article"), el("p", { class: "notice" }, `This page holds no article ${id}.`)];
  }
  const details = detailsBox(article);
  const text = markedText(article, details);
  const title = titleOf(article);
  const inText = article.text.slice(0, 600).includes(title) || !article.given;
  const size = title.length > 160 ? " long" : "";
  if (statement) queueMicrotask(() => goTo(statement));
  return [
    el(
      "article",
      { class: "article" },
      el(
        "div",
        { class: "paper card" },
        el("h1", { class: inText ? "hidden" : `title-line${size}` }, title),
        byline(article),
        legend(),
        text,
      ),
      el(
        "aside",
        { "aria-labelledby": "said" },
        el("h2", { id: "said" }, "Who says what"),
        article.quotes.length
          ? el("ol", { class: "said-list" }, article.quotes.map(saidItem))
          : el("p", { class: "quiet" }, "No statement found."),
        named(article),
      ),
    ),
  ];
}

function byline(article) {
  const web = /^https?:\/\//i.test(article.url ?? "");
  const facts = [article.outlet, article.author, article.date && utc(article.date)].filter(Boolean).map((fact) => cut(fact, 120));
  return el(
    "p",
    { class: "byline quiet" },
    facts.join(" · "),
    facts.length > 0 && " · ",
    web
      ? el("a", { href: article.url, rel: "noreferrer noopener", target: "_blank" }, cut(article.url, 80))
      : cut(article.path || article.id, 120),
  );
}

function legend() {
  return el(
    "p",
    { class: "marks quiet", "aria-label": "How the text is marked" },
    [...STANCES].map((stance) => [sign(stance), " "]),
    el("span", { class: "cue" }, "cue"),
    " ",
    el("span", { class: "source" }, "source"),
    " ",
    el("span", { class: "entity" }, "named entity"),
    el("span", { class: "note" }, SCORE_NOTE),
  );
}

function saidItem(quote) {
  return el(
    "li",
    { class: `edge-${stanceOf(quote).name.replace(" ", "-")}`, id: `said-${quote.number}` },
    el(
      "p",
      {},
      sign(stanceOf(quote)),
      whole(" ", signed(quote.score)),
      " · ",
      quote.speaker ? speakerLink(quote.speaker) : speakerName(quote),
    ),
    el(
      "button",
      { type: "button", class: "jump", onclick: () => goTo(quote.number) },
      cut(pieces(quote, "content"), 140),
    ),
  );
}

function goTo(number) {
  const target = document.getElementById(`badge-${number}`);
  target?.scrollIntoView({ block: "center" });
  target?.focus({ preventScroll: true });
}

function named(article) {
  const counts = new Map();
  const flat = DATA.articles.entities[article.index];
  for (let at = 0; at < flat.length; at += 4) {
    const name = DATA.names[flat[at + 3]];
    if (name) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  if (!counts.size) return null;
  const names = [...counts].sort(([a, m], [b, n]) => n - m || a.localeCompare(b)).slice(0, 20);
  return [
    el("h2", {}, "Who and what is named"),
    el("ul", { class: "named" }, names.map(([name, count]) => el("li", {}, cut(name, 60), el("span", { class: "quiet" }, ` ${count}`)))),
  ];
}

const ARTICLE_ROWS = 50;

function articleList({ q = "", page = "" }) {
  const state = { q, page };
  const results = el("div", { class: "results" });
  const count = el("p", { class: "count", role: "status" });
  const refresh = () => {
    const words = folded(state.q).split(/\s+/).filter(Boolean);
    const found = ARTICLES.filter((article) => {
      article.folded ??= folded(`${titleOf(article)} ${article.outlet ?? ""} ${article.author ?? ""}`);
      return words.every((word) => article.folded.includes(word));
    });
    const pages = Math.max(1, Math.ceil(found.length / ARTICLE_ROWS));
    const at = Math.min(Math.max(1, Number(state.page) || 1), pages);
    count.textContent = `${plural(found.length, "article")} of ${ARTICLES.length.toLocaleString("en")}`;
    results.replaceChildren(
      el("ol", { class: "articles" }, found.slice((at - 1) * ARTICLE_ROWS, at * ARTICLE_ROWS).map(articleItem)),
      pages > 1 ? pager(at, pages, (next) => change({ page: next })) : "",
    );
  };
  const change = (changed) => {
    if (!results.isConnected) return;
    Object.assign(state, { page: "" }, changed);
    replaceAddress(link("articles", state));
    refresh();
    if (changed.page) {
      results.scrollIntoView({ block: "start" });
      results.querySelector("a")?.focus({ preventScroll: true });
    }
  };
  refresh();
  return [
    el("h1", { class: "hidden" }, "Articles"),
    el(
      "form",
      { class: "filters card", role: "search", "aria-label": "Find articles", onsubmit: (event) => event.preventDefault() },
      el(
        "div",
        { class: "field q" },
        el("label", { for: "a-q" }, "Search"),
        el("input", {
          id: "a-q",
          type: "search",
          value: q,
          placeholder: "words in title, outlet or author",
          oninput: later((event) => change({ q: event.target.value })),
        }),
      ),
    ),
    count,
    results,
  ];
}

function articleItem(article) {
  const counts = tally(article.quotes);
  return el(
    "li",
    { class: "card" },
    el("a", { class: "title", href: articleLink(article) }, cut(titleOf(article), 240)),
    el(
      "p",
      { class: "quiet" },
      [article.outlet && cut(article.outlet, 60), article.author && cut(article.author, 60), article.date && whole(utc(article.date))].filter(Boolean).map((fact) => [fact, " · "]),
      plural(article.quotes.length, "statement"),
      STANCES.map((stance, index) => counts[index] > 0 && [" ", whole(sign(stance, false), ` ${counts[index]}`)]),
    ),
  );
}

function problems() {
  const left = DATA.run.errors - DATA.errors.length;
  return [
    el("h1", {}, "Problems"),
    el("p", { class: "quiet" }, "Articles and inputs that were not done in full, and why."),
    el(
      "ul",
      { class: "problems" },
      DATA.errors.map(([kind, stage, path, message]) =>
        el(
          "li",
          { class: "card" },
          el("b", {}, kind),
          ` in ${stage}: `,
          cut(path ?? "", 200),
          el("p", {}, cut(message ?? "", 600)),
        ),
      ),
    ),
    left > 0 && el("p", { class: "quiet" }, `${left.toLocaleString("en")} more in the table errors.`),
  ];
}
