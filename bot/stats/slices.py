"""Where does the model err most? Every level and every quarter of every input, and every two of them, against all other rows.

A slice that was always hard is no news: from its difference to the rest the difference that the reference had is taken away. With
so many slices some look bad by chance, so the chance is corrected for all that were looked at (Bonferroni); and because bad
outcomes come in bad days, it is days that are counted, not rows: one storm is no proof.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri, stdtr

from bot.core.clues import WorseSlice
from bot.core.joint import JointRows
from bot.core.profiles import Floats
from bot.core.words import number
from bot.stats.columns import Aligned, aligned
from bot.stats.performance import days
from bot.stats.threads import one_thread

LEAST_ROWS, LEAST_BEFORE = 100, 50
MOST_LEVELS, MOST_SLICES = 20, 100
LEAST_BLOCKS, MOST_BLOCKS = 5, 60
LONGEST_LEVEL = 40
Mask = npt.NDArray[np.bool_]


class Cut(NamedTuple):
    """A slice of one input: its column, what people call it, and which rows belong to it, then and now."""

    column: int
    name: str
    then: Mask
    now: Mask


class Sums(NamedTuple):
    """Of each block of rows the rows and losses of each slice (the diagonal) and of every two together; last of all rows.

    Shape (b, s + 1, s + 1) each.
    """

    rows: Floats
    losses: Floats


def worst_slices(then: JointRows, now: JointRows, most: int = 3) -> list[WorseSlice]:
    """Return the slices whose loss has risen most surely above the others', the surest first; none where too few rows have labels.

    Args:
        then: the reference's rows; without labels there is nothing to take away.
        now: the window's.
        most: how many are returned; of slices that share most of their rows only the surest is.
    """
    then, now = (side.rows(~np.isnan(side.scores) & ~np.isnan(side.labels)) for side in (then, now))
    if len(now) < 2 * LEAST_ROWS:
        return []
    cuts = sorted(_cuts(aligned(then, now), now), key=lambda cut: (-int(cut.now.sum()), cut.name))[:MOST_SLICES]
    if not cuts:
        return []
    first, second = np.triu_indices(len(cuts))
    columns = np.array([cut.column for cut in cuts])
    apart = (first == second) | (columns[first] != columns[second])
    pairs = np.stack([first[apart], second[apart]], axis=1)
    told = _told(pairs, _sums(then, [c.then for c in cuts]), _sums(now, [c.now for c in cuts]))
    return _chosen(cuts, pairs, told, most)


def _cuts(sides: Aligned, now: JointRows) -> list[Cut]:
    cuts = []
    for i, name in enumerate(sides.names):
        before, after = sides.then[:, i], sides.now[:, i]
        if sides.categorical[i]:
            counts = np.bincount(after[~np.isnan(after)].astype(np.int64), minlength=int(sides.levels[i]))
            common = [int(p) for p in np.argsort(-counts, kind="stable")[:MOST_LEVELS] if counts[p]]
            cuts += [Cut(i, f"{name} = {_level(now, name, after, p)}", before == p, after == p) for p in common]
        else:
            cuts += _quarters(i, name, before, after)
        cuts.append(Cut(i, f"{name} is missing", np.isnan(before), np.isnan(after)))
    return [cut for cut in cuts if LEAST_ROWS <= cut.now.sum() <= len(now) - LEAST_ROWS]


def _level(now: JointRows, name: str, places: Floats, place: int) -> str:
    """Return the level that has this place among both windows' levels."""
    row = int(np.flatnonzero(places == place)[0])
    level = now.levels[name][int(now.column(name)[row])]
    return level if len(level) <= LONGEST_LEVEL else f"{level[: LONGEST_LEVEL - 1]}…"


def _quarters(column: int, name: str, before: Floats, after: Floats) -> list[Cut]:
    """Return the quarters of the reference (of the window, where that has no values)."""
    known = before[~np.isnan(before)] if not np.isnan(before).all() else after[~np.isnan(after)]
    edges = np.unique(np.quantile(known, [0.25, 0.5, 0.75], method="lower")) if len(known) else np.empty(0)
    bounds = [-np.inf, *edges.tolist(), np.inf]
    return [
        Cut(column, _range(name, low, high), (before > low) & (before <= high), (after > low) & (after <= high))
        for low, high in pairwise(bounds)
    ]


def _range(name: str, low: float, high: float) -> str:
    if low == -np.inf:
        return f"{name} ≤ {number(high)}"
    return f"{name} > {number(low)}" if high == np.inf else f"{number(low)} < {name} ≤ {number(high)}"


def losses(rows: JointRows) -> Floats:
    """Return each row's squared error, shape (n,)."""
    return np.square(rows.scores - rows.labels)


def _sums(rows: JointRows, masks: list[Mask]) -> Sums:
    inside = np.stack([*masks, np.ones(len(rows), dtype=bool)], axis=1).astype(np.float64)
    loss, block = losses(rows)[:, None], blocks(rows)
    parts = [(inside[block == b], loss[block == b]) for b in range(int(block.max(initial=-1)) + 1)] or [(inside, loss)]
    with one_thread():
        return Sums(np.stack([m.T @ m for m, _ in parts]), np.stack([m.T @ (m * x) for m, x in parts]))


def blocks(rows: JointRows) -> npt.NDArray[np.int64]:
    """Return which block each row belongs to: its day, because bad outcomes come in bad days; in a shorter window its place."""
    day = days(rows.at)
    kinds, block = np.unique(day, return_inverse=True)
    if len(kinds) < LEAST_BLOCKS:
        return np.arange(len(rows)) * MOST_BLOCKS // max(len(rows), 1)
    return np.asarray(block * MOST_BLOCKS // len(kinds) if len(kinds) > MOST_BLOCKS else block, dtype=np.int64)


class Told(NamedTuple):
    """Of each pair of slices, shape (p,): loss inside and outside, the difference before (NaN: unknown), the excess, z, rows."""

    loss: Floats
    rest: Floats
    before: Floats
    excess: Floats
    z: Floats
    rows: Floats


def _told(pairs: npt.NDArray[np.int64], then: Sums, now: Sums) -> Told:
    inside, rest, error, rows = _against(pairs, now, LEAST_ROWS)
    was_inside, was_rest, was_error, _ = _against(pairs, then, LEAST_BEFORE)
    before = was_inside - was_rest
    excess = inside - rest - np.nan_to_num(before)
    with np.errstate(invalid="ignore", divide="ignore"):
        t = excess / np.sqrt(error + np.nan_to_num(was_error))
    z = -ndtri(stdtr(len(now.rows) - 1, -t))
    return Told(inside, rest, before, excess, np.where(np.isnan(z), -np.inf, z), rows)


def _against(pairs: npt.NDArray[np.int64], sums: Sums, least: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Return mean loss inside and outside, the squared standard error of their difference, and the rows; NaN where too few.

    The error is that of whole blocks (sandwich; Liang & Zeger 1986): rows of one block may be as alike as they like.
    """
    n, total = (part[:, pairs[:, 0], pairs[:, 1]] for part in sums)
    m, others = (part[:, -1, -1][:, None] - own for part, own in zip(sums, (n, total), strict=True))
    enough = (n.sum(axis=0) >= least) & (m.sum(axis=0) >= least)
    with np.errstate(invalid="ignore", divide="ignore"):
        inside, rest = total.sum(axis=0) / n.sum(axis=0), others.sum(axis=0) / m.sum(axis=0)
        pull = (total - inside * n) / n.sum(axis=0) - (others - rest * m) / m.sum(axis=0)
        error = (pull**2).sum(axis=0) * len(n) / max(len(n) - 1, 1)
    inside, rest, error = (np.where(enough, found, np.nan) for found in (inside, rest, error))
    return inside, rest, error, n.sum(axis=0)


def _chosen(cuts: list[Cut], pairs: npt.NDArray[np.int64], told: Told, most: int) -> list[WorseSlice]:
    tested = int(np.isfinite(told.z).sum())
    kept: list[tuple[Mask, WorseSlice]] = []
    for k in np.argsort(-told.z, kind="stable"):
        if len(kept) == most or not told.z[k] > 0:
            break
        a, b = (cuts[i] for i in pairs[k])
        rows = a.now & b.now
        if any((rows & other).sum() > min(rows.sum(), other.sum()) / 2 for other, _ in kept):
            continue
        name = a.name if pairs[k][0] == pairs[k][1] else f"{a.name}, {b.name}"
        chance = min(1.0, float(ndtr(-told.z[k])) * tested)
        before = None if np.isnan(told.before[k]) else float(told.before[k])
        numbers = float(told.loss[k]), float(told.rest[k]), before, float(told.excess[k]), chance, int(told.rows[k])
        kept.append((rows, WorseSlice(name, *numbers)))
    return [found for _, found in kept]
