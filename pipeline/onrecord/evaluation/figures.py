"""Figures of an evaluation. The same numbers give the same bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from onrecord.evaluation.counting import ABSENT
from onrecord.evaluation.curves import Point
from onrecord.evaluation.intervals import Interval
from onrecord.records import KINDS, STANCES

_COLOURS = ("#30638e", "#d1495b", "#3a7d44", "#edae49")
_DPI = 120

Scores = Mapping[str, Mapping[str, Interval]]


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def save(figure: Figure, path: Path) -> Path:
    """Write a figure as PNG without the name and version of the software in it."""
    figure.savefig(path, metadata={"Software": None})
    return path


def headline_figure(settings: Mapping[str, Scores], headlines: Mapping[str, str]) -> Figure:
    """The headline score of each layer with its interval, given gold and end to end."""
    figure, axes = _figure(7, 3.6)
    layers = [layer for layer in headlines if any(layer in s for s in settings.values())]
    for number, (name, scores) in enumerate(settings.items()):
        places, found = [], []
        for place, layer in enumerate(layers):
            interval = scores.get(layer, {}).get(headlines[layer])
            if interval is not None:
                places.append(place + 0.18 * (number - 0.5))
                found.append(interval)
        _points(axes, places, found, _COLOURS[number], name.replace("_", " "))
    axes.set_xticks(range(len(layers)), [f"{layer}\n{headlines[layer]}" for layer in layers])
    _finish(axes, "Score, with 95% interval over articles")
    return figure


def kinds_figure(scores: Mapping[str, Interval]) -> Figure:
    """Attribution by kind of statement."""
    figure, axes = _figure(7, 3.6)
    names = ("f1", "content_f1", "content_soft_f1", "source_given_content")
    for number, name in enumerate(names):
        places, found = [], []
        for place, kind in enumerate(("", *KINDS)):
            interval = scores.get(f"{kind}_{name}" if kind else name)
            if interval is not None:
                places.append(place + 0.14 * (number - 1.5))
                found.append(interval)
        _points(axes, places, found, _COLOURS[number], name.replace("_", " "))
    axes.set_xticks(range(len(KINDS) + 1), ["all", *KINDS])
    _finish(axes, "Attribution by kind")
    return figure


def _points(
    axes: Axes, places: Sequence[float], found: Sequence[Interval], colour: str, label: str
) -> None:
    values = [i.value for i in found]
    # A percentile interval need not hold the value itself; a bar cannot be negative.
    below = [max(0.0, i.value - i.low) for i in found]
    above = [max(0.0, i.high - i.value) for i in found]
    axes.errorbar(
        places, values, yerr=[below, above], fmt="o", color=colour, label=label, capsize=3
    )


def _finish(axes: Axes, title: str) -> None:
    axes.set_ylim(0, 1.02)
    axes.grid(axis="y", alpha=0.3)
    axes.set_title(title, loc="left", fontsize=11)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, fontsize=8, loc="lower left", ncols=2)


def reliability_figure(bins: Mapping[str, Sequence[Mapping[str, float]]]) -> Figure:
    """Predicted probability of each stance mark against the share of statements that bear it."""
    figure, axes = _figure(4.6, 4.2)
    axes.plot([0, 1], [0, 1], color="0.6", linewidth=1)
    for colour, (mark, points) in zip(_COLOURS, bins.items(), strict=False):
        sizes = [8 + 4 * np.sqrt(point["n"]) for point in points]
        p, share = [point["p"] for point in points], [point["share"] for point in points]
        axes.plot(p, share, color=colour, linewidth=1, label=mark)
        axes.scatter(p, share, s=sizes, color=colour)
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel("predicted probability")
    axes.set_ylabel("share of gold statements")
    _finish(axes, "Reliability of the stance marks")
    axes.legend(frameon=False, fontsize=8, loc="upper left")
    return figure


def confusion_figure(matrix: Sequence[Sequence[int]]) -> Figure:
    """Gold by predicted stance; "absent" is a statement that the other side lacks."""
    figure, axes = _figure(4.8, 4.2)
    names = [*STANCES, ABSENT]
    shares = np.array(matrix, dtype=float)
    totals = shares.sum(axis=1, keepdims=True)
    shares = np.divide(shares, totals, out=np.zeros_like(shares), where=totals > 0)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, counts in enumerate(matrix):
        for column, count in enumerate(counts):
            dark = shares[row, column] > 0.5
            axes.text(column, row, str(count), ha="center", va="center", color="w" if dark else "k")
    axes.set_xticks(range(len(names)), names, rotation=30, ha="right")
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("predicted")
    axes.set_ylabel("gold")
    axes.set_title("Stance, statements", loc="left", fontsize=11)
    return figure


def curves_figure(curves: Mapping[str, Sequence[Point]]) -> Figure:
    """How right the program is when only its most confident answers are kept."""
    figure, axes = _figure(5, 4)
    for colour, (layer, points) in zip(_COLOURS, curves.items(), strict=False):
        coverage = [point.coverage for point in points]
        precision = [point.precision for point in points]
        axes.step(coverage, precision, where="post", color=colour, label=layer)
    axes.set_xlim(0, 1.02)
    axes.set_xlabel("coverage: share of answers kept, most confident first")
    axes.set_ylabel("share right")
    _finish(axes, "Precision against coverage")
    return figure
