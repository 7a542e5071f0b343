"""Wasserstein's distance W1: how far the mass of a column has to be carried, in the column's own unit.

W1 is the area between the two distribution functions. Of whole columns it is taken in quantile form with whole-number places, so
nothing has to be merged; of two profiles it is known to lie in an interval, because between two cut points the area *under* each
function is known from counts and sums, and each only rises.
"""

from typing import NamedTuple

import numpy as np

from bot.core.profiles import Floats, NumericProfile
from bot.stats.learned import shared

SLICE = 1_000_000
DECILES, TAILS = (0.1, 0.9, 2.5631031310892007), (0.005, 0.995, 5.151658607097801)
"""Two ranks, and how many standard deviations of a normal column lie between them."""

ROUNDING = 8 * np.finfo(np.float64).eps
NARROWEST = 1e-3
"""The scale of a column that never varies (Evidently's floor)."""


class Between(NamedTuple):
    """What is known of a distance: the exact value lies in [low, high]; equal ends when it is exact."""

    low: float
    high: float


def earth_movers(reference: Floats, current: Floats) -> float:
    """Return W1 of two sorted, finite columns with a value at least, in their unit; overflowing sums are infinite."""
    n, m = len(reference), len(current)
    with np.errstate(over="ignore", invalid="ignore"):
        if n == m:
            return float(np.abs(reference - current).mean())
        total = 0.0
        for first in range(0, n, SLICE):  # ranks are counted in 1 / (n · m), so that they are whole
            last = min(first + SLICE, n)
            mine = np.arange(first + 1, last + 1, dtype=np.int64) * m
            theirs = np.arange(first * m // n + 1, last * m // n + 1, dtype=np.int64) * n
            ends = np.sort(np.concatenate([mine, theirs]), kind="stable")  # two runs: a merge
            starts = np.concatenate([[first * m], ends[:-1]])
            gaps = np.abs(reference[np.minimum(starts // m, n - 1)] - current[np.minimum(starts // n, m - 1)])
            total += float((gaps * ((ends - starts) / (n * m))).sum())
    return total


def certified(reference: NumericProfile, current: NumericProfile, *, within: tuple[float, float] | None = None) -> Between | None:
    """Return an interval that certainly holds W1, in the column's unit.

    Args:
        reference: what is normal, with its own cut points.
        current: counted at the reference's cut points.
        within: two cut points; then of both columns every value outside is taken to the nearer of them first (winsorised).

    None when a side has no finite value, the two were counted at different cut points, or sums have overflowed.
    """
    if not reference.count or not current.count or not np.array_equal(reference.cuts, current.cuts):
        return None
    cuts = reference.cuts
    first, last = (0, len(cuts) - 1) if within is None else (int(np.searchsorted(cuts, end)) for end in within)
    with np.errstate(over="ignore", invalid="ignore"):
        f, g = _Side(reference), _Side(current)
        segments = _segments(f, g, cuts, slice(first, last), slice(first + 1, last + 1))
        tails = [] if within is not None else [_tail(f.tail_below(), g.tail_below()), _tail(f.tail_above(), g.tail_above())]
        slack = ROUNDING * (last - first + 2) * (f.largest + g.largest)
        low = sum((tail.low for tail in tails), segments.low) - slack
        high = sum((tail.high for tail in tails), segments.high) + slack
    return Between(max(0.0, float(low)), float(high)) if np.isfinite(high) else None


class _Side:
    """A profile as shares and means: what each cut point has below it, up to it, and how much that adds up to."""

    def __init__(self, profile: NumericProfile) -> None:
        n = profile.count
        self.cuts, self.mean = profile.cuts, profile.mean
        self.below, self.up_to = profile.below / n, profile.up_to / n
        self.sums = profile.sum_up_to / n
        self.sums_below = self.sums - (self.up_to - self.below) * profile.cuts
        ends = np.abs([profile.low, profile.high, *self.cuts[[0, -1]]])
        self.largest = float(max(ends.max(), np.abs(self.sums).max()))

    def tail_below(self) -> float:
        """Return the area under the function left of all cut points."""
        return float(self.cuts[0] * self.below[0] - self.sums_below[0]) if self.below[0] > 0 else 0.0

    def tail_above(self) -> float:
        """Return the area above the function right of all cut points."""
        beyond = 1 - self.up_to[-1]
        return float(self.mean - self.sums[-1] - self.cuts[-1] * beyond) if beyond > 0 else 0.0


def _segments(f: _Side, g: _Side, cuts: Floats, at: slice, to: slice) -> Between:
    """Return the area between the functions over all stretches from one cut point to the next."""
    length = cuts[to] - cuts[at]
    (f_start, f_end, f_area), (g_start, g_end, g_area) = (_risen(side, cuts, at, to, length) for side in (f, g))
    least = np.abs(f_area - g_area)
    apart = (f_start >= g_end) | (g_start >= f_end)  # they cannot cross here: what lies between them is the difference
    most = length * np.maximum(f_end - g_start, g_end - f_start)
    f_early, g_early = _early(f_start, f_end, f_area, length), _early(g_start, g_end, g_area, length)
    for level in (f_start, f_end, g_start, g_end):  # |F - G| is at most |F - level| + |G - level|, whatever the level
        off = _off(f_start, f_end, f_early, length, level) + _off(g_start, g_end, g_early, length, level)
        most = np.minimum(most, off)
    return Between(float(least.sum()), float(np.where(apart, least, np.maximum(least, most)).sum()))


def _risen(side: _Side, cuts: Floats, at: slice, to: slice, length: Floats) -> tuple[Floats, Floats, Floats]:
    """Return a function's height at the start and the end of each stretch, and the area under it."""
    start, end = side.up_to[at], side.below[to]
    inside = np.where(end > start, cuts[to] * (end - start) - (side.sums_below[to] - side.sums[at]), 0.0)
    return start, end, start * length + np.clip(inside, 0.0, (end - start) * length)


def _early(start: Floats, end: Floats, area: Floats, length: Floats) -> Floats:
    """Return for which share of each stretch a function of this area stays at its start if it then jumps to its end."""
    rise = (end - start) * length
    return np.divide(end * length - area, rise, out=np.full_like(rise, 0.5), where=rise > 0)


def _off(start: Floats, end: Floats, early: Floats, length: Floats, level: Floats) -> Floats:
    """Return the most that a rising function can be off a level: by staying at its start and then jumping to its end."""
    return np.asarray(length * (np.abs(start - level) * early + np.abs(end - level) * (1 - early)), dtype=np.float64)


def _tail(f: float, g: float) -> Between:
    return Between(abs(f - g), f + g)


def rank(profile: NumericProfile, share: float) -> float:
    """Return the smallest cut point that at least this share of the finite values does not exceed; at least one value."""
    place = int(np.searchsorted(profile.up_to, share * profile.count))
    return float(profile.cuts[min(place, len(profile.cuts) - 1)])


class Scale(NamedTuple):
    """How wide a reference is where most of it lies: `spread` is one standard deviation, `within` what holds 99 % of it."""

    spread: float
    within: tuple[float, float] | None


@shared
def scale(reference: NumericProfile) -> Scale:
    """Return a width that one outlier cannot change: from the deciles, else from the half-percent ranks, else the deviation.

    For a reference that is nearly one value no ranks differ: then all of it counts, and its standard deviation.
    """
    low, high = (rank(reference, share) for share in TAILS[:2])
    for *shares, deviations in (DECILES, TAILS):
        width = (rank(reference, shares[1]) - rank(reference, shares[0])) / deviations
        if width > 0:
            return Scale(width, (low, high))
    return Scale(deviation(reference) or NARROWEST, None)


def deviation(profile: NumericProfile) -> float:
    """Return the standard deviation (ddof 0) of the finite values; exactly 0 where all are equal."""
    if not profile.count or profile.low == profile.high:
        return 0.0
    return float(np.sqrt(profile.squares / profile.count))


def by_chance(reference: NumericProfile, m: int, *, within: tuple[float, float] | None = None) -> float:
    """Return the W1 that a window of `m` rows is expected to have without any change, in the column's unit.

    The two functions differ at x by a normal number of variance F(1 - F)(1/n + 1/m); its mean size is √(2/π) deviations.
    """
    return float(np.sqrt(2 / np.pi * (1 / reference.count + 1 / m)) * _doubt(within, reference))


@shared
def _doubt(within: tuple[float, float] | None, reference: NumericProfile) -> float:
    """Return the area under √(F(1 - F)), between two cut points where they are given."""
    heights = reference.up_to / reference.count
    lengths = np.diff(reference.cuts)
    if within is not None:
        lengths = np.where((reference.cuts[:-1] >= within[0]) & (reference.cuts[1:] <= within[1]), lengths, 0.0)
    return float((np.sqrt(heights * (1 - heights))[:-1] * lengths).sum())
