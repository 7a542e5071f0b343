"""Lines that all measures of a look together cross with a given chance, and tails beyond the draws.

Every measure keeps its own distribution, so that a skewed one does not set the line of all others, and gets its share of the
chance. How many shares there are is read off the draws, where dependence among features is kept as it is: features that always move
together count once (the idea of Westfall & Young 1993, min-p). Where fewer than ten draws lie beyond a line, the tail is a
generalised Pareto one, fitted by probability-weighted moments (Hosking & Wallis 1987) and never lighter than an exponential: what
was not seen is not ruled out.
"""

import math

import numpy as np

from bot.core.profiles import Floats

ENOUGH_BEYOND = 10
TAIL = 0.15
LEAST_TAIL = 20
HEAVIEST = 0.25
RESAMPLES, UPPER = 40, 0.5
COMMON = 0.05
LEAST_DRAWS = 12


def upper_quantile(values: Floats, chance: float, heaviest: float = HEAVIEST) -> float:
    """Return what a draw lies above with this chance; `values` are draws, shape (n,), n ≥ 2; `heaviest` 0: exponential tail."""
    ordered = np.sort(values)
    n = len(ordered)
    if chance * n >= ENOUGH_BEYOND:
        return float(np.quantile(ordered, 1 - chance))
    beyond = min(max(1, n // 3), max(LEAST_TAIL, round(TAIL * n)))
    start = float(ordered[n - beyond - 1])
    shape, scale = pareto(ordered[n - beyond :] - start, heaviest)
    rare = chance * n / beyond
    reach = -math.log(rare) if shape == 0 else (rare**-shape - 1) / shape
    return start + scale * max(0.0, reach)


def pareto(excesses: Floats, heaviest: float = HEAVIEST) -> tuple[float, float]:
    """Return shape (0 to `heaviest`) and scale of a generalised Pareto tail of ascending excesses, shape (n,), all ≥ 0."""
    n = len(excesses)
    mean = float(excesses.mean())
    weighted = float(((1 - (np.arange(1, n + 1) - 0.35) / n) * excesses).mean())
    if mean <= 0 or mean - 2 * weighted <= 0:
        return 0.0, max(mean, 0.0)
    shape = 2 - mean / (mean - 2 * weighted)
    if shape <= 0:
        return 0.0, mean
    shape = min(shape, heaviest)
    return shape, mean * (1 - shape)


def heights(badness: Floats, chance: float, independent: float) -> Floats:
    """Return a line a measure, such that any of them is crossed in one look with this chance.

    Overlapping windows of a short reference tell less than their number says, and a line that is too low by accident costs more
    than one that is too high by as much. The lines are therefore made again, with an exponential tail, from resamples of as many
    draws as are independent; where their middle is higher, it is taken. With it the promise holds in simulation (see the tests).

    Args:
        badness: draws by measures, shape (n, m), larger is worse; NaN where a draw could not be measured.
        chance: of any crossing in one look, 0 to 0.5.
        independent: how many of the draws are worth a window of their own.

    Returns:
        Lines, shape (m,); NaN for a measure that never varies or was hardly ever measured: there is nothing to learn from it.
    """
    lines = np.full(badness.shape[1], np.nan)
    usable = np.flatnonzero(np.isfinite(badness).mean(axis=0) >= 0.5) if len(badness) else np.empty(0, np.int64)
    seen = np.where(np.isfinite(badness[:, usable]), badness[:, usable], np.nan)
    if not len(usable):
        return lines
    varies = np.nanmax(seen, axis=0) > np.nanmin(seen, axis=0)
    usable, seen = usable[varies], seen[:, varies]
    if not len(usable):
        return lines
    size = int(np.clip(independent, LEAST_DRAWS, len(seen)))
    rng = np.random.default_rng(0)
    again = [_lines(seen[rng.integers(0, len(seen), size)], chance, 0.0) for _ in range(RESAMPLES)]
    lines[usable] = np.maximum(_lines(seen, chance, HEAVIEST), np.quantile(again, UPPER, axis=0))
    return lines


def _lines(seen: Floats, chance: float, heaviest: float) -> Floats:
    """Return the lines of one set of draws, shape (m,): each measure's own tail, at its share of the chance."""
    each = chance / independent_measures(seen)
    return np.array([upper_quantile(column[np.isfinite(column)], each, heaviest) for column in seen.T])


def independent_measures(seen: Floats) -> float:
    """Return how many independent measures these are worth, 1 to m: how often any is in its own upper 5 %, over 5 %."""
    high = np.nanquantile(seen, 1 - COMMON, axis=0)
    alike = (seen > high).any(axis=1).mean() / COMMON
    return float(np.clip(alike, 1.0, seen.shape[1]))
