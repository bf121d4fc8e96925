"""brat stand-off, with statements as events the way PolNeAR (Newell et al., LREC 2018) has them.

    T1	Source 0 6	Maduro
    T2	Cue 7 11	said
    T3	Content 12 30;40 52	...        (discontinuous spans are one annotation)
    T4	Attribution 7 11	said          (the event's trigger, on the cue)
    E1	Attribution:T4 Content:T3 Cue:T2 Source:T1
    A1	Stance E1 defiant
    #1	Speaker E1	Nicolás Maduro

Offsets count code points; each annotation carries its covered text, which is checked. A folder may
hold ``ARTICLE.txt`` with ``ARTICLE.ann``, or with one ``ARTICLE_ANNOTATOR.ann`` for each annotator;
texts and annotations may be in two folders named ``text`` and ``attributions``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from onrecord.batch.durable import replace_file
from onrecord.evaluation.formats.files import article_id_of, file_name, read_text
from onrecord.evaluation.formats.offsets import NativeSpan, locate, normalise
from onrecord.evaluation.gold import GoldArticle, GoldAttribution, GoldEntity, GoldError
from onrecord.records import KINDS, STANCES, Span, Spans

_PARTS = ("content", "cue", "source")
_EVENT = "Attribution"
# Text-bound types that are no entities. PolNeAR's annotators marked doubts with the last two.
_NOT_ENTITIES = {"Content", "Cue", "Source", "Sentence", "Discuss", "Discard"}
_NUMBER = re.compile(r"\d+$")

_CONFIGURATION = """[entities]
Content
Cue
Source
Sentence
{labels}

[relations]

[events]
Attribution	Content+:Content, Cue*:Cue, Source*:Source

[attributes]
Kind	Arg:Attribution, Value:{kinds}
Stance	Arg:Attribution, Value:{stances}
Unnamed	Arg:Attribution
"""


@dataclass(slots=True)
class _Standoff:
    """Annotations of one file by id."""

    types: dict[str, str] = field(default_factory=dict)
    spans: dict[str, NativeSpan] = field(default_factory=dict)
    events: list[tuple[str, str, list[tuple[str, str]], str]] = field(default_factory=list)
    attributes: dict[tuple[str, str], str] = field(default_factory=dict)
    notes: dict[tuple[str, str], str] = field(default_factory=dict)


def holds_annotations(folder: Path) -> bool:
    """Whether a folder holds brat files."""
    return any(folder.rglob("*.ann"))


def read(path: Path) -> list[GoldArticle]:
    """Articles of a folder, or of one ``.ann`` file.

    Raises:
        GoldError: a file is damaged, a span does not cover its text, or an article has several
            annotators (score them with ``onrecord agreement``).
    """
    articles: dict[str, GoldArticle] = {}
    for annotator, found in read_annotators(path).items():
        for article in found:
            if article.id in articles:
                raise GoldError(
                    f"{article.origin}: article {article.id!r} has several annotators (one is "
                    f"{annotator!r}); import the files of one of them, or score them against each "
                    "other with onrecord agreement"
                )
            articles[article.id] = article
    return list(articles.values())


def read_annotators(path: Path) -> dict[str, list[GoldArticle]]:
    """Articles of each annotator; the name is "" for files named like their article.

    Raises:
        GoldError: a file is damaged, or a span does not cover its text.
    """
    root = path if path.is_dir() else path.parent
    texts = {p.stem: p for p in sorted(root.rglob("*.txt"))}
    files = sorted(path.rglob("*.ann")) if path.is_dir() else [path]
    if not files:
        raise GoldError(f"{path}: no .ann file in this folder")
    annotators: dict[str, list[GoldArticle]] = {}
    for file in files:
        stem, annotator = file.stem, ""
        if stem not in texts and "_" in stem:
            stem, annotator = stem.rsplit("_", 1)
        if stem not in texts:
            raise GoldError(f"{file}: its text {stem}.txt is not in {root}")
        article = _read_file(file, read_text(texts[stem]), article_id_of(stem))
        annotators.setdefault(annotator, []).append(article)
    return annotators


def _read_file(path: Path, text: str, article_id: str) -> GoldArticle:
    standoff = _parse(path)
    order = list(standoff.spans)
    places, _ = locate(
        text, [standoff.spans[key] for key in order], ("code points", "UTF-16 units"), str(path)
    )
    spans = dict(zip(order, places, strict=True))
    triggers = {trigger for _, trigger, _, _ in standoff.events}
    sentences: list[Span] = []
    entities: list[GoldEntity] = []
    for key, type_ in standoff.types.items():
        if type_ == "Sentence":
            sentences += spans[key]
        elif key not in triggers and type_ not in _NOT_ENTITIES:
            whole = Span(spans[key][0].start, spans[key][-1].end)
            entities.append(GoldEntity(*whole, type_, standoff.notes.get(("Entity", key))))
    statements = list(_statements(standoff, spans, path))
    return GoldArticle(
        id=article_id,
        text=text,
        sentences=tuple(sorted(sentences)) or None,
        entities=tuple(sorted(entities, key=lambda e: (e.start, e.end, e.label))) or None,
        attributions=tuple(sorted(statements, key=lambda a: (a.content, a.cue, a.source))) or None,
        origin=str(path),
    )


def _parse(path: Path) -> _Standoff:
    standoff = _Standoff()
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        line = line.rstrip("\r")
        if line.strip():
            try:
                _parse_line(standoff, line, f", line {number}")
            except (ValueError, IndexError) as error:
                raise GoldError(
                    f"{path}, line {number}: not brat stand-off: {line[:80]!r} ({error})"
                ) from error
    return standoff


def _parse_line(standoff: _Standoff, line: str, where: str) -> None:
    key, _, rest = line.partition("\t")
    middle, _, tail = rest.partition("\t")
    if key.startswith("T"):
        type_, offsets = middle.split(" ", 1)
        pieces = [tuple(map(int, piece.split())) for piece in offsets.split(";")]
        if any(len(piece) != 2 for piece in pieces):
            raise ValueError("a span is 'start end'")
        standoff.types[key] = type_
        standoff.spans[key] = NativeSpan([(p[0], p[1]) for p in pieces], tail, where)
    elif key.startswith("E"):
        (_, trigger), *roles = ((role, target) for role, target in _colon_pairs(middle))
        standoff.events.append((key, trigger, roles, where))
    elif key.startswith(("A", "M")):
        name, target, *value = middle.split(" ")
        standoff.attributes[name, target] = value[0] if value else ""
    elif key.startswith("#"):
        name, target = middle.split(" ")
        standoff.notes[name, target] = tail


def _colon_pairs(middle: str) -> Iterator[tuple[str, str]]:
    for pair in middle.split():
        role, colon, target = pair.partition(":")
        if not colon:
            raise ValueError(f"{pair!r} is not ROLE:ID")
        yield role, target


def _statements(
    standoff: _Standoff, spans: Mapping[str, Spans], path: Path
) -> Iterator[GoldAttribution]:
    for key, _, roles, where in standoff.events:
        parts: dict[str, list[Span]] = {part: [] for part in _PARTS}
        for role, target in roles:
            part = _NUMBER.sub("", role).casefold()
            if part not in parts:
                continue
            if target not in spans:
                raise GoldError(f"{path}{where}: event {key} names {target}, which is not there")
            parts[part] += spans[target]
        if not parts["content"]:
            raise GoldError(f"{path}{where}: event {key} has no Content; a statement needs one")
        speaker = standoff.notes.get(("Speaker", key))
        unnamed = ("Unnamed", key) in standoff.attributes
        yield GoldAttribution(
            **{part: tuple(sorted(set(found))) for part, found in parts.items()},
            speaker=None if unnamed else speaker,
            speaker_labelled=unnamed or speaker is not None,
            kind=_value(standoff, "Kind", key, KINDS, f"{path}{where}"),  # type: ignore[arg-type]
            stance=_value(standoff, "Stance", key, STANCES, f"{path}{where}"),  # type: ignore[arg-type]
        )


def _value(
    standoff: _Standoff, name: str, key: str, allowed: Sequence[str], origin: str
) -> str | None:
    value = standoff.attributes.get((name, key))
    if value is not None and value not in allowed:
        raise GoldError(f"{origin}: {name} {value!r} is unknown; expected {', '.join(allowed)}")
    return value


def write(articles: Sequence[GoldArticle], out: Path) -> list[Path]:
    """Write a text and an annotation file for each article, and brat's configuration."""
    written = []
    labels: set[str] = set()
    for article in articles:
        name = file_name(article.id)
        text, annotations = out / f"{name}.txt", out / f"{name}.ann"
        replace_file(text, article.text.encode("utf-8"))
        lines = list(_Writer(article).lines())
        replace_file(annotations, "".join(f"{line}\n" for line in lines).encode("utf-8"))
        labels |= {entity.label for entity in article.entities or ()}
        written += [text, annotations]
    configuration = out / "annotation.conf"
    content = _CONFIGURATION.format(
        labels="\n".join(sorted(labels)), kinds="|".join(KINDS), stances="|".join(STANCES)
    )
    replace_file(configuration, content.encode("utf-8"))
    return [*written, configuration]


class _Writer:
    """Numbers the annotations of one article."""

    def __init__(self, article: GoldArticle) -> None:
        self.article = article
        self.counts = {"T": 0, "E": 0, "A": 0, "#": 0}
        self.shared: dict[tuple[str, Spans], str] = {}

    def lines(self) -> Iterator[str]:
        for sentence in self.article.sentences or ():
            yield self._bound("Sentence", (sentence,))[1]
        for entity in self.article.entities or ():
            key, line = self._bound(entity.label, (Span(entity.start, entity.end),))
            yield line
            if entity.entity is not None:
                yield f"{self._next('#')}\tEntity {key}\t{normalise(entity.entity)}"
        for statement in self.article.attributions or ():
            yield from self._statement(statement)

    def _statement(self, statement: GoldAttribution) -> Iterator[str]:
        roles = []
        for part in _PARTS:
            spans: Spans = getattr(statement, part)
            if not spans:
                continue
            name = part.capitalize()
            if part == "content" or (name, spans) not in self.shared:
                self.shared[name, spans], line = self._bound(name, spans)
                yield line
            roles.append(f"{name}:{self.shared[name, spans]}")
        # An event needs words to hang on: the cue, or what is said where nothing shows it.
        trigger, line = self._bound(_EVENT, statement.cue or statement.content)
        yield line
        event = self._next("E")
        yield f"{event}\t{_EVENT}:{trigger} {' '.join(roles)}"
        yield from self._labels(statement, event)

    def _labels(self, statement: GoldAttribution, event: str) -> Iterator[str]:
        if statement.kind is not None:
            yield f"{self._next('A')}\tKind {event} {statement.kind}"
        if statement.stance is not None:
            yield f"{self._next('A')}\tStance {event} {statement.stance}"
        if statement.speaker is not None:
            yield f"{self._next('#')}\tSpeaker {event}\t{normalise(statement.speaker)}"
        elif statement.speaker_labelled:
            yield f"{self._next('A')}\tUnnamed {event}"

    def _bound(self, type_: str, spans: Iterable[Span]) -> tuple[str, str]:
        pieces = list(spans)
        offsets = ";".join(f"{start} {end}" for start, end in pieces)
        covered = " ".join(self.article.text[start:end] for start, end in pieces)
        key = self._next("T")
        return key, f"{key}\t{type_} {offsets}\t{normalise(covered)}"

    def _next(self, letter: str) -> str:
        self.counts[letter] += 1
        return f"{letter}{self.counts[letter]}"
