// Which view the address asks for.

function replaceAddress(address) {
  history.replaceState(null, "", address);
}

function address() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const filters = Object.fromEntries(new URLSearchParams(query));
  const [view, id = ""] = path.split("/");
  return { view: view || "overview", id, filters };
}

function decoded(id) {
  try {
    return decodeURIComponent(id);
  } catch {
    return id;
  }
}

const VIEWS = {
  overview: () => overview(),
  statements: ({ filters }) => statements(filters),
  articles: ({ filters }) => articleList(filters),
  article: ({ id, filters }) => articleView(decoded(id), filters),
  problems: () => problems(),
};

function render() {
  const asked = address();
  const view = Object.hasOwn(VIEWS, asked.view) ? asked.view : "overview";
  document.getElementById("details").hidden = true;
  append(main, [main.replaceChildren(), ...VIEWS[view](asked)]);
  for (const tab of document.querySelectorAll("[data-view]")) {
    const here = tab.dataset.view === (view === "article" ? "articles" : view);
    if (here) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
  nameTab();
}

/** The tab is called as the view is headed. */
function nameTab() {
  const heading = main.querySelector("h1")?.textContent ?? "";
  document.title = `${cut(heading, 80)} - ${safe(DATA.run.name)} - onrecord`;
}

const main = document.getElementById("main");
document.querySelector("[data-view=problems]").hidden = !DATA.run.errors;
append(document.getElementById("run"), [
  el("b", {}, DATA.run.name),
  DATA.run.finished && ` · ${utc(DATA.run.finished.slice(0, 10))}`,
  DATA.run.version && ` · version ${DATA.run.version}`,
]);
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
addEventListener("hashchange", () => {
  render();
  if (!address().filters.statement) {
    scrollTo(0, 0);
    main.focus({ preventScroll: true });
  }
});
render();
