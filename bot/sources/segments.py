"""A window cut by the levels of some columns: the rows of each slice, and the cut points at which its numbers are counted."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bot.core.profiles import ColumnProfile, NumericProfile, Profiles

MOST_SLICES, LEAST_ROWS = 20, 200
"""Of each column the most frequent levels, each with enough rows to say something about."""
COARSE = 256
LONGEST_LEVEL = 60


def slices_of(table: pa.Table, segments: Sequence[str]) -> Iterator[tuple[str, pa.Table]]:
    """Yield each slice's name ("origin=JFK") and rows; a column that the table lacks, or that holds no texts, has none."""
    for name in segments:
        if name not in table.column_names or not _is_text(table.schema.field(name).type):
            continue
        column = pc.cast(table.column(name), pa.string())
        found = pc.value_counts(column.drop_null())
        counts = zip(found.field("values").to_pylist(), found.field("counts").to_pylist(), strict=True)
        frequent = sorted(((n, level) for level, n in counts if n >= LEAST_ROWS), key=lambda pair: (-pair[0], pair[1]))
        for _, level in frequent[:MOST_SLICES]:
            yield (
                f"{name}={level[:LONGEST_LEVEL]}",
                table.filter(pc.fill_null(pc.equal(column, level), fill_value=False).combine_chunks()),
            )


def _is_text(kind: pa.DataType) -> bool:
    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(plain) or pa.types.is_large_string(plain))


def coarse(like: Profiles) -> dict[str, ColumnProfile]:
    """Return the whole window's columns with fewer cut points: there are many slices, and each keeps its counts at all of them."""
    return {name: _thinned(profile) if isinstance(profile, NumericProfile) else profile for name, profile in like.items()}


def _thinned(profile: NumericProfile) -> NumericProfile:
    step = max(1, len(profile.cuts) // COARSE)
    return replace(
        profile, cuts=np.unique(np.append(profile.cuts[::step], profile.cuts[-1:]))
    )  # the largest value stays one of them
