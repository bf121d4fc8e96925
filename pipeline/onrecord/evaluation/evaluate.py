"""Scores of a run or a model against gold: the function behind ``onrecord evaluate``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from onrecord.evaluation.counting import LAYERS, Counts, count_article
from onrecord.evaluation.curves import Point, curves_of
from onrecord.evaluation.errors import Mistake, find_mistakes
from onrecord.evaluation.gold import GoldArticle, GoldError, read_gold, with_kinds
from onrecord.evaluation.intervals import DRAWS, SEED, Interval, total, with_intervals
from onrecord.evaluation.metrics import FORMULAS
from onrecord.evaluation.prediction_sources import GivenGold, PipelinePredictor, Predictor
from onrecord.evaluation.predictions import Prediction, predictions_from_tables
from onrecord.language import load
from onrecord.runs import Run, read_run

# The layers that the stages of a pipeline find, and those they judge about given statements.
_FOUND = ("sentences", "entities", "attribution")
_JUDGED = ("speakers", "stance")

Scores = dict[str, dict[str, Interval]]
ArticleCounts = list[dict[str, Counts]]


@dataclass(frozen=True, slots=True)
class Setting:
    """Results of one of the two questions.

    Attributes:
        scores: layer, then metric, then its interval.
        counts: layer, then count, over all articles.
        curves: layer to its precision-coverage curve.
        by_publisher: publisher, then as ``scores``; only where gold names publishers.
    """

    scores: Scores
    counts: dict[str, dict[str, float]]
    curves: dict[str, list[Point]]
    by_publisher: dict[str, Scores]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What an evaluation found; ``write`` puts it into a directory.

    Attributes:
        settings: ``given_gold`` and ``end_to_end``, whichever could be scored.
        mistakes: every difference from gold.
        article_ids: gold articles that were scored.
        warnings: what is odd in the gold or could not be scored, counted.
        about: what was scored against what: checksums of the gold files, run or model.
    """

    settings: Mapping[str, Setting]
    mistakes: Sequence[Mistake]
    article_ids: Sequence[str]
    warnings: Mapping[str, int] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def metrics(self) -> dict[str, dict[str, dict[str, dict[str, float | int]]]]:
        """The content of ``metrics.json``: setting, layer, metric, value with interval and n."""
        return {
            name: {
                layer: {metric: interval.as_dict() for metric, interval in scores.items()}
                for layer, scores in setting.scores.items()
            }
            for name, setting in self.settings.items()
        }

    def write(self, out: Path | str) -> None:
        """Write metrics.json, details.json, summary.md, errors.html, errors.parquet, figures."""
        from onrecord.evaluation.outputs import write_evaluation

        write_evaluation(self, Path(out))


def evaluate(
    gold: Path | str | Iterable[Path | str],
    *,
    run: Path | str | None = None,
    model: Path | str | None = None,
    out: Path | str | None = None,
    predictor: Predictor | None = None,
    entities: Path | str | None = None,
    attribution: str = "model",
    draws: int = DRAWS,
    seed: int = SEED,
) -> Evaluation:
    """Score a finished run, or a model, against gold files.

    Args:
        gold: gold files, or folders of them.
        run: run directory; its tables are scored end to end, and the pipeline that its
            ``run.json`` describes is loaded for the scores given gold.
        model: model folder; the shipped one if None.
        out: directory for the report; nothing is written if None.
        predictor: answers in place of a pipeline; ``model``, ``entities`` and ``attribution`` are
            not read then.
        entities: entity file, as for ``onrecord run``.
        attribution: "model" or "rules", as for ``onrecord run``.
        draws: resampled sets of articles behind each interval.
        seed: of the resampling.

    Returns:
        Scores, mistakes and warnings.

    Raises:
        GoldError: gold cannot be trusted, or has no article in common with the run.
        IncompleteRunError: ``run`` holds no finished run.
    """
    gold_set = read_gold(gold)
    warnings = Counter(gold_set.warnings)
    articles = [with_kinds(article) for article in gold_set.articles]
    warnings["statements whose kind was read off the quotation marks"] += sum(
        a.kind is None for article in gold_set.articles for a in article.attributions or ()
    )
    about: dict[str, Any] = {"gold": dict(gold_set.checksums)}
    if run is None:
        options = {"model": model, "entities": entities, "attribution": attribution}
        predictor = predictor or PipelinePredictor(load(**options))  # type: ignore[arg-type]
        about["pipeline"] = {name: str(value) for name, value in options.items() if value}
        predictions = predictor.end_to_end(articles)
    else:
        found = read_run(run)
        about["run"] = {"path": str(run), "info": found.info}
        articles, predictions = align(articles, found, warnings)
        predictor = predictor or _predictor_of(found, warnings)
    answers = None if predictor is None else predictor.given_gold(articles)
    if predictor is not None:
        warnings.update(predictor.warnings)
    evaluation = score(articles, predictions, answers, warnings, about, draws=draws, seed=seed)
    if out is not None:
        evaluation.write(out)
    return evaluation


def align(
    gold: Sequence[GoldArticle], run: Run, warnings: Counter[str]
) -> tuple[list[GoldArticle], list[Prediction]]:
    """Pair gold articles with those of a run: by id and text, else by text.

    A gold article that the run tried and could not do is scored as an empty prediction; one that
    it never saw is left out; both are counted in ``warnings``.

    Raises:
        GoldError: nothing is left to score.
    """
    predicted = predictions_from_tables(run.table)
    by_text = {article.text: article for article in predicted.values()}
    failed = set(run.table("errors").column("article_id").to_pylist())
    articles, predictions, used = [], [], set()
    for article in gold:
        found = predicted.get(article.id)
        if found is None or found.text != article.text:
            if found is not None:
                warnings["gold articles whose text differs from the run's text of that id"] += 1
            found = by_text.get(article.text)
        if found is not None:
            used.add(found.id)
            articles.append(article)
            predictions.append(found.prediction)
        elif article.id in failed:
            warnings["gold articles that the run has only in errors: scored as empty"] += 1
            articles.append(article)
            predictions.append(Prediction())
        else:
            warnings["gold articles that the run lacks: not scored"] += 1
    if n_extra := len(predicted.keys() - used):
        warnings["articles of the run without gold: not scored"] += n_extra
    if not articles:
        raise GoldError(
            f"none of the {len(gold)} gold articles is in the run (of {len(predicted)} articles): "
            "neither an article_id nor a text is the same; run onrecord on the gold's own texts"
        )
    return articles, predictions


def _predictor_of(run: Run, warnings: Counter[str]) -> PipelinePredictor | None:
    """The pipeline that made a run, or None and a warning where it cannot be had."""
    config = run.info.get("config", {})
    names = ("spacy_model", "model", "entities", "attribution")
    try:
        return PipelinePredictor(load(**{n: config[n] for n in names if config.get(n)}))
    except (OSError, ValueError) as error:
        warnings[f"given_gold not scored, the run's pipeline cannot be loaded: {error}"] += 1
        return None


def score(
    articles: Sequence[GoldArticle],
    predictions: Sequence[Prediction],
    answers: Sequence[GivenGold] | None = None,
    warnings: Mapping[str, int] | None = None,
    about: Mapping[str, Any] | None = None,
    *,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Evaluation:
    """Score predictions that are at hand.

    Args:
        articles: gold.
        predictions: end-to-end prediction of each.
        answers: answers to gold input, for the block ``given_gold``.
        warnings: carried into the result.
        about: carried into the result.
        draws: resampled sets of articles.
        seed: of the resampling.
    """
    settings = {}
    mistakes: list[Mistake] = []
    if answers is not None:
        counted = [_count_given(a, g) for a, g in zip(articles, answers, strict=True)]
        judged = [answer.judged for answer in answers]
        settings["given_gold"] = _setting(articles, counted, judged, _JUDGED, draws, seed)
        for article, answer in zip(articles, answers, strict=True):
            mistakes += find_mistakes(article, answer.judged, "given_gold", _JUDGED)
    counted = [count_article(a, p) for a, p in zip(articles, predictions, strict=True)]
    settings["end_to_end"] = _setting(articles, counted, predictions, LAYERS, draws, seed)
    for article, prediction in zip(articles, predictions, strict=True):
        mistakes += find_mistakes(article, prediction, "end_to_end", LAYERS)
    noted = Counter(warnings or {})
    for layer in LAYERS:
        if not any(layer in article for article in counted):
            noted[f"layer {layer!r} is in no gold article: not scored"] += 1
    if len(articles) == 1:
        noted["a single gold article: intervals say nothing, they are [0, 1]"] += 1
    ids = [article.id for article in articles]
    counted_warnings = {what: n for what, n in noted.items() if n}
    return Evaluation(settings, mistakes, ids, counted_warnings, dict(about or {}))


def _count_given(article: GoldArticle, answer: GivenGold) -> dict[str, Counts]:
    return count_article(article, answer.found, _FOUND) | count_article(
        article, answer.judged, _JUDGED
    )


def _setting(
    articles: Sequence[GoldArticle],
    counted: ArticleCounts,
    predictions: Sequence[Prediction],
    drawn: Sequence[str],
    draws: int,
    seed: int,
) -> Setting:
    publishers = sorted({a.publisher for a in articles if a.publisher})
    by_publisher = {
        publisher: score_layers(
            [c for a, c in zip(articles, counted, strict=True) if a.publisher == publisher],
            draws=draws,
            seed=seed,
        )
        for publisher in publishers
    }
    return Setting(
        score_layers(counted, draws=draws, seed=seed),
        {layer: total(counts) for layer, counts in by_layer(counted).items()},
        curves_of(articles, predictions, drawn),
        by_publisher,
    )


def by_layer(counted: ArticleCounts) -> dict[str, list[Counts]]:
    """Counts of each layer over the articles that have it; layers without any left out."""
    layers = {layer: [c[layer] for c in counted if layer in c] for layer in LAYERS}
    return {layer: counts for layer, counts in layers.items() if counts}


def score_layers(counted: ArticleCounts, *, draws: int = DRAWS, seed: int = SEED) -> Scores:
    """Scores of each layer, with intervals over the articles that have it."""
    scores = {
        layer: with_intervals(counts, FORMULAS[layer], draws=draws, seed=seed)
        for layer, counts in by_layer(counted).items()
    }
    return {layer: found for layer, found in scores.items() if found}
