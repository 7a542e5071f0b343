"""What a series of samples says, although neighbours are alike and one of them may be nonsense.

Samples of one window hang together, so their number says little about how sure their mean is. Means of consecutive batches hang
together much less: their spread gives the interval (batch means; Schmeiser 1982). The largest and smallest twentieth are drawn in
first (winsorised), so that a spike of a few samples moves nothing.
"""

import math
from typing import NamedTuple

import numpy as np
from scipy import special

from bot.core.profiles import Floats

LEVEL = 0.95
TAIL = 0.05
BATCHES = 10
ROOM = 1.1
LARGEST = float(np.finfo(np.float64).max)
LEAST = 8
"""So few samples make four batches of two: fewer have no interval worth the name."""


class Level(NamedTuple):
    """Where a series lies, and between what its mean surely does."""

    value: float
    low: float
    high: float


def level(values: Floats) -> Level:
    """Return the winsorised mean with its interval from batch means.

    Args:
        values: finite samples in the order of time, shape (n,), n ≥ LEAST.
    """
    size = float(np.abs(values).max())
    if size == 0.0:
        return Level(0.0, 0.0, 0.0)
    drawn_in = winsorised(values / size)  # no sum of large numbers may overflow
    batches = np.array([part.mean() for part in np.array_split(drawn_in, min(BATCHES, len(values) // 2))])
    mean, k = float(drawn_in.mean()), len(batches)
    half = float(special.stdtrit(k - 1, (1 + LEVEL) / 2) * batches.std(ddof=1) / math.sqrt(k))
    return Level(mean * size, max((mean - half) * size, -LARGEST), min((mean + half) * size, LARGEST))


def winsorised(values: Floats) -> Floats:
    """Return the values with the largest and the smallest twentieth drawn in to their nearest neighbour (Tukey 1962)."""
    cut = int(TAIL * len(values))
    ordered = np.sort(values)
    return np.clip(values, ordered[cut], ordered[len(values) - 1 - cut])


def usual(values: Floats) -> tuple[float, float]:
    """Return the range that is usual: what all but one sample in fifty keep to on either side, and a tenth beyond.

    Fewer left out, and some spikes would hide what is sustained; no room beyond, and the top of a smooth daily rhythm would always
    lie outside. Of up to fifty samples none is left out.
    """
    ordered = np.sort(values)
    cut = (len(values) - 1) // 50
    low, high = float(ordered[cut]), float(ordered[len(values) - 1 - cut])
    return (low / ROOM if low > 0 else low * ROOM), (high * ROOM if high > 0 else high / ROOM)


def mostly_under(values: Floats) -> float:
    """Return the 95th percentile: what the samples lie at or under, but for one in twenty."""
    return float(np.quantile(values, 1 - TAIL, method="higher"))
