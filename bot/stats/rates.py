"""Proportions, counts and percentiles with honest intervals."""

import math

import numpy as np
from scipy import special, stats

from bot.core.profiles import Floats

LEVEL = 0.95


def wilson(k: int, n: int, level: float = LEVEL) -> tuple[float, float]:
    """Return the score interval of a proportion (Wilson 1927); of no trials anything may be true."""
    if n == 0:
        return 0.0, 1.0
    z = float(special.ndtri((1 + level) / 2))
    p, spread = k / n, z * z / n
    centre, half = p + spread / 2, z * math.sqrt(p * (1 - p) / n + spread / (4 * n))
    low, high = (centre - half) / (1 + spread), (centre + half) / (1 + spread)
    return (max(0.0, low) if k else 0.0), (min(1.0, high) if k < n else 1.0)  # at the ends exactly, whatever rounding says


def newcombe(k: int, n: int, of: int, total: int) -> tuple[float, float]:
    """Return the interval at 95 % of the difference k/n − of/total of two proportions (Newcombe 1998, method 10)."""
    p, q = k / n, of / total
    (p_low, p_high), (q_low, q_high) = wilson(k, n), wilson(of, total)
    return p - q - math.hypot(p - p_low, q_high - q), p - q + math.hypot(p_high - p, q - q_low)


def poisson(count: int, level: float = LEVEL) -> tuple[float, float]:
    """Return the exact interval of a Poisson mean (Garwood 1936)."""
    tail = (1 - level) / 2
    low = float(special.gammaincinv(count, tail)) if count else 0.0
    return low, float(special.gammaincinv(count + 1, 1 - tail))


def percentile(ordered: Floats, share: float, level: float = LEVEL) -> tuple[float, float, float]:
    """Return a percentile of sorted values with its distribution-free interval from order statistics (binomial ranks)."""
    n = len(ordered)
    low, high = (int(stats.binom.ppf(tail, n, share)) for tail in ((1 - level) / 2, (1 + level) / 2))
    value = float(np.quantile(ordered, share))
    return value, min(value, float(ordered[max(0, low - 1)])), max(value, float(ordered[min(n - 1, high)]))


def lost(now: tuple[int, int], then: tuple[int, int]) -> tuple[float, float, float]:
    """Return which share of what used to be there is gone, 0 (as usual) to 1 (nothing is left), with its interval at 95 %.

    Args:
        now: how many are missing, of how many; shape (missing, rows), rows ≥ 1.
        then: the same of the reference; not all of it may be missing.
    """
    usual = then[0] / then[1]
    band = newcombe(*now, *then)
    value, low, high = (min(1.0, max(0.0, rise / (1 - usual))) for rise in (now[0] / now[1] - usual, *band))
    return value, low, high
