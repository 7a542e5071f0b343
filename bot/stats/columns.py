"""Two windows' rows side by side: the same columns, the same levels under the same numbers."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bot.core.joint import JointRows
from bot.core.profiles import Floats

MOST_LEVELS = 250
"""A learner takes up to 255 levels of a column; the rarest share one."""


class Aligned(NamedTuple):
    """The columns that both windows have, as the same kind.

    Shapes: `then` is (n, k), `now` is (m, k); missing is NaN. Levels are whole numbers from 0, the reference's most frequent
    first; `categorical` is (k,). `levels` counts the levels of each column, those that only the window has included: (k,).
    """

    names: tuple[str, ...]
    then: Floats
    now: Floats
    categorical: npt.NDArray[np.bool_]
    levels: npt.NDArray[np.int64]


def aligned(then: JointRows, now: JointRows) -> Aligned:
    """Return the columns that both have; one that is text in one of them and numbers in the other is left out."""
    names = tuple(n for n in then.names if n in now.names and (n in then.levels) == (n in now.levels))
    before, after = np.empty((len(then), len(names))), np.empty((len(now), len(names)))
    levels = np.zeros(len(names), dtype=np.int64)
    for i, name in enumerate(names):
        before[:, i], after[:, i] = then.column(name), now.column(name)
        if name in then.levels:
            places = _places(then, now, name)
            levels[i] = len(places)
            before[:, i] = _renamed(before[:, i], then.levels[name], places)
            after[:, i] = _renamed(after[:, i], now.levels[name], places)
    return Aligned(names, before, after, np.array([n in then.levels for n in names], dtype=bool), levels)


def _places(then: JointRows, now: JointRows, name: str) -> dict[str, int]:
    """Return the place of every level: by rows in the reference, then by name; those that only the window has come last, likewise.

    So a reference's own places are the same whatever it is compared with.
    """
    old, new = _counts(then, name), _counts(now, name)
    fresh = {level: count for level, count in new.items() if level not in old}
    ordered = [level for known in (old, fresh) for level in sorted(known, key=lambda level: (-known[level], level))]
    return {level: place for place, level in enumerate(ordered)}


def _counts(rows: JointRows, name: str) -> dict[str, int]:
    column = rows.column(name)
    counts = np.bincount(column[~np.isnan(column)].astype(np.int64), minlength=len(rows.levels[name]))
    return {level: int(count) for level, count in zip(rows.levels[name], counts, strict=True) if count}


def _renamed(column: Floats, levels: tuple[str, ...], places: dict[str, int]) -> Floats:
    by_place = np.array([*(float(places.get(level, 0)) for level in levels), np.nan])  # a level without a row is nobody's
    return by_place[np.where(np.isnan(column), len(levels), column).astype(np.int64)]


def seen_before(sides: Aligned) -> Floats:
    """Return the window's rows, shape (m, k), without the levels that the reference does not have: they are as missing."""
    now = sides.now.copy()
    for i in np.flatnonzero(sides.categorical):
        known = sides.then[:, i]
        now[:, i][now[:, i] > np.max(known, initial=-1.0, where=~np.isnan(known))] = np.nan
    return now


def ranked(aligned_rows: Aligned, steps: int | None = None) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return both windows' rows under each other, shape (n + m, k), as a learner of trees takes them.

    Numbers become their ranks among both windows (trees see nothing else, and no number is too large to add), missing ones the
    lowest; the rarest levels share one, a missing level is a level. `True` marks the rows of the window, shape (n + m,). With
    `steps`, neighbouring ranks are one of at most so many.
    """
    both = np.vstack([aligned_rows.then, aligned_rows.now])
    for i, categorical in enumerate(aligned_rows.categorical):
        there = ~np.isnan(both[:, i])
        if categorical:
            both[:, i] = np.where(there, np.minimum(both[:, i], MOST_LEVELS), MOST_LEVELS + 1)
        else:
            values, rank = np.unique(both[there, i], return_inverse=True)
            both[there, i] = rank if steps is None else rank * steps // max(len(values), steps)
            both[~there, i] = -1
    return both, np.arange(len(both)) >= len(aligned_rows.then)
