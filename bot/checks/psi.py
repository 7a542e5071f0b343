"""PSI: the population stability index of every column, numeric and categorical."""

from collections.abc import Iterator

import numpy as np

from bot.core.checks import Family, Measured, Measurement, NotMeasured, Threshold, check
from bot.core.profiles import CategoryProfile, ColumnProfile, Counts, NumericProfile
from bot.core.readings import Reading
from bot.stats.distances import aligned, stability_index

LEAST_ROWS = 200


@check("psi", family=Family.DRIFT, unit="nats", threshold=Threshold(0.10, 0.25, least_rows=LEAST_ROWS, significance=0.01))
def psi(reference: Reading, current: Reading) -> Iterator[Measured]:
    """PSI on the reference's deciles or levels, missing values in a bin of their own: 0 is no change, 0.25 a large one."""
    for name, then in reference.columns.items():
        counts = _bins(then, current.columns.get(name))
        distance = stability_index(*counts) if counts else None
        if distance is None:
            yield NotMeasured(name, "no values on one side, or only one bin", current.rows)
            continue
        yield Measurement(name, distance.value, int(counts[1].sum()) if counts else 0, reference=0.0, p_value=distance.p_value)


def _bins(then: ColumnProfile, now: ColumnProfile | None) -> tuple[Counts, Counts] | None:
    """Return both sides' counts a bin, or None where the two cannot be compared."""
    if isinstance(then, NumericProfile) and isinstance(now, NumericProfile) and len(then.bins) == len(now.bins):
        both = then.bins, now.bins
    elif isinstance(then, CategoryProfile) and isinstance(now, CategoryProfile):
        both = aligned(then, now)
    else:
        return None
    return tuple(np.append(counts, side.missing) for counts, side in zip(both, (then, now), strict=True))  # type: ignore[return-value]
