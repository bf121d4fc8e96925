"""``errors.html``: every mistake in its sentence, to be filtered and read in a browser.

One self-contained file. Article text is escaped, and the page's content security policy allows
its own style and script by checksum and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from itertools import pairwise

from onrecord.evaluation.errors import Mistake
from onrecord.records import Span

MOST_ON_PAGE = 5000
_FILTERS = ("setting", "layer", "problem", "kind", "publisher", "article_id")

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --gold: #2a7d46; --said: #b3541e; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.3rem; margin: 0 0 .3rem; }
form { position: sticky; top: 0; background: Canvas; padding: .6rem 0; display: flex; gap: .5rem;
  flex-wrap: wrap; border-bottom: 1px solid var(--line); }
select, input { font: inherit; max-width: 14rem; }
article { padding: .7rem 0; border-bottom: 1px solid var(--line); }
header, dl { font-size: .85rem; margin: 0; }
header b { margin-right: .5rem; }
p { margin: .25rem 0; white-space: pre-wrap; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 .6rem; }
dd { margin: 0; overflow-wrap: anywhere; }
mark { background: none; color: inherit; }
.g { border-bottom: 3px solid var(--gold); }
.p { background: color-mix(in srgb, var(--said) 22%, transparent); }
dt.gold { color: var(--gold); } dt.said { color: var(--said); }
[hidden] { display: none; }
"""

_SCRIPT = """
const form = document.querySelector("form");
const rows = [...document.querySelectorAll("article")];
const shown = document.querySelector("output");
function filter() {
  const words = form.elements.search.value.toLowerCase();
  const chosen = [...form.querySelectorAll("select")].filter(s => s.value !== "");
  let count = 0;
  for (const row of rows) {
    const kept = chosen.every(s => row.dataset[s.name] === s.value)
      && (words === "" || row.textContent.toLowerCase().includes(words));
    row.hidden = !kept;
    count += kept;
  }
  shown.textContent = count + " of " + rows.length;
}
form.addEventListener("input", filter);
form.addEventListener("submit", event => event.preventDefault());
filter();
"""


def render_errors(mistakes: Sequence[Mistake], title: str) -> str:
    """The page; at most 5,000 mistakes are on it, and it says so."""
    shown = mistakes[:MOST_ON_PAGE]
    left_out = len(mistakes) - len(shown)
    note = f" The first {MOST_ON_PAGE}; {left_out} more are in errors.parquet." if left_out else ""
    policy = (
        f"default-src 'none'; style-src '{_checksum(_STYLE)}'; script-src '{_checksum(_SCRIPT)}'"
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{escape(title)}</h1>\n"
        f'<p>{len(mistakes)} differences from gold.{note} <mark class="g">Gold</mark> is '
        'underlined, <mark class="p">predicted</mark> is shaded.</p>\n'
        f"{_form(shown)}\n<main>\n{''.join(map(_row, shown))}</main>\n"
        f"<script>{_SCRIPT}</script>\n</body>\n</html>\n"
    )


def _checksum(content: str) -> str:
    digest = hashlib.sha256(content.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _form(mistakes: Sequence[Mistake]) -> str:
    selects = []
    for name in _FILTERS:
        counts = Counter(str(v) for m in mistakes if (v := getattr(m, name)) is not None)
        if len(counts) < 2:
            continue
        options = "".join(
            f'<option value="{escape(value)}">{escape(value)} ({n})</option>'
            for value, n in sorted(counts.items())
        )
        label = name.replace("_id", "")
        selects.append(
            f'<select name="{_data_name(name)}" aria-label="{label}">'
            f'<option value="">every {label}</option>{options}</select>'
        )
    search = '<input type="search" name="search" placeholder="words" aria-label="words">'
    return f"<form>{''.join(selects)}{search}<output></output></form>"


def _data_name(name: str) -> str:
    """The name under which a script finds a data attribute."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _row(mistake: Mistake) -> str:
    data = "".join(
        f' data-{name.replace("_", "-")}="{escape(str(value))}"'
        for name in _FILTERS
        if (value := getattr(mistake, name)) is not None
    )
    score = "" if mistake.score is None else f" · score {mistake.score:.2f}"
    kind = "" if mistake.kind is None else f" · {escape(mistake.kind)}"
    return (
        f"<article{data}>\n<header><b>{escape(mistake.problem)}</b>{escape(mistake.layer)}{kind} · "
        f"{escape(mistake.setting)}{score} · {escape(mistake.article_id)} "
        f"{mistake.start}–{mistake.end}</header>\n"
        f'<p dir="auto">{_marked(mistake)}</p>\n<dl>{_said("gold", "gold", mistake.gold)}'
        f"{_said('predicted', 'said', mistake.predicted)}</dl>\n</article>\n"
    )


def _said(name: str, style: str, value: str | None) -> str:
    if value is None:
        return ""
    return f'<dt class="{style}">{name}</dt><dd dir="auto">{escape(value)}</dd>'


def _marked(mistake: Mistake) -> str:
    """The context, its gold and predicted spans marked."""
    offset, size = mistake.context_start, len(mistake.context)
    layers = {"g": mistake.gold_spans, "p": mistake.predicted_spans}
    inside = {name: list(_shift(spans, offset, size)) for name, spans in layers.items()}
    cuts = sorted(
        {0, size, *(edge for spans in inside.values() for span in spans for edge in span)}
    )
    pieces = []
    for start, end in pairwise(cuts):
        classes = [
            name
            for name, spans in inside.items()
            if any(span.start <= start and end <= span.end for span in spans)
        ]
        words = escape(mistake.context[start:end])
        pieces.append(f'<mark class="{" ".join(classes)}">{words}</mark>' if classes else words)
    return "".join(pieces)


def _shift(spans: Iterable[Span], offset: int, size: int) -> Iterable[Span]:
    """Spans relative to the context, as far as they lie in it."""
    for span in spans:
        start, end = max(span[0] - offset, 0), min(span[1] - offset, size)
        if start < end:
            yield Span(start, end)
