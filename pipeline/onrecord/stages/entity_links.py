"""Which mentions of an article are one entity, its fullest name, and its identifier.

People are joined by compatible full names; a bare surname goes to the person of that surname, and
where there are several, by title, then to the one named last, never to both. Bodies are joined by
introduced or plain initials and by shortened names; countries by their other names and peoples.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from onrecord import names
from onrecord.entity_file import KnownEntity
from onrecord.gazetteer import load_gazetteer
from onrecord.records import Entity
from onrecord.stages.mention_search import Placed
from onrecord.stages.mention_spans import Words
from onrecord.stages.name_lists import BROADCAST, DIVISIONS, HEAD_NOUNS, OWN_HEADS, STATE_LETTERS
from onrecord.stages.name_types import people_of_places
from onrecord.stages.person_names import given_names

_PREFIX = 3
# What is as good as a given name before the one name of a person.
_NAME_TITLES = frozenset(
    {"lord", "lady", "baroness", "pope", "prince", "princess", "king", "queen", "sheikh", "sultan"}
)
# Whoever bears these goes by a given name.
_ROYAL = frozenset({"pope", "prince", "princess", "king", "queen", "emperor"})
# In such a name the given name is what a prince goes by: "Prince Mohammed" bin Salman.
_LINEAGE = frozenset({"bin", "ibn", "bint", "al"})
_SHORTEST_ACRONYM = 2
_TITLE_REACH = 6
_LONGEST_COUNTRY = 2
_OFFICES = frozenset({"department", "ministry"})
_COMPLEMENTS = frozenset({"of", "for", "on", "in"})
_SINGLE_HEADS = frozenset({"senate", "congress", "treasury", "house"})

# Class of the label and folded name: mentions of one key are one name.
Key = tuple[str, str]


@dataclass(slots=True, eq=False)
class Cluster:
    """Mentions that are one entity, while the article is being read.

    Attributes:
        label: label of the entity.
        place: common name, for a country, region or people.
        known: the entity file's row.
        forms: texts of the mentions with their counts, in order of first appearance.
        labels: labels of the mentions.
        words: folded words of a person's fullest name.
        generation: "jr" and the like behind a person's name.
        titles: words that stand before the name, folded.
        peoples: forms that name the people of a place, not the place.
        first: index of the first mention.
        full: a full name that no mention has, but the text gives.
    """

    label: str
    first: int
    place: str | None = None
    known: KnownEntity | None = None
    forms: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    words: tuple[str, ...] = ()
    generation: str | None = None
    titles: Counter[str] = field(default_factory=Counter)
    peoples: set[str] = field(default_factory=set)
    full: str | None = None

    def absorb(self, other: Cluster) -> None:
        """Take over the mentions of another cluster."""
        if other.label == "NORP" != self.label:
            self.peoples.update(other.forms)
        self.forms.update(other.forms)
        self.labels.update(other.labels)
        self.titles.update(other.titles)
        self.first = min(self.first, other.first)
        self.known = self.known or other.known


# Whom a name may belong to; several only for people of one surname.
Owners = dict[Key, list[Cluster]]


def link_mentions(
    words: Words,
    mentions: Sequence[Placed],
    introduced: Mapping[str, str],
    known: Mapping[str, KnownEntity],
    article_id: str,
) -> list[Entity]:
    """The entity of each mention.

    Args:
        words: the article.
        mentions: its mentions in order.
        introduced: key of a short form to key of the name it was introduced for in brackets.
        known: entity file rows by folded form.
        article_id: makes the identifier of a bare surname the article's own.
    """
    units = _units(words, mentions, known)
    people = {key: unit for key, unit in units.items() if key[0] == "person"}
    others = {key: unit for key, unit in units.items() if key[0] != "person"}
    owners = _join_people(people)
    longer = {**_peoples_places(others), **_longer_names(others, introduced)}
    owners.update({key: [unit] for key, unit in _joined(others, longer).items()})
    _join_known(owners)
    chosen = _choose(words, mentions, owners)
    _complete_bare_names(words, mentions, chosen)
    entities: dict[int, Entity] = {}
    for cluster in chosen:
        if id(cluster) not in entities:
            entities[id(cluster)] = _entity(cluster, article_id)
    return [entities[id(cluster)] for cluster in chosen]


def unit_key(mention: Placed) -> Key:
    """Class and key of a mention's name: mentions with equal keys are spelled alike."""
    kind = names.class_of(mention.label) or mention.label
    gazetteer = load_gazetteer()
    place = gazetteer.countries.get(mention.key) or gazetteer.regions.get(mention.key)
    if kind == "place" and place:
        return "place", names.fold(place)
    if kind == "group":
        people = gazetteer.peoples.get(mention.key)
        if people or place:
            return "place", names.fold(people or place or "")
        return kind, mention.key.removesuffix("s")
    return kind, mention.key


def _units(
    words: Words, mentions: Sequence[Placed], known: Mapping[str, KnownEntity]
) -> dict[Key, Cluster]:
    units: dict[Key, Cluster] = {}
    gazetteer = load_gazetteer()
    for number, mention in enumerate(mentions):
        key = unit_key(mention)
        if key not in units:
            place = gazetteer.countries.get(key[1]) or gazetteer.regions.get(key[1])
            label = mention.label
            if key[0] == "place" and place:
                label = "LOC" if key[1] in gazetteer.regions else "GPE"
            units[key] = Cluster(label, number, place if key[0] == "place" else None)
        unit = units[key]
        unit.forms[_display(words, mention)] += 1
        unit.labels[mention.label] += 1
        unit.known = unit.known or mention.known or _known_row(known, key, mention)
        if mention.label == "PERSON":
            unit.titles.update(titles_before(words, mention.start))
    for (kind, _), unit in units.items():
        if kind == "person":
            form = next(iter(unit.forms))
            unit.words, unit.generation = names.person_words(form), names.generation(form)
    return units


def _known_row(known: Mapping[str, KnownEntity], key: Key, mention: Placed) -> KnownEntity | None:
    """The entity file's row of a name in another spelling, if it is of the same class."""
    for form in (mention.key, key[1]):
        row = known.get(form)
        if row is not None and names.class_of(row.label) == key[0]:
            return row
    return None


def _display(words: Words, mention: Placed) -> str:
    text = " ".join(words.covered(mention.start, mention.end).split())
    if text.startswith("the ") or words.first[mention.start]:
        return names.without_the(text)
    return text


def titles_before(words: Words, start: int) -> list[str]:
    """The titles and roles that stand right before a name, folded, nearest first."""
    found: list[str] = []
    for token in reversed(words.tokens[max(0, start - _TITLE_REACH) : start]):
        plain = token.rstrip(".").casefold()
        if not names.is_title(plain):
            if found and token in ("of", "and", "the", "-", "for"):
                continue
            break
        found.append(plain)
    return found


# --- people -------------------------------------------------------------------------------------


def _join_people(
    units: Mapping[Key, Cluster],
) -> Owners:
    """Each person's unit to the full name it belongs to, or to all that it may belong to."""
    owners: Owners = {}
    by_prefix: dict[str, list[Cluster]] = defaultdict(list)
    full = [(key, unit) for key, unit in units.items() if len(unit.words) > 1]
    for key, unit in sorted(full, key=lambda pair: (-len(pair[1].words), pair[1].first)):
        nearby = _nearby(by_prefix, unit.words)
        same = [
            cluster
            for cluster in nearby
            if names.same_person(unit.words, cluster.words) and not _differ(unit, cluster)
        ]
        if len(same) == 1:
            same[0].absorb(unit)
            owners[key] = same
            continue
        owners[key] = [unit]
        for prefix in {word[:_PREFIX] for word in unit.words}:
            by_prefix[prefix].append(unit)
    for key, unit in units.items():
        if key not in owners:
            owners[key] = _owners_of_bare(unit, _nearby(by_prefix, unit.words)) or [unit]
            if len(owners[key]) == 1 and owners[key][0] is not unit:
                owners[key][0].absorb(unit)
    return owners


def _nearby(by_prefix: Mapping[str, list[Cluster]], words: Sequence[str]) -> list[Cluster]:
    found: dict[int, Cluster] = {}
    for word in words:
        for cluster in by_prefix.get(word[:_PREFIX], ()):
            found[id(cluster)] = cluster
    return list(found.values())


def _differ(one: Cluster, other: Cluster) -> bool:
    """Whether the entity file, the names or the titles tell two people apart."""
    if one.known and other.known:
        if one.known is not other.known:
            return True
    elif one.generation != other.generation or names.have_other_initials(one.words, other.words):
        return True
    genders = names.title_gender(list(one.titles)), names.title_gender(list(other.titles))
    return None not in genders and genders[0] != genders[1]


def _owners_of_bare(unit: Cluster, full: Sequence[Cluster]) -> list[Cluster]:
    """The people a single word may name: by surname if any has it, else by another name."""
    if not unit.words:
        return []
    word = unit.words[0]
    if unit.generation is not None:
        full = [c for c in full if c.generation == unit.generation]
    surname = [c for c in full if c.words[-1] == word]
    surname = surname or [c for c in full if names.similar_words(word, c.words[-1])]
    found = surname or [c for c in full if word in c.words and _goes_by_given_name(c, unit)]
    if unit.generation is None:
        # "Trump" is the father where the article has both, "Trump Jr." the son.
        found = [c for c in found if not (c.generation and _has_namesake(c, found))]
    if unit.known and found:
        # The file's alias holds unless the article gives the name to others only.
        row = names.person_words(unit.known.name)
        if not any(c.known is unit.known or names.same_person(row, c.words) for c in found):
            unit.known = None
    return found


def _goes_by_given_name(person: Cluster, bare: Cluster) -> bool:
    """Whether a person goes by the given name: no "Prince Andrew" is Andrew Bailey."""
    if _ROYAL.isdisjoint(bare.titles):
        return True
    return not (_ROYAL.isdisjoint(person.titles) and _LINEAGE.isdisjoint(person.words))


def _has_namesake(person: Cluster, others: Sequence[Cluster]) -> bool:
    return any(
        other.generation is None and names.same_person(person.words, other.words)
        for other in others
    )


# --- bodies and the rest ------------------------------------------------------------------------


def _longer_names(units: Mapping[Key, Cluster], introduced: Mapping[str, str]) -> dict[Key, Key]:
    """Short names to the longer ones they stand for."""
    search = _BodySearch({key: unit for (kind, key), unit in units.items() if kind == "org"})
    longer: dict[Key, Key] = {}
    for kind, key in units:
        target = (kind, introduced.get(key, key))
        if target not in units or target[1] == key:
            target = (kind, search.longer(key)) if kind == "org" else target
        if target in units and len(target[1]) > len(key):
            longer[kind, key] = target
    return longer


def _peoples_places(units: Mapping[Key, Cluster]) -> dict[Key, Key]:
    """Peoples the gazetteer does not know to their place: "Orsanian" to Orsania."""
    found = people_of_places(key for kind, key in units if kind in ("group", "place"))
    return {
        ("group", people): ("place", place)
        for people, place in found.items()
        if ("group", people) in units and ("place", place) in units
    }


def _joined(units: Mapping[Key, Cluster], longer: Mapping[Key, Key]) -> dict[Key, Cluster]:
    """Each unit to the one at the end of its chain of longer names, which takes its forms."""
    joined: dict[Key, Cluster] = {}
    for key, unit in units.items():
        end = key
        while end in longer:
            end = longer[end]
        joined[key] = units[end]
        if units[end] is not unit:
            units[end].absorb(unit)
    return joined


class _BodySearch:
    """Finds the longer name that a shorter one stands for."""

    def __init__(self, bodies: Mapping[str, Cluster]) -> None:
        self._bodies = bodies
        self._by_core: dict[str, list[str]] = defaultdict(list)
        self._by_start: dict[str, list[str]] = defaultdict(list)
        self._by_initial: dict[str, list[str]] = defaultdict(list)
        self._by_rest: dict[str, list[str]] = defaultdict(list)
        self._endings: Counter[str] = Counter()
        for key in bodies:
            parts = key.split()
            self._by_core[names.organisation_core(key)].append(key)
            self._by_initial[key[0]].append(key)
            self._endings.update(" ".join(parts[size:]) for size in range(1, len(parts)))
            for size in range(1, min(len(parts), 4)):
                self._by_start[" ".join(parts[:size])].append(key)
            for rest in _without_country(parts), _without_office(parts):
                if rest:
                    self._by_rest[rest].append(key)

    def longer(self, key: str) -> str:
        """The only longer name with the same core, ending, beginning or initials; else ``key``.

        A country or an office goes before the ending: "U.S. Supreme Court", "Department of Trade".
        """
        acronym = self._is_acronym(key)
        for found in (
            self._by_core.get(names.organisation_core(key), ()),
            self._spelled_out(key) if acronym else (),
            self._by_rest.get(key, ()) if self._ends_one(key) else (),
            [o for o in self._by_start.get(key, ()) if not _is_other_body(key, o, acronym)],
        ):
            others = [other for other in found if len(other) > len(key)]
            if len(others) == 1:
                return others[0]
        return key

    def _spelled_out(self, key: str) -> list[str]:
        short = next(iter(self._bodies[key].forms))
        if "." in short and key in STATE_LETTERS:
            return []
        return [other for other in self._by_initial[key[0]] if names.is_acronym_of(short, other)]

    def _ends_one(self, key: str) -> bool:
        """Whether one longer body alone ends like this: no "Ohio" beside "U.S. Supreme Court"."""
        return key in self._by_rest and self._endings[key] == 1

    def _is_acronym(self, key: str) -> bool:
        short = next(iter(self._bodies[key].forms))
        return len(key) >= _SHORTEST_ACRONYM and short.replace(".", "").isupper() and " " not in key


def _without_country(parts: Sequence[str]) -> str:
    """The rest of a body's name behind a country, if it names a body by itself."""
    for size in range(1, _LONGEST_COUNTRY + 1):
        rest = parts[size:]
        if " ".join(parts[:size]) in load_gazetteer().countries and (
            len(rest) > 1 or (rest and rest[0] in _SINGLE_HEADS)
        ):
            whole = rest[-1] in HEAD_NOUNS | _SINGLE_HEADS or "of" in rest
            return " ".join(rest) if whole else ""
    return ""


def _without_office(parts: Sequence[str]) -> str:
    """What a department is of: "Homeland Security"."""
    at = next((at for at, part in enumerate(parts) if part in _OFFICES), len(parts))
    return " ".join(parts[at + 2 :]) if parts[at + 1 : at + 2] == ["of"] else ""


def _is_other_body(short: str, long: str, acronym: bool) -> bool:
    """Whether the words that follow a body's name make the name of another.

    "Hofstra" is short for "Hofstra University"; "Supreme Court" has a head noun already, and
    "Treasury Select Committee" has one of its own behind more than a name.
    """
    rest = names.organisation_core(long).split()[len(short.split()) :]
    cut = next((at for at, word in enumerate(rest) if word in _COMPLEMENTS), len(rest))
    own = rest[:cut]
    if not own:
        return False
    if short.split()[-1] in HEAD_NOUNS:
        return True
    if acronym:
        return own[0] not in BROADCAST or len(own) > 1
    return own[-1] in DIVISIONS or (len(own) > 1 and own[-1] in OWN_HEADS)


def _join_known(owners: Owners) -> None:
    """Everything that the entity file says is one entity is one, whatever its label was."""
    first: dict[str, Cluster] = {}
    for key, clusters in owners.items():
        for position, cluster in enumerate(clusters):
            if cluster.known is None:
                continue
            kept = first.setdefault(cluster.known.entity_id, cluster)
            if kept is not cluster:
                kept.absorb(cluster)
                owners[key] = [*clusters[:position], kept, *clusters[position + 1 :]]


# --- mentions to clusters -----------------------------------------------------------------------


def _choose(words: Words, mentions: Sequence[Placed], owners: Owners) -> list[Cluster]:
    """The cluster of each mention; a surname of several people goes to one of them."""
    recent: dict[int, int] = {}
    chosen: list[Cluster] = []
    for number, mention in enumerate(mentions):
        clusters = owners[unit_key(mention)]
        cluster = clusters[0]
        if len(clusters) > 1:
            cluster = _likeliest(words, mention, clusters, recent)
            cluster.forms[_display(words, mention)] += 1
        recent[id(cluster)] = number
        chosen.append(cluster)
    return chosen


def _likeliest(
    words: Words, mention: Placed, clusters: Sequence[Cluster], recent: Mapping[int, int]
) -> Cluster:
    """By title ("Secretary Clinton"), by the gender titles show, then who was named last."""
    titles = titles_before(words, mention.start)
    gender = names.title_gender(titles)

    def rank(cluster: Cluster) -> tuple[int, bool, int, int]:
        own = names.title_gender(list(cluster.titles))
        shared = sum(1 for title in titles if cluster.titles[title])
        other = gender is not None and own is not None and own != gender
        return (-other, shared > 0, recent.get(id(cluster), -1), -cluster.first)

    return max(clusters, key=rank)


# --- entities -----------------------------------------------------------------------------------


def _complete_bare_names(
    words: Words, mentions: Sequence[Placed], chosen: Sequence[Cluster]
) -> None:
    """Give people known by one word the given name or title that the article puts before it.

    The recogniser may have left the given name out wherever it stands. Where the article never
    gives one, a peer or a pope goes by title: "Lord Falconer".
    """
    bare = {id(c): c for c in chosen if c.label == "PERSON" and _is_bare(c)}
    surnames = {form for cluster in bare.values() for form in cluster.forms}
    if not surnames:
        return
    taken = {mention.end - 1 for mention in mentions if mention.label not in ("PERSON", "GPE")}
    given = given_names(words, surnames, taken)
    for cluster in bare.values():
        form = cluster.forms.most_common(1)[0][0]
        title = next((t for t, _ in cluster.titles.most_common() if t in _NAME_TITLES), None)
        if form in given:
            cluster.full = f"{given[form]} {form}"
        elif title is not None and f"{title.title()} {form}" in words.text:
            cluster.full = f"{title.title()} {form}"


def _is_bare(cluster: Cluster) -> bool:
    return cluster.known is None and all(" " not in form for form in cluster.forms)


def _entity(cluster: Cluster, article_id: str) -> Entity:
    if cluster.known is not None:
        row = cluster.known
        aliases = tuple(sorted(set(cluster.forms) - {row.name}))
        return Entity(row.entity_id, row.name, row.label, row.kb_id, aliases)
    if cluster.place is not None:
        name = _place_name(cluster)
        entity_id = names.entity_id(cluster.place, cluster.label)
    else:
        own = {form: n for form, n in cluster.forms.items() if form not in cluster.peoples}
        name = cluster.full or _fullest(Counter(own or cluster.forms))
        entity_id = names.entity_id(name, cluster.label, article_id)
    aliases = tuple(sorted(set(cluster.forms) - {name}))
    return Entity(entity_id, name, cluster.label, None, aliases)


def _fullest(forms: Counter[str]) -> str:
    """The form of most words, then letters; one in capitals only if there is no other."""
    return max(forms, key=lambda form: (not form.isupper(), len(form.split()), len(form)))


def _place_name(cluster: Cluster) -> str:
    """A country's fullest name in the article, its common name where there are short forms only."""
    gazetteer = load_gazetteer()
    written = {
        form: count
        for form, count in cluster.forms.items()
        if not form.isupper() and names.fold(form) not in gazetteer.peoples and "." not in form
    }
    if not written or cluster.place in written:
        return str(cluster.place)
    return _fullest(Counter(written))
