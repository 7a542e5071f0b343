"""How a column is distributed on both sides, few enough numbers to be drawn.

A number's bins are of equal width over the central 99 % of the reference and as far again to both sides; what lies beyond is one
bar at each end, so that no outlier flattens the picture. Whole numbers get bins of whole width. A category shows its most frequent
levels.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from bot.core.profiles import Counts, Floats

BINS, MOST_DRAWN = 24, 36
TOP = 8
SEEN = 0.002
"""A bar at the edge that holds less than this share on both sides is part of what lies beyond."""


def picture_edges(ordered: Floats) -> Floats:
    """Return the edges to count at, ascending, at least two; the ends are open. `ordered` is the sorted reference."""
    if not len(ordered):
        return np.array([0.0, 1.0])
    low, high = (float(ordered[round(share * (len(ordered) - 1))]) for share in (0.005, 0.995))
    if low == high:
        low, high = float(ordered[0]), float(ordered[-1])
    with np.errstate(over="ignore", invalid="ignore"):
        edges = _even(low, high, whole=_whole(ordered))
    edges = np.unique(edges[np.isfinite(edges)])
    return edges if len(edges) > 1 else np.array([low, np.nextafter(low, np.inf)])


def _even(low: float, high: float, *, whole: bool) -> Floats:
    """Return edges of even width over [low, high], and over as much again to both sides."""
    if low == high:
        width = abs(low) / 10 or 1.0
        return np.asarray(low + width * np.arange(-BINS - 0.5, BINS + 1), dtype=np.float64)
    if not whole or high - low > 2**53:
        return np.asarray(low + (high - low) / BINS * np.arange(-BINS, 2 * BINS + 1), dtype=np.float64)
    step = np.ceil((high - low + 1) / MOST_DRAWN)
    bins = int(np.ceil((high - low + 1) / step))
    return np.asarray(low - 0.5 + step * np.arange(-bins, 2 * bins + 1), dtype=np.float64)


def _whole(ordered: Floats) -> bool:
    """Return whether a look at ten thousand values finds whole numbers only."""
    some = ordered[:: max(1, len(ordered) // 10_000)]
    return np.array_equal(some, np.floor(some))


def drawn_numbers(edges: Floats, then: Counts, now: Counts, ends: tuple[float, float]) -> dict[str, Any]:
    """Return shares a bar: `bars` from edge to edge, `below` and `above` what lies beyond.

    Args:
        edges: what was counted at, shape (k,).
        then: the reference's rows, shape (k + 1,): the outermost are open.
        now: the window's.
        ends: the smallest and the largest value there is; no bar claims to begin before the one or to end after the other.
    """
    before, after = (side / max(side.sum(), 1) for side in (then, now))
    seen = np.flatnonzero((before[1:-1] >= SEEN) | (after[1:-1] >= SEEN))
    first, last = (int(seen[0]), int(seen[-1]) + 1) if len(seen) else (0, len(edges) - 1)
    group = -(-(last - first) // MOST_DRAWN)
    last = min(len(edges) - 1, first + group * (-(-(last - first) // group)))
    bars = [
        {
            **_span(float(edges[i]), float(edges[min(i + group, last)]), ends),
            "reference": float(before[1 + i : 1 + min(i + group, last)].sum()),
            "current": float(after[1 + i : 1 + min(i + group, last)].sum()),
        }
        for i in range(first, last, group)
        if then.any() or now.any()
    ]
    below, above = slice(0, first + 1), slice(last + 1, None)
    return {
        "kind": "numeric",
        "bars": bars,
        "below": {"reference": float(before[below].sum()), "current": float(after[below].sum())},
        "above": {"reference": float(before[above].sum()), "current": float(after[above].sum())},
    }


def _span(low: float, high: float, ends: tuple[float, float]) -> dict[str, float]:
    inside = ends[0] < high and ends[1] > low
    return {"from": max(ends[0], low), "to": min(ends[1], high)} if inside else {"from": low, "to": high}


def drawn_levels(names: Sequence[str], then: Counts, now: Counts) -> dict[str, Any]:
    """Return the shares of the levels that are frequent on one side or the other, the rest summed up."""
    before, after = (side / max(side.sum(), 1) for side in (then, now))
    order = np.argsort(-np.maximum(before, after), kind="stable")
    top = order[:TOP] if len(order) > TOP + 1 else order
    rest = order[len(top) :]
    return {
        "kind": "categorical",
        "bars": [{"level": names[i], "reference": float(before[i]), "current": float(after[i])} for i in top],
        "rest": {"levels": len(rest), "reference": float(before[rest].sum()), "current": float(after[rest].sum())},
    }
