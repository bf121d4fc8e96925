"""Score the stance stage on statements in context, by source, and on PLOVER event sentences.

    python benchmarks/stance.py --data FOLDER [--model DIR]

FOLDER holds stance/dev.jsonl: {"id", "left", "statement", "right", "source", "cue", "defiance",
"conciliation", "second"}, the last being an independent second reading; statements where both
readings agree are scored apart. stance/plv_train.tsv, if there, gives the event sentences that
training holds out. The part of an id before its first "-" is its source.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import onrecord
from onrecord.evaluation.evaluate import score
from onrecord.evaluation.gold import GoldArticle, GoldAttribution
from onrecord.evaluation.prediction_sources import PipelinePredictor
from onrecord.training.stance import MARKS, read_events, statement_in_context

_LABELS = {marks: label for label, marks in MARKS.items()}


def read_statements(path: Path) -> tuple[list[GoldArticle], set[str]]:
    """Statements as articles, and the ids of those that both readers marked alike."""
    articles, agreed = [], set()
    with path.open(encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            marks = (row["defiance"], row["conciliation"])
            text, found = statement_in_context(
                row["left"], row["statement"], row["right"], row["source"], row["cue"]
            )
            statement = GoldAttribution(
                found.content,
                found.cue,
                found.source,
                kind="indirect",
                stance=_LABELS[marks],  # type: ignore[arg-type]
            )
            extra = {"publisher": row["id"].split("-")[0]}
            articles.append(GoldArticle(row["id"], text, attributions=(statement,), extra=extra))
            if tuple(row.get("second") or marks) == marks:
                agreed.add(row["id"])
    return articles, agreed


def report(title: str, predictor: PipelinePredictor, articles: Sequence[GoldArticle]) -> None:
    """Print the scores of the stage, given the statements."""
    answers = [answer.judged for answer in predictor.given_gold(articles)]
    setting = score(articles, answers).settings["end_to_end"]
    print(f"{title}: {len(articles)} statements")
    for name, found in setting.scores["stance"].items():
        print(f"  {name:18} {found.value:.3f}  ({found.low:.3f} to {found.high:.3f}, n {found.n})")
    for publisher, scores in setting.by_publisher.items():
        found = scores["stance"]["macro_f1"]
        print(f"  macro_f1 {publisher:9} {found.value:.3f}  (n {found.n})")


def report_events(predictor: PipelinePredictor, path: Path) -> None:
    """Print accuracy and macro F1 of cooperation against conflict, the likelier mark deciding."""
    events = list(read_events(path, held_out=True))
    articles = [
        GoldArticle(
            str(number), event.text, attributions=(GoldAttribution(event.attribution.content),)
        )
        for number, event in enumerate(events)
    ]
    said = []
    for answer in predictor.given_gold(articles):
        (statement,) = answer.judged.attributions
        said.append(statement.p_defiance > statement.p_conciliation)
    conflict = [event.defiance > event.conciliation for event in events]
    halves = []
    for side in (True, False):
        right = sum(a is side and b is side for a, b in zip(conflict, said, strict=True))
        halves.append(2 * right / max(1, conflict.count(side) + said.count(side)))
    equal = sum(a is b for a, b in zip(conflict, said, strict=True)) / len(events)
    print(f"events held out: {len(events)}, macro F1 {sum(halves) / 2:.3f}, accuracy {equal:.3f}")


def main() -> None:
    """Print the scores on everything that the folder holds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path)
    arguments = parser.parse_args()
    nlp = onrecord.load(model=arguments.model, exclude=["onrecord_speakers"])
    predictor = PipelinePredictor(nlp)
    articles, agreed = read_statements(arguments.data / "stance" / "dev.jsonl")
    report("all", predictor, articles)
    report("both readings agree", predictor, [a for a in articles if a.id in agreed])
    events = arguments.data / "stance" / "plv_train.tsv"
    if events.is_file():
        report_events(predictor, events)


if __name__ == "__main__":
    main()
