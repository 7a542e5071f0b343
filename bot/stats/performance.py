"""How well predictions did, with intervals that know about bad days.

Late flights, frauds and outages come in clusters: rows of one day are alike, so an interval over rows is five to nine times too
narrow. Means are therefore bootstrapped over whole blocks (days; Künsch 1989, non-overlapping), with a fixed seed, so that the same
window gives the same answer on every replica. AUC's interval is DeLong's (1988).
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

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
    blocks = _blocks(blocks)
    size = int(blocks.max()) + 1
    sums, counts = np.bincount(blocks, values, size), np.bincount(blocks, minlength=size)
    sums, counts = sums[counts > 0], counts[counts > 0]
    weights = _weights(len(sums))
    drawn = (weights @ sums) / (weights @ counts.astype(np.float64))
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(float(values.mean()), float(low), float(high))


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


def calibration_gap(scores: Floats, labels: Labels, at: Counts) -> Estimate:
    """Return mean score − share that came true: a share, −1 to 1; positive promises more than comes."""
    return block_mean(scores - labels, days(at))


def log_losses(scores: Floats, labels: Labels) -> Floats:
    """Return each row's log loss in nats, shape (n,); never infinite."""
    p = np.clip(scores, FLOOR, 1 - FLOOR)
    return -np.where(labels, np.log(p), np.log1p(-p))


def log_loss(scores: Floats, labels: Labels, at: Counts) -> Estimate:
    """Return the mean log loss in nats; 0 is best."""
    return block_mean(log_losses(scores, labels), days(at))


def brier(scores: Floats, labels: Labels, at: Counts) -> Estimate:
    """Return the Brier score, 0 (best) to 1 (Brier 1950)."""
    return block_mean((scores - labels) ** 2, days(at))


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


def average_precision(scores: Floats, labels: Labels) -> float | None:
    """Return the mean precision over the positives, each at its own score; None without positives."""
    ups, downs = np.sort(scores[labels]), np.sort(scores[~labels])
    if not len(ups):
        return None
    above, false = (len(side) - np.searchsorted(side, ups, side="left") for side in (ups, downs))
    return float((above / (above + false)).mean())


def paired_log_loss(ours: Floats, theirs: Floats, labels: Labels, at: Counts) -> Estimate:
    """Return how much larger our log loss is than theirs on the same rows, in nats; above 0 they are better."""
    return block_mean(log_losses(ours, labels) - log_losses(theirs, labels), days(at))


def values(scores: Floats, labels: Labels) -> dict[str, float]:
    """Return every metric that can be told, by name, without the intervals: what a reference stands beside with."""
    gaps = scores - labels
    told = {
        "calibration_gap": float(gaps.mean()),
        "log_loss": float(log_losses(scores, labels).mean()),
        "brier": float((gaps**2).mean()),
    }
    ups, downs = np.sort(scores[labels]), np.sort(scores[~labels])
    return told | {"roc_auc": float((_wins(ups, downs) / len(downs)).mean())} if len(ups) and len(downs) else told


def roc_auc(scores: Floats, labels: Labels) -> Estimate | None:
    """Return the area under the ROC curve with DeLong's interval; None when only one class is there."""
    ups, downs = np.sort(scores[labels]), np.sort(scores[~labels])
    m, n = len(ups), len(downs)
    if not m or not n:
        return None
    wins_up, wins_down = _wins(ups, downs) / n, 1 - _wins(downs, ups) / m
    area = float(wins_up.mean())
    spread = _variance(wins_up) / m + _variance(wins_down) / n
    half = float(stats.norm.ppf((1 + LEVEL) / 2) * np.sqrt(spread))
    return Estimate(area, max(0.0, area - half), min(1.0, area + half))


def _wins(ours: Floats, theirs: Floats) -> Floats:
    """Return how many of theirs each of ours is above, a tie counting half; both are sorted: the search walks through memory."""
    below, up_to = np.searchsorted(theirs, ours, side="left"), np.searchsorted(theirs, ours, side="right")
    return np.asarray((below + up_to) / 2, dtype=np.float64)


def _variance(values: Floats) -> float:
    return float(values.var(ddof=1)) if len(values) > 1 else 0.0
