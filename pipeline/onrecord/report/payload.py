"""What the report page embeds: the tables of a run, made small and safe to put into HTML.

Strings that repeat (outlets, speakers, models) are stored once and referred to by position, -1 for
none. Spans are flat lists ``[start, end, start, end, ...]`` in UTF-16 code units, which is what a
browser counts in; in the tables they are code points.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.compute as pc

from onrecord.records import KINDS, NAMED_LABELS, STANCES
from onrecord.runs import Run

Payload = dict[str, Any]
Row = dict[str, Any]
# A code-point offset as the page needs it.
Offset = Callable[[int], int]

_ENTITY_COLUMNS = ["article_id", "start", "end", "label", "entity"]
_HEADINGS = ("headline", "heading")
# Those that did not fit are counted; the table has them all.
MAX_ERRORS = 500
# Characters that could end the script element, start a comment or break a line of the script.
_ESCAPES = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}


def page_payload(run: Run, name: str, max_articles: int) -> Payload:
    """The data of the page.

    Args:
        run: the tables.
        name: what to call the run in the page's title.
        max_articles: the newest so many articles are taken, and only their rows.
    """
    articles = newest_articles(run.table("articles"), max_articles)
    wanted = articles.column("article_id")
    quotes = _of_articles(run.table("quotes"), wanted).to_pylist()
    entities = _of_articles(run.table("entities").select(_ENTITY_COLUMNS), wanted).to_pylist()
    sentences = run.table("sentences")
    headings = sentences.filter(pc.is_in(sentences["kind"], pa.array(_HEADINGS)))
    rows = articles.to_pylist()
    place = {row["article_id"]: number for number, row in enumerate(rows)}
    offsets = [utf16_offset(row["text"]) for row in rows]
    outlets, labels, names = _Index(), _Index(), _Index()
    return {
        "run": _run_facts(run, name, len(rows)),
        "articles": _article_columns(rows, outlets)
        | {
            "headings": _per_article(
                _of_articles(headings, wanted).to_pylist(),
                place,
                lambda row, offset: [
                    offset(row["start"]),
                    offset(row["end"]),
                    _HEADINGS.index(row["kind"]),
                ],
                offsets,
            ),
            "entities": _per_article(
                (row for row in entities if row["label"] in NAMED_LABELS),
                place,
                lambda row, offset: [
                    offset(row["start"]),
                    offset(row["end"]),
                    labels.of(row["label"]),
                    names.of(row["entity"]),
                ],
                offsets,
            ),
        },
        "quotes": _quote_columns(quotes, place, offsets),
        "speakers": _speakers(run, quotes),
        "outlets": outlets.values,
        "labels": labels.values,
        "names": names.values,
        "errors": _errors(run),
    }


def to_script_json(payload: Mapping[str, Any]) -> str:
    """JSON that can stand inside a ``script`` element, whatever the articles hold."""
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.translate(_ESCAPES)


def newest_articles(articles: pa.Table, limit: int) -> pa.Table:
    """Articles from the newest to the oldest, undated ones last, at most ``limit``."""
    order = pc.sort_indices(
        articles.select(["published_at", "article_id"]),
        sort_keys=[("published_at", "descending"), ("article_id", "ascending")],
    )
    return articles.take(order[:limit])


def utf16_offset(text: str) -> Offset:
    """A function from code-point offsets in a text to UTF-16 offsets."""
    if not text or max(text) <= "\uffff":
        return int
    ends = list(accumulate((2 if char > "\uffff" else 1 for char in text), initial=0))
    return ends.__getitem__


def outlet_of(publisher: str | None, url: str | None) -> str | None:
    """The publisher, or the host of the address where the input names no publisher."""
    if publisher:
        return publisher
    try:
        host = urlsplit(url or "").hostname
    except ValueError:
        return None
    return host.removeprefix("www.") if host else None


def speaker_key(quote: Mapping[str, Any]) -> str | None:
    """What identifies the speaker of a statement in the whole run; None if nobody is named."""
    if quote["speaker_id"] is not None:
        return str(quote["speaker_id"])
    return None if quote["speaker"] is None else f"name:{quote['speaker']}"


class _Index:
    """Distinct strings in the order they came."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}

    def of(self, value: str | None) -> int:
        return -1 if value is None else self._places.setdefault(value, len(self._places))

    @property
    def values(self) -> list[str]:
        return list(self._places)


def _of_articles(table: pa.Table, article_ids: pa.ChunkedArray) -> pa.Table:
    return table.filter(pc.is_in(table["article_id"], article_ids.combine_chunks()))


def _run_facts(run: Run, name: str, n_shown: int) -> Payload:
    sessions = run.info.get("sessions") or [{}]
    return {
        "name": name,
        "version": run.info.get("onrecord"),
        "finished": sessions[-1].get("finished_at"),
        "shown": n_shown,
        "articles": run.table("articles").num_rows,
        "errors": run.table("errors").num_rows,
        "stances": list(STANCES),
        "kinds": list(KINDS),
        "headings": list(_HEADINGS),
    }


def _article_columns(rows: Sequence[Row], outlets: _Index) -> Payload:
    return {
        "id": [row["article_id"] for row in rows],
        "title": [row["title"] for row in rows],
        "author": [row["author"] for row in rows],
        "outlet": [outlets.of(outlet_of(row["publisher"], row["url"])) for row in rows],
        "date": [_iso(row["published_at"]) for row in rows],
        "url": [row["url"] for row in rows],
        "path": [row["source_path"] for row in rows],
        "text": [row["text"] for row in rows],
    }


def _iso(time: Any) -> str | None:
    return None if time is None else time.strftime("%Y-%m-%dT%H:%MZ")


def _per_article(
    rows: Iterable[Row],
    place: Mapping[str, int],
    numbers: Callable[[Row, Offset], list[int]],
    offsets: Sequence[Offset],
) -> list[list[int]]:
    """Numbers of every row, one flat list an article."""
    found: list[list[int]] = [[] for _ in offsets]
    for row in rows:
        number = place[row["article_id"]]
        found[number].extend(numbers(row, offsets[number]))
    return found


def _quote_columns(
    quotes: Sequence[Row], place: Mapping[str, int], offsets: Sequence[Offset]
) -> Payload:
    speakers, models, hows = _Index(), _Index(), _Index()
    numbers = [place[row["article_id"]] for row in quotes]

    def spans(column: str) -> list[list[int]]:
        return [
            [offsets[number](at) for span in row[column] or () for at in span]
            for number, row in zip(numbers, quotes, strict=True)
        ]

    def scores(column: str, digits: int = 3) -> list[float | None]:
        return [None if row[column] is None else round(row[column], digits) for row in quotes]

    return {
        "article": numbers,
        "id": [row["quote_id"] for row in quotes],
        "kind": [KINDS.index(row["kind"]) for row in quotes],
        "content": spans("content_spans"),
        "cue": spans("cue_spans"),
        "source": spans("source_spans"),
        "speaker": [speakers.of(speaker_key(row)) for row in quotes],
        "how": [hows.of(row["speaker_how"]) for row in quotes],
        "attribution_score": scores("attribution_score"),
        "speaker_score": scores("speaker_score"),
        "stance": [-1 if row["stance"] is None else STANCES.index(row["stance"]) for row in quotes],
        # As the page shows it: rounded twice, 0.1149 would be 0.12.
        "stance_score": scores("stance_score", 2),
        "p_defiance": scores("p_defiance"),
        "p_conciliation": scores("p_conciliation"),
        "model": [models.of(row["model"] or None) for row in quotes],
        "hows": hows.values,
        "models": models.values,
    }


def _speakers(run: Run, quotes: Iterable[Row]) -> Payload:
    """Speakers in the order in which ``_quote_columns`` numbers them."""
    named: dict[str, str] = {}
    for row in quotes:
        key = speaker_key(row)
        if key is not None:
            named.setdefault(key, row["speaker"])
    actors = run.table("actors")
    known = actors.filter(pc.is_in(actors["entity_id"], pa.array(list(named), pa.string())))
    actor = {row["entity_id"]: row for row in known.to_pylist()}
    found = [actor.get(key, {}) for key in named]
    return {
        "key": list(named),
        "name": [
            row.get("name") or spoken for row, spoken in zip(found, named.values(), strict=True)
        ],
        "label": [row.get("label") for row in found],
        "kb_id": [row.get("kb_id") for row in found],
        "aliases": [row.get("aliases") or [] for row in found],
    }


def _errors(run: Run) -> list[list[str | None]]:
    columns = ["kind", "stage", "source_path", "message"]
    errors = run.table("errors").slice(0, MAX_ERRORS)
    return [[row[name] for name in columns] for row in errors.to_pylist()]
