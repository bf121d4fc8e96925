"""Name logic: when two forms are the same name, and the identifier that a name gets.

Person names are taken apart by ``nameparser`` (titles, suffixes, surname) and compared by
``rapidfuzz`` where spelling may differ. Nothing here knows an article; ``onrecord.stages`` decides
which names of an article are one entity.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import dropwhile

from nameparser import HumanName
from rapidfuzz import fuzz


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


LABEL_CLASSES = {
    "PERSON": "person",
    "ORG": "org",
    "GPE": "place",
    "LOC": "place",
    "FAC": "place",
    "NORP": "group",
    "EVENT": "event",
    "PRODUCT": "product",
    "LAW": "law",
    "WORK_OF_ART": "work",
}

_NOT_WORD = re.compile(r"[^\w]+")
_POSSESSIVE = re.compile(r"['’]s$")
_THE = re.compile(r"^the\s+(?=\S)", re.IGNORECASE)
# Letters that Unicode decomposition leaves whole.
_WHOLE = str.maketrans(
    {"ı": "i", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe"}
)
_SILENT = str.maketrans("", "", ".'’‘`ʻʼ")
_ROLE_WORDS = _words(
    """president vice prime minister premier chancellor king queen prince princess emperor pope
    secretary senator representative rep congressman congresswoman congressperson governor mayor
    judge justice chief attorney general gen lieutenant lt col colonel captain capt major maj
    sergeant sgt corporal private admiral adm commander commissioner inspector superintendent
    constable officer detective director chairman chairwoman chairperson chair ceo professor
    prof doctor dr sir dame lord lady baroness baron count countess duke duchess rev reverend
    father fr sister brother imam ayatollah sheikh sheik rabbi bishop archbishop cardinal
    monsignor saint mr mrs ms miss mx messrs madam mme mlle monsieur señor señora sen gov hon
    honourable honorable amb ambassador envoy spokesman spokeswoman spokesperson leader speaker
    deputy acting former ex interim foreign defence defense finance interior prosecutor sheriff
    coach manager captain advocate adv engineer eng comrade chieftain crown first tan sri datuk
    seri dato haji hajji shri smt pandit chairman-elect president-elect councillor councilor
    cllr alderman treasurer economist analyst journalist author actor actress singer pm cm mp
    mep pol insp supt"""
)
_OFFICES = _words(
    """officer founder co-founder head owner co-owner boss executive manager member members director
    directors spokesman spokeswoman spokesperson professor capital people city town village
    government province district parliament university board shares citizens residents"""
)
_COURTESY = _words(
    """mr mrs ms miss mx messrs mme mlle dr prof sir dame sra gen col lt capt sgt insp maj"""
)
_MASCULINE = _words(
    """mr sir lord king prince baron duke count father brother congressman chairman spokesman
    monsieur señor emperor pope"""
)
_FEMININE = _words(
    """mrs ms miss dame lady queen princess baroness duchess countess sister congresswoman
    chairwoman spokeswoman mme mlle madam señora"""
)
_LEGAL_FORMS = _words(
    """inc incorporated corp corporation co company ltd limited llc llp plc pty ag sa nv bv se spa
    gmbh holdings holding group"""
)
_LINK_WORDS = _words("""of the and for in on at to de del la le du des y und & a an""")
# What tells a son from a father of the same name, and one king from another.
_GENERATIONS = _words("jr sr")
_NUMERALS = _words("""II III IV VI VII VIII IX XII XIII XIV XV XVI""")
_SIMILAR = 88
_SHORTEST_SIMILAR = 5


# Names come again within an article and a day's news, seldom later: a larger cache would only
# grow with the articles.
_REMEMBERED = 8_192


@lru_cache(maxsize=_REMEMBERED)
def fold(name: str) -> str:
    """A name as it is compared: no accents, case, dots, leading "the" or possessive ending.

    >>> fold("the U.S."), fold("Recep Tayyip Erdoğan’s")
    ('us', 'recep tayyip erdogan')
    """
    decomposed = unicodedata.normalize("NFKD", name.strip())
    plain = "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()
    plain = _POSSESSIVE.sub("", plain).translate(_WHOLE).translate(_SILENT)
    plain = _NOT_WORD.sub(" ", plain).strip()
    return _THE.sub("", plain)


def slug(name: str) -> str:
    """A folded name as part of an identifier: ``nicolas-maduro``."""
    return fold(name).replace(" ", "-").replace("_", "-")


def class_of(label: str) -> str | None:
    """The class an entity of this label is identified in, None for dates, amounts and the like."""
    return LABEL_CLASSES.get(label)


def entity_id(name: str, label: str, article_id: str = "") -> str:
    """The identifier of a named entity, derivable from its full name alone.

    Less than a given name and a surname is no person's identity beyond the article, so it carries
    the article's: "Johnson", "Lord Falconer", "J. Smith".

    Raises:
        ValueError: the label names nothing.
    """
    kind = class_of(label)
    if kind is None:
        raise ValueError(f"label {label!r} has no identity; expected one of {list(LABEL_CLASSES)}")
    key = slug(name) or "-".join(f"u{ord(char):x}" for char in name)
    if kind == "person" and not is_full_name(name):
        return f"{kind}:{key}@{article_id}"
    return f"{kind}:{key}"


def without_the(name: str) -> str:
    """A name without its leading article: "the United States" is "United States"."""
    return _THE.sub("", name)


def is_title(word: str) -> bool:
    """Whether a word is a title, rank, role or form of address that may stand before a name."""
    plain = word.rstrip(".").casefold()
    return plain in _ROLE_WORDS or plain.replace(".", "") in _ROLE_WORDS


def is_role(word: str) -> bool:
    """Whether a word is an office that is held in a body or place: "chairman", "founder"."""
    return word.casefold() in _OFFICES or is_title(word)


def is_courtesy(word: str) -> bool:
    """Whether a word is a form of address that only a person has: "Mr", "Dame"."""
    return word.rstrip(".").casefold() in _COURTESY


def title_gender(words: Sequence[str]) -> str | None:
    """Gender, "he" or "she", by the titles among ``words``; None if they show neither."""
    plain = {word.rstrip(".").casefold() for word in words}
    if plain & _FEMININE:
        return "she"
    return "he" if plain & _MASCULINE else None


@lru_cache(maxsize=_REMEMBERED)
def person_words(name: str) -> tuple[str, ...]:
    """Folded words of a person's name without title, suffix and nickname."""
    return tuple(fold(_core(name)).split())


@lru_cache(maxsize=_REMEMBERED)
def _core(name: str) -> str:
    """A person's name as written, without title, suffix and nickname.

    ``nameparser`` takes many a given name for a title: "Sultan Ahmed", "Marquis Brown". Of what it
    takes for one, only a word that is one here is left out.
    """
    parsed = HumanName(name)
    given = " ".join(dropwhile(is_title, parsed.title.split()))
    core = " ".join(part for part in (given, parsed.first, parsed.middle, parsed.last) if part)
    return core or name


def is_generation(word: str) -> bool:
    """Whether a word tells a son from a father, "Jr." or "Sr.", and is no name by itself."""
    return word.istitle() and word.rstrip(".").casefold() in _GENERATIONS


def generation(name: str) -> str | None:
    """What tells a person from another of the same name: "jr", "sr", "III"; None if nothing.

    >>> generation("Donald Trump Jr."), generation("Donald Trump")
    ('jr', None)
    """
    last = " ".join(name.split()[1:]).rpartition(" ")[2].rstrip(".")
    if last in _NUMERALS:
        return last
    return last.casefold() if last.casefold() in _GENERATIONS else None


def is_full_name(name: str) -> bool:
    """Whether a person's name has a given name and a surname, or a numeral as kings have it.

    Two initials are as good as a given name ("J. K. Rowling"), one is not ("J. Smith").
    """
    core = _core(name)
    if not core.split()[1:]:
        return generation(name) in _NUMERALS
    words = person_words(name)
    return len(words) > 2 or any(len(word) > 1 for word in words[:1])


def have_other_initials(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether initials tell two full names apart: "George W. Bush", "George H. W. Bush".

    Whole middle names do not: people leave out one or the other of theirs.
    """
    middles = one[1:-1], other[1:-1]
    if not all(middles) or not similar_words(one[0], other[0]):
        return False
    mine, theirs = middles[0][0], middles[1][0]
    return min(len(mine), len(theirs)) == 1 and mine[0] != theirs[0]


def similar_words(one: str, other: str) -> bool:
    """Whether two folded words are the same name word: equal, an initial, or spelled alike."""
    if one == other or (len(one) == 1 and other.startswith(one)):
        return True
    if len(other) == 1:
        return one.startswith(other)
    if min(len(one), len(other)) < _SHORTEST_SIMILAR or one[0] != other[0]:
        return False
    return fuzz.ratio(one, other) >= _SIMILAR


def same_person(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether two full names, as ``person_words``, can be one person's.

    The shorter must be contained in the longer in order, initials and spelling variants allowed:
    "Tayyip Erdogan" is in "Recep Tayyip Erdoğan"; "Bill Clinton" is not in "Hillary Clinton".
    """
    shorter, longer = sorted((one, other), key=len)
    if len(shorter) < 2:
        return False
    if all(len(word) == 1 for word in shorter[:1]) and shorter[-1] != longer[-1]:
        return False
    remaining = iter(longer)
    return all(any(similar_words(word, found) for found in remaining) for word in shorter)


@lru_cache(maxsize=_REMEMBERED)
def organisation_core(name: str) -> str:
    """A folded body name without its legal form: "Chevron Corp." is "chevron"."""
    words = fold(name).split()
    while len(words) > 1 and words[-1] in _LEGAL_FORMS:
        words.pop()
    return " ".join(words)


def is_acronym_of(short: str, full: str) -> bool:
    """Whether ``short`` abbreviates ``full``: "HRW", "Human Rights Watch".

    Link words may count or not; one letter may be left over at either side, as in "SMUG" for
    "Sexual Minorities Uganda".
    """
    letters = fold(short).replace(" ", "")
    words = fold(full).split()
    if not 2 <= len(letters) <= 8 or len(words) < 2 or not short[:1].isupper():
        return False
    content = [word for word in words if word not in _LINK_WORDS]
    if not content or letters[0] != content[0][0]:
        return False
    return has_initials(letters, full) or _in_order(letters, content)


def has_initials(letters: str, full: str) -> bool:
    """Whether folded ``letters`` are the initials of ``full``, link words counted or not."""
    words = fold(full).split()
    content = [word for word in words if word not in _LINK_WORDS]
    return letters in ("".join(w[0] for w in words), "".join(w[0] for w in content))


def _in_order(letters: str, words: Sequence[str]) -> bool:
    """Every word gives its first letter, some give more, in order and with nothing left over."""
    if not words:
        return not letters
    if not letters or letters[0] != words[0][0]:
        return False
    longest = min(len(words[0]), len(letters), 3)
    return any(
        words[0].startswith(letters[:size]) and _in_order(letters[size:], words[1:])
        for size in range(1, longest + 1)
    )
