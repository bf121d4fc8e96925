"""One transformer pass over an article, shared by every learned stage.

The article is cut into windows of whole paragraphs with context on both sides, so that every token
lies in the core of exactly one window and nothing is truncated. The encoder is an uncased BERT
(Devlin et al., NAACL 2019; weights grown from MiniLM, Wang et al., NeurIPS 2020); what it cannot
see, such as capitals, the state of quotation marks and the layout, is added to its embeddings.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from spacy.tokens import Doc
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import BertConfig, BertModel

from onrecord.model_folder import ModelFolder
from onrecord.quotation import Quotation, find_quotations, paragraph_spans
from onrecord.records import Span

IntArray = NDArray[np.int64]

# Sizes of the feature vocabularies, in the order of the columns of ``ArticleTokens.features``.
CASES = ("lower", "title", "upper", "mixed", "digit", "punctuation", "other")
QUOTE_STATES = ("outside", "opening", "inside", "closing", "unclosed", "scare")
SENTENCE_PLACES = ("inside", "first", "last", "only")
KINDS = ("body", "headline", "heading", "list_item")
PARAGRAPH_PLACES = ("inside", "first")
ENTITY_TYPES = ("none", "PERSON", "ORG", "GPE", "NORP", "other")
ENTITY_PLACES = ("begin", "inside")
FEATURE_SIZES = (
    len(CASES),
    len(QUOTE_STATES),
    len(SENTENCE_PLACES),
    len(KINDS),
    len(PARAGRAPH_PLACES),
    len(ENTITY_TYPES) * len(ENTITY_PLACES),
)
# A quotation of at most so many tokens is more often a title or a scare quote than speech.
_SCARE_TOKENS = 4
# Windows encoded at once: the layers hold no more of an article, however long it is.
_WINDOWS_AT_ONCE = 16
# WordPiece cannot make sense of a longer token (an address, a line of dashes); its head suffices.
_MAX_PIECES_PER_TOKEN = 8
# News repeats its words; the rare ones would fill memory, article by article, and save nothing.
_REMEMBERED_TOKENS = 16_384


@dataclass(frozen=True, slots=True)
class ArticleTokens:
    """The non-space tokens of one article, as the learned stages see them.

    Attributes:
        starts, ends: code-point offsets, each of shape (n,).
        sentence, paragraph: index of the sentence and layout block of each token, shape (n,).
        quotation: index of the quotation a token stands in, -1 outside, shape (n,).
        features: categories that the encoder adds to its embeddings, shape (n, 6).
        pieces: word pieces of each token.
        quotations: what ``quotation`` counts.
    """

    starts: IntArray
    ends: IntArray
    sentence: IntArray
    paragraph: IntArray
    quotation: IntArray
    features: IntArray
    pieces: tuple[tuple[int, ...], ...]
    quotations: tuple[Quotation, ...] = ()

    def __len__(self) -> int:
        return len(self.starts)

    def char_span(self, first: int, last: int) -> Span:
        """Code points covered by tokens ``first`` to ``last``, both included."""
        return Span(int(self.starts[first]), int(self.ends[last]))


@dataclass(frozen=True, slots=True)
class Encoding:
    """One article as the learned stages read it.

    Attributes:
        tokens: its tokens.
        vectors: their vectors, float32 of shape (n, hidden).
        lower: the states that a stage's own top layers start from, window by window; empty if no
            stage has any.
    """

    tokens: ArticleTokens
    vectors: Tensor
    lower: tuple[WindowStates, ...] = ()


@dataclass(frozen=True, slots=True)
class Windowing:
    """Window sizes in word pieces: the core, and the context shown on either side."""

    core: int = 320
    left: int = 32
    right: int = 16


class PieceTokenizer:
    """Word pieces of single tokens, remembered: news repeats its words."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self.cls = _special(tokenizer, "[CLS]")
        self.sep = _special(tokenizer, "[SEP]")
        self.pad = _special(tokenizer, "[PAD]")
        self._unknown = _special(tokenizer, "[UNK]")
        self._pieces = lru_cache(maxsize=_REMEMBERED_TOKENS)(self._encode)

    @classmethod
    def from_file(cls, path: Path) -> PieceTokenizer:
        """Read a ``tokenizer.json``."""
        return cls.from_json(path.read_bytes())

    @classmethod
    def from_json(cls, content: bytes) -> PieceTokenizer:
        """Read the content of a ``tokenizer.json``."""
        tokenizer = Tokenizer.from_buffer(content)
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return cls(tokenizer)

    def __call__(self, token: str) -> tuple[int, ...]:
        """Numbers of the word pieces of one token, at least one."""
        return self._pieces(token)

    def _encode(self, token: str) -> tuple[int, ...]:
        ids = self._tokenizer.encode(token, add_special_tokens=False).ids
        return tuple(ids[:_MAX_PIECES_PER_TOKEN]) or (self._unknown,)


def _special(tokenizer: Tokenizer, token: str) -> int:
    number = tokenizer.token_to_id(token)
    if number is None:
        raise ValueError(f"the tokenizer does not know {token}; use the one of a BERT model")
    return number


def article_tokens(doc: Doc, pieces: PieceTokenizer) -> ArticleTokens:
    """Tokens of a segmented and entity-tagged ``Doc``, spaces left out."""
    kept = [token for token in doc if not token.is_space]
    starts = np.array([token.idx for token in kept], dtype=np.int64)
    ends = np.array([token.idx + len(token) for token in kept], dtype=np.int64)
    sentence, paragraph, kind = _layout(doc, starts)
    quotations = find_quotations(doc.text, paragraph_spans(doc._.sentences) or None)
    block = _with_markers(doc, starts, sentence, paragraph)
    quotation, quote_state = _quotation_state(quotations, starts, ends)
    features = np.stack(
        [
            np.array([_case(token.text) for token in kept], dtype=np.int64),
            quote_state,
            _sentence_place(sentence),
            kind,
            _first_of(paragraph),
            np.array([_entity(token.ent_type_, token.ent_iob_) for token in kept], dtype=np.int64),
        ],
        axis=1,
    ).reshape(len(kept), len(FEATURE_SIZES))
    return ArticleTokens(
        starts,
        ends,
        sentence,
        block,
        quotation,
        features,
        tuple(pieces(token.text) for token in kept),
        tuple(quotations),
    )


def _layout(doc: Doc, starts: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    sentences = doc._.sentences
    if not sentences:
        zeros = np.zeros(len(starts), dtype=np.int64)
        return zeros, zeros.copy(), zeros.copy()
    begins = np.array([sentence.start for sentence in sentences], dtype=np.int64)
    index = np.clip(np.searchsorted(begins, starts, side="right") - 1, 0, None)
    paragraphs = np.array([sentence.paragraph_id for sentence in sentences], dtype=np.int64)
    kinds = np.array([KINDS.index(sentence.kind) for sentence in sentences], dtype=np.int64)
    return index, paragraphs[index], kinds[index]


def _with_markers(doc: Doc, starts: IntArray, sentence: IntArray, paragraph: IntArray) -> IntArray:
    """The paragraph of each token, that of a bullet before its item, which no sentence holds."""
    sentences = doc._.sentences
    if not sentences:
        return paragraph
    ends = np.array([found.end for found in sentences], dtype=np.int64)
    paragraphs = np.array([found.paragraph_id for found in sentences], dtype=np.int64)
    following = np.minimum(sentence + 1, len(sentences) - 1)
    marked: IntArray = np.where(starts >= ends[sentence], paragraphs[following], paragraph)
    return marked


def _quotation_state(
    quotations: Sequence[Quotation], starts: IntArray, ends: IntArray
) -> tuple[IntArray, IntArray]:
    number = np.full(len(starts), -1, dtype=np.int64)
    state = np.zeros(len(starts), dtype=np.int64)
    for index, quotation in enumerate(quotations):
        first = int(np.searchsorted(ends, quotation.start, side="right"))
        last = int(np.searchsorted(starts, quotation.end, side="left"))
        if last <= first:
            continue
        number[first:last] = index
        inside = "inside" if quotation.closed else "unclosed"
        if quotation.closed and last - first - 2 <= _SCARE_TOKENS:
            inside = "scare"
        state[first:last] = QUOTE_STATES.index(inside)
        if starts[first] == quotation.start:
            state[first] = QUOTE_STATES.index("opening")
        if quotation.closed:
            state[last - 1] = QUOTE_STATES.index("closing")
    return number, state


def _case(text: str) -> int:
    if text.isdigit() or (text[:1].isdigit() and not text.isalpha()):
        return CASES.index("digit")
    if not any(character.isalpha() for character in text):
        return CASES.index("punctuation")
    if text.islower():
        return CASES.index("lower")
    if text.isupper():
        return CASES.index("title") if len(text) == 1 else CASES.index("upper")
    if text[0].isupper() and text[1:].islower():
        return CASES.index("title")
    return CASES.index("mixed") if text[0].isalpha() else CASES.index("other")


def _first_of(groups: IntArray) -> IntArray:
    first = np.ones(len(groups), dtype=np.int64)
    first[1:] = groups[1:] != groups[:-1]
    return first


def _sentence_place(sentence: IntArray) -> IntArray:
    first = _first_of(sentence)
    last = np.ones(len(sentence), dtype=np.int64)
    last[:-1] = sentence[1:] != sentence[:-1]
    return first + 2 * last


def _entity(label: str, iob: str) -> int:
    kind = label if label in ENTITY_TYPES else ("other" if label else "none")
    return ENTITY_TYPES.index(kind) * len(ENTITY_PLACES) + int(iob == "I")


@dataclass(frozen=True, slots=True)
class Window:
    """Tokens ``first`` to ``last`` (excluded) shown to the encoder; the core is kept."""

    first: int
    core_first: int
    core_last: int
    last: int


def make_windows(tokens: ArticleTokens, sizes: Windowing) -> list[Window]:
    """Windows whose cores partition the tokens: whole paragraphs, else sentences, else pieces."""
    lengths = np.array([len(pieces) for pieces in tokens.pieces], dtype=np.int64)
    total = np.concatenate([[0], np.cumsum(lengths)])
    cores: list[tuple[int, int]] = []
    for first, last in _chunks(tokens, total, sizes.core):
        if cores and total[last] - total[cores[-1][0]] <= sizes.core:
            cores[-1] = (cores[-1][0], last)
        else:
            cores.append((first, last))
    return [
        Window(
            first=int(np.searchsorted(total, total[first] - sizes.left, side="left")),
            core_first=first,
            core_last=last,
            last=int(np.searchsorted(total, total[last] + sizes.right, side="right")) - 1,
        )
        for first, last in cores
    ]


def _chunks(tokens: ArticleTokens, total: IntArray, core: int) -> Iterator[tuple[int, int]]:
    """Paragraphs that fit a core; of longer ones the sentences; of longer ones equal cuts."""
    for first, last in _runs(tokens.paragraph, 0, len(tokens)):
        if total[last] - total[first] <= core:
            yield first, last
            continue
        for begin, end in _runs(tokens.sentence, first, last):
            while total[end] - total[begin] > core:
                cut = int(np.searchsorted(total, total[begin] + core, side="right")) - 1
                yield begin, cut
                begin = cut
            yield begin, end


def _runs(groups: IntArray, first: int, last: int) -> Iterator[tuple[int, int]]:
    changes = np.flatnonzero(groups[first + 1 : last] != groups[first : last - 1]) + first + 1
    edges = [first, *changes.tolist(), last]
    for begin, end in pairwise(edges):
        if end > begin:
            yield begin, end


@dataclass(frozen=True, slots=True)
class WindowBatch:
    """Padded windows and the places of their core tokens, which are counted through.

    Attributes:
        ids, mask: shape (windows, length).
        features: shape (windows, length, 6).
        owner: for each core word piece its token, from 0 at the first core; shape (pieces,).
        place: for each core word piece its place in the flattened windows; shape (pieces,).
        count: word pieces of each core token; shape (n,).
    """

    ids: Tensor
    mask: Tensor
    features: Tensor
    owner: Tensor
    place: Tensor
    count: Tensor


def batch_windows(
    parts: Sequence[tuple[ArticleTokens, Window]], tokenizer: PieceTokenizer
) -> WindowBatch:
    """Lay windows, of one article or of several, out as padded matrices."""
    rows = [_window_pieces(tokens, window) for tokens, window in parts]
    # Few different lengths: the matrix kernels are built once for each shape they meet.
    length = -(-(max(len(pieces) for pieces, _ in rows) + 2) // 16) * 16
    ids = np.full((len(rows), length), tokenizer.pad, dtype=np.int64)
    owner = np.full((len(rows), length), -1, dtype=np.int64)
    features = np.zeros((len(rows), length, len(FEATURE_SIZES)), dtype=np.int64)
    offset = 0
    for row, ((pieces, index), (tokens, window)) in enumerate(zip(rows, parts, strict=True)):
        ids[row, : len(pieces) + 2] = [tokenizer.cls, *pieces, tokenizer.sep]
        features[row, 1 : len(pieces) + 1] = tokens.features[index]
        core = (index >= window.core_first) & (index < window.core_last)
        owner[row, 1 : len(pieces) + 1] = np.where(core, index - window.core_first + offset, -1)
        offset += window.core_last - window.core_first
    place = np.flatnonzero(owner >= 0)
    owner_of_piece = owner.reshape(-1)[place]
    return WindowBatch(
        torch.from_numpy(ids),
        torch.from_numpy(ids != tokenizer.pad),
        torch.from_numpy(features),
        torch.from_numpy(owner_of_piece),
        torch.from_numpy(place),
        torch.from_numpy(np.bincount(owner_of_piece, minlength=offset)),
    )


def _window_pieces(tokens: ArticleTokens, window: Window) -> tuple[list[int], IntArray]:
    pieces = tokens.pieces[window.first : window.last]
    index = np.repeat(
        np.arange(window.first, window.last, dtype=np.int64), [len(token) for token in pieces]
    )
    return [piece for token in pieces for piece in token], index


@dataclass(frozen=True, slots=True)
class WindowStates:
    """Windows and a state of each of their word pieces, shape (windows, length, hidden)."""

    batch: WindowBatch
    states: Tensor

    def vectors(self) -> Tensor:
        """Vectors of the core tokens, shape (n, hidden): the mean over a token's pieces."""
        flat = self.states.reshape(-1, self.states.shape[-1])[self.batch.place].float()
        count = self.batch.count
        summed = torch.zeros(len(count), flat.shape[-1], dtype=torch.float32)
        summed = summed.index_add(0, self.batch.owner, flat)
        return summed / count.clamp(min=1)[:, None]

    def plus(self, vectors: Tensor) -> WindowStates:
        """The states with a vector of each core token, shape (n, hidden), added to its pieces."""
        flat = self.states.reshape(-1, self.states.shape[-1])
        of_pieces = vectors[self.batch.owner].to(flat.dtype)
        added = flat.index_add(0, self.batch.place, of_pieces)
        return WindowStates(self.batch, added.reshape(self.states.shape))

    def through(self, layers: Iterable[nn.Module]) -> WindowStates:
        """The states after further layers of the encoder's kind."""
        states = self.states
        mask = self.batch.mask[:, None, None, :]
        for layer in layers:
            states = layer(states, attention_mask=mask)
        return WindowStates(self.batch, states)


class FeatureTables(nn.ModuleList):
    """Embeddings of the columns of ``ArticleTokens.features``."""

    def __init__(self, width: int) -> None:
        super().__init__(nn.Embedding(size, width) for size in FEATURE_SIZES)
        for table in self:
            # Zero at first: training starts from exactly what the encoder already knows.
            nn.init.zeros_(table.weight)  # type: ignore[arg-type]

    def add_to(self, states: Tensor, features: Tensor) -> Tensor:
        """States (..., width) with the embeddings of features (..., 6) added."""
        for column, table in enumerate(self):
            states = states + table(features[..., column])
        return states


class SharedEncoder(nn.Module):
    """BERT with embeddings of case, quotation state and layout added to those of its words."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.bert = BertModel(config, add_pooling_layer=False)
        self.features = FeatureTables(config.hidden_size)

    @property
    def hidden_size(self) -> int:
        """Width of the vectors."""
        return int(self.bert.config.hidden_size)

    def states(self, batch: WindowBatch, below: int = 0) -> tuple[WindowStates, WindowStates]:
        """States after the last layer, and those under the top ``below`` layers."""
        words = self.bert.embeddings.word_embeddings(batch.ids)
        words = self.features.add_to(words, batch.features)
        found = self.bert(
            inputs_embeds=words, attention_mask=batch.mask, output_hidden_states=below > 0
        )
        last: Tensor = found.last_hidden_state
        lower = found.hidden_states[-1 - below] if below else last
        return WindowStates(batch, last), WindowStates(batch, lower)

    def forward(self, batch: WindowBatch) -> Tensor:
        """Vectors of the core tokens, shape (n, hidden)."""
        return self.states(batch)[0].vectors()


@torch.inference_mode()
def encode(
    encoder: SharedEncoder,
    tokens: ArticleTokens,
    sizes: Windowing,
    tokenizer: PieceTokenizer,
    below: int = 0,
) -> Encoding:
    """Encode an article; ``below`` is how many top layers a stage has of its own."""
    vectors = torch.zeros(len(tokens), encoder.hidden_size)
    windows = make_windows(tokens, sizes) if len(tokens) else []
    lower: list[WindowStates] = []
    for at in range(0, len(windows), _WINDOWS_AT_ONCE):
        chunk = windows[at : at + _WINDOWS_AT_ONCE]
        batch = batch_windows([(tokens, window) for window in chunk], tokenizer)
        last, under = encoder.states(batch, below)
        vectors[chunk[0].core_first : chunk[-1].core_last] = last.vectors()
        lower += [under] * (below > 0)
    return Encoding(tokens, vectors, tuple(lower))


def encode_tokens(
    encoder: SharedEncoder, tokens: ArticleTokens, sizes: Windowing, tokenizer: PieceTokenizer
) -> Tensor:
    """Vectors of all tokens of an article, float32 of shape (n, hidden)."""
    return encode(encoder, tokens, sizes, tokenizer).vectors


@lru_cache(maxsize=1)
def inference_dtype() -> torch.dtype:
    """Bfloat16 where the processor multiplies it natively, else float32: never by luck."""
    if platform.machine() in ("x86_64", "AMD64") and torch.cpu._is_avx512_bf16_supported():
        return torch.bfloat16
    return torch.float32


class ArticleEncoder:
    """Component ``onrecord_encoder``: assigns ``doc._.encoding``.

    Each article is encoded by itself, so its vectors never depend on what else is in the batch.
    """

    def __init__(self, folder: ModelFolder, dtype: torch.dtype | None = None) -> None:
        self.dtype = inference_dtype() if dtype is None else dtype
        self.tokenizer = PieceTokenizer.from_file(folder.path / "tokenizer.json")
        self.windowing = Windowing(**folder.config["windowing"])
        self.encoder = SharedEncoder(BertConfig(**folder.config["encoder"]))
        folder.load_into(self.encoder, "encoder")
        self.encoder.to(self.dtype).eval()
        # How many top layers the stance stage has of its own; they start from the states below.
        self.below = int(folder.config.get("stance", {}).get("own_layers", 0))

    def __call__(self, doc: Doc) -> Doc:
        """Encode one doc."""
        self.set_annotations([doc], self.predict([doc]))
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 8) -> Iterator[Doc]:
        """Encode a stream of docs, one article at a time."""
        for doc in stream:
            yield self(doc)

    def predict(self, docs: Sequence[Doc]) -> list[Encoding]:
        """Encodings of docs that are segmented and entity-tagged; the docs stay as they are."""
        return [self._encode(doc) for doc in docs]

    def set_annotations(self, docs: Sequence[Doc], encodings: Sequence[Encoding]) -> None:
        """Hang the encodings on the docs."""
        for doc, encoding in zip(docs, encodings, strict=True):
            doc._.encoding = encoding

    def _encode(self, doc: Doc) -> Encoding:
        tokens = article_tokens(doc, self.tokenizer)
        return encode(self.encoder, tokens, self.windowing, self.tokenizer, self.below)
