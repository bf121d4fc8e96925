"""Training of the speakers stage: labels to choices, learning by heart, writing and reading."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from onrecord.model_folder import file_sha256, open_model, write_stage
from onrecord.records import Attribution, Span, Speaker
from onrecord.stages.encoder import ArticleEncoder
from onrecord.stages.speaker_options import FEATURES, OptionReader
from onrecord.stages.speaker_scorer import SpeakerModel, SpeakersConfig, SpeakerScorer
from onrecord.stages.speakers import (
    SpeakerResolver,
    make_option_reader,
    make_speaker_resolver,
)
from onrecord.training.speakers import (
    Choice,
    ScorerTraining,
    choices_of,
    fit,
    is_name,
    option_named,
    read_gap,
    read_labelled,
)
from onrecord.training.train import train
from speaker_markup import build
from tiny_model import HIDDEN, write_tiny_model

# Marked articles (see ``speaker_markup``) with the label of each source.
LABELLED = [
    ("{[Ana Ruiz|PERSON]} said no. {She} left.", ["Ana Ruiz", "Ana Ruiz"]),
    ("[Ben Hale|PERSON] met Ms [Ruiz|PERSON|Ana Ruiz]. {Officials} said no.", ["~officials"]),
    ("The firm [Corvo|ORG] fell. {A spokesman for [Corvo|ORG]} said no.", ["~a spokesman"]),
    ("Mayor [Lee Park|PERSON] came. {The mayor} said no.", ["Lee Park"]),
    ("{[Ana Ruiz|PERSON] and [Ben Hale|PERSON]} said no.", ["Ana Ruiz & Ben Hale"]),
    ("[Corvo|ORG] cut its forecast. {It} said sales fell.", ["Corvo"]),
    ("{[Moscow|GPE]} said no. {The law} says so.", ["Moscow", "~the law"]),
    ("[Ana Ruiz|PERSON] left. {Both leaders} said no.", ["~both leaders"]),
]
QUICK = ScorerTraining(epochs=60, batch=4, rate=5e-3)


@pytest.fixture(scope="module")
def labelled_choices(encoder: ArticleEncoder) -> list[Choice]:
    return [
        choice
        for markup, labels in LABELLED
        for choice in choices_of(encoder(build(markup)), labels)
    ]


@pytest.fixture(scope="module")
def learned(labelled_choices: list[Choice]) -> tuple[SpeakersConfig, SpeakerScorer]:
    trained = fit(labelled_choices, QUICK, HIDDEN)
    assert trained.scores["accuracy"] == 1.0
    return trained.config, trained.scorer


def answers(resolver: SpeakerResolver, encoder: ArticleEncoder) -> list[list[str | None]]:
    docs = [encoder(build(markup)) for markup, _ in LABELLED]
    return [[s.name for s in found] for found in resolver.predict(docs)]


def test_learns_by_heart_and_says_the_same_after_reading_back(
    tmp_path: Path, learned: tuple[SpeakersConfig, SpeakerScorer], encoder: ArticleEncoder
) -> None:
    config, scorer = learned
    start = open_model(write_tiny_model(tmp_path / "start"))
    write_stage(
        *(tmp_path / "out", start, "speakers"),
        {**start.config, "speakers": config.model_dump()},
        scorer,
    )
    resolver = make_speaker_resolver(str(tmp_path / "out"))
    assert resolver.model is not None
    expected = [[label if is_name(label) else None for label in labels] for _, labels in LABELLED]
    assert answers(resolver, encoder) == expected
    assert answers(SpeakerResolver(SpeakerModel(config, scorer)), encoder) == expected
    for name in ("encoder.safetensors", "stance.safetensors", "tokenizer.json"):
        assert file_sha256(tmp_path / "out" / name) == file_sha256(tmp_path / "start" / name)


def test_a_stage_can_be_written_into_the_folder_it_starts_from(
    tmp_path: Path, learned: tuple[SpeakersConfig, SpeakerScorer]
) -> None:
    config, scorer = learned
    path = write_tiny_model(tmp_path / "model")
    folder = open_model(path)
    write_stage(
        path, folder, "speakers", {**folder.config, "speakers": config.model_dump()}, scorer
    )
    assert "speakers" in open_model(path).config
    assert make_speaker_resolver(str(path)).model is not None


def test_a_model_without_the_section_leaves_the_rules(tmp_path: Path) -> None:
    assert make_speaker_resolver(str(write_tiny_model(tmp_path / "model"))).model is None


def test_weights_of_other_features_are_refused(
    tmp_path: Path, learned: tuple[SpeakersConfig, SpeakerScorer]
) -> None:
    config, scorer = learned
    other = config.model_copy(update={"features": FEATURES[:-1]})
    start = open_model(write_tiny_model(tmp_path / "model"))
    sections = {**start.config, "speakers": other.model_dump()}
    write_stage(tmp_path / "model", start, "speakers", sections, scorer)
    with pytest.raises(ValueError, match=r"model: the section speakers .*onrecord train speakers"):
        make_speaker_resolver(str(tmp_path / "model"))
    # What the message says to do can be done.
    data = data_folder(tmp_path / "data")
    folder = train(["speakers"], data, tmp_path / "out", start=tmp_path / "model")
    assert tuple(folder.config["speakers"]["features"]) == FEATURES


def test_same_seed_same_weights(labelled_choices: list[Choice]) -> None:
    quick = ScorerTraining(epochs=2, batch=4)
    one, other = (fit(labelled_choices, quick, HIDDEN).scorer.state_dict() for _ in range(2))
    assert all(torch.equal(one[key], other[key]) for key in one)


def test_rows_have_every_feature_once_and_are_finite(labelled_choices: list[Choice]) -> None:
    assert len(set(FEATURES)) == len(FEATURES)
    for choice in labelled_choices:
        assert choice.vectors.shape == (len(choice.rows), 3 * HIDDEN)
        assert choice.rows.shape[1] == len(FEATURES)
        assert np.isfinite(choice.rows).all()
        assert choice.rows[:, 0].tolist() == [1.0] + [0.0] * (len(choice.rows) - 1)


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Ana Ruiz", "Ana Ruiz"),
        ("the Ana Ruiz", "Ana Ruiz"),
        ("Ana M. Ruiz", "Ana Ruiz"),
        ("Ruiz", "Ana Ruiz"),
        ("Ben Ruiz", None),
        ("Corvo", "Corvo"),
    ],
)
def test_the_option_a_label_names(label: str, name: str | None) -> None:
    doc = build("[Ana Ruiz|PERSON] of [Corvo|ORG] met [Lee Park|PERSON]. {She} said no.")
    options = make_option_reader(doc).read(doc._.attributions[0], [])
    found = option_named(options, label)
    assert (None if found is None else options.candidates[found].entity.name) == name


def test_statements_left_out_teach_nothing(encoder: ArticleEncoder) -> None:
    doc = encoder(build("{[Ana Ruiz|PERSON]} said no. {She} left."))
    assert len(list(choices_of(doc, ["?", "Ana Ruiz"]))) == 1


def test_a_speaker_who_is_no_option_counts_half_as_nobody(encoder: ArticleEncoder) -> None:
    doc = encoder(build("[Ana Ruiz|PERSON] left. {He} said no."))
    (choice,) = choices_of(doc, ["Somebody Else"])
    assert (choice.right, choice.weight) == (0, 0.5)


def write_lines(path: Path, rows: list[dict[str, object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def data_folder(path: Path) -> Path:
    """A data folder of three small articles and a GAP question."""
    text = "Ana Ruiz left Corvo on Monday. She said that it would fall."
    source, content = [text.index("She"), text.index("She") + 3], [text.index("it"), len(text)]
    statement = {"content": [content], "cue": [], "source": [source]}
    write_lines(
        path / "polnear" / "train.jsonl", [{"id": "a", "text": text, "attributions": [statement]}]
    )
    known = {"start": source[0], "end": source[1], "identity": "Ana Ruiz"}
    write_lines(path / "speakers" / "train.jsonl", [{"id": "a", "text": text, "sources": [known]}])
    rows = [
        {"id": "b", "text": text, "attributions": [{**statement, "speaker": None}]},
        {
            "id": "c",
            "text": text,
            "attributions": [{**statement, "speaker": None, "speaker_label": "Ana Ruiz"}],
        },
        {"id": "d", "text": text, "attributions": [statement]},
    ]
    write_lines(path / "speakers" / "articles.jsonl", list(rows))
    head = "ID\tText\tPronoun\tPronoun-offset\tA\tA-offset\tA-coref\tB\tB-offset\tB-coref\tURL"
    said = "Ana Ruiz met Mia Lund and she said no."
    row = f"1\t{said}\tshe\t26\tAna Ruiz\t0\tTRUE\tMia Lund\t13\tFALSE\tx"
    (path / "gap").mkdir()
    (path / "gap" / "gap-development.tsv").write_text(f"{head}\n{row}\n", encoding="utf-8")
    return path


def test_labels_are_read_from_all_kinds_of_file(tmp_path: Path) -> None:
    data = data_folder(tmp_path)
    row = {"content": [[0, 5]], "cue": [], "source": [], "speaker_label": "Mia Lund"}
    written = [{"id": "e", "text": "“No.” Mia Lund rose.", "attributions": [row]}]
    write_lines(data / "speakers" / "written.jsonl", written)
    found = {article.name: article for article in read_labelled(data)}
    assert {name: a.labels for name, a in found.items()} == {
        "a": ("Ana Ruiz",),
        "b": ("~",),
        "c": ("Ana Ruiz",),
        "d": ("?",),
        "e": ("Mia Lund",),
    }
    assert found["a"].attributions == found["b"].attributions


def test_marks_of_an_article_pair_as_the_stages_pair_them(tmp_path: Path) -> None:
    text = "“We will stay here all week, she said.\nOrtiz said that he had left at noon.\n"
    at = text.index("that")
    data = data_folder(tmp_path)
    statement = {"content": [[at, at + 24]], "cue": [], "source": []}
    write_lines(
        data / "speakers" / "articles.jsonl",
        [{"id": "b", "text": text, "attributions": [statement]}],
    )
    (found,) = [article for article in read_labelled(data) if article.name == "b"]
    assert [attribution.kind for attribution in found.attributions] == ["indirect"]


def test_gap_questions_are_choices(tmp_path: Path, encoder: ArticleEncoder) -> None:
    ((doc, labels),) = read_gap(data_folder(tmp_path) / "gap" / "gap-development.tsv")
    (choice,) = choices_of(encoder(doc), labels)
    assert len(choice.rows) == 3
    assert choice.right > 0


def test_training_adds_speakers_to_a_model(tmp_path: Path) -> None:
    start = write_tiny_model(tmp_path / "start")
    folder = train(
        ["speakers"], data_folder(tmp_path / "data"), tmp_path / "out", start=start, version="9"
    )
    assert folder.name.endswith("-9")
    assert {"speakers", "stance", "attribution"} <= folder.config.keys()
    assert make_speaker_resolver(str(folder.path)).model is not None
    assert file_sha256(start / "encoder.safetensors") == file_sha256(
        tmp_path / "out" / "encoder.safetensors"
    )


def test_speakers_alone_need_a_model(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="name the one to start from"):
        train(["speakers"], data_folder(tmp_path / "data"), tmp_path / "out")


def test_missing_files_are_named(tmp_path: Path) -> None:
    start = write_tiny_model(tmp_path / "start")
    with pytest.raises(OSError, match=r"lacks speakers/train.jsonl, polnear/train.jsonl"):
        train(["speakers"], tmp_path, tmp_path / "out", start=start)


def test_an_article_without_names_has_nobody_to_choose(encoder: ArticleEncoder) -> None:
    doc = encoder(build("{He} said no."))
    reader: OptionReader = make_option_reader(doc)
    attribution: Attribution = doc._.attributions[0]
    assert reader.read(attribution, []).candidates == ()
    config = SpeakersConfig(hidden=HIDDEN)
    (speaker,) = SpeakerResolver(SpeakerModel(config, SpeakerScorer(config))).predict([doc])[0]
    assert speaker == Speaker(None, None, "unknown", 0.0)
    assert attribution.source == (Span(0, 2),)
