"""The training data of each process: articles, single statements, and passages with a question."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from spacy.tokens import Doc
from torch import Tensor

from onrecord.stages.encoder import PieceTokenizer, article_tokens
from onrecord.training.attribution import GoldArticle, gold_article
from onrecord.training.attribution_teacher import taught_article
from onrecord.training.data import prepare_docs, read_json_lines
from onrecord.training.loop import Share
from onrecord.training.plan import ARTICLES, Plan
from onrecord.training.speakers import (
    GAP_FILE,
    LabelledArticle,
    Question,
    is_aside,
    questions_of,
    read_gap,
    read_labelled,
)
from onrecord.training.stance import (
    Statement,
    mark_article,
    prepare_statements,
    read_events,
    read_marked_articles,
    read_pairs,
    read_statements,
    soften,
    soften_articles,
)

Rows = Sequence[dict[str, Any]]


@dataclass(slots=True)
class Texts:
    """The articles of a plan: what is known of each, by its name.

    Attributes:
        texts: every article.
        attributed: all attributions of an article.
        marked: articles whose attributions carry a stance.
        labelled: articles whose statements have a speaker; not those kept aside.
    """

    texts: dict[str, str] = field(default_factory=dict)
    attributed: dict[str, Rows] = field(default_factory=dict)
    marked: dict[str, dict[str, Any]] = field(default_factory=dict)
    labelled: dict[str, list[LabelledArticle]] = field(default_factory=dict)

    def without_attributions(self) -> list[str]:
        """Names of the articles whose attributions nobody has marked."""
        return [name for name in self.texts if name not in self.attributed]


def read_texts(plan: Plan) -> Texts:
    """Every article that the plan's stages learn from."""
    found = Texts()
    if "attribution" in plan.stages:
        for row in read_json_lines(plan.data / "polnear" / "train.jsonl"):
            found.texts[row["id"]] = row["text"]
            found.attributed[row["id"]] = row["attributions"]
    if "stance" in plan.stages:
        found.marked = read_marked_articles(plan.data / ARTICLES)
        found.texts.update((name, row["text"]) for name, row in found.marked.items())
    for article in read_labelled(plan.data) if plan.speakers else ():
        found.texts[article.name] = article.text
        if not is_aside(article.name):
            found.labelled.setdefault(article.name, []).append(article)
    return found


def read_share(
    plan: Plan,
    tokenizer: PieceTokenizer,
    rank: int,
    world: int,
    taught: Mapping[str, Tensor] | None = None,
    taught_articles: Mapping[str, dict[str, Any]] | None = None,
) -> Share:
    """Every ``world``-th article and statement from ``rank`` on.

    Args:
        plan: what is trained.
        tokenizer: word pieces of the texts.
        rank: which share.
        world: of how many.
        taught: what a teacher thinks of all marked articles' statements and of single ones.
        taught_articles: the attributions that a teacher reads in articles without any, by name.
    """
    part = slice(rank, None, world)
    texts = read_texts(plan)
    statements = list(read_single_statements(plan)) if "stance" in plan.stages else []
    if taught is not None:
        texts.marked = soften_articles(texts.marked, taught["articles"])
        statements = soften(statements, taught["statements"])
    articles = _read_articles(texts, part, tokenizer, taught_articles or {})
    passages = _read_passages(plan, part, tokenizer) if plan.speakers else ()
    return Share(list(articles), prepare_statements(statements[part], tokenizer), list(passages))


def read_single_statements(plan: Plan) -> Iterator[Statement]:
    """Single statements, event sentences and the members of contrast pairs."""
    folder = plan.data / "stance"
    yield from read_statements(folder / "train.jsonl")
    yield from read_events(folder / "plv_train.tsv", held_out=False)
    if (folder / "pairs.txt").is_file():
        for pair in read_pairs(folder / "pairs.txt"):
            yield from pair.members


def _read_articles(
    texts: Texts,
    part: slice,
    tokenizer: PieceTokenizer,
    taught: Mapping[str, dict[str, Any]],
) -> Iterator[GoldArticle]:
    """Articles with attributions, the stance of statements, their speakers, or all of it."""
    names = list(texts.texts)[part]
    docs = prepare_docs((name, texts.texts[name]) for name in names)
    for name, doc in zip(names, docs, strict=True):
        tokens = article_tokens(doc, tokenizer)
        if name in texts.attributed or name not in taught:
            rows = texts.attributed.get(name, ())
            article = replace(gold_article(tokens, rows), complete=name in texts.attributed)
        else:
            article = taught_article(tokens, taught[name])
        if name in texts.marked:
            stance = mark_article(tokens, texts.marked[name]["attributions"])
            article = replace(article, stance=stance)
        yield _with_questions(article, doc, texts.labelled.get(name, ()))


def _with_questions(
    article: GoldArticle, doc: Doc, labelled: Sequence[LabelledArticle]
) -> GoldArticle:
    questions: list[Question] = []
    for one in labelled:
        doc._.attributions = one.attributions
        questions.extend(questions_of(doc, article.tokens, one.labels))
    return replace(article, questions=tuple(questions))


def _read_passages(plan: Plan, part: slice, tokenizer: PieceTokenizer) -> Iterator[GoldArticle]:
    """Passages of GAP with the question of each, if they are there."""
    path = plan.data / GAP_FILE
    for doc, labels in read_gap(path, part) if path.is_file() else ():
        tokens = article_tokens(doc, tokenizer)
        questions = tuple(questions_of(doc, tokens, labels))
        if questions:
            yield replace(gold_article(tokens, ()), complete=False, questions=questions)
