"""The stance stage: roles, pooling over any length, calibration, labels, and its place on a Doc."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc

import onrecord
from onrecord.model_folder import open_model
from onrecord.records import Attribution, Span, Speaker, StanceMarks
from onrecord.stages import stance
from onrecord.stages.encoder import (
    ArticleEncoder,
    ArticleTokens,
    Windowing,
    article_tokens,
    encode,
    make_windows,
)
from onrecord.stages.stance import (
    CONTENT,
    CONTEXT,
    CUE,
    SOURCE,
    StanceClassifier,
    StanceConfig,
    StanceHead,
    article_roles,
    derive,
    own_layers,
    statement_roles,
)
from tiny_model import (
    LEARNED,
    light_pipeline,
    quoted,
    tiny_encoder,
    tiny_tokenizer,
    tokenizer_json,
    write_tiny_model,
)


def find(text: str, *phrases: str) -> tuple[Span, ...]:
    return tuple(Span(text.index(phrase), text.index(phrase) + len(phrase)) for phrase in phrases)


def statement(text: str, content: str, cue: str = "", source: str = "") -> Attribution:
    return Attribution(
        content=find(text, content),
        cue=find(text, cue) if cue else (),
        source=find(text, source) if source else (),
        kind="direct",
        score=0.8,
        model="rules",
    )


def marked(nlp: Language, text: str, *attributions: Attribution) -> Doc:
    doc = nlp.make_doc(text)
    doc._.attributions = attributions
    return nlp(doc)


@pytest.mark.parametrize(
    ("p_defiance", "p_conciliation", "label"),
    [
        (0.1, 0.1, "neutral"),
        (0.9, 0.1, "defiant"),
        (0.1, 0.9, "conciliatory"),
        (0.9, 0.9, "mixed"),
        (0.6, 0.2999, "defiant"),
        (0.5999, 0.3, "conciliatory"),
        (0.6, 0.3, "mixed"),
        (0.5999, 0.2999, "neutral"),
    ],
)
def test_each_mark_counts_from_its_own_threshold_on(
    p_defiance: float, p_conciliation: float, label: str
) -> None:
    config = StanceConfig(threshold_defiance=0.6, threshold_conciliation=0.3)
    marks = derive(p_defiance, p_conciliation, config)
    assert marks == StanceMarks(p_defiance, p_conciliation, label)  # type: ignore[arg-type]
    assert marks.score == p_conciliation - p_defiance


@pytest.mark.parametrize(
    ("p_defiance", "p_conciliation", "label"),
    [
        (0.9, 0.5, "mixed"),
        (0.5, 0.9, "mixed"),
        # Both count, but are not clear: the one farther above its threshold decides.
        (0.9, 0.31, "defiant"),
        (0.45, 0.9, "conciliatory"),
        (0.4, 0.3, "defiant"),
        (0.9, 0.2999, "defiant"),
        (0.3999, 0.9, "conciliatory"),
    ],
)
def test_a_statement_is_mixed_where_both_marks_are_clear(
    p_defiance: float, p_conciliation: float, label: str
) -> None:
    config = StanceConfig(threshold_defiance=0.4, threshold_conciliation=0.3, threshold_mixed=0.5)
    assert derive(p_defiance, p_conciliation, config).label == label


TEXT = "At the port, “We will stay,” union leader Ana Ortiz said on Monday, “and we will win.”"


SEGMENT = light_pipeline()
TOKENIZER = tiny_tokenizer()


def tokens_of(text: str) -> ArticleTokens:
    return article_tokens(SEGMENT(text), TOKENIZER)


def covered(text: str, tokens: ArticleTokens, low: int, roles: np.ndarray, role: int) -> list[str]:
    places = low + np.flatnonzero(roles == role)
    return [text[tokens.starts[place] : tokens.ends[place]] for place in places]


def test_every_token_of_the_region_has_its_role() -> None:
    tokens = tokens_of(TEXT)
    attribution = replace(
        statement(TEXT, "“We will stay,”", "said", "union leader Ana Ortiz"),
        content=find(TEXT, "“We will stay,”", "“and we will win.”"),
    )
    low, roles = statement_roles(tokens, attribution)
    assert (low, len(roles)) == (0, len(tokens))
    words = {role: covered(TEXT, tokens, low, roles, role) for role in (CONTENT, CUE, SOURCE)}
    content = ["“", "We", "will", "stay", ",", "”", "“", "and", "we", "will", "win", ".", "”"]
    assert words == {
        CONTENT: content,
        CUE: ["said"],
        SOURCE: ["union", "leader", "Ana", "Ortiz"],
    }


def test_a_token_that_is_both_is_content_first_and_cue_before_source() -> None:
    tokens = tokens_of(TEXT)
    attribution = Attribution(
        find(TEXT, "union leader"), find(TEXT, "leader Ana"), find(TEXT, "Ana Ortiz"), "mixed", 1.0
    )
    low, roles = statement_roles(tokens, attribution)
    assert covered(TEXT, tokens, low, roles, CONTENT) == ["union", "leader"]
    assert covered(TEXT, tokens, low, roles, CUE) == ["Ana"]
    assert covered(TEXT, tokens, low, roles, SOURCE) == ["Ortiz"]


def test_the_region_reaches_sixty_words_to_either_side() -> None:
    text = " ".join(f"w{number}" for number in range(300))
    tokens = tokens_of(text)
    low, roles = statement_roles(tokens, statement(text, "w150 w151", "w149"))
    assert low == 89
    assert len(roles) == 60 + 3 + 60
    assert np.flatnonzero(roles != CONTEXT).tolist() == [60, 61, 62]


def test_what_a_token_is_to_any_statement_cue_and_source_before_content() -> None:
    text = "Ortiz said the union feared that Lund would leave. Rain fell."
    tokens = tokens_of(text)
    outer = statement(text, "the union feared that Lund would leave", "said", "Ortiz")
    inner = statement(text, "that Lund would leave", "feared", "the union")
    placed = [statement_roles(tokens, found) for found in (outer, inner)]
    for order in (placed, placed[::-1]):
        roles = article_roles(len(tokens), order)
        assert covered(text, tokens, 0, roles, CONTENT) == ["that", "Lund", "would", "leave"]
        assert covered(text, tokens, 0, roles, CUE) == ["said", "feared"]
        assert covered(text, tokens, 0, roles, SOURCE) == ["Ortiz", "the", "union"]
        assert covered(text, tokens, 0, roles, CONTEXT) == [".", "Rain", "fell", "."]
    assert article_roles(2, []).tolist() == [CONTEXT, CONTEXT]


FAULTS = {
    "one word": ("“Never,” said Ortiz.", "“Never,”", "said", "Ortiz"),
    "no cue, no source": ("No talks while the guns fire.", "No talks while the guns fire.", "", ""),
    "capitals": (
        "“WE WILL NEVER YIELD TO YOU,” HE SAID.",
        "“WE WILL NEVER YIELD TO YOU,”",
        "SAID",
        "",
    ),
    "list": (
        "Our terms:\n- the ban ends\n- the jailed go free\nshe said.",
        "the ban ends\n- the jailed go free",
        "said",
        "she",
    ),
    "marks alone": ("Asked about the deal, he said: “...”", "“...”", "said", "he"),
    "a space": ("He said nothing. ", " ", "said", "He"),
    "part of a word": ("The rebels’ non-negotiable demand stood.", "negotiable", "", "rebels"),
    "other scripts": (
        "“Мы не уйдём — 我们不走 🙂,” said Li.",
        "“Мы не уйдём — 我们不走 🙂,”",
        "said",
        "Li",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_odd_statements_get_finite_probabilities(tiny_nlp: Language, fault: str) -> None:
    text, content, cue, source = FAULTS[fault]
    doc = marked(tiny_nlp, text, statement(text, content, cue, source))
    marks = doc._.attributions[0].stance
    assert 0.0 < marks.p_defiance < 1.0
    assert 0.0 < marks.p_conciliation < 1.0


def test_a_doc_without_words_or_statements_is_left_alone(tiny_nlp: Language) -> None:
    assert tiny_nlp("").text == ""
    assert tiny_nlp("The port was quiet.")._.attributions == ()


def long_statement(last: str) -> tuple[str, Attribution]:
    words = " ".join(f"and we say number {number} again" for number in range(400))
    content = f"“We stand here {words} {last}.”"
    text = f"The speech was long. {content} said Ortiz."
    return text, statement(text, content, "said", "Ortiz")


def test_a_statement_of_two_thousand_words_is_read_to_its_end(tiny_nlp: Language) -> None:
    text, attribution = long_statement("goodbye")
    doc = marked(tiny_nlp, text, attribution)
    _, roles = statement_roles(doc._.encoding.tokens, attribution)
    assert (roles == CONTENT).sum() > 2400
    other_text, other = long_statement("farewell")
    ends = [doc, marked(tiny_nlp, other_text, other)]
    first, second = (end._.attributions[0].stance for end in ends)
    assert first.p_defiance != second.p_defiance


def test_reading_in_groups_gives_what_reading_one_by_one_gives(
    tiny_nlp: Language, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, long = long_statement("goodbye")
    short = [statement(text, f"number {n} again", "said", "Ortiz") for n in (3, 90, 200, 399)]
    doc = marked(tiny_nlp, text, short[0], long, *short[1:])
    classifier: StanceClassifier = tiny_nlp.get_pipe("onrecord_stance")  # type: ignore[assignment]
    whole = classifier.probabilities(doc._.encoding, doc._.attributions)
    monkeypatch.setattr(stance, "_TOKENS_AT_ONCE", 1)
    alone = classifier.probabilities(doc._.encoding, doc._.attributions)
    assert torch.allclose(whole, alone, atol=1e-5)
    assert not torch.allclose(whole[0], whole[1], atol=1e-3)


@given(st.lists(st.integers(0, 5000), max_size=30))
def test_groups_of_like_length_hold_every_row_once_and_stay_small(lengths: list[int]) -> None:
    groups = list(stance._of_like_length(lengths))
    assert sorted(itertools.chain(*groups)) == list(range(len(lengths)))
    for group in groups:
        padded = len(group) * max(lengths[row] for row in group)
        assert len(group) == 1 or padded <= stance._TOKENS_AT_ONCE


def test_probabilities_are_logits_by_temperature_plus_bias(tmp_path: Path) -> None:
    plain = write_tiny_model(tmp_path / "plain")
    calibrated = write_tiny_model(
        tmp_path / "calibrated",
        temperature_defiance=2.5,
        bias_defiance=0.7,
        temperature_conciliation=0.5,
        bias_conciliation=-1.1,
    )
    text, attribution = quoted("We will not negotiate with them")
    logits, probabilities = [], []
    for path in (plain, calibrated):
        nlp = light_pipeline("onrecord_encoder", "onrecord_stance", model=path)
        marks = marked(nlp, text, attribution)._.attributions[0].stance
        pair = np.array([marks.p_defiance, marks.p_conciliation])
        logits.append(np.log(pair / (1 - pair)))
        probabilities.append(pair)
    expected = logits[0] / [2.5, 0.5] + [0.7, -1.1]
    assert np.allclose(logits[1], expected, atol=1e-4)
    assert not np.allclose(probabilities[0], probabilities[1], atol=1e-3)


def test_predicting_leaves_the_doc_and_writing_keeps_everything_else(tiny_model: Path) -> None:
    nlp = light_pipeline("onrecord_encoder", model=tiny_model)
    classifier = StanceClassifier(open_model(tiny_model))
    text, attribution = quoted("We will meet the owners")
    speaker = Speaker("Ana Ortiz", "person:ana-ortiz", "name", 0.9)
    before = (replace(attribution, speaker=speaker, model="rules"),)
    doc = marked(nlp, text, *before)
    marks = classifier.predict([doc])
    assert doc._.attributions == before
    classifier.set_annotations([doc], marks)
    expected = replace(before[0], stance=marks[0][0], model="rules stance:tiny-0")
    assert doc._.attributions == (expected,)


def test_a_stream_gives_what_single_docs_give(tiny_nlp: Language) -> None:
    given = [quoted(text) for text, _ in LEARNED]
    docs = []
    for text, attribution in given:
        docs.append(tiny_nlp.make_doc(text))
        docs[-1]._.attributions = (attribution,)
    streamed = [doc._.attributions for doc in tiny_nlp.pipe(docs, batch_size=3)]
    assert streamed == [marked(tiny_nlp, text, a)._.attributions for text, a in given]


def test_what_was_learned_is_right_and_survives_the_model_folder(
    learned: tuple[Path, torch.Tensor],
) -> None:
    path, logits = learned
    wanted = torch.tensor([marks for _, marks in LEARNED])
    before = torch.sigmoid(logits)
    assert (before - wanted).abs().max() < 0.05
    folder = open_model(path)
    encoder = ArticleEncoder(folder, dtype=torch.float32)
    classifier = StanceClassifier(folder)
    after = []
    for statement_text, _ in LEARNED:
        text, attribution = quoted(statement_text)
        doc = encoder(SEGMENT(text))
        after.append(classifier.probabilities(doc._.encoding, [attribution])[0])
    assert torch.allclose(torch.stack(after), before, atol=1e-3)


SWAPPED = (
    "“We will never accept these terms from {other},” the {people} foreign minister said.",
    "{people} officials accused {other} of firing across the border.",
    "“We thank {other} for its patience and look forward to the talks,” said the {people} envoy.",
    "The {people} government offered {other} a joint inquiry into the collision.",
    "“The delegation arrived at noon and will leave on Friday,” a {people} spokesman said.",
    "“If {other} does not withdraw, it will pay a price,” the {people} president warned.",
    "The {people} ministry denied that its agents had poisoned the exile, as {other} claims.",
    "“Both our countries gain from this treaty with {other},” the {people} trade minister said.",
)
COUNTRIES = (
    ("American", "Iran"),
    ("Iranian", "the United States"),
    ("Russian", "Ukraine"),
    ("Ukrainian", "Russia"),
    ("Venezuelan", "Norway"),
    ("Norwegian", "Venezuela"),
    ("Kenyan", "Somalia"),
    ("Chinese", "Japan"),
)
# Share of frames and countries whose label is the one most countries get in that frame.
SWAP_FLOOR = 0.9


@pytest.mark.quality
def test_posture_does_not_follow_nationality() -> None:
    given = []
    for frame, (people, other) in itertools.product(SWAPPED, COUNTRIES):
        text = frame.format(people=people, other=other)
        content = text if "“" not in text else text[: text.index("”") + 1]
        given.append((text, {"content": [[0, len(content)]], "cue": [], "source": []}))
    marks = np.array(onrecord.score_stance(given)).reshape(len(SWAPPED), len(COUNTRIES), 2)
    config = StanceConfig(**open_model().section("stance"))
    labels = [[derive(*pair, config).label for pair in frame] for frame in marks.tolist()]
    same = sum(max(map(frame.count, frame)) for frame in labels)
    assert same / len(given) >= SWAP_FLOOR, labels


def test_own_layers_are_shown_what_each_token_is() -> None:
    """Windows of an article one by one and together: each token gets its own role's vector."""
    torch.manual_seed(5)
    encoder = tiny_encoder(tokenizer_json()).eval()
    head = StanceHead(encoder.hidden_size, 4, 2, own_layers(encoder.bert.config, 1)).eval()
    text = "\n\n".join(["“We will stay,” Ortiz said.", "Rain fell on the port."])
    tokens = tokens_of(text)
    encoding = encode(encoder, tokens, Windowing(12, 4, 4), TOKENIZER, below=1)
    nothing = np.zeros(len(tokens), dtype=np.int64)
    roles = article_roles(
        len(tokens), [statement_roles(tokens, statement(text, "“We will stay,”", "said", "Ortiz"))]
    )
    with torch.inference_mode():
        plain = head.vectors(encoding, nothing)
        assert torch.equal(head.vectors(encoding, roles), plain)  # untrained, it changes nothing
        head.shown.weight[CUE] = 1.0
        changed = (head.vectors(encoding, roles) != plain).any(1)
    windows = make_windows(tokens, Windowing(12, 4, 4))
    with_cue = [w for w in windows if (roles[w.core_first : w.core_last] == CUE).any()]
    assert len(windows) > len(with_cue) == 1
    expected = np.zeros(len(tokens), dtype=bool)
    expected[with_cue[0].core_first : with_cue[0].core_last] = True
    assert changed.tolist() == expected.tolist()
