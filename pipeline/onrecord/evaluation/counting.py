"""Counts of one article, layer by layer: gold against prediction, in numbers that add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from onrecord.evaluation.gold import GoldArticle, GoldAttribution, GoldEntity
from onrecord.evaluation.matching import Match, match_attributions, score_attributions
from onrecord.evaluation.names import fold_name, same_name
from onrecord.evaluation.overlaps import Overlaps
from onrecord.evaluation.predictions import PredictedAttribution, Prediction
from onrecord.records import STANCES, Span

Counts = dict[str, float]
LAYERS = ("sentences", "entities", "attribution", "speakers", "stance")
MARKS = ("defiance", "conciliation")
N_BINS = 10
# A statement that has no counterpart on the other side, in the confusion matrix.
ABSENT = "absent"


def count_article(
    gold: GoldArticle, predicted: Prediction, layers: Iterable[str] = LAYERS
) -> dict[str, Counts]:
    """Counts of every layer that the gold has, among ``layers``.

    Args:
        gold: the article, its kinds filled in (:func:`onrecord.evaluation.gold.with_kinds`).
        predicted: the prediction for the same text.
        layers: layers to count.
    """
    counted: dict[str, Counts] = {}
    present = set(layers_of(gold)) & set(layers)
    if "sentences" in present:
        counted["sentences"] = count_sentences(gold.text, gold.sentences or (), predicted.sentences)
    if "entities" in present:
        counted["entities"] = count_entities(gold.entities or (), predicted.entities)
    statements, answers = gold.attributions or (), predicted.attributions
    if "attribution" in present:
        counted["attribution"] = score_attributions(gold.text, statements, answers).flat()
    if "speakers" in present or "stance" in present:
        matches = match_attributions(gold.text, statements, answers)
        if "speakers" in present:
            counted["speakers"] = count_speakers(statements, answers, matches)
        if "stance" in present:
            counted["stance"] = count_stance(statements, answers, matches)
    return counted


def layers_of(gold: GoldArticle) -> list[str]:
    """Layers that this article can be scored on."""
    statements = gold.attributions
    has = {
        "sentences": gold.sentences is not None,
        "entities": gold.entities is not None,
        "attribution": statements is not None,
        "speakers": any(a.speaker_labelled for a in statements or ()),
        "stance": any(a.stance is not None for a in statements or ()),
    }
    return [layer for layer in LAYERS if has[layer]]


def count_sentences(text: str, gold: Sequence[Span], predicted: Sequence[Span]) -> Counts:
    """Sentences with the same first and last visible character."""
    ours = Counter(_visible(text, span) for span in gold)
    theirs = Counter(_visible(text, span) for span in predicted)
    right = (ours & theirs).total()
    return _both_sides("right", right, right, len(gold), len(predicted))


def _visible(text: str, span: Span) -> Span:
    covered = text[span.start : span.end]
    lead = len(covered) - len(covered.lstrip())
    return Span(span.start + lead, span.start + lead + len(covered.strip()))


def _both_sides(
    right: str, gold: float, predicted: float, n_gold: float, n_predicted: float, prefix: str = ""
) -> Counts:
    return {
        f"{prefix}n_gold": n_gold,
        f"{prefix}n_predicted": n_predicted,
        f"{prefix}{right}_gold": gold,
        f"{prefix}{right}_predicted": predicted,
    }


def count_entities(gold: Sequence[GoldEntity], predicted: Sequence[GoldEntity]) -> Counts:
    """Mentions by span and label, by label, by span alone, by overlap; identity of those found."""
    ours = Counter((e.start, e.end, e.label) for e in gold)
    theirs = Counter((e.start, e.end, e.label) for e in predicted)
    right = ours & theirs
    counts = _both_sides("right", right.total(), right.total(), len(gold), len(predicted))
    for side, mentions in (("n_gold", ours), ("n_predicted", theirs), ("right", right)):
        for (_, _, label), n in mentions.items():
            name = f"label:{label}:{side}"
            counts[name] = counts.get(name, 0) + n
    spans = _spans_of(gold) & _spans_of(predicted)
    counts["span_gold"] = counts["span_predicted"] = spans.total()
    partial = _overlapping_pairs(gold, predicted)
    counts["partial_gold"] = counts["partial_predicted"] = partial
    return counts | _count_identity(gold, predicted)


def _spans_of(entities: Iterable[GoldEntity]) -> Counter[tuple[int, int]]:
    return Counter((e.start, e.end) for e in entities)


def _overlapping_pairs(gold: Sequence[GoldEntity], predicted: Sequence[GoldEntity]) -> int:
    """Mentions of the same label that share a character, one to one, largest overlap first."""
    candidates = []
    in_order = sorted(predicted, key=lambda e: e.start)
    overlaps = Overlaps((e.start, e.end) for e in in_order)
    for g, ours in enumerate(gold):
        for p in overlaps.at(ours.start, ours.end):
            theirs = in_order[p]
            shared = min(ours.end, theirs.end) - max(ours.start, theirs.start)
            if ours.label == theirs.label:
                either = max(ours.end, theirs.end) - min(ours.start, theirs.start)
                candidates.append((-shared / either, ours.start + theirs.start, g, p))
    taken_gold: set[int] = set()
    taken_predicted: set[int] = set()
    for _, _, g, p in sorted(candidates):
        if g not in taken_gold and p not in taken_predicted:
            taken_gold.add(g)
            taken_predicted.add(p)
    return len(taken_gold)


def _count_identity(gold: Sequence[GoldEntity], predicted: Sequence[GoldEntity]) -> Counts:
    """Identity of mentions found with their exact span, where gold gives one.

    ``named`` counts mentions whose entity has the gold name. The ``cluster`` sums are B-cubed
    (Bagga and Baldwin, 1998): for each mention, the share of its predicted (gold) cluster that
    belongs to its gold (predicted) cluster.
    """
    theirs = {(e.start, e.end): e.entity for e in predicted}
    found = [
        (fold_name(e.entity), fold_name(name) if (name := theirs[e.start, e.end]) else None)
        for e in gold
        if e.entity is not None and (e.start, e.end) in theirs
    ]
    # A mention without a predicted entity is a cluster of its own.
    keyed = [(ours, name if name is not None else (n,)) for n, (ours, name) in enumerate(found)]
    both = Counter(keyed)
    by_gold, by_name = Counter(k[0] for k in keyed), Counter(k[1] for k in keyed)
    return {
        "identity_n": len(found),
        "identity_named": sum(ours == name for ours, name in found),
        "cluster_gold": sum(both[k] / by_gold[k[0]] for k in keyed),
        "cluster_predicted": sum(both[k] / by_name[k[1]] for k in keyed),
    }


def count_speakers(
    gold: Sequence[GoldAttribution],
    predicted: Sequence[PredictedAttribution],
    matches: Sequence[Match],
) -> Counts:
    """Named speakers and honest unknowns, over statements found and over all."""
    labelled = [a for a in gold if a.speaker_labelled]
    skipped = {m.predicted for m in matches if not gold[m.gold].speaker_labelled}
    counts: Counter[str] = Counter(
        n_named=sum(a.speaker is not None for a in labelled),
        n_unnamed=sum(a.speaker is None for a in labelled),
        n_predicted_named=sum(
            a.speaker is not None for n, a in enumerate(predicted) if n not in skipped
        ),
    )
    for match in matches:
        ours, theirs = gold[match.gold], predicted[match.predicted]
        if not ours.speaker_labelled:
            continue
        right = same_name(ours.speaker, theirs.speaker)
        for prefix in ("", f"{ours.kind}_") if ours.kind else ("",):
            _count_speaker(counts, prefix, ours.speaker, theirs.speaker, right)
    return dict(counts)


def _count_speaker(
    counts: Counter[str], prefix: str, gold: str | None, predicted: str | None, right: bool
) -> None:
    if gold is None:
        counts[f"{prefix}unnamed_found"] += 1
        counts[f"{prefix}unnamed_right"] += right
    else:
        counts[f"{prefix}named_found"] += 1
        counts[f"{prefix}named_right"] += right
    if predicted is not None:
        counts[f"{prefix}name_given"] += 1
        counts[f"{prefix}name_right"] += right


def bears(stance: str | None, mark: str) -> bool:
    """Whether a stance label carries a mark; a mixed statement carries both."""
    return stance == "mixed" or stance == {"defiance": "defiant"}.get(mark, "conciliatory")


def count_stance(
    gold: Sequence[GoldAttribution],
    predicted: Sequence[PredictedAttribution],
    matches: Sequence[Match],
) -> Counts:
    """Classes, confusion and calibration bins.

    A gold statement that was not found counts against recall, a prediction that is no gold
    statement against precision; a pair whose gold has no stance does not count at all. The
    ``found`` counts, the confusion and the bins are over pairs only.
    """
    pairs = [(gold[m.gold], predicted[m.predicted]) for m in matches]
    unlabelled = {m.predicted for m in matches if gold[m.gold].stance is None}
    ours = [a.stance for a in gold if a.stance is not None]
    theirs = [a.stance for n, a in enumerate(predicted) if n not in unlabelled]
    judged = [(a, b) for a, b in pairs if a.stance is not None]
    counts: Counter[str] = Counter()
    for name in ("defiant", "conciliatory", "neutral"):
        both = sum(_is(a.stance, name) and _is(b.stance, name) for a, b in judged)
        sides = _both_sides("right", both, both, _n(ours, name), _n(theirs, name), f"{name}_")
        counts.update(sides)
        counts[f"found_{name}_right_gold"] = counts[f"found_{name}_right_predicted"] = both
        counts[f"found_{name}_n_gold"] = _n([a.stance for a, _ in judged], name)
        counts[f"found_{name}_n_predicted"] = _n([b.stance for _, b in judged], name)
    counts["n_gold"], counts["n_predicted"] = len(ours), len(theirs)
    counts["n_found"] = len(judged)
    counts["n_equal"] = sum(a.stance == b.stance for a, b in judged)
    for a, b in judged:
        counts[f"confusion:{a.stance}:{b.stance or ABSENT}"] += 1
    counts.update(_unpaired(gold, predicted, matches))
    return dict(counts) | _bins(judged)


def _is(stance: str | None, name: str) -> bool:
    """Whether a label counts as the class; mixed counts as both its sides."""
    return stance == name or (stance == "mixed" and name != "neutral")


def _n(stances: Sequence[str | None], name: str) -> int:
    return sum(_is(stance, name) for stance in stances)


def _bins(judged: Iterable[tuple[GoldAttribution, PredictedAttribution]]) -> Counts:
    """Sums that the calibration error and the reliability diagram are drawn from."""
    sums: Counts = {}
    for gold, answer in judged:
        if answer.stance is None:
            continue
        for mark, p in zip(MARKS, (answer.p_defiance, answer.p_conciliation), strict=True):
            name = f"bin:{mark}:{min(int(p * N_BINS), N_BINS - 1)}"
            for part, value in (("n", 1.0), ("p", p), ("y", float(bears(gold.stance, mark)))):
                sums[f"{name}:{part}"] = sums.get(f"{name}:{part}", 0.0) + value
    return sums


def _unpaired(
    gold: Sequence[GoldAttribution],
    predicted: Sequence[PredictedAttribution],
    matches: Sequence[Match],
) -> Counter[str]:
    found, used = {m.gold for m in matches}, {m.predicted for m in matches}
    counts: Counter[str] = Counter()
    for number, statement in enumerate(gold):
        if number not in found and statement.stance is not None:
            counts[f"confusion:{statement.stance}:{ABSENT}"] += 1
    for number, answer in enumerate(predicted):
        if number not in used and answer.stance is not None:
            counts[f"confusion:{ABSENT}:{answer.stance}"] += 1
    return counts


def confusion(counts: Mapping[str, float]) -> list[list[int]]:
    """Gold by predicted stance, in the order of ``STANCES`` and then absent."""
    names = (*STANCES, ABSENT)
    return [[int(counts.get(f"confusion:{a}:{b}", 0)) for b in names] for a in names]
