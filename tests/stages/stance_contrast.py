"""The contrast set of the stance stage: pairs of statements a few words apart in posture.

``stance_contrast.txt`` holds a stanza a pair: its domain and the kind of edit, then two sentences
as a reporter would write them, each behind its label (D defiant, C conciliatory, M mixed,
N neutral), with content, cue and source marked as ``{q ...}``, ``{c ...}`` and ``{s ...}``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_FILE = Path(__file__).with_name("stance_contrast.txt")
_MARKED = re.compile(r"\{(?P<role>[qcs]) (?P<words>[^{}]*)\}")
_LABELS = {"D": "defiant", "C": "conciliatory", "M": "mixed", "N": "neutral"}
_ROLES = {"q": "content", "c": "cue", "s": "source"}


@dataclass(frozen=True, slots=True)
class Member:
    """One statement in its sentence: spans in the gold format, and the label by the guideline."""

    text: str
    attribution: dict[str, list[list[int]]]
    label: str


@dataclass(frozen=True, slots=True)
class Pair:
    """Two statements that a small edit sets apart."""

    domain: str
    edit: str
    members: tuple[Member, Member]


def read_pairs(path: Path = _FILE) -> list[Pair]:
    """All pairs of the contrast set."""
    pairs = []
    for stanza in path.read_text(encoding="utf-8").strip().split("\n\n"):
        title, first, second = stanza.split("\n")
        domain, edit = title.split(" / ")
        pairs.append(Pair(domain, edit, (_member(first), _member(second))))
    return pairs


def _member(line: str) -> Member:
    label, marked = line[0], line[2:]
    attribution: dict[str, list[list[int]]] = {name: [] for name in _ROLES.values()}
    text = ""
    copied = 0
    for found in _MARKED.finditer(marked):
        text += marked[copied : found.start()]
        start = len(text)
        text += found["words"]
        attribution[_ROLES[found["role"]]].append([start, len(text)])
        copied = found.end()
    return Member(text + marked[copied:], attribution, _LABELS[label])
