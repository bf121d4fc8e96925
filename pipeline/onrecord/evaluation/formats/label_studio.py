"""Label Studio: a JSON list of tasks, and the labelling configuration that shows them.

Regions count UTF-16 units, as browsers do, and carry their text, which is checked. Predictions of
onrecord go into ``predictions``, Label Studio's place for pre-annotations; on the way back the last
annotation that was not cancelled is read, or else the predictions.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from onrecord.batch.durable import replace_file
from onrecord.evaluation.formats.files import find, read_text
from onrecord.evaluation.formats.offsets import NativeSpan, OffsetMap, locate
from onrecord.evaluation.formats.regions import (
    CONTENT,
    CUE,
    SENTENCE,
    SOURCE,
    Link,
    Region,
    from_regions,
    to_regions,
)
from onrecord.evaluation.gold import KNOWN_LABELS, GoldArticle, GoldError
from onrecord.records import KINDS, STANCES

_MODEL = "onrecord"
_CHOICES = {"kind": KINDS, "stance": STANCES}
_TEXTS = ("speaker", "entity")


def read(path: Path) -> list[GoldArticle]:
    """Articles of an exported JSON file, or of every JSON file of a folder.

    Raises:
        GoldError: a file is no list of tasks, or a region does not cover its text.
    """
    return [article for file in find(path, ".json") for article in _read_file(file)]


def _read_file(path: Path) -> list[GoldArticle]:
    try:
        tasks = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise GoldError(f"{path}: not JSON ({error})") from error
    if not isinstance(tasks, list):
        raise GoldError(f"{path}: expected a list of tasks, as Label Studio's JSON export gives it")
    return [_read_task(task, f"{path}, task {number}") for number, task in enumerate(tasks, 1)]


def _read_task(task: Any, origin: str) -> GoldArticle:
    data = task.get("data") if isinstance(task, dict) else None
    if not isinstance(data, dict) or not isinstance(data.get("text"), str):
        raise GoldError(f"{origin}: expected an object with data.text")
    try:
        regions, links = _read_results(_results(task), data["text"], origin)
    except (KeyError, TypeError, IndexError) as error:
        raise GoldError(f"{origin}: a result lacks what Label Studio gives it: {error}") from error
    extra = {name: value for name, value in data.items() if name not in ("id", "text")}
    article_id = str(data.get("id", task.get("id", "")))
    return from_regions(article_id, data["text"], regions, links, origin, extra)


def _results(task: Mapping[str, Any]) -> list[dict[str, Any]]:
    done = [a for a in task.get("annotations") or () if not a.get("was_cancelled")]
    chosen = done or task.get("predictions") or [{"result": []}]
    results: list[dict[str, Any]] = chosen[-1]["result"]
    return results


def _read_results(
    results: Sequence[Mapping[str, Any]], text: str, origin: str
) -> tuple[list[Region], list[Link]]:
    labels = [r for r in results if r["type"] == "labels"]
    spans = [
        NativeSpan(
            [(r["value"]["start"], r["value"]["end"])],
            r["value"].get("text"),
            f", region {r['id']}",
        )
        for r in labels
    ]
    places, _ = locate(text, spans, ("UTF-16 units", "code points"), origin)
    attributes: dict[str, dict[str, str]] = {}
    for result in results:
        name, value = result.get("from_name", ""), result.get("value", {})
        given = value.get("choices") if name in _CHOICES else value.get("text")
        if name in (*_CHOICES, *_TEXTS) and given:
            attributes.setdefault(result["id"], {})[name] = (
                given if isinstance(given, str) else given[0]
            )
    regions = [
        Region(r["id"], r["value"]["labels"][0], *place[0], attributes.get(r["id"], {}))
        for r, place in zip(labels, places, strict=True)
    ]
    links = [
        Link(r["from_id"], r["to_id"], (r.get("labels") or [""])[0])
        for r in results
        if r["type"] == "relation"
    ]
    return regions, links


def write(articles: Sequence[GoldArticle], out: Path) -> list[Path]:
    """Write ``tasks.json`` and ``labeling_config.xml``."""
    tasks, configuration = out / "tasks.json", out / "labeling_config.xml"
    rows = [_task(article) for article in articles]
    content = json.dumps(rows, ensure_ascii=False, indent=1)
    replace_file(tasks, (content + "\n").encode("utf-8"))
    labels = {entity.label for article in articles for entity in article.entities or ()}
    replace_file(configuration, _configuration(labels | KNOWN_LABELS).encode("utf-8"))
    return [tasks, configuration]


def _task(article: GoldArticle) -> dict[str, Any]:
    offsets = OffsetMap(article.text, "UTF-16 units")
    regions, links = to_regions(article)
    results: list[dict[str, Any]] = []
    for region in regions:
        place = {
            "start": offsets.to_native(region.start),
            "end": offsets.to_native(region.end),
        }
        covered = article.text[region.start : region.end]
        value = {**place, "text": covered, "labels": [region.label]}
        results.append(_result(region.id, "label", "labels", value))
        for name, text in region.attributes.items():
            if name in _CHOICES:
                results.append(_result(region.id, name, "choices", {**place, "choices": [text]}))
            else:
                results.append(_result(region.id, name, "textarea", {**place, "text": [text]}))
    results += [
        {
            "type": "relation",
            "from_id": link.start,
            "to_id": link.end,
            "direction": "right",
            "labels": [link.label],
        }
        for link in links
    ]
    data = {**article.extra, "id": article.id, "text": article.text}
    return {"data": data, "predictions": [{"model_version": _MODEL, "result": results}]}


def _result(region: str, name: str, type_: str, value: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": region, "from_name": name, "to_name": "text", "type": type_, "value": value}


def _configuration(labels: set[str]) -> str:
    shown = (CONTENT, CUE, SOURCE, SENTENCE, *sorted(labels))
    lines = ["<View>", '  <Relations><Relation value="content"/><Relation value="cue"/>']
    lines += ['    <Relation value="source"/></Relations>']
    lines += ['  <Labels name="label" toName="text">']
    lines += [f"    <Label value={quoteattr(label)}/>" for label in shown]
    lines += ["  </Labels>", '  <Text name="text" value="$text"/>']
    for name, values in _CHOICES.items():
        lines += [f'  <Choices name="{name}" toName="text" perRegion="true" whenTagName="label"']
        lines += ['    whenLabelValue="Content">']
        lines += [f'    <Choice value="{value}"/>' for value in values]
        lines += ["  </Choices>"]
    for name in _TEXTS:
        lines += [f'  <TextArea name="{name}" toName="text" perRegion="true" maxSubmissions="1"/>']
    return "\n".join([*lines, "</View>"]) + "\n"
