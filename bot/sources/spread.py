"""Which rows stand for a window: evenly spread in time, the same ones however the log hands them out."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bot.core.profiles import Counts
from bot.sources.values import texts


def evenly(at: Counts, ids: pa.ChunkedArray | None, most: int) -> Counts:
    """Return the places of at most `most` rows at equal ranks of time, in the order of time.

    Rows of one second come in any order from a database, so among them the request's id decides, where the log has one.
    """
    order = np.arange(len(at)) if (at[1:] >= at[:-1]).all() else np.argsort(at, kind="stable")
    ranks = np.linspace(0, len(at) - 1, most).round().astype(np.int64) if len(at) > most else np.arange(len(at))
    if ids is None or ids.null_count == len(ids):
        return order[ranks]
    ordered = at[order]
    starts = np.searchsorted(ordered, ordered[ranks], side="left")
    ends = np.searchsorted(ordered, ordered[ranks], side="right")
    shared = ends - starts > 1
    tied = _stretches(starts[shared], ends[shared])
    if len(tied):
        ties = pa.table({"at": ordered[tied], "id": texts(picked(ids, order[tied]))})
        order[tied] = order[tied][np.asarray(pc.sort_indices(ties, [("at", "ascending"), ("id", "ascending")]))]
    return order[ranks]


def _stretches(starts: Counts, ends: Counts) -> Counts:
    """Return the whole numbers in the stretches `[start, end)`, ascending; a stretch that is named twice counts once."""
    firsts, where = np.unique(starts, return_index=True)
    lengths = ends[where] - firsts
    before = np.cumsum(lengths) - lengths
    return np.asarray(np.repeat(firsts - before, lengths) + np.arange(int(lengths.sum())), dtype=np.int64)


def picked(column: pa.ChunkedArray, place: Counts) -> pa.ChunkedArray:
    """Return a column's rows at these places; chunk by chunk, because Arrow would first make one piece of all of them."""
    if column.num_chunks == 1:
        return pa.chunked_array([_plain(column.chunk(0).take(pa.array(place)))])
    lengths = np.array([len(chunk) for chunk in column.chunks], dtype=np.int64)
    ends = np.cumsum(lengths)
    of = np.searchsorted(ends, place, side="right")
    there = np.flatnonzero(np.bincount(of, minlength=1))
    parts = [_plain(column.chunk(int(i)).take(pa.array(place[of == i] - ends[i] + lengths[i]))) for i in there if len(place)]
    if not parts:
        return column.slice(0, 0)
    back = np.argsort(np.argsort(of, kind="stable"), kind="stable")
    return pa.chunked_array(parts).take(pa.array(back))


def _plain(part: pa.Array) -> pa.Array:
    """Return a few rows without the dictionary of all levels that they came with."""
    return part.dictionary_decode() if pa.types.is_dictionary(part.type) else part
