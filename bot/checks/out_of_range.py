"""Out of range: how much lies outside anything that the reference has?"""

from collections.abc import Iterator

from bot.core.checks import Family, Measured, Measurement, NotMeasured, Threshold, check
from bot.core.profiles import NumericProfile
from bot.core.readings import Reading
from bot.core.words import number
from bot.stats.draws import draws
from bot.stats.rates import beyond

LEAST_ROWS = 30
CHANCE = 2
"""Of n values and one more, that one is the largest or the smallest of all in 2 of n + 1 cases, without any trouble."""


@check("out_of_range", family=Family.DATA_QUALITY, unit="share", threshold=Threshold(0.01, least_rows=LEAST_ROWS), ever=True)
def out_of_range(reference: Reading, current: Reading) -> Iterator[Measured]:
    """The share of values outside the reference's smallest to largest, 0 to 1; only warns: seasons leave a range, too."""
    for name, then in reference.columns.items():
        if not isinstance(then, NumericProfile):
            continue
        now = current.columns.get(name)
        if not isinstance(now, NumericProfile) or not now.count or not now.same_cuts(then):
            yield NotMeasured(name, "no numbers in the window, or not counted at the reference's cut points", current.rows)
        elif len(then.cuts) < 2:
            yield NotMeasured(name, "the reference has no range: fewer than two values", now.count)
        else:
            yield _measured(name, then, now)


def _measured(name: str, then: NumericProfile, now: NumericProfile) -> Measurement:
    share, usual = _outside(now) / now.count, _outside(then) / then.count
    rows, known = draws(then, now)
    band = beyond((share * rows, rows), (usual * known + CHANCE, known + 1))
    ends = f"{number(float(then.cuts[0]))} to {number(float(then.cuts[-1]))}"
    words = f"{_outside(now):,} of {now.count:,} values lie outside the reference's {ends}"
    if _outside(now):
        words += f"; the window has {number(now.low)} to {number(now.high)}"
    return Measurement(name, share, now.count, reference=usual, interval=band, detail=words)


def _outside(column: NumericProfile) -> int:
    """Count what lies outside the cut points, whose ends are the reference's own."""
    return int(column.below[0]) + column.count - int(column.up_to[-1])
