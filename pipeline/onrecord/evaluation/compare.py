"""Two runs on the same gold: which is better, by how much, and where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from onrecord.batch.durable import as_json, replace_file
from onrecord.evaluation.counting import LAYERS, Counts, count_article
from onrecord.evaluation.evaluate import align, by_layer
from onrecord.evaluation.gold import GoldArticle, GoldError, read_gold, with_kinds
from onrecord.evaluation.intervals import DRAWS, SEED, Difference, differences
from onrecord.evaluation.metrics import FORMULAS, HEADLINES
from onrecord.evaluation.predictions import Prediction
from onrecord.runs import read_run

_MOST_CHANGED = 20


@dataclass(frozen=True, slots=True)
class Change:
    """The headline score of one article in both runs; n is the number of its gold items."""

    article_id: str
    layer: str
    a: float
    b: float
    n: int

    @property
    def weight(self) -> float:
        """How much the change moves the average: items times difference."""
        return abs(self.b - self.a) * self.n


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changed from run A to run B.

    Attributes:
        differences: layer, then metric, then its difference (B minus A) with interval and p.
        changes: articles that changed most, first the ones that move the average most.
        article_ids: gold articles that both runs have.
        warnings: what could not be compared, counted.
    """

    differences: Mapping[str, Mapping[str, Difference]]
    changes: Sequence[Change]
    article_ids: Sequence[str]
    warnings: Mapping[str, int]

    def as_dict(self) -> dict[str, Any]:
        """The content of ``comparison.json``."""
        return {
            "end_to_end": {
                layer: {name: asdict(difference) for name, difference in found.items()}
                for layer, found in self.differences.items()
            },
            "changes": [asdict(change) for change in self.changes],
            "articles": list(self.article_ids),
            "warnings": dict(self.warnings),
        }

    def write(self, out: Path | str) -> None:
        """Write comparison.json and comparison.md."""
        out = Path(out)
        out.mkdir(parents=True, exist_ok=True)
        replace_file(out / "comparison.json", as_json(self.as_dict()))
        replace_file(out / "comparison.md", comparison_summary(self).encode())


def compare(
    run_a: Path | str,
    run_b: Path | str,
    gold: Path | str | Iterable[Path | str],
    *,
    out: Path | str | None = None,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Comparison:
    """Compare two runs end to end by a paired bootstrap over articles.

    Args:
        run_a: run directory of the first run.
        run_b: run directory of the second.
        gold: gold files or folders of them.
        out: directory for the report; nothing is written if None.
        draws: resampled sets of articles.
        seed: of the resampling.

    Raises:
        GoldError: gold cannot be trusted, or the runs have no gold article in common.
        IncompleteRunError: a directory holds no finished run.
    """
    gold_set = read_gold(gold)
    warnings = Counter(gold_set.warnings)
    articles = [with_kinds(article) for article in gold_set.articles]
    sides = []
    for name, path in (("A", run_a), ("B", run_b)):
        noted: Counter[str] = Counter()
        kept, predictions = align(articles, read_run(path), noted)
        pairs = zip(kept, predictions, strict=True)
        sides.append({article.id: prediction for article, prediction in pairs})
        warnings.update({f"run {name}: {what}": count for what, count in noted.items()})
    common = [article for article in articles if all(article.id in side for side in sides)]
    if not common:
        raise GoldError(f"{run_a} and {run_b} have no gold article in common")
    if left_out := len(sides[0].keys() ^ sides[1].keys()):
        warnings["gold articles that only one of the runs has: not compared"] += left_out
    comparison = compare_predictions(
        common,
        [sides[0][article.id] for article in common],
        [sides[1][article.id] for article in common],
        warnings,
        draws=draws,
        seed=seed,
    )
    if out is not None:
        comparison.write(out)
    return comparison


def compare_predictions(
    articles: Sequence[GoldArticle],
    a: Sequence[Prediction],
    b: Sequence[Prediction],
    warnings: Mapping[str, int] | None = None,
    *,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Comparison:
    """Compare predictions that are at hand; arguments as for ``score``."""
    counted_a = [count_article(gold, p) for gold, p in zip(articles, a, strict=True)]
    counted_b = [count_article(gold, p) for gold, p in zip(articles, b, strict=True)]
    layers_a, layers_b = by_layer(counted_a), by_layer(counted_b)
    found = {
        layer: differences(
            layers_a[layer], layers_b[layer], FORMULAS[layer], draws=draws, seed=seed
        )
        for layer in layers_a
    }
    ids = [article.id for article in articles]
    changes = list(_changes(ids, counted_a, counted_b))
    changes.sort(key=lambda c: (-c.weight, c.article_id, c.layer))
    return Comparison(found, changes[:_MOST_CHANGED], ids, dict(warnings or {}))


def _changes(
    ids: Sequence[str], a: Sequence[dict[str, Counts]], b: Sequence[dict[str, Counts]]
) -> Iterator[Change]:
    for article_id, counts_a, counts_b in zip(ids, a, b, strict=True):
        for layer in LAYERS:
            if layer not in counts_a:
                continue
            # No resampling: one draw is made and not looked at.
            scores = differences([counts_a[layer]], [counts_b[layer]], FORMULAS[layer], draws=1)
            change = scores.get(HEADLINES[layer])
            if change is not None and change.difference:
                yield Change(article_id, layer, change.a, change.b, change.n)


def comparison_summary(comparison: Comparison) -> str:
    """The comparison in Markdown."""
    return "\n".join(_lines(comparison)) + "\n"


def _lines(comparison: Comparison) -> Iterator[str]:
    yield "# Comparison, end to end"
    yield ""
    yield (
        f"{len(comparison.article_ids)} gold articles in both runs. B minus A, 95% interval and "
        "two-sided p from a paired bootstrap over articles."
    )
    if comparison.warnings:
        yield ""
        yield from (f"- {what}: {n}" for what, n in sorted(comparison.warnings.items()))
    for layer, found in comparison.differences.items():
        yield ""
        yield f"## {layer}"
        yield ""
        yield "| score | A | B | B - A | 95% interval | p | n |"
        yield "|---|---:|---:|---:|---:|---:|---:|"
        for name, d in found.items():
            shown = f"**{name}**" if name == HEADLINES[layer] else name
            yield (
                f"| {shown} | {d.a:.3f} | {d.b:.3f} | {d.difference:+.3f} | "
                f"{d.low:+.3f} to {d.high:+.3f} | {d.p:.3f} | {d.n} |"
            )
    if comparison.changes:
        yield ""
        yield "## Articles that changed most"
        yield ""
        yield "| article | layer | A | B | n |"
        yield "|---|---|---:|---:|---:|"
        for c in comparison.changes:
            yield f"| {c.article_id} | {c.layer} | {c.a:.3f} | {c.b:.3f} | {c.n} |"
