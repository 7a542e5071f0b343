"""Can a learner tell the window's rows from the reference's? Where none can, nothing has changed between columns either.

Classifier two-sample test (Lopez-Paz & Oquab 2017), cross-validated over contiguous folds: rows that are neighbours in time are
alike, and a learner that had seen a row's neighbours would know the row without any drift.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bot.core.joint import JointRows
from bot.core.profiles import Floats
from bot.stats.columns import aligned, ranked
from bot.stats.learning import classifier, folds
from bot.stats.performance import Estimate, roc_auc, wins
from bot.stats.threads import one_thread

FOLDS = 5
MOST_ROWS = 2_500


class Told(NamedTuple):
    """How well the window is told from the reference, out of fold: 0.5 not at all, 1 row by row.

    `leans` are the columns by how much of the area is lost when their values are shuffled, the largest first.
    """

    area: Estimate
    leans: tuple[tuple[str, float], ...]
    n: int


def told_apart(then: JointRows, now: JointRows, *, explain_from: float = 1.0) -> Told | None:
    """Return the area under the ROC curve; None where no column can be compared.

    Args:
        then: the reference's rows, in the order of time, at least `FOLDS` of them.
        now: the window's, likewise.
        explain_from: from which area on it is worth finding out by which columns.
    """
    then, now = then.thinned(MOST_ROWS), now.thinned(MOST_ROWS)
    sides = aligned(then, now)
    if not sides.names:
        return None
    rows, is_now = ranked(sides)
    fold = np.concatenate([folds(len(then), FOLDS), folds(len(now), FOLDS)])
    with one_thread(learners=True):
        fitted = [classifier(rows[fold != f], is_now[fold != f], sides.categorical) for f in range(FOLDS)]
        area = roc_auc(wins(_out_of_fold(fitted, rows, fold), is_now))
        if area is None:
            return None
        asked = rows.shape[1] if area.value >= explain_from else 0
        lost = [area.value - _without(fitted, rows, fold, is_now, column) for column in range(asked)]
    leans = sorted(zip(sides.names, lost, strict=False), key=lambda pair: (-pair[1], pair[0]))
    return Told(area, tuple((name, fall) for name, fall in leans if fall > 0), len(now))


def _out_of_fold(fitted: list[object], rows: Floats, fold: npt.NDArray[np.int64]) -> Floats:
    scores = np.empty(len(rows))
    for f, learner in enumerate(fitted):
        scores[fold == f] = learner.predict_proba(rows[fold == f])[:, 1]  # type: ignore[attr-defined]
    return scores


def _without(fitted: list[object], rows: Floats, fold: npt.NDArray[np.int64], is_now: npt.NDArray[np.bool_], column: int) -> float:
    """Return the area when one column's values are dealt out anew among the rows."""
    shuffled = rows.copy()
    shuffled[:, column] = np.random.default_rng(0).permutation(shuffled[:, column])
    area = roc_auc(wins(_out_of_fold(fitted, shuffled, fold), is_now))
    return area.value if area else 0.5
