"""DLE: how far a regressor is off before its labels come, from where it has been off so far (direct loss estimation, NannyML).

Two learners (scikit-learn's histogram gradient boosting, seeded) map a row's features and its prediction to the expected absolute
and squared error. Each has seen one half of the reference (every other row) and is asked about the half that it has not seen: that
says how far they are off themselves, on average (their scale is mended by it) and from row to row (the sampling error). A window
gets the mean of both.

The band is ± 3 sampling errors: the noise of a row's loss is taken as proportional to its expectation, Var = c · E², with c from
the halves not seen; n rows of a window and m rows learned from make it c Σ E² / n² · (1 + n / m).

Blind to concept drift, as every estimate without labels: where the same inputs now have other outcomes, nothing here can know.
"""

from typing import Any, NamedTuple

import numpy as np

from bot.core.profiles import Counts, Floats
from bot.stats.estimates import Band, banded
from bot.stats.threads import one_thread

MOST_ROWS = 50_000
LEAST_ROWS = 100


class Learned(NamedTuple):
    """A loss by two learners, from the inputs at `columns`.

    `scale` mends their average, `noise` is c of the module's text, `rows` is what they were learned from.
    """

    learners: tuple[Any, ...]
    columns: Counts
    scale: float
    noise: float
    rows: int

    def __call__(self, inputs: Floats) -> Floats:
        """Return the expected loss of each row, shape (n,), never negative."""
        with one_thread(learners=True):
            expected = [np.maximum(learner.predict(inputs[:, self.columns]), 0) for learner in self.learners]
        return np.asarray(np.mean(expected, axis=0) * self.scale, dtype=np.float64)


class Losses(NamedTuple):
    """The expected absolute and squared error of a row."""

    absolute: Learned
    squared: Learned


def learned(inputs: Floats, predicted: Floats, truth: Floats) -> Losses | None:
    """Return the losses as the reference shows them; None where it has fewer than 100 rows.

    Args:
        inputs: features, shape (n, k), NaN where missing; may have no columns.
        predicted: finite, shape (n,).
        truth: finite, shape (n,).
    """
    if len(predicted) < LEAST_ROWS:
        return None
    rows = np.unique(np.linspace(0, len(predicted) - 1, min(len(predicted), MOST_ROWS)).astype(np.int64))
    seen = joined(inputs, predicted)[rows]
    with np.errstate(over="ignore"):
        errors = np.clip(np.abs(truth - predicted)[rows], 0, 1e150)  # squared they must still be numbers
    return Losses(_learned(seen, errors), _learned(seen, errors**2))


def joined(inputs: Floats, predicted: Floats) -> Floats:
    """Return what the learners see, shape (n, k + 1): infinities are as missing."""
    seen = np.column_stack([inputs, predicted])
    seen[~np.isfinite(seen)] = np.nan
    return seen


def _learned(inputs: Floats, losses: Floats) -> Learned:
    from sklearn.ensemble import HistGradientBoostingRegressor  # noqa: PLC0415  slow to import, and only estimates need it

    top = float(losses.max()) or 1.0  # huge losses are learned as parts of the largest: their squares must not overflow
    known, unseen = losses / top, np.empty(len(losses))
    columns = np.flatnonzero(np.isfinite(inputs[::2]).any(axis=0) & np.isfinite(inputs[1::2]).any(axis=0))
    inputs = inputs[:, columns]
    learners = []
    for part in (0, 1):
        mine = np.arange(len(losses)) % 2 == part
        learner = HistGradientBoostingRegressor(
            max_iter=50, max_leaf_nodes=15, min_samples_leaf=40, early_stopping=False, random_state=0
        )
        with one_thread(learners=True):
            learner.fit(inputs[mine], known[mine])
            unseen[~mine] = np.maximum(learner.predict(inputs[~mine]), 0)
        learners.append(learner)
    scale = float(known.mean() / unseen.mean()) if unseen.any() else 1.0
    expected = unseen * scale
    noise = float(((known - expected) ** 2).mean() / (expected**2).mean()) if expected.any() else 0.0
    return Learned(tuple(learners), columns, scale * top, noise, len(losses))


def estimated(losses: Losses, inputs: Floats, predicted: Floats) -> dict[str, Band]:
    """Return mae and rmse as they can be expected; r2 is not among them: it needs the spread of labels that nobody has.

    Args:
        losses: what the reference has shown.
        inputs: the window's features in the reference's order, shape (n, k).
        predicted: shape (n,), n ≥ 1.
    """
    seen = joined(inputs, predicted)
    mae, error = _mean(losses.absolute, seen)
    mse, spread = _mean(losses.squared, seen)
    rmse = float(np.sqrt(mse))
    return {"mae": banded("mae", mae, error), "rmse": banded("rmse", rmse, spread / (2 * rmse) if rmse else 0.0)}


def _mean(loss: Learned, seen: Floats) -> tuple[float, float]:
    """Return the mean expected loss and its sampling error."""
    expected = loss(seen)
    n = len(expected)
    size = float(np.sqrt((expected / n) @ (expected / n))) if expected.max() < 1e150 else float(expected.max())
    return float(expected.mean()), size * float(np.sqrt(loss.noise * (1 + n / loss.rows)))
