"""Two tables in memory, compared as two files would be."""

import pyarrow as pa

from bot.sources import compare
from bot.sources.compare import Comparison, Wish
from bot.sources.compare.measures import chosen
from bot.sources.compare.sides import Side


def comparison(reference, current, *, checks=(), every=False, exact=False, pictures=False, large=2_000_000) -> Comparison:
    """Return what is found of two tables or dicts of columns."""
    sides = [Side(table if isinstance(table, pa.Table) else pa.table(table)) for table in (reference, current)]
    return compare.compared(*sides, Wish(chosen(checks, every=every), exact, pictures, large))


def compared(reference, current, **wish):
    """Return the JSON of it."""
    return comparison(reference, current, **wish).told


def measured(told, feature, check):
    """Return one measurement of one column."""
    found = next(f for f in told["features"] if f["feature"] == feature)
    return next(m for m in found["measurements"] if m["check"] == check)
