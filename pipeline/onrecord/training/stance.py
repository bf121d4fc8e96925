"""Training of the stance stage on statements in context with two marks, and auxiliary sets."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from onrecord.records import Attribution, Span
from onrecord.stages.encoder import ArticleTokens, IntArray, PieceTokenizer
from onrecord.stages.stance import StanceHead, statement_regions, statement_roles
from onrecord.training.data import prepare, read_json_lines, tagging_pipeline

_PLOVER_COOPERATION = ("1", "2")
# Every third event sentence is held out, to measure cooperation against conflict.
HELD_OUT_EVERY = 3


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement in its context, as text and spans, with its marks."""

    text: str
    attribution: Attribution
    defiance: float
    conciliation: float
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class StanceItem:
    """A statement in tokens: first token of its region, role of each token, marks and weight."""

    tokens: ArticleTokens
    first: int
    roles: IntArray
    marks: tuple[float, float]
    weight: float


def statement_in_context(
    left: str, statement: str, right: str, source: str | None = None, cue: str | None = None
) -> tuple[str, Attribution]:
    """Join a statement with its context; source and cue are looked for nearest to it."""
    before = f"{left.lstrip()} " if left.strip() else ""
    text = f"{before}{statement} {right}".rstrip()
    content = Span(len(before), min(len(before) + len(statement), len(text)))
    found = Attribution(
        content=(content,),
        cue=_nearest(text, cue, content),
        source=_nearest(text, source, content),
        kind="indirect",
        score=1.0,
    )
    return text, found


def _nearest(text: str, phrase: str | None, content: Span) -> tuple[Span, ...]:
    if not phrase:
        return ()
    before = text.rfind(phrase, 0, content.start)
    after = text.find(phrase, content.end)
    if before < 0 and after < 0:
        return ()
    near_before = content.start - before if before >= 0 else len(text)
    near_after = after - content.end if after >= 0 else len(text)
    at = before if near_before <= near_after else after
    return (Span(at, at + len(phrase)),)


def read_statements(path: Path) -> Iterator[Statement]:
    """Statements with both marks (JSON Lines: left, statement, right, source, cue, marks)."""
    for row in read_json_lines(path):
        text, attribution = statement_in_context(
            row["left"], row["statement"], row["right"], row["source"], row["cue"]
        )
        yield Statement(text, attribution, float(row["defiance"]), float(row["conciliation"]))


def read_events(path: Path, *, held_out: bool) -> Iterator[Statement]:
    """Event sentences with PLOVER classes: conflict is defiance, cooperation is conciliation."""
    with path.open(encoding="utf-8", newline="") as stream:
        for number, row in enumerate(csv.DictReader(stream, delimiter="\t")):
            if (number % HELD_OUT_EVERY == 0) != held_out:
                continue
            cooperates = row["gold_penta"] in _PLOVER_COOPERATION
            text, attribution = statement_in_context("", row["sentence"], "")
            yield Statement(text, attribution, float(not cooperates), float(cooperates), 0.7)


def prepare_statements(
    statements: Sequence[Statement], tokenizer: PieceTokenizer
) -> list[StanceItem]:
    """Statements in tokens, with the features the encoder will see."""
    nlp = tagging_pipeline()
    articles = prepare(nlp, (statement.text for statement in statements), tokenizer)
    items = []
    for tokens, statement in zip(articles, statements, strict=True):
        first, roles = statement_roles(tokens, statement.attribution)
        marks = (statement.defiance, statement.conciliation)
        items.append(StanceItem(tokens, first, roles, marks, statement.weight))
    return items


def stance_loss(head: StanceHead, vectors: Tensor, items: Sequence[StanceItem]) -> Tensor:
    """Mean weighted cross-entropy of both marks; ``vectors`` are the items' tokens in a row."""
    logits = stance_logits(head, vectors, items)
    marks = torch.tensor([item.marks for item in items])
    weight = torch.tensor([item.weight for item in items])[:, None].expand_as(marks)
    each = F.binary_cross_entropy_with_logits(logits, marks, reduction="none")
    return (each * weight).sum() / weight.sum()


def stance_logits(head: StanceHead, vectors: Tensor, items: Sequence[StanceItem]) -> Tensor:
    """Logits of both marks of each item, shape (items, 2)."""
    offset = 0
    placed = []
    for item in items:
        placed.append((offset + item.first, item.roles))
        offset += len(item.tokens)
    logits: Tensor = head(vectors, statement_regions(placed))
    return logits
