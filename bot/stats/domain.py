"""Can a learner tell the window's rows from the reference's? Where none can, nothing has changed between columns either.

Classifier two-sample test (Lopez-Paz & Oquab 2017), cross-validated over stretches of time: rows that are neighbours are alike, and
a learner that had seen a row's neighbours would know the row without any drift. Every other stretch is of one fold, so that what
begins in the middle of a window is learned and judged.
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

FOLDS, STRETCHES = 2, 10
"""Five folds see shifts a hundredth of AUC better, at 2.7 times the cost."""
MOST_ROWS = 2_500
STEPS = 64
"""A column's values for the learner: with all of them it takes half as long again and tells windows apart no better."""
MOST_CELLS = 1_000_000
"""Values that a learner is asked about in one call: 8 MB of them."""
MOST_EXPLAINED = 2_000
"""Rows, evenly spread, by which the columns are weighed: they are only put in order."""


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
        then: the reference's rows, in the order of time, at least `STRETCHES` of them.
        now: the window's, likewise.
        explain_from: from which area on it is worth finding out by which columns.
    """
    then, now = then.thinned(MOST_ROWS), now.thinned(MOST_ROWS)
    sides = aligned(then, now)
    if not sides.names:
        return None
    rows, is_now = ranked(sides, STEPS)
    fold = np.concatenate([folds(len(then), STRETCHES), folds(len(now), STRETCHES)]) % FOLDS
    with one_thread(learners=True):
        fitted = [classifier(rows[fold != f], is_now[fold != f], sides.categorical) for f in range(FOLDS)]
        scores = _out_of_fold(fitted, rows, fold)
        area = roc_auc(wins(scores, is_now))
        if area is None:
            return None
        some = np.linspace(0, len(rows) - 1, min(len(rows), MOST_EXPLAINED)).round().astype(np.int64)
        whole, lost = _area(scores[some], is_now[some]), []
        if area.value >= explain_from:
            lost = [whole - other for other in _without_each(fitted, rows[some], fold[some], is_now[some])]
    leans = sorted(zip(sides.names, lost, strict=False), key=lambda pair: (-pair[1], pair[0]))
    return Told(area, tuple((name, fall) for name, fall in leans if fall > 0), len(now))


def _out_of_fold(fitted: list[object], rows: Floats, fold: npt.NDArray[np.int64]) -> Floats:
    scores = np.empty(len(rows))
    for f, learner in enumerate(fitted):
        scores[fold == f] = learner.predict_proba(rows[fold == f])[:, 1]  # type: ignore[attr-defined]
    return scores


def _area(scores: Floats, is_now: npt.NDArray[np.bool_]) -> float:
    area = roc_auc(wins(scores, is_now))
    return area.value if area else 0.5


def _without_each(fitted: list[object], rows: Floats, fold: npt.NDArray[np.int64], is_now: npt.NDArray[np.bool_]) -> list[float]:
    """Return the areas when the values of each column in turn are dealt out anew among the rows.

    Many columns are asked for in one call: a learner takes longer to begin than to judge a thousand rows.
    """
    dealt = rows[np.random.default_rng(0).permutation(len(rows))]
    scores = np.empty((rows.shape[1], len(rows)))
    for f, learner in enumerate(fitted):
        mine = fold == f
        at_once = max(1, MOST_CELLS // max(1, rows[mine].size))
        for some in np.split(np.arange(len(scores)), range(at_once, len(scores), at_once)):
            copies = np.repeat(rows[mine][None], len(some), axis=0)
            copies[np.arange(len(some)), :, some] = dealt[mine][:, some].T
            told = learner.predict_proba(copies.reshape(-1, rows.shape[1]))[:, 1]  # type: ignore[attr-defined]
            scores[np.ix_(some, mine)] = told.reshape(len(some), -1)
    return [_area(one, is_now) for one in scores]
