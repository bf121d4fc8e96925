"""The teacher of stance: what it reads, that it learns, and what is learned from it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from onrecord.records import Attribution, Span
from onrecord.stages.encoder import (
    PieceTokenizer,
    article_tokens,
)
from onrecord.stages.stance import statement_roles
from onrecord.training import teacher as teaching
from onrecord.training import train
from onrecord.training.finish import TEACHERS, training_data
from onrecord.training.loop import TrainingConfig
from onrecord.training.stance import (
    MarkedStatement,
    StanceItem,
    Statement,
    soften,
    soften_articles,
)
from onrecord.training.teacher import Teacher, taught_marks, train_teacher
from tiny_model import LEARNED, light_pipeline, quoted, tiny_tokenizer, write_tiny_model
from tiny_mpnet import tiny_mpnet


def tiny_teacher(tokenizer: PieceTokenizer) -> Teacher:
    return Teacher(tiny_mpnet(tokenizer))


def learned() -> list[StanceItem]:
    nlp, tokenizer = light_pipeline(), tiny_tokenizer()
    found = []
    for statement, marks in LEARNED:
        text, attribution = quoted(statement)
        tokens = article_tokens(nlp(text), tokenizer)
        placed = statement_roles(tokens, attribution)
        found.append(StanceItem(tokens, (MarkedStatement(*placed, marks),)))
    return found


def test_every_statement_is_gone_through_once() -> None:
    given = learned()
    random = teaching.np.random.default_rng(1)
    batches = teaching._batches([*given, replace(given[0], statements=())], random)
    assert sorted(id(item) for batch in batches for item in batch) == sorted(map(id, given))


def test_it_learns_what_it_goes_through_and_tells_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teaching, "_RATE", 3e-3)
    monkeypatch.setattr(teaching, "_HEAD_RATE", 3e-3)
    monkeypatch.setattr(teaching, "_TEXTS_PER_STEP", 3)
    tokenizer, given = tiny_tokenizer(), learned()
    teacher = tiny_teacher(tokenizer)
    before = {name: value.clone() for name, value in teacher.state_dict().items()}
    train_teacher(teacher, given * 30, tokenizer, seed=1)
    found = taught_marks(teacher, given, tokenizer)
    marks = torch.tensor([statement.marks for item in given for statement in item.statements])
    assert torch.equal(found > 0.5, marks > 0.5)
    settled = ("encoder.mpnet.embeddings.", "encoder.mpnet.encoder.layer.3.")
    for name, value in teacher.state_dict().items():
        if name.startswith(settled):
            assert torch.equal(value, before[name]), name
    assert taught_marks(teacher, [], tokenizer).shape == (0, 2)


def test_marks_lie_half_way_between_the_label_and_the_thought() -> None:
    said = Attribution((Span(0, 4),), (), (), "indirect", 1.0)
    statements = [Statement("“No”", said, 1.0, 0.0), Statement("“So”", said, 0.0, 1.0, 0.7)]
    first, second = soften(statements, torch.tensor([[0.5, 0.25], [0.0, 1.0]]))
    assert (first.defiance, first.conciliation) == (0.75, 0.125)
    assert (second.defiance, second.conciliation, second.weight) == (0.0, 1.0, 0.7)
    rows = {
        "a": {"text": "x", "attributions": [{"stance": "mixed"}]},
        "b": {"text": "y", "attributions": [{"stance": "neutral"}, {"stance": "defiant"}]},
    }
    thoughts = torch.tensor([[0.0, 0.5], [0.5, 0.0], [1.0, 0.0]])
    softened = soften_articles(rows, thoughts)
    marks = [row["marks"] for one in softened.values() for row in one["attributions"]]
    assert marks == [(0.5, 0.75), (0.25, 0.0), (1.0, 0.0)]
    assert "marks" not in rows["a"]["attributions"][0]
    with pytest.raises(ValueError, match="shorter"):
        soften(statements, torch.zeros(1, 2))


def test_what_a_teacher_thinks_is_asked_once_and_learned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Labels and thoughts meet statement by statement, whatever share a process reads."""
    model, data = write_tiny_model(tmp_path / "model"), tmp_path / "data" / "stance"
    data.mkdir(parents=True)
    write_stance_data(data)
    plan = train.Plan(("stance",), data.parent, TrainingConfig(), model, 2, tmp_path / "mpnet")
    thought = {"articles": torch.full((2, 2), 0.25), "statements": torch.rand(3, 2)}
    asked = []

    def taught(teacher: Teacher, items: list[StanceItem], _: object) -> torch.Tensor:
        asked.append(sum(len(item.statements) for item in items))
        return thought["articles" if len(asked) == 1 else "statements"]

    monkeypatch.setattr(train.Teacher, "from_folder", lambda _: None)
    monkeypatch.setattr(train, "train_teacher", lambda *_: None)
    monkeypatch.setattr(train, "taught_marks", taught)
    checkpoints = tmp_path / "checkpoints"
    checkpoints.mkdir()
    for _ in range(2):
        train._teach(plan, checkpoints)
    assert asked == [2, 3]
    told = load_file(checkpoints / "taught.safetensors")
    tokenizer = PieceTokenizer.from_file(model / "tokenizer.json")
    shares = [train.read_share(plan, tokenizer, rank, 2, told) for rank in range(2)]
    marks = [share.statements[0].statements[0].marks for share in shares]
    expected = [
        tuple(((torch.tensor(label) + t) / 2).tolist())
        for label, t in zip([(1.0, 0.0), (0.0, 1.0)], thought["statements"], strict=False)
    ]
    assert marks == [pytest.approx(mark, abs=1e-6) for mark in expected]
    article = shares[0].articles[0].stance
    assert article is not None
    assert [s.marks for s in article.statements] == [(0.625, 0.125), (0.125, 0.625)]


def write_stance_data(folder: Path) -> None:
    """Two statements, one event to learn and one article of two statements."""
    row = {"left": "", "statement": "“No,”", "right": "he said.", "source": "he", "cue": "said"}
    statements = [{**row, "defiance": d, "conciliation": 1 - d} for d in (1, 0)]
    lines = [json.dumps(statement) for statement in statements]
    (folder / "train.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = [
        {"content": [[0, 5]], "cue": [[6, 10]], "source": [[11, 13]], "stance": "defiant"},
        {"content": [[15, 21]], "cue": [], "source": [], "stance": "conciliatory"},
    ]
    article = {"id": "harbour", "text": "“No,” said he. “Yes.”", "attributions": found}
    (folder / "articles.jsonl").write_text(json.dumps(article) + "\n", encoding="utf-8")
    events = "sentence\tgold_penta\nHeld out.\t1\nIt refused.\t3\n"
    (folder / "plv_train.tsv").write_text(events, encoding="utf-8")


def test_a_model_tells_of_its_teachers_and_of_those_of_the_model_it_started_from() -> None:
    alone = training_data(["stance"], {})
    taught = training_data(["stance"], {}, taught=["stance"])
    assert taught == [*alone, TEACHERS["stance"]]
    both = training_data(
        ["stance", "attribution"], {"training_data": taught}, taught=["attribution"]
    )
    assert set(both) >= set(TEACHERS.values())
    assert not set(TEACHERS.values()) & set(training_data(["speakers"], {"training_data": alone}))


def test_a_teacher_of_speakers_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a teacher is for attribution and stance"):
        train.train(["speakers"], tmp_path, tmp_path / "out", teacher=tmp_path)
