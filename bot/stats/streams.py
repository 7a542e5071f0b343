"""When did errors become more frequent? Detectors that read a stream of errors one by one, in the order of time.

ADWIN (Bifet & Gavaldà 2007), HDDM_A (Frías-Blanco et al. 2015) and DDM (Gama et al. 2004) as river has them. Not EDDM, which cries
on flat streams, and not HDDM_W, which misses a step from 10 to 20 %.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import NamedTuple

import numpy as np

from bot.core.profiles import Counts, Floats
from bot.stats.adwin import adwin
from bot.stats.alarms import alarms, ddm, hddm_a
from bot.stats.performance import Estimate, block_mean, days


class Step(NamedTuple):
    """Where a stream changed: the row at which a detector said so, and the row from which on it most likely is another one."""

    seen: int
    since: int


DETECTORS: Mapping[str, Callable[[Counts], Iterator[int]]] = {
    "adwin": partial(alarms, adwin),
    "hddm_a": partial(alarms, hddm_a),
    "ddm": partial(alarms, ddm),
}


def step(name: str, errors: Counts, start: int = 0) -> Step | None:
    """Return the last change that a detector sees at or after row `start`, None where it sees none.

    Args:
        name: "adwin", "hddm_a" or "ddm".
        errors: 0 (right) or 1 (wrong), shape (n,), in the order of time.
        start: rows before this one are only there to be compared with.
    """
    seen = max(DETECTORS[name](errors), default=-1)
    return Step(seen, most_likely(errors, start, seen)) if seen >= start else None


def most_likely(errors: Counts, first: int, last: int) -> int:
    """Return the row in `[first, last]` from which on the mean most likely is another one.

    Detectors know that there was a change, and late; where it was is told best by all rows on both sides (the likelihood ratio of
    one step in the mean, Hinkley 1970).
    """
    n = len(errors)
    at = np.arange(max(first, 1), max(last, first, 1) + 1)
    sums = np.cumsum(errors)
    apart = np.abs(sums[at - 1] / at - (sums[-1] - sums[at - 1]) / np.maximum(n - at, 1))
    return int(at[np.argmax(apart * np.sqrt(at * (n - at)))])


def rise(before: Floats, after: Floats, at_before: Counts, at_after: Counts) -> Estimate:
    """Return how much more often the later rows are wrong: a share, −1 to 1, its interval made over whole days on both sides."""
    then, now = block_mean(before, days(at_before)), block_mean(after, days(at_after))
    gap = now.value - then.value
    low = float(np.hypot(now.value - now.low, then.high - then.value))
    high = float(np.hypot(now.high - now.value, then.value - then.low))
    return Estimate(gap, gap - low, gap + high)
