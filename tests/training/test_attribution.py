"""Training of the attribution stage: gold in tokens, losses, decoding, and a whole training."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from onrecord.quotation import find_quotations
from onrecord.stages.attribution import AttributionConfig, decode, read_roles, to_attribution
from onrecord.stages.attribution_head import (
    BEGIN,
    INSIDE,
    OUTSIDE,
    AttributionHead,
    best_content,
    best_source,
    content_loss,
    cue_candidates,
    make_regions,
)
from onrecord.stages.encoder import (
    ArticleTokens,
    Encoding,
    PieceTokenizer,
    Windowing,
    article_tokens,
    encode_tokens,
)
from onrecord.stages.speaker_options import FEATURES
from onrecord.stages.speaker_vectors import OptionPlaces
from onrecord.stages.stance import statement_regions, statement_roles
from onrecord.training.attribution import (
    GoldArticle,
    _sample_cues,
    gold_article,
    overlapping_cue,
    role_targets,
)
from onrecord.training.loop import Share, Trainee, TrainingConfig, train_share
from onrecord.training.speakers import Question, speakers_loss
from onrecord.training.stance import MarkedStatement, StanceItem
from tiny_model import LEARNED, light_pipeline, quoted, tiny_encoder, tokenizer_json

SEGMENT = light_pipeline()
TEXTS = (
    "“We will stay here,” said Ortiz. The ships waited.",
    "Lund warned that the port would close. Nobody moved.\n\nIt rained.",
    "The crews refused, according to Okafor, to load the grain.",
)
GOLD = (
    [(["“We will stay here,”"], "said", "Ortiz")],
    [(["that the port would close"], "warned", "Lund")],
    [(["The crews refused", "to load the grain"], "according to", "Okafor")],
)
CONTENT = tokenizer_json(TEXTS)
TOKENIZER = PieceTokenizer.from_json(CONTENT)


def row(text: str, content: list[str], cue: str, source: str | None) -> dict[str, Any]:
    def spans(*phrases: str) -> list[list[int]]:
        return [[text.index(phrase), text.index(phrase) + len(phrase)] for phrase in phrases]

    return {
        "content": spans(*content),
        "cue": spans(cue) if cue else [],
        "source": spans(source) if source else [],
    }


def tokens_of(text: str) -> ArticleTokens:
    return article_tokens(SEGMENT(text), TOKENIZER)


def gold_articles() -> list[GoldArticle]:
    return [
        gold_article(tokens_of(text), [row(text, *one) for one in gold])
        for text, gold in zip(TEXTS, GOLD, strict=True)
    ]


def words(text: str, tokens: ArticleTokens, places: Any) -> list[str]:
    return [text[tokens.starts[place] : tokens.ends[place]] for place in places]


def test_gold_spans_become_tags_of_tokens() -> None:
    text = TEXTS[2]
    article = gold_article(tokens_of(text), [row(text, *GOLD[2][0])])
    (found,) = article.attributions
    assert words(text, article.tokens, np.flatnonzero(found.content == BEGIN)) == ["The", "to"]
    inside = words(text, article.tokens, np.flatnonzero(found.content == INSIDE))
    assert inside == ["crews", "refused", "load", "the", "grain"]
    assert found.source is not None
    assert words(text, article.tokens, range(found.source[0], found.source[1] + 1)) == ["Okafor"]
    assert words(text, article.tokens, np.flatnonzero(article.cue_tags[:, BEGIN])) == ["according"]
    assert words(text, article.tokens, np.flatnonzero(article.cue_tags[:, INSIDE])) == ["to"]


def test_a_span_inside_a_token_takes_the_token() -> None:
    text = "Lund warned that the port would close."
    given = row(text, ["hat the port would clos"], "arne", "Lund")
    (found,) = gold_article(tokens_of(text), [given]).attributions
    assert words(text, tokens_of(text), range(found.cue[0], found.cue[1] + 1)) == ["warned"]
    content = words(text, tokens_of(text), np.flatnonzero(found.content))
    assert content == ["that", "the", "port", "would", "close"]


def test_what_cannot_teach_is_left_out() -> None:
    text = "Lund warned that the port would close."
    rows = [
        row(text, ["that the port would close"], "", "Lund"),
        {"content": [[4, 5]], "cue": [[5, 11]], "source": []},
        row(text, ["that the port would close"], "warned", None),
    ]
    article = gold_article(tokens_of(text), rows)
    assert len(article.attributions) == 1
    assert article.attributions[0].source is None
    assert article.cue_tags[:, [BEGIN, INSIDE]].sum() == 1
    assert (article.cue_tags.sum(1) == 1).all()


def long_article() -> tuple[str, GoldArticle]:
    """A statement that begins a hundred words and more before its cue, its source still earlier."""
    said = " ".join(f"and word{number}" for number in range(75))
    text = f"Ortiz spoke first. “We stay {said},” he said."
    return text, gold_article(
        tokens_of(text), [row(text, [text[text.index("“") : text.index("”") + 1]], "said", "Ortiz")]
    )


def test_content_that_a_region_cuts_still_begins() -> None:
    _, article = long_article()
    regions = make_regions(article.tokens, [article.attributions[0].cue])
    low = int(regions.index[0, 0])
    assert article.attributions[0].content[low] == INSIDE
    tags, source = role_targets(article, regions, [0])
    assert tags[0, 0] == BEGIN
    assert tags[0, 1:].tolist() == article.attributions[0].content[low + 1 :].tolist()
    assert source.tolist() == [[0, 0]]


def test_the_place_of_a_source_counts_from_one() -> None:
    first, second = gold_articles()[:2]
    regions = make_regions(first.tokens, [first.attributions[0].cue])
    tags, source = role_targets(first, regions, [0])
    place = int(source[0, 0])
    assert source[0, 1] == place
    assert words(TEXTS[0], first.tokens, [int(regions.index[0, place - 1])]) == ["Ortiz"]
    assert (tags[0] != OUTSIDE).sum() == 7
    unnamed = gold_article(second.tokens, [row(TEXTS[1], *GOLD[1][0][:2], None)])
    regions = make_regions(unnamed.tokens, [unnamed.attributions[0].cue])
    assert role_targets(unnamed, regions, [0])[1].tolist() == [[0, 0]]


def test_regions_hold_the_neighbouring_paragraphs_and_no_more() -> None:
    text = "\n\n".join(f"Ship{number} came in. Crew{number} said so." for number in range(5))
    tokens = tokens_of(text)
    said = [place for place in range(len(tokens)) if words(text, tokens, [place]) == ["said"]]
    regions = make_regions(tokens, [(said[2], said[2]), (said[0], said[0])])
    middle = words(text, tokens, regions.index[0][regions.mask[0]].tolist())
    assert (middle[0], middle[-3:]) == ("Ship1", ["said", "so", "."])
    assert "Crew3" in middle
    first = words(text, tokens, regions.index[1][regions.mask[1]].tolist())
    assert (first[0], first[-4]) == ("Ship0", "Crew1")
    at_cue = regions.index[0] == said[2]
    distance = regions.relation[0, :, 0]
    assert (distance == distance[at_cue]).sum() == 1


def allowed(sequence: tuple[int, ...]) -> bool:
    moves = itertools.pairwise((OUTSIDE, *sequence))
    return (OUTSIDE, INSIDE) not in moves


def crf(seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Emissions of two cues, the second one shorter, and transition scores."""
    random = torch.Generator().manual_seed(seed)
    head = AttributionHead(8, 4, (1,))
    head.transitions.data = torch.randn(3, 3, generator=random)
    mask = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    return torch.randn(2, 5, 3, generator=random), mask, head.transition_scores().detach()


def scores_of_all(
    emissions: torch.Tensor, length: int, transitions: torch.Tensor
) -> dict[tuple[int, ...], float]:
    found = {}
    for sequence in itertools.product(range(3), repeat=length):
        if allowed(sequence):
            score = sum(float(emissions[at, tag]) for at, tag in enumerate(sequence))
            score += sum(float(transitions[a, b]) for a, b in itertools.pairwise(sequence))
            found[sequence] = score
    return found


@pytest.mark.parametrize("seed", range(5))
def test_the_loss_of_content_is_that_of_all_sequences_counted_out(seed: int) -> None:
    emissions, mask, transitions = crf(seed)
    tags = torch.tensor([[0, 1, 2, 0, 1], [1, 2, 1, 0, 0]])
    losses = content_loss(emissions, tags, mask, transitions)
    for cue, length in enumerate(mask.sum(1).tolist()):
        scores = scores_of_all(emissions[cue], length, transitions)
        partition = np.logaddexp.reduce(list(scores.values()))
        gold = scores[tuple(tags[cue, :length].tolist())]
        assert float(losses[cue]) == pytest.approx(partition - gold, abs=1e-4)


@pytest.mark.parametrize("seed", range(8))
def test_the_best_content_is_the_best_of_all_sequences(seed: int) -> None:
    emissions, mask, transitions = crf(seed)
    found = best_content(emissions.numpy(), mask.numpy(), transitions.numpy())
    for cue, length in enumerate(mask.sum(1).tolist()):
        scores = scores_of_all(emissions[cue], length, transitions)
        assert tuple(found[cue, :length].tolist()) == max(scores, key=scores.__getitem__)
        assert (found[cue, length:] == OUTSIDE).all()


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("longest", [1, 2, 40])
def test_the_best_source_is_the_best_of_all_spans_and_none(seed: int, longest: int) -> None:
    scores = np.random.default_rng(seed).normal(0, 2, (3, 6, 2)).astype(np.float32)
    scores[1, 0] = 5.0
    spans, logp = best_source(scores, longest)
    table = np.log(np.exp(scores) / np.exp(scores).sum(1, keepdims=True))
    for cue in range(len(scores)):
        every = {(-1, -1): table[cue, 0].sum()}
        for first, last in itertools.product(range(5), repeat=2):
            if 0 <= last - first < longest:
                every[first, last] = table[cue, first + 1, 0] + table[cue, last + 1, 1]
        best = max(every, key=every.__getitem__)
        assert tuple(spans[cue].tolist()) == best
        assert logp[cue] == pytest.approx(every[best], abs=1e-4)
    assert spans[1].tolist() == [-1, -1]


def test_candidates_are_cut_at_the_paragraph_and_at_the_threshold() -> None:
    begin, inside, outside = [0.1, 0.8, 0.1], [0.15, 0.05, 0.8], [0.9, 0.05, 0.05]
    table = np.array([begin, inside, inside, outside, begin, [0.85, 0.1, 0.05]], dtype=np.float32)
    paragraph = np.array([0, 0, 1, 1, 1, 1])
    assert cue_candidates(table, paragraph, 0.5) == [(0, 1), (4, 4)]
    assert cue_candidates(table, paragraph, 0.09) == [(0, 1), (4, 4), (5, 5)]


@settings(max_examples=40)
@given(st.integers(0, 10_000))
def test_sampled_cues_stay_in_the_article(seed: int) -> None:
    text = "“We will stay here,” Ortiz said"
    article = gold_article(tokens_of(text), [row(text, ["“We will stay here,”"], "said", "Ortiz")])
    count = len(article.tokens)
    random = np.random.default_rng(seed)
    probabilities = np.full((count, 3), 1 / 3, dtype=np.float32)
    cues, gold = _sample_cues(article, probabilities, random)
    assert all(0 <= first <= last < count for first, last in cues)
    assert gold[0] == 0
    assert len(set(cues)) == len(cues)
    for cue, number in zip(cues[1:], gold[1:], strict=True):
        assert number == overlapping_cue(article, cue)


def train(
    checkpoints: Path, config: TrainingConfig, articles: list[GoldArticle], **more: Any
) -> Trainee:
    with torch.random.fork_rng():
        torch.manual_seed(5)
        trainee = Trainee(tiny_encoder(CONTENT), config.dropout)
        train_share(trainee, Share(articles), TOKENIZER, config, checkpoints, **more)
    return trainee.eval()


def test_articles_that_were_learned_are_read_back(tmp_path: Path) -> None:
    config = TrainingConfig(
        epochs=60, encoder_rate=3e-3, head_rate=4e-3, dropout=0.0, average_decay=0.0
    )
    trainee = train(tmp_path, config, gold_articles())
    for text, gold in zip(TEXTS, GOLD, strict=True):
        tokens = tokens_of(text)
        vectors = encode_tokens(trainee.encoder, tokens, Windowing(), TOKENIZER)
        readings = read_roles(trainee.attribution, Encoding(tokens, vectors), AttributionConfig())
        statements = decode(tokens, readings, find_quotations(text), AttributionConfig())
        found = [to_attribution(tokens, one, score, "") for one, score in statements]
        told = [
            tuple(
                [text[slice(*span)] for span in spans]
                for spans in (one.content, one.cue, one.source)
            )
            for one in found
        ]
        assert told == [(content, [cue], [source]) for content, cue, source in gold]


def test_an_article_that_is_not_complete_teaches_stance_alone(tmp_path: Path) -> None:
    text, attribution = quoted(LEARNED[0][0])
    tokens = tokens_of(text)
    statement = MarkedStatement(*statement_roles(tokens, attribution), (1.0, 0.0))
    marked = replace(
        gold_article(tokens, []), complete=False, stance=StanceItem(tokens, (statement,))
    )
    config = TrainingConfig(epochs=30, head_rate=4e-3, average_decay=0.0, weight_decay=0.0)
    trainee = train(tmp_path, config, [marked])
    with torch.random.fork_rng():
        torch.manual_seed(5)
        fresh = Trainee(tiny_encoder(CONTENT), config.dropout)
    for name, weight in fresh.attribution.state_dict().items():
        assert torch.equal(weight, trainee.attribution.state_dict()[name]), name
    vectors = encode_tokens(trainee.encoder, tokens, Windowing(), TOKENIZER)
    logits = trainee.stance(vectors, statement_regions([(statement.first, statement.roles)]))[0]
    assert logits[0] > 1 > -1 > logits[1]


def asked(tokens: ArticleTokens) -> GoldArticle:
    """Tokens with a question: the first of two names is meant, whose vectors alone tell."""
    rows = np.zeros((3, len(FEATURES)), dtype=np.float32)
    rows[0, 0] = 1.0
    places = OptionPlaces(
        np.array([2, 0, 1]), np.array([3, 1, 2]), np.array([-1, 1, 2]), np.eye(3, dtype=np.float32)
    )
    places.shares[0] = 0.0
    question = Question(rows, places, 1, 1.0)
    return replace(gold_article(tokens, []), complete=False, questions=(question,))


@pytest.mark.parametrize("as_passages", [True, False])
def test_an_encoder_learns_who_is_meant(tmp_path: Path, as_passages: bool) -> None:
    article = asked(tokens_of("Ortiz Lund spoke"))
    config = TrainingConfig(epochs=40, head_rate=4e-3, average_decay=0.0, dropout=0.0)
    share = Share(passages=[article, article]) if as_passages else Share([article])
    with torch.random.fork_rng():
        torch.manual_seed(5)
        trainee = Trainee(tiny_encoder(CONTENT), 0.0)
        before = trainee.encoder.bert.encoder.layer[-1].output.dense.weight.detach().clone()
        train_share(trainee, share, TOKENIZER, config, tmp_path)
    trainee.eval()
    with torch.inference_mode():
        vectors = encode_tokens(trainee.encoder, article.tokens, Windowing(), TOKENIZER)
        loss = speakers_loss(trainee.speakers, vectors, article.questions)
    assert float(loss) < 0.1
    assert not torch.equal(before, trainee.encoder.bert.encoder.layer[-1].output.dense.weight)


def test_the_lowest_layers_stay_where_an_encoder_learns_on(tmp_path: Path) -> None:
    config = TrainingConfig(epochs=1, frozen_layers=1, average_decay=0.0)
    trainee = train(tmp_path, config, gold_articles())
    with torch.random.fork_rng():
        torch.manual_seed(5)
        fresh = Trainee(tiny_encoder(CONTENT), config.dropout).state_dict()
    learned = trainee.state_dict()
    kept = [name for name, weight in fresh.items() if torch.equal(weight, learned[name])]
    assert all(name in kept for name in fresh if name.startswith("encoder."))
    assert not any(name in kept for name in fresh if name.startswith("attribution.token."))


class Interrupted(Exception):  # noqa: N818 - an event, not an error
    """The training is stopped."""


def interrupt(epoch: int) -> None:
    if epoch == 0:
        raise Interrupted


RESUMED = TrainingConfig(epochs=2, articles_per_step=2, statements_per_step=1)


def test_an_interrupted_training_ends_with_the_weights_of_an_undisturbed_one(
    tmp_path: Path,
) -> None:
    train(tmp_path / "whole", RESUMED, gold_articles())
    with pytest.raises(Interrupted):
        train(tmp_path / "cut", RESUMED, gold_articles(), after_epoch=interrupt)
    weight = "attribution.content.weight"
    half = load_file(tmp_path / "cut" / "raw.safetensors")[weight]
    train(tmp_path / "cut", RESUMED, gold_articles())
    for name in ("raw", "average", "moments"):
        whole = load_file(tmp_path / "whole" / f"{name}.safetensors")
        resumed = load_file(tmp_path / "cut" / f"{name}.safetensors")
        assert whole.keys() == resumed.keys()
        for key, tensor in whole.items():
            assert torch.equal(tensor, resumed[key]), (name, key)
    assert not torch.equal(half, load_file(tmp_path / "cut" / "raw.safetensors")[weight])


def test_a_checkpoint_cut_short_while_it_was_saved_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        train(tmp_path, RESUMED, gold_articles(), after_epoch=interrupt)
    raw = tmp_path / "raw.safetensors"
    save_file(load_file(raw), str(raw), metadata={"epoch": "1"})
    with pytest.raises(
        ValueError, match=r"raw.safetensors: weights of epoch 1, .*says 0; .*remove"
    ):
        train(tmp_path, RESUMED, gold_articles())
