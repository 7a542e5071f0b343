"""On which inputs does the score hang? A surrogate learns the score from them; what it loses when one is shuffled says so."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bot.core.joint import JointRows
from bot.core.profiles import Floats
from bot.stats.columns import aligned, ranked
from bot.stats.learning import folds, regressor
from bot.stats.threads import one_thread

FOLDS = 4
MOST_ROWS, LEAST_ROWS = 3_000, 300


class Surrogate(NamedTuple):
    """How much of the score's variance it explains on rows that it never saw (R², at most 1), and each input's share of that."""

    fit: float
    shares: dict[str, float]


def surrogate(rows: JointRows) -> Surrogate | None:
    """Return the inputs by how much the score hangs on them, the largest first; None where there is nothing to learn from."""
    rows = rows.rows(~np.isnan(rows.scores)).thinned(MOST_ROWS)
    if len(rows) < LEAST_ROWS or not rows.names or not rows.scores.std() > 0:
        return None
    sides = aligned(rows, rows.rows(np.zeros(len(rows), dtype=bool)))
    inputs, fold = ranked(sides)[0], folds(len(rows), FOLDS)
    with one_thread(learners=True):
        learners = [regressor(inputs[fold != f], rows.scores[fold != f], sides.categorical) for f in range(FOLDS)]
        error = _error(learners, inputs, rows.scores, fold)
        lost = [_error(learners, _shuffled(inputs, i), rows.scores, fold) - error for i in range(inputs.shape[1])]
    gains = np.maximum(lost, 0.0)
    total = float(gains.sum()) or 1.0
    ordered = sorted(zip(sides.names, gains / total, strict=True), key=lambda pair: (-pair[1], pair[0]))
    return Surrogate(1 - error / float(rows.scores.var()), {name: float(share) for name, share in ordered})


def _error(learners: list[object], inputs: Floats, scores: Floats, fold: npt.NDArray[np.int64]) -> float:
    """Return the mean squared error on the rows that each learner has not seen."""
    guessed = np.empty(len(inputs))
    for f, learner in enumerate(learners):
        guessed[fold == f] = learner.predict(inputs[fold == f])  # type: ignore[attr-defined]
    return float(np.square(guessed - scores).mean())


def _shuffled(inputs: Floats, column: int) -> Floats:
    other = inputs.copy()
    other[:, column] = np.random.default_rng(0).permutation(other[:, column])
    return other
