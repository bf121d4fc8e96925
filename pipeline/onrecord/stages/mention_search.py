"""All mentions of an article's typed names, those the recogniser missed included.

One pass over the tokens looks up every form of every name, longest first, so the cost grows with
the article and not with the number of names. In a title-case heading, where every word looks like
a name, only names known from the rest of the article are found.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from spacy.lang.en import English

from onrecord.entity_file import KnownEntity
from onrecord.gazetteer import load_gazetteer
from onrecord.names import fold, is_generation, is_title
from onrecord.records import NAMED_LABELS
from onrecord.stages.mention_spans import POSSESSIVES, Found, Words, is_name_word
from onrecord.stages.name_lists import AFTER_PHRASE, OPENING_WORDS
from onrecord.stages.name_types import Name

_BLOCKING = frozenset({"DATE", "TIME", "MONEY", "PERCENT", "QUANTITY"})
_WITH_THE = frozenset({"ORG", "GPE", "LOC", "FAC", "EVENT", "LAW"})
_SHORTEST_SURNAME = 2


class Placed(NamedTuple):
    """A mention of a typed name: token span, label, key, and the entity file's row."""

    start: int
    end: int
    label: str
    key: str
    known: KnownEntity | None = None


class _Form(NamedTuple):
    tokens: tuple[str, ...]
    label: str
    key: str
    strength: int
    known: KnownEntity | None = None


# Where several sources know the same tokens: the entity file, then the article, then the world.
_FILE, _ARTICLE, _SURNAME, _WORLD = 3, 2, 1, 0


@dataclass(slots=True)
class NameIndex:
    """Forms of names by their first token."""

    by_first: dict[str, list[_Form]] = field(default_factory=lambda: defaultdict(list))

    def add(self, form: _Form) -> None:
        """Add a form; of equal forms the strongest source wins."""
        forms = self.by_first[form.tokens[0]]
        for position, other in enumerate(forms):
            if other.tokens == form.tokens:
                if form.strength > other.strength:
                    forms[position] = form
                return
        forms.append(form)

    def at(self, tokens: Sequence[str], index: int) -> list[_Form]:
        """Forms that stand at ``index``, longest first."""
        found = [
            form
            for form in self.by_first.get(tokens[index], ())
            if tuple(tokens[index : index + len(form.tokens)]) == form.tokens
        ]
        return sorted(found, key=lambda form: (-len(form.tokens), -form.strength))


def index_names(
    words: Words,
    names: Mapping[str, Name],
    labels: Mapping[str, str],
    known: Iterable[tuple[tuple[str, ...], KnownEntity]],
) -> NameIndex:
    """Everything that can be found in the article.

    Args:
        words: the article.
        names: its candidate names by key.
        labels: the label of each name that is one, by key.
        known: forms of the entity file, as tokens.
    """
    index = NameIndex()
    for tokens, entity in known:
        index.add(_Form(tokens, entity.label, fold(" ".join(tokens)), _FILE, entity))
    for key, label in labels.items():
        for place in names[key].places:
            tokens = tuple(words.tokens[place.start : place.end])
            index.add(_Form(tokens, label, key, _ARTICLE))
    _add_surnames(index, words, names, labels)
    _add_world(index, words, names)
    return index


def _add_surnames(
    index: NameIndex, words: Words, names: Mapping[str, Name], labels: Mapping[str, str]
) -> None:
    for key, label in labels.items():
        if label != "PERSON" or " " not in key:
            continue
        surname = _surname(names[key].tokens)
        other = labels.get(fold(surname), label)
        if other != label or not surname[0].isupper() or len(surname) < _SHORTEST_SURNAME:
            continue
        if surname.lower() not in words.small:
            index.add(_Form((surname,), label, fold(surname), _SURNAME))


def _surname(tokens: Sequence[str]) -> str:
    """The last word of a person's name before "Jr."."""
    kept = list(tokens)
    while len(kept) > 1 and (is_generation(kept[-1]) or kept[-1] in (",", ".")):
        kept.pop()
    return kept[-1]


def _add_world(index: NameIndex, words: Words, names: Mapping[str, Name]) -> None:
    """Countries and peoples that the article names only where nothing was recognised."""
    present = set(words.tokens)
    for form in _world_forms():
        if form.tokens[0] in present and form.key not in names:
            index.add(form)


@lru_cache(maxsize=1)
def _world_forms() -> list[_Form]:
    """The gazetteer's forms in the tokens of articles: "Guinea-Bissau" is three, "People's" two."""
    tokenizer = English().tokenizer
    return [
        _Form(tuple(token.text for token in tokenizer(written)), label, fold(form), _WORLD)
        for form, label in load_gazetteer().forms
        for written in {form, form.replace("'", "’")}
    ]


def find_mentions(words: Words, index: NameIndex, found: Sequence[Found]) -> list[Placed]:
    """Every mention of the names in ``index``, in order, none overlapping.

    Args:
        words: the article.
        index: the names.
        found: all candidates, values such as dates among them.
    """
    candidates = {(place.start, place.end) for place in found if _is_name(place)}
    blocked, inside = _surroundings(words, found)
    mentions: list[Placed] = []
    position, total = 0, len(words.tokens)
    while position < total:
        form = None
        if words.tokens[position] in index.by_first and words.sentence[position] >= 0:
            form = _best_form(words, index, position, candidates, blocked, inside)
        if form is None:
            position += 1
            continue
        end = position + len(form.tokens)
        mentions.append(Placed(position, end, form.label, form.key, form.known))
        position = end
    return mentions


def _is_name(place: Found) -> bool:
    return place.label is None or place.label in NAMED_LABELS


def _surroundings(
    words: Words, found: Sequence[Found]
) -> tuple[list[bool], list[tuple[int, int] | None]]:
    """Per token: whether a value such as a date covers it, and the candidate it is part of."""
    blocked = [False] * len(words.tokens)
    inside: list[tuple[int, int] | None] = [None] * len(words.tokens)
    for place in found:
        for token in range(place.start, place.end):
            if _is_name(place):
                inside[token] = (place.start, place.end)
            elif place.label in _BLOCKING:
                blocked[token] = True
    return blocked, inside


def _best_form(
    words: Words,
    index: NameIndex,
    position: int,
    candidates: set[tuple[int, int]],
    blocked: Sequence[bool],
    inside: Sequence[tuple[int, int] | None],
) -> _Form | None:
    for form in index.at(words.tokens, position):
        end = position + len(form.tokens)
        if words.sentence[end - 1] != words.sentence[position]:
            continue
        if (position, end) in candidates and not words.in_title_case(position):
            return form
        if not any(blocked[position:end]) and _is_free(words, form, position, inside[position]):
            return form
    return None


def _is_free(words: Words, form: _Form, position: int, around: tuple[int, int] | None) -> bool:
    """Whether a match where nothing was recognised is a mention of the name."""
    if _joined_by_hyphen_before(words, position) and form.label == "PERSON":
        return False
    if len(form.tokens) > 1:
        return True
    token = form.tokens[0]
    if token in OPENING_WORDS or (words.first[position] and token.lower() in words.small):
        return False
    if words.in_title_case(position):
        return token.lower() not in words.small
    if form.label == "PERSON" and around is not None:
        # "Melania Trump", "Trump Tower": part of another name, unless only titles go before.
        start, end = around
        return end == position + 1 and all(is_title(t) for t in words.tokens[start:position])
    return True


def _joined_by_hyphen_before(words: Words, position: int) -> bool:
    return position > 0 and words.tokens[position - 1] == "-" and words.joined(position)


def with_the(words: Words, mention: Placed, free: int = 0) -> int:
    """Where the mention begins if "the" is part of it, else its start.

    ``free`` is the first token that no mention before it holds.

    "the" belongs to the name of a state, body, place, event or law that is a noun phrase by
    itself ("the United Nations said"), not to one that only qualifies ("the US accusations").
    """
    before = mention.start - 1
    if mention.label not in _WITH_THE or before < free or words.tokens[before].lower() != "the":
        return mention.start
    if words.sentence[before] != words.sentence[mention.start] or words.in_title_case(before):
        return mention.start
    return before if _stands_alone(words, mention) else mention.start


def _stands_alone(words: Words, mention: Placed) -> bool:
    after = mention.end
    if after >= len(words.tokens) or words.sentence[after] != words.sentence[mention.start]:
        return True
    token = words.tokens[after]
    if is_name_word(token) or token in ("-",):
        return False
    if token in POSSESSIVES or not token[0].isalpha():
        return True
    return token in AFTER_PHRASE or token.endswith(("ed", "ly", "ing"))
