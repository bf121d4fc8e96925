"""CoNLL columns: one token a line with a BIO tag, a blank line between sentences.

Only entities are read: a blank line says where a sentence ends, but not where it begins.

Files written here hold two more columns, start and end of each token in code points, and the text
as a JSON string in a comment, so that they come back exactly. Of other files the first column is
the token, the last its tag, and the text is the tokens joined by spaces, one sentence a line.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from onrecord.batch.durable import replace_file
from onrecord.evaluation.formats.files import article_id_of, file_name, find, read_text
from onrecord.evaluation.formats.offsets import NativeSpan, locate
from onrecord.evaluation.formats.prodigy import split_tokens
from onrecord.evaluation.gold import GoldArticle, GoldEntity, GoldError
from onrecord.records import Span

_SUFFIX = ".conll"
_ID, _TEXT, _NAME = "# newdoc id = ", "# text = ", "# entity "
_OUTSIDE = "O"


@dataclass(slots=True)
class _Document:
    """One article as it is read; text None means that it is made of the tokens."""

    id: str
    text: str | None = None
    names: dict[str, str] = field(default_factory=dict)
    sentences: list[list[tuple[str, Span | None, str, int]]] = field(default_factory=list)


def read(path: Path) -> list[GoldArticle]:
    """Articles of a file, or of every .conll file of a folder (.bio and .txt if named themselves).

    Raises:
        GoldError: a line has no tag, or a token does not cover its text.
    """
    return [
        _article(document, file) for file in find(path, _SUFFIX) for document in _documents(file)
    ]


def _documents(path: Path) -> Iterator[_Document]:
    document = _Document(article_id_of(path.stem))
    fresh = True
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        line = line.rstrip("\r")
        if line.startswith((_ID, "-DOCSTART-")):
            if any(document.sentences):
                yield document
            given = line.removeprefix(_ID) if line.startswith(_ID) else f"{path.stem}:{number}"
            document, fresh = _Document(given), True
        elif line.startswith(_TEXT):
            document.text = json.loads(line.removeprefix(_TEXT))
        elif line.startswith(_NAME):
            place, _, name = line.removeprefix(_NAME).partition(" = ")
            document.names[place] = json.loads(name)
        elif not line.strip():
            fresh = True
        else:
            if fresh:
                document.sentences.append([])
            fresh = False
            document.sentences[-1].append(_token(line, number, path))
    if any(document.sentences):
        yield document


def _token(line: str, number: int, path: Path) -> tuple[str, Span | None, str, int]:
    columns = line.split("\t") if "\t" in line else line.split()
    if len(columns) < 2:
        raise GoldError(f"{path}, line {number}: expected a token and its tag, found {line!r}")
    place = None
    if len(columns) == 4 and columns[1].isdecimal() and columns[2].isdecimal():
        place = Span(int(columns[1]), int(columns[2]))
    return columns[0], place, columns[-1], number


def _article(document: _Document, path: Path) -> GoldArticle:
    text, sentences = _placed(document, path)
    entities = [e for sentence in sentences for e in _entities(sentence, document.names)]
    return GoldArticle(id=document.id, text=text, entities=tuple(entities), origin=str(path))


def _placed(document: _Document, path: Path) -> tuple[str, list[list[tuple[Span, str]]]]:
    """The text, and each sentence as spans with tags."""
    if document.text is None:
        return _joined(document)
    native = [
        NativeSpan([place], word, f", line {number}")
        for sentence in document.sentences
        for word, place, _, number in sentence
        if place is not None
    ]
    if len(native) != sum(map(len, document.sentences)):
        raise GoldError(f"{path}: {_TEXT.strip()!r} is given, but not every token has its offsets")
    places, _ = locate(document.text, native, ("code points",), str(path))
    spans = iter(places)
    return document.text, [
        [(next(spans)[0], tag) for _, _, tag, _ in sentence] for sentence in document.sentences
    ]


def _joined(document: _Document) -> tuple[str, list[list[tuple[Span, str]]]]:
    text = ""
    sentences = []
    for sentence in document.sentences:
        tagged = []
        for word, _, tag, _ in sentence:
            text += "" if not text or text.endswith("\n") else " "
            tagged.append((Span(len(text), len(text) + len(word)), tag))
            text += word
        text += "\n"
        sentences.append(tagged)
    return text, sentences


def _entities(tagged: Sequence[tuple[Span, str]], names: dict[str, str]) -> Iterator[GoldEntity]:
    """Entities of BIO, BIOES or IOB1 tags; an I that follows no entity of its label begins one."""
    start = end = 0
    label = ""
    for span, tag in [*tagged, (Span(0, 0), _OUTSIDE)]:
        prefix, _, found = tag.partition("-")
        if label and (prefix in "BSUO" or found != label):
            yield GoldEntity(start, end, label, names.get(f"{start} {end} {label}"))
            label = ""
        if prefix != _OUTSIDE:
            start, label = (start, label) if label else (span.start, found)
            end = span.end


def write(articles: Sequence[GoldArticle], out: Path) -> list[Path]:
    """Write one file an article: token, start, end, tag.

    Raises:
        GoldError: entities overlap, which columns cannot hold.
    """
    written = []
    for article in articles:
        path = out / f"{file_name(article.id)}{_SUFFIX}"
        content = "".join(f"{line}\n" for line in _lines(article))
        replace_file(path, content.encode("utf-8"))
        written.append(path)
    return written


def _lines(article: GoldArticle) -> Iterator[str]:
    entities = article.entities or ()
    spans = [Span(e.start, e.end) for e in entities]
    tags: dict[int, str] = {}
    tokens = split_tokens(article.text, [*spans, *(article.sentences or ())])
    begins = [token.start for token in tokens]
    for entity in entities:
        # Tokens are cut where entities begin and end, so none is only partly inside.
        inside = slice(bisect_left(begins, entity.start), bisect_left(begins, entity.end))
        for number, token in enumerate(tokens[inside]):
            if token.start in tags:
                raise GoldError(
                    f"article {article.id!r}: entities overlap at {token.start}; CoNLL columns "
                    "cannot hold that, export to brat or Label Studio"
                )
            tags[token.start] = f"{'I' if number else 'B'}-{entity.label}"
    yield f"{_ID}{article.id}"
    yield f"{_TEXT}{json.dumps(article.text)}"
    for entity in entities:
        if entity.entity is not None:
            place = f"{entity.start} {entity.end} {entity.label}"
            yield f"{_NAME}{place} = {json.dumps(entity.entity)}"
    starts = {span.start for span in article.sentences or ()}
    for number, (start, end) in enumerate(tokens):
        if start in starts and number:
            yield ""
        tag = tags.get(start, _OUTSIDE)
        yield f"{article.text[start:end]}\t{start}\t{end}\t{tag}"
    yield ""
