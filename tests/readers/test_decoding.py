import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onrecord.readers.decoding import declared_encoding, decode, table_encoding
from onrecord.readers.problems import UnreadableError

ENGLISH = (
    "The minister said the café would not close. “We won’t go back on our word,” he told "
    "reporters – a record £5m had been set aside, and São Paulo's mayor agreed.\r\n"
)
POLISH = "Zażółć gęślą jaźń, powiedział minister Kowalski w środę po południu."
RUSSIAN = "Правительство отклонило предложение в понедельник."


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        (ENGLISH, "utf-8"),
        (ENGLISH, "utf-8-sig"),
        (ENGLISH, "utf-16"),
        (ENGLISH, "utf-32"),
        (ENGLISH, "cp1252"),
        (ENGLISH * 200, "cp1252"),
        (ENGLISH, "mac_roman"),
        # One odd byte in pages of plain ASCII, the usual case.
        ("The talks went on for hours in the capital. " * 100 + "“No deal.”", "cp1252"),
        ("The talks went on for hours in the capital. " * 50 + "A fee of £5m.", "cp1252"),
        ("He met the fiancé in the café. " + "The talks went on for hours. " * 50, "cp1252"),
        (POLISH, "cp1250"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8_r"),
        ("政府は月曜日に発表した。首相は記者団に「合意した」と述べた。", "shift_jis"),
    ],
)
def test_the_encoding_is_found(text, codec):
    assert decode(text.encode(codec)) == text


def test_marks_of_either_byte_order():
    assert decode(b"\xfe\xff" + ENGLISH.encode("utf-16-be")) == ENGLISH
    assert decode(b"\x00\x00\xfe\xff" + ENGLISH.encode("utf-32-be")) == ENGLISH


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=300))
def test_any_text_in_utf_8_is_left_as_it_is(text):
    assert decode(text.encode("utf-8")) == text.removeprefix("\ufeff")


def test_line_ends_controls_and_mojibake_stay():
    text = "One\r\nTwo\rThree\n\x0cFour \x1b[1m â€œFiveâ€\x9d\u2028Six and so on and on"
    assert decode(text.encode("utf-8")) == text


RANDOM = random.Random(1).randbytes(4000)  # noqa: S311


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + RANDOM, "BinaryFile"),
        (RANDOM.replace(b"\0", b""), "UndecodableText"),
        (b"\x01\x02\x03\x04 a few letters", "BinaryFile"),
        (b"text with a zero \0 byte", "BinaryFile"),
        ("UTF-16 without a mark".encode("utf-16-le"), "BinaryFile"),
        (b"\xef\xbb\xbfbad \xff byte after the mark", "UndecodableText"),
        (b"\xff\xfeo\0d\0d", "UndecodableText"),
    ],
)
def test_what_is_not_text_is_refused(data, reason):
    with pytest.raises(UnreadableError) as raised:
        decode(data)
    assert raised.value.reason == reason


def test_a_named_encoding_is_the_only_one_tried():
    assert decode("£5".encode(), encoding="cp1252") == "Â£5"
    assert decode("plan".encode("utf-16-le"), encoding="utf-16-le") == "plan"
    with pytest.raises(UnreadableError, match="not valid utf-8, which --encoding names"):
        decode(b"\xa35", encoding="utf-8")


@pytest.mark.parametrize(
    ("page", "codec"),
    [
        (b'<html><head><meta charset="windows-1251">', "cp1251"),
        (b"<META http-equiv='Content-Type' content='text/html; charset=Shift_JIS'>", "shift_jis"),
        (b"<?xml version='1.0' encoding='ISO-8859-2'?><html>", "iso8859-2"),
        (b"<meta charset=iso-8859-1>", "cp1252"),
        (b"<meta charset=us-ascii>", "cp1252"),
        (b'<meta charset="no-such-thing">', None),
        (b'<meta charset="hex">', None),
        (b"<html><body>charset=koi8-r</body>", None),
    ],
)
def test_a_page_declares_its_encoding(page, codec):
    assert declared_encoding(page) == codec


@pytest.mark.parametrize(
    ("sample", "codec"),
    [
        (b"id,text\n1,plain", "utf-8"),
        ("id,text\n1,“é”".encode(), "utf-8"),
        ("id,text\n1,“é”".encode()[:-1], "utf-8"),  # cut in the middle of a character
        ("id,text\n1,“é”é".encode() + b"\xe9", "utf-8"),  # one damaged row
        ("id,text\n1,The café cost £5m".encode("cp1252"), "cp1252"),
        ("id,text".encode("utf-16"), "utf-16"),
        (b"", "utf-8"),
    ],
)
def test_the_encoding_of_a_table_is_judged_by_its_start(sample, codec):
    assert table_encoding(sample) == codec
