"""Metrics of a binary classifier, where the truth of a row is a probability: 0 or 1 once its label has come, in between before.

With labels these are scikit-learn's own numbers; with probabilities they are the expected confusion matrix (a row counts p times as
true and 1 − p times as false), which is scikit-learn with sample weights. Each comes with its slope: how much it moves when one
row's truth does. The variance of a metric whose labels are drawn from the truths is then Σ slope² · p (1 − p) (delta method).
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bot.core.profiles import Counts, Floats

BINS = 10
"""Bins of the calibration error: [0, 0.1), [0.1, 0.2), … [0.9, 1], by score."""
EPS = float(np.finfo(np.float64).eps)
"""Scores are kept so far from 0 and 1 before a logarithm is taken, as scikit-learn does."""

TINY = 1e-9
"""Fewer rows than this are none: probabilities that add up to next to nothing are no class to rank."""

Flags = npt.NDArray[np.bool_]


class Told(NamedTuple):
    """A metric and its slope by the truth of each row: shape (n,), or (n, k) for k classes."""

    value: float
    slope: Floats


class Levels(NamedTuple):
    """The rows by distinct score, ascending: which level each row is at (n,), and per level its true and false rows (g,)."""

    of: Counts
    true: Floats
    false: Floats


def binary(scores: Floats, truth: Floats, predicted: Flags) -> dict[str, Told]:
    """Return every metric that can be told, by name; what would divide by nothing (no positives, say) is left out.

    Args:
        scores: each in [0, 1], shape (n,), n ≥ 1.
        truth: each in [0, 1], shape (n,).
        predicted: which rows the threshold calls positive, shape (n,).
    """
    at = levels(scores, truth)
    found = {
        "roc_auc": roc_auc(at),
        "average_precision": average_precision(at),
        **decided(truth, predicted),
        "accuracy": accuracy(truth, predicted),
        "brier": brier(scores, truth),
        "log_loss": log_loss(scores, truth),
        "ece": calibration_error(scores, truth),
    }
    return {name: told for name, told in found.items() if told is not None}


def values(told: Mapping[str, Told]) -> dict[str, float]:
    """Return the metrics without their slopes."""
    return {name: one.value for name, one in told.items()}


def levels(scores: Floats, truth: Floats) -> Levels:
    """Return the rows counted by distinct score."""
    distinct, of = np.unique(scores, return_inverse=True)
    true = np.bincount(of, truth, len(distinct)).astype(np.float64)
    return Levels(np.asarray(of, dtype=np.int64), true, np.bincount(of, 1 - truth, len(distinct)).astype(np.float64))


def roc_auc(at: Levels) -> Told | None:
    """Return the area under the ROC curve, a tie counting half; None where one of the classes is missing."""
    ups, downs = at.true.sum(), at.false.sum()
    if min(ups, downs) < TINY:
        return None
    won = np.cumsum(at.false) - at.false / 2  # the false ones that each level is above
    lost = ups - np.cumsum(at.true) + at.true / 2
    area = float(at.true @ won / (ups * downs))
    slope = (won - lost - area * (downs - ups)) / (ups * downs)
    return Told(area, slope[at.of])


def average_precision(at: Levels) -> Told | None:
    """Return the mean precision over the positives, each at its own score (no interpolation); None without positives."""
    ups = at.true.sum()
    if ups < TINY:
        return None
    rows = np.cumsum((at.true + at.false)[::-1])[::-1]  # at this level or above
    precision = np.cumsum(at.true[::-1])[::-1] / rows
    value = float(at.true @ precision / ups)
    slope = (precision + np.cumsum(at.true / rows) - value) / ups
    return Told(value, slope[at.of])


def decided(truth: Floats, predicted: Flags) -> dict[str, Told | None]:
    """Return precision, recall and F1 of the thresholded class; None where there is nothing to divide by."""
    hits, called, true = truth[predicted].sum(), float(predicted.sum()), truth.sum()
    chosen = predicted.astype(np.float64)
    precision, recall = hits / max(called, TINY), hits / max(true, TINY)
    f1 = 2 * hits / max(called + true, TINY)
    return {
        "precision": Told(float(precision), chosen / called) if called else None,
        "recall": Told(float(recall), (chosen - recall) / true) if true >= TINY else None,
        "f1": Told(float(f1), (2 * chosen - f1) / (called + true)) if called + true >= TINY else None,
    }


def accuracy(truth: Floats, predicted: Flags) -> Told:
    """Return the share of rows that were called right."""
    sign = np.where(predicted, 1.0, -1.0)
    return Told(float(np.where(predicted, truth, 1 - truth).mean()), sign / len(truth))


def brier(scores: Floats, truth: Floats) -> Told:
    """Return the mean squared distance of score and outcome, 0 (best) to 1 (Brier 1950)."""
    value = float((truth * (1 - scores) ** 2 + (1 - truth) * scores**2).mean())
    return Told(value, (1 - 2 * scores) / len(scores))


def log_loss(scores: Floats, truth: Floats) -> Told:
    """Return the mean log loss in nats; 0 is best."""
    up, down = np.log(np.clip(scores, EPS, 1 - EPS)), np.log(np.clip(1 - scores, EPS, 1 - EPS))
    return Told(float(-(truth * up + (1 - truth) * down).mean()), (down - up) / len(scores))


def binned(scores: Floats) -> Counts:
    """Return the calibration bin of each row, shape (n,)."""
    return np.minimum((scores * BINS).astype(np.int64), BINS - 1)


def calibration_error(scores: Floats, truth: Floats) -> Told:
    """Return the expected calibration error: |mean score − share true| of each bin, weighted by its share of the rows."""
    of = binned(scores)
    gaps = np.bincount(of, scores - truth, BINS)
    return Told(float(np.abs(gaps).sum() / len(scores)), -np.sign(gaps)[of] / len(scores))
