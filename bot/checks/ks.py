"""KS: the largest distance between a numeric column's two distribution functions."""

from collections.abc import Iterator

from bot.core.checks import Family, Measured, Measurement, NotMeasured, Threshold, check
from bot.core.profiles import NumericProfile
from bot.core.readings import Reading
from bot.stats.distances import kolmogorov_smirnov

LEAST_ROWS = 100


@check(
    "ks",
    family=Family.DRIFT,
    unit="",
    threshold=Threshold(0.10, 0.20, least_rows=LEAST_ROWS, significance=0.01),
    label="KS",
)
def ks(reference: Reading, current: Reading) -> Iterator[Measured]:
    """The Kolmogorov–Smirnov distance, 0 to 1, as an interval that certainly holds the exact value."""
    for name, then, now in reference.beside(current):
        if not isinstance(then, NumericProfile):
            continue
        distance = kolmogorov_smirnov(then, now) if isinstance(now, NumericProfile) else None
        if distance is None or not isinstance(now, NumericProfile):
            yield NotMeasured(name, "no numbers on one side, or not counted at the reference's cut points", current.rows)
            continue
        band = (distance.low, distance.high)
        yield Measurement(name, distance.value, now.count, reference=0.0, interval=band, p_value=distance.p_value)
