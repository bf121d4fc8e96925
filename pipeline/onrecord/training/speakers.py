"""Training of the speakers stage: articles whose sources have names, to a scorer of options.

Every statement of a labelled article becomes a choice among its options (see
``onrecord.stages.speaker_options``), the statements before it counted as resolved right. A part of
the articles, by a hash of their names, is kept aside: the temperature of the probabilities and the
threshold below which nobody is named come from it.
"""

from __future__ import annotations

import csv
import json
import logging
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from spacy.tokens import Doc
from torch import Tensor, nn

from onrecord.evaluation.gold import quotations_of
from onrecord.evaluation.kinds import kind_by_marks
from onrecord.evaluation.names import fold_name
from onrecord.model_folder import ModelFolder, round_as_written
from onrecord.records import Attribution, Entity, Mention, Span
from onrecord.stages.encoder import ArticleEncoder, ArticleTokens
from onrecord.stages.roster import Candidate
from onrecord.stages.speaker_options import FEATURES, Options, Spoken, key_of
from onrecord.stages.speaker_scorer import SpeakersConfig, SpeakerScorer
from onrecord.stages.speaker_vectors import MentionVectors, OptionPlaces, option_places
from onrecord.stages.speakers import make_option_reader
from onrecord.training.data import (
    gold_attribution,
    prepare_docs,
    read_json_lines,
    tagging_pipeline,
)

logger = logging.getLogger(__name__)

# Labels: "?" leaves a statement out; "~description" is nobody named, "A & B" nobody alone.
LEFT_OUT = "?"
GAP_FILE = "gap/gap-development.tsv"
_KEPT_ASIDE = 8  # one article in so many
_SENTENCE_END = re.compile(r"[.!?…][”\"’')\]]*\s|\n|$")
_LOST = 0.5  # what a statement counts whose speaker is named, but is none of its options
# Wrong names cost twice what a missing one does.
_COST_OF_WRONG = 1.0
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ScorerTraining:
    """How long and how fast to learn."""

    epochs: int = 8
    seed: int = 13
    rate: float = 2e-3
    weight_decay: float = 0.01
    batch: int = 64


@dataclass(frozen=True, slots=True)
class LabelledArticle:
    """An article, its statements, and the label of each statement's speaker."""

    name: str
    text: str
    attributions: tuple[Attribution, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """One statement: rows of its options, where their vectors come from, and the right one.

    ``weight`` is how much it counts.
    """

    rows: Floats
    places: OptionPlaces
    right: int
    weight: float


@dataclass(frozen=True, slots=True)
class Choice:
    """A question whose options have their vectors, as an encoder gives them.

    Vectors are kept in half precision: tens of thousands of statements have some ten options each.
    """

    rows: Floats
    vectors: Tensor
    right: int
    weight: float
    aside: bool = False


@dataclass(frozen=True, slots=True)
class TrainedSpeakers:
    """What training gives: weights, their configuration, and scores on articles kept aside."""

    scorer: SpeakerScorer
    config: SpeakersConfig
    scores: dict[str, float]


# --- reading ------------------------------------------------------------------------------------


def read_labelled(data: Path) -> Iterator[LabelledArticle]:
    """Articles of ``speakers/train.jsonl`` and, if there, ``articles.jsonl`` and ``written.jsonl``.

    The first holds sources with identities, whose statements are in ``polnear/train.jsonl``; the
    others gold files whose statements have a ``speaker_label``, or a ``speaker``.
    """
    yield from _read_sources(data / "speakers" / "train.jsonl", data / "polnear" / "train.jsonl")
    for name in ("articles.jsonl", "written.jsonl"):
        more = data / "speakers" / name
        for row in read_json_lines(more) if more.is_file() else ():
            labelled = [(gold_attribution(found), _label(found)) for found in row["attributions"]]
            yield _article(row["id"], row["text"], labelled)


def _label(row: dict[str, Any]) -> str:
    if "speaker_label" in row:
        return str(row["speaker_label"])
    return LEFT_OUT if "speaker" not in row else row["speaker"] or "~"


def _article(name: str, text: str, labelled: Iterable[tuple[Attribution, str]]) -> LabelledArticle:
    quotations = quotations_of(text)
    rows = [
        (replace(a, kind=kind_by_marks(text, a.content, quotations)), label)
        for a, label in labelled
        if a.content
    ]
    rows.sort(key=lambda row: (row[0].content, row[0].cue, row[0].source))
    attributions, labels = tuple(a for a, _ in rows), tuple(label for _, label in rows)
    return LabelledArticle(name, text, attributions, labels)


def _read_sources(path: Path, statements: Path) -> Iterator[LabelledArticle]:
    known = {row["id"]: row["attributions"] for row in read_json_lines(statements)}
    for row in read_json_lines(path):
        gold = [gold_attribution(found) for found in known.get(row["id"], ())]
        labelled = [
            (_statement_of(row["text"], Span(s["start"], s["end"]), gold), s["identity"] or "~")
            for s in row["sources"]
        ]
        yield _article(row["id"], row["text"], labelled)


def _statement_of(text: str, source: Span, statements: Sequence[Attribution]) -> Attribution:
    """The statement of a source; where none is known the rest of the sentence stands for it."""
    for found in statements:
        if any(s.start < source.end and source.start < s.end for s in found.source):
            return replace(found, source=(source,))
    return Attribution((_rest(text, source),), (), (source,), "indirect", 1.0)


def _rest(text: str, source: Span) -> Span:
    end = _SENTENCE_END.search(text, source.end)
    stop = len(text) if end is None else end.start()
    return Span(source.end, stop) if stop - source.end > 1 else source


# --- questions and choices ----------------------------------------------------------------------


def is_aside(name: str) -> bool:
    """Whether an article is kept aside from training, for calibration."""
    return zlib.crc32(name.encode()) % _KEPT_ASIDE == 0


def read_choices(articles: Sequence[LabelledArticle], encoder: ArticleEncoder) -> Iterator[Choice]:
    """The choices of articles, prepared as the pipeline prepares them."""
    docs = prepare_docs((article.name, article.text) for article in articles)
    for doc, article in zip(docs, articles, strict=True):
        doc._.attributions = article.attributions
        yield from choices_of(encoder(doc), article.labels, aside=is_aside(article.name))


def choices_of(doc: Doc, labels: Sequence[str], *, aside: bool = False) -> Iterator[Choice]:
    """The choices of an encoded doc with mentions and attributions; "?" gives none."""
    encoding = doc._.encoding
    vectors = MentionVectors(encoding.vectors)
    for asked in questions_of(doc, encoding.tokens, labels):
        read = vectors.read(asked.places).half()
        yield Choice(asked.rows, read, asked.right, asked.weight, aside)


def questions_of(doc: Doc, tokens: ArticleTokens, labels: Sequence[str]) -> Iterator[Question]:
    """The questions of a doc with mentions and attributions, one label each; "?" gives none."""
    reader = make_option_reader(doc)
    spoken: list[Spoken] = []
    for attribution, label in zip(doc._.attributions, labels, strict=True):
        options = reader.read(attribution, spoken)
        named = is_name(label)
        found = option_named(options, label) if named else None
        key = None if found is None else key_of(options.candidates[found])
        spoken.append(Spoken(key, options.sentence))
        if label == LEFT_OUT or len(options.rows) == 1:
            continue
        rows = np.array(options.rows, dtype=np.float32)
        right = 0 if found is None else found + 1
        weight = _LOST if named and found is None else 1.0
        yield Question(rows, option_places(tokens, options), right, weight)


def is_name(label: str) -> bool:
    """Whether a label names one person or body."""
    return label not in ("", LEFT_OUT) and not label.startswith("~") and " & " not in label


def option_named(options: Options, label: str) -> int | None:
    """The candidate that a label names: by name, by alias, or by a part of it only one has."""
    folded = fold_name(label)
    tests = (_is_called, _is_also_called, _shares_surname)
    for number, test in enumerate(tests):
        found = [n for n, c in enumerate(options.candidates) if test(c, folded)]
        if found and (len(found) == 1 or number < len(tests) - 1):
            return found[0]
    return None


def _is_called(candidate: Candidate, folded: str) -> bool:
    return fold_name(candidate.entity.name) == folded


def _is_also_called(candidate: Candidate, folded: str) -> bool:
    return any(fold_name(alias) == folded for alias in candidate.entity.aliases)


def _shares_surname(candidate: Candidate, folded: str) -> bool:
    words, name = set(folded.split()), set(fold_name(candidate.entity.name).split())
    same = candidate.kind == "person" and fold_name(candidate.surname) in words
    return same and (words <= name or name <= words)


# --- pronouns of GAP ----------------------------------------------------------------------------


def read_gap(path: Path, part: slice = slice(None)) -> Iterator[tuple[Doc, list[str]]]:
    """Questions of a GAP file (Webster et al., TACL 2018): which of two names, or neither.

    Yields docs of one statement, whose source is the pronoun, and its label; ``part`` says of
    which rows.
    """
    nlp = tagging_pipeline()
    with path.open(encoding="utf-8", newline="") as stream:
        rows = csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)
        for row in list(rows)[part]:
            doc = nlp(row["Text"])
            start = int(row["Pronoun-offset"])
            pronoun = Span(start, start + len(row["Pronoun"]))
            statement = Attribution((_rest(doc.text, pronoun),), (), (pronoun,), "indirect", 1.0)
            doc._.mentions = tuple(sorted(_gap_mentions(row), key=lambda m: m.start))
            doc._.attributions = (statement,)
            meant = [row[x] for x in "AB" if row[f"{x}-coref"].upper() == "TRUE"]
            yield doc, [meant[0] if meant else "~"]


def _gap_mentions(row: dict[str, str]) -> Iterator[Mention]:
    text = row["Text"]
    for letter in "AB":
        name, offset = row[letter], int(row[f"{letter}-offset"])
        entity = Entity(f"gap:{letter}", name, "PERSON")
        places = {m.start() for m in re.finditer(rf"\b{re.escape(name)}\b", text)} | {offset}
        for start in places:
            yield Mention(start, start + len(name), "PERSON", entity)


# --- learning -----------------------------------------------------------------------------------


def train_speakers(
    data: Path, model: ModelFolder, config: ScorerTraining | None = None
) -> TrainedSpeakers:
    """Train and calibrate the scorer of speakers; the same seed gives the same weights.

    Args:
        data: folder with ``speakers/train.jsonl`` and ``polnear/train.jsonl``;
            ``speakers/articles.jsonl``, ``speakers/written.jsonl`` and
            ``gap/gap-development.tsv`` may lie beside them.
        model: the model whose encoder reads the articles.
        config: how long and how fast to learn.
    """
    encoder = ArticleEncoder(model)
    choices = list(read_choices(list(read_labelled(data)), encoder))
    gap = data / GAP_FILE
    if gap.is_file():
        for doc, labels in read_gap(gap):
            choices.extend(choices_of(encoder(doc), labels))
    logger.info("%d statements, %d kept aside", len(choices), sum(c.aside for c in choices))
    return fit(choices, config or ScorerTraining(), encoder.encoder.hidden_size)


def fit(choices: Sequence[Choice], config: ScorerTraining, hidden: int) -> TrainedSpeakers:
    """Fit the scorer to choices; calibrate it on those kept aside, or on all if none is."""
    training = [c for c in choices if not c.aside]
    aside = [c for c in choices if c.aside] or training
    speakers = SpeakersConfig(features=FEATURES, hidden=hidden)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        scorer = SpeakerScorer(speakers)
        _learn(scorer, training, config)
    round_as_written(scorer)
    scorer.eval()
    with torch.inference_mode():
        scores = [scorer(torch.from_numpy(c.rows), c.vectors.float()) for c in aside]
    speakers = speakers.model_copy(update=_calibrate(scores, aside))
    measured = measure(scores, aside, speakers)
    logger.info("speakers on articles kept aside: %s", json.dumps(measured))
    return TrainedSpeakers(scorer, speakers, measured)


def _learn(scorer: SpeakerScorer, choices: Sequence[Choice], config: ScorerTraining) -> None:
    optimizer = torch.optim.AdamW(
        scorer.parameters(), lr=config.rate, weight_decay=config.weight_decay
    )
    batches = max(1, len(choices) // config.batch)
    steps = config.epochs * batches
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, config.rate, total_steps=steps, pct_start=0.1
    )
    random = np.random.default_rng(config.seed)
    scorer.train()
    for epoch in range(config.epochs):
        told = 0.0
        for part in np.array_split(random.permutation(len(choices)), batches):
            loss = _loss(scorer, [choices[index] for index in part])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
            told += float(loss.detach())
        logger.info("speakers, epoch %d: loss %.3f", epoch, told / batches)


def _loss(scorer: SpeakerScorer, choices: Sequence[Choice]) -> Tensor:
    """Mean over members, each by itself, so that they stay different."""
    sizes = [len(choice.rows) for choice in choices]
    row = np.repeat(np.arange(len(choices)), sizes)
    place = np.concatenate([np.arange(size) for size in sizes])
    rows = torch.from_numpy(np.concatenate([choice.rows for choice in choices]))
    vectors = torch.cat([choice.vectors for choice in choices]).float()
    right = torch.tensor([choice.right for choice in choices])
    weight = torch.tensor([choice.weight for choice in choices])
    loss = torch.zeros(())
    for member in scorer.members:
        table = torch.full((len(choices), max(sizes)), -1e4)
        table[row, place] = member(rows, vectors)
        each = nn.functional.cross_entropy(table, right, reduction="none")
        loss = loss + (each * weight).mean()
    return loss / len(scorer.members)


def speakers_loss(scorer: SpeakerScorer, vectors: Tensor, questions: Sequence[Question]) -> Tensor:
    """Mean loss of an article's questions, a scalar, from its tokens' vectors (n, hidden)."""
    with torch.autocast("cpu", enabled=False):
        mentions = MentionVectors(vectors)
        choices = [Choice(q.rows, mentions.read(q.places), q.right, q.weight) for q in questions]
        return _loss(scorer, choices)


def _calibrate(scores: Sequence[Tensor], choices: Sequence[Choice]) -> dict[str, float]:
    """The temperature that makes the answers likeliest, and the threshold that costs least."""
    temperatures = [round(float(t), 2) for t in np.arange(0.6, 2.01, 0.05)]
    temperature = max(
        temperatures,
        key=lambda t: sum(
            float((s / t).log_softmax(0)[c.right]) for s, c in zip(scores, choices, strict=True)
        ),
    )
    answers = [_answer(s, c, temperature) for s, c in zip(scores, choices, strict=True)]
    thresholds = [round(float(t), 2) for t in np.arange(0.3, 0.81, 0.02)]
    return {
        "temperature": temperature,
        "threshold": max(thresholds, key=lambda t: _gain(answers, t)),
    }


def _answer(scores: Tensor, choice: Choice, temperature: float) -> tuple[float, bool, bool]:
    """Probability of the likeliest candidate, whether it is right, and whether nobody is."""
    shares = (scores / temperature).softmax(0)
    best = int(shares[1:].argmax()) + 1
    return float(shares[best]), best == choice.right, choice.right == 0


def _gain(answers: Sequence[tuple[float, bool, bool]], threshold: float) -> float:
    named = [right for share, right, _ in answers if share >= threshold]
    left = sum(nobody for share, _, nobody in answers if share < threshold)
    return sum(named) + left - _COST_OF_WRONG * (len(named) - sum(named))


def measure(
    scores: Sequence[Tensor], choices: Sequence[Choice], config: SpeakersConfig
) -> dict[str, float]:
    """Accuracy over all choices, precision where somebody is named, and how often that is."""
    answers = [_answer(s, c, config.temperature) for s, c in zip(scores, choices, strict=True)]
    named = [right for share, right, _ in answers if share >= config.threshold]
    left = sum(nobody for share, _, nobody in answers if share < config.threshold)
    return {
        "accuracy": round((sum(named) + left) / max(len(answers), 1), 4),
        "precision": round(sum(named) / max(len(named), 1), 4),
        "named": round(len(named) / max(len(answers), 1), 4),
    }
