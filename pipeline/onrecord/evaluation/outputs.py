"""The report of an evaluation: numbers, a summary to read, figures, and every mistake."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from onrecord.batch.durable import as_json, replace_file
from onrecord.evaluation.counting import ABSENT, confusion
from onrecord.evaluation.curves import Point, reliability
from onrecord.evaluation.errors import write_mistakes
from onrecord.evaluation.errors_page import render_errors
from onrecord.evaluation.evaluate import Evaluation, Scores, Setting
from onrecord.evaluation.figures import (
    confusion_figure,
    curves_figure,
    headline_figure,
    kinds_figure,
    reliability_figure,
    save,
)
from onrecord.evaluation.intervals import Interval
from onrecord.evaluation.metrics import HEADLINES
from onrecord.records import STANCES

_EXPLAINED = {
    "given_gold": "Given gold: each stage is handed the gold of the stages before it. This says "
    "how good a stage is by itself.",
    "end_to_end": "End to end: the program sees nothing but the text. This is what a user gets.",
}


def write_evaluation(evaluation: Evaluation, out: Path) -> None:
    """Write every file of the report into a directory, made if it is not there."""
    out.mkdir(parents=True, exist_ok=True)
    replace_file(out / "metrics.json", as_json(evaluation.metrics))
    replace_file(out / "details.json", as_json(details(evaluation)))
    replace_file(out / "summary.md", summary(evaluation).encode())
    write_mistakes(evaluation.mistakes, out / "errors.parquet")
    page = render_errors(evaluation.mistakes, "Differences from gold")
    replace_file(out / "errors.html", page.encode())
    _write_figures(evaluation, out)


def details(evaluation: Evaluation) -> dict[str, Any]:
    """The content of ``details.json``: counts, curves, calibration, publishers, warnings."""
    return {
        "about": evaluation.about,
        "articles": list(evaluation.article_ids),
        "warnings": evaluation.warnings,
        "settings": {name: _setting(setting) for name, setting in evaluation.settings.items()},
    }


def _setting(setting: Setting) -> dict[str, Any]:
    found: dict[str, Any] = {
        "counts": setting.counts,
        "curves": {name: [asdict(p) for p in points] for name, points in setting.curves.items()},
        "by_publisher": {
            publisher: {
                layer: {name: interval.as_dict() for name, interval in metrics.items()}
                for layer, metrics in scores.items()
            }
            for publisher, scores in setting.by_publisher.items()
        },
    }
    if stance := setting.counts.get("stance"):
        found["confusion"] = {"labels": [*STANCES, ABSENT], "rows_are_gold": confusion(stance)}
        found["reliability"] = reliability(stance)
    return found


def _write_figures(evaluation: Evaluation, out: Path) -> None:
    settings = {name: setting.scores for name, setting in evaluation.settings.items()}
    if any(settings.values()):
        save(headline_figure(settings, HEADLINES), out / "scores.png")
    end_to_end = evaluation.settings["end_to_end"]
    if "attribution" in end_to_end.scores:
        save(kinds_figure(end_to_end.scores["attribution"]), out / "attribution_by_kind.png")
    for name, setting in evaluation.settings.items():
        if setting.curves:
            save(curves_figure(setting.curves), out / f"precision_coverage_{name}.png")
        if stance := setting.counts.get("stance"):
            save(confusion_figure(confusion(stance)), out / f"stance_confusion_{name}.png")
            if any(reliability(stance).values()):
                figure = reliability_figure(reliability(stance))
                save(figure, out / f"stance_reliability_{name}.png")


def summary(evaluation: Evaluation, *, brief: bool = False) -> str:
    """The report in Markdown; if ``brief``, only the headline score of each layer."""
    return "\n".join(_summary_lines(evaluation, brief)) + "\n"


def _summary_lines(evaluation: Evaluation, brief: bool) -> Iterator[str]:
    n_articles = len(evaluation.article_ids)
    yield "# Evaluation"
    yield ""
    yield (
        f"{n_articles} gold article{'s' if n_articles != 1 else ''}. Micro-averages; 95% intervals "
        "from resampling articles; n is what a score is the rate of."
    )
    if evaluation.warnings:
        yield ""
        yield "Warnings:"
        yield ""
        for what, count in sorted(evaluation.warnings.items()):
            yield f"- {what}: {count}"
    for name, setting in evaluation.settings.items():
        yield ""
        yield f"## {name}"
        yield ""
        yield _EXPLAINED[name]
        if brief:
            yield from _headlines(setting.scores)
            continue
        yield from _score_tables(setting.scores)
        yield from _stance_table(setting)
        yield from _curve_lines(setting.curves)
        yield from _publisher_table(setting)


def _headlines(scores: Scores) -> Iterator[str]:
    yield ""
    yield "| layer | score | value | 95% interval | n |"
    yield "|---|---|---:|---:|---:|"
    for layer, metrics in scores.items():
        interval = metrics.get(HEADLINES[layer])
        if interval is not None:
            cells = (layer, HEADLINES[layer], f"{interval.value:.3f}", _range(interval))
            yield f"| {' | '.join(cells)} | {interval.n} |"


def _score_tables(scores: Scores) -> Iterator[str]:
    for layer, metrics in scores.items():
        yield ""
        yield f"### {layer}"
        yield ""
        yield "| score | value | 95% interval | n |"
        yield "|---|---:|---:|---:|"
        headline = HEADLINES[layer]
        for name, interval in metrics.items():
            shown = f"**{name}**" if name == headline else name
            yield f"| {shown} | {interval.value:.3f} | {_range(interval)} | {interval.n} |"


def _range(interval: Interval) -> str:
    return f"{interval.low:.3f} to {interval.high:.3f}"


def _stance_table(setting: Setting) -> Iterator[str]:
    stance = setting.counts.get("stance")
    if not stance:
        return
    names = [*STANCES, ABSENT]
    yield ""
    yield "Gold stance (rows) by predicted stance; absent: no such statement on the other side."
    yield ""
    yield "| gold | " + " | ".join(names) + " |"
    yield "|---|" + "---:|" * len(names)
    for name, row in zip(names, confusion(stance), strict=True):
        yield f"| {name} | " + " | ".join(str(n) for n in row) + " |"


def _curve_lines(curves: Mapping[str, Sequence[Point]]) -> Iterator[str]:
    """Where to cut for nine in ten right."""
    for layer, points in curves.items():
        good = [point for point in points if point.precision >= 0.9]
        yield ""
        if good:
            best = good[-1]
            yield (
                f"Nine in ten right ({layer}): keep scores of {best.threshold:.2f} or more, "
                f"{best.coverage:.0%} of the answers."
            )
        else:
            yield f"Nine in ten right ({layer}): at no score."


def _publisher_table(setting: Setting) -> Iterator[str]:
    if not setting.by_publisher:
        return
    layers = [layer for layer in HEADLINES if layer in setting.scores]
    yield ""
    yield "| publisher | " + " | ".join(f"{layer} {HEADLINES[layer]}" for layer in layers) + " |"
    yield "|---|" + "---:|" * len(layers)
    for publisher, scores in setting.by_publisher.items():
        cells = [scores.get(layer, {}).get(HEADLINES[layer]) for layer in layers]
        shown = ["" if c is None else f"{c.value:.3f} ({_range(c)}, n {c.n})" for c in cells]
        name = publisher.replace("|", "\\|").replace("\n", " ")
        yield f"| {name} | " + " | ".join(shown) + " |"
