"""Every other column of two files as numbers, for a learner: texts by how frequent they are in the reference, NaN where missing."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bot.core.profiles import Floats
from bot.sources.values import kind_of, numbers, texts

MOST_LEVELS = 254
"""Of more levels only the most frequent have a code of their own."""


def encoded(reference: pa.Table, current: pa.Table, without: set[str]) -> tuple[Floats, Floats, list[str]]:
    """Return both files' inputs, shapes (n, k) and (m, k), and the names of the columns that could not be used.

    Not used are times, columns of one side only or of another type there, and texts that name rows (nearly all of them differ).
    """
    pairs, left_out = [], []
    for name in dict.fromkeys((*reference.column_names, *current.column_names)):
        if name in without:
            continue
        once = reference.column_names.count(name) == current.column_names.count(name) == 1
        pair = _pair(reference.column(name), current.column(name)) if once else None
        if pair is None:
            left_out.append(name)
        else:
            pairs.append(pair)
    then, now = (
        np.column_stack([pair[side] for pair in pairs]) if pairs else np.empty((len(table), 0))
        for side, table in enumerate((reference, current))
    )
    return then, now, left_out


def _pair(then: pa.ChunkedArray, now: pa.ChunkedArray) -> tuple[Floats, Floats] | None:
    if pa.types.is_temporal(then.type) or pa.types.is_temporal(now.type) or pa.types.is_null(then.type):
        return None
    kind = kind_of(then.type)
    if kind_of(now.type, kind) != kind:
        return None
    if kind == "numeric":
        return numbers(then), numbers(now)
    known, later = (pc.cast(texts(column), pa.string()) for column in (then, now))
    counts = sorted(((int(c["counts"].as_py()), str(c["values"])) for c in pc.value_counts(known.drop_null())), reverse=True)
    if not counts or (len(counts) > MOST_LEVELS and len(counts) > len(then) / 2):
        return None
    levels = pa.array([level for _, level in counts[:MOST_LEVELS]], pa.string())
    codes = (pc.index_in(column, value_set=levels).cast(pa.float64()) for column in (known, later))
    first, second = (np.array(code.to_numpy(), dtype=np.float64) for code in codes)
    return first, second
