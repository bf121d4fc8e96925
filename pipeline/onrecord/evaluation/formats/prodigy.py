"""Prodigy's JSON Lines with spans and relations, for ``rel.manual`` and ``spans.manual``.

Spans carry their text and their kind, stance, speaker or name as further keys, which Prodigy keeps.
Examples that were rejected or ignored are left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from onrecord.batch.durable import replace_file
from onrecord.evaluation.formats.files import find, read_lines
from onrecord.evaluation.formats.offsets import NativeSpan, locate
from onrecord.evaluation.formats.regions import Link, Region, from_regions, to_regions
from onrecord.evaluation.gold import GoldArticle, GoldError
from onrecord.records import Span

_ATTRIBUTES = ("kind", "stance", "speaker", "entity")
_WORD = re.compile(r"\w+|[^\w\s]")


def read(path: Path) -> list[GoldArticle]:
    """Articles of a file that ``prodigy db-out`` wrote, or of every such file of a folder.

    Raises:
        GoldError: a line is damaged, or a span does not cover its text.
    """
    return [
        _read_row(row, origin)
        for file in find(path, ".jsonl")
        for origin, row in read_lines(file)
        if row.get("answer", "accept") == "accept"
    ]


def _read_row(row: Mapping[str, Any], origin: str) -> GoldArticle:
    meta = row.get("meta") or {}
    spans = row.get("spans") or []
    try:
        native = [
            NativeSpan([(s["start"], s["end"])], s.get("text"), f", span {number}")
            for number, s in enumerate(spans, start=1)
        ]
        places, _ = locate(row["text"], native, ("code points", "UTF-16 units"), origin)
        regions = [
            Region(
                _key(span),
                span["label"],
                *place[0],
                {name: span[name] for name in _ATTRIBUTES if span.get(name)},
            )
            for span, place in zip(spans, places, strict=True)
        ]
        # Relations repeat the span they join; those drawn in Prodigy do so without its id.
        at: dict[str, str] = {}
        for span in spans:
            at.setdefault(_place(span), _key(span))
        links = [
            Link(_end(r["head_span"], at), _end(r["child_span"], at), r["label"])
            for r in row.get("relations") or ()
        ]
    except KeyError as error:
        raise GoldError(f"{origin}: a span or relation lacks {error}") from error
    article_id = str(meta.get("id", row.get("id", "")))
    extra = {name: value for name, value in meta.items() if name != "id"}
    return from_regions(article_id, row["text"], regions, links, origin, extra)


def _place(span: Mapping[str, Any]) -> str:
    return f"{span['label']} {span['start']} {span['end']}"


def _key(span: Mapping[str, Any]) -> str:
    return str(span.get("id", _place(span)))


def _end(span: Mapping[str, Any], at: Mapping[str, str]) -> str:
    """The span that an end of a relation means."""
    return str(span["id"]) if "id" in span else at.get(_place(span), _place(span))


def write(articles: Sequence[GoldArticle], out: Path) -> list[Path]:
    """Write ``prodigy.jsonl``."""
    path = out / "prodigy.jsonl"
    lines = [json.dumps(_row(article), ensure_ascii=False) + "\n" for article in articles]
    replace_file(path, "".join(lines).encode("utf-8"))
    return [path]


def _row(article: GoldArticle) -> dict[str, Any]:
    regions, links = to_regions(article)
    tokens = split_tokens(article.text, [Span(r.start, r.end) for r in regions])
    first = {start: number for number, (start, _) in enumerate(tokens)}
    last = {end: number for number, (_, end) in enumerate(tokens)}
    spans = {
        region.id: {
            "id": region.id,
            "start": region.start,
            "end": region.end,
            "label": region.label,
            **_token_range(first, last, region),
        }
        for region in regions
    }
    return {
        "text": article.text,
        "meta": {**article.extra, "id": article.id},
        "tokens": [
            {
                "text": article.text[start:end],
                "start": start,
                "end": end,
                "id": number,
                "ws": article.text[end : end + 1] == " ",
            }
            for number, (start, end) in enumerate(tokens)
        ],
        "spans": [
            {
                **spans[region.id],
                "text": article.text[region.start : region.end],
                **region.attributes,
            }
            for region in regions
        ],
        "relations": [
            {
                "head": spans[link.start].get("token_end"),
                "child": spans[link.end].get("token_end"),
                "head_span": spans[link.start],
                "child_span": spans[link.end],
                "label": link.label,
            }
            for link in links
        ],
    }


def _token_range(
    first: Mapping[int, int], last: Mapping[int, int], region: Region
) -> dict[str, int]:
    if region.start not in first or region.end not in last:
        return {}
    return {"token_start": first[region.start], "token_end": last[region.end]}


def split_tokens(text: str, spans: Sequence[Span]) -> list[Span]:
    """Words and punctuation marks, cut wherever one of ``spans`` begins or ends."""
    cuts = sorted({edge for span in spans for edge in span})
    tokens = []
    position = 0
    for match in _WORD.finditer(text):
        start = match.start()
        while position < len(cuts) and cuts[position] <= start:
            position += 1
        while position < len(cuts) and cuts[position] < match.end():
            tokens.append(Span(start, cuts[position]))
            start = cuts[position]
            position += 1
        tokens.append(Span(start, match.end()))
    return tokens
