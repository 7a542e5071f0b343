"""Do two columns still rise and fall together? Spearman's rank correlation of every pair, then and now.

Missing values leave a pair's row out. The change is tested on Fisher's scale with the variance that ranks need, 1.06 / (n − 3)
(Fieller, Hartley & Pearson 1957), and corrected for as many pairs as there are (Bonferroni).
"""

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from bot.core.joint import JointRows
from bot.core.profiles import Counts, Floats
from bot.stats.columns import aligned
from bot.stats.learned import once

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
    n: int
    p_value: float


def changes(then: JointRows, now: JointRows) -> list[Change]:
    """Return every pair of number columns (the first 40) that can be measured on both sides, the largest change first."""
    sides = aligned(then.thinned(MOST_ROWS), now.thinned(MOST_ROWS))
    numeric = [i for i, categorical in enumerate(sides.categorical) if not categorical][:MOST_COLUMNS]
    names = [sides.names[i] for i in numeric]
    before = once(then, ("correlation", *names), lambda: _pairs(sides.then[:, numeric]))
    after = _pairs(sides.now[:, numeric])
    both = sorted({*before} & {*after})
    chances = _chances(np.array([(*before[pair], *after[pair]) for pair in both]).reshape(-1, 4))
    found = [
        Change((names[i], names[j]), before[i, j][0], *after[i, j], chance)
        for (i, j), chance in zip(both, chances.tolist(), strict=True)
    ]
    return sorted(found, key=lambda change: (-abs(change.now - change.then), change.pair))


class Ordered(NamedTuple):
    """A column's rows that have a value, the smallest first, and the place of each among the distinct values: shape (m,) both.

    Of `n` rows; sorted once, whatever rows a pair then has in common.
    """

    rows: Counts
    value: Counts
    n: int

    @property
    def moving(self) -> int:
        """How many rows differ from the most frequent value."""
        return len(self.value) - int(np.bincount(self.value, minlength=1).max())

    def ranks(self, kept: npt.NDArray[np.bool_]) -> Floats:
        """Return the ranks among the rows that are kept, ties at their middle rank, less the mean rank; shape (n,), elsewhere 0."""
        inside = kept[self.rows]
        rows, value = self.rows[inside], self.value[inside]
        times = np.bincount(value)
        ranks = np.zeros(self.n)
        ranks[rows] = (np.cumsum(times) - (times - 1) / 2 - (len(rows) + 1) / 2)[value]
        return ranks


def ordered(column: Floats) -> Ordered:
    """Return the order of a column of shape (n,)."""
    rows = np.argsort(column)[: len(column) - int(np.isnan(column).sum())]
    values = column[rows]
    return Ordered(rows, np.cumsum(np.append(False, values[1:] != values[:-1])[: len(rows)]), len(column))


def spearman(one: Floats, other: Floats) -> float:
    """Return the rank correlation of two columns without gaps, ties at their middle rank; NaN where one of them is constant."""
    every = np.ones(len(one), dtype=bool)
    return _correlation(ordered(one).ranks(every), ordered(other).ranks(every))


def _correlation(ours: Floats, theirs: Floats) -> float:
    size = float(np.sqrt((ours @ ours) * (theirs @ theirs)))
    return float(ours @ theirs) / size if size else float("nan")


def _pairs(rows: Floats) -> dict[tuple[int, int], tuple[float, int]]:
    """Return each pair's correlation and rows, for those with enough of them and no constant side."""
    return {pair: (value, n) for pair, value, n in _measured(rows) if np.isfinite(value)}


def _measured(rows: Floats) -> Iterator[tuple[tuple[int, int], float, int]]:
    there = ~np.isnan(rows)
    columns = {i: ordered(rows[:, i]) for i in range(rows.shape[1])}
    alone = {i: column.ranks(there[:, i]) for i, column in columns.items() if column.moving >= LEAST_MOVING}
    for i, j in combinations(alone, 2):
        both = there[:, i] & there[:, j]
        n = int(np.count_nonzero(both))
        if n >= LEAST_ROWS:
            ours, theirs = (alone[k] if len(columns[k].rows) == n else columns[k].ranks(both) for k in (i, j))
            yield (i, j), _correlation(ours, theirs), n


def _chances(pairs: Floats) -> Floats:
    """Return the chance of each pair's change, shape (p,); a pair is its correlation and rows then, and both now: (p, 4)."""
    r, n, s, m = pairs.T
    gap = np.arctanh(np.clip(s, -EDGE, EDGE)) - np.arctanh(np.clip(r, -EDGE, EDGE))
    chance = 2 * special.ndtr(-np.abs(gap) / np.sqrt(1.06 / (n - 3) + 1.06 / (m - 3)))
    return np.asarray(np.minimum(1.0, chance * len(pairs)), dtype=np.float64)
