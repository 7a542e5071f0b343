"""PSI: the population stability index of every column, numeric and categorical."""

from collections.abc import Iterator

import numpy as np

from bot.core.checks import Family, Measured, Measurement, NotMeasured, Threshold, check
from bot.core.profiles import CategoryProfile, ColumnProfile, Counts, NumericProfile
from bot.core.readings import Reading
from bot.stats.distances import aligned, stability_critical, stability_index

LEAST_ROWS = 200


@check(
    "psi",
    family=Family.DRIFT,
    unit="nats",
    threshold=Threshold(0.10, 0.25, least_rows=LEAST_ROWS, significance=0.01),
    label="PSI",
)
def psi(reference: Reading, current: Reading) -> Iterator[Measured]:
    """PSI on the reference's deciles or levels, missing values in a bin of their own: 0 is no change, 0.25 a large one."""
    for name, then, now in reference.beside(current):
        counts = _bins(then, now)
        distance = stability_index(*counts) if counts else None
        if distance is None or counts is None:
            yield NotMeasured(name, "no values on one side, or another type", current.rows)
            continue
        n, m = (int(side.sum()) for side in counts)
        words = f"chance alone explains up to {stability_critical(n, m, len(counts[0])):.2g}"
        yield Measurement(name, distance.value, m, reference=0.0, p_value=distance.p_value, detail=words)


def _bins(then: ColumnProfile, now: ColumnProfile | None) -> tuple[Counts, Counts] | None:
    """Return both sides' counts a bin, or None where the two cannot be compared."""
    if isinstance(then, NumericProfile) and isinstance(now, NumericProfile) and len(then.bins) == len(now.bins):
        both = then.bins, now.bins
    elif isinstance(then, CategoryProfile) and isinstance(now, CategoryProfile):
        both = aligned(then, now)
    else:
        return None
    if not then.missing and not now.missing:
        return both
    return np.append(both[0], then.missing), np.append(both[1], now.missing)
