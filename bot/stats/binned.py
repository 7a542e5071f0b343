"""Distances between two columns that are counted in the same bins: a number's deciles, a category's levels.

Definitions, over plain shares p (reference) and q (current), m = (p + q)/2: Jensen–Shannon distance √(½ KL(p‖m) + ½ KL(q‖m)), base
2; Hellinger √(½ Σ (√p − √q)²); total variation ½ Σ |p − q|; L∞ max |p − q|. All lie from 0 to 1.

What chance alone does is known from the same counts: Σ (p − q)² / m̄ is about χ² × (1/n + 1/m), and JS² × 8 ln 2, Hellinger² × 8 and
PSI are, for small changes, that sum. A measure is judged by what is left of it. Levels of which a side expects fewer than five rows
say nothing one by one: for certainty (never for the value) they are one level.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from bot.core.profiles import CategoryProfile, ColumnProfile, Counts, Floats, NumericProfile
from bot.stats.distances import aligned, chi_square, stability_index
from bot.stats.learned import shared

FEWEST_EXPECTED = 5


class Moved(NamedTuple):
    """A distance, how much of it chance does not explain, and how often chance would do as much (χ² over the same bins)."""

    value: float
    beyond: float
    p_value: float


def jensen_shannon(p: Floats, q: Floats) -> float:
    """Return the Jensen–Shannon distance of two shapes (k,) that add up to 1; base 2, 0 to 1."""
    middle = (p + q) / 2
    nats = (special.rel_entr(p, middle).sum() + special.rel_entr(q, middle).sum()) / 2
    return min(1.0, float(np.sqrt(max(nats, 0.0) / np.log(2))))


def hellinger(p: Floats, q: Floats) -> float:
    """Return the Hellinger distance of two shapes (k,) that add up to 1; 0 to 1."""
    return min(1.0, float(np.sqrt(np.square(np.sqrt(p) - np.sqrt(q)).sum() / 2)))


def total_variation(p: Floats, q: Floats) -> float:
    """Return the share of rows that would have to change their bin; 0 to 1."""
    return min(1.0, float(np.abs(p - q).sum() / 2))


def l_infinity(p: Floats, q: Floats) -> float:
    """Return the largest change of one bin's share; 0 to 1."""
    return float(np.abs(p - q).max())


Distance = Callable[[Floats, Floats], float]


class Bins(NamedTuple):
    """Two columns counted in the same bins, as shares: `then` and `now` of all bins, `rest` the same with rare ones as one.

    `shares` are those of both together, of `rest`; `noise` is 1/n + 1/m; `p_value` says how often chance would do as much.
    """

    then: Floats
    now: Floats
    rest: tuple[Floats, Floats]
    shares: Floats
    noise: float
    p_value: float


def _bins(reference: Counts, current: Counts) -> Bins | None:
    n, m = int(reference.sum()), int(current.sum())
    if not n or not m:
        return None
    then, now = pooled(reference, current)
    found = chi_square(then, now)
    certain = found.p_value if found else 1.0
    return Bins(reference / n, current / m, (then / n, now / m), (then + now) / (n + m), 1 / n + 1 / m, certain)


def moved(distance: Distance, reference: Counts, current: Counts) -> Moved | None:
    """Return one of the four distances over aligned counts, shape (k,) each; None when a side has no rows."""
    return _moved(distance, _bins(reference, current))


def _moved(distance: Distance, bins: Bins | None) -> Moved | None:
    if bins is None:
        return None
    value = distance(bins.then, bins.now)
    return Moved(value, _beyond(distance, distance(*bins.rest), bins.shares, bins.noise), bins.p_value)


def _beyond(distance: Distance, value: float, shares: Floats, noise: float) -> float:
    """Return what is left of a distance without what chance does on average; `noise` is 1/n + 1/m."""
    expected = max(int(np.count_nonzero(shares)) - 1, 0) * noise  # of Σ (p - q)² / m̄
    if distance is jensen_shannon:
        return float(np.sqrt(max(0.0, value**2 - expected / (8 * np.log(2)))))
    if distance is hellinger:
        return float(np.sqrt(max(0.0, value**2 - expected / 8)))
    if distance is total_variation:
        return max(0.0, value - float(np.sqrt(2 / np.pi * noise * shares * (1 - shares)).sum()) / 2)
    return value  # one bin's noise is what the p-value is for


def stability(reference: Counts, current: Counts) -> Moved | None:
    """Return PSI over aligned counts as `stability_index` defines it, judged like the others."""
    found, rest = stability_index(reference, current), stability_index(*pooled(reference, current))
    if found is None or rest is None:
        return None
    then, now = pooled(reference, current)
    expected = max(int(np.count_nonzero(then + now)) - 1, 0) * (1 / reference.sum() + 1 / current.sum())
    return Moved(found.value, max(0.0, min(found.value, rest.value) - float(expected)), rest.p_value)


def pooled(reference: Counts, current: Counts) -> tuple[Counts, Counts]:
    """Return the counts with every level as one of which one side or the other expects fewer than five rows."""
    rare = ~common(reference, current)
    if np.count_nonzero(rare & (reference + current > 0)) < 2:
        return reference, current
    return np.append(reference[~rare], reference[rare].sum()), np.append(current[~rare], current[rare].sum())


def common(reference: Counts, current: Counts) -> npt.NDArray[np.bool_]:
    """Return of which levels both sides would expect five rows or more if nothing had changed, shape (k,)."""
    n, m = int(reference.sum()), int(current.sum())
    return np.asarray((reference + current) * (min(n, m) / max(n + m, 1)) >= FEWEST_EXPECTED, dtype=bool)


def counts(reference: ColumnProfile, current: ColumnProfile) -> tuple[Counts, Counts] | None:
    """Return both sides' rows a bin, missing ones left out; None where the two cannot be compared."""
    if isinstance(reference, NumericProfile) and isinstance(current, NumericProfile):
        return (reference.bins, current.bins) if reference.same_bins(current) else None
    if isinstance(reference, CategoryProfile) and isinstance(current, CategoryProfile):
        return aligned(reference, current)
    return None


def between(distance: Distance, reference: ColumnProfile, current: ColumnProfile | None) -> Moved | None:
    """Return the distance of two columns; None where they cannot be compared or one of them is empty."""
    return _moved(distance, _bins_of(reference, current)) if current is not None else None


@shared
def _bins_of(reference: ColumnProfile, current: ColumnProfile) -> Bins | None:
    both = counts(reference, current)
    return _bins(*both) if both is not None else None
