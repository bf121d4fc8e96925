"""Features of a source and a candidate speaker, and the rules' way of weighing them.

One function computes every feature of a (source, candidate) pair. Two linear rankings read them:
for pronouns and for descriptions. A learned scorer needs to replace only ``rank``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from onrecord.stages import patterns
from onrecord.stages.roster import Candidate, Seen


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
    known_head: float
    owned: float


def features(query: Query, candidate: Candidate, candidates: Sequence[Candidate]) -> Features:
    """Everything the rankings may look at, for one candidate.

    Args:
        query: the source.
        candidate: the candidate in question.
        candidates: all candidates of its kind, which recency and frequency compare it with.
    """
    last = _last_before(candidate, query.start)
    distance = query.sentence - last.sentence if last else 99
    count = _count_before(candidate, query.start)
    words = candidate.roles
    shared = sum(1 for word in query.words if word in words)
    name = {w.lower() for w in candidate.entity.name.split()}
    gender = _gender(query.gender, candidate)
    spoke = candidate.entity.entity_id == query.previous
    return Features(
        same_sentence=float(distance == 0),
        last_sentence=float(distance == 1),
        nearness=1.0 / (1 + distance),
        subject=float(last is not None and last.subject and distance <= 2),
        opens_last_sentence=float(last is not None and _opens(candidate, query, last)),
        same_paragraph=float(last is not None and last.start >= query.paragraph_start),
        quoted=float(last is not None and last.quoted),
        later_only=float(last is None),
        spoke_last=float(spoke),
        spoke_just_now=float(spoke and query.gap <= 1),
        frequency=math.log1p(count),
        most_recent=float(last is not None and not _anyone_after(candidates, last, query.start)),
        most_frequent=float(
            count == max((_count_before(c, query.start) for c in candidates), default=0)
        ),
        gender=gender,
        wrong_gender=float(gender < -0.5),
        role_head=float(bool(query.head) and query.head in words),
        role_class=float(bool(patterns.HYPERNYMS.get(query.head, frozenset()) & words.keys())),
        role_words=shared / max(len(query.words), 1),
        role_places=float(bool(query.places & candidate.places)),
        name_head=float(bool(query.head) and query.head in name),
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


def _last_before(candidate: Candidate, start: int) -> Seen | None:
    """The last mention that ends before ``start``, one outside quotations if it is as near."""
    before = [seen for seen in candidate.seen if seen.end <= start]
    plain = [seen for seen in before if not seen.quoted]
    if plain and (not before or before[-1].sentence - plain[-1].sentence <= 2):
        return plain[-1]
    return before[-1] if before else None


def _count_before(candidate: Candidate, start: int) -> int:
    return sum(1 for seen in candidate.seen if seen.end <= start)


def _opens(candidate: Candidate, query: Query, last: Seen) -> bool:
    return (
        any(
            seen.subject and not seen.quoted and query.sentence - seen.sentence <= 1
            for seen in candidate.seen
            if seen.end <= query.start
        )
        and last.sentence >= query.sentence - 1
    )


def _anyone_after(candidates: Sequence[Candidate], last: Seen, start: int) -> bool:
    return any(
        last.start < seen.start < start and not seen.quoted
        for candidate in candidates
        for seen in candidate.seen
    )


PRONOUN_WEIGHTS: dict[str, float] = {
    "same_sentence": 0.43,
    "last_sentence": 0.48,
    "nearness": 1.81,
    "subject": 0.8,
    "opens_last_sentence": 0.07,
    "same_paragraph": 0.81,
    "quoted": -1.08,
    "later_only": -0.87,
    "spoke_last": 1.87,
    "spoke_just_now": 0.84,
    "frequency": 0.36,
    "most_recent": 0.25,
    "most_frequent": 0.2,
    "gender": 1.09,
    "wrong_gender": -1.09,
    "role_class": 0.0,
    "nobody": 0.53,
}
DESCRIPTION_WEIGHTS: dict[str, float] = {
    "same_sentence": -0.65,
    "last_sentence": 0.41,
    "nearness": 0.3,
    "subject": 1.36,
    "opens_last_sentence": 0.12,
    "same_paragraph": 0.2,
    "quoted": -0.19,
    "later_only": -0.46,
    "spoke_last": 1.15,
    "spoke_just_now": 0.27,
    "frequency": -0.0,
    "most_recent": 0.18,
    "most_frequent": 0.55,
    "role_head": 1.54,
    "role_class": 0.9,
    "role_words": 0.88,
    "role_places": 0.87,
    "name_head": 0.36,
    "known_head": 2.61,
    "owned": -1.64,
    "nobody": 4.65,
}
BODY_WEIGHTS: dict[str, float] = {
    "same_sentence": -0.29,
    "last_sentence": 0.71,
    "nearness": 0.63,
    "subject": 0.55,
    "opens_last_sentence": 0.54,
    "same_paragraph": 1.0,
    "quoted": -0.17,
    "later_only": 0.0,
    "spoke_last": 1.32,
    "spoke_just_now": -0.13,
    "frequency": -0.29,
    "most_recent": 0.27,
    "most_frequent": 0.1,
    "role_head": 1.9,
    "role_class": 0.0,
    "role_words": -0.1,
    "name_head": 3.33,
    "nobody": 2.77,
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
