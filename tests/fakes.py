"""A pipeline of small stages that load at once, and that fail where an article asks for it.

The real stages are exercised by their own tests. An article says what is to go wrong with a word:
``FAIL:stage`` raises in that stage, ``HANG:stage`` never returns, ``HOLD:stage`` neither, nor does
it let any other thread run, ``NAP:stage`` takes a second, ``DIE:stage`` kills the process as a
crash in native code would, ``DOOM:stage`` the Java program that all this runs in. ``TOUCH:file``
makes a file before any of these.
"""

from __future__ import annotations

import ctypes
import os
import re
import signal
import time
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import spacy
from spacy.language import Language
from spacy.tokens import Doc

from onrecord.records import (
    Article,
    Attribution,
    Entity,
    Mention,
    Sentence,
    Span,
    Speaker,
    StanceMarks,
)

STAGES = ("fake_sentences", "fake_entities", "fake_quotes", "fake_stance")
_QUOTE = re.compile(r"“(?P<content>[^”]*)”,? (?P<cue>said) (?P<source>[A-Z][a-z]+)")
_DEFIANT = re.compile(r"never|refuse", re.I)
_CONCILIATORY = re.compile(r"agree|welcome", re.I)


def _misbehave(doc: Doc, stage: str) -> None:
    if f":{stage} " in doc.text and (file := re.search(r"TOUCH:(\S+)", doc.text)):
        Path(file[1]).touch()
    if f"FAIL:{stage}" in doc.text:
        raise ValueError(f"asked to fail in {stage}")
    if f"HANG:{stage}" in doc.text:
        time.sleep(600)
    if f"HOLD:{stage}" in doc.text:
        ctypes.PyDLL(None).sleep(600)
    if f"NAP:{stage}" in doc.text:
        time.sleep(1)
    if f"DOOM:{stage}" in doc.text:
        _kill_java()
    if f"DIE:{stage}" in doc.text:
        os.kill(os.getpid(), signal.SIGKILL)


def _kill_java() -> None:
    process = os.getpid()
    while process > 1 and "java" not in Path(f"/proc/{process}/comm").read_text():
        process = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    if process > 1:
        os.kill(process, signal.SIGKILL)
    time.sleep(600)


class _Stage:
    """One fake stage; ``pipe`` and ``__call__`` give the same."""

    def __init__(self, name: str, annotate: Any) -> None:
        self._asked_for = name  # spaCy sets "name" itself
        self._annotate = annotate

    def __call__(self, doc: Doc) -> Doc:
        _misbehave(doc, self._asked_for)
        self._annotate(doc)
        return doc

    def pipe(self, stream: Any, *, batch_size: int = 8) -> Iterator[Doc]:
        return (self(doc) for doc in stream)


def _sentences(doc: Doc) -> None:
    lines = list(re.finditer(r"[^\n]+", doc.text))
    doc._.sentences = tuple(
        Sentence(line.start(), line.end(), number, "headline" if number == 0 else "body")
        for number, line in enumerate(lines)
    )


def _entity(name: str) -> Entity:
    return Entity(f"person:{name.lower()}", name, "PERSON")


def _entities(doc: Doc) -> None:
    found = re.finditer(r"\b(?:Ortiz|Lindqvist|Okafor)\b", doc.text)
    doc._.mentions = tuple(Mention(m.start(), m.end(), "PERSON", _entity(m[0])) for m in found)


def _quotes(doc: Doc) -> None:
    doc._.attributions = tuple(
        Attribution(
            content=(Span(*m.span("content")),),
            cue=(Span(*m.span("cue")),),
            source=(Span(*m.span("source")),),
            kind="direct",
            score=0.9,
            model="fake",
            speaker=Speaker(m["source"], f"person:{m['source'].lower()}", "name", 0.8),
        )
        for m in _QUOTE.finditer(doc.text)
    )


def _stance(doc: Doc) -> None:
    marked = []
    for quote in doc._.attributions:
        words = doc.text[quote.content[0].start : quote.content[0].end]
        defiant, kind = bool(_DEFIANT.search(words)), bool(_CONCILIATORY.search(words))
        label = {(1, 1): "mixed", (1, 0): "defiant", (0, 1): "conciliatory"}.get(
            (defiant, kind), "neutral"
        )
        marks = StanceMarks(0.9 * defiant, 0.7 * kind, label)  # type: ignore[arg-type]
        fields = {name: getattr(quote, name) for name in Attribution.__dataclass_fields__}
        marked.append(Attribution(**{**fields, "stance": marks}))
    doc._.attributions = tuple(marked)


@Language.factory("fake_sentences", assigns=["doc._.sentences"])
def make_sentences(nlp: Language, name: str) -> _Stage:
    return _Stage("sentences", _sentences)


@Language.factory("fake_entities", assigns=["doc._.mentions"], requires=["doc._.sentences"])
def make_entities(nlp: Language, name: str) -> _Stage:
    return _Stage("entities", _entities)


@Language.factory("fake_quotes", assigns=["doc._.attributions"], requires=["doc._.sentences"])
def make_quotes(nlp: Language, name: str) -> _Stage:
    return _Stage("quotes", _quotes)


@Language.component("fake_pause")
def pause(doc: Doc) -> Doc:
    time.sleep(0.05)
    return doc


@Language.factory("fake_stance", assigns=["doc._.attributions"], requires=["doc._.attributions"])
def make_stance(nlp: Language, name: str) -> _Stage:
    return _Stage("stance", _stance)


def load_fake(**arguments: Any) -> Language:
    """As ``onrecord.load``, for the fake stages."""
    return _fake_pipeline()


@lru_cache(maxsize=1)
def _fake_pipeline() -> Language:
    nlp = spacy.blank("en")
    for stage in STAGES:
        nlp.add_pipe(stage)
    return nlp


def load_slow(**arguments: Any) -> Language:
    """The fake stages, and one that takes time, so that a run can be hit in its middle."""
    nlp = _fake_pipeline.__wrapped__()
    nlp.add_pipe("fake_pause", last=True)
    return nlp


def load_broken(**arguments: Any) -> Language:
    """A pipeline whose models are not there."""
    raise OSError("the model file is missing")


def load_unsteady(*, folder: str, deadly: Sequence[int]) -> Language:
    """The fake stages, but the process dies at some of its loads, which are counted in a folder."""
    load = len(list(Path(folder).iterdir())) + 1
    Path(folder, str(load)).touch()
    if load in deadly:
        os.kill(os.getpid(), signal.SIGKILL)
    return load_fake()


def make_article(number: int, extra: str = "") -> Article:
    """A short article, different for each number; every third statement is defiant."""
    speaker = ("Ortiz", "Lindqvist", "Okafor")[number % 3]
    said = ("We will never sign this paper", "We agree to meet again", "The talks began at noon")
    text = (
        f"Harbour talks, day {number}\n"
        f"“{said[number % 3]}”, said {speaker} after {number + 2} hours at the table.\n"
        f"The delegation of the port workers left the building without another word. {extra}"
    ).rstrip()
    return Article(f"a{number:04d}", text, source_path=f"talks/{number}.txt", language="en")
