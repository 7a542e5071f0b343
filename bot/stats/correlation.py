"""Do two columns still rise and fall together? Spearman's rank correlation of every pair, then and now.

Missing values leave a pair's row out. The change is tested on Fisher's scale with the variance that ranks need, 1.06 / (n − 3)
(Fieller, Hartley & Pearson 1957), and corrected for as many pairs as there are (Bonferroni).
"""

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

import numpy as np
from scipy import stats

from bot.core.joint import JointRows
from bot.core.profiles import Floats
from bot.stats.columns import aligned

MOST_COLUMNS, MOST_ROWS, LEAST_ROWS = 40, 2_500, 100
LEAST_MOVING = 30
"""Rows of a column that differ from its most frequent value: the correlation of one that hardly ever moves hangs on those few, and
Fisher's scale is wrong for it by far (of windows of handwritten digits without any change four in five looked changed)."""
EDGE = 1 - 1e-9
"""Fisher's scale has no end; a perfect correlation is held just short of it."""


class Change(NamedTuple):
    """One pair of columns: its correlation then and now (−1 to 1), the chance to see such a change anywhere without one."""

    pair: tuple[str, str]
    then: float
    now: float
    p_value: float
    n: int


def changes(then: JointRows, now: JointRows) -> list[Change]:
    """Return every pair of number columns (the first 40) that can be measured on both sides, the largest change first."""
    sides = aligned(then.thinned(MOST_ROWS), now.thinned(MOST_ROWS))
    numeric = [i for i, categorical in enumerate(sides.categorical) if not categorical][:MOST_COLUMNS]
    names = [sides.names[i] for i in numeric]
    before, after = _pairs(sides.then[:, numeric]), _pairs(sides.now[:, numeric])
    both = sorted({*before} & {*after})
    found = [_change((names[i], names[j]), before[i, j], after[i, j], len(both)) for i, j in both]
    return sorted(found, key=lambda change: (-abs(change.now - change.then), change.pair))


def spearman(one: Floats, other: Floats) -> float:
    """Return the rank correlation of two columns without gaps, ties at their middle rank; NaN where one of them is constant."""
    ours, theirs = (stats.rankdata(side) - (len(side) + 1) / 2 for side in (one, other))
    size = float(np.sqrt((ours @ ours) * (theirs @ theirs)))
    return float(ours @ theirs) / size if size else float("nan")


def moves(values: Floats) -> bool:
    """Return whether enough rows of a column without gaps, shape (n,), differ from its most frequent value."""
    _, times = np.unique(values, return_counts=True)
    return len(values) - int(times.max(initial=0)) >= LEAST_MOVING


def _pairs(rows: Floats) -> dict[tuple[int, int], tuple[float, int]]:
    """Return each pair's correlation and rows, for those with enough of them and no constant side."""
    return {pair: (value, n) for pair, value, n in _measured(rows) if n >= LEAST_ROWS and np.isfinite(value)}


def _measured(rows: Floats) -> Iterator[tuple[tuple[int, int], float, int]]:
    there = ~np.isnan(rows)
    moving = [column for column in range(rows.shape[1]) if moves(rows[there[:, column], column])]
    for i, j in combinations(moving, 2):
        both = there[:, i] & there[:, j]
        n = int(both.sum())
        yield (i, j), spearman(rows[both, i], rows[both, j]) if n >= LEAST_ROWS else float("nan"), n


def _change(pair: tuple[str, str], then: tuple[float, int], now: tuple[float, int], pairs: int) -> Change:
    (r, n), (s, m) = then, now
    gap = np.arctanh(np.clip(s, -EDGE, EDGE)) - np.arctanh(np.clip(r, -EDGE, EDGE))
    chance = 2 * float(stats.norm.sf(abs(gap) / np.sqrt(1.06 / (n - 3) + 1.06 / (m - 3))))
    return Change(pair, r, s, min(1.0, chance * pairs), m)
