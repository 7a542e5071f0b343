"""Freshness: when was the last prediction?"""

from collections.abc import Iterator

from bot.core.checks import Family, Measured, Measurement, NotMeasured, Threshold, check
from bot.core.readings import Reading

WARNING_H, CRITICAL_H = 8, 12


@check("freshness", family=Family.DATA_QUALITY, unit="h", threshold=Threshold(WARNING_H, CRITICAL_H))
def freshness(_reference: Reading, current: Reading) -> Iterator[Measured]:
    """Hours from the newest prediction to the window's end; of an empty window, its whole length and more."""
    if current.newest is not None:
        hours = (current.window.end - current.newest).total_seconds() / 3_600
        yield Measurement("model", hours, current.rows, detail=f"the newest prediction is {hours:.1f} h old")
        return
    hours = current.window.length.total_seconds() / 3_600
    words = f"not one prediction in {hours:g} h"
    if hours < CRITICAL_H:  # too short a window to say how old: unknown, because "younger than the line" was not seen
        yield NotMeasured("model", words)
    else:
        yield Measurement("model", hours, 0, detail=words)
