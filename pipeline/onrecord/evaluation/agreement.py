"""How well annotators agree: the ceiling of what their gold can measure.

The scorer of predictions is run on every ordered pair of annotators, each being gold once, so that
a model's score and the annotators' can be set side by side. Krippendorff's alpha (Content Analysis,
1980) corrects for chance: it is taken over tokens for the spans, over statements that both
marked for the stance.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import combinations, permutations
from pathlib import Path
from typing import Any

import numpy as np

from onrecord.batch.durable import as_json, replace_file
from onrecord.evaluation.counting import Counts, count_article, layers_of
from onrecord.evaluation.evaluate import Scores, score_layers
from onrecord.evaluation.gold import GoldArticle, GoldError, read_gold, with_kinds
from onrecord.evaluation.intervals import DRAWS, SEED, Interval, with_intervals
from onrecord.evaluation.matching import match_attributions
from onrecord.evaluation.metrics import HEADLINES, Metric, Metrics
from onrecord.evaluation.predictions import PredictedAttribution, Prediction

_TOKEN = re.compile(r"\w+|[^\w\s]")
# Annotators give no probabilities: calibration says nothing about them.
_NOT_OF_PEOPLE = ("ece", "ece_defiance", "ece_conciliation")
_PARTS = ("content", "cue", "source")
# Between the parts of a count's name; no label holds it.
_SEPARATOR = "\x1f"

Annotator = Mapping[str, GoldArticle]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement of two or more annotators.

    Attributes:
        scores: layer, then metric, over all ordered pairs.
        alpha: Krippendorff's alpha by what was coded.
        article_ids: articles that at least two annotators have.
        n_annotators: sets of annotations read.
        n_pairs: ordered pairs of annotations scored.
        warnings: articles left out, counted.
    """

    scores: Scores
    alpha: Mapping[str, Interval]
    article_ids: Sequence[str]
    n_annotators: int
    n_pairs: int
    warnings: Mapping[str, int]

    def as_dict(self) -> dict[str, Any]:
        """The content of ``agreement.json``."""
        return {
            "agreement": {
                layer: {name: interval.as_dict() for name, interval in found.items()}
                for layer, found in self.scores.items()
            },
            "alpha": {name: interval.as_dict() for name, interval in self.alpha.items()},
            "articles": list(self.article_ids),
            "annotators": self.n_annotators,
            "pairs": self.n_pairs,
            "warnings": dict(self.warnings),
        }

    def write(self, out: Path | str) -> None:
        """Write agreement.json and agreement.md."""
        out = Path(out)
        out.mkdir(parents=True, exist_ok=True)
        replace_file(out / "agreement.json", as_json(self.as_dict()))
        replace_file(out / "agreement.md", agreement_summary(self).encode())


def agreement(
    gold: Iterable[Path | str],
    *,
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
    out: Path | str | None = None,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Agreement:
    """Agreement of annotators.

    Args:
        gold: one gold file an annotator; or a folder of brat files named
            ``ARTICLE_ANNOTATOR.ann``, which holds several.
        only: article ids to take, as shell patterns; all if empty.
        skip: article ids to leave out, as shell patterns.
        out: directory for the report; nothing is written if None.
        draws: resampled sets of articles behind each interval.
        seed: of the resampling.

    Raises:
        GoldError: gold cannot be trusted, annotators have no article in common, or the same id
            has different texts.
    """
    annotators = [a for path in gold for a in _read_annotators(Path(path))]
    if len(annotators) < 2:
        raise GoldError(
            f"agreement needs two annotators, {len(annotators)} given; name a gold file for each"
        )
    result = agreement_of(
        [_select(annotator, only, skip) for annotator in annotators], draws=draws, seed=seed
    )
    if out is not None:
        result.write(out)
    return result


def _read_annotators(path: Path) -> Iterator[Annotator]:
    from onrecord.evaluation.formats import brat

    if path.is_dir() and brat.holds_annotations(path):
        for articles in brat.read_annotators(path).values():
            yield {article.id: with_kinds(article) for article in articles}
    else:
        yield {article.id: with_kinds(article) for article in read_gold(path).articles}


def _select(annotator: Annotator, only: Sequence[str], skip: Sequence[str]) -> Annotator:
    return {
        key: article
        for key, article in annotator.items()
        if (not only or any(fnmatchcase(key, pattern) for pattern in only))
        and not any(fnmatchcase(key, pattern) for pattern in skip)
    }


def agreement_of(
    annotators: Sequence[Annotator], *, draws: int = DRAWS, seed: int = SEED
) -> Agreement:
    """Agreement of annotations that are at hand: article id to article, for each annotator.

    Raises:
        GoldError: no article has two annotators, or the same id has different texts.
    """
    versions = _versions(annotators)
    shared = {key: articles for key, articles in versions.items() if len(articles) > 1}
    if not shared:
        raise GoldError("the annotators have no article id in common; nothing can be compared")
    counted = [_count_pairs(articles) for articles in shared.values()]
    scores = score_layers(counted, draws=draws, seed=seed)
    for name in _NOT_OF_PEOPLE:
        scores.get("stance", {}).pop(name, None)
    coded = [_coincidences(articles) for articles in shared.values()]
    warnings = {}
    if alone := len(versions) - len(shared):
        warnings["articles of a single annotator: left out"] = alone
    return Agreement(
        scores,
        with_intervals(coded, alpha_metrics, draws=draws, seed=seed),
        list(shared),
        len(annotators),
        sum(len(articles) * (len(articles) - 1) for articles in shared.values()),
        warnings,
    )


def _versions(annotators: Sequence[Annotator]) -> dict[str, list[GoldArticle]]:
    versions: dict[str, list[GoldArticle]] = {}
    for annotator in annotators:
        for key, article in annotator.items():
            others = versions.setdefault(key, [])
            if others and others[0].text != article.text:
                raise GoldError(
                    f"{article.origin}: article {key!r} has another text than in "
                    f"{others[0].origin}; annotators must have labelled the same text"
                )
            others.append(article)
    return dict(sorted(versions.items()))


def as_prediction(article: GoldArticle) -> Prediction:
    """An annotator's labels in the place of a prediction."""
    return Prediction(
        article.sentences or (),
        article.entities or (),
        tuple(
            PredictedAttribution(
                a.content,
                a.cue,
                a.source,
                a.kind or "indirect",
                score=1.0,
                speaker=a.speaker,
                stance=a.stance,
            )
            for a in article.attributions or ()
        ),
    )


def _count_pairs(articles: Sequence[GoldArticle]) -> dict[str, Counts]:
    """Counts of one article, summed over its ordered pairs of annotators."""
    sums: dict[str, Counter[str]] = {}
    for gold, other in permutations(articles, 2):
        layers = set(layers_of(gold)) & set(layers_of(other))
        for layer, counts in count_article(gold, as_prediction(other), layers).items():
            sums.setdefault(layer, Counter()).update(counts)
    return {layer: dict(counts) for layer, counts in sums.items()}


def _coincidences(articles: Sequence[GoldArticle]) -> Counts:
    """Coincidence matrices of one article, as counts named by what, value, value."""
    counts: Counts = {}
    text = articles[0].text
    tokens = [match.span() for match in _TOKEN.finditer(text)]
    with_statements = [a for a in articles if a.attributions is not None]
    for part in _PARTS:
        _add(counts, part, [_inside(a, part, tokens, text) for a in with_statements])
    roles = [_roles(article, tokens, text) for article in with_statements]
    _add(counts, "roles", roles)
    entities = [_entity_labels(a, tokens, text) for a in articles if a.entities is not None]
    _add(counts, "entities", entities)
    starts = [_starts(a, tokens) for a in articles if a.sentences is not None]
    _add(counts, "sentence_starts", starts)
    for one, other in combinations(with_statements, 2):
        _add(counts, "stance", list(_paired_stances(one, other)))
    return counts


def _add(counts: Counts, what: str, coders: Sequence[Sequence[str]]) -> None:
    """Add the units of one article; coders[i][u] is what coder i called unit u."""
    if len(coders) < 2:
        return
    for values in zip(*coders, strict=True):
        seen = Counter(values)
        for one, n in seen.items():
            for other, m in seen.items():
                pairs = n * (m - 1) if one == other else n * m
                if pairs:
                    name = _SEPARATOR.join((what, one, other))
                    counts[name] = counts.get(name, 0.0) + pairs / (len(coders) - 1)


def _painted(
    text: str, spans: Iterable[tuple[int, int]], tokens: Sequence[tuple[int, int]]
) -> list[bool]:
    """Whether each token touches one of the spans."""
    marked = np.zeros(len(text) + 1, dtype=bool)
    for start, end in spans:
        marked[start:end] = True
    return [bool(marked[start:end].any()) for start, end in tokens]


def _inside(
    article: GoldArticle, part: str, tokens: Sequence[tuple[int, int]], text: str
) -> list[str]:
    spans = [span for a in article.attributions or () for span in getattr(a, part)]
    return ["in" if marked else "out" for marked in _painted(text, spans, tokens)]


def _roles(article: GoldArticle, tokens: Sequence[tuple[int, int]], text: str) -> list[str]:
    """Every role a token has, as one value: "cue", "content+source", "" for none."""
    by_part = [_inside(article, part, tokens, text) for part in _PARTS]
    return [
        "+".join(part for part, value in zip(_PARTS, values, strict=True) if value == "in")
        for values in zip(*by_part, strict=True)
    ]


def _entity_labels(article: GoldArticle, tokens: Sequence[tuple[int, int]], text: str) -> list[str]:
    labels = [""] * (len(text) + 1)
    for entity in article.entities or ():
        labels[entity.start : entity.end] = [entity.label] * (entity.end - entity.start)
    return [labels[start] for start, _ in tokens]


def _starts(article: GoldArticle, tokens: Sequence[tuple[int, int]]) -> list[str]:
    starts = {span.start for span in article.sentences or ()}
    return ["start" if start in starts else "" for start, _ in tokens]


def _paired_stances(one: GoldArticle, other: GoldArticle) -> Iterator[list[str]]:
    """Stances of the statements that both annotators marked, one list an annotator."""
    ours, theirs = one.attributions or (), other.attributions or ()
    pairs = [
        (first, second)
        for match in match_attributions(one.text, ours, theirs)
        if (first := ours[match.gold].stance) and (second := theirs[match.predicted].stance)
    ]
    yield [first for first, _ in pairs]
    yield [second for _, second in pairs]


def alpha_metrics(counts: Mapping[str, Any]) -> Metrics:
    """Krippendorff's alpha for nominal values, from coincidences named by what, value, value.

    ``n`` is the number of pairable values. Where only one value occurs there is no disagreement
    to expect, and no alpha.
    """
    named: dict[str, list[tuple[str, str, str]]] = {}
    for name in counts:
        what, one, other = name.split(_SEPARATOR)
        named.setdefault(what, []).append((name, one, other))
    return {what: _alpha(counts, cells) for what, cells in named.items()}


def _alpha(counts: Mapping[str, Any], cells: Sequence[tuple[str, str, str]]) -> Metric:
    shape = np.shape(counts[cells[0][0]])
    observed = np.zeros(shape)
    margins: dict[str, Any] = {}
    for name, one, other in cells:
        count = np.asarray(counts[name], dtype=float)
        margins[one] = margins.get(one, 0.0) + count
        if one != other:
            observed = observed + count
    n = np.asarray(sum(margins.values()), dtype=float)
    expected = n**2 - np.asarray(sum(margin**2 for margin in margins.values()))
    share = np.divide(
        observed * (n - 1), expected, out=np.full(shape, np.nan), where=expected > 1e-9
    )
    return Metric(1 - share, n)


def agreement_summary(result: Agreement) -> str:
    """The agreement in Markdown."""
    return "\n".join(_lines(result)) + "\n"


def _lines(result: Agreement) -> Iterator[str]:
    yield "# Agreement of annotators"
    yield ""
    yield (
        f"{result.n_annotators} annotators, {len(result.article_ids)} articles, "
        f"{result.n_pairs} ordered pairs of annotations. Each annotator is gold once and "
        "prediction once; 95% intervals from resampling articles."
    )
    if result.warnings:
        yield ""
        yield from (f"- {what}: {n}" for what, n in sorted(result.warnings.items()))
    for layer, found in result.scores.items():
        yield from _table(layer, found, HEADLINES[layer])
    if result.alpha:
        yield from _table("Krippendorff's alpha", result.alpha, "roles")


def _table(title: str, found: Mapping[str, Interval], headline: str) -> Iterator[str]:
    yield ""
    yield f"## {title}"
    yield ""
    yield "| score | value | 95% interval | n |"
    yield "|---|---:|---:|---:|"
    for name, interval in found.items():
        shown = f"**{name}**" if name == headline else name
        bounds = f"{interval.low:.3f} to {interval.high:.3f}"
        yield f"| {shown} | {interval.value:.3f} | {bounds} | {interval.n} |"
