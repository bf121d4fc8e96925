"""Wire copies: articles that say nearly the same in nearly the same words.

How alike two articles are is the share of three-word sequences, of all that either has, that both
have (Jaccard), as MinHash estimates it. What is compared lies in SQLite, so that memory does not
grow with the articles, and every article is compared with those only that share a band of its
signature.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt

from onrecord.batch.durable import remove_tree
from onrecord.batch.options import RunError

SIMILARITY = 0.7
_WORD = re.compile(r"\w+")
_SEQUENCE = 3
# Two articles that are exactly as alike as the limit share a band 99 times in 100.
_BANDS = 25
_ROWS = 5
# Sequences that are hashed at once; a book must not need a matrix of all of its own.
_CHUNK = 4_096
_SCHEMA = """
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
CREATE TABLE original (number INTEGER PRIMARY KEY, article_id TEXT, signature BLOB);
CREATE TABLE band (key INTEGER, number INTEGER, PRIMARY KEY (key, number)) WITHOUT ROWID;
BEGIN;
"""

Signature = npt.NDArray[np.uint32]


def need_datasketch() -> None:
    """Raise RunError, naming the line that installs it, where datasketch is missing."""
    if find_spec("datasketch") is None:
        raise RunError(
            "--near-duplicates needs datasketch, which is not installed: "
            "pip install 'onrecord[near-duplicates]'"
        )


class NearDuplicates:
    """The articles met so far that repeat no earlier one, as a context manager.

    Args:
        path: SQLite file to keep them in; it is made anew, and removed at the end.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        remove_tree(path)
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.executescript(_SCHEMA)

    def __enter__(self) -> NearDuplicates:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._database.close()
        remove_tree(self._path)

    def original_of(self, article_id: str, text: str) -> str | None:
        """Id of the article that this one repeats; None, and it is remembered, if there is none.

        Of several that it resembles, the one that it resembles most, then the first by id.
        """
        signature = _signature(text)
        found = [
            (-alike, other)
            for other, theirs in self._candidates(signature)
            if (alike := float(np.mean(signature == theirs))) >= SIMILARITY
        ]
        if found:
            return min(found)[1]
        self._remember(article_id, signature)
        return None

    def remember(self, article_id: str, text: str) -> None:
        """Take an article as one that others may repeat."""
        self._remember(article_id, _signature(text))

    def _candidates(self, signature: Signature) -> Iterator[tuple[str, Signature]]:
        keys = list(_band_keys(signature))
        rows = self._database.execute(
            "SELECT article_id, signature FROM original WHERE number IN "  # noqa: S608 - marks only
            f"(SELECT number FROM band WHERE key IN ({', '.join('?' * len(keys))}))",
            keys,
        )
        for article_id, theirs in rows:
            yield article_id, np.frombuffer(theirs, "<u4")

    def _remember(self, article_id: str, signature: Signature) -> None:
        number = self._database.execute(
            "INSERT INTO original VALUES (NULL, ?, ?)",
            (article_id, signature.astype("<u4").tobytes()),
        ).lastrowid
        self._database.executemany(
            "INSERT INTO band VALUES (?, ?)", ((key, number) for key in _band_keys(signature))
        )


def _signature(text: str) -> Signature:
    """MinHash of the three-word sequences of a text; of a shorter one, of all its words."""
    from datasketch import MinHash

    words = _WORD.findall(text.casefold())
    sequences = [
        " ".join(words[at : at + _SEQUENCE]).encode()
        for at in range(max(1, len(words) - _SEQUENCE + 1))
    ]
    # The scheme is named, so that no later default of the library changes what is found.
    sketch = MinHash(num_perm=_BANDS * _ROWS, seed=1, scheme="affine32")
    for at in range(0, len(sequences), _CHUNK):
        sketch.update_batch(sequences[at : at + _CHUNK])
    signature: Signature = sketch.hashvalues
    return signature


def _band_keys(signature: Signature) -> Iterator[int]:
    """One 64-bit number for each band, different from band to band."""
    for band, rows in enumerate(signature.astype("<u4").reshape(_BANDS, _ROWS)):
        digest = hashlib.blake2b(bytes([band]) + rows.tobytes(), digest_size=8).digest()
        yield int.from_bytes(digest, "little", signed=True)
