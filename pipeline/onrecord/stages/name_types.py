"""What a name is the name of, decided once for a whole article.

Every occurrence of a name gives evidence: what the recogniser called it, the words around it, its
form, the longer names it is part of. A maximum-entropy classifier over the evidence of all
occurrences together types the name (global features as in Chieu and Ng 2002, "Named Entity
Recognition: A Maximum Entropy Approach Using Global Information"), so that its mentions cannot
disagree. The weights are in ``data/name_types.json``; ``onrecord.training.name_types`` fits them.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

from onrecord.gazetteer import Gazetteer, load_gazetteer
from onrecord.names import fold, has_initials, is_acronym_of, is_role, is_title
from onrecord.records import NAMED_LABELS
from onrecord.stages.mention_spans import POSSESSIVES, Found, Words, is_name_word
from onrecord.stages.name_lists import BODY_WORDS, FAC_WORDS, LOC_WORDS

# PLACE stands for GPE, LOC and FAC; OTHER for events, products, laws and works; NONE for no name.
TYPES = ("PERSON", "ORG", "PLACE", "NORP", "OTHER", "NONE")
_PLACES = ("GPE", "LOC", "FAC")
_OTHERS = ("EVENT", "PRODUCT", "LAW", "WORK_OF_ART")
_VOWELS = "aeiouy"
_SHORTEST_PLACE = 4
_PEOPLE_ENDINGS = ("ian", "ean", "an", "n", "ese", "ish", "i", "er", "ite")
_MOST_CONTEXTS = 40
_SHORTEST_ACRONYM = 3


@dataclass(slots=True)
class Name:
    """One name of an article with all its occurrences outside title-case headings."""

    key: str
    tokens: tuple[str, ...]
    places: list[Found] = field(default_factory=list)
    related: Counter[str] = field(default_factory=Counter)

    @property
    def votes(self) -> Counter[str]:
        """How often the recogniser gave each label."""
        return Counter(found.label for found in self.places if found.label is not None)


# How much likelier than any name it must be that what the recogniser saw is none.
DOUBT = 0.5


class Weights(NamedTuple):
    """Feature weights by type, for names of several words and for single words."""

    long: dict[str, dict[str, float]]
    short: dict[str, dict[str, float]]


@lru_cache(maxsize=1)
def load_weights() -> Weights:
    """The weights that the package ships."""
    path = files("onrecord") / "data" / "name_types.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    return Weights(weights_by_feature(data["long"]), weights_by_feature(data["short"]))


def weights_by_feature(rows: Mapping[str, Sequence[float]]) -> dict[str, dict[str, float]]:
    """Weights of each feature by type, from rows in the order of ``TYPES``; zeros left out."""
    return {
        feature: {kind: value for kind, value in zip(TYPES, row, strict=True) if value}
        for feature, row in rows.items()
    }


def collect_names(words: Words, found: Iterable[Found]) -> dict[str, Name]:
    """Group occurrences by name, spelling as folded; title-case headings give no evidence."""
    names: dict[str, Name] = {}
    for place in found:
        if words.in_title_case(place.start):
            continue
        key = fold(words.covered(place.start, place.end))
        if not key:
            continue
        if key not in names:
            names[key] = Name(key, tuple(words.tokens[place.start : place.end]))
        names[key].places.append(place)
    return names


def type_names(words: Words, names: Mapping[str, Name], weights: Weights) -> dict[str, str]:
    """The label of each name, by key; names that are none are left out."""
    acronyms = note_relations(words, names)
    long_names = [name for name in names.values() if " " in name.key]
    labels: dict[str, str] = {}
    for name in long_names:
        labels[name.key] = label_name(words, name, long_features(words, name), weights.long)
    relate(names, labels)
    for name in names.values():
        if " " not in name.key:
            labels[name.key] = label_name(words, name, short_features(words, name), weights.short)
    for short, long in acronyms.items():
        if labels.get(long) in NAMED_LABELS:
            labels[short] = labels[long]
    for short, long in _plain_acronyms(names, labels).items():
        labels[short] = labels[long]
    return {key: label for key, label in labels.items() if label}


def _plain_acronyms(names: Mapping[str, Name], labels: Mapping[str, str]) -> dict[str, str]:
    """Names in capitals that are the initials of just one body, brackets or not: "I.R.S."."""
    gazetteer = load_gazetteer()
    bodies: dict[str, list[str]] = defaultdict(list)
    for key, label in labels.items():
        if label == "ORG" and " " in key:
            bodies[key[0]].append(key)
    found: dict[str, str] = {}
    for key, name in names.items():
        is_short = " " not in key and len(key) >= _SHORTEST_ACRONYM and labels.get(key)
        if not is_short or not "".join(name.tokens).replace(".", "").isupper():
            continue
        if key in gazetteer.countries or key in gazetteer.peoples or key in gazetteer.regions:
            continue
        full = [body for body in bodies[key[0]] if has_initials(key, body)]
        if len(full) == 1:
            found[key] = full[0]
    return found


def note_relations(words: Words, names: Mapping[str, Name]) -> dict[str, str]:
    """Note which names are short for others, and which are peoples of places.

    Returns:
        Key of each short name introduced in brackets to the key of its long one.
    """
    acronyms = bracketed_acronyms(words, names)
    for short, long in acronyms.items():
        names[short].related["short_for"] = 1
        names[long].related["has_short"] = 1
    for people, place in people_of_places(names).items():
        names[people].related["people_of"] = 1
        names[place].related["has_people"] = 1
        if place[-1] in _VOWELS and names[people].votes["NORP"]:
            names[place].related["homeland"] = 1
    for name in names.values():
        parts = name.key.split()
        if len(parts) > 1:
            alone = [part for part in (parts[0], parts[-1]) if part in names]
            side = "both" if len(alone) > 1 else "first" if alone == parts[:1] else "last"
            name.related[f"alone_{side if alone else 'none'}"] = 1
    return acronyms


def people_of_places(keys: Iterable[str]) -> dict[str, str]:
    """Peoples to places by their stem: "orsanian" to "orsania", "kessari" to "kessar"."""
    single = [key for key in keys if len(key) >= _SHORTEST_PLACE]
    by_stem = {key.rstrip(_VOWELS): key for key in single}
    peoples: dict[str, str] = {}
    for key in single:
        for ending in _PEOPLE_ENDINGS:
            place = by_stem.get(key.removesuffix(ending).rstrip(_VOWELS))
            if key.endswith(ending) and place is not None and place != key:
                peoples[key] = place
                break
    return peoples


def relate(names: Mapping[str, Name], labels: Mapping[str, str]) -> None:
    """Note for single words which typed longer names they begin or end."""
    heads: dict[str, Counter[str]] = defaultdict(Counter)
    for key, label in labels.items():
        parts = key.split()
        heads[parts[0]][f"begins={_coarse(label)}"] += 1
        heads[parts[-1]][f"ends={_coarse(label)}"] += 1
        for part in parts[1:-1]:
            heads[part][f"inside={_coarse(label)}"] += 1
    for key, name in names.items():
        if " " not in key:
            for relation in [r for r in name.related if "=" in r]:
                del name.related[relation]
            name.related.update(dict.fromkeys(heads.get(key, ()), 1))


def _coarse(label: str) -> str:
    if label in _PLACES:
        return "PLACE"
    return "OTHER" if label in _OTHERS else label or "NONE"


def bracketed_acronyms(words: Words, names: Mapping[str, Name]) -> dict[str, str]:
    """Short forms introduced in brackets: ``Human Rights Watch (HRW)``, ``HRW (Human ...)``.

    Returns:
        Key of the short name to the key of the long one.
    """
    ends: dict[int, Name] = {}
    for name in names.values():
        for place in name.places:
            ends[place.end] = name
    linked: dict[str, str] = {}
    for name in names.values():
        for place in name.places:
            opened = place.start - 1
            if opened < 1 or words.tokens[opened] != "(":
                continue
            if place.end < len(words.tokens) and words.tokens[place.end] not in (")", ",", ";"):
                continue
            before = opened - (words.tokens[opened - 1] in POSSESSIVES)
            other = ends.get(before)
            if other is None or other is name:
                continue
            short, long = sorted((name, other), key=lambda n: len(n.key))
            if is_acronym_of(" ".join(short.tokens), " ".join(long.tokens)):
                linked.setdefault(short.key, long.key)
    return linked


def label_name(
    words: Words,
    name: Name,
    features: Mapping[str, float],
    weights: Mapping[str, Mapping[str, float]],
) -> str:
    """The label that the evidence on a name gives it, "" for none."""
    if _is_addressed(words, name):
        return "PERSON"
    if name.related["homeland"]:
        return "GPE"
    scores = score_types(features, weights)
    if name.votes:
        scores["NONE"] -= DOUBT
    label = final_label(name, max(TYPES, key=scores.__getitem__))
    if not label and max(scores, key=scores.__getitem__) == "OTHER" and name.votes:
        # No event or work to the recogniser: what it is called then, rather than nothing.
        del scores["OTHER"]
        label = final_label(name, max(scores, key=scores.__getitem__))
    return label


def _is_addressed(words: Words, name: Name) -> bool:
    """Whether the name stands as only a person's does.

    "Mr Tolland", "Helena Strand KC", or as the speaker of an interview, before a
    colon, again and again.
    """
    for place in name.places:
        if place.start and words.tokens[place.start - 1].rstrip(".") in _ADDRESSES:
            return True
        if place.end < len(words.tokens) and words.tokens[place.end] in ("KC", "QC"):
            return True
    turns = sum(
        1
        for place in name.places
        if words.first[place.start]
        and place.end < len(words.tokens)
        and words.tokens[place.end] == ":"
    )
    return turns >= _FEWEST_TURNS and len(name.key) > 1


_FEWEST_TURNS = 3
_ADDRESSES = frozenset({"Mr", "Mrs", "Ms", "Miss", "Mx", "Dr", "Sir", "Dame", "Judge", "Justice"})


def score_types(
    features: Mapping[str, float], weights: Mapping[str, Mapping[str, float]]
) -> dict[str, float]:
    """The score of each type, higher is likelier."""
    scores = dict.fromkeys(TYPES, 0.0)
    for feature, value in features.items():
        for kind, weight in weights.get(feature, {}).items():
            scores[kind] += weight * value
    return scores


def final_label(name: Name, kind: str) -> str:
    """The OntoNotes label of a typed name, "" for none."""
    gazetteer = load_gazetteer()
    if kind == "PLACE":
        return _place_label(name, gazetteer)
    if kind == "OTHER":
        votes = {label: name.votes[label] for label in _OTHERS if name.votes[label]}
        return max(votes, key=votes.__getitem__) if votes else ""
    return "" if kind == "NONE" else kind


def _place_label(name: Name, gazetteer: Gazetteer) -> str:
    if name.key in gazetteer.countries or name.key in gazetteer.cities:
        return "GPE"
    if name.key in gazetteer.regions:
        return "LOC"
    parts = name.key.split()
    for kinds, label in ((FAC_WORDS, "FAC"), (LOC_WORDS, "LOC")):
        if len(parts) > 1 and (parts[-1] in kinds or parts[0] in kinds):
            return label
    votes = {label: name.votes[label] for label in _PLACES}
    best = max(votes, key=votes.__getitem__)
    return best if votes[best] else "GPE"


# --- evidence -----------------------------------------------------------------------------------


def long_features(words: Words, name: Name) -> dict[str, float]:
    """Evidence on a name of several words: feature to its share of the occurrences."""
    features = _shared_features(words, name)
    parts = name.key.split()
    features[f"last={parts[-1]}"] = 1.0
    features[f"first={parts[0]}"] = 1.0
    features[f"ending={parts[-1][-3:]}"] = 1.0
    features[f"words={min(len(parts), 5)}"] = 1.0
    for part in parts[1:-1]:
        features[f"inner={part}"] = 1.0
    for kind, known in (("body", BODY_WORDS), ("loc", LOC_WORDS), ("fac", FAC_WORDS)):
        if parts[-1] in known:
            features[f"last_is={kind}"] = 1.0
        if not known.isdisjoint(parts):
            features[f"has={kind}"] = 1.0
    if any(len(token) <= 2 and token.endswith(".") for token in name.tokens):
        features["initial"] = 1.0
    if any(len(token) > 1 and token.isupper() for token in name.tokens):
        features["capitals"] = 1.0
    if any(not is_name_word(token) and token.isalpha() for token in name.tokens):
        features["joined"] = 1.0
    if is_title(parts[0]):
        features["title"] = 1.0
    return features


def short_features(words: Words, name: Name) -> dict[str, float]:
    """Evidence on a name of one word: feature to its share of the occurrences."""
    features = _shared_features(words, name)
    token = name.tokens[0]
    features[f"word={name.key}"] = 1.0
    features[f"ending={name.key[-3:]}"] = 1.0
    features[f"shape={_shape(''.join(name.tokens))}"] = 1.0
    if token.lower() in words.small or "".join(name.tokens).lower() in words.small:
        features["small"] = 1.0
    if is_title(token):
        features["title"] = 1.0
    return features


def _shape(word: str) -> str:
    if any(char.isdigit() for char in word):
        return "digits"
    if word.isupper() or (word.endswith("s") and word[:-1].isupper()):
        return f"capitals{min(len(word), 6)}"
    if "." in word:
        return "dotted"
    if "-" in word:
        return "hyphen"
    if any(char.isupper() for char in word[1:]):
        return "mixed"
    return f"capital{min(len(word), 5)}"


def _shared_features(words: Words, name: Name) -> dict[str, float]:
    features: dict[str, float] = {"bias": 1.0, f"count={min(len(name.places), 4)}": 1.0}
    share = 1.0 / len(name.places)
    seen: Counter[str] = Counter()
    for place in name.places:
        seen[f"ner={place.label or '-'}"] += 1
    shown = name.places[:_MOST_CONTEXTS]
    context = 1.0 / len(shown)
    for place in shown:
        for feature in _context(words, place):
            features[feature] = features.get(feature, 0.0) + context
    for feature in [f for f in features if f.startswith(("before=", "after="))]:
        features[f"any:{feature}"] = 1.0
    votes = sorted((count, feature) for feature, count in seen.items())
    features[
        f"most:{votes[-1][1]}:{'long' if ' ' in name.key else _shape(''.join(name.tokens))}"
    ] = 1.0
    for feature, count in seen.items():
        features[feature] = count * share
        features[f"any:{feature}"] = 1.0
    for relation in name.related:
        features[relation] = 1.0
    features.update(dict.fromkeys(_known(name.key), 1.0))
    return features


def _known(key: str) -> list[str]:
    gazetteer = load_gazetteer()
    kinds = {
        "country": gazetteer.countries,
        "people": gazetteer.peoples,
        "region": gazetteer.regions,
        "city": gazetteer.cities,
    }
    return [f"known={kind}" for kind, forms in kinds.items() if key in forms]


def _context(words: Words, place: Found) -> list[str]:
    """The words before and after an occurrence, and what they say together."""
    tokens = words.tokens
    before = _word_at(words, place.start - 1, place.start)
    after = _word_at(words, place.end, place.start)
    features = [f"before={before}", f"after={after}", f"between={before}_{after}"]
    at = place.start - 1
    if before != "#edge":
        features.append(f"before2={_word_at(words, at - 1, place.start)}_{before}")
    if before == "the":
        at -= 1
        features.append(f"before_the={_word_at(words, at, place.start)}")
    if before == ",":
        features.append(f"before_comma={_word_at(words, at - 1, place.start)}")
    if before == "of" and at > 0 and is_role(tokens[at - 1]):
        features.append("role_of")
    if before == "the" and tokens[at] == "of" and at > 0 and is_role(tokens[at - 1]):
        features.append("role_of")
    if at >= 0 and is_title(tokens[at]) and before != "the":
        features.append("after_title")
    if after in ("'s", "’s"):
        features.append(f"owns={_word_at(words, place.end + 1, place.start)}")
    if after in (",", "("):
        features.append(f"after_comma={_word_at(words, place.end + 1, place.start)}")
    if words.first[place.start]:
        features.append("opens")
    return features


def _word_at(words: Words, index: int, near: int) -> str:
    """A neighbouring token as evidence: its class where its identity says little."""
    if not 0 <= index < len(words.tokens) or words.sentence[index] != words.sentence[near]:
        return "#edge"
    token = words.tokens[index]
    if token[0].isdigit():
        return f"#number{min(len(token), 4)}"
    if token[0].isupper():
        plain = token.lower().rstrip(".")
        return plain if is_title(plain) or plain in ("the", "in", "at") else "#Name"
    return token.replace("’", "'")
