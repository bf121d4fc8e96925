"""Publication times, in the many ways that exports write them, as aware UTC datetimes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import Any

from dateutil import parser

# Abbreviations that news exports use, in hours from UTC; one that is not listed is ambiguous or
# rare, and a date that carries it is left unparsed rather than read hours wrong.
_ZONES = {
    "UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "BST": 1, "WEST": 1, "CET": 1, "WAT": 1, "CEST": 2,
    "EET": 2, "CAT": 2, "SAST": 2, "EEST": 3, "MSK": 3, "EAT": 3, "IST": 5.5, "SGT": 8, "HKT": 8,
    "JST": 9, "KST": 9, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13, "EST": -5, "EDT": -4,
    "ET": -5, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
}  # fmt: skip
# Two defaults that differ in year, month and day: a date that takes a part from either is not one.
_DEFAULTS = (datetime(2001, 1, 1), datetime(2002, 2, 2))
_SECONDS = (10**8, 10**11)  # Unix times from 1973 on; larger numbers are milliseconds
_MILLISECONDS = 10**14


def parse_date(value: Any) -> datetime | None:
    """The moment a value names, in UTC, or None where it names no whole date.

    Takes datetimes, dates, Unix times in seconds or milliseconds, and strings in ISO 8601 or any
    form dateutil knows; 3/4/2025 is read as the fourth of March. A time without a zone is UTC.
    """
    try:
        moment = _moment(value)
        if moment is None:
            return None
        if moment.tzinfo is None:
            return moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _moment(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value if value == value else None  # pandas' NaT is a datetime unlike itself
    if isinstance(value, date):
        return datetime.combine(value, time())
    if isinstance(value, str):
        return _from_string(value.strip())
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _from_number(value)
    return None


def _from_number(number: float) -> datetime | None:
    if _SECONDS[0] <= number < _SECONDS[1]:
        return datetime.fromtimestamp(number, UTC)
    if _SECONDS[1] <= number < _MILLISECONDS:
        return datetime.fromtimestamp(number / 1000, UTC)
    return _from_string(str(number)) if isinstance(number, int) else None


def _from_string(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    if text.isdecimal() and len(text) > 8:
        return _from_number(int(text)) if len(text) <= 14 else None
    first, second = (parser.parse(text, default=default, tzinfos=_zone) for default in _DEFAULTS)
    return first if first == second else None


def _zone(name: str | None, offset: int | None) -> tzinfo | None:
    if offset is not None:
        return timezone(timedelta(seconds=offset))
    if name is None:
        return None
    if name.upper() not in _ZONES:
        raise ValueError(f"time zone {name!r} is not known")
    return timezone(timedelta(hours=_ZONES[name.upper()]))
