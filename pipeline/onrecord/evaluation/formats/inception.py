"""INCEpTION: UIMA CAS as XMI, one file an article, with the type system beside it.

Entities are INCEpTION's built-in named entities (value: label, identifier: name), sentences its
sentences. Statements are a span layer ``webanno.custom.Statement`` (role: Content, Cue or Source;
kind, stance, speaker) and a relation layer ``webanno.custom.StatementLink`` from the first content
to all else. Import ``TypeSystem.xml`` as layers into the project first. The text is in the same
file as the offsets, which the CAS counts in UTF-16 units; dkpro-cassis maps them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from onrecord.batch.durable import replace_file
from onrecord.evaluation.formats.files import article_id_of, file_name, find
from onrecord.evaluation.formats.prodigy import split_tokens
from onrecord.evaluation.formats.regions import (
    ROLES,
    SENTENCE,
    Link,
    Region,
    from_regions,
    to_regions,
)
from onrecord.evaluation.gold import GoldArticle, GoldError
from onrecord.records import Span


class MissingLibraryError(ModuleNotFoundError):
    """dkpro-cassis, which only this format needs, is not installed."""


try:
    import cassis
except ModuleNotFoundError as error:
    raise MissingLibraryError(
        "the INCEpTION format needs dkpro-cassis: pip install 'onrecord[inception]'",
        name=error.name,
    ) from error

_ANNOTATION = "uima.tcas.Annotation"
_STRING = "uima.cas.String"
_SEGMENTATION = "de.tudarmstadt.ukp.dkpro.core.api.segmentation.type"
_SENTENCE_TYPE = f"{_SEGMENTATION}.Sentence"
_TOKEN_TYPE = f"{_SEGMENTATION}.Token"
_ENTITY_TYPE = "de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity"
_STATEMENT_TYPE = "webanno.custom.Statement"
_LINK_TYPE = "webanno.custom.StatementLink"
_ATTRIBUTES = ("kind", "stance", "speaker")
_TYPE_SYSTEM = "TypeSystem.xml"


def _type_system() -> Any:
    types = cassis.TypeSystem()
    for name in (_SENTENCE_TYPE, _TOKEN_TYPE):
        types.create_type(name=name, supertypeName=_ANNOTATION)
    entity = types.create_type(name=_ENTITY_TYPE, supertypeName=_ANNOTATION)
    for feature in ("value", "identifier"):
        types.create_feature(entity, feature, _STRING)
    statement = types.create_type(name=_STATEMENT_TYPE, supertypeName=_ANNOTATION)
    for feature in ("role", *_ATTRIBUTES):
        types.create_feature(statement, feature, _STRING)
    link = types.create_type(name=_LINK_TYPE, supertypeName=_ANNOTATION)
    for feature in ("Governor", "Dependent"):
        types.create_feature(link, feature, _STATEMENT_TYPE)
    types.create_feature(link, "role", _STRING)
    return types


def read(path: Path) -> list[GoldArticle]:
    """Articles of an XMI file, or of every XMI file of a folder; the type system lies beside it.

    Raises:
        GoldError: a file or its type system is missing or is no CAS.
    """
    return [_read_file(file) for file in find(path, ".xmi")]


def _read_file(path: Path) -> GoldArticle:
    types = path.with_name(_TYPE_SYSTEM)
    if not types.is_file():
        raise GoldError(f"{path}: {_TYPE_SYSTEM} is not beside it; export both from INCEpTION")
    try:
        with types.open("rb") as stream:
            system = cassis.load_typesystem(stream)
        with path.open("rb") as stream:
            cas = cassis.load_cas_from_xmi(stream, typesystem=system)
    # The parsers of dkpro-cassis raise lxml's errors (SyntaxError) and their own.
    except (SyntaxError, ValueError, KeyError, RuntimeError) as error:
        raise GoldError(f"{path}: not a CAS that dkpro-cassis can read ({error})") from error
    text = cas.sofa_string or ""
    regions = [
        *(Region(_id(s), SENTENCE, s.begin, s.end) for s in _select(cas, _SENTENCE_TYPE)),
        *(_entity(e) for e in _select(cas, _ENTITY_TYPE)),
        *(_statement(s, path) for s in _select(cas, _STATEMENT_TYPE)),
    ]
    links = [
        Link(_id(link.Governor), _id(link.Dependent), link.role or "")
        for link in _select(cas, _LINK_TYPE)
    ]
    return from_regions(article_id_of(path.stem), text, regions, links, str(path))


def _select(cas: Any, type_: str) -> list[Any]:
    return list(cas.select(type_)) if cas.typesystem.contains_type(type_) else []


def _id(annotation: Any) -> str:
    return str(annotation.xmiID)


def _entity(annotation: Any) -> Region:
    named = {} if annotation.identifier is None else {"entity": annotation.identifier}
    return Region(_id(annotation), annotation.value, annotation.begin, annotation.end, named)


def _statement(annotation: Any, path: Path) -> Region:
    if annotation.role not in ROLES.values():
        raise GoldError(
            f"{path}: the statement at {annotation.begin} to {annotation.end} has the role "
            f"{annotation.role!r}; expected {', '.join(ROLES.values())}"
        )
    given = {name: value for name in _ATTRIBUTES if (value := getattr(annotation, name))}
    return Region(_id(annotation), annotation.role, annotation.begin, annotation.end, given)


def write(articles: Sequence[GoldArticle], out: Path) -> list[Path]:
    """Write one XMI file an article, and the type system.

    Raises:
        GoldError: a text holds a character that XML cannot.
    """
    system = _type_system()
    types = out / _TYPE_SYSTEM
    replace_file(types, system.to_xml().encode("utf-8"))
    written = [types]
    for article in articles:
        path = out / f"{file_name(article.id)}.xmi"
        try:
            content = _cas(article, system).to_xmi(pretty_print=True)
        except ValueError as error:
            raise GoldError(f"article {article.id!r} cannot be written as XML: {error}") from error
        replace_file(path, content.encode("utf-8"))
        written.append(path)
    return written


def _cas(article: GoldArticle, system: Any) -> Any:
    cas = cassis.Cas(typesystem=system)
    cas.sofa_string = article.text
    cas.sofa_mime = "text/plain"
    types = {
        name: system.get_type(name)
        for name in (_SENTENCE_TYPE, _TOKEN_TYPE, _ENTITY_TYPE, _STATEMENT_TYPE, _LINK_TYPE)
    }
    regions, links = to_regions(article)
    tokens = split_tokens(article.text, [Span(r.start, r.end) for r in regions])
    cas.add_all([types[_TOKEN_TYPE](begin=start, end=end) for start, end in tokens])
    made = {}
    for region in regions:
        place = {"begin": region.start, "end": region.end}
        if region.label == SENTENCE:
            made[region.id] = types[_SENTENCE_TYPE](**place)
        elif region.label in ROLES.values():
            made[region.id] = types[_STATEMENT_TYPE](
                **place, role=region.label, **region.attributes
            )
        else:
            made[region.id] = types[_ENTITY_TYPE](
                **place, value=region.label, identifier=region.attributes.get("entity")
            )
    cas.add_all(list(made.values()))
    for link in links:
        head, other = made[link.start], made[link.end]
        place = {"begin": other.begin, "end": other.end}
        cas.add(types[_LINK_TYPE](**place, Governor=head, Dependent=other, role=link.label))
    return cas
