"""Readers of the stance data: statements find their place in the context they are given with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from onrecord.model_folder import write_model
from onrecord.records import Span
from onrecord.stages.attribution import AttributionConfig
from onrecord.stages.encoder import SharedEncoder, article_tokens
from onrecord.stages.stance import CONTENT, StanceConfig, StanceHead, statement_roles
from onrecord.training.attribution import GoldArticle
from onrecord.training.data import read_json_lines
from onrecord.training.loop import Share, Trainee, TrainingConfig, train_share
from onrecord.training.stance import (
    MarkedStatement,
    StanceItem,
    mark_article,
    read_events,
    read_marked_articles,
    read_pairs,
    read_statements,
    stance_logits,
    stance_loss,
    statement_in_context,
)
from onrecord.training.train import Plan, make_trainee
from tiny_model import (
    LEARNED,
    folder_config,
    light_pipeline,
    quoted,
    tiny_encoder,
    tiny_tokenizer,
    tokenizer_json,
)

ROW = {
    "left": "Talks broke off.",
    "statement": "“We will not come back,”",
    "right": "Ortiz said on Monday. Lund said nothing.",
    "source": "Ortiz",
    "cue": "said",
    "defiance": 1,
    "conciliation": 0,
}


def write_rows(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_a_statement_with_its_cue_and_source(tmp_path: Path) -> None:
    (found,) = read_statements(write_rows(tmp_path / "a.jsonl", ROW))
    pieces = [
        [found.text[slice(*span)] for span in spans]
        for spans in (found.attribution.content, found.attribution.cue, found.attribution.source)
    ]
    assert pieces == [[ROW["statement"]], ["said"], ["Ortiz"]]
    assert found.text == f"{ROW['left']} {ROW['statement']} {ROW['right']}"
    assert (found.defiance, found.conciliation, found.weight) == (1.0, 0.0, 1.0)


@pytest.mark.parametrize(
    ("left", "right", "side"),
    [
        ("Lund said no. Ortiz said:", "Nobody stirred when he said it.", "before"),
        ("Lund said that was it.", "he said, and Abe said so too.", "after"),
        ("Nobody spoke.", "and that was that.", None),
    ],
)
def test_the_nearest_cue_outside_the_statement_is_taken(
    left: str, right: str, side: str | None
) -> None:
    text, found = statement_in_context(left, "“Never, I said,”", right, None, "said")
    ((start, end),) = found.content
    at = {"before": text.rfind("said", 0, start), "after": text.find("said", end)}.get(side or "")
    assert found.cue == (() if at is None else (Span(at, at + 4),))
    assert found.source == ()


PARTS = st.text(alphabet="ab \n“”.", max_size=12)


@given(PARTS, PARTS.filter(str.strip), PARTS)
def test_the_statement_lies_where_its_span_says(left: str, statement: str, right: str) -> None:
    text, found = statement_in_context(left, statement, right)
    ((start, end),) = found.content
    assert 0 <= start < end <= len(text)
    assert text[start:end].rstrip() == statement.rstrip()
    assert text.split() == f"{left} {statement} {right}".split()


def test_events_are_split_into_thirds(tmp_path: Path) -> None:
    path = tmp_path / "events.tsv"
    rows = [f"Sentence {number}.\t{'1234'[number % 4]}" for number in range(9)]
    path.write_text("\n".join(["sentence\tgold_penta", *rows]) + "\n", encoding="utf-8")
    held = list(read_events(path, held_out=True))
    kept = list(read_events(path, held_out=False))
    assert [event.text for event in held] == ["Sentence 0.", "Sentence 3.", "Sentence 6."]
    assert len(kept) == 6
    marks = [(event.defiance, event.conciliation) for event in kept]
    assert marks == [(0, 1), (1, 0), (0, 1), (0, 1), (1, 0), (0, 1)]
    assert kept[0].attribution.content == (Span(0, len("Sentence 1.")),)


def test_a_line_that_is_not_json_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.jsonl"
    path.write_text('{"a": 1}\n{"a": \n', encoding="utf-8")
    with pytest.raises(ValueError, match=r"broken.jsonl, line 2: not JSON"):
        list(read_json_lines(path))


PAIR = """ports / negation
D {s Ivo Pell} {c told} the crews: {q “We will not open,”} {q “not today.”} It rained.
C {q “We will open,”} {c said} {s Ivo Pell}."""


def test_pairs_carry_their_marks_and_their_spans(tmp_path: Path) -> None:
    path = tmp_path / "pairs.txt"
    path.write_text(f"{PAIR}\n\n{PAIR.replace('D ', 'M ')}\n", encoding="utf-8")
    pair, other = read_pairs(path)
    first, second = pair.members
    assert (pair.domain, pair.edit) == ("ports", "negation")
    assert first.text == "Ivo Pell told the crews: “We will not open,” “not today.” It rained."
    told = [
        [first.text[slice(*span)] for span in spans]
        for spans in (first.attribution.content, first.attribution.cue, first.attribution.source)
    ]
    assert told == [["“We will not open,”", "“not today.”"], ["told"], ["Ivo Pell"]]
    assert (first.defiance, first.conciliation) == (1.0, 0.0)
    assert (second.defiance, second.conciliation) == (0.0, 1.0)
    assert (other.members[0].defiance, other.members[0].conciliation) == (1.0, 1.0)


@pytest.mark.parametrize(
    "broken", ["no title\nD {q a}\nC {q b}", "a / b\nX {q a}\nC {q b}", "a / b\nD a\nC {q b}"]
)
def test_a_stanza_that_is_no_pair_is_named(tmp_path: Path, broken: str) -> None:
    path = tmp_path / "pairs.txt"
    path.write_text(f"{PAIR}\n\n{broken}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"pairs.txt, stanza 2: expected 'domain / edit'"):
        list(read_pairs(path))


def article_row(**stances: str) -> dict[str, Any]:
    text = "“We stay,” said Ortiz.\n\nLund offered to talk."
    spans = {"Ortiz": ([0, 10], [11, 15], [16, 21]), "Lund": ([37, 44], [29, 36], [24, 28])}
    rows = [
        {"content": [content], "cue": [cue], "source": [source], "stance": stances[name]}
        for name, (content, cue, source) in spans.items()
    ]
    return {"id": "harbour", "text": text, "attributions": rows}


def test_a_whole_article_teaches_each_of_its_statements(tmp_path: Path) -> None:
    row = article_row(Ortiz="defiant", Lund="conciliatory")
    (found,) = read_marked_articles(write_rows(tmp_path / "a.jsonl", row)).values()
    tokens = article_tokens(light_pipeline()(row["text"]), tiny_tokenizer())
    item = mark_article(tokens, found["attributions"])
    assert [statement.marks for statement in item.statements] == [(1.0, 0.0), (0.0, 1.0)]
    content = [
        [
            row["text"][tokens.starts[place] : tokens.ends[place]]
            for place in statement.first + np.flatnonzero(statement.roles == CONTENT)
        ]
        for statement in item.statements
    ]
    assert content == [["“", "We", "stay", ",", "”"], ["to", "talk"]]
    assert read_marked_articles(tmp_path / "none.jsonl") == {}


def test_a_stance_that_is_none_is_named(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "a.jsonl", article_row(Ortiz="defiant", Lund="angry"))
    with pytest.raises(ValueError, match=r"article harbour: stance is 'angry'; .*conciliatory"):
        read_marked_articles(path)


def items() -> list[StanceItem]:
    nlp, tokenizer = light_pipeline(), tiny_tokenizer()
    found = []
    for number, (statement, marks) in enumerate(LEARNED[:3]):
        text, attribution = quoted(statement)
        tokens = article_tokens(nlp(text), tokenizer)
        placed = statement_roles(tokens, attribution)
        statement = MarkedStatement(*placed, marks, 1.0 - number / 4)
        found.append(StanceItem(tokens, (statement,)))
    return found


def test_statements_in_a_row_are_read_at_their_own_tokens() -> None:
    torch.manual_seed(1)
    head = StanceHead(6, 4, 2).eval()
    given = items()
    vectors = torch.randn(sum(len(item.tokens) for item in given), 6)
    together = stance_logits(head, vectors, given)
    offset = 0
    for item, logits in zip(given, together, strict=True):
        own = vectors[offset : offset + len(item.tokens)]
        assert torch.allclose(stance_logits(head, own, [item])[0], logits, atol=1e-5)
        offset += len(item.tokens)
    assert (given[0].statements[0].roles == CONTENT).sum() > 0
    assert not torch.allclose(together[0], together[1], atol=1e-3)


def test_the_loss_is_the_weighted_mean_of_both_marks() -> None:
    torch.manual_seed(1)
    head = StanceHead(6, 4, 2).eval()
    given = items()
    vectors = torch.randn(sum(len(item.tokens) for item in given), 6)
    p = torch.sigmoid(stance_logits(head, vectors, given)).detach().numpy()
    statements = [item.statements[0] for item in given]
    marks = np.array([statement.marks for statement in statements])
    each = -(marks * np.log(p) + (1 - marks) * np.log(1 - p))
    expected = np.average(each, axis=0, weights=[one.weight for one in statements]).mean()
    assert float(stance_loss(head, vectors, given).detach()) == pytest.approx(expected, abs=1e-5)


def train_own_layers(folder: Path, start: SharedEncoder) -> Trainee:
    """Stance alone, over an encoder that stays as it is, with a layer of its own."""
    config = TrainingConfig(
        epochs=60,
        statements_per_step=3,
        encoder_rate=3e-3,
        head_rate=4e-3,
        average_decay=0.0,
        frozen_layers=start.bert.config.num_hidden_layers,
        own_layers=1,
    )
    with torch.random.fork_rng():
        torch.manual_seed(2)
        trainee = Trainee(start, 0.0, config.own_layers)
        article = StanceItem(items()[0].tokens, items()[0].statements)
        whole = GoldArticle(
            article.tokens, np.zeros(len(article.tokens), dtype=np.int64), (), False, article
        )
        share = Share([whole], items())
        train_share(trainee, share, tiny_tokenizer(), config, folder / "checkpoints")
    return trainee.eval()


def test_stance_learns_in_layers_of_its_own_and_is_read_back(tmp_path: Path) -> None:
    content = tokenizer_json()
    encoder = tiny_encoder(content)
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    trainee = train_own_layers(tmp_path, encoder)
    for name, value in trainee.encoder.state_dict().items():
        assert torch.equal(value, before[name]), name
    config = folder_config(
        encoder,
        attribution=AttributionConfig().model_dump(),
        stance=StanceConfig(own_layers=1).model_dump(),
    )
    modules = {"encoder": encoder, **trainee.heads()}
    write_model(tmp_path / "model", config, modules, content)
    nlp = light_pipeline("onrecord_encoder", "onrecord_stance", model=tmp_path / "model")
    for statement, marks in LEARNED[:3]:
        text, attribution = quoted(statement)
        doc = nlp.make_doc(text)
        doc._.attributions = (attribution,)
        found = nlp(doc)._.attributions[0].stance
        assert (found.p_defiance > 0.5, found.p_conciliation > 0.5) == tuple(map(bool, marks))
    again = make_trainee(Plan(("stance",), tmp_path, TrainingConfig(), tmp_path / "model"))
    assert len(again.stance.layers) == 1
    for name, value in again.stance.state_dict().items():
        assert torch.allclose(value, trainee.stance.state_dict()[name], atol=1e-2), name
