"""Bytes to text: byte order mark, then UTF-8, then what the file declares, then detection.

The text is what the bytes say and nothing more: line ends, control characters and even mojibake
stay, because a repair would move every offset away from what the reporter's file holds.
"""

from __future__ import annotations

import codecs
import logging
import re

from charset_normalizer import from_bytes

from onrecord.readers.problems import UnreadableError

# The longer marks first: the UTF-16 mark is a prefix of the UTF-32 one. The codecs named here take
# the mark off.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Encodings that news files are met in, likeliest first. Detection alone cannot tell cp1252 from
# its neighbours on English text (one pound sign differs), so near ties go to the earlier one.
_CANDIDATES = (
    "cp1252", "mac_roman", "cp1250", "cp1251", "koi8_r", "cp1253", "cp1254", "cp1255", "cp1256",
    "cp1257", "shift_jis", "euc_jp", "gb18030", "big5", "euc_kr",
)  # fmt: skip
_TIE = 0.01
_NEIGHBOURS = 3
_MAX_EVIDENCE = 500  # words
# Pages that declare Latin-1 or ASCII are read as cp1252, as browsers do (WHATWG Encoding).
_LATIN_1 = frozenset({"iso8859-1", "ascii"})
_DECLARED = re.compile(
    rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]{2,40})""", re.IGNORECASE
)
_XML_DECLARED = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]{2,40})""")
_MAX_CONTROL = 0.1
# Control characters other than tabs, line ends and form feeds.
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")

# A library's warnings about one odd file are told in the errors table, not on the terminal.
logging.getLogger("charset_normalizer").addHandler(logging.NullHandler())


def byte_order_mark(data: bytes) -> str | None:
    """The codec that a byte order mark at the start of ``data`` calls for, or None."""
    return next((codec for mark, codec in _MARKS if data.startswith(mark)), None)


def text_codec(name: str) -> str | None:
    """Python's name of an encoding, or None where it knows none that turns bytes into text."""
    try:
        b"x".decode(name)
    except LookupError:
        return None
    except UnicodeError:  # a codec of wider units
        pass
    return codecs.lookup(name).name


def declared_encoding(page: bytes) -> str | None:
    """The encoding an HTML page declares in its first 4 kB, as a Python codec name, or None."""
    head = page[:4096]
    match = _XML_DECLARED.search(head) or _DECLARED.search(head)
    if match is None:
        return None
    name = text_codec(match[1].decode("ascii", "replace"))
    return "cp1252" if name in _LATIN_1 else name


def detect_encoding(data: bytes) -> str | None:
    """The likeliest encoding of bytes that are not UTF-8, or None where nothing fits."""
    evidence = _evidence(data)
    chaos: dict[str, float] = {}
    # One by one, since together the detector drops those that look alike, and in one piece, since
    # the few characters left over by its pieces would weigh as much as all others.
    for codec in _CANDIDATES:
        match = from_bytes(evidence, steps=1, chunk_size=len(evidence), cp_isolation=[codec]).best()
        if match is not None and match.encoding == codec:
            chaos[codec] = match.chaos
    limit = min(chaos.values(), default=0.0) + _TIE
    return next((codec for codec, value in chaos.items() if value <= limit), None)


def _evidence(data: bytes) -> bytes:
    """The words that are not ASCII, each with its neighbours.

    The detector samples a few kilobytes, and in English pages those are ASCII. No candidate
    encoding has a space as the second byte of a character, so words are whole characters.
    """
    words = data.split()
    kept: dict[int, bytes] = {}
    for number, word in enumerate(words):
        if not word.isascii():
            near = range(max(0, number - _NEIGHBOURS), min(len(words), number + _NEIGHBOURS + 1))
            kept.update((index, words[index]) for index in near)
            if len(kept) > _MAX_EVIDENCE:
                break
    return b" ".join(kept.values())


def mostly_control(text: str) -> bool:
    """Whether more than a tenth of the text is control characters, as in no article."""
    return len(_CONTROL.findall(text)) > _MAX_CONTROL * len(text)


def decode(data: bytes, *, encoding: str | None = None, declared: str | None = None) -> str:
    """The text of a file.

    Args:
        data: the whole file.
        encoding: codec the user names; nothing else is tried.
        declared: codec the file itself declares, tried where there is no byte order mark and the
            bytes are not UTF-8.

    Raises:
        UnreadableError: a binary file, or no encoding fits.
    """
    text = _decode(data, encoding, declared)
    if "\0" in text or mostly_control(text):
        raise UnreadableError(
            "BinaryFile",
            "holds zero bytes or mostly control characters, so it is not text; if it is UTF-16 "
            "without a byte order mark, name it with --encoding utf-16-le",
        )
    return text


def _decode(data: bytes, encoding: str | None, declared: str | None) -> str:
    mark = byte_order_mark(data)
    for codec in [encoding] if encoding else [mark] if mark else ["utf-8", declared]:
        text = _try(data, codec)
        if text is not None:
            return text
    if encoding or mark:
        raise UnreadableError(
            "UndecodableText",
            f"not valid {encoding or mark}, which "
            f"{'--encoding names' if encoding else 'its byte order mark says'}; save it as UTF-8",
        )
    detected = None if b"\0" in data else detect_encoding(data)
    text = _try(data, detected)
    if text is None:
        raise UnreadableError(
            "BinaryFile" if b"\0" in data else "UndecodableText",
            "neither UTF-8 nor any encoding that fits, so it is binary or damaged; save it as "
            "UTF-8, or name its encoding with --encoding",
        )
    return text


def _try(data: bytes, codec: str | None) -> str | None:
    if codec is None:
        return None
    try:
        return data.decode(codec)
    except UnicodeError:
        return None


def table_encoding(sample: bytes) -> str:
    """The encoding of a CSV or JSON Lines file, judged by its start.

    One damaged row must not turn a UTF-8 file into something else, so UTF-8 holds where more
    characters are valid in it than bytes are not.
    """
    mark = byte_order_mark(sample)
    if mark:
        return mark
    # Incremental, so that a character cut off by the end of the sample is not taken for damage.
    text = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode(sample)
    invalid = sum("\udc80" <= char <= "\udcff" for char in text)
    valid = sum(char > "\x7f" for char in text) - invalid
    if valid >= invalid:
        return "utf-8"
    return detect_encoding(sample) or "utf-8"
