"""From a checkpoint to a model folder: calibration and thresholds on development data, card.

Scores of statements are calibrated by logistic regression on what the network knows of each
reading; the two stance marks by a temperature and a bias each (Platt, 1999; Guo et al., ICML
2017). Thresholds are those with the best F1 on the development data.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from transformers.models.bert.modeling_bert import BertSelfAttention

from onrecord.evaluation.matching import AttributionCounts, score_attributions
from onrecord.model_folder import round_as_written, write_model
from onrecord.records import Attribution
from onrecord.stages.attribution import (
    AttributionConfig,
    Reading,
    decode,
    read_roles,
    to_attribution,
)
from onrecord.stages.encoder import (
    ArticleTokens,
    Encoding,
    PieceTokenizer,
    Windowing,
    article_tokens,
    encode,
)
from onrecord.stages.stance import StanceConfig, derive
from onrecord.training.data import gold_attribution, read_json_lines, tagging_pipeline
from onrecord.training.loop import Trainee
from onrecord.training.stance import (
    prepare_marked,
    prepare_statements,
    read_marked_articles,
    read_statements,
    stance_logits,
)

logger = logging.getLogger(__name__)

_CANDIDATE_THRESHOLD = 0.05
# What both marks of a statement may have to reach to make it mixed.
_MIXED_CUTS = (0.0, 0.3, 0.4, 0.5, 0.6)
# A statement that the text gives to nobody is worth little to a reader: its threshold is the
# highest that costs no more than this of F1.
_COST_OF_SOURCELESS = 0.001
# What ``onrecord info`` and the tables' readers are told of a model, by stage.
LICENSE = (
    "MIT for the weights as far as they are ours; no licence is stated for PolNeAR, whose article "
    "text belongs to the outlets"
)
TRAINING_DATA = {
    "attribution": ["PolNeAR 1.0 train (Newell, Margolin and Ruths, LREC 2018)"],
    "stance": [
        "statements from PolNeAR, newswire and UN speeches with two marks each",
        "articles of PolNeAR, the Guardian, the BBC, Wikinews and world newswire whose statements "
        "were marked by reading each article under the project's guideline",
        "contrast pairs written for the project",
        "PLOVER event sentences (Hu et al., ACL 2024), two thirds of the training part",
    ],
    "speakers": [
        "sources of PolNeAR train articles with identities",
        "statements of PolNeAR, newswire, Guardian, BBC and Wikinews articles with speakers",
        "articles written for the project with speakers",
        "GAP development (Webster et al., TACL 2018, Apache-2.0)",
    ],
}
# Beside the data of a stage, if it was taught.
TEACHERS = {
    "stance": "what all-mpnet-base-v2 (Apache-2.0), trained on these statements first, thinks of "
    "them",
    "attribution": "what all-mpnet-base-v2 (Apache-2.0), trained on PolNeAR first, reads in the "
    "other articles",
}
Floats = NDArray[np.float64]
Marks = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class DevelopmentArticle:
    """One development article: text, tokens, gold statements and what the network reads."""

    text: str
    tokens: ArticleTokens
    gold: tuple[Attribution, ...]
    readings: tuple[Reading, ...]


def read_development(
    trainee: Trainee, path: Path, tokenizer: PieceTokenizer
) -> list[DevelopmentArticle]:
    """Run the network over development articles."""
    rows = list(read_json_lines(path))
    config = AttributionConfig(cue_threshold=_CANDIDATE_THRESHOLD)
    articles = []
    for doc, row in zip(tagging_pipeline().pipe(r["text"] for r in rows), rows, strict=True):
        encoding = _encode(trainee, article_tokens(doc, tokenizer), tokenizer)
        readings = tuple(read_roles(trainee.attribution, encoding, config))
        gold = tuple(gold_attribution(found) for found in row["attributions"])
        articles.append(DevelopmentArticle(doc.text, encoding.tokens, gold, readings))
    return articles


def _encode(trainee: Trainee, tokens: ArticleTokens, tokenizer: PieceTokenizer) -> Encoding:
    return encode(trainee.encoder, tokens, Windowing(), tokenizer, len(trainee.stance.layers))


def fit_attribution(articles: Sequence[DevelopmentArticle]) -> AttributionConfig:
    """Calibration and thresholds with the best F1 on development articles."""
    from sklearn.linear_model import LogisticRegression

    evidence = np.array([r.evidence for a in articles for r in a.readings])
    right = np.array([_is_right(a, r) for a in articles for r in a.readings])
    model = LogisticRegression(C=10.0).fit(evidence, right)
    calibration = (*model.coef_[0].tolist(), float(model.intercept_[0]))

    def f1(threshold: float, sourceless: float) -> float:
        config = _config(calibration, threshold, sourceless)
        return score_development(articles, config).metrics()["f1"]

    best = max(_cuts(0.2, 0.62), key=lambda cut: f1(cut, cut))
    enough = f1(best, best) - _COST_OF_SOURCELESS
    sourceless = max(cut for cut in _cuts(best, 0.8) if f1(best, cut) >= enough)
    return _config(calibration, best, sourceless)


def _cuts(low: float, high: float) -> list[float]:
    return [round(float(cut), 2) for cut in np.arange(low, high, 0.02)]


def _config(calibration: Sequence[float], threshold: float, sourceless: float) -> AttributionConfig:
    return AttributionConfig(
        cue_threshold=_CANDIDATE_THRESHOLD,
        calibration=tuple(round(value, 4) for value in calibration),
        threshold=threshold,
        sourceless_threshold=sourceless,
    )


def _is_right(article: DevelopmentArticle, reading: Reading) -> bool:
    single = to_attribution(article.tokens, reading, 1.0, "")
    return bool(score_attributions(article.text, article.gold, [single]).overall.right_gold)


def score_development(
    articles: Sequence[DevelopmentArticle], config: AttributionConfig
) -> AttributionCounts:
    """Counts of decoded statements against gold."""
    total = AttributionCounts()
    for article in articles:
        statements = decode(article.tokens, article.readings, article.tokens.quotations, config)
        found = [to_attribution(article.tokens, r, score, "") for r, score in statements]
        total = total + score_attributions(article.text, article.gold, found)
    return total


def precision_curve(
    articles: Sequence[DevelopmentArticle], config: AttributionConfig
) -> list[tuple[float, float, int]]:
    """Of statements scored at least x, the share that is right, and how many there are."""
    scored = []
    for article in articles:
        for reading, score in decode(
            article.tokens, article.readings, article.tokens.quotations, config
        ):
            scored.append((score, _is_right(article, reading)))
    cuts = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
    kept = [(cut, [right for score, right in scored if score >= cut]) for cut in cuts]
    return [(cut, float(np.mean(rights)), len(rights)) for cut, rights in kept if rights]


def stance_development(
    trainee: Trainee, folder: Path, tokenizer: PieceTokenizer
) -> tuple[Floats, Floats, Floats]:
    """Logits and gold marks of development statements, each of shape (n, 2), and weights (n,).

    They are those of ``dev.jsonl``, and of whole articles in ``dev_articles.jsonl`` if it is there.
    Each file counts for half: the first was drawn to hold more of the rare marks than articles do.
    """
    items = prepare_statements(list(read_statements(folder / "dev.jsonl")), tokenizer)
    singles = len(items)
    rows = read_marked_articles(folder / "dev_articles.jsonl").values()
    items.extend(prepare_marked(rows, tokenizer))
    logits = []
    with torch.inference_mode():
        for item in items:
            encoding = _encode(trainee, item.tokens, tokenizer)
            vectors = trainee.stance.vectors(encoding, item.roles)
            logits.append(stance_logits(trainee.stance, vectors, [item]).numpy())
    marks = [statement.marks for item in items for statement in item.statements]
    weights = np.ones(len(marks))
    weights[singles:] = singles / max(len(marks) - singles, 1)
    return np.concatenate(logits).astype(np.float64), np.array(marks, dtype=np.float64), weights


def fit_stance(logits: Floats, marks: Floats, weights: Floats) -> StanceConfig:
    """Temperature, bias and threshold of each mark, from weighted development statements."""
    (td, bd), (tc, bc) = (_platt(logits[:, k], marks[:, k], weights) for k in range(2))
    defies = _sigmoid(logits[:, 0] / td + bd)
    conciliates = _sigmoid(logits[:, 1] / tc + bc)
    cuts = [round(float(cut), 2) for cut in np.arange(0.16, 0.72, 0.02)]
    best = max(
        product(cuts, cuts),
        key=lambda pair: _macro_f1(defies >= pair[0], conciliates >= pair[1], marks > 0, weights),
    )
    config = StanceConfig(
        temperature_defiance=round(td, 4),
        temperature_conciliation=round(tc, 4),
        bias_defiance=round(bd, 4),
        bias_conciliation=round(bc, 4),
        threshold_defiance=best[0],
        threshold_conciliation=best[1],
    )
    shares = np.stack([defies, conciliates], axis=1)
    both = max(_MIXED_CUTS, key=lambda cut: _accuracy(shares, marks, weights, config, cut))
    return config.model_copy(update={"threshold_mixed": both})


def _accuracy(
    shares: Floats, marks: Floats, weights: Floats, config: StanceConfig, mixed: float
) -> float:
    """Share of statements whose label is that of their marks."""
    tried = config.model_copy(update={"threshold_mixed": mixed})
    found, gold = (
        [derive(defiance, conciliation, tried).label for defiance, conciliation in rows.tolist()]
        for rows in (shares, marks)
    )
    right = [label == other for label, other in zip(found, gold, strict=True)]
    return float(np.average(right, weights=weights))


def _platt(logits: Floats, marks: Floats, weights: Floats) -> tuple[float, float]:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=10.0).fit(logits[:, None], marks, weights)
    return 1 / max(float(model.coef_[0, 0]), 1e-3), float(model.intercept_[0])


def _sigmoid(logits: Floats) -> Floats:
    return 1 / (1 + np.exp(-logits))


def _macro_f1(defies: Marks, conciliates: Marks, gold: Marks, weights: Floats) -> float:
    """Mean F1 of defiant, conciliatory and neutral; a statement with both marks counts for both."""

    def size(chosen: Any) -> float:
        return float(weights[chosen].sum())

    pairs = (
        (defies, gold[:, 0]),
        (conciliates, gold[:, 1]),
        (~(defies | conciliates), ~gold.any(axis=1)),
    )
    return float(np.mean([2 * size(p & g) / max(1e-9, size(p) + size(g)) for p, g in pairs]))


def finish(
    trainee: Trainee,
    stages: Sequence[str],
    data: Path,
    out: Path,
    tokenizer: Path,
    sections: Mapping[str, Any],
    name: str,
    version: str,
    *,
    taught: Collection[str] = (),
) -> None:
    """Calibrate what was trained on development data and write the model folder.

    Args:
        trainee: the trained network.
        stages: the stages that were trained.
        data: data folder, as for training.
        out: model folder to write.
        tokenizer: the encoder's ``tokenizer.json``.
        sections: configuration of the model that training started from; empty if from the base.
        name: what the tables will say made their rows.
        version: the same, after the name.
        taught: the stages that learned from a teacher.
    """
    trainee.eval()
    trainee.encoder.bert.set_attn_implementation("sdpa")
    for module in trainee.stance.layers.modules():
        if isinstance(module, BertSelfAttention):
            module.config._attn_implementation = "sdpa"
    round_as_written(trainee)
    pieces = PieceTokenizer.from_file(tokenizer)
    windowing = Windowing()
    config = {
        **sections,
        "name": name,
        "version": version,
        "license": LICENSE,
        "training_data": training_data({*stages, *sections}, sections, taught=taught),
        "encoder": trainee.encoder.bert.config.to_diff_dict(),
        "windowing": asdict(windowing),
    }
    config["encoder"].pop("attn_implementation", None)
    if "attribution" in stages:
        articles = read_development(trainee, data / "polnear" / "dev.jsonl", pieces)
        attribution = fit_attribution(articles)
        config["attribution"] = attribution.model_dump()
        scores = score_development(articles, attribution).metrics()
        logger.info("attribution on development data: %s", scores)
        logger.info("right by score: %s", precision_curve(articles, attribution))
    if "stance" in stages:
        stance = fit_stance(*stance_development(trainee, data / "stance", pieces))
        layers = len(trainee.stance.layers)
        config["stance"] = stance.model_dump() | {"own_layers": layers}
    modules: dict[str, nn.Module] = {"encoder": trainee.encoder}
    modules.update({stage: head for stage, head in trainee.heads().items() if stage in config})
    write_model(out, config, modules, tokenizer.read_bytes())


def training_data(
    stages: Collection[str], before: Mapping[str, Any], *, taught: Collection[str] = ()
) -> list[str]:
    """What a model with these stages was trained on.

    Args:
        stages: the stages it has.
        before: configuration of the model that training started from; empty if from the base.
        taught: the stages that have just learned from a teacher.
    """
    known = before.get("training_data", ())
    return [
        "all-MiniLM-L6-v2 (sentence-transformers, Apache-2.0) as the base encoder",
        *(source for stage in TRAINING_DATA if stage in stages for source in TRAINING_DATA[stage]),
        *(told for stage, told in TEACHERS.items() if stage in taught or told in known),
    ]
