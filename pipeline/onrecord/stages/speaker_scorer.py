"""The learned resolver: which of a statement's options is its speaker, with a probability.

A small network scores each option by its row of numbers and by how the encoder's vectors of the
source and of the candidate's mentions go together; a softmax over nobody and the candidates,
at a temperature fitted on articles kept aside, gives the probabilities. Several networks that
learned from different beginnings vote by their mean score.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from onrecord.model_folder import ModelFolder
from onrecord.records import UNKNOWN_SPEAKER, Attribution, Speaker
from onrecord.stages.encoder import ArticleTokens, Encoding
from onrecord.stages.speaker_options import FEATURES, OptionReader, Options, Spoken, key_of
from onrecord.stages.speaker_vectors import MentionVectors, OptionPlaces, option_places

SECTION = "speakers"


class SpeakersConfig(BaseModel):
    """Section ``speakers`` of a model's configuration.

    ``features`` must be those of the program; weights that were fitted to others are refused.
    ``hidden`` is the width of the encoder's vectors, ``projected`` what they are projected to.
    """

    model_config = ConfigDict(extra="forbid")

    features: tuple[str, ...] = FEATURES
    hidden: int = 384
    projected: int = 32
    width: int = 64
    members: int = 3
    temperature: float = 1.0
    threshold: float = 0.5


class SpeakerScorer(nn.Module):
    """Scores options by their rows and vectors, each option by itself."""

    def __init__(self, config: SpeakersConfig) -> None:
        super().__init__()
        self.members = nn.ModuleList(_Member(config) for _ in range(config.members))

    def forward(self, rows: Tensor, vectors: Tensor) -> Tensor:
        """Mean score of the members: (options, features), (options, 3 * hidden) -> (options,)."""
        scores = torch.stack([member(rows, vectors) for member in self.members])
        return scores.mean(dim=0)


class _Member(nn.Module):
    def __init__(self, config: SpeakersConfig) -> None:
        super().__init__()
        size, width = config.projected, config.width
        self.source = nn.Linear(config.hidden, size)
        self.near = nn.Linear(config.hidden, size)
        self.mean = nn.Linear(config.hidden, size)
        self.dropout = nn.Dropout(0.2)
        self.layers = nn.Sequential(
            nn.Linear(len(config.features) + 4 * size, width),
            nn.GELU(),
            nn.Dropout(0.2),
            nn.Linear(width, width // 2),
            nn.GELU(),
            nn.Linear(width // 2, 1),
        )

    def forward(self, rows: Tensor, vectors: Tensor) -> Tensor:
        """Scores of options, shape (options,)."""
        source, near, mean = (self.dropout(part) for part in vectors.chunk(3, dim=-1))
        joined = _joined(rows, self.source(source), self.near(near), self.mean(mean))
        scores: Tensor = self.layers(joined)[:, 0]
        return scores


def _joined(rows: Tensor, source: Tensor, near: Tensor, mean: Tensor) -> Tensor:
    """What a member's layers read of each option: its numbers, and how the vectors go together."""
    return torch.cat([rows, source, mean, source * near, source * mean], dim=-1)


class _SideBySide:
    """The members of a scorer that learns no more, as one.

    A statement has few options: calling three networks of six small layers for it takes longer
    than the sums in them.
    """

    def __init__(self, scorer: SpeakerScorer) -> None:
        members = [cast(_Member, member) for member in scorer.members]
        self._projections = [
            _stacked([member.source for member in members]),
            _stacked([member.near for member in members]),
            _stacked([member.mean for member in members]),
        ]
        linear = [n for n, layer in enumerate(members[0].layers) if isinstance(layer, nn.Linear)]
        self._layers = [
            _stacked([cast(nn.Linear, member.layers[n]) for member in members]) for n in linear
        ]

    def __call__(self, rows: Tensor, vectors: Tensor) -> Tensor:
        """What ``SpeakerScorer.forward`` gives."""
        source, near, mean = (
            torch.baddbmm(bias, part.expand(len(weight), -1, -1), weight)
            for part, (weight, bias) in zip(
                vectors.chunk(3, dim=-1), self._projections, strict=True
            )
        )
        states = _joined(rows.expand(len(source), -1, -1), source, near, mean)
        for weight, bias in self._layers[:-1]:
            states = nn.functional.gelu(torch.baddbmm(bias, states, weight))
        weight, bias = self._layers[-1]
        return torch.baddbmm(bias, states, weight)[..., 0].mean(dim=0)


def _stacked(layers: Sequence[nn.Linear]) -> tuple[Tensor, Tensor]:
    """Weights (members, in, out) and biases (members, 1, out) of linear layers."""
    weight = torch.stack([layer.weight.detach().T for layer in layers])
    return weight, torch.stack([layer.bias.detach()[None] for layer in layers])


class SpeakerModel:
    """A scorer with its calibration, ready to read articles."""

    def __init__(self, config: SpeakersConfig, scorer: SpeakerScorer, made_by: str = "") -> None:
        self.config = config
        self.scorer = scorer.eval()
        self._members = _SideBySide(scorer)
        self.made_by = made_by

    @classmethod
    def from_folder(cls, folder: ModelFolder) -> SpeakerModel:
        """Read the section ``speakers`` and its weights.

        Raises:
            ValueError: the weights were fitted to other features than this program computes.
        """
        config = SpeakersConfig(**folder.section(SECTION))
        if config.features != FEATURES:
            raise ValueError(
                f"{folder.path}: the section {SECTION} has {len(config.features)} features, this "
                f"program computes {len(FEATURES)} or others; retrain it with 'onrecord train "
                "speakers'"
            )
        scorer = SpeakerScorer(config)
        folder.load_into(scorer, SECTION)
        return cls(config, scorer, f"{SECTION}:{folder.name}")

    @torch.inference_mode()
    def probabilities(
        self, options: Options, places: OptionPlaces, vectors: MentionVectors
    ) -> list[float]:
        """Probability of nobody, then of each candidate."""
        rows = torch.tensor(options.rows, dtype=torch.float32)
        scores = self._members(rows, vectors.read(places))
        shares: list[float] = (scores / self.config.temperature).softmax(dim=0).tolist()
        return shares

    def resolve(
        self, reader: OptionReader, attributions: tuple[Attribution, ...], encoding: Encoding
    ) -> list[Speaker]:
        """The speaker of each statement of an article, in its order."""
        vectors = MentionVectors(encoding.vectors)
        spoken: list[Spoken] = []
        speakers = []
        for attribution in attributions:
            options = reader.read(attribution, spoken)
            speaker, key = self._choose(options, encoding.tokens, vectors)
            spoken.append(Spoken(key, options.sentence))
            speakers.append(speaker)
        return speakers

    def _choose(
        self, options: Options, tokens: ArticleTokens, vectors: MentionVectors
    ) -> tuple[Speaker, str | None]:
        """The likeliest candidate, if it is likely enough, and its key."""
        if not options.candidates:
            return UNKNOWN_SPEAKER, None
        shares = self.probabilities(options, option_places(tokens, options), vectors)[1:]
        best = max(range(len(shares)), key=shares.__getitem__)
        if shares[best] < self.config.threshold:
            return UNKNOWN_SPEAKER, None
        candidate = options.candidates[best]
        entity = candidate.entity
        entity_id = None if candidate.unlisted else entity.entity_id
        score = round(shares[best], 4)
        return Speaker(entity.name, entity_id, options.hows[best], score), key_of(candidate)
