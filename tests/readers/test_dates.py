from datetime import UTC, date, datetime, timedelta, timezone

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onrecord.readers import parse_date


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2024-03-05", (2024, 3, 5)),
        ("20240305", (2024, 3, 5)),
        (20240305, (2024, 3, 5)),
        ("2024-03-05T09:15:00Z", (2024, 3, 5, 9, 15)),
        ("2024-03-05 09:15:00.25+01:00", (2024, 3, 5, 8, 15, 0, 250_000)),
        ("Tue, 05 Mar 2024 09:15:00 GMT", (2024, 3, 5, 9, 15)),
        ("March 5, 2024", (2024, 3, 5)),
        ("5 March 2024 at 9:15 am EST", (2024, 3, 5, 14, 15)),
        ("Mar 5, 2024, 9:15 p.m. BST", (2024, 3, 5, 20, 15)),
        ("3/5/2024", (2024, 3, 5)),
        ("31/12/2024", (2024, 12, 31)),
        ("2024-03-05T02:00:00-05:00", (2024, 3, 5, 7)),
        (1709630100, (2024, 3, 5, 9, 15)),
        (1709630100.0, (2024, 3, 5, 9, 15)),
        (1709630100000, (2024, 3, 5, 9, 15)),
        ("1709630100", (2024, 3, 5, 9, 15)),
        ("1709630100000", (2024, 3, 5, 9, 15)),
        (date(2024, 3, 5), (2024, 3, 5)),
        (datetime(2024, 3, 5, 9, 15), (2024, 3, 5, 9, 15)),
        (datetime(2024, 3, 5, 9, tzinfo=timezone(timedelta(hours=2))), (2024, 3, 5, 7)),
        (pd.Timestamp("2024-03-05 09:15"), (2024, 3, 5, 9, 15)),
    ],
)
def test_dates_are_read(value, expected):
    parsed = parse_date(value)
    assert parsed == datetime(*expected, tzinfo=UTC)
    assert parsed.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "value",
    [
        None, "", " ", "yesterday", "Monday", "March 2024", "2024", 2024, "12:30", "5 March",
        "2024-13-45", "9" * 30, 9e40, -5, True, ["2024-03-05"], "By Ana Silva",
        "March 5, 2024 9:15 XYZ", "9999-12-31T23:59:59-12:00", float("nan"), float("inf"), pd.NaT,
    ],
)  # fmt: skip
def test_what_names_no_whole_date_is_none(value):
    assert parse_date(value) is None


@given(st.one_of(st.text(), st.integers(), st.floats(), st.datetimes(), st.none()))
def test_no_value_breaks_it(value):
    parsed = parse_date(value)
    assert parsed is None or parsed.utcoffset() == timedelta(0)


@given(st.datetimes(timezones=st.timezones()))
def test_iso_8601_comes_back(moment):
    parsed = parse_date(moment.isoformat())
    assert parsed is None or parsed == datetime.fromisoformat(moment.isoformat())
    if 1 < moment.year < 9999:
        assert parsed is not None
