"""Every attributed statement of an article: its content, its cue and its source.

The trained stage tags cues on the shared encoding and reads the roles around each
(``attribution_head``); decoding then respects the text: content snaps to the quotation marks it
nearly fills, a quotation of several paragraphs is taken whole, no token is content of two
statements, and none has two roles in one. The deterministic stage (``attribution_rules``) has the
same face.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from spacy.tokens import Doc

from onrecord.model_folder import ModelFolder, open_model
from onrecord.quotation import Quotation
from onrecord.records import Attribution, AttributionKind
from onrecord.stages.attribution_head import (
    INSIDE,
    OUTSIDE,
    REACH,
    AttributionHead,
    CueSpan,
    best_content,
    best_source,
    cue_candidates,
    make_regions,
)
from onrecord.stages.attribution_rules import RuleAttributor
from onrecord.stages.encoder import CASES, ArticleTokens, Encoding, IntArray, inference_dtype

METHODS = ("model", "rules")
_PUNCTUATION = CASES.index("punctuation")
# Cues whose roles are read at once: memory stays flat however many cues an article has.
_CUES_AT_ONCE = 64
TokenRange = tuple[int, int]


class AttributionConfig(BaseModel):
    """Section ``attribution`` of a model's configuration.

    ``cue_threshold`` is the probability from which on the roles around a cue are read,
    ``threshold`` the least calibrated score of a statement that is kept, ``sourceless_threshold``
    that of one whose source the text does not name, and ``calibration`` the weights of the
    logistic regression from ``Reading.evidence`` to that score, intercept last.
    """

    model_config = ConfigDict(extra="forbid")

    width: int = 128
    dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 1)
    cue_threshold: float = 0.08
    threshold: float = 0.4
    sourceless_threshold: float = 0.4
    longest_source: int = 40
    snap_share: float = 0.6
    calibration: tuple[float, ...] = (0.0, 1.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Reading:
    """What the network reads around one cue, in tokens (first and last included).

    ``evidence`` holds the cue's log-odds, the validity logit, the log-probabilities of content and
    of source: what a score is calibrated from.
    """

    cue: CueSpan
    content: tuple[TokenRange, ...]
    source: TokenRange | None
    evidence: tuple[float, float, float, float]


class Attributor(Protocol):
    """The face of the attribution stage, however it is done."""

    def __call__(self, doc: Doc) -> Doc:
        """Find the statements of one doc."""

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 8) -> Iterator[Doc]:
        """Find the statements of a stream of docs."""

    def predict(self, docs: Sequence[Doc]) -> list[list[Attribution]]:
        """Statements of each doc; the docs stay as they are."""

    def set_annotations(self, docs: Sequence[Doc], found: Sequence[Sequence[Attribution]]) -> None:
        """Write the statements to ``doc._.attributions``."""


def make_attributor(method: str, model: str | None = None) -> Attributor:
    """The attribution stage: "model" for the trained one, "rules" for the deterministic one.

    Raises:
        ValueError: any other method.
        ModelNotFoundError: the model folder is missing or damaged.
    """
    if method == "rules":
        return RuleAttributor()
    if method != "model":
        raise ValueError(
            f"attribution method is {method!r}; it must be one of {', '.join(METHODS)}"
        )
    return LearnedAttributor(open_model(model))


class LearnedAttributor:
    """Component ``onrecord_attribution`` with trained weights; reads ``doc._.encoding``."""

    def __init__(self, folder: ModelFolder) -> None:
        self.config = AttributionConfig(**folder.section("attribution"))
        # Not "name": spaCy gives every component its name in the pipeline.
        self.made_by = f"attribution:{folder.name}"
        hidden = int(folder.config["encoder"]["hidden_size"])
        self.head = AttributionHead(hidden, self.config.width, self.config.dilations)
        folder.load_into(self.head, "attribution")
        self.head.to(inference_dtype()).eval()

    def __call__(self, doc: Doc) -> Doc:
        """Find the statements of one doc."""
        self.set_annotations([doc], self.predict([doc]))
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 8) -> Iterator[Doc]:
        """Find the statements of a stream of docs."""
        for doc in stream:
            yield self(doc)

    def predict(self, docs: Sequence[Doc]) -> list[list[Attribution]]:
        """Statements of each doc; the docs stay as they are.

        Raises:
            ValueError: a doc has no encoding.
        """
        return [self._attribute(_encoding_of(doc)) for doc in docs]

    def set_annotations(self, docs: Sequence[Doc], found: Sequence[Sequence[Attribution]]) -> None:
        """Write the statements to ``doc._.attributions``."""
        for doc, attributions in zip(docs, found, strict=True):
            doc._.attributions = tuple(attributions)

    def _attribute(self, encoding: Encoding) -> list[Attribution]:
        readings = read_roles(self.head, encoding, self.config)
        tokens = encoding.tokens
        statements = decode(tokens, readings, tokens.quotations, self.config)
        return [
            to_attribution(tokens, reading, score, self.made_by) for reading, score in statements
        ]


def _encoding_of(doc: Doc) -> Encoding:
    encoding: Encoding | None = doc._.encoding
    if encoding is None:
        raise ValueError(
            "the article has no encoding, which attribution by the trained model reads: run "
            "'onrecord_encoder' before 'onrecord_attribution', or choose the attribution 'rules'"
        )
    return encoding


@torch.inference_mode()
def read_roles(
    head: AttributionHead, encoding: Encoding, config: AttributionConfig
) -> list[Reading]:
    """Content and source around every candidate cue of an article."""
    if not len(encoding.tokens):
        return []
    vectors = encoding.vectors.to(head.transitions.dtype)
    probabilities = head.cue_logits(vectors).float().softmax(-1)
    cues = cue_candidates(probabilities.numpy(), encoding.tokens.paragraph, config.cue_threshold)
    readings: list[Reading] = []
    for at in range(0, len(cues), _CUES_AT_ONCE):
        chunk = cues[at : at + _CUES_AT_ONCE]
        readings.extend(_read_chunk(head, encoding.tokens, vectors, probabilities, chunk, config))
    return readings


def _read_chunk(
    head: AttributionHead,
    tokens: ArticleTokens,
    vectors: torch.Tensor,
    probabilities: torch.Tensor,
    cues: Sequence[CueSpan],
    config: AttributionConfig,
) -> Iterator[Reading]:
    regions = make_regions(tokens, cues)
    roles = head(vectors, probabilities, regions)
    emissions, mask = roles.content.numpy(), regions.mask.numpy()
    tags = best_content(emissions, mask, head.transition_scores().numpy())
    certainty = _content_certainty(emissions, tags, mask)
    sources, source_logp = best_source(roles.source.numpy(), config.longest_source)
    for row, cue in enumerate(cues):
        offset = int(regions.index[row, 0])
        content = tuple((a + offset, b + offset) for a, b in _tag_runs(tags[row]))
        if not content:
            continue
        first, last = (int(place) + offset for place in sources[row])
        evidence = (
            float(torch.logit(probabilities[cue[0], 1], eps=1e-4)),
            float(roles.validity[row]),
            float(certainty[row]),
            float(source_logp[row]),
        )
        source = (first, last) if sources[row, 0] >= 0 else None
        yield Reading(cue, content, source, evidence)


def _content_certainty(
    emissions: NDArray[np.float32], tags: IntArray, mask: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Mean log-probability of the chosen tags near content, shape (cues,)."""
    logp = emissions - np.logaddexp.reduce(emissions, axis=-1, keepdims=True)
    chosen = np.take_along_axis(logp, tags[..., None], axis=-1)[..., 0]
    inside = (tags != OUTSIDE) & mask
    near = inside.copy()
    near[:, :-1] |= inside[:, 1:]
    near[:, 1:] |= inside[:, :-1]
    mean: NDArray[np.float32] = (chosen * near).sum(1) / np.maximum(near.sum(1), 1)
    return mean


def _tag_runs(tags: IntArray) -> Iterator[TokenRange]:
    """Contiguous pieces of content, first and last token."""
    begun: int | None = None
    for place, tag in enumerate(tags.tolist()):
        if begun is not None and tag != INSIDE:
            yield begun, place - 1
            begun = None
        if tag not in (OUTSIDE, INSIDE) or (tag == INSIDE and begun is None):
            begun = place
    if begun is not None:
        yield begun, len(tags) - 1


def calibrated_score(reading: Reading, calibration: Sequence[float]) -> float:
    """Probability that a reading is right: logistic regression on its evidence."""
    *weights, intercept = calibration
    logit = intercept + sum(w * x for w, x in zip(weights, reading.evidence, strict=True))
    return float(1 / (1 + np.exp(-np.clip(logit, -30, 30))))


def decode(
    tokens: ArticleTokens,
    readings: Sequence[Reading],
    quotations: Sequence[Quotation],
    config: AttributionConfig,
) -> list[tuple[Reading, float]]:
    """Choose statements, best first, so that no token of content and no cue is used twice.

    Returns:
        Readings with their scores, in the order of their content.
    """
    marks = [_quotation_tokens(tokens, quotation) for quotation in quotations]
    owned: set[int] = set()
    cued: set[int] = set()
    scored = [
        (_clear_source(reading), calibrated_score(reading, config.calibration))
        for reading in readings
    ]
    scored.sort(key=lambda pair: (-pair[1], pair[0].cue))
    chosen: list[tuple[Reading, float]] = []
    for reading, score in scored:
        least = config.sourceless_threshold if reading.source is None else config.threshold
        cue = _places(reading.cue)
        if score < least or not cued.isdisjoint(cue):
            continue
        wanted = _snap(reading, marks, quotations, config.snap_share)
        wanted.difference_update(cue, _places(reading.source))
        free = wanted - owned
        if len(free) * 2 <= len(wanted):
            continue
        content = tuple(_true_runs(tokens, free))
        if not content:
            continue
        owned |= free
        cued.update(cue)
        chosen.append((replace(reading, content=content), score))
    chosen.sort(key=lambda pair: (pair[0].content, pair[0].cue))
    return chosen


def _places(found: TokenRange | None) -> range:
    return range(0) if found is None else range(found[0], found[1] + 1)


def _clear_source(reading: Reading) -> Reading:
    """The reading with a source that has no token of its cue: the longer part beside it."""
    if reading.source is None:
        return reading
    (first, last), (cue_first, cue_last) = reading.source, reading.cue
    if last < cue_first or first > cue_last:
        return reading
    parts = [(first, cue_first - 1), (cue_last + 1, last)]
    begin, end = max(parts, key=lambda part: part[1] - part[0])
    return replace(reading, source=(begin, end) if begin <= end else None)


def _quotation_tokens(tokens: ArticleTokens, quotation: Quotation) -> TokenRange:
    """First token of a quotation and one past its last, marks included."""
    first = int(np.searchsorted(tokens.ends, quotation.start, side="right"))
    last = int(np.searchsorted(tokens.starts, quotation.end, side="left"))
    return first, last


def _snap(
    reading: Reading,
    marks: Sequence[TokenRange],
    quotations: Sequence[Quotation],
    share: float,
) -> set[int]:
    """Tokens of the content with the quotations that it nearly fills or is cut in.

    A quotation is followed over its paragraphs. One that holds the cue is left as it is read.
    """
    wanted = {place for piece in reading.content for place in _places(piece)}
    end = max(wanted) + 1
    follows = False
    cut = _cut_ends(reading)
    # No quotation before the content can be touched by it, and behind it only one that goes on.
    begin = bisect_right(marks, min(wanted), key=itemgetter(1))
    for number in range(begin, len(marks)):
        (first, last), quotation = marks[number], quotations[number]
        if first >= end and not follows:
            break
        if last <= first:
            continue
        if not first <= reading.cue[0] < last:
            covered = sum(place in wanted for place in range(first, last))
            fills = covered >= share * (last - first)
            if follows or fills or any(first <= place < last for place in cut):
                wanted.update(range(first, last))
        follows = quotation.continues and last - 1 in wanted
    return wanted


def _cut_ends(reading: Reading) -> list[int]:
    """Where content ends because the network reads no further from the cue."""
    first, last = reading.content[0][0], reading.content[-1][1]
    before = [first] if reading.cue[0] - first >= REACH else []
    after = [last] if last - reading.cue[1] >= REACH else []
    return before + after


def _true_runs(tokens: ArticleTokens, chosen: set[int]) -> Iterator[TokenRange]:
    """Runs of chosen tokens, cut at paragraph ends; one of marks alone is no content."""
    if not chosen:
        return
    places = np.array(sorted(chosen), dtype=np.int64)
    breaks = np.flatnonzero((np.diff(places) > 1) | (np.diff(tokens.paragraph[places]) != 0))
    starts = np.concatenate([[0], breaks + 1])
    ends = np.concatenate([breaks, [len(places) - 1]])
    for a, b in zip(starts.tolist(), ends.tolist(), strict=True):
        if (tokens.features[places[a : b + 1], 0] != _PUNCTUATION).any():
            yield int(places[a]), int(places[b])


def to_attribution(
    tokens: ArticleTokens, reading: Reading, score: float, model: str
) -> Attribution:
    """A reading in code points, with its kind."""
    content = tuple(tokens.char_span(first, last) for first, last in reading.content)
    source = () if reading.source is None else (tokens.char_span(*reading.source),)
    return Attribution(
        content=content,
        cue=(tokens.char_span(*reading.cue),),
        source=source,
        kind=_kind(tokens, reading.content),
        score=score,
        model=model,
    )


def _kind(tokens: ArticleTokens, content: Sequence[TokenRange]) -> AttributionKind:
    """Direct if all words stand inside quotation marks, mixed if some do, else indirect."""
    words = np.concatenate([np.arange(first, last + 1) for first, last in content])
    words = words[tokens.features[words, 0] != _PUNCTUATION]
    quoted = tokens.quotation[words] >= 0
    if not quoted.any():
        return "indirect"
    return "direct" if quoted.all() else "mixed"
