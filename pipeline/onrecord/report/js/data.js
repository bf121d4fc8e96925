// The tables of the run as the page uses them: articles, quotes and speakers that know each other.

const DATA = JSON.parse(document.getElementById("data").textContent);
const NOT_SCORED = { name: "not scored", sign: "?" };
const STANCES = DATA.run.stances.map((name) => ({ name, sign: name[0].toUpperCase() }));
const DEFIANT = DATA.run.stances.indexOf("defiant");
const CONCILIATORY = DATA.run.stances.indexOf("conciliatory");
const MIXED = DATA.run.stances.indexOf("mixed");
const NEUTRAL = DATA.run.stances.indexOf("neutral");

const ARTICLES = DATA.articles.id.map((id, index) => ({
  index,
  id,
  given: DATA.articles.title[index],
  author: DATA.articles.author[index],
  outlet: DATA.outlets[DATA.articles.outlet[index]] ?? null,
  time: DATA.articles.date[index],
  date: DATA.articles.date[index]?.slice(0, 10) ?? null,
  url: DATA.articles.url[index],
  path: DATA.articles.path[index],
  text: DATA.articles.text[index],
  quotes: [],
}));

// What the input said of its articles; what none of them has is not shown.
const HAS = {
  date: ARTICLES.some(({ date }) => date),
  outlet: ARTICLES.some(({ outlet }) => outlet),
};

const SPEAKERS = DATA.speakers.key.map((key, index) => ({
  index,
  key,
  name: DATA.speakers.name[index],
  label: DATA.speakers.label[index],
  kbId: DATA.speakers.kb_id[index],
  aliases: DATA.speakers.aliases[index],
  quotes: [],
}));

const QUOTES = DATA.quotes.article.map((article, index) => ({
  index,
  article: ARTICLES[article],
  number: DATA.quotes.id[index] + 1,
  kind: DATA.run.kinds[DATA.quotes.kind[index]],
  content: pairs(DATA.quotes.content[index]),
  cue: pairs(DATA.quotes.cue[index]),
  source: pairs(DATA.quotes.source[index]),
  speaker: SPEAKERS[DATA.quotes.speaker[index]] ?? null,
  how: DATA.quotes.hows[DATA.quotes.how[index]] ?? null,
  attributionScore: DATA.quotes.attribution_score[index],
  speakerScore: DATA.quotes.speaker_score[index],
  stance: DATA.quotes.stance[index],
  score: DATA.quotes.stance_score[index],
  defiance: DATA.quotes.p_defiance[index],
  conciliation: DATA.quotes.p_conciliation[index],
  model: DATA.quotes.models[DATA.quotes.model[index]] ?? null,
}));

for (const quote of QUOTES) {
  quote.article.quotes.push(quote);
  quote.speaker?.quotes.push(quote);
}
SPEAKERS.sort((a, b) => b.quotes.length - a.quotes.length || a.name.localeCompare(b.name));

function pairs(flat) {
  const spans = [];
  for (let at = 0; at < flat.length; at += 2) spans.push([flat[at], flat[at + 1]]);
  return spans;
}

function stanceOf(quote) {
  return STANCES[quote.stance] ?? NOT_SCORED;
}

function pieces(quote, part) {
  return quote[part].map(([start, end]) => quote.article.text.slice(start, end)).join(" … ");
}

// A statement is shown with the words between it and its cue and source if they are this near.
const NEAR = 160;

/** The content of a statement among the reporter's words around it, which are set apart. */
function inContext(quote, length) {
  const ends = [...quote.content, ...quote.cue, ...quote.source].flat();
  const [first, last] = [Math.min(...ends), Math.max(...ends)];
  const said = quote.content.reduce((sum, [start, end]) => sum + end - start, 0);
  if (last - first > said + NEAR) return cut(pieces(quote, "content"), length);
  const nodes = [];
  let full = false;
  const put = (start, end, isContent) => {
    const room = Math.max(0, length - (start - first));
    const text = quote.article.text.slice(start, end).replace(/\s+/g, " ");
    if (!text || full) return;
    full = text.length > room;
    const shown = full ? `${text.slice(0, room)}…` : text;
    nodes.push(isContent ? shown : el("span", { class: "around" }, shown));
  };
  let at = first;
  for (const [start, end] of quote.content) {
    put(at, start, false);
    put(start, end, true);
    at = end;
  }
  put(at, last, false);
  return nodes;
}

/** What to call an article: its title, else how its text begins. */
function titleOf(article) {
  article.title ??=
    article.given || cut(article.text.slice(0, 300).trim().split("\n")[0], 90) || article.id;
  return article.title;
}

/** Speaker as shown: the name, else the source's words, else that nobody is named. */
function speakerName(quote) {
  if (quote.speaker) return quote.speaker.name;
  return quote.source.length ? `unknown (${cut(pieces(quote, "source"), 60)})` : "unknown";
}

/** Lower case without accents, so that "Nicolas" finds "Nicolás". */
function folded(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

/** How many statements of each stance; the last number counts those without one. */
function tally(quotes) {
  const counts = [0, 0, 0, 0, 0];
  for (const quote of quotes) counts[quote.stance < 0 ? 4 : quote.stance] += 1;
  return counts;
}

/** The address of a view inside the page, with its filters. */
function link(view, filters = {}) {
  const query = new URLSearchParams(
    Object.entries(filters).filter(([, value]) => value !== "" && value !== null),
  ).toString();
  return `#/${view}${query ? `?${query}` : ""}`;
}

function articleLink(article, quote = null) {
  return link(`article/${encodeURIComponent(article.id)}`, quote ? { statement: quote.number } : {});
}
