"""Recipes, no checks: what several checks of this room do alike. It is the one neighbour that a plug-in may know."""

from collections.abc import Iterator

from bot.core.checks import Measured, Measurement, NotMeasured, Threshold
from bot.core.joint import JointRows
from bot.core.readings import Reading
from bot.stats.binned import Distance, between

OF_SHARES = Threshold(0.10, 0.20, least_rows=200, significance=0.01)
"""The lines of a distance between the shares of bins or levels, where it lies from 0 to 1."""


def shares_moved(distance: Distance, reference: Reading, current: Reading) -> Iterator[Measured]:
    """Yield a distance a column over the reference's deciles or levels; the low end of its interval is what chance leaves of it."""
    for name, then, now in reference.beside(current):
        moved = between(distance, then, now)
        if moved is None or now is None:
            yield NotMeasured(name, "no values on one side, or another type", current.rows)
            continue
        without_chance = (min(moved.beyond, moved.value), moved.value)
        yield Measurement(name, moved.value, now.count, reference=0.0, interval=without_chance, p_value=moved.p_value)


def whole_rows(reference: Reading, current: Reading, least: int) -> tuple[JointRows, JointRows] | NotMeasured:
    """Return the rows that both sides have kept whole, or which side has fewer than `least`."""
    kept = []
    for side, rows in (("reference", reference.joint), ("window", current.joint)):
        if rows is None or len(rows) < least:
            count = 0 if rows is None else len(rows)
            return NotMeasured("model", f"{count:,} of {least:,} whole rows in the {side}", count)
        kept.append(rows)
    then, now = kept
    return then, now
