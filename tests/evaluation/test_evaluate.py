"""Evaluation as a whole: two settings, files, mistakes, comparison, bad pairings."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc

from fakes import load_fake
from gold_samples import TEXT, FakePredictor, article, at, changed, perfect
from onrecord.batch import RunOptions, run_batch
from onrecord.evaluation.compare import compare, compare_predictions, comparison_summary
from onrecord.evaluation.curves import Judged, coverage_curve
from onrecord.evaluation.errors import find_mistakes
from onrecord.evaluation.errors_page import render_errors
from onrecord.evaluation.evaluate import evaluate, score
from onrecord.evaluation.gold import GoldArticle, GoldAttribution, GoldEntity, GoldError, write_gold
from onrecord.evaluation.outputs import summary
from onrecord.evaluation.prediction_sources import PipelinePredictor
from onrecord.evaluation.predictions import PredictedAttribution, Prediction, gold_from_run
from onrecord.records import Attribution, Mention, Sentence, Span, Speaker, StanceMarks

LAYERS = {"sentences", "entities", "attribution", "speakers", "stance"}
SPURIOUS = PredictedAttribution((at("third week"),), (), (), "indirect", 0.2, stance="neutral")


@pytest.fixture(scope="module")
def gold(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gold") / "gold.jsonl"
    write_gold([article("one", publisher="Gazette"), article("two", publisher="Herald")], path)
    return path


def write_report(gold: Path, out: Path) -> Path:
    answers = [perfect(article()), changed(perfect(article()), 0, speaker=None, stance="neutral")]
    evaluate(gold, predictor=FakePredictor(answers), out=out)
    return out


@pytest.fixture(scope="module")
def report(gold: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(gold, tmp_path_factory.mktemp("evaluation") / "report")


def test_metrics_have_the_promised_shape(report: Path) -> None:
    metrics = json.loads((report / "metrics.json").read_text())
    assert set(metrics) == {"given_gold", "end_to_end"}
    for block in metrics.values():
        assert set(block) == LAYERS
        for scores in block.values():
            for entry in scores.values():
                assert set(entry) == {"value", "low", "high", "n"}
                assert 0 <= entry["low"] <= entry["value"] <= entry["high"] <= 1
                assert isinstance(entry["n"], int)
                assert entry["n"] > 0
    promised = {
        "attribution": {
            "f1", "content_exact_f1", "content_soft_f1", "source_given_content", "direct_f1",
        },
        "entities": {"f1"},
        "sentences": {"f1"},
        "speakers": {"f1", "accuracy"},
        "stance": {"macro_f1", "f1_defiant", "f1_conciliatory", "f1_neutral", "ece"},
    }  # fmt: skip
    for layer, names in promised.items():
        assert names <= set(metrics["end_to_end"][layer])
    assert metrics["given_gold"]["speakers"]["accuracy"]["value"] == 0.75


def test_every_file_of_the_report_is_there(report: Path) -> None:
    assert {p.name for p in report.iterdir()} == {
        "metrics.json", "details.json", "summary.md", "errors.html", "errors.parquet",
        "scores.png", "attribution_by_kind.png",
        "precision_coverage_given_gold.png", "precision_coverage_end_to_end.png",
        "stance_confusion_given_gold.png", "stance_confusion_end_to_end.png",
        "stance_reliability_given_gold.png", "stance_reliability_end_to_end.png",
    }  # fmt: skip
    details = json.loads((report / "details.json").read_text())
    assert details["articles"] == ["one", "two"]
    assert set(details["settings"]["end_to_end"]["by_publisher"]) == {"Gazette", "Herald"}
    text = (report / "summary.md").read_text()
    assert "Given gold: each stage" in text
    assert "End to end: the program sees" in text
    assert "| Herald |" in text


def test_same_input_same_bytes(report: Path, gold: Path, tmp_path: Path) -> None:
    write_report(gold, tmp_path / "again")
    for path in sorted(report.iterdir()):
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes(), path.name


def test_mistakes_are_rows_that_point_into_the_article(report: Path) -> None:
    rows = pq.read_table(report / "errors.parquet").to_pylist()
    problems = Counter((row["setting"], row["layer"], row["problem"]) for row in rows)
    assert problems == {
        (setting, layer, problem): 1
        for setting in ("given_gold", "end_to_end")
        for layer, problem in (("speakers", "wrong speaker"), ("stance", "wrong stance"))
    }
    for row in rows:
        assert TEXT[row["start"] : row["end"]] == "the latest offer"
        offset = row["context_start"]
        assert TEXT[offset : offset + len(row["context"])] == row["context"]
        assert "the latest offer" in row["context"]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"content": (at("the latest"),)}, "wrong boundary"),
        ({"source": (at("The port authority"),)}, "wrong source"),
        ({"cue": (at("expect"),)}, "wrong cue"),
        ({"kind": "mixed"}, "wrong kind"),
        ({"speaker": "Lindqvist"}, "wrong speaker"),
        ({"stance": "conciliatory"}, "wrong stance"),
    ],
)
def test_each_problem_is_named(change: dict[str, object], problem: str) -> None:
    gold = article()
    predicted = changed(perfect(gold), 0, **change)
    found = find_mistakes(gold, predicted, "end_to_end", sorted(LAYERS))
    assert [m.problem for m in found] == [problem]


def test_missed_and_spurious_statements() -> None:
    gold = article()
    predicted = replace(perfect(gold), attributions=(*perfect(gold).attributions[1:], SPURIOUS))
    found = find_mistakes(gold, predicted, "end_to_end", ["attribution"])
    assert [(m.problem, m.layer) for m in found] == [
        ("spurious", "attribution"),
        ("missed", "attribution"),
    ]
    assert found[1].gold == "Union leader Petra Lindqvist | rejected | the latest offer"


def test_mistakes_of_entities_and_sentences() -> None:
    gold = article()
    predicted = replace(
        perfect(gold),
        sentences=(Span(at("Harbour").start, at("Monday.").end), *(gold.sentences or ())[2:]),
        entities=(
            GoldEntity(*at("Petra Lindqvist"), "ORG", "Lindqvist"),
            GoldEntity(*at("on Monday"), "DATE"),
            GoldEntity(*at("Union"), "ORG"),
        ),
    )
    found = find_mistakes(gold, predicted, "end_to_end", ["sentences", "entities"])
    assert Counter((m.layer, m.problem) for m in found) == {
        ("sentences", "wrong boundary"): 2,
        ("entities", "wrong label"): 1,
        ("entities", "wrong entity"): 1,
        ("entities", "wrong boundary"): 1,
        ("entities", "missed"): 1,
        ("entities", "spurious"): 1,
    }


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.policy = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        given = dict(attrs)
        assert not {"src", "href", "style", "onclick"} & set(given)
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"] or ""


def test_the_page_of_mistakes_is_safe_and_complete() -> None:
    text = "</script><script>alert(1)</script> “<b>No & never</b>,” said Ann <img src=x onerror=y>."
    said = (text.index("“"), text.index("”") + 1)
    gold = GoldArticle(
        "<i>x</i>", text, attributions=(GoldAttribution((Span(*said),), kind="direct"),)
    )
    page = render_errors(
        find_mistakes(gold, Prediction(), "end_to_end", ["attribution"]), "Differences"
    )
    parsed = _Page()
    parsed.feed(page)
    assert parsed.tags["article"] == 1
    assert parsed.tags["script"] == 1
    assert not parsed.tags["b"] - 1  # the problem's name
    assert not parsed.tags["img"] + parsed.tags["i"]
    assert parsed.policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "&lt;b&gt;No &amp; never&lt;/b&gt;" in page


def test_the_pages_policy_allows_its_own_script_and_style() -> None:
    import base64
    import hashlib

    page = render_errors([], "Differences")
    for element in ("style", "script"):
        (content,) = re.findall(f"<{element}>(.*?)</{element}>", page, re.S)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{element}-src 'sha256-{digest}'" in page


def test_a_single_article_is_warned_of() -> None:
    result = score([article()], [perfect(article())])
    assert result.metrics["end_to_end"]["attribution"]["f1"] == {
        "value": 1.0, "low": 0.0, "high": 1.0, "n": 4,
    }  # fmt: skip
    assert any("single gold article" in what for what in result.warnings)
    assert set(result.metrics) == {"end_to_end"}


def test_layers_that_no_gold_has_are_warned_of() -> None:
    gold = replace(article(), sentences=None)
    result = score([gold], [perfect(article())])
    assert "sentences" not in result.metrics["end_to_end"]
    assert result.warnings["layer 'sentences' is in no gold article: not scored"] == 1


def test_gold_without_statements_never_scores() -> None:
    gold = replace(article(), attributions=())
    silent = score([gold], [Prediction()]).metrics["end_to_end"]
    assert "attribution" not in silent
    talkative = score([gold], [perfect(article())]).metrics["end_to_end"]
    assert talkative["attribution"]["f1"]["value"] == 0.0
    assert talkative["attribution"]["precision"]["value"] == 0.0
    assert "recall" not in talkative["attribution"]


def test_empty_evaluation_is_written(tmp_path: Path) -> None:
    gold = GoldArticle("bare", "No labels here.")
    score([gold], [Prediction()]).write(tmp_path)
    assert json.loads((tmp_path / "metrics.json").read_text()) == {"end_to_end": {}}
    assert "0 differences" in (tmp_path / "errors.html").read_text()


def test_brief_summary_has_the_headlines() -> None:
    text = summary(score([article()], [perfect(article())]), brief=True)
    assert "| stance | macro_f1 | 1.000 | 0.000 to 1.000 | 4 |" in text
    assert "content_soft_f1" not in text


@pytest.mark.parametrize(
    ("answers", "asked", "expected"),
    [
        ([(0.9, True), (0.8, True), (0.7, False)], None, [(1 / 3, 1.0), (2 / 3, 1.0), (1, 2 / 3)]),
        ([(0.5, True), (0.5, False)], None, [(1.0, 0.5)]),
        ([(0.9, True)], 4, [(0.25, 1.0)]),
        ([], None, []),
    ],
)
def test_coverage_curve(
    answers: list[tuple[float, bool]], asked: int | None, expected: list[tuple[float, float]]
) -> None:
    points = coverage_curve([Judged(*answer) for answer in answers], asked)
    found = [value for p in points for value in (p.coverage, p.precision)]
    assert found == pytest.approx([value for pair in expected for value in pair])


def test_long_curves_are_thinned_and_end_at_full_coverage() -> None:
    points = coverage_curve([Judged(n / 1000, True) for n in range(1000)])
    assert len(points) <= 200
    assert points[-1].coverage == 1.0


# Runs against gold

_NEWS = {
    "a": "Talks begin\n“We will never sign”, said Ortiz in the morning, and the talks went on.",
    "b": "Talks end\n“We agree to meet again”, said Lindqvist at noon, and the delegation left.",
}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    source = tmp_path / "news.jsonl"
    rows = [json.dumps({"id": key, "text": text}) for key, text in _NEWS.items()]
    source.write_text("\n".join(rows), encoding="utf-8")
    out = tmp_path / "run"
    run_batch([source], out, RunOptions(workers=0), load_pipeline=load_fake)
    return out


def _gold_of(run: Path) -> list[GoldArticle]:
    return gold_from_run(run)


def test_a_runs_own_tables_as_gold_score_one(run: Path, tmp_path: Path) -> None:
    path = tmp_path / "gold.jsonl"
    write_gold(_gold_of(run), path)
    result = evaluate(path, run=run, predictor=FakePredictor([Prediction()] * 2))
    for layer, scores in result.metrics["end_to_end"].items():
        for name, entry in scores.items():
            assert entry["value"] == 1.0 or name.startswith("ece"), (layer, name)
    assert [m for m in result.mistakes if m.setting == "end_to_end"] == []


def test_gold_is_paired_by_text_where_ids_differ(run: Path, tmp_path: Path) -> None:
    renamed = [replace(g, id=f"gold-{g.id}") for g in _gold_of(run)]
    write_gold(renamed, tmp_path / "gold.jsonl")
    result = evaluate(tmp_path / "gold.jsonl", run=run, predictor=FakePredictor([Prediction()] * 2))
    assert result.article_ids == ["gold-a", "gold-b"]
    assert result.metrics["end_to_end"]["attribution"]["f1"]["value"] == 1.0


def test_gold_that_the_run_lacks_is_counted(run: Path, tmp_path: Path) -> None:
    first = _gold_of(run)[0]
    write_gold([first, replace(first, id="z", text=first.text + " More.")], tmp_path / "g.jsonl")
    result = evaluate(tmp_path / "g.jsonl", run=run, predictor=FakePredictor([Prediction()]))
    assert result.article_ids == ["a"]
    assert result.warnings["gold articles that the run lacks: not scored"] == 1
    assert result.warnings["articles of the run without gold: not scored"] == 1


def test_gold_with_another_text_of_the_same_id_is_not_scored(run: Path, tmp_path: Path) -> None:
    first, second = _gold_of(run)
    write_gold([replace(first, text=first.text + "\nUpdated."), second], tmp_path / "g.jsonl")
    result = evaluate(tmp_path / "g.jsonl", run=run, predictor=FakePredictor([Prediction()]))
    assert result.article_ids == ["b"]
    assert any("text differs" in what for what in result.warnings)


def test_nothing_in_common_is_an_error(run: Path, tmp_path: Path) -> None:
    write_gold([article()], tmp_path / "g.jsonl")
    with pytest.raises(GoldError, match="none of the 1 gold articles is in the run"):
        evaluate(tmp_path / "g.jsonl", run=run, predictor=FakePredictor([]))


def test_articles_that_the_run_failed_on_are_scored_as_empty(tmp_path: Path) -> None:
    texts = {**_NEWS, "c": _NEWS["a"] + " FAIL:quotes"}
    source = tmp_path / "news.jsonl"
    source.write_text("\n".join(json.dumps({"id": k, "text": t}) for k, t in texts.items()))
    run = tmp_path / "run"
    run_batch([source], run, RunOptions(workers=0), load_pipeline=load_fake)
    gold = _gold_of(run)
    whole = next(g for g in gold if g.id == "a")
    write_gold([*gold[:2], replace(whole, id="c", text=texts["c"])], tmp_path / "g.jsonl")
    result = evaluate(tmp_path / "g.jsonl", run=run, predictor=FakePredictor([Prediction()] * 3))
    assert result.metrics["end_to_end"]["attribution"]["recall"]["value"] == pytest.approx(2 / 3)


def test_runs_are_compared_on_the_same_articles(run: Path, tmp_path: Path) -> None:
    write_gold(_gold_of(run), tmp_path / "g.jsonl")
    result = compare(run, run, tmp_path / "g.jsonl", out=tmp_path / "comparison")
    assert result.differences["attribution"]["f1"].difference == 0.0
    assert result.changes == []
    assert {p.name for p in (tmp_path / "comparison").iterdir()} == {
        "comparison.json", "comparison.md",
    }  # fmt: skip


def test_articles_that_changed_most_come_first() -> None:
    articles = [article("one"), article("two"), article("three")]
    worse = replace(perfect(article()), attributions=perfect(article()).attributions[:2])
    slightly = replace(perfect(article()), attributions=perfect(article()).attributions[:3])
    best = perfect(article())
    result = compare_predictions(articles, [best, best, best], [best, worse, slightly])
    attribution = [c.article_id for c in result.changes if c.layer == "attribution"]
    assert attribution == ["two", "three"]
    difference = result.differences["attribution"]["recall"]
    assert difference.difference == pytest.approx(-0.25)
    assert difference.low <= difference.difference <= difference.high
    assert "| two | attribution | 1.000 | 0.667 | 4 |" in comparison_summary(result)


# Stages given gold


class _Stage:
    """A stage that records what it was handed, and then answers badly."""

    def __init__(self, annotate: object) -> None:
        self.annotate = annotate

    def __call__(self, doc: Doc) -> Doc:
        self.annotate(doc)  # type: ignore[operator]
        return doc


@pytest.fixture
def handed() -> dict[str, object]:
    return {}


@pytest.fixture
def careless(handed: dict[str, object]) -> Language:
    """A pipeline whose every stage is wrong, under the names of the real ones."""

    def segment(doc: Doc) -> None:
        doc._.sentences = (Sentence(0, len(doc.text), 0, "headline"),)

    def entities(doc: Doc) -> None:
        handed["sentences"] = doc._.sentences
        handed["starts"] = [t.text for t in doc if t.is_sent_start]
        doc._.mentions = (Mention(0, 7, "ORG"),)

    def attribution(doc: Doc) -> None:
        handed["mentions"] = doc._.mentions
        handed["ents"] = [e.text for e in doc.ents]
        doc._.attributions = (Attribution((Span(0, 7),), (), (), "mixed", 0.1),)

    def speakers(doc: Doc) -> None:
        handed["attributions"] = doc._.attributions
        speaker = Speaker("Petra Lindqvist", "person:petra-lindqvist", "always", 0.5)
        doc._.attributions = tuple(replace(a, speaker=speaker) for a in doc._.attributions)

    def stance(doc: Doc) -> None:
        marks = StanceMarks(0.9, 0.1, "defiant")
        doc._.attributions = tuple(replace(a, stance=marks) for a in doc._.attributions)

    nlp = spacy.blank("en")
    for annotate in (segment, entities, attribution, speakers, stance):
        name = f"onrecord_{annotate.__name__}"
        nlp._components.append((name, _Stage(annotate)))
    return nlp


def test_each_stage_is_handed_the_gold_before_it(
    careless: Language, handed: dict[str, object]
) -> None:
    gold = article()
    (answer,) = PipelinePredictor(careless).given_gold([gold])
    assert [(s.start, s.end) for s in handed["sentences"]] == list(gold.sentences or ())  # type: ignore[attr-defined]
    assert handed["starts"] == ["Harbour", "Union", "“", "The", "Analysts"]
    assert handed["ents"] == ["Petra Lindqvist", "Monday", "Friday"]
    mentions = handed["mentions"]
    assert [m.label for m in mentions] == ["PERSON", "DATE", "DATE"]  # type: ignore[attr-defined]
    assert mentions[0].entity.name == "Petra Lindqvist"  # type: ignore[index]
    statements = handed["attributions"]
    assert [a.content for a in statements] == [a.content for a in gold.attributions or ()]  # type: ignore[attr-defined]
    assert all(a.speaker.name is None and a.stance is None for a in statements)  # type: ignore[attr-defined]
    assert len(answer.found.sentences) == len(answer.found.entities) == 1
    assert len(answer.found.attributions) == 1
    assert len(answer.judged.attributions) == 4


def test_scores_given_gold_and_end_to_end_differ(careless: Language) -> None:
    predictor = PipelinePredictor(careless)
    gold = [article("one"), article("two")]
    answers = predictor.given_gold(gold)
    metrics = score(gold, [Prediction()] * 2, answers).metrics
    assert metrics["given_gold"]["speakers"]["accuracy"]["value"] == 1.0
    assert metrics["given_gold"]["speakers"]["unknown_accuracy"]["value"] == 0.0
    assert metrics["given_gold"]["stance"]["f1_defiant"]["value"] == pytest.approx(4 / 6)
    assert metrics["given_gold"]["sentences"]["f1"]["value"] == 0.0
    assert metrics["end_to_end"]["speakers"]["f1"]["value"] == 0.0


def test_a_layer_without_gold_stays_as_predicted(
    careless: Language, handed: dict[str, object]
) -> None:
    gold = replace(article(), sentences=None, attributions=None)
    PipelinePredictor(careless).given_gold([gold])
    assert len(handed["sentences"]) == 1  # type: ignore[arg-type]
    assert [a.kind for a in handed["attributions"]] == ["mixed"]  # type: ignore[attr-defined]
