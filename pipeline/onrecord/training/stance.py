"""Training of the stance stage on statements in context with two marks, and auxiliary sets."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from onrecord.records import Attribution, Span
from onrecord.stages.encoder import ArticleTokens, IntArray, PieceTokenizer
from onrecord.stages.stance import (
    StanceHead,
    article_roles,
    statement_regions,
    statement_roles,
)
from onrecord.training.data import (
    gold_attribution,
    prepare,
    read_json_lines,
    tagging_pipeline,
)

# Defiance and conciliation of each label.
MARKS: dict[str, tuple[float, float]] = {
    "neutral": (0.0, 0.0),
    "defiant": (1.0, 0.0),
    "conciliatory": (0.0, 1.0),
    "mixed": (1.0, 1.0),
}
_LETTERS = {label[0].upper(): label for label in MARKS}
_MARKED = re.compile(r"\{(?P<role>[qcs]) (?P<words>[^{}]*)\}")
_PLOVER_COOPERATION = ("1", "2")
# Every third event sentence is held out, to measure cooperation against conflict.
HELD_OUT_EVERY = 3
# How much of what is learned is what a teacher thinks; the rest is the label.
_TAUGHT = 0.5


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement in its context, as text and spans, with its marks."""

    text: str
    attribution: Attribution
    defiance: float
    conciliation: float
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Pair:
    """Two statements that a small edit sets apart in their marks."""

    domain: str
    edit: str
    members: tuple[Statement, Statement]


@dataclass(frozen=True, slots=True)
class MarkedStatement:
    """A statement in tokens: first token of its region, role of each token, marks and weight."""

    first: int
    roles: IntArray
    marks: tuple[float, float]
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class StanceItem:
    """A text, one statement with its context or a whole article, and the statements in it."""

    tokens: ArticleTokens
    statements: tuple[MarkedStatement, ...]

    @property
    def roles(self) -> IntArray:
        """What each token is to any of the statements, shape (n,)."""
        placed = [(statement.first, statement.roles) for statement in self.statements]
        return article_roles(len(self.tokens), placed)


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


def read_pairs(path: Path) -> Iterator[Pair]:
    """Contrast pairs: a stanza each, its domain and edit, then two sentences behind their labels.

    A label is D, C, M or N; content, cue and source are marked as ``{q ...}``, ``{c ...}`` and
    ``{s ...}``.

    Raises:
        ValueError: a stanza is not of this form; the message names the file and the stanza.
    """
    stanzas = path.read_text(encoding="utf-8").strip().split("\n\n")
    for number, stanza in enumerate(stanzas, start=1):
        try:
            title, first, second = stanza.split("\n")
            domain, edit = title.split(" / ")
            yield Pair(domain, edit, (_pair_member(first), _pair_member(second)))
        except (ValueError, KeyError) as error:
            raise ValueError(
                f"{path}, stanza {number}: expected 'domain / edit' and two lines that begin with "
                f"D, C, M or N and mark a statement as {{q ...}}, got {stanza[:60]!r} ({error})"
            ) from error


def _pair_member(line: str) -> Statement:
    label, marked = line[0], line[2:]
    spans: dict[str, list[Span]] = {"q": [], "c": [], "s": []}
    text = ""
    copied = 0
    for found in _MARKED.finditer(marked):
        text += marked[copied : found.start()]
        spans[found["role"]].append(Span(len(text), len(text) + len(found["words"])))
        text += found["words"]
        copied = found.end()
    text += marked[copied:]
    if not spans["q"]:
        raise ValueError("no content is marked")
    content, cue, source = (tuple(spans[role]) for role in "qcs")
    attribution = Attribution(content, cue, source, "indirect", 1.0)
    return Statement(text, attribution, *MARKS[_LETTERS[label]])


def soften(statements: Sequence[Statement], taught: Tensor) -> list[Statement]:
    """Statements with marks between their labels and what a teacher thinks, (statements, 2)."""
    softened = []
    for statement, thought in zip(statements, taught.tolist(), strict=True):
        marks = _between((statement.defiance, statement.conciliation), thought)
        softened.append(replace(statement, defiance=marks[0], conciliation=marks[1]))
    return softened


def soften_articles(
    articles: Mapping[str, dict[str, Any]], taught: Tensor
) -> dict[str, dict[str, Any]]:
    """The same for marked articles: ``taught`` holds their statements in a row."""
    thoughts = iter(taught.tolist())
    return {
        name: {
            **article,
            "attributions": [
                {**row, "marks": _between(MARKS[row["stance"]], next(thoughts))}
                for row in article["attributions"]
            ],
        }
        for name, article in articles.items()
    }


def _between(label: tuple[float, float], thought: Sequence[float]) -> tuple[float, float]:
    defiance, conciliation = (
        (1 - _TAUGHT) * mark + _TAUGHT * share for mark, share in zip(label, thought, strict=True)
    )
    return defiance, conciliation


def prepare_statements(
    statements: Sequence[Statement], tokenizer: PieceTokenizer
) -> list[StanceItem]:
    """Statements in tokens, with the features the encoder will see."""
    nlp = tagging_pipeline()
    articles = prepare(nlp, (statement.text for statement in statements), tokenizer)
    items = []
    for tokens, statement in zip(articles, statements, strict=True):
        marks = (statement.defiance, statement.conciliation)
        placed = statement_roles(tokens, statement.attribution)
        items.append(StanceItem(tokens, (MarkedStatement(*placed, marks, statement.weight),)))
    return items


def read_marked_articles(path: Path) -> dict[str, dict[str, Any]]:
    """Articles in the gold format whose attributions carry a stance, by id; none without a file.

    Raises:
        ValueError: a line is not JSON, or a stance is none of the four.
    """
    if not path.is_file():
        return {}
    rows = {row["id"]: row for row in read_json_lines(path)}
    for row in rows.values():
        for attribution in row["attributions"]:
            if attribution["stance"] not in MARKS:
                raise ValueError(
                    f"{path}, article {row['id']}: stance is {attribution['stance']!r}; it must be "
                    f"one of {', '.join(MARKS)}"
                )
    return rows


def mark_article(tokens: ArticleTokens, rows: Sequence[dict[str, Any]]) -> StanceItem:
    """The statements of one article, given as gold attributions with a stance, in tokens."""
    statements = []
    for row in rows:
        marks = row.get("marks") or MARKS[row["stance"]]
        statements.append(MarkedStatement(*statement_roles(tokens, gold_attribution(row)), marks))
    return StanceItem(tokens, tuple(statements))


def prepare_marked(rows: Collection[dict[str, Any]], tokenizer: PieceTokenizer) -> list[StanceItem]:
    """Articles of ``read_marked_articles`` in tokens, each with its statements."""
    articles = prepare(tagging_pipeline(), (row["text"] for row in rows), tokenizer)
    return [
        mark_article(tokens, row["attributions"])
        for tokens, row in zip(articles, rows, strict=True)
    ]


def stance_loss(head: StanceHead, vectors: Tensor, items: Sequence[StanceItem]) -> Tensor:
    """Mean weighted cross-entropy of both marks; ``vectors`` are the items' tokens in a row."""
    return marks_loss(stance_logits(head, vectors, items), items)


def marks_loss(logits: Tensor, items: Sequence[StanceItem]) -> Tensor:
    """Mean weighted cross-entropy of the marks of the items' statements, given their logits."""
    statements = [statement for item in items for statement in item.statements]
    marks = torch.tensor([statement.marks for statement in statements])
    weight = torch.tensor([statement.weight for statement in statements])[:, None].expand_as(marks)
    each = F.binary_cross_entropy_with_logits(logits, marks, reduction="none")
    return (each * weight).sum() / weight.sum()


def stance_logits(head: StanceHead, vectors: Tensor, items: Sequence[StanceItem]) -> Tensor:
    """Logits of both marks of each statement of each item, shape (statements, 2)."""
    offset = 0
    placed = []
    for item in items:
        placed += [(offset + statement.first, statement.roles) for statement in item.statements]
        offset += len(item.tokens)
    logits: Tensor = head(vectors, statement_regions(placed))
    return logits
