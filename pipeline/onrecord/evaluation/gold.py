"""Gold files: articles labelled by hand, as JSON Lines, one article a line.

    {"id", "text", "title"?, "publisher"?,
     "sentences": [[start, end], ...],
     "entities": [{"start", "end", "label", "entity"}, ...],
     "attributions": [{"content": [[s, e], ...], "cue": [...], "source": [...],
                       "speaker": name or null, "kind", "stance"}, ...]}

A layer that is absent is not scored; neither is a ``speaker``, ``kind`` or ``stance`` that a
statement lacks (``speaker: null`` says that nobody is named). Any other key of an article is kept.
A file that cannot be trusted is refused with the place of the fault; what is odd but can be scored
is counted as a warning.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr, ValidationError

from onrecord.batch.durable import replace_file
from onrecord.evaluation.kinds import kind_by_marks
from onrecord.quotation import Quotation, find_quotations, paragraph_spans
from onrecord.records import NAMED_LABELS, AttributionKind, Span, Spans, Stance
from onrecord.stages.segment import segment

# OntoNotes labels, the scheme of the entities table.
KNOWN_LABELS = NAMED_LABELS | {
    *("LANGUAGE", "DATE", "TIME", "PERCENT", "MONEY", "QUANTITY", "ORDINAL", "CARDINAL")
}
_MOST_PROBLEMS = 5


class GoldError(ValueError):
    """A gold file that cannot be scored; the message names file, line, value and what to do."""


@dataclass(frozen=True, slots=True)
class GoldEntity:
    """An entity mention; ``entity`` is the fullest name in the article, None for dates, amounts."""

    start: int
    end: int
    label: str
    entity: str | None = None


@dataclass(frozen=True, slots=True)
class GoldAttribution:
    """An attributed statement; what the annotator did not label is None.

    ``speaker`` None means that nobody is named where ``speaker_labelled`` is true, and that the
    annotator did not say where it is false.
    """

    content: Spans
    cue: Spans = ()
    source: Spans = ()
    speaker: str | None = None
    speaker_labelled: bool = False
    kind: AttributionKind | None = None
    stance: Stance | None = None


@dataclass(frozen=True, slots=True)
class GoldArticle:
    """An article with the layers that were labelled; a layer that was not is None.

    ``extra`` holds the article's other keys (title, publisher, ...); ``origin`` says where it was
    read, for messages.
    """

    id: str
    text: str
    sentences: tuple[Span, ...] | None = None
    entities: tuple[GoldEntity, ...] | None = None
    attributions: tuple[GoldAttribution, ...] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    origin: str = ""

    @property
    def publisher(self) -> str | None:
        """The outlet, where the file says it."""
        value = self.extra.get("publisher")
        return value if isinstance(value, str) else None


@dataclass(frozen=True, slots=True)
class GoldSet:
    """Articles read from one or more files, with counted warnings and the files' checksums."""

    articles: tuple[GoldArticle, ...]
    warnings: Mapping[str, int] = field(default_factory=dict)
    checksums: Mapping[str, str] = field(default_factory=dict)


_Pair = Annotated[list[StrictInt], Field(min_length=2, max_length=2)]


class _EntityRow(BaseModel):
    start: StrictInt
    end: StrictInt
    label: Annotated[StrictStr, Field(min_length=1)]
    entity: StrictStr | None = None


class _AttributionRow(BaseModel):
    content: Annotated[list[_Pair], Field(min_length=1)]
    cue: list[_Pair] = []
    source: list[_Pair] = []
    speaker: StrictStr | None = None
    kind: AttributionKind | None = None
    stance: Stance | None = None


class _ArticleRow(BaseModel):
    model_config = ConfigDict(extra="allow")

    id: Annotated[StrictStr, Field(min_length=1)]
    text: Annotated[StrictStr, Field(min_length=1)]
    sentences: list[_Pair] | None = None
    entities: list[_EntityRow] | None = None
    attributions: list[_AttributionRow] | None = None


def read_gold(paths: Path | str | Iterable[Path | str]) -> GoldSet:
    """Read and check gold files.

    Args:
        paths: JSON Lines files, JSON files with one article or a list of them, or folders, whose
            ``.jsonl`` and ``.json`` files are read in order of name.

    Raises:
        GoldError: a file is missing, empty, not JSON, or says something impossible.
    """
    files = list(_expand([paths] if isinstance(paths, str | Path) else paths))
    articles: list[GoldArticle] = []
    checksums = {}
    origins: dict[str, str] = {}
    for path in files:
        data = path.read_bytes()
        checksums[str(path)] = hashlib.sha256(data).hexdigest()
        for origin, row in _rows(path, data):
            article = parse_article(row, origin)
            if article.id in origins:
                raise GoldError(
                    f"{origin}: id {article.id!r} was already read from {origins[article.id]}; "
                    "every article needs its own id (score two annotators with onrecord agreement)"
                )
            origins[article.id] = origin
            articles.append(article)
    return GoldSet(tuple(articles), count_warnings(articles), checksums)


def _expand(paths: Iterable[Path | str]) -> Iterator[Path]:
    for path in map(Path, paths):
        if path.is_dir():
            found = sorted(p for p in path.iterdir() if p.suffix in (".jsonl", ".json"))
            if not found:
                raise GoldError(f"{path}: no .jsonl or .json file in this folder")
            yield from found
        elif path.is_file():
            yield path
        else:
            raise GoldError(f"{path}: no such file; name gold files or folders of them")


def _rows(path: Path, data: bytes) -> Iterator[tuple[str, Any]]:
    """Place and value of every article in a file."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise GoldError(f"{path}: not UTF-8 ({error}); save the file as UTF-8") from error
    if not text.strip():
        raise GoldError(f"{path}: the file is empty; expected one JSON object a line")
    if path.suffix == ".json":
        whole = _load(text, str(path))
        rows = whole if isinstance(whole, list) else [whole]
        yield from ((f"{path}, article {number}", row) for number, row in enumerate(rows, 1))
        return
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            origin = f"{path}, line {number}"
            yield origin, _load(line, origin)


def _load(text: str, origin: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        hint = "; a file of one JSON object over many lines must be named .json"
        raise GoldError(f"{origin}: not JSON ({error}){hint}") from error


def parse_article(row: Any, origin: str = "") -> GoldArticle:
    """Check one decoded article and give it types.

    Args:
        row: the decoded JSON object.
        origin: where it was read, for messages.

    Raises:
        GoldError: a key is missing or of the wrong type, a value is unknown, or a span lies
            outside the text; the message lists the first five problems.
    """
    try:
        parsed = _ArticleRow.model_validate(row)
    except ValidationError as error:
        problems = [_describe(problem) for problem in error.errors()]
        raise _refuse(origin, problems) from error
    article = GoldArticle(
        id=parsed.id,
        text=parsed.text,
        sentences=None if parsed.sentences is None else tuple(sorted(_spans(parsed.sentences))),
        entities=None if parsed.entities is None else _entities(parsed.entities),
        attributions=None if parsed.attributions is None else _attributions(parsed.attributions),
        extra=parsed.model_extra or {},
        origin=origin,
    )
    problems = list(_span_problems(article))
    if problems:
        raise _refuse(f"{origin}, article {article.id!r}", problems)
    return article


def _describe(problem: Any) -> str:
    where = ".".join(str(part) for part in problem["loc"]) or "article"
    given = repr(problem["input"])
    if problem["type"] == "missing":
        return f"{where} is missing"
    return f"{where}: {problem['msg']} (given {given[:60]}{'...' if len(given) > 60 else ''})"


def _refuse(origin: str, problems: Sequence[str]) -> GoldError:
    more = len(problems) - _MOST_PROBLEMS
    listed = "; ".join(problems[:_MOST_PROBLEMS]) + (f"; and {more} more" if more > 0 else "")
    return GoldError(f"{origin or 'gold article'}: {listed}")


def _spans(pairs: Iterable[Sequence[int]]) -> Spans:
    return tuple(sorted(Span(start, end) for start, end in pairs))


def _entities(rows: Iterable[_EntityRow]) -> tuple[GoldEntity, ...]:
    found = (GoldEntity(row.start, row.end, row.label, row.entity) for row in rows)
    return tuple(sorted(found, key=lambda e: (e.start, e.end, e.label)))


def _attributions(rows: Iterable[_AttributionRow]) -> tuple[GoldAttribution, ...]:
    found = (
        GoldAttribution(
            content=_spans(row.content),
            cue=_spans(row.cue),
            source=_spans(row.source),
            speaker=row.speaker,
            speaker_labelled="speaker" in row.model_fields_set,
            kind=row.kind,
            stance=row.stance,
        )
        for row in rows
    )
    return tuple(sorted(found, key=lambda a: (a.content, a.cue, a.source)))


def _span_problems(article: GoldArticle) -> Iterator[str]:
    """Spans that are empty, reversed or outside the text."""
    for layer, spans in _all_spans(article):
        for start, end in spans:
            if not 0 <= start < end <= len(article.text):
                yield (
                    f"{layer}: span [{start}, {end}] does not fit a text of "
                    f"{len(article.text)} characters (half-open code points; a tool that counts "
                    "UTF-16 units or bytes needs onrecord import)"
                )
            elif not article.text[start:end].strip():
                yield f"{layer}: span [{start}, {end}] covers only white space"


def _all_spans(article: GoldArticle) -> Iterator[tuple[str, Sequence[Span]]]:
    yield "sentences", article.sentences or ()
    yield "entities", [Span(e.start, e.end) for e in article.entities or ()]
    for number, attribution in enumerate(article.attributions or ()):
        for part in ("content", "cue", "source"):
            yield f"attributions.{number}.{part}", getattr(attribution, part)


def count_warnings(articles: Iterable[GoldArticle]) -> dict[str, int]:
    """What is odd in gold but can be scored, with the number of times it occurs."""
    warnings: Counter[str] = Counter()
    for article in articles:
        warnings.update(_overlaps(article))
        for entity in article.entities or ():
            if entity.label not in KNOWN_LABELS:
                warnings[f"entity label {entity.label!r}, which no model of onrecord predicts"] += 1
        if not any((article.sentences, article.entities, article.attributions)):
            warnings["articles without any label"] += 1
        statements = Counter((a.content, a.cue, a.source) for a in article.attributions or ())
        warnings["statements given twice"] += sum(statements.values()) - len(statements)
    return {what: n for what, n in sorted(warnings.items()) if n}


def _overlaps(article: GoldArticle) -> Counter[str]:
    sentences = article.sentences or ()
    entities = [Span(e.start, e.end) for e in article.entities or ()]
    return Counter(
        {
            f"overlapping {layer} (both are scored)": sum(
                later.start < earlier.end for earlier, later in pairwise(spans)
            )
            for layer, spans in (("sentences", sentences), ("entities", entities))
        }
    )


def quotations_of(text: str) -> list[Quotation]:
    """The quotations of an article, paired in its paragraphs as the stages pair them."""
    return find_quotations(text, paragraph_spans(segment(text)) or None)


def with_kinds(article: GoldArticle) -> GoldArticle:
    """The article with every missing ``kind`` read off the quotation marks of the text."""
    if not any(a.kind is None for a in article.attributions or ()):
        return article
    quotations = quotations_of(article.text)
    filled = (
        a if a.kind else replace(a, kind=kind_by_marks(article.text, a.content, quotations))
        for a in article.attributions or ()
    )
    return replace(article, attributions=tuple(filled))


def article_row(article: GoldArticle) -> dict[str, Any]:
    """The article as the JSON object of a gold line."""
    row: dict[str, Any] = {"id": article.id, "text": article.text, **article.extra}
    if article.sentences is not None:
        row["sentences"] = [list(span) for span in article.sentences]
    if article.entities is not None:
        row["entities"] = [
            {"start": e.start, "end": e.end, "label": e.label, "entity": e.entity}
            for e in article.entities
        ]
    if article.attributions is not None:
        row["attributions"] = [_attribution_row(a) for a in article.attributions]
    return row


def _attribution_row(attribution: GoldAttribution) -> dict[str, Any]:
    row: dict[str, Any] = {
        part: [list(span) for span in getattr(attribution, part)]
        for part in ("content", "cue", "source")
    }
    if attribution.speaker_labelled:
        row["speaker"] = attribution.speaker
    if attribution.kind is not None:
        row["kind"] = attribution.kind
    if attribution.stance is not None:
        row["stance"] = attribution.stance
    return row


def write_gold(articles: Iterable[GoldArticle], path: Path | str) -> int:
    """Write articles as JSON Lines; returns how many. The file appears whole or not at all."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(article_row(article), ensure_ascii=False) + "\n" for article in articles]
    replace_file(path, "".join(lines).encode("utf-8"))
    return len(lines)
