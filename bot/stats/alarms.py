"""HDDM_A and DDM over a whole stream at once, as river has them row by row.

Both compare the mean of all rows since their last alarm with the best that it has been, so all rows up to the next alarm can be
looked at together: a stream of 15,000 errors takes a millisecond instead of sixty. river remains the judge in the tests.
"""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from bot.core.profiles import Counts

HDDM_CONFIDENCE = 0.001
DDM_WARM, DDM_DEVIATIONS = 30, 3.0
FIRST = 512
"""So many rows are looked at after an alarm, then twice as many, and so on: the next may come soon. Before it all are: most streams
are calm."""

Raised = Callable[[Counts], npt.NDArray[np.bool_]]


def alarms(raised: Raised, errors: Counts) -> Iterator[int]:
    """Yield every row at which a detector cries; after each it starts anew with the next row.

    Args:
        raised: `hddm_a`, `ddm` or `bot.stats.adwin.adwin`, which say of rows since the last alarm at which of them it would cry.
        errors: 0 (right) or 1 (wrong), shape (n,), in the order of time.
    """
    start, rows = 0, len(errors)
    while start < len(errors):
        found = np.flatnonzero(raised(errors[start : start + rows]))
        if len(found):
            start, rows = start + int(found[0]) + 1, FIRST
            yield start - 1
        elif start + rows >= len(errors):
            return
        else:
            rows *= 2


def hddm_a(errors: Counts) -> npt.NDArray[np.bool_]:
    """Return at which rows the mean lies certainly above the lowest that it has been, by Hoeffding's bound; shape (n,)."""
    n = np.arange(1, len(errors) + 1)
    mean = np.cumsum(errors) / n
    bound = mean + np.sqrt(1 / (2 * n) * np.log(1 / HDDM_CONFIDENCE))
    best = _last_least(bound)
    m = np.maximum((n - n[best]) / n[best] / n, 0)
    return np.asarray((n > n[best]) & (mean - mean[best] >= np.sqrt(m / 2 * np.log(2 / HDDM_CONFIDENCE))), dtype=bool)


def ddm(errors: Counts) -> npt.NDArray[np.bool_]:
    """Return at which rows mean + deviation lies three deviations above the least that both have been together; shape (n,)."""
    n = np.arange(1, len(errors) + 1)
    mean = np.cumsum(errors) / n
    spread = np.sqrt(mean * (1 - mean) / n)
    best = _last_least(np.where(n > DDM_WARM, mean + spread, np.inf))
    return np.asarray((n > DDM_WARM) & (mean + spread > mean[best] + DDM_DEVIATIONS * spread[best]), dtype=bool)


def _last_least(values: npt.NDArray[np.float64]) -> Counts:
    """Return for each place the last one up to it that holds the least of all up to it."""
    least = values == np.minimum.accumulate(values)
    return np.maximum.accumulate(np.where(least, np.arange(len(values)), 0))
