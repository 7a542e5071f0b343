"""Smirnov's two-sample distance between whole columns, and its p-value, both exact and quick.

The distance needs no merge of the two columns: at a few thousand cut points both distribution functions are looked up, and only
where they could still differ more than is known already is every value looked at. The p-value is SciPy's to the last digits that
matter; where its sum would take most of a second (n to a million, p below 0.01) the same terms are summed at once.
"""

import numpy as np

from bot.core.profiles import Counts, Floats

BLOCKS = 4_096
LEAST_ROWS, LEAST_REACH, WIDEST = 2_000, 100, 0.1
"""Where Stirling's series stands for factorials: the few terms for which it would be coarse are below 1e-40 of the sum."""


def distance(reference: Floats, current: Floats) -> float:
    """Return the largest distance of two distribution functions, 0 to 1; both columns sorted, finite, of one value at least."""
    if len(reference) > len(current):
        reference, current = current, reference
    n, m = len(reference), len(current)
    starts = np.unique(np.linspace(0, n, min(n, BLOCKS) + 1).astype(np.int64))
    at = reference[starts[:-1]]
    before = np.append(np.searchsorted(current, at, side="left"), m)
    known = _widest(reference, current, starts[:-1])
    # inside a block both functions only rise: neither can be above its end or below its start
    reach = np.maximum(starts[1:] / n - before[:-1] / m, before[1:] / m - starts[:-1] / n)
    blocks = np.flatnonzero(reach > known)
    if not len(blocks):
        return known
    lengths = np.diff(starts)[blocks]
    inside = np.repeat(starts[blocks] - np.concatenate([[0], np.cumsum(lengths)[:-1]]), lengths) + np.arange(lengths.sum())
    return max(known, _widest(reference, current, inside))


def _widest(reference: Floats, current: Floats, places: Counts) -> float:
    """Return the widest gap at and just below these places of the reference; among ties the outer ones are the true ones."""
    n, m, values = len(reference), len(current), reference[places]
    above = (places + 1) / n - np.searchsorted(current, values, side="right") / m
    below = np.searchsorted(current, values, side="left") / m - places / n
    return float(max(above.max(), below.max()))


def exact_p_value(distance: float, n: int, m: int) -> float:
    """Return the asymptotic p-value of a two-sample KS distance as SciPy's `ks_2samp(method="asymp")` gives it.

    Simard & L'Ecuyer 2011, at n·m / (n + m) rows, rounded.
    """
    size = round(n * m / (n + m))
    if not size:
        return 1.0  # one row against one proves nothing; SciPy says NaN
    slow = 2.2 <= size * distance * distance < 370 and LEAST_ROWS <= size <= 1_000_000
    if slow and size * distance >= LEAST_REACH and distance <= WIDEST:
        return min(1.0, 2 * _one_sided(distance, size))
    from scipy.stats import kstwo  # noqa: PLC0415  takes a second to import, and no look needs it

    return float(kstwo.sf(distance, size))


def _one_sided(x: float, n: int) -> float:
    """Return P(D⁺ ≥ x) of n rows: Smirnov's sum (Birnbaum & Tingey 1951) with Loader's saddle-point form of its binomials."""
    j = np.arange(1, int(np.ceil(n * (1 - x))), dtype=np.float64)
    a = j / n
    kept = a + x < 1
    j, a = j[kept], a[kept]
    nats = n * (a * np.log1p(x / a) + (1 - a) * np.log1p(-x / (1 - a)))
    stirling = _stirling(float(n)) - _stirling(j) - _stirling(n - j)
    terms = np.exp(nats + stirling) / (np.sqrt(2 * np.pi * n * a * (1 - a)) * (a + x))
    return float(x * terms.sum() + np.exp(n * np.log1p(-x)))


def _stirling(k: Floats | float) -> Floats | float:
    """Return ln k! minus Stirling's formula."""
    return (1 / 12 - (1 / 360 - 1 / 1260 / k**2) / k**2) / k
