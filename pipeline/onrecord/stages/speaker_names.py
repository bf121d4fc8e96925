"""Source phrases that name somebody: which of the names in them is the source.

"Trump's spokesman Sean Spicer" is Spicer, "a spokesman for Chevron" nobody named, "a CBS poll" CBS,
"Ms Abara and Mr Lund" two people and so nobody to be named alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import zip_longest

from onrecord.records import UNKNOWN_SPEAKER, Mention, Span, Speaker
from onrecord.stages import patterns
from onrecord.stages.name_lists import CAPITALS
from onrecord.stages.roster import ANY_WORD, Candidate, Roster

# How often the name that a rule gives is the right one: measured on the 180 training articles
# that carry speaker identities, gold source spans given, entities as recognised. Pronouns,
# descriptions and most bodies have the ranking's probability instead. "continued" occurs too
# rarely there to be measured; its value is that of a relative pronoun.
RULE_PRECISION = {
    "name": 0.90,
    "relative": 0.77,
    "continued": 0.77,
    "body": 0.59,
    "text": 0.43,
    "owner": 0.40,
}
_NAME_RUN = re.compile(
    rf"(?<!\w)[{CAPITALS}][\w.’'-]*"
    rf"(?:\s+(?:[{CAPITALS}][\w.’'-]*|de|van|von|der|bin|al|la|le|du))+"
)
_JOINED = re.compile(r"(?:,[^,]{2,40},?|,|\s*\([^)]*\),?)?\s+and\s+")
_ISSUING = frozenset({"by", "from"})
# What may follow a name that heads its phrase, inside the phrase.
_GOES_ON = frozenset(
    {"who", "which", "and", "of", "in", "from", "at", "on", "for", "himself", "herself", "itself"}
)
_LOOK_AHEAD = 80  # characters after a name in which a thing it issued may be named
_ISSUE_WITHIN = 5  # words
# "Secretary of State John Kerry": an office, whose holder is named right after it.
_OFFICE = re.compile(
    r"^(?:[\w.’'-]+\s+)*?(?:secretary|minister|chief|speaker|director|president|chair\w*|head|"
    r"leader|commissioner)\s+(?:of|for)\s+(?:[\w.-]+\s+){1,4}$",
    re.IGNORECASE,
)
_TITLES = patterns.ROLE_WORDS_IN_NAMES


class NameReader:
    """Reads the names in source phrases of one article."""

    def __init__(self, text: str, roster: Roster) -> None:
        self.text = text
        self.roster = roster

    def read(self, span: Span) -> Speaker | None:
        """The entity that heads the phrase; UNKNOWN where the head is somebody unnamed."""
        mentions = [m for m in self.roster.mentions_in(span) if self.roster.candidate(m)]
        if self._is_plural(span, mentions):
            return UNKNOWN_SPEAKER
        body = self.roster.phrase_in(Span(span.start, self.core_end(span)))
        if body is not None:
            return speaker_of(body, "body")
        for mention in self._head_first(span, mentions):
            role = self._role_of(span, mention)
            if role == "head":
                return self.speaker(mention, "name")
            if role == "owner":
                return self.speaker(mention, "owner")
        return self._named_by_text(span, mentions)

    def _head_first(self, span: Span, mentions: Sequence[Mention]) -> list[Mention]:
        """People before bodies, unless a body comes first in the phrase and heads it."""
        core_end = self.core_end(span)
        return sorted(
            mentions,
            key=lambda m: (m.start >= core_end, m.label != "PERSON", m.start),
        )

    def core_end(self, span: Span) -> int:
        """End of the phrase before its first apposition or relative clause."""
        match = re.search(r",\s|\s\(|\s[—–-]\s|\swho\s", self.text[span.start : span.end])
        return span.end if match is None else span.start + match.start()

    def _is_plural(self, span: Span, mentions: Sequence[Mention]) -> bool:
        """Two sources joined by "and" before any long apposition."""
        for first, second in zip_longest(mentions, mentions[1:]):
            joined = _JOINED.match(self.text, first.end, span.end)
            if joined is None:
                continue
            opens = not self.text[span.start : first.start].strip()
            alike = second is not None and second.label == first.label
            if second is not None and second.start < joined.end():
                continue
            direct = self.text[first.end : joined.end()].strip() == "and"
            if (direct or alike) and (opens or first.label == "PERSON"):
                return True
        return False

    def _role_of(self, span: Span, mention: Mention) -> str:
        """Whether the mention is the "head", the "owner" of a thing issued, or neither ("")."""
        before = self.text[span.start : mention.start]
        after = re.sub(r"^([’']s?)?[\s-]*", "", self.text[mention.end : span.end])
        owned = self.text[mention.end : mention.end + 1] in "’'"
        following = ANY_WORD.findall(after.lower()[:_LOOK_AHEAD])
        if not after[:1].isalnum() or not following or following[0] in _GOES_ON:
            return "" if self._qualifies(before) else "head"
        if _names_issue(following):
            return "owner"
        runs_on = mention.label == "PERSON" and following[0] in patterns.COMMON_VERBS
        return "head" if runs_on and not owned else ""

    def _qualifies(self, before: str) -> bool:
        """Whether a preposition before the mention makes it a mere qualifier."""
        tail = before.rsplit(",", 1)[-1]
        words = ANY_WORD.findall(tail.lower())
        if not words or tail.rstrip().endswith(("(", "—", "–")):
            return False
        if words[-1] in _ISSUING:
            return not any(word in patterns.ISSUED_NOUNS for word in words)
        if words[-1] in patterns.QUALIFYING:
            return True
        between = any(word in patterns.QUALIFYING | _ISSUING for word in words)
        return between and not _OFFICE.search(tail)

    def _named_by_text(self, span: Span, mentions: Sequence[Mention]) -> Speaker | None:
        """A known name, or a full name the recogniser missed, read from the words themselves."""
        core = self.text[span.start : self.core_end(span)]
        words = ANY_WORD.findall(core)
        if not words or any(m.start < span.start + len(core) for m in mentions):
            return None
        owner = self._by_surname(words)
        if owner is not None:
            return speaker_of(owner, "name")
        run = _NAME_RUN.search(core)
        if run is None or run.end() < len(core.rstrip(" ,’'s")) or core[:1].islower():
            return None
        name = run.group().split()
        while name and name[0].lower().strip(".") in _TITLES:
            name = name[1:]
        if len(name) < 2:
            return None
        full = re.sub(r"[’']s?$", "", " ".join(name))
        return Speaker(full, None, "text", RULE_PRECISION["text"])

    def _by_surname(self, words: Sequence[str]) -> Candidate | None:
        """The one entity that these words, or the last of them as a surname, can name."""
        kept = words[1:] if words[0].lower() == "the" else words
        last = re.sub(r"[’']s?$", "", words[-1])
        if not kept or not last[:1].isupper():
            return None
        whole = re.sub(r"[’']s?$", "", " ".join(kept)).lower()
        matches = [
            candidate
            for candidate in self.roster.candidates.values()
            if whole in {_bare(name) for name in (candidate.entity.name, *candidate.entity.aliases)}
            or (candidate.kind == "person" and candidate.surname == last.lower())
        ]
        return _fullest(matches)

    def speaker(self, mention: Mention, how: str) -> Speaker | None:
        """The mention's entity, or the person whose surname a one-word mention plainly is."""
        candidate = self.roster.candidate(mention)
        if candidate is None:
            return None
        bare = " " not in candidate.entity.name
        if bare and (candidate.kind == "person" or mention.label == "NORP"):
            candidate = self._by_surname([self.text[mention.start : mention.end]]) or candidate
        return speaker_of(candidate, how)


def speaker_of(candidate: Candidate, how: str, share: float | None = None) -> Speaker:
    """The candidate as a speaker; ``share`` is the ranking's probability, if one decided."""
    score = RULE_PRECISION[how] if share is None else share
    entity_id = None if candidate.unlisted else candidate.entity.entity_id
    return Speaker(candidate.entity.name, entity_id, how, round(score, 4))


def _names_issue(following: Sequence[str]) -> bool:
    """Whether a thing issued follows a name, with nobody unnamed between, as in "X's lawyer"."""
    for word in following[:_ISSUE_WITHIN]:
        if word in patterns.ISSUED_NOUNS or word.rstrip("s") in patterns.ISSUED_NOUNS:
            return True
        if patterns.ROLE_FORMS.get(word, word) in patterns.PERSON_NOUNS:
            return False
    return False


def _bare(name: str) -> str:
    return name.lower().removeprefix("the ")


def _fullest(matches: Sequence[Candidate]) -> Candidate | None:
    """The only match, or the only full name beside bare surnames of the same form."""
    full = [candidate for candidate in matches if " " in candidate.entity.name]
    found = full or list(matches)
    return found[0] if len(found) == 1 else None
