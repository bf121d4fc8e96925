"""Countries, their peoples and capitals: public facts, from ``data/places.json``.

"Spanish" belongs to Spain and "US" to the United States also in an article that never writes the
country's full name, so these few names cannot come from the article.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files

from onrecord.names import fold


@dataclass(frozen=True, slots=True)
class Gazetteer:
    """Folded form to common name.

    Attributes:
        countries: forms of a country's name ("us", "britain").
        peoples: adjectives and nouns of a country's or region's people ("spanish", "briton").
        regions: continents and the like, which are LOC.
        cities: capitals and states of the United States, by their folded names.
        forms: names of countries (GPE) and peoples (NORP) as written.
    """

    countries: dict[str, str] = field(default_factory=dict)
    peoples: dict[str, str] = field(default_factory=dict)
    regions: dict[str, str] = field(default_factory=dict)
    cities: dict[str, str] = field(default_factory=dict)
    forms: list[tuple[str, str]] = field(default_factory=list)


@lru_cache(maxsize=1)
def load_gazetteer() -> Gazetteer:
    """The gazetteer that the package ships."""
    path = files("onrecord") / "data" / "places.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    found = Gazetteer()
    for country in data["countries"]:
        for form in (country["name"], *country["aliases"]):
            found.countries[fold(form)] = country["name"]
            found.forms.append((form, "GPE"))
        for form in country["peoples"]:
            found.peoples[fold(form)] = country["name"]
            found.forms.append((form, "NORP"))
        if country["capital"]:
            found.cities[fold(country["capital"])] = country["capital"]
    for region in data["regions"]:
        found.regions[fold(region["name"])] = region["name"]
        for form in region["peoples"]:
            found.peoples[fold(form)] = region["name"]
    for state in data["states"]:
        found.cities.setdefault(fold(state), state)
    return found
