"""doccano's JSON Lines with entities and relations.

doccano has no attributes on spans and no covered text. Both travel in ``spans``, a column that
doccano keeps as metadata: for "LABEL START END" of a span ("... #2" for a second one like it), its
text and its attributes. A span that was moved in doccano has no such entry any more: its text is
not checked, and its kind, stance, speaker or name count as not labelled.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from onrecord.batch.durable import replace_file
from onrecord.evaluation.formats.files import find, read_lines
from onrecord.evaluation.formats.offsets import NativeSpan, locate
from onrecord.evaluation.formats.regions import Link, Region, from_regions, to_regions
from onrecord.evaluation.gold import GoldArticle, GoldError

_OWN = ("id", "article_id", "text", "entities", "relations", "label", "spans", "meta", "Comments")


def read(path: Path) -> list[GoldArticle]:
    """Articles of an exported JSON Lines file, or of every such file of a folder.

    Raises:
        GoldError: a line is damaged, or a span does not cover its text.
    """
    return [
        _read_row(row, origin) for file in find(path, ".jsonl") for origin, row in read_lines(file)
    ]


def _read_row(row: Mapping[str, Any], origin: str) -> GoldArticle:
    meta = {**(row.get("meta") or {}), **row}
    notes: Mapping[str, Mapping[str, str]] = meta.get("spans") or {}
    try:
        entities = row.get("entities") or [
            {"id": number, "start_offset": start, "end_offset": end, "label": label}
            for number, (start, end, label) in enumerate(row.get("label") or ())
        ]
        marked = [(str(e["id"]), e["label"], e["start_offset"], e["end_offset"]) for e in entities]
        links = [
            Link(str(r["from_id"]), str(r["to_id"]), r["type"]) for r in row.get("relations") or ()
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise GoldError(f"{origin}: not a row of doccano: {error!r} is missing or odd") from error
    keys = _numbered(f"{label} {start} {end}" for _, label, start, end in marked)
    noted = [dict(notes.get(key, {})) for key in keys]
    spans = [
        NativeSpan([(start, end)], note.pop("text", None), f", span {key}")
        for (key, _, start, end), note in zip(marked, noted, strict=True)
    ]
    places, _ = locate(row["text"], spans, ("code points", "UTF-16 units"), origin)
    regions = [
        Region(key, label, *place[0], note)
        for (key, label, _, _), place, note in zip(marked, places, noted, strict=True)
    ]
    article_id = str(meta.get("article_id", meta.get("id", "")))
    extra = {name: value for name, value in meta.items() if name not in _OWN}
    return from_regions(article_id, row["text"], regions, links, origin, extra)


def write(articles: Sequence[GoldArticle], out: Path) -> list[Path]:
    """Write ``doccano.jsonl``, for a sequence labelling project that uses relations."""
    path = out / "doccano.jsonl"
    lines = [json.dumps(_row(article), ensure_ascii=False) + "\n" for article in articles]
    replace_file(path, "".join(lines).encode("utf-8"))
    return [path]


def _row(article: GoldArticle) -> dict[str, Any]:
    regions, links = to_regions(article)
    keys = _numbered(f"{region.label} {region.start} {region.end}" for region in regions)
    numbers = {region.id: number for number, region in enumerate(regions, start=1)}
    return {
        **article.extra,
        "article_id": article.id,
        "text": article.text,
        "entities": [
            {
                "id": numbers[region.id],
                "label": region.label,
                "start_offset": region.start,
                "end_offset": region.end,
            }
            for region in regions
        ],
        "relations": [
            {
                "id": number,
                "from_id": numbers[link.start],
                "to_id": numbers[link.end],
                "type": link.label,
            }
            for number, link in enumerate(links, start=1)
        ],
        "spans": {
            key: {"text": article.text[region.start : region.end], **region.attributes}
            for key, region in zip(keys, regions, strict=True)
        },
    }


def _numbered(keys: Iterable[str]) -> list[str]:
    """Keys in which the second of equal ones ends in "#2", and so on."""
    seen: Counter[str] = Counter()
    numbered = []
    for key in keys:
        seen[key] += 1
        numbered.append(key if seen[key] == 1 else f"{key} #{seen[key]}")
    return numbered
