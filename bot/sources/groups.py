"""Which rows of a log were ranked together: one query's results, one session's offers."""

from hashlib import blake2b

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from bot.core.errors import SourceUnavailable
from bot.core.profiles import Counts
from bot.sources.values import texts

Flags = npt.NDArray[np.bool_]


def grouped(table: pa.Table, name: str) -> tuple[Counts, Flags]:
    """Return a number a group, the same in every slice of a log, and which rows are in one at all; shape (n,) both.

    It is a hash of the group's name: evenly spread, so that whole groups can be drawn by it, and no log's ids lie in the store.

    Raises:
        SourceUnavailable: the log does not say which rows belong together.
    """
    if name not in table.column_names:
        words = f"has no column '{name}'" if name else "does not say which items were ranked together"
        raise SourceUnavailable(f"The log {words}; name the id of the query or session as `group` under the model's columns.")
    found = pc.dictionary_encode(texts(table.column(name)).combine_chunks())
    found = found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found
    numbers = np.array([*(_number(text) for text in found.dictionary.to_pylist()), NONE], dtype=np.int64)
    groups = numbers[np.asarray(pc.fill_null(found.indices, len(numbers) - 1), dtype=np.int64)]
    return groups, np.asarray(groups != NONE, dtype=bool)


def whole(groups: Counts, known: Flags) -> Flags:
    """Return the rows of those groups all of whose rows are known, shape (n,)."""
    _, place = np.unique(groups, return_inverse=True)
    lacking = np.bincount(place, ~known, minlength=1)
    return np.asarray(lacking[place] == 0, dtype=bool)


def _number(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little", signed=True)


NONE = _number("")
"""The group of all rows that are in none."""
