"""How well predictions did, with intervals that know about bad days.

Late flights, frauds and outages come in clusters: rows of one day are alike, so an interval over rows is five to nine times too
narrow. Means are therefore bootstrapped over whole blocks (days; Künsch 1989, non-overlapping), with a fixed seed, so that the same
window gives the same answer on every replica. AUC's interval is DeLong's (1988).
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from bot.core.profiles import Counts, Floats

DAY_S = 86_400
DRAWS = 4_000
LEVEL = 0.95
LEAST_BLOCKS = 3
BINS = 10
FLOOR = float(np.finfo(np.float64).eps)
"""Scores are kept so far from 0 and 1 before a logarithm is taken, as scikit-learn does."""

Labels = npt.NDArray[np.bool_]


class Estimate(NamedTuple):
    """A number with its interval at 95 %."""

    value: float
    low: float
    high: float


def days(at: Counts) -> Counts:
    """Return which day each row belongs to, counted in whole days from the first row: shape (n,), from 0."""
    return (at - at.min()) // DAY_S if len(at) else at


def block_mean(values: Floats, blocks: Counts) -> Estimate:
    """Return the mean of the rows with its bootstrap interval over blocks.

    Args:
        values: shape (n,), n ≥ 1.
        blocks: shape (n,), small whole numbers; with fewer than 3 blocks rows stand for themselves.
    """
    return block_means([values], blocks)[0]


def block_means(columns: Sequence[Floats], blocks: Counts) -> list[Estimate]:
    """Return the means of several columns over the same rows and the same draws of blocks, as `block_mean` does each."""
    blocks = _blocks(blocks)
    counts = np.bincount(blocks)
    there = counts > 0
    weights = _weights(int(there.sum()))
    rows = weights @ counts[there].astype(np.float64)
    found = []
    for values in columns:
        drawn = (weights @ np.bincount(blocks, values)[there]) / rows
        low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        found.append(Estimate(float(values.mean()), float(low), float(high)))
    return found


def _blocks(blocks: Counts) -> Counts:
    """Return the blocks, or stretches of rows where they are too few to be drawn from."""
    if np.count_nonzero(np.bincount(blocks)) >= LEAST_BLOCKS:
        return blocks
    return np.arange(len(blocks)) * min(len(blocks), 200) // len(blocks)


@lru_cache(maxsize=8)
def _weights(blocks: int) -> Floats:
    """Return how often each bootstrap draw takes each block, shape (DRAWS, blocks): drawing them costs more than the whole check.

    Kept, as every mean of a look needs the same ones; as floats, as only those are multiplied quickly. 6 MB at 200 blocks.
    """
    drawn = np.random.default_rng(0).multinomial(blocks, np.full(blocks, 1 / blocks), DRAWS)
    return np.asarray(drawn, dtype=np.float64)


def realised(scores: Floats, labels: Labels, at: Counts) -> dict[str, Estimate]:
    """Return what scores promised and what came true, by name, with intervals over days.

    The calibration gap is mean score − share that came true, −1 to 1 (positive promises more than comes); log loss is in nats and 0
    at best, the Brier score (Brier 1950) 0 to 1.
    """
    gaps = scores - labels
    names = ("calibration_gap", "log_loss", "brier")
    return dict(zip(names, block_means([gaps, log_losses(scores, labels), gaps**2], days(at)), strict=True))


def log_losses(scores: Floats, labels: Labels) -> Floats:
    """Return each row's log loss in nats, shape (n,); never infinite."""
    p = np.clip(scores, FLOOR, 1 - FLOOR)
    return -np.log(np.where(labels, p, 1 - p))


def mean_absolute_error(predicted: Floats, truth: Floats, at: Counts) -> Estimate:
    """Return the mean distance of predicted and true number, in the label's unit."""
    return block_mean(np.abs(truth - predicted), days(at))


def root_mean_squared_error(predicted: Floats, truth: Floats, at: Counts) -> Estimate:
    """Return the root of the mean squared distance of predicted and true number, in the label's unit."""
    value, low, high = block_mean((truth - predicted) ** 2, days(at))
    return Estimate(float(np.sqrt(value)), float(np.sqrt(max(low, 0))), float(np.sqrt(max(high, 0))))


def calibration_error(scores: Floats, labels: Labels, at: Counts) -> Estimate:
    """Return the expected calibration error of ten equal bins, with its interval over days.

    Chance alone makes an error of honest scores, and a bootstrap adds as much again: the interval is the basic one (Davison &
    Hinkley 1997, 5.2), mirrored about the value, so that it comes down by what chance adds.
    """
    gaps, of = scores - labels, np.minimum((scores * BINS).astype(np.int64), BINS - 1)
    value = float(np.abs(np.bincount(of, gaps, BINS)).sum() / len(scores))
    blocks = _blocks(days(at))
    size = int(blocks.max()) + 1
    sums = np.bincount(blocks * BINS + of, gaps, size * BINS).reshape(size, BINS)
    counts = np.bincount(blocks, minlength=size)
    weights = _weights(int((counts > 0).sum()))
    drawn = np.abs(weights @ sums[counts > 0]).sum(axis=1) / (weights @ counts[counts > 0])
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(value, float(np.clip(2 * value - high, 0, value)), float(np.clip(2 * value - low, value, 1)))


def decided(labels: Labels, chosen: Labels) -> dict[str, float]:
    """Return accuracy, precision, recall and F1 of the class that was decided on; what would divide by nothing is left out."""
    hits, called, true = int((labels & chosen).sum()), int(chosen.sum()), int(labels.sum())
    parts = {"precision": (hits, called), "recall": (hits, true), "f1": (2 * hits, called + true)}
    right = {"accuracy": float((labels == chosen).mean())}
    return right | {name: part / whole for name, (part, whole) in parts.items() if whole}


class Wins(NamedTuple):
    """The scores of what came true, sorted, and how many of the others lie below each and up to each: shape (m,); `n` others."""

    ups: Floats
    below: Counts
    up_to: Counts
    n: int


def wins(scores: Floats, labels: Labels) -> Wins:
    """Return whom each score of what came true is above: searched once, in order, for every metric of the order."""
    ups, downs = np.sort(scores[labels]), np.sort(scores[~labels])
    return Wins(ups, np.searchsorted(downs, ups, side="left"), np.searchsorted(downs, ups, side="right"), len(downs))


def average_precision(of: Wins) -> float | None:
    """Return the mean precision over the positives, each at its own score; None without positives."""
    m = len(of.ups)
    if not m:
        return None
    new = np.append(True, of.ups[1:] != of.ups[:-1])
    above = m - np.flatnonzero(new)[np.cumsum(new) - 1]  # tied positives count together
    return float((above / (above + of.n - of.below)).mean())


def paired_log_loss(ours: Floats, theirs: Floats, labels: Labels, at: Counts) -> Estimate:
    """Return how much larger our log loss is than theirs on the same rows, in nats; above 0 they are better."""
    return block_mean(log_losses(ours, labels) - log_losses(theirs, labels), days(at))


def values(scores: Floats, labels: Labels) -> dict[str, float]:
    """Return every metric that can be told, by name, without the intervals: what a reference stands beside with."""
    gaps, of = scores - labels, wins(scores, labels)
    told = {
        "calibration_gap": float(gaps.mean()),
        "log_loss": float(log_losses(scores, labels).mean()),
        "brier": float((gaps**2).mean()),
    }
    precision = average_precision(of)
    told |= {"average_precision": precision} if precision is not None else {}
    return told | {"roc_auc": float(((of.below + of.up_to) / 2 / of.n).mean())} if len(of.ups) and of.n else told


def roc_auc(of: Wins) -> Estimate | None:
    """Return the area under the ROC curve with DeLong's interval; None when only one class is there."""
    m, n = len(of.ups), of.n
    if not m or not n:
        return None
    up_to, below = (np.cumsum(np.bincount(places, minlength=n + 1))[:n] for places in (of.below, of.up_to))
    wins_up, wins_down = (of.below + of.up_to) / 2 / n, 1 - (below + up_to) / 2 / m  # of each of the others: what lies below it
    area = float(wins_up.mean())
    spread = _variance(wins_up) / m + _variance(wins_down) / n
    half = float(ndtri((1 + LEVEL) / 2) * np.sqrt(spread))
    return Estimate(area, max(0.0, area - half), min(1.0, area + half))


def _variance(values: Floats) -> float:
    return float(values.var(ddof=1)) if len(values) > 1 else 0.0
