"""Metrics of a classifier of several classes, one against the rest, as scikit-learn averages them (macro).

As in `bot.stats.metrics` the truth of a row is a probability a class (one of them 1 once the label has come), and each metric has
its slope by row and class.
"""

from collections.abc import Sequence

import numpy as np

from bot.core.profiles import Counts, Floats
from bot.stats import metrics
from bot.stats.metrics import EPS, Told

Truths = Floats
"""Shape (n, k): each row's probability of being of each class; rows add up to 1."""


def multiclass(scores: Floats, truth: Truths, predicted: Counts) -> dict[str, Told]:
    """Return every metric that can be told, by name.

    Args:
        scores: shape (n, k), each in [0, 1].
        truth: shape (n, k).
        predicted: the class that was chosen, 0 to k − 1, shape (n,).
    """
    chosen = np.zeros_like(truth)
    chosen[np.arange(len(truth)), predicted] = 1
    found: dict[str, Told | None] = {
        "accuracy": Told(float((chosen * truth).sum() / len(truth)), chosen / len(truth)),
        "log_loss": log_loss(scores, truth),
        "brier": brier(scores, truth),
        "ece": confidence_error(scores, truth),
        **ranked(scores, truth),
        **{name: decided(truth, predicted, name) for name in ("precision", "recall", "f1")},
    }
    return {name: told for name, told in found.items() if told is not None}


def ranked(scores: Floats, truth: Truths) -> dict[str, Told | None]:
    """Return ROC AUC and average precision, the mean over the classes; None where a class never came true."""
    at = [metrics.levels(scores[:, k], truth[:, k]) for k in range(truth.shape[1])]
    return {
        "roc_auc": averaged([metrics.roc_auc(level) for level in at]),
        "average_precision": averaged([metrics.average_precision(level) for level in at]),
    }


def averaged(told: Sequence[Told | None]) -> Told | None:
    """Return the plain mean over classes; None where a class has none."""
    known = [one for one in told if one is not None]
    if len(known) < len(told):
        return None
    return Told(float(np.mean([one.value for one in known])), np.stack([one.slope for one in known], axis=1) / len(told))


def decided(truth: Truths, predicted: Counts, name: str) -> Told:
    """Return the macro mean of one of precision, recall and F1 over the classes that were predicted or came true.

    A class that was only predicted, or only came true, has 0 where it would have to divide by nothing.
    """
    there = [k for k in range(truth.shape[1]) if truth[:, k].sum() > 0 or (predicted == k).any()]
    slope = np.zeros_like(truth)
    total = 0.0
    for k in there:
        told = metrics.decided(truth[:, k], predicted == k)[name]
        if told is not None:
            total += told.value
            slope[:, k] = told.slope / len(there)
    return Told(total / len(there), slope)


def log_loss(scores: Floats, truth: Truths) -> Told:
    """Return the mean log loss in nats."""
    slope = -np.log(np.clip(scores, EPS, 1 - EPS)) / len(truth)
    return Told(float((truth * slope).sum()), slope)


def brier(scores: Floats, truth: Truths) -> Told:
    """Return the Brier score: 0 to 1 for two classes, 0 to 2 for more, as scikit-learn scales it."""
    scale = (0.5 if truth.shape[1] == 2 else 1.0) / len(truth)
    return Told(float(scale * ((scores**2).sum() - 2 * (scores * truth).sum() + truth.sum())), -2 * scale * scores)


def confidence_error(scores: Floats, truth: Truths) -> Told:
    """Return the calibration error of the highest score: how far it is from how often that class was right."""
    rows, top = np.arange(len(truth)), scores.argmax(axis=1)
    told = metrics.calibration_error(scores[rows, top], truth[rows, top])
    slope = np.zeros_like(truth)
    slope[rows, top] = told.slope
    return Told(told.value, slope)
