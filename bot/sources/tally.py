"""Levels of a column, counted part by part: nothing is dropped before all parts are counted, unless there are too many to hold."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bot.core.profiles import CategoryProfile, Counts
from bot.sources.values import texts
from bot.stats.profiles import profile_levels

MOST_COUNTED = 1_000_000
"""Levels that are counted at once; of more, the rare ones that the reference does not know are only summed."""


class Tally:
    """How many rows each level has so far; `like` is the reference, whose levels are never dropped."""

    def __init__(self, like: CategoryProfile | None) -> None:
        self._like, self._levels, self._rows = like, pa.array([], pa.string()), np.zeros(0, dtype=np.int64)
        self._nulls, self._dropped, self._most_seen = 0, 0, 0

    def add(self, column: pa.ChunkedArray) -> None:
        """Count some more rows."""
        self._nulls += column.null_count
        found = pc.value_counts(column.drop_null() if pa.types.is_dictionary(column.type) else texts(column).drop_null())
        self._count(texts(pa.chunked_array([found.field("values")])), np.asarray(found.field("counts"), dtype=np.int64))

    def _count(self, levels: pa.ChunkedArray, rows: Counts) -> None:
        fresh = pc.unique(levels.filter(pc.invert(pc.is_in(levels, value_set=self._levels))))
        self._levels = pa.concat_arrays([self._levels, fresh])
        self._rows = np.concatenate([self._rows, np.zeros(len(fresh), dtype=np.int64)])
        np.add.at(self._rows, np.asarray(pc.index_in(levels, value_set=self._levels)), rows)
        self._most_seen = max(self._most_seen, len(self._rows))
        if len(self._rows) > MOST_COUNTED:
            self._drop()

    def _drop(self) -> None:
        """Keep the reference's levels and the more frequent half of the others."""
        known = pa.array(list(self._like.counts) if self._like is not None else [], pa.string())
        keep = np.array(pc.is_in(self._levels, value_set=known))
        keep[np.argsort(-self._rows, kind="stable")[: MOST_COUNTED // 2]] = True
        self._dropped += int(self._rows[~keep].sum())
        self._levels, self._rows = self._levels.filter(pa.array(keep)), self._rows[keep]

    def profile(self, most: int) -> CategoryProfile:
        """Return the profile of all rows, with so many levels by name."""
        made = profile_levels(self._levels.to_pylist(), self._rows, nulls=self._nulls, like=self._like, most=most)
        return replace(
            made, rows=made.rows + self._dropped, other=made.other + self._dropped, distinct=max(made.distinct, self._most_seen)
        )
