// Posture as drawings. Each has the same numbers as text beside it, so the drawing is decoration
// to a screen reader.

// Posture and score stand side by side, and need not have the same sign.
const SCORE_NOTE =
  "Posture: defiance and conciliation, each against a threshold of its own. Score: conciliation " +
  "minus defiance; even of a conciliatory statement it can be below zero.";

/** The letter of a stance in its shape and colour; the word comes with it. */
function sign(stance, withName = true) {
  const name = stance.name.replace(" ", "-");
  return el(
    "span",
    { class: `stance ${name}` },
    el("span", { class: "sign", "aria-hidden": "true" }, stance.sign),
    withName ? ` ${stance.name}` : hidden(stance.name),
  );
}

/**
 * Defiant to the left of the middle, conciliatory to the right; a mixed statement counts on both
 * sides, hatched.
 */
function divergingBar(counts, most) {
  const width = 200;
  const middle = width / 2;
  const scale = most ? (middle - 2) / most : 0;
  const bar = svg("svg", {
    class: "diverging",
    viewBox: `0 0 ${width} 18`,
    preserveAspectRatio: "none",
    "aria-hidden": "true",
  });
  const piece = (from, length, name) => {
    if (length <= 0) return;
    const x = Math.min(from, from + length);
    bar.append(svg("rect", { x, y: 2, width: length, height: 14, class: `fill-${name}` }));
  };
  const defiant = counts[DEFIANT] * scale;
  const conciliatory = counts[CONCILIATORY] * scale;
  const mixed = counts[MIXED] * scale;
  piece(middle - defiant, defiant, "defiant");
  piece(middle - defiant - mixed, mixed, "mixed");
  piece(middle, conciliatory, "conciliatory");
  piece(middle + conciliatory, mixed, "mixed");
  bar.append(svg("line", { x1: middle, x2: middle, y1: 0, y2: 18, class: "axis" }));
  return bar;
}

/** Shares of all statements as one bar, with a legend that gives the numbers. */
function shareBar(counts) {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const order = [DEFIANT, MIXED, NEUTRAL, CONCILIATORY, 4].filter((stance) => counts[stance]);
  const bar = svg("svg", {
    class: "share",
    viewBox: "0 0 1000 20",
    preserveAspectRatio: "none",
    "aria-hidden": "true",
  });
  let x = 0;
  for (const stance of order) {
    const width = (counts[stance] / total) * 1000;
    const name = (STANCES[stance] ?? NOT_SCORED).name.replace(" ", "-");
    bar.append(
      svg("rect", { x, y: 0, width: Math.max(width - 2, 1), height: 20, class: `fill-${name}` }),
    );
    x += width;
  }
  const legend = order.map((stance) =>
    el(
      "li",
      {},
      sign(STANCES[stance] ?? NOT_SCORED),
      ` ${counts[stance].toLocaleString("en")}`,
      el("span", { class: "quiet" }, ` ${percent(counts[stance] / total)}`),
    ),
  );
  return el("div", { class: "shares" }, bar, el("ul", { class: "legend" }, legend));
}

const DAY = 86_400_000;
const UNITS = {
  day: { days: 1, start: (date) => date },
  week: {
    days: 7,
    start: (date) => new Date(date - ((date.getUTCDay() + 6) % 7) * DAY),
  },
  month: {
    days: 30.4,
    start: (date) => new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1)),
  },
  year: { days: 365.25, start: (date) => new Date(Date.UTC(date.getUTCFullYear(), 0, 1)) },
};
const MOST_PERIODS = 40;

/** Statements counted by day, week, month or year, the finest that gives few enough columns. */
function byPeriod(quotes) {
  const dated = quotes.filter((quote) => quote.article.date);
  const days = dated.map((quote) => quote.article.date).sort();
  if (!days.length) return null;
  const span = (Date.parse(days.at(-1)) - Date.parse(days[0])) / DAY;
  const unit = Object.keys(UNITS).find((name) => span / UNITS[name].days < MOST_PERIODS) ?? "year";
  const label = (date) => UNITS[unit].start(date).toISOString().slice(0, 10);
  const periods = new Map();
  const last = label(new Date(Date.parse(days.at(-1))));
  for (let at = label(new Date(Date.parse(days[0]))); at <= last; ) {
    periods.set(at, []);
    // A third into the next period: safe from months of different length.
    at = label(new Date(Date.parse(at) + UNITS[unit].days * 1.34 * DAY + DAY / 2));
  }
  for (const quote of dated) periods.get(label(new Date(Date.parse(quote.article.date)))).push(quote);
  return { unit, undated: quotes.length - dated.length, periods: [...periods] };
}

function periodName(start, unit) {
  return start.slice(0, { day: 10, week: 10, month: 7, year: 4 }[unit]);
}

/** Conciliatory statements above the line, defiant ones below, mixed ones on both sides. */
function timeChart(quotes, whose) {
  const found = byPeriod(quotes);
  if (found === null) return el("p", { class: "quiet" }, "No dated statements.");
  const rows = found.periods.map(([start, some]) => [periodName(start, found.unit), tally(some)]);
  const note = found.undated
    ? ` ${plural(found.undated, "statement")} without a date left out.`
    : "";
  return el(
    "figure",
    { class: "time" },
    timeDrawing(rows),
    el(
      "figcaption",
      { class: "quiet" },
      `Statements of ${whose} by ${found.unit} (UTC): conciliatory above the line, defiant below, `,
      `mixed (hatched) on both sides.${note}`,
    ),
    timeTable(rows, found.unit),
  );
}

function timeDrawing(rows) {
  const width = Math.max(300, Math.min(1080, document.documentElement.clientWidth - 60));
  const [height, left, right, bottom] = [230, 30, 8, 22];
  const up = Math.max(...rows.map(([, counts]) => counts[CONCILIATORY] + counts[MIXED]), 1);
  const down = Math.max(...rows.map(([, counts]) => counts[DEFIANT] + counts[MIXED]), 1);
  const scale = (height - bottom - 10) / (up + down);
  const zero = 5 + up * scale;
  const step = (width - left - right) / rows.length;
  const thick = Math.min(step * 0.78, 46);
  const drawing = svg("svg", {
    class: "columns",
    viewBox: `0 0 ${width} ${height}`,
    "aria-hidden": "true",
  });
  const column = (x, y, length, name) => {
    if (length <= 0) return;
    drawing.append(svg("rect", { x, y, width: thick, height: length, class: `fill-${name}` }));
  };
  const every = Math.ceil(rows.length / ((width - left) / 95));
  rows.forEach(([name, counts], index) => {
    const x = left + index * step + (step - thick) / 2;
    const [defiant, conciliatory, mixed] = [DEFIANT, CONCILIATORY, MIXED].map(
      (stance) => counts[stance] * scale,
    );
    column(x, zero - conciliatory, conciliatory, "conciliatory");
    column(x, zero - conciliatory - mixed, mixed, "mixed");
    column(x, zero, defiant, "defiant");
    column(x, zero + defiant, mixed, "mixed");
    if (index % every) return;
    const middle = left + (index + 0.5) * step;
    const at = Math.min(Math.max(middle, 36), width - 36);
    drawing.append(svg("text", { x: at, y: height - 5, "text-anchor": "middle" }, name));
  });
  drawing.append(
    svg("line", { x1: left, x2: width - right, y1: zero, y2: zero, class: "axis" }),
    svg("text", { x: left - 6, y: 5 + 9, "text-anchor": "end" }, up),
    svg("text", { x: left - 6, y: zero + 4, "text-anchor": "end" }, 0),
    svg("text", { x: left - 6, y: zero + down * scale, "text-anchor": "end" }, down),
  );
  return drawing;
}

function timeTable(rows, unit) {
  const head = [unit, "defiant", "conciliatory", "mixed", "neutral"];
  const order = [DEFIANT, CONCILIATORY, MIXED, NEUTRAL];
  return el(
    "details",
    {},
    el("summary", {}, "The same as a table"),
    el(
      "table",
      { class: "numbers" },
      el("thead", {}, el("tr", {}, head.map((name) => el("th", { scope: "col" }, name)))),
      el(
        "tbody",
        {},
        rows
          .filter(([, counts]) => counts.some(Boolean))
          .map(([name, counts]) =>
            el(
              "tr",
              {},
              el("th", { scope: "row" }, name),
              order.map((stance) => el("td", {}, counts[stance])),
            ),
          ),
      ),
    ),
  );
}
