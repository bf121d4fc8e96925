"""One annotated article for a terminal: statements coloured by posture, and who said what.

Everything from the article is escaped: rich markup is never interpreted, and control characters
and marks that turn the direction of text are shown as a replacement character.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from spacy.language import Language

from onrecord.annotation import annotate_articles, make_doc
from onrecord.records import Article, Span
from onrecord.tables import Row

# Colour is never the only sign: every statement carries its letter too.
SIGNS = {"defiant": "D", "conciliatory": "C", "mixed": "M", "neutral": "N"}
STYLES = {"defiant": "red", "conciliatory": "green", "mixed": "yellow", "neutral": "blue"}
_NO_STANCE = "?"
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]"
)
_STATEMENT_CHARS = 90
_SOURCE_CHARS = 40
# A title further down than this is not the headline of the text.
_TITLE_SEARCHED = 500
_LEAST_CHANGE = 0.02
_MOST_REASONS = 5


def safe(text: str) -> str:
    """The text with what could move or disguise the terminal's output made visible.

    The result is as long as the text, so that offsets hold.
    """
    return _UNSAFE.sub(lambda found: " " if found.group() == "\r" else "\ufffd", text)


def render_article(nlp: Language, article: Article) -> RenderableType:
    """The article's text, the table of its statements, and what went wrong.

    Args:
        nlp: the pipeline, from ``onrecord.load()``.
        article: the article, in whatever language it is.
    """
    tables = annotate_articles(nlp, [article], language="any").tables
    rows = {name: table.to_pylist() for name, table in tables.items()}
    quotes = rows["quotes"]
    parts: list[RenderableType] = []
    if article.title and article.title not in article.text[:_TITLE_SEARCHED]:
        parts += [Text(safe(article.title), style="bold"), Text("")]
    parts.append(_marked_text(article.text, rows["sentences"], quotes))
    parts += [Text(""), _legend(), Text("")]
    parts.append(_statements(article.text, quotes) if quotes else Text("No statement found."))
    parts.extend(_error_lines(rows["errors"]))
    return Group(*parts)


def render_reasons(nlp: Language, article: Article) -> RenderableType:
    """For each statement the words that moved its stance score most, and how far.

    Where a stage fails on the article, one line that says so.

    Args:
        nlp: the pipeline, with the learned encoder and stance stages.
        article: the article.
    """
    from onrecord.stages.stance_explanation import explain

    try:
        doc = nlp(make_doc(nlp, article))
    except Exception as error:  # noqa: BLE001 - any stage may raise anything
        problem = f"no reasons, for they need every stage: {type(error).__name__}: {error}"
        return Text(safe(problem), style="magenta")
    table = Table(title="Why", title_justify="left", title_style="bold")
    for name in ("", "posture", "words that raise defiance", "words that raise conciliation"):
        table.add_column(name)
    for number, attribution in enumerate(doc._.attributions, start=1):
        influences = explain(nlp, doc, attribution)
        label = attribution.stance.label if attribution.stance else ""
        table.add_row(
            str(number),
            Text(f"{SIGNS.get(label, _NO_STANCE)} {label}", style=STYLES.get(label, "default")),
            _moving(doc.text, [(found.span, found.defiance) for found in influences]),
            _moving(doc.text, [(found.span, found.conciliation) for found in influences]),
        )
    return table


def _moving(text: str, changes: Sequence[tuple[Span, float]]) -> Text:
    """The few words with the largest rise, as ``words +0.31``."""
    ordered = sorted(
        (change for change in changes if change[1] >= _LEAST_CHANGE), key=lambda c: -c[1]
    )
    return Text(
        ", ".join(
            f"{_shorten(text[span.start : span.end])} {change:+.2f}"
            for span, change in ordered[:_MOST_REASONS]
        )
    )


def _marked_text(text: str, sentences: Sequence[Row], quotes: Sequence[Row]) -> Text:
    shown = Text(safe(text))
    for sentence in sentences:
        if sentence["kind"] in ("headline", "heading"):
            shown.stylize("bold", sentence["start"], sentence["end"])
    ends: dict[int, list[int]] = {}
    for number, quote in enumerate(quotes, start=1):
        for start, end in quote["content_spans"]:
            shown.stylize(_style(quote), start, end)
        for start, end in quote["source_spans"]:
            shown.stylize("underline", start, end)
        if quote["content_spans"]:
            ends.setdefault(quote["content_spans"][-1][1], []).append(number)
    return _with_labels(shown, quotes, ends)


def _with_labels(shown: Text, quotes: Sequence[Row], ends: Mapping[int, Iterable[int]]) -> Text:
    """The text with ``[1 D]`` after the end of the first statement, and so on."""
    offsets = sorted(ends)
    whole = Text()
    for offset, piece in zip([*offsets, None], shown.divide(offsets), strict=True):
        whole.append_text(piece)
        for number in ends[offset] if offset is not None else ():
            quote = quotes[number - 1]
            whole.append(f" [{number} {_sign(quote)}]", style=f"bold {_style(quote)}")
    return whole


def _statements(text: str, quotes: Sequence[Row]) -> Table:
    table = Table(title="Who said what", title_justify="left", title_style="bold")
    for name in ("", "posture", "speaker", "statement"):
        table.add_column(name, no_wrap=name in ("", "posture"))
    table.add_column("score", justify="right")
    for number, quote in enumerate(quotes, start=1):
        posture = f"{_sign(quote)} {quote['stance'] or 'not scored'}"
        score = quote["stance_score"]
        table.add_row(
            str(number),
            Text(posture, style=_style(quote)),
            _speaker(quote),
            Text(_shorten(_pieces(text, quote["content_spans"]))),
            "" if score is None else f"{score:+.2f}",
        )
    return table


def _pieces(text: str, spans: Iterable[Sequence[int]]) -> str:
    """The pieces of a statement, with a sign where the reporter's words stand between them."""
    return " … ".join(text[start:end] for start, end in spans)


def _speaker(quote: Row) -> Text:
    source = quote["source"] and _shorten(quote["source"], _SOURCE_CHARS)
    if quote["speaker"] is None:
        return Text(f"unknown ({source})" if source else "unknown", style="dim")
    name = _shorten(quote["speaker"])
    return Text(name if source in (None, name) else f"{name} ({source})")


def _shorten(text: str, longest: int = _STATEMENT_CHARS) -> str:
    flat = " ".join(safe(text).split())
    return flat if len(flat) <= longest else flat[: longest - 1] + "…"


def _legend() -> Text:
    legend = Text()
    for stance, sign in SIGNS.items():
        legend.append(f"{sign} {stance}  ", style=STYLES[stance])
    legend.append("source", style="underline")
    return legend


def _error_lines(errors: Sequence[Row]) -> Iterable[Text]:
    for error in errors:
        yield Text(
            safe(f"{error['kind']} in {error['stage']}: {error['message']}"), style="magenta"
        )


def _sign(quote: Mapping[str, Any]) -> str:
    return SIGNS.get(quote["stance"], _NO_STANCE)


def _style(quote: Mapping[str, Any]) -> str:
    return STYLES.get(quote["stance"], "default")
