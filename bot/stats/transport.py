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
    if not reference.count or not current.count or not reference.same_cuts(current):
        return None
    cuts = reference.cuts
    first, last = (0, len(cuts) - 1) if within is None else (int(np.searchsorted(cuts, end)) for end in within)
    with np.errstate(over="ignore", invalid="ignore"):
        sides = _sides(reference, current)
        segments = _segments(sides, cuts, slice(first, last), slice(first + 1, last + 1))
        tails = [_tail_below(sides, cuts), _tail_above(sides, cuts)] if within is None else []
        slack = ROUNDING * (last - first + 2) * sides.largest.sum()
        low = sum((tail.low for tail in tails), segments.low) - slack
        high = sum((tail.high for tail in tails), segments.high) + slack
    return Between(max(0.0, float(low)), float(high)) if np.isfinite(high) else None


class _Sides(NamedTuple):
    """Both columns as shares and means of their rows: what each cut point has below it, up to it, and how much that adds up to.

    Shapes: `means` and `largest` are (2,), all others (2, k).
    """

    below: Floats
    up_to: Floats
    sums: Floats
    sums_below: Floats
    means: Floats
    largest: Floats


def _sides(reference: NumericProfile, current: NumericProfile) -> _Sides:
    both, cuts = (reference, current), reference.cuts
    rows = np.array([[side.count] for side in both])
    below, up_to, sums = (np.stack([getattr(side, name) for side in both]) / rows for name in ("below", "up_to", "sum_up_to"))
    ends = [max(map(abs, (side.low, side.high, float(cuts[0]), float(cuts[-1])))) for side in both]
    means = np.array([side.mean for side in both])
    return _Sides(below, up_to, sums, sums - (up_to - below) * cuts, means, np.maximum(ends, np.abs(sums).max(axis=1)))


def _tail_below(sides: _Sides, cuts: Floats) -> Between:
    """Return what the area under the functions left of all cut points says."""
    below = sides.below[:, 0]
    return _tail(np.where(below > 0, cuts[0] * below - sides.sums_below[:, 0], 0.0))


def _tail_above(sides: _Sides, cuts: Floats) -> Between:
    """Return what the area above the functions right of all cut points says."""
    beyond = 1 - sides.up_to[:, -1]
    return _tail(np.where(beyond > 0, sides.means - sides.sums[:, -1] - cuts[-1] * beyond, 0.0))


def _tail(areas: Floats) -> Between:
    return Between(float(abs(areas[0] - areas[1])), float(areas.sum()))


def _segments(sides: _Sides, cuts: Floats, at: slice, to: slice) -> Between:
    """Return the area between the functions over all stretches from one cut point to the next."""
    length = cuts[to] - cuts[at]
    start, end = sides.up_to[:, at], sides.below[:, to]  # how high each function is there
    risen = (end - start) * length
    inside = np.where(end > start, cuts[to] * (end - start) - (sides.sums_below[:, to] - sides.sums[:, at]), 0.0)
    area = start * length + np.clip(inside, 0.0, risen)
    least = np.abs(area[0] - area[1])
    apart = (start >= end[::-1]).any(axis=0)  # they cannot cross here: what lies between them is the difference
    most = np.minimum(length * (end - start[::-1]).max(axis=0), _farthest(start, end, area, length))
    return Between(float(least.sum()), float(np.where(apart, least, np.maximum(least, most)).sum()))


def _farthest(start: Floats, end: Floats, area: Floats, length: Floats) -> Floats:
    """Return the most that lies between two rising functions of these areas, shape (k,).

    |F - G| is at most |F - level| + |G - level|, whatever the level: one of the four ends. A function is farthest off a level by
    staying at its start, for the share of the stretch that its area leaves to that, and then jumping to its end.
    """
    risen = (end - start) * length
    early = np.divide(end * length - area, risen, out=np.full_like(risen, 0.5), where=risen > 0)[:, None]
    levels = np.concatenate([start, end])
    off = np.abs(start[:, None] - levels) * early + np.abs(end[:, None] - levels) * (1 - early)
    return np.asarray(length * off.sum(axis=0).min(axis=0), dtype=np.float64)


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
