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

from onrecord.tables import Row

# Colour is never the only sign: every statement carries its letter too.
SIGNS = {"defiant": "D", "conciliatory": "C", "mixed": "M", "neutral": "N"}
STYLES = {"defiant": "red", "conciliatory": "green", "mixed": "yellow", "neutral": "blue"}
_NO_STANCE = "?"
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]"
)
_STATEMENT_CHARS = 90


def safe(text: str) -> str:
    """The text with what could move or disguise the terminal's output made visible.

    The result is as long as the text, so that offsets hold.
    """
    return _UNSAFE.sub(lambda found: " " if found.group() == "\r" else "\ufffd", text)


def render_article(
    article: Row, sentences: Sequence[Row], quotes: Sequence[Row], errors: Sequence[Row] = ()
) -> RenderableType:
    """The article's text, the table of its statements, and what went wrong.

    Args:
        article: its row of ``articles``.
        sentences: its rows of ``sentences``.
        quotes: its rows of ``quotes``.
        errors: its rows of ``errors``.
    """
    parts: list[RenderableType] = []
    if article["title"] and article["title"] not in article["text"][:500]:
        parts += [Text(safe(article["title"]), style="bold"), Text("")]
    parts.append(_marked_text(article["text"], sentences, quotes))
    parts += [Text(""), _legend(), Text("")]
    parts.append(_statements(quotes) if quotes else Text("No statement found."))
    parts.extend(_error_lines(errors))
    return Group(*parts)


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


def _statements(quotes: Sequence[Row]) -> Table:
    table = Table(title="Who said what", title_justify="left", title_style="bold")
    for name in ("", "posture", "speaker", "statement"):
        table.add_column(name, no_wrap=name in ("", "posture"))
    table.add_column("stance", justify="right")
    for number, quote in enumerate(quotes, start=1):
        posture = f"{_sign(quote)} {quote['stance'] or 'not scored'}"
        score = quote["stance_score"]
        table.add_row(
            str(number),
            Text(posture, style=_style(quote)),
            _speaker(quote),
            Text(_shorten(quote["text"])),
            "" if score is None else f"{score:+.2f}",
        )
    return table


def _speaker(quote: Row) -> Text:
    source = quote["source"]
    if quote["speaker"] is None:
        return Text(f"unknown ({safe(source)})" if source else "unknown", style="dim")
    name = safe(quote["speaker"])
    return Text(name if source in (None, quote["speaker"]) else f"{name} ({safe(source)})")


def _shorten(text: str) -> str:
    flat = " ".join(safe(text).split())
    return flat if len(flat) <= _STATEMENT_CHARS else flat[: _STATEMENT_CHARS - 1] + "…"


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
