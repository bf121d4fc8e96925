"""When two names are the same name.

A speaker is right when the program gives the fullest name of the article: "Johnson" is wrong where
gold says "Boris Johnson". What is forgiven is writing, never identity: accents, case, punctuation,
a leading "the", a possessive ending. There is no list of aliases and no fuzzy comparison.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_NOT_WORD = re.compile(r"[^\w]+")
_POSSESSIVE = re.compile(r"['’]s?$")
_THE = re.compile(r"^the\s+(?=\S)")
# Letters that decomposition leaves whole.
_FOLDED = str.maketrans({"ı": "i", "ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe"})


@lru_cache(maxsize=65536)
def fold_name(name: str) -> str:
    """A name as it is compared."""
    decomposed = unicodedata.normalize("NFKD", name.strip())
    plain = "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()
    plain = _POSSESSIVE.sub("", plain).translate(_FOLDED)
    # Initials close up ("U.S." is "US"), everything else that is no letter or digit separates.
    plain = plain.replace(".", "").replace("'", "").replace("’", "")
    return _THE.sub("", _NOT_WORD.sub(" ", plain).strip())


def same_name(one: str | None, other: str | None) -> bool:
    """Whether two speakers or entities are named alike; None is only like None."""
    if one is None or other is None:
        return one is other
    return fold_name(one) == fold_name(other)
