"""What only the order of the rows tells: how quickly a column changes, and which requests came twice."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bot.core.profiles import Counts
from bot.sources.values import texts
from bot.stats.profiles import changes

MOST_SORTED = 2_000_000
"""Rows that are not in the order of time are put into it only up to so many: it takes a copy of all of them."""


def in_time(at: Counts) -> tuple[pa.Array | None, bool]:
    """Return the order that brings rows of these times, shape (n,), into the order of time, and whether they then are in it.

    None where nothing has to be moved; of too many rows nothing is.
    """
    if (at[1:] >= at[:-1]).all():
        return None, True
    return (None, False) if len(at) > MOST_SORTED else (pa.array(np.argsort(at, kind="stable")), True)


def level_changes(column: pa.ChunkedArray) -> tuple[int, int]:
    """Return how many neighbours of a column of texts differ, and of how many pairs within its chunks."""
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    found = [changes(np.asarray(chunk.indices)) for chunk in encoded.chunks]
    return sum(changed for changed, _ in found), sum(pairs for _, pairs in found)


def repeated(table: pa.Table, request: str) -> int | None:
    """Return how many rows bear a request id that an earlier row of the table has already; None where the log has no ids."""
    if request not in table.column_names:
        return None
    ids = table.column(request).drop_null()
    if pa.types.is_dictionary(ids.type):
        ids = ids.cast(ids.type.value_type)
    if not len(ids):
        return None
    whole = pa.types.is_integer(ids.type) or pa.types.is_string(ids.type)  # of lists, UUIDs and the like Arrow counts only some
    return len(ids) - int(pc.count_distinct(ids if whole else texts(ids)).as_py())
