"""Gold as labelled regions with links, the shape that annotation tools share.

A statement is one ``Content`` region for each piece, one ``Cue`` and ``Source`` region for each of
theirs, and links from its first content region to all others. Regions of equal span and role are
one region: a source may serve several statements. Kind, stance and speaker are attributes of the
first content region, the entity's name one of the entity region.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from onrecord.evaluation.gold import GoldArticle, GoldAttribution, GoldEntity, GoldError
from onrecord.records import KINDS, STANCES, Span, Spans

CONTENT, CUE, SOURCE, SENTENCE = "Content", "Cue", "Source", "Sentence"
ROLES = {"content": CONTENT, "cue": CUE, "source": SOURCE}
# The link from a statement's first content region to its other content regions.
CONTINUES = "content"
# What a tool shows for a speaker whom nobody names; no name of a person or body.
UNNAMED = "(unnamed)"
# Link and label names are compared without regard to case: annotators retype them.
_PART_OF_LABEL = {label.casefold(): part for part, label in ROLES.items()}


@dataclass(frozen=True, slots=True)
class Region:
    """A labelled span with attributes (kind, stance, speaker, entity)."""

    id: str
    label: str
    start: int
    end: int
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Link:
    """A labelled link between two regions, by id."""

    start: str
    end: str
    label: str


def to_regions(article: GoldArticle) -> tuple[list[Region], list[Link]]:
    """Regions and links of an article. Ids are R1, R2, ... in order of creation."""
    regions: list[Region] = []
    links: list[Link] = []

    def add(label: str, span: Span, attributes: Mapping[str, str] | None = None) -> str:
        region = Region(f"R{len(regions) + 1}", label, span.start, span.end, attributes or {})
        regions.append(region)
        return region.id

    for span in article.sentences or ():
        add(SENTENCE, span)
    for entity in article.entities or ():
        named = {} if entity.entity is None else {"entity": entity.entity}
        add(entity.label, Span(entity.start, entity.end), named)
    shared: dict[tuple[str, Span], str] = {}
    for statement in article.attributions or ():
        head = add(CONTENT, statement.content[0], attributes_of(statement))
        links += [Link(head, add(CONTENT, span), CONTINUES) for span in statement.content[1:]]
        for part in ("cue", "source"):
            for span in getattr(statement, part):
                key = (part, span)
                if key not in shared:
                    shared[key] = add(ROLES[part], span)
                links.append(Link(head, shared[key], part))
    return regions, links


def attributes_of(statement: GoldAttribution) -> dict[str, str]:
    """Kind, stance and speaker as far as they were labelled."""
    found: dict[str, str] = {}
    if statement.kind is not None:
        found["kind"] = statement.kind
    if statement.stance is not None:
        found["stance"] = statement.stance
    if statement.speaker_labelled:
        found["speaker"] = UNNAMED if statement.speaker is None else statement.speaker
    return found


def from_regions(
    article_id: str,
    text: str,
    regions: Sequence[Region],
    links: Iterable[Link],
    origin: str,
    extra: Mapping[str, object] | None = None,
) -> GoldArticle:
    """The article that regions and links describe.

    A layer is present where the tool has at least one region of it; sentences and entities that
    an annotator deleted to the last one are therefore taken as not labelled.

    Raises:
        GoldError: a link leads nowhere or to a region of another role, the Content of a statement
            goes on in a circle or of two statements, or an attribute has an unknown value.
    """
    by_id = {region.id: region for region in regions}
    content = {r.id: r for r in regions if _part(r) == "content"}
    parts: dict[str, dict[str, list[Span]]] = {
        key: {"content": [Span(r.start, r.end)], "cue": [], "source": []}
        for key, r in content.items()
    }
    ends = [_ends(link, by_id, origin) for link in links]
    continued: dict[str, set[str]] = {}
    for head, other, part in ends:
        if part == "content":
            continued.setdefault(other.id, set()).add(head)
    for head, other, part in ends:
        first = _first_content(head, continued, by_id, origin)
        parts[first][part].append(Span(other.start, other.end))
    statements = [
        _statement(parts[key], region.attributes, origin)
        for key, region in content.items()
        if key not in continued
    ]
    entities = [r for r in regions if _part(r) is None and r.label != SENTENCE]
    sentences = [Span(r.start, r.end) for r in regions if r.label == SENTENCE]
    return GoldArticle(
        id=article_id,
        text=text,
        sentences=tuple(sorted(sentences)) or None,
        entities=tuple(
            sorted(
                (GoldEntity(r.start, r.end, r.label, r.attributes.get("entity")) for r in entities),
                key=lambda e: (e.start, e.end, e.label),
            )
        )
        or None,
        attributions=tuple(sorted(statements, key=lambda a: (a.content, a.cue, a.source))) or None,
        extra=dict(extra or {}),
        origin=origin,
    )


def _part(region: Region) -> str | None:
    return _PART_OF_LABEL.get(region.label.casefold())


def _ends(link: Link, by_id: Mapping[str, Region], origin: str) -> tuple[str, Region, str]:
    """Head id, other region and part of a link, whichever way the annotator drew it."""
    if missing := [end for end in (link.start, link.end) if end not in by_id]:
        raise GoldError(f"{origin}: a link leads to region {missing[0]!r}, which does not exist")
    start, end = by_id[link.start], by_id[link.end]
    if _part(start) != "content" and _part(end) == "content":
        start, end = end, start
    part = _part(end)
    if _part(start) != "content" or part is None:
        raise GoldError(
            f"{origin}: a link joins {start.label!r} ({start.start} to {start.end}) and "
            f"{end.label!r} ({end.start} to {end.end}); links go from the first Content of a "
            "statement to its Cue, its Source and its other Content"
        )
    return start.id, end, part


def _first_content(
    head: str, continued: Mapping[str, set[str]], by_id: Mapping[str, Region], origin: str
) -> str:
    """The first content region of a statement whose links an annotator drew in a chain."""
    first, passed = head, {head}
    while first in continued:
        before, *others = sorted(continued[first])
        region = by_id[first]
        if others or before in passed:
            reason = "continues two statements" if others else "continues itself"
            raise GoldError(
                f"{origin}: the Content at {region.start} to {region.end} {reason}; link each "
                "Content of a statement from its first one alone"
            )
        passed.add(before)
        first = before
    return first


def _statement(
    parts: Mapping[str, Sequence[Span]], attributes: Mapping[str, str], origin: str
) -> GoldAttribution:
    kind, stance = attributes.get("kind"), attributes.get("stance")
    for name, value, allowed in (("kind", kind, KINDS), ("stance", stance, STANCES)):
        if value is not None and value not in allowed:
            raise GoldError(
                f"{origin}: {name} {value!r} of the statement at {parts['content'][0].start} is "
                f"unknown; expected {', '.join(allowed)}"
            )
    speaker = attributes.get("speaker")
    return GoldAttribution(
        content=_sorted(parts["content"]),
        cue=_sorted(parts["cue"]),
        source=_sorted(parts["source"]),
        speaker=None if speaker == UNNAMED else speaker,
        speaker_labelled=speaker is not None,
        kind=kind,  # type: ignore[arg-type]
        stance=stance,  # type: ignore[arg-type]
    )


def _sorted(spans: Iterable[Span]) -> Spans:
    return tuple(sorted(set(spans)))
