"""Features of a source and a candidate speaker, and the rules' way of weighing them.

One function computes every feature of a (source, candidate) pair. Two linear rankings read them:
for pronouns and for descriptions. A learned scorer needs to replace only ``rank``.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from onrecord.stages import patterns
from onrecord.stages.roster import Candidate, Seen

_FAR = 99  # sentences to a candidate that was not mentioned yet
_AS_NEAR = 2
_LOOK_BACK = 6  # mentions of one candidate
_CLEAR_GENDER = -0.5


class Query(NamedTuple):
    """What is known about a source before any candidate is looked at.

    ``gender`` is "he" or "she" for a pronoun; ``words`` and ``head`` are the content words of a
    description and its head noun; ``places`` the entities named inside it; ``previous`` the
    entity that spoke last and ``gap`` the sentences since; ``known_head`` is true for a head that
    is a common word for a person or body, ``owned`` for "his lawyer", "the bank's lawyer".
    """

    start: int
    sentence: int
    paragraph_start: int
    gender: str | None = None
    words: frozenset[str] = frozenset()
    head: str = ""
    places: frozenset[str] = frozenset()
    previous: str | None = None
    gap: int = 99
    known_head: bool = False
    owned: bool = False


class Features(NamedTuple):
    """One candidate against one source; all but the logarithms lie in [0, 1]."""

    same_sentence: float
    last_sentence: float
    nearness: float
    subject: float
    opens_last_sentence: float
    same_paragraph: float
    quoted: float
    later_only: float
    spoke_last: float
    spoke_just_now: float
    frequency: float
    most_recent: float
    most_frequent: float
    gender: float
    wrong_gender: float
    role_head: float
    role_class: float
    role_words: float
    role_places: float
    name_head: float
    name_kind: float
    known_head: float
    owned: float


class _View(NamedTuple):
    """A candidate as seen from one source: its last mention before, and how many there were."""

    candidate: Candidate
    last: Seen | None
    mentions: int


def features(query: Query, candidates: Sequence[Candidate]) -> list[Features]:
    """Everything the rankings may look at, for each candidate, in the order given.

    Args:
        query: the source.
        candidates: who may be meant; recency and frequency are relative to all of them.
    """
    views = [_view(candidate, query.start) for candidate in candidates]
    latest = max((v.last.start for v in views if v.last and not v.last.quoted), default=-1)
    most = max((v.mentions for v in views), default=0)
    return [_features_of(query, view, latest, most) for view in views]


def _view(candidate: Candidate, start: int) -> _View:
    """The last mention that ends before ``start``, one outside quotations if it is as near."""
    count = bisect_right(candidate.seen, start, key=lambda seen: seen.end)
    if not count:
        return _View(candidate, None, 0)
    last = candidate.seen[count - 1]
    for seen in reversed(candidate.seen[max(count - _LOOK_BACK, 0) : count]):
        if last.sentence - seen.sentence > _AS_NEAR:
            break
        if not seen.quoted:
            return _View(candidate, seen, count)
    return _View(candidate, last, count)


def _features_of(query: Query, view: _View, latest: int, most: int) -> Features:
    candidate, last, count = view
    distance = query.sentence - last.sentence if last else _FAR
    words = candidate.roles
    name = {word.lower() for word in candidate.entity.name.split()}
    gender = _gender(query.gender, candidate)
    spoke = candidate.entity.entity_id == query.previous
    return Features(
        same_sentence=float(distance == 0),
        last_sentence=float(distance == 1),
        nearness=1.0 / (1 + distance),
        subject=float(last is not None and last.subject and distance <= _AS_NEAR),
        opens_last_sentence=float(distance <= 1 and _opens(candidate, query, count)),
        same_paragraph=float(last is not None and last.start >= query.paragraph_start),
        quoted=float(last is not None and last.quoted),
        later_only=float(last is None),
        spoke_last=float(spoke),
        spoke_just_now=float(spoke and query.gap <= 1),
        frequency=math.log1p(count),
        most_recent=float(last is not None and not last.quoted and last.start == latest),
        most_frequent=float(count == most),
        gender=gender,
        wrong_gender=float(gender < _CLEAR_GENDER),
        role_head=float(bool(query.head) and query.head in words),
        role_class=float(bool(patterns.HYPERNYMS.get(query.head, frozenset()) & words.keys())),
        role_words=sum(word in words for word in query.words) / max(len(query.words), 1),
        role_places=float(bool(query.places & candidate.places)),
        name_head=float(bool(query.head) and query.head in name),
        name_kind=float(bool(patterns.BODY_KINDS.get(query.head, frozenset()) & name)),
        known_head=float(query.known_head),
        owned=float(query.owned),
    )


def _gender(pronoun: str | None, candidate: Candidate) -> float:
    """Evidence for the pronoun's gender less evidence against it, in (-1, 1)."""
    if pronoun is None:
        return 0.0
    balance = candidate.masculine - candidate.feminine
    total = candidate.masculine + candidate.feminine
    return (balance if pronoun == "he" else -balance) / (total + 1)


def _opens(candidate: Candidate, query: Query, count: int) -> bool:
    """Whether the candidate is a subject of the source's sentence or the one before."""
    return any(
        seen.subject and not seen.quoted and query.sentence - seen.sentence <= 1
        for seen in candidate.seen[max(count - _LOOK_BACK, 0) : count]
    )


# Fitted as a multinomial logit over the candidates and nobody, by maximum likelihood with a normal
# prior, on the sources of the 180 training articles that carry speaker identities; the prior of
# the last two tables is centred on round numbers set by hand, as few sources are descriptions.
# Nobody weighs less among bodies than fitted (3.1): the training articles are about people, and
# half of their bodies have no entity to be found.
PRONOUN_WEIGHTS: dict[str, float] = {
    "same_sentence": 0.38,
    "last_sentence": 0.35,
    "nearness": 1.17,
    "subject": 0.77,
    "opens_last_sentence": 0.05,
    "same_paragraph": 1.09,
    "quoted": -0.85,
    "later_only": -1.03,
    "spoke_last": 1.58,
    "spoke_just_now": 0.85,
    "frequency": 0.18,
    "most_recent": 0.36,
    "most_frequent": 0.02,
    "gender": 2.34,
    "wrong_gender": 0.05,
    "role_class": 0.0,
    "nobody": 0.73,
}
DESCRIPTION_WEIGHTS: dict[str, float] = {
    "same_sentence": -0.4,
    "last_sentence": 0.58,
    "nearness": 0.13,
    "subject": 1.09,
    "opens_last_sentence": 0.59,
    "same_paragraph": -0.03,
    "quoted": -0.38,
    "later_only": -0.42,
    "spoke_last": 0.68,
    "spoke_just_now": 0.31,
    "frequency": 0.29,
    "most_recent": 0.43,
    "most_frequent": 0.34,
    "role_head": 1.13,
    "role_class": 1.05,
    "role_words": 0.65,
    "role_places": 1.29,
    "name_head": 0.0,
    "known_head": 2.16,
    "owned": -2.27,
    "nobody": 3.68,
}
BODY_WEIGHTS: dict[str, float] = {
    "same_sentence": -0.12,
    "last_sentence": 0.2,
    "nearness": 1.04,
    "subject": 0.58,
    "opens_last_sentence": 0.05,
    "same_paragraph": 0.94,
    "quoted": 0.04,
    "later_only": 0.0,
    "spoke_last": 0.98,
    "spoke_just_now": 0.15,
    "frequency": 0.09,
    "most_recent": 0.63,
    "most_frequent": -0.41,
    "role_head": 1.97,
    "role_class": 0.0,
    "role_words": -0.03,
    "name_head": 3.06,
    "nobody": 2.3,
}


def rank(found: Sequence[Features], weights: Mapping[str, float]) -> list[float]:
    """Probability of each candidate; what is missing to one is the probability of nobody named.

    A multinomial logit over the candidates and "nobody", whose score is ``weights["nobody"]``.
    """
    scores = [
        sum(weights.get(name, 0.0) * value for name, value in zip(item._fields, item, strict=True))
        for item in found
    ]
    top = max([weights["nobody"], *scores])
    raw = [math.exp(score - top) for score in scores]
    total = sum(raw) + math.exp(weights["nobody"] - top)
    return [value / total for value in raw]
