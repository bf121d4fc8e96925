"""Score the speakers stage on source spans with known identities.

    python benchmarks/speakers.py --data FOLDER [--part dev] [--model DIR]

FOLDER holds speakers/PART.jsonl: {"id", "text", "sources": [{"start", "end", "identity"}]}, the
identity being the fullest name the article gives, "~description" where it gives none, names joined
by " & " for several, "?" where a reader cannot tell; and polnear/PART.jsonl, gold files that hold
the statements of these sources. A statement of several or of an unnamed source should stay unknown.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator
from pathlib import Path

import onrecord
from onrecord.evaluation.curves import Judged, coverage_curve
from onrecord.evaluation.evaluate import score
from onrecord.evaluation.gold import GoldArticle, GoldAttribution, read_gold
from onrecord.evaluation.intervals import with_intervals
from onrecord.evaluation.metrics import Metrics, rate
from onrecord.evaluation.names import fold_name, same_name
from onrecord.evaluation.prediction_sources import PipelinePredictor
from onrecord.evaluation.predictions import PredictedAttribution
from onrecord.records import Span

_PRONOUNS = frozenset(
    ("he", "she", "it", "they", "his", "her", "its", "their", "him", "them", "who", "i", "we")
)
_SENTENCE_END = re.compile(r"[.!?…][”\"’')\]]*\s|\n|$")


def read_sources(data: Path, part: str) -> Iterator[GoldArticle]:
    """Each source once, as the source of its first statement."""
    polnear = {a.id: a for a in read_gold(data / "polnear" / f"{part}.jsonl").articles}
    with (data / "speakers" / f"{part}.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            article = polnear.get(row["id"])
            statements = () if article is None else article.attributions or ()
            text = row["text"]
            found = [
                _statement(text, Span(s["start"], s["end"]), s["identity"], statements)
                for s in row["sources"]
            ]
            in_order = tuple(sorted(found, key=lambda a: (a.content, a.cue, a.source)))
            yield GoldArticle(row["id"], text, attributions=in_order)


def _statement(
    text: str, source: Span, identity: str, statements: tuple[GoldAttribution, ...]
) -> GoldAttribution:
    named = identity not in ("", "?") and not identity.startswith("~") and " & " not in identity
    content, cue = None, ()
    for statement in statements:
        if any(s.start < source.end and source.start < s.end for s in statement.source):
            content, cue = statement.content, statement.cue
            break
    if content is None:
        # No statement is known: the rest of the sentence stands for it.
        end = _SENTENCE_END.search(text, source.end)
        stop = len(text) if end is None else end.start()
        content = (Span(source.end, stop) if stop - source.end > 1 else source,)
    speaker = identity if named else None
    return GoldAttribution(content, cue, (source,), speaker, identity != "?")


def kind_of_source(text: str, statement: GoldAttribution) -> str:
    """Pronoun; name, if it shares a word with the identity; or else a description."""
    words = fold_name(" ".join(text[s.start : s.end] for s in statement.source)).split()
    if words and words[0] in _PRONOUNS and len(words) == 1:
        return "pronoun"
    shared = set(words) & set(fold_name(statement.speaker or "").split())
    return "name" if shared - {"of", "the", "and"} else "description"


def _rates(counts: object) -> Metrics:
    names = ("all", "pronoun", "name", "description", "description_named", "unnamed", "given")
    return {name: rate(counts[f"{name}:right"], counts[f"{name}:n"]) for name in names}  # type: ignore[index]


def _count(
    text: str, pairs: list[tuple[GoldAttribution, PredictedAttribution]]
) -> dict[str, float]:
    counts: dict[str, float] = {}
    for gold, answer in pairs:
        if not gold.speaker_labelled:
            continue
        right = same_name(gold.speaker, answer.speaker)
        kind = kind_of_source(text, gold)
        groups = ["all", kind]
        if gold.speaker is None:
            groups.append("unnamed")
        elif kind == "description":
            groups.append("description_named")
        if answer.speaker is not None:
            groups.append("given")
        for group in groups:
            counts[f"{group}:n"] = counts.get(f"{group}:n", 0) + 1
            counts[f"{group}:right"] = counts.get(f"{group}:right", 0) + right
    return counts


def main() -> None:
    """Print accuracy by kind of source, and precision against coverage."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--part", default="dev")
    parser.add_argument("--model", type=Path)
    arguments = parser.parse_args()
    articles = list(read_sources(arguments.data, arguments.part))
    answers = PipelinePredictor(onrecord.load(model=arguments.model)).given_gold(articles)
    counted, judged = [], []
    for article, answer in zip(articles, answers, strict=True):
        pairs = list(zip(article.attributions or (), answer.judged.attributions, strict=True))
        counted.append(_count(article.text, pairs))
        judged += [
            Judged(a.speaker_score, same_name(g.speaker, a.speaker))
            for g, a in pairs
            if g.speaker_labelled and a.speaker is not None
        ]
    for name, found in with_intervals(counted, _rates).items():
        bounds = f"{found.low:.3f} to {found.high:.3f}"
        print(f"{name:18} {found.value:.3f}  ({bounds}, n {found.n})")
    n_sources = int(sum(c.get("all:n", 0) for c in counted))
    for point in coverage_curve(judged, n_sources)[::20]:
        shares = f"named {point.coverage:.2f}, right {point.precision:.3f}"
        print(f"score >= {point.threshold:.2f}: {shares}")
    speakers = score(articles, [a.judged for a in answers]).metrics["end_to_end"]["speakers"]
    print("as evaluate reports it:", {k: round(v["value"], 3) for k, v in speakers.items()})


if __name__ == "__main__":
    main()
