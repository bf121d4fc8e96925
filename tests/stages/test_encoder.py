"""Tokens as the learned stages see them, windows that lose none, and vectors in their places."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from onrecord.stages.encoder import (
    CASES,
    ENTITY_PLACES,
    ENTITY_TYPES,
    FEATURE_SIZES,
    KINDS,
    PARAGRAPH_PLACES,
    QUOTE_STATES,
    SENTENCE_PLACES,
    ArticleTokens,
    PieceTokenizer,
    Windowing,
    WindowStates,
    article_tokens,
    batch_windows,
    encode_tokens,
    make_windows,
)
from tiny_model import light_pipeline, tiny_encoder, tiny_tokenizer, tokenizer_json

CASE, QUOTE, SENTENCE, KIND, PARAGRAPH, ENTITY = range(len(FEATURE_SIZES))


SEGMENT = light_pipeline()
TOKENIZER = tiny_tokenizer()


def tokens_of(text: str) -> ArticleTokens:
    return article_tokens(SEGMENT(text), TOKENIZER)


def named(tokens: ArticleTokens, text: str, column: int, names: tuple[str, ...]) -> dict[str, str]:
    """Feature of each token by its word (the last one where a word comes again)."""
    words = [
        text[start:end]
        for start, end in zip(tokens.starts.tolist(), tokens.ends.tolist(), strict=True)
    ]
    return dict(
        zip(words, (names[value] for value in tokens.features[:, column].tolist()), strict=True)
    )


@pytest.mark.parametrize(
    ("word", "case"),
    [
        ("talks", "lower"),
        ("Maduro", "title"),
        ("A", "title"),
        ("NATO", "upper"),
        ("McCain", "mixed"),
        ("iPhone", "mixed"),
        ("1,200", "digit"),
        ("5th", "digit"),
        ("”", "punctuation"),
        ("—", "punctuation"),
        ("'S", "upper"),
        ("'s", "lower"),
        ("我们", "mixed"),
    ],
)
def test_case_of_a_word(word: str, case: str) -> None:
    tokens = tokens_of(word)
    assert CASES[tokens.features[0, CASE]] == case


def test_state_of_quotation_marks() -> None:
    text = "He said: “We will not leave this port until you pay.” The “dream” ended."
    states = named(tokens_of(text), text, QUOTE, QUOTE_STATES)
    assert states["said"] == states["ended"] == "outside"
    assert states["leave"] == states["pay"] == "inside"
    assert states["dream"] == "scare"
    assert states["“"] == "opening"
    assert states["”"] == "closing"
    unclosed = "“We will stay until the very last day of this strike, she said."
    assert named(tokens_of(unclosed), unclosed, QUOTE, QUOTE_STATES)["strike"] == "unclosed"


def test_layout_and_places() -> None:
    text = "Port strike goes on\n\nShips wait. Crews rest at sea.\n\nMeanwhile"
    tokens = tokens_of(text)
    kinds = named(tokens, text, KIND, KINDS)
    assert (kinds["strike"], kinds["wait"]) == ("headline", "body")
    items = "The crews lack:\n\n- fuel\n- bread"
    assert named(tokens_of(items), items, KIND, KINDS)["bread"] == "list_item"
    places = named(tokens, text, SENTENCE, SENTENCE_PLACES)
    assert (places["Ships"], places["wait"], places["Crews"]) == ("first", "inside", "first")
    assert (places["sea"], places["."]) == ("inside", "last")
    first = named(tokens, text, PARAGRAPH, PARAGRAPH_PLACES)
    assert (first["Ships"], first["Crews"], first["Port"]) == ("first", "inside", "first")


def test_a_bullet_belongs_to_its_item() -> None:
    text = "The crews lack:\n\n- fuel\n- bread\n\nThey wait."
    tokens = tokens_of(text)
    words = [text[start:end] for start, end in zip(tokens.starts, tokens.ends, strict=True)]
    paragraph = dict(zip(words, tokens.paragraph.tolist(), strict=True))
    bullets = [p for word, p in zip(words, tokens.paragraph.tolist(), strict=True) if word == "-"]
    assert bullets == [paragraph["fuel"], paragraph["bread"]]
    assert len({paragraph[word] for word in ("crews", "fuel", "bread", "wait")}) == 4


def test_entities_begin_and_go_on() -> None:
    nlp = light_pipeline()
    ruler = nlp.add_pipe("entity_ruler")
    patterns = [("PERSON", "Ana Ortiz"), ("MONEY", "five crowns")]
    ruler.add_patterns([{"label": label, "pattern": words} for label, words in patterns])  # type: ignore[attr-defined]
    tokens = article_tokens(nlp("Ana Ortiz paid five crowns"), TOKENIZER)
    found = [divmod(value, len(ENTITY_PLACES)) for value in tokens.features[:, ENTITY].tolist()]
    named = [(ENTITY_TYPES[kind], ENTITY_PLACES[place]) for kind, place in found]
    assert named == [
        ("PERSON", "begin"),
        ("PERSON", "inside"),
        ("none", "begin"),
        ("other", "begin"),
        ("other", "inside"),
    ]


@given(st.text(alphabet="aB1 \n\t“”\"'.,—é我🙂", max_size=120))
def test_tokens_hold_every_visible_character_once(text: str) -> None:
    tokens = tokens_of(text)
    assert all(end <= start for end, start in zip(tokens.ends, tokens.starts[1:], strict=False))
    spans = zip(tokens.starts.tolist(), tokens.ends.tolist(), strict=True)
    covered = "".join(text[start:end] for start, end in spans)
    assert "".join(covered.split()) == "".join(text.split())
    assert len(tokens.pieces) == len(tokens)
    assert all(1 <= len(pieces) <= 8 for pieces in tokens.pieces)
    assert (tokens.features >= 0).all()
    assert (tokens.features < np.array(FEATURE_SIZES)).all()
    assert (np.diff(tokens.paragraph) >= 0).all()
    assert (np.diff(tokens.sentence) >= 0).all()


def test_a_tokenizer_without_special_tokens_is_refused() -> None:
    content = tokenizer_json().replace(b"[CLS]", b"[XXX]")
    with pytest.raises(ValueError, match=r"does not know \[CLS\]"):
        PieceTokenizer.from_json(content)


@st.composite
def articles(draw: st.DrawFn) -> ArticleTokens:
    """Tokens in sentences in paragraphs, with a few word pieces each."""
    layout = draw(st.lists(st.lists(st.integers(1, 60), min_size=1, max_size=4), max_size=8))
    sizes = np.random.default_rng(draw(st.integers(0, 9)))
    sentence, paragraph = [], []
    for block, lengths in enumerate(layout):
        for length in lengths:
            sentence += [sentence[-1] + 1 if sentence else 0] * length
            paragraph += [block] * length
    count = len(sentence)
    pieces = tuple((7,) * int(size) for size in sizes.integers(1, 9, count))
    zeros = np.zeros(count, dtype=np.int64)
    return ArticleTokens(
        np.arange(count) * 2,
        np.arange(count) * 2 + 1,
        np.array(sentence, dtype=np.int64),
        np.array(paragraph, dtype=np.int64),
        zeros - 1,
        np.zeros((count, len(FEATURE_SIZES)), dtype=np.int64),
        pieces,
    )


@given(articles(), st.integers(8, 150), st.integers(0, 20), st.integers(0, 20))
def test_window_cores_partition_the_tokens(
    tokens: ArticleTokens, core: int, left: int, right: int
) -> None:
    windows = make_windows(tokens, Windowing(core, left, right)) if len(tokens) else []
    edges = [(window.core_first, window.core_last) for window in windows]
    assert [place for edge in edges for place in range(*edge)] == list(range(len(tokens)))
    lengths = [len(pieces) for pieces in tokens.pieces]
    for window in windows:
        assert sum(lengths[window.core_first : window.core_last]) <= core
        assert 0 <= window.first <= window.core_first < window.core_last <= window.last
        assert window.last <= len(tokens)
        assert sum(lengths[window.first : window.core_first]) <= left
        assert sum(lengths[window.core_last : window.last]) <= right
    for (_, end), _ in pairwise(edges):
        block = tokens.paragraph == tokens.paragraph[end]
        if tokens.paragraph[end - 1] == tokens.paragraph[end]:
            assert sum(np.array(lengths)[block]) > core


@settings(max_examples=40)
@given(articles(), articles())
def test_a_batch_knows_the_place_of_every_core_piece(
    one: ArticleTokens, other: ArticleTokens
) -> None:
    parts = [
        (tokens, window)
        for tokens in (one, other)
        if len(tokens)
        for window in make_windows(tokens, Windowing(40, 8, 4))
    ]
    if not parts:
        return
    batch = batch_windows(parts, TOKENIZER)
    lengths = [len(pieces) for tokens in (one, other) for pieces in tokens.pieces]
    assert batch.count.tolist() == lengths
    assert batch.owner.tolist() == np.repeat(np.arange(len(lengths)), lengths).tolist()
    assert set(batch.ids.reshape(-1)[batch.place].tolist()) == {7}
    assert len(set(batch.place.tolist())) == sum(lengths)
    assert batch.mask.sum(1).tolist() == (batch.ids != TOKENIZER.pad).sum(1).tolist()
    assert (batch.ids[:, 0] == TOKENIZER.cls).all()
    assert ((batch.ids == TOKENIZER.sep).sum(1) == 1).all()


def test_a_vector_is_the_mean_over_its_pieces_and_knows_its_context() -> None:
    content = tokenizer_json(["harbour"])
    tokenizer = PieceTokenizer.from_json(content)
    encoder = tiny_encoder(content).eval()
    text = "The harbour zzz closed. The harbour opened."
    tokens = article_tokens(SEGMENT(text), tokenizer)
    assert [len(pieces) for pieces in tokens.pieces][1:3] == [1, 3]
    vectors = encode_tokens(encoder, tokens, Windowing(), tokenizer)
    (window,) = make_windows(tokens, Windowing())
    batch = batch_windows([(tokens, window)], tokenizer)
    with torch.inference_mode():
        words = encoder.bert.embeddings.word_embeddings(batch.ids)
        for column, table in enumerate(encoder.features):
            words = words + table(batch.features[..., column])
        states = encoder.bert(inputs_embeds=words, attention_mask=batch.mask).last_hidden_state[0]
    first = 1 + sum(len(pieces) for pieces in tokens.pieces[:2])
    assert torch.allclose(vectors[2], states[first : first + 3].mean(0), atol=1e-5)
    assert not torch.allclose(vectors[1], vectors[6], atol=1e-3)


def test_many_windows_give_the_vectors_that_each_gives_alone() -> None:
    content = tokenizer_json()
    tokenizer = PieceTokenizer.from_json(content)
    encoder = tiny_encoder(content).eval()
    text = "\n\n".join(f"Ship number {number} waits off the port." for number in range(40))
    tokens = article_tokens(SEGMENT(text), tokenizer)
    sizes = Windowing(core=40, left=8, right=4)
    windows = make_windows(tokens, sizes)
    assert len(windows) > 16
    vectors = encode_tokens(encoder, tokens, sizes, tokenizer)
    for window in windows:
        with torch.inference_mode():
            alone = encoder(batch_windows([(tokens, window)], tokenizer))
        assert torch.allclose(vectors[window.core_first : window.core_last], alone, atol=1e-5)


def test_an_article_without_words_has_no_vectors() -> None:
    tokens = tokens_of(" \n ")
    content = tokenizer_json()
    encoder = tiny_encoder(content)
    assert encode_tokens(encoder, tokens, Windowing(), TOKENIZER).shape == (0, 32)


@settings(max_examples=20)
@given(articles())
def test_what_is_added_to_a_token_is_added_to_all_its_pieces_and_to_nothing_else(
    tokens: ArticleTokens,
) -> None:
    if not len(tokens):
        return
    parts = [(tokens, window) for window in make_windows(tokens, Windowing(40, 8, 4))]
    batch = batch_windows(parts, TOKENIZER)
    states = WindowStates(batch, torch.randn(*batch.ids.shape, 3))
    added = torch.randn(len(tokens), 3)
    found = states.plus(added)
    assert torch.allclose(found.vectors(), states.vectors() + added, atol=1e-5)
    changed = (found.states != states.states).any(-1).reshape(-1)
    assert set(np.flatnonzero(changed.numpy()).tolist()) <= set(batch.place.tolist())
