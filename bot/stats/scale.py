"""Has a column another unit, or another sign? Distributions of magnitudes, compared on their logarithm.

Multiplying by a factor moves every magnitude by the same distance on a logarithmic scale. So the counts of magnitudes at fixed
edges, a quarter of a decade apart, tell a jump from a drift: a jump is the reference itself, moved, and nothing else.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bot.core.profiles import Counts, Floats

STEPS = 4
"""Bins a decade."""
SMALLEST, LARGEST = -12, 15
"""Decades; smaller counts as zero, larger as that large."""
POSITIVE = 10.0 ** ((np.arange(SMALLEST * STEPS, LARGEST * STEPS + 1) + 0.5) / STEPS)
"""Between the round numbers that people write: none of 1, 2, 5, 10 lies on an edge, where rounding would choose its bin."""
EDGES = np.concatenate([-POSITIVE[::-1], POSITIVE])
BINS = len(POSITIVE)

LEAST_FACTOR, MOST_FACTOR = 7.5, 1e9
"""A tenfold jump of some of the rows may look a little smaller; below that a column grows, it does not jump."""
GRID = 4
"""Shifts are tried in parts of a bin: not every unit is a whole number of quarter decades away."""
LEAST_DISTANCE = 0.04
"""Total variation below which nothing has jumped; a jump of fewer rows is not looked for."""
LEAST_SEPARATION = 0.5
"""The reference and its moved self must differ by this total variation, or nobody can tell them apart."""
LEAST_EXPLAINED = 0.85
"""The part of the change that a jump must explain; a drift, however large, has another shape."""
MOST_UNEXPLAINED = 0.35
"""Where rows are few chance explains much; a jump must explain as much by itself."""
LEAST_DRAWS = 30
"""Independent rows on either side: fewer have no shape."""
HARDLY = 0.001
"""The share of the reference up to which a magnitude counts as one that it does not have."""
LEAST_NEW = 0.01
"""The share of values now, and that the jump must promise, of magnitudes that the reference does not have."""
KEPT = 0.7
"""The part of what a jump promises to bring that must have come."""
SURE = 5.0
"""Standard errors by which a jump's share of rows must differ from none, as some hundreds of jumps are tried on each column; and
how many independent rows must have jumped."""
Z = 1.96


@dataclass(frozen=True, slots=True)
class Jump:
    """A share of the values (with its interval at 95 %) is `factor` times what it was; below zero the sign is turned."""

    factor: float
    share: float
    low: float
    high: float


def magnitudes(ordered: Floats) -> Counts:
    """Return how many of the sorted values lie in each of the bins between `EDGES`, shape (2 · BINS + 1,); the middle is zero."""
    at = np.searchsorted(ordered, EDGES, side="right")
    return np.diff(np.concatenate([[0], at, [len(ordered)]])).astype(np.int64)


def other_than_zero(counted: Counts) -> int:
    """Return how many of the values are large enough to have a magnitude."""
    return int(counted.sum() - counted[BINS])


def jump(reference: Counts, current: Counts, worth: float = 1.0) -> Jump | None:
    """Return the jump that best explains how the magnitudes have changed, or None where none does.

    It must explain nearly the whole change, be far beyond chance, lie well apart from the reference, and bring magnitudes (or a
    sign) that the reference does not have: a mixture whose parts change their shares jumps nowhere. `worth` is how many independent
    draws one row is.
    """
    rows = other_than_zero(reference), other_than_zero(current)
    if not all(rows):
        return None
    then, now = _by_magnitude(reference) / rows[0], _by_magnitude(current) / rows[1]
    n, m = rows[0] * worth, rows[1] * worth
    change = _smooth(now - then)
    distance = float(_variation(change))
    if distance < LEAST_DISTANCE:
        return None
    p, new = _smooth(then), _new(then)
    if now[new].sum() < LEAST_NEW:
        return None
    factors, moved = _moved(then)
    apart = _smooth(moved) - p
    sizes = np.maximum((apart**2).sum(axis=1), 1e-12)
    shares = np.clip(apart @ change / sizes, 0.0, 1.0)
    left = _variation(change - shares[:, None] * apart)
    best = int(left.argmin())
    factor, share = float(factors[best]), float(shares[best])
    if 1 / LEAST_FACTOR < factor < LEAST_FACTOR or _variation(apart[best]) < LEAST_SEPARATION:
        return None
    promised = float(moved[best][new].sum())
    brings = promised >= LEAST_NEW and now[new].sum() >= KEPT * share * promised
    fits = _fits(float(left[best]), distance, _noise(p + share * apart[best], (n, m)))
    enough = min(n, m) >= LEAST_DRAWS and share * m >= SURE
    weights = _smooth(apart[best] / sizes[best])
    if not (brings and fits and enough) or share < SURE * _error(weights, (then, then), (n, m)):
        return None
    error = Z * _error(weights, (then, now), (n, m))
    return Jump(factor, share, max(0.0, share - error), min(1.0, share + error))


def _by_magnitude(counted: Counts) -> Floats:
    """Return the counts as rising magnitudes, shape (2 · BINS,): those below zero, then those above."""
    return np.concatenate([counted[:BINS][::-1], counted[BINS + 1 :]]).astype(np.float64)


def _smooth(shares: Floats) -> Floats:
    """Spread each bin a little over its neighbours, so that where a bin ends matters less; along the last axis, each sign alone."""
    signs = shares.reshape(*shares.shape[:-1], 2, BINS)
    padded = np.concatenate([signs[..., :1], signs, signs[..., -1:]], axis=-1)
    return np.asarray((padded[..., :-2] + 2 * padded[..., 1:-1] + padded[..., 2:]) / 4).reshape(shares.shape)


def _variation(difference: Floats) -> Floats:
    return np.asarray(0.5 * np.abs(difference).sum(axis=-1))


def _new(then: Floats) -> npt.NDArray[np.bool_]:
    """Return which magnitudes and signs the reference does not have, or hardly, shape (2 · BINS,)."""
    signs = then.reshape(2, BINS)
    tail = np.cumsum(signs.sum(axis=0))
    outside = (tail <= HARDLY / 2) | (1 - np.append(0.0, tail[:-1]) <= HARDLY / 2)
    return np.asarray((outside | (signs.sum(axis=1) <= HARDLY)[:, None]).reshape(-1))


def _moved(shares: Floats) -> tuple[Floats, Floats]:
    """Return every factor that is tried, shape (k,), and the reference multiplied by it, shape (k, 2 · BINS).

    Small factors are tried, too: a column that has grown threefold is better explained by that than by a jump of some rows.
    """
    most = round(np.log10(MOST_FACTOR) * STEPS * GRID)
    parts = np.concatenate([np.arange(-most, 0), np.arange(1, most + 1)])
    whole, rest = np.divmod(parts, GRID)
    signs, margin = shares.reshape(2, BINS), most // GRID + 2
    padded = np.pad(signs, ((0, 0), (margin, margin)))
    at = (margin - whole)[:, None] + np.arange(BINS)
    weight = rest / GRID
    shifted = (1 - weight)[:, None] * padded[:, at] + weight[:, None] * padded[:, at - 1]
    factors = np.append(10.0 ** (parts / (STEPS * GRID)), -1.0)
    return factors, np.concatenate([shifted.transpose(1, 0, 2).reshape(len(parts), -1), signs[::-1].reshape(1, -1)])


def _fits(left: float, distance: float, noise: float) -> bool:
    """Return whether a jump explains the change: nearly all that chance does not, and most of all there is."""
    return distance - max(0.0, left - noise) >= LEAST_EXPLAINED * distance and left <= MOST_UNEXPLAINED * distance


def _noise(shares: Floats, rows: tuple[float, float]) -> float:
    """Return the total variation that chance alone leaves between two samples of these shares, of so many rows each."""
    return float(0.5 * np.sqrt(2 / np.pi * np.clip(shares * (1 - shares), 0, None) * sum(1 / n for n in rows)).sum())


def _error(weights: Floats, sides: tuple[Floats, Floats], rows: tuple[float, float]) -> float:
    """Return the standard error of a weighted sum of the shares of both sides, of so many rows each."""
    spread = sum(float(weights**2 @ side - (weights @ side) ** 2) / n for side, n in zip(sides, rows, strict=True))
    return float(np.sqrt(max(0.0, spread)))
