"""Calibration: what a score has meant so far, as the share that came true.

An isotonic map (pool adjacent violators, Zadrozny & Elkan 2002) keeps the order of the scores. It is used only where it is really
better: fitted on every other row, judged by the calibration error on the rows between, and then fitted once more on all of them.
"""

from typing import NamedTuple

import numpy as np

from bot.core.profiles import Floats
from bot.stats.metrics import calibration_error

LEAST_ROWS = 100
"""With fewer rows a map would follow chance."""


class Calibration(NamedTuple):
    """A rising line through points: score → share that came true; both of shape (k,), none where scores are taken as they are."""

    scores: Floats
    shares: Floats
    rows: int

    def __call__(self, scores: Floats) -> Floats:
        """Return the share that each score stands for, shape (n,); beyond the ends as at the ends."""
        return np.interp(scores, self.scores, self.shares) if len(self.scores) else scores

    @property
    def used(self) -> bool:
        """Whether the scores are mapped at all."""
        return len(self.scores) > 0


def calibrated(scores: Floats, labels: Floats) -> Calibration:
    """Return the map learned from labelled rows, or the identity where that is no worse.

    Args:
        scores: each in [0, 1], shape (n,), in any order that does not follow the labels.
        labels: 0 or 1, shape (n,).
    """
    raw = Calibration(np.empty(0), np.empty(0), len(scores))
    if len(scores) < LEAST_ROWS or labels.all() or not labels.any():
        return raw
    half = isotonic(scores[::2], labels[::2])
    held = scores[1::2], labels[1::2]
    better = calibration_error(half(held[0]), held[1]).value < calibration_error(*held).value
    return isotonic(scores, labels) if better else raw


def isotonic(scores: Floats, labels: Floats) -> Calibration:
    """Return the rising map with the least squared error; rows of one score are one point, as heavy as they are many."""
    from scipy.optimize import isotonic_regression  # noqa: PLC0415  only estimates need it

    distinct, of, counts = np.unique(scores, return_inverse=True, return_counts=True)
    means = np.bincount(of, labels, len(distinct)) / counts
    shares = np.clip(isotonic_regression(means, weights=counts.astype(np.float64)).x, 0, 1)
    turns = np.flatnonzero(np.diff(shares) != 0)
    kept = np.unique(np.concatenate([[0], turns, turns + 1, [len(distinct) - 1]]))
    return Calibration(distinct[kept], shares[kept], len(scores))
