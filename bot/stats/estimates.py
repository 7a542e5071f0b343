"""CBPE: how well a classifier does before its labels come, from what its scores have meant so far.

Confidence-based performance estimation, as NannyML made it known (arXiv 2401.08348 treats it as the baseline): each row counts p
times as true and 1 − p times as false, p being its calibrated score; ranks stay those of the raw score.

The band is ± 3 sampling errors of *estimate − realised metric*. Two things are random: the labels that will come, with variance
V = Σ slope² p (1 − p) (`bot.stats.metrics`), and the map from score to p, which was learned from m labelled rows. Learned from rows
like these, its share of the variance is to V as n rows are to m, so that the whole is V (1 + n / m).

Blind to concept drift: if a score no longer means what it meant in the reference, nothing here can know. Labels can.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from bot.core.profiles import Counts, Floats
from bot.stats import metrics
from bot.stats.calibration import Calibration, calibrated
from bot.stats.metrics import BINS, Flags, Told
from bot.stats.multiclass import multiclass

ERRORS = 3.0
"""Half the band's width, in sampling errors."""
LIMITS: Mapping[str, tuple[float, float]] = {
    "log_loss": (0.0, np.inf),
    "mae": (0.0, np.inf),
    "rmse": (0.0, np.inf),
    "r2": (-np.inf, 1.0),
    "brier of classes": (0.0, 2.0),
}
"""Where a metric can lie; all others are shares."""
LOWER_IS_BETTER = frozenset({"brier", "log_loss", "ece", "mae", "rmse"})


class Band(NamedTuple):
    """An estimate with what surrounds it."""

    value: float
    lower: float
    upper: float


def banded(name: str, value: float, error: float) -> Band:
    """Return the band of ± 3 sampling errors, cut where the metric ends."""
    low, high = LIMITS.get(name, (0.0, 1.0))
    return Band(value, max(low, value - ERRORS * error), min(high, value + ERRORS * error))


def estimated(scores: Floats, predicted: Flags, means: Calibration) -> dict[str, Band]:
    """Return every metric that can be expected of a binary classifier, by name; `means` says what a score stands for."""
    truth = means(scores)
    spread = truth * (1 - truth)
    widened = 1 + len(scores) / max(means.rows, 1)
    told = metrics.binary(scores, truth, predicted)
    bands = {name: banded(name, one.value, float(np.sqrt((one.slope**2 @ spread) * widened))) for name, one in told.items()}
    return bands | {"ece": expected_gap(scores, truth, widened)}


def expected_gap(scores: Floats, truth: Floats, widened: float) -> Band:
    """Return the expected calibration error: even honest scores show one, because labels are drawn (folded normal, per bin)."""
    of = metrics.binned(scores)
    gaps = np.bincount(of, scores - truth, BINS)
    noise = np.sqrt(np.bincount(of, truth * (1 - truth), BINS))
    far = gaps / np.where(noise > 0, noise, 1)
    folded = noise * np.sqrt(2 / np.pi) * np.exp(-(far**2) / 2) + gaps * (1 - 2 * ndtr(-far))
    folded = np.where(noise > 0, folded, np.abs(gaps))
    variance = np.maximum(gaps**2 + noise**2 - folded**2, 0).sum() * widened
    return banded("ece", float(folded.sum() / len(scores)), float(np.sqrt(variance)) / len(scores))


def each_calibrated(scores: Floats, labels: Counts) -> tuple[Calibration, ...]:
    """Return what each class's score stands for, one class against the rest; `scores` is (n, k), `labels` (n,)."""
    return tuple(calibrated(scores[:, k], (labels == k).astype(np.float64)) for k in range(scores.shape[1]))


def estimated_classes(scores: Floats, predicted: Counts, means: tuple[Calibration, ...]) -> dict[str, Band]:
    """Return every metric that can be expected of a classifier of k classes; `scores` is (n, k)."""
    raw = np.stack([mean(scores[:, k]) for k, mean in enumerate(means)], axis=1)
    total = raw.sum(axis=1, keepdims=True)
    truth = np.where(total > 0, raw / np.where(total > 0, total, 1), 1 / len(means))
    widened = 1 + len(scores) / max(means[0].rows, 1)

    def error(told: Told) -> float:
        variance = (truth * told.slope**2).sum(axis=1) - (truth * told.slope).sum(axis=1) ** 2
        return float(np.sqrt(max(variance.sum(), 0.0) * widened))

    bands = {}
    for name, told in multiclass(scores, truth, predicted).items():
        limits = "brier of classes" if name == "brier" and len(means) > 2 else name
        bands[name] = banded(limits, told.value, error(told))
    top = scores.argmax(axis=1)
    rows = np.arange(len(scores))
    return bands | {"ece": expected_gap(scores[rows, top], truth[rows, top], widened)}
