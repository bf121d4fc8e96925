"""Why a statement has its posture: the words without which its marks would be others.

Each word of the statement, its cue and its source is masked in turn and the statement is read
again (erasure; Li et al., "Understanding Neural Networks through Representation Erasure", 2016).
A long statement is searched from coarse to fine: stretches of words first, then the words of the
stretches that matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from spacy.language import Language
from spacy.tokens import Doc
from torch import Tensor

from onrecord.records import Attribution, Span
from onrecord.stages.encoder import (
    CASES,
    ENTITY_PLACES,
    ArticleEncoder,
    ArticleTokens,
    Encoding,
    IntArray,
    Window,
    batch_windows,
    make_windows,
)
from onrecord.stages.stance import CONTEXT, StanceClassifier, article_roles, statement_roles

# Stretches that a longer statement is cut into, and words that are then read one by one.
_MOST_UNITS = 40
_PUNCTUATION = CASES.index("punctuation")
_INSIDE_NAME = ENTITY_PLACES.index("inside")

# First token of a word and one past its last.
Word = tuple[int, int]


class Influence(NamedTuple):
    """What some words add to the marks of a statement.

    Attributes:
        span: the words, in code points.
        defiance: P(defiance) as it is, minus P(defiance) with the words masked.
        conciliation: the same for P(conciliation).
    """

    span: Span
    defiance: float
    conciliation: float

    @property
    def strength(self) -> float:
        """The larger change of the two."""
        return max(abs(self.defiance), abs(self.conciliation))


def explain(nlp: Language, doc: Doc, attribution: Attribution) -> list[Influence]:
    """Words of a statement, its cue and its source by what each adds to the marks.

    Args:
        nlp: a pipeline with the stages ``onrecord_encoder`` and ``onrecord_stance``.
        doc: a doc that this pipeline has encoded.
        attribution: a statement of the doc.

    Returns:
        The influence of every word (of a name as a whole), strongest first. Of a statement of
        more than forty words, stretches that hardly matter are given as one.

    Raises:
        KeyError: the pipeline lacks one of the two stages.
        ValueError: the doc is not encoded.
    """
    encoder: ArticleEncoder = nlp.get_pipe("onrecord_encoder")  # type: ignore[assignment]
    classifier: StanceClassifier = nlp.get_pipe("onrecord_stance")  # type: ignore[assignment]
    encoding: Encoding | None = doc._.encoding
    if encoding is None:
        raise ValueError(
            "the doc is not encoded (doc._.encoding is None); make it with the whole pipeline, "
            "stage onrecord_encoder included"
        )
    tokens = encoding.tokens
    low, roles = statement_roles(tokens, attribution)
    words = _words(tokens, low + np.flatnonzero(roles != CONTEXT))
    if not words:
        return []
    told = [statement_roles(tokens, other) for other in doc._.attributions]
    shown = article_roles(len(tokens), [*told, (low, roles)])
    reader = _MaskedReader(encoder, classifier, tokens, shown, (low, roles))
    size = max(1, -(-len(words) // _MOST_UNITS))
    stretches = [words[at : at + size] for at in range(0, len(words), size)]
    ranked = sorted(((reader.influence(s), s) for s in stretches), key=_strongest_first)
    if size > 1:
        several = max(1, _MOST_UNITS // size)
        inside = [[word] for _, stretch in ranked[:several] for word in stretch]
        ranked = ranked[several:] + [(reader.influence(word), word) for word in inside]
        ranked.sort(key=_strongest_first)
    return [influence for influence, _ in ranked]


def _strongest_first(pair: tuple[Influence, Sequence[Word]]) -> tuple[float, Span]:
    return -pair[0].strength, pair[0].span


def _words(tokens: ArticleTokens, places: IntArray) -> list[Word]:
    """Words among some tokens; a name is one word, and so is a contraction such as "won't"."""
    words: list[Word] = []
    for place in places.tolist():
        if tokens.features[place, 0] == _PUNCTUATION:
            continue
        goes_on = (
            tokens.features[place, -1] % len(ENTITY_PLACES) == _INSIDE_NAME
            or tokens.starts[place] == tokens.ends[place - 1]
        )
        if words and words[-1][1] == place and goes_on:
            words[-1] = (words[-1][0], place + 1)
        else:
            words.append((place, place + 1))
    return words


class _MaskedReader:
    """Reads one statement again and again, each time with other words masked."""

    def __init__(
        self,
        encoder: ArticleEncoder,
        classifier: StanceClassifier,
        tokens: ArticleTokens,
        shown: IntArray,
        placed: tuple[int, IntArray],
    ) -> None:
        low, roles = placed
        self._encoder = encoder
        self._classifier = classifier
        self._tokens = tokens
        self._shown = shown
        self._windows = [
            window
            for window in make_windows(tokens, encoder.windowing)
            if window.core_first < low + len(roles) and low < window.core_last
        ]
        self._mask = encoder.tokenizer("[MASK]")[:1]
        self._vectors = [self._encode(tokens, window) for window in self._windows]
        # The region's place in the vectors of these windows, whose cores follow on one another.
        self._placed = (low - self._windows[0].core_first, roles)
        self._marks = self._read(self._vectors)

    def influence(self, words: Sequence[Word]) -> Influence:
        """How the marks change when some words, in order, are masked."""
        first, last = words[0][0], words[-1][1]
        pieces = list(self._tokens.pieces)
        for begin, end in words:
            # As many pieces as before, so that the windows stay as they are.
            pieces[begin:end] = [self._mask * len(token) for token in pieces[begin:end]]
        masked = replace(self._tokens, pieces=tuple(pieces))
        vectors = [
            self._encode(masked, window) if window.first < last and first < window.last else known
            for window, known in zip(self._windows, self._vectors, strict=True)
        ]
        defiance, conciliation = (self._marks - self._read(vectors)).tolist()
        return Influence(self._tokens.char_span(first, last - 1), defiance, conciliation)

    @torch.inference_mode()
    def _encode(self, tokens: ArticleTokens, window: Window) -> Tensor:
        batch = batch_windows([(tokens, window)], self._encoder.tokenizer)
        last, lower = self._encoder.encoder.states(batch, self._encoder.below)
        encoding = Encoding(tokens, last.vectors(), (lower,))
        shown = self._shown[window.core_first : window.core_last]
        return self._classifier.head.vectors(encoding, shown)

    def _read(self, vectors: Sequence[Tensor]) -> Tensor:
        """Marks of the statement, shape (2,)."""
        return self._classifier.read(torch.cat(list(vectors)), [self._placed])[0]
