"""The learned resolver: which of a statement's options is its speaker, with a probability.

A small network scores each option by its row of numbers; a softmax over nobody and the candidates,
at a temperature fitted on articles kept aside, gives the probabilities. Several networks that
learned from different beginnings vote by their mean score.
"""

from __future__ import annotations

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from onrecord.model_folder import ModelFolder
from onrecord.records import UNKNOWN_SPEAKER, Attribution, Speaker
from onrecord.stages.speaker_options import FEATURES, OptionReader, Options, Spoken, key_of

SECTION = "speakers"


class SpeakersConfig(BaseModel):
    """Section ``speakers`` of a model's configuration.

    ``features`` must be those of the program; weights that were fitted to others are refused.
    """

    model_config = ConfigDict(extra="forbid")

    features: tuple[str, ...] = FEATURES
    width: int = 64
    members: int = 3
    temperature: float = 1.0
    threshold: float = 0.5


class SpeakerScorer(nn.Module):
    """Scores options, shape (options, features), one at a time: (options,)."""

    def __init__(self, config: SpeakersConfig) -> None:
        super().__init__()
        self.members = nn.ModuleList(
            _member(len(config.features), config.width) for _ in range(config.members)
        )

    def forward(self, rows: Tensor) -> Tensor:
        """Mean score of the members."""
        scores = torch.stack([member(rows)[:, 0] for member in self.members])
        return scores.mean(dim=0)


def _member(features: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(features, width),
        nn.GELU(),
        nn.Dropout(0.2),
        nn.Linear(width, width // 2),
        nn.GELU(),
        nn.Linear(width // 2, 1),
    )


class SpeakerModel:
    """A scorer with its calibration, ready to read articles.

    Raises:
        ValueError: the weights were fitted to other features than this program computes.
    """

    def __init__(self, config: SpeakersConfig, scorer: SpeakerScorer) -> None:
        if config.features != FEATURES:
            raise ValueError(
                f"the model's speakers section has {len(config.features)} features, this program "
                f"computes {len(FEATURES)} or others; retrain it with 'onrecord train speakers'"
            )
        self.config = config
        self.scorer = scorer.eval()

    @classmethod
    def from_folder(cls, folder: ModelFolder) -> SpeakerModel:
        """Read the section ``speakers`` and its weights."""
        config = SpeakersConfig(**folder.section(SECTION))
        scorer = SpeakerScorer(config)
        folder.load_into(scorer, SECTION)
        return cls(config, scorer)

    @torch.inference_mode()
    def probabilities(self, options: Options) -> list[float]:
        """Probability of nobody, then of each candidate."""
        scores = self.scorer(torch.tensor(options.rows, dtype=torch.float32))
        shares: list[float] = (scores / self.config.temperature).softmax(dim=0).tolist()
        return shares

    def resolve(self, reader: OptionReader, attributions: tuple[Attribution, ...]) -> list[Speaker]:
        """The speaker of each statement of an article, in its order."""
        spoken: list[Spoken] = []
        speakers = []
        for attribution in attributions:
            options = reader.read(attribution, spoken)
            speaker, key = self._choose(options)
            spoken.append(Spoken(key, options.sentence))
            speakers.append(speaker)
        return speakers

    def _choose(self, options: Options) -> tuple[Speaker, str | None]:
        """The likeliest candidate, if it is likely enough, and its key."""
        shares = self.probabilities(options)[1:]
        if not shares:
            return UNKNOWN_SPEAKER, None
        best = max(range(len(shares)), key=shares.__getitem__)
        if shares[best] < self.config.threshold:
            return UNKNOWN_SPEAKER, None
        candidate = options.candidates[best]
        entity = candidate.entity
        entity_id = None if candidate.unlisted else entity.entity_id
        score = round(shares[best], 4)
        return Speaker(entity.name, entity_id, options.hows[best], score), key_of(candidate)
