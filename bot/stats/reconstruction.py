"""PCA reconstruction: do the columns still go together as they used to?

As in NannyML: the reference's columns are standardised, missing ones filled, categories put into numbers by their frequency; the
components that hold 65 % of the variance are kept; a row's error is the Euclidean distance to what they make of it. Unlike there,
ties of frequency are broken (else two levels are one); no row is judged by components that were fitted on it (else every window
looks worse than its reference: by 4 % with 30 columns and 5,000 rows); and the line is drawn for the window that is judged: its
number of rows, and how few chunks the reference's own spread was learned from.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from bot.core.joint import JointRows
from bot.core.profiles import Floats
from bot.stats.columns import Aligned, aligned
from bot.stats.learned import once
from bot.stats.learning import folds
from bot.stats.threads import one_thread

KEPT_VARIANCE = 0.65
FOLDS, FEWEST_CHUNKS, MOST_CHUNKS = 5, 10, 50
LEAST_SPREAD = 0.05
"""In standard deviations of the rows: a mean that moves by less than three times this is never news."""
FAR = 38.0
"""Beyond it no float tells the chance from nothing."""


class Basis(NamedTuple):
    """What columns were like: their means and standard deviations, (k,), infinite where constant; the components kept, (k, c)."""

    centre: Floats
    scale: Floats
    components: Floats


class Usual(NamedTuple):
    """What a reference teaches: how columns become numbers without gaps, a basis of every fold, each row's error, shape (n,).

    `middles` are of each column of categories the numbers of its levels, of the others nothing; `fillings` stand for what is
    missing, (k,).
    """

    middles: tuple[Floats | None, ...]
    fillings: Floats
    bases: tuple[Basis, ...]
    errors: Floats


class Reconstruction(NamedTuple):
    """The mean error now and in the reference, how many standard deviations lie between them, and what three of them are."""

    error: float
    reference: float
    deviations: float
    band: tuple[float, float]
    n: int


def reconstruction(then: JointRows, now: JointRows, *, chunks: int = FEWEST_CHUNKS) -> Reconstruction | None:
    """Return how far the window's mean error is from the reference's own; None where no column can be compared.

    Args:
        then: the reference's rows, in the order of time, at least `chunks` of them.
        now: the window's.
        chunks: how many stretches of the window's length the reference has; held between 10 and 50.
    """
    sides = aligned(then, now)
    if not sides.names:
        return None
    usual = once(then, ("reconstruction", sides.names), lambda: _usual(sides))
    after = _numbers(sides.now, usual.middles, usual.fillings)
    with one_thread():
        fresh = sum((errors_of(after, basis) for basis in usual.bases), np.zeros(len(after))) / FOLDS
    sd, chunks = _spread(usual.errors, len(fresh), chunks)
    mean = float(usual.errors.mean())
    gap = float(fresh.mean() - mean)
    return Reconstruction(float(fresh.mean()), mean, _deviations(gap, sd, chunks), _band(mean, sd, chunks), len(now))


def _usual(sides: Aligned) -> Usual:
    middles = tuple(_middles(sides.then[:, i]) if sides.categorical[i] else None for i in range(len(sides.names)))
    before = _numbers(sides.then, middles)
    fillings = np.array([_middle(column) for column in before.T])
    before = np.where(np.isnan(before), fillings, before)
    fold, errors = folds(len(before), FOLDS), np.empty(len(before))
    with one_thread():
        bases = tuple(fitted(before[fold != f]) for f in range(FOLDS))
        for f, basis in enumerate(bases):
            errors[fold == f] = errors_of(before[fold == f], basis)
    return Usual(middles, fillings, bases, errors)


def _middles(places: Floats) -> Floats:
    """Return each level's number: its middle place in the reference's ordered frequencies, 0 to 1."""
    there = places[~np.isnan(places)].astype(np.int64)
    shares = np.bincount(there) / max(len(there), 1)
    return np.asarray(np.cumsum(shares) - shares / 2, dtype=np.float64)


def _middle(column: Floats) -> float:
    """Return the upper median of a column (of two numbers near 1e308 there is no middle), 0 where it is empty."""
    known = np.sort(column[~np.isnan(column)])
    return float(known[len(known) // 2]) if len(known) else 0.0


def _numbers(rows: Floats, middles: tuple[Floats | None, ...], fillings: Floats | float = np.nan) -> Floats:
    """Return the rows with levels as numbers, new ones 1, and what is missing filled: shape (n, k) both."""
    found = rows.copy()
    for i, known in enumerate(middles):
        if known is not None:
            numbers = np.append(known, [1.0, np.nan])
            found[:, i] = numbers[np.where(np.isnan(rows[:, i]), -1, np.minimum(rows[:, i], len(known))).astype(np.int64)]
    return np.where(np.isnan(found), fillings, found)


def fitted(rows: Floats) -> Basis:
    """Return the first components that together hold the variance, and what standardises a column."""
    with np.errstate(over="ignore", invalid="ignore"):
        centre, scale = rows.mean(axis=0), rows.std(axis=0)
    usable = np.isfinite(centre) & np.isfinite(scale) & (scale > 0)
    basis = Basis(np.where(usable, centre, 0.0), np.where(usable, scale, np.inf), np.empty((0, 0)))
    standard = _standard(rows, basis)
    sizes, directions = np.linalg.eigh(standard.T @ standard)
    held = np.cumsum(sizes[::-1]) / max(float(sizes.sum()), np.finfo(float).tiny)
    return basis._replace(components=directions[:, ::-1][:, : int(np.searchsorted(held, KEPT_VARIANCE, side="right")) + 1])


def errors_of(rows: Floats, basis: Basis) -> Floats:
    """Return each row's distance to what the components make of it, shape (n,)."""
    standard = _standard(rows, basis)
    return np.asarray(np.linalg.norm(standard - standard @ basis.components @ basis.components.T, axis=1), dtype=np.float64)


def _standard(rows: Floats, basis: Basis) -> Floats:
    """Return the columns in standard deviations; what is a million of them away counts as that, a constant column as nothing."""
    with np.errstate(over="ignore"):
        return np.clip((rows - basis.centre) / basis.scale, -1e6, 1e6)


def _spread(errors: Floats, m: int, chunks: int) -> tuple[float, int]:
    """Return how much the mean of `m` rows of one stretch varies from stretch to stretch, and from how many that was learned.

    Chunks vary because their rows do, and because times differ; only the first depends on how many rows there are.
    """
    chunks = min(max(chunks, FEWEST_CHUNKS), MOST_CHUNKS)
    parts = np.array_split(errors, chunks)
    rows = float(errors.var(ddof=1))
    times = max(0.0, float(np.var([part.mean() for part in parts], ddof=1)) - rows * chunks / len(errors))
    return float(np.sqrt(times + max(rows / m, LEAST_SPREAD**2 * rows))), chunks


def _deviations(gap: float, sd: float, chunks: int) -> float:
    """Return the gap in standard deviations, as surprising as it is: few chunks know their own spread badly (Student's t)."""
    if abs(gap) < 1e-9:
        return 0.0
    if sd == 0:
        return FAR
    t = abs(gap) / (sd * np.sqrt(1 + 1 / chunks))
    return min(FAR, float(-ndtri(max(stdtr(chunks - 1, -t), np.finfo(float).tiny))))


def _band(mean: float, sd: float, chunks: int) -> tuple[float, float]:
    """Return between which means a window like the reference lies: three standard deviations to each side."""
    half = float(-stdtrit(chunks - 1, ndtr(-3)) * np.sqrt(1 + 1 / chunks) * sd)
    return max(0.0, mean - half), mean + half
