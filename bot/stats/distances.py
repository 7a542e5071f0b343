"""How far a window is from its reference, from counts alone.

Definitions: KS is the largest distance of the two empirical distribution functions; PSI is Σ (q − p) ln(q / p) with +0.5 a bin
(Yurdakul 2018 gives its null distribution); Cramér's V is bias-corrected (Bergsma 2013), Pearson's χ² is without Yates.
"""

from typing import NamedTuple

import numpy as np
from scipy import special

from bot.core.profiles import CategoryProfile, Counts, NumericProfile
from bot.stats.learned import shared


class Distance(NamedTuple):
    """A distance with what it still can be (equal ends when exact) and the chance to see it without any change."""

    value: float
    low: float
    high: float
    p_value: float


@shared
def kolmogorov_smirnov(reference: NumericProfile, current: NumericProfile) -> Distance | None:
    """Return KS as a certified interval: the exact value lies in [low, high]; `value` is low, so that no alarm rests on a guess.

    Both distribution functions are known just below and at every cut point; between two cut points each can only lie between its
    known ends. None when either side has no finite value or the two were counted at different cut points. The p-value is Smirnov's
    limit (1948) at `value`; `smirnov.exact_p_value` is SciPy's.
    """
    n, m = reference.count, current.count
    if not n or not m or not reference.same_cuts(current):
        return None
    f_at, g_at = reference.up_to / n, current.up_to / m
    f_below, g_below = reference.below / n, current.below / m
    known = max(float(np.abs(f_at - g_at).max()), float(np.abs(f_below - g_below).max()))
    ends = f_below[0], g_below[0], 1 - f_at[-1], 1 - g_at[-1]
    between = ((one[1:] - other[:-1]).max(initial=0.0) for one, other in ((f_below, g_at), (g_below, f_at)))
    high = max(known, *map(float, ends), *map(float, between))
    return Distance(known, known, high, float(special.kolmogorov(np.sqrt(n * m / (n + m)) * known)))


def stability_index(reference: Counts, current: Counts) -> Distance | None:
    """Return PSI in nats over aligned bins, with its p-value: PSI / (1/n + 1/m) is χ² with bins − 1 degrees of freedom."""
    n, m, bins = int(reference.sum()), int(current.sum()), len(reference)
    if not n or not m:
        return None
    if bins < 2:
        return Distance(0.0, 0.0, 0.0, 1.0)
    p = (reference + 0.5) / (n + 0.5 * bins)
    q = (current + 0.5) / (m + 0.5 * bins)
    value = float(((q - p) * np.log(q / p)).sum())
    return Distance(value, value, value, float(special.chdtrc(bins - 1, value / (1 / n + 1 / m))))


def stability_critical(n: int, m: int, bins: int, level: float = 0.01) -> float:
    """Return the PSI that chance alone exceeds in `level` of all windows of these sizes; one bin never moves."""
    if bins < 2:
        return 0.0
    return float((1 / n + 1 / m) * 2 * special.gammaincinv((bins - 1) / 2, 1 - level))


@shared
def aligned(reference: CategoryProfile, current: CategoryProfile) -> tuple[Counts, Counts]:
    """Return both sides' counts by level, shape (k,) each.

    Over the union of levels, those that are new last. Where the reference has dropped rare levels into `other`, nobody can tell a
    new level from a dropped one: everything but its named levels is then one level on both sides.
    """
    named = sorted(reference.counts)
    fresh = [] if reference.other else sorted(set(current.counts) - set(reference.counts))
    levels = [*named, *fresh]
    then = [reference.counts.get(level, 0) for level in levels]
    now = [current.counts.get(level, 0) for level in levels]
    if reference.other or current.other:
        then.append(reference.other)
        now.append(current.count - sum(now))
    return np.asarray(then, dtype=np.int64), np.asarray(now, dtype=np.int64)


class Association(NamedTuple):
    """Pearson's χ² of a two-column table, its p-value, and Cramér's V plain and bias-corrected."""

    statistic: float
    p_value: float
    cramers_v: float
    corrected_v: float


def chi_square(reference: Counts, current: Counts) -> Association | None:
    """Return the association of level and window; None when a side is empty. With one level nothing changes."""
    seen = (reference + current) > 0
    then, now = reference[seen].astype(np.float64), current[seen].astype(np.float64)
    n, m, levels = then.sum(), now.sum(), len(then)
    if not n or not m:
        return None
    if levels < 2:
        return Association(0.0, 1.0, 0.0, 0.0)
    total = n + m
    statistic = float((np.square(then * m - now * n) / (then + now)).sum() / (n * m))  # Σ (seen − expected)² / expected
    freedom = levels - 1
    phi2 = statistic / total
    corrected = max(0.0, phi2 - freedom / (total - 1))
    narrow = min(2 - 1 / (total - 1), levels - freedom**2 / (total - 1)) - 1
    return Association(
        statistic,
        float(special.chdtrc(freedom, statistic)),
        float(np.sqrt(phi2)),
        float(np.sqrt(corrected / narrow)) if narrow > 0 else 0.0,
    )
