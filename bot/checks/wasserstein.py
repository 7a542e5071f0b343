"""Wasserstein: how far has the mass of a numeric column moved, in standard deviations of its reference?

Plain W1 / sd is no use to judge by: one value of 1e6 among 100,000 makes the deviation 3,162 and hides everything. Here the spread
comes from the reference's deciles, and what lies outside its central 99 % is taken to the nearer end first.
"""

from collections.abc import Iterator

from bot.core.checks import Family, Measured, Measurement, NotMeasured, Threshold, check
from bot.core.profiles import ColumnProfile, NumericProfile
from bot.core.readings import Reading
from bot.stats.distances import kolmogorov_smirnov
from bot.stats.transport import by_chance, certified, scale

LEAST_ROWS = 100
FARTHEST = 1e6
"""Deviations beyond which nobody counts: what leaves a constant may be any number of them."""


@check(
    "wasserstein",
    family=Family.DRIFT,
    unit="sd",
    threshold=Threshold(0.10, 0.30, least_rows=LEAST_ROWS, significance=0.01),
    label="Wasserstein",
)
def wasserstein(reference: Reading, current: Reading) -> Iterator[Measured]:
    """W1 in standard deviations of the reference, tails cut, as an interval that certainly holds it, less what chance explains."""
    for name, then, now in reference.beside(current):
        if isinstance(then, NumericProfile):
            yield _measured(name, then, now, current.rows)


def _measured(name: str, then: NumericProfile, now: ColumnProfile | None, rows: int) -> Measured:
    test = kolmogorov_smirnov(then, now) if isinstance(now, NumericProfile) else None
    if test is None or not isinstance(now, NumericProfile):
        return NotMeasured(name, "no numbers on one side, or not counted at the reference's cut points", rows)
    width = scale(then)
    area = certified(then, now, within=width.within)
    if area is None:
        return NotMeasured(name, "numbers too large to be added up", rows)
    chance = by_chance(then, now.count, within=width.within)
    low, high, certain = (min(FARTHEST, value / width.spread) for value in (area.low, area.high, max(0.0, area.low - chance)))
    words = f"chance alone explains about {chance / width.spread:.2g}"
    return Measurement(name, low, now.count, reference=0.0, interval=(certain, high), p_value=test.p_value, detail=words)
