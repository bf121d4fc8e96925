"""Which language an article is in."""

from __future__ import annotations

import re
from functools import lru_cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

_PIECE = 2_000
_LETTER = re.compile(r"[^\W\d_]")
# Letters up to which a text is short, and the probability that settles it.
_NEEDED = ((100, 0.8), (400, 0.5))


def detect_language(text: str, *, undecided: str = "en") -> str:
    """The language of a text as an ISO 639-1 code, by py3langid.

    Long texts are judged by their start, middle and end together, so that neither a foreign
    headline nor one long quotation decides. In a text of a few words, names weigh as much as
    anything; where no language is likely enough there, the answer is ``undecided``.
    """
    sample = _sample(text)
    letters = len(_LETTER.findall(sample))
    if not letters:
        return undecided
    language, probability = _identifier().classify(sample)
    needed = next((needed for short, needed in _NEEDED if letters < short), 0.0)
    return str(language) if probability >= needed else undecided


def _sample(text: str) -> str:
    if len(text) <= 3 * _PIECE:
        return text
    middle = len(text) // 2 - _PIECE // 2
    return "\n".join((text[:_PIECE], text[middle : middle + _PIECE], text[-_PIECE:]))


@lru_cache(maxsize=1)
def _identifier() -> LanguageIdentifier:
    """Own identifier, not the library's shared one: restricting languages must not leak out.

    The model also knows languages without a two-letter code (dialects, pidgins); an article in
    one is taken for its nearest relative that has a code.
    """
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages([code for code in identifier.labels if len(code) == 2])
    return identifier
