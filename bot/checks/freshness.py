"""Freshness: when was the last prediction?"""

from collections.abc import Iterator

from bot.core.checks import Family, Measured, Measurement, Threshold, check
from bot.core.readings import Reading


@check("freshness", family=Family.DATA_QUALITY, unit="h", threshold=Threshold(8, 12))
def freshness(_reference: Reading, current: Reading) -> Iterator[Measured]:
    """Hours from the newest prediction to the window's end; of an empty window, its whole length and more."""
    if current.newest is None:
        hours = current.window.length.total_seconds() / 3_600
        yield Measurement("model", hours, 0, detail=f"not one prediction in {hours:g} h")
        return
    hours = (current.window.end - current.newest).total_seconds() / 3_600
    yield Measurement("model", hours, current.rows, detail=f"the newest prediction is {hours:.1f} h old")
