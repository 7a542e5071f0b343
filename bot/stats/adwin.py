"""ADWIN (Bifet & Gavaldà 2007) over a whole stream at once, as river has it row by row.

ADWIN keeps its window in buckets of one, two, four … rows, and at every thirty-second row compares the mean before each boundary
between two buckets with the mean after it. Where the boundaries are depends on nothing but how many rows came since the last alarm:
they, and all of its bound that they alone decide, are worked out once. river remains the judge in the tests.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bot.core.profiles import Counts, Floats

DELTA, CLOCK = 0.002, 32
MOST_ALIKE, LEAST_ROWS = 5, 5
"""So many buckets of one size at most; so many rows at least on both sides of a boundary."""


class _Boundaries(NamedTuple):
    """What a comparison needs besides the errors: `seen` is (t,), all others are (t, b) for `b` boundaries at each of `t` looks.

    The means are apart by |errors before × `both` − all errors × `after`|; more than `spread` × deviation + `least` is an alarm.
    """

    seen: Counts
    before: Counts
    both: Floats
    after: Floats
    spread: Floats
    least: Floats


def adwin(errors: Counts) -> npt.NDArray[np.bool_]:
    """Return at which rows two parts of the window have means that chance does not explain: errors and flags of shape (n,)."""
    raised, looks = np.zeros(len(errors), dtype=bool), len(errors) // CLOCK
    if not looks:
        return raised
    seen, before, both, after, spread, least = (part[:looks] for part in _boundaries(1 << (looks - 1).bit_length()))
    sums = np.append(0.0, np.cumsum(errors))
    total = sums[seen][:, None]
    mean = total / seen[:, None]
    apart = np.abs(sums[before] * both - total * after)
    raised[seen - 1] = (apart > np.sqrt(mean * (1 - mean)) * spread + least).any(axis=1)
    return raised


@lru_cache(maxsize=16)
def _boundaries(looks: int) -> _Boundaries:
    seen = CLOCK * np.arange(1, looks + 1)
    before = _buckets(seen)
    n, m = before.astype(np.float64), (seen[:, None] - before).astype(np.float64)
    enough = (n >= LEAST_ROWS) & (m >= LEAST_ROWS)
    n, m = np.where(enough, n, LEAST_ROWS), np.where(enough, m, LEAST_ROWS)
    doubt = np.log(2 * np.log(seen) / DELTA)[:, None]
    narrow = 1 / (n - LEAST_ROWS + 1) + 1 / (m - LEAST_ROWS + 1)
    least = np.where(enough, 2 / 3 * narrow * doubt, np.inf)
    return _Boundaries(seen, before, 1 / n + 1 / m, 1 / m, np.sqrt(2 * narrow * doubt), least)


def _buckets(seen: Counts) -> Counts:
    """Return where buckets end after so many rows, shape (t,), the oldest first: shape (t, b), some of them more than once.

    Of a sixth bucket of one size the two oldest become one of the next, so four or five of each size are left.
    """
    alike, coming = [], seen
    while coming.any():
        grown = np.maximum(0, (coming - MOST_ALIKE + 1) // 2)
        alike.append(coming - 2 * grown)
        coming = grown
    ends = [np.zeros((len(seen), 1), dtype=np.int64)]
    for size, buckets in reversed(list(enumerate(alike))):
        ends.append(ends[-1][:, -1:] + np.minimum(np.arange(1, MOST_ALIKE + 1), buckets[:, None]) * 2**size)
    return np.concatenate(ends[1:], axis=1)
