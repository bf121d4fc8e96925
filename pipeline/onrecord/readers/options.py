"""What the user may set about reading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from onrecord.readers.columns import MAX_CHARS, check_columns
from onrecord.readers.decoding import text_codec
from onrecord.readers.problems import InputError


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """Field-to-column mapping, encoding of text files and tables, and longest text (code points).

    Raises:
        InputError: a field or an encoding that does not exist, or a limit below 1.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None
    max_chars: int = MAX_CHARS

    def __post_init__(self) -> None:
        check_columns(self.columns)
        if self.encoding is not None and text_codec(self.encoding) is None:
            raise InputError(f"--encoding {self.encoding!r} is not known; try utf-8 or cp1252")
        if self.encoding is not None and text_codec(self.encoding) == "utf-8":
            object.__setattr__(self, "encoding", "utf-8-sig")  # with or without its mark
        if self.max_chars < 1:
            raise InputError(f"--max-chars {self.max_chars} is not a positive number")
