"""Proportions, counts and percentiles with honest intervals."""

import math
from functools import cache

import numpy as np
from scipy import special

from bot.core.profiles import Floats

LEVEL = 0.95
SURE = 0.999
"""For what is looked for in every column of every window: of hundreds of looks some lie outside 95 %."""


@cache
def _z(level: float) -> float:
    return float(special.ndtri((1 + level) / 2))


def wilson(k: float, n: float, level: float = LEVEL) -> tuple[float, float]:
    """Return the score interval of a proportion (Wilson 1927); of no trials anything may be true.

    Neither need be whole: rows that hang together count as fewer independent ones (`bot.stats.draws`).
    """
    if n == 0:
        return 0.0, 1.0
    z = _z(level)
    p, spread = k / n, z * z / n
    centre, half = p + spread / 2, z * math.sqrt(p * (1 - p) / n + spread / (4 * n))
    low, high = (centre - half) / (1 + spread), (centre + half) / (1 + spread)
    return (max(0.0, low) if k else 0.0), (min(1.0, high) if k < n else 1.0)  # at the ends exactly, whatever rounding says


def newcombe(k: float, n: float, of: float, total: float, level: float = LEVEL) -> tuple[float, float]:
    """Return the interval of the difference k/n − of/total of two proportions (Newcombe 1998, method 10)."""
    p, q = k / n, of / total
    (p_low, p_high), (q_low, q_high) = wilson(k, n, level), wilson(of, total, level)
    return p - q - math.hypot(p - p_low, q_high - q), p - q + math.hypot(p_high - p, q - q_low)


def beyond(now: tuple[float, float], usual: tuple[float, float], level: float = SURE) -> tuple[float, float]:
    """Return the interval of a share of which some part is usual: its lower end is what chance does not explain.

    Args:
        now: how many of how many; shape (rows, of), of > 0.
        usual: the same of what is usual without any trouble.
        level: of the interval.
    """
    low, high = newcombe(*now, *usual, level)
    return max(0.0, low), min(1.0, high + usual[0] / usual[1])


def poisson(count: int, level: float = LEVEL) -> tuple[float, float]:
    """Return the exact interval of a Poisson mean (Garwood 1936)."""
    tail = (1 - level) / 2
    low = float(special.gammaincinv(count, tail)) if count else 0.0
    return low, float(special.gammaincinv(count + 1, 1 - tail))


def percentile(ordered: Floats, share: float, level: float = LEVEL) -> tuple[float, float, float]:
    """Return a percentile of sorted values with its distribution-free interval from order statistics (binomial ranks)."""
    n = len(ordered)
    low, high = (_binomial(tail, n, share) for tail in ((1 - level) / 2, (1 + level) / 2))
    value = float(np.quantile(ordered, share))
    return value, min(value, float(ordered[max(0, low - 1)])), max(value, float(ordered[min(n - 1, high)]))


def _binomial(tail: float, n: int, share: float) -> int:
    """Return the smallest number of successes of `n` that is reached with at least this probability."""
    if share in (0.0, 1.0):
        return round(n * share)
    near = math.ceil(special.bdtrik(tail, n, share))  # from a continuous inverse: it may be one too many
    return near - 1 if near and special.bdtr(near - 1, n, share) >= tail else near


def lost(now: tuple[float, float], then: tuple[float, float], level: float = LEVEL) -> tuple[float, float, float]:
    """Return which share of what used to be there is gone, 0 (as usual) to 1 (nothing is left), with its interval.

    Args:
        now: how many are missing, of how many; shape (missing, rows), rows > 0.
        then: the same of the reference; not all of it may be missing.
        level: of the interval.
    """
    usual = then[0] / then[1]
    band = newcombe(*now, *then, level)
    value, low, high = (min(1.0, max(0.0, rise / (1 - usual))) for rise in (now[0] / now[1] - usual, *band))
    return value, low, high
