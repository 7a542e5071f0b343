"""Concept drift: has what the model learned stopped being true?"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from bot.core.checks import Family, Measured, Measurement, NotMeasured, Threshold, check
from bot.core.profiles import Counts, Floats
from bot.core.readings import MULTICLASS, RANKING, REGRESSION, Outcomes, Reading
from bot.core.words import POINTS
from bot.stats.learned import shared
from bot.stats.streams import DETECTORS, Step, rise, step

LEAST_LABELS = 500
MOST_BEFORE, MOST_NOW = 5_000, 20_000
FAR = 0.8
"""A predicted number is wrong when its error is beyond this share of the reference's."""
LINES = Threshold(0.03, 0.06, least_rows=50, null=0.0)
LABELS = {"adwin": "rise in error (ADWIN)", "hddm_a": "rise in error (HDDM_A)", "ddm": "rise in error (DDM)"}


@check(
    "concept",
    family=Family.PERFORMANCE,
    unit=POINTS,
    threshold=LINES,
    thresholds={"ddm": Threshold(0.03, least_rows=50, null=0.0)},
    labels=LABELS,
)
def concept(reference: Reading, current: Reading) -> Iterator[Measured]:
    """How much more often the model is wrong since a detector saw its stream of errors change: points of percent, 0 where none did.

    A prediction is wrong when it is on the wrong side of the score that called as many rows positive in the reference as came true;
    of several classes when another class came true, of a regression when it is further off than four in five of the reference's.
    The reference's stream goes before the window's, so that a step between the two is seen as well.
    """
    then, now = reference.outcomes, current.outcomes
    if current.task == RANKING:
        yield from (NotMeasured(name, "no single item of a ranking is right or wrong", current.rows) for name in DETECTORS)
        return
    for side, outcomes in (("reference", then), ("window", now)):
        if outcomes is None or len(outcomes) < LEAST_LABELS:
            labels = 0 if outcomes is None else len(outcomes)
            yield from (NotMeasured(name, f"{labels:,} of {LEAST_LABELS:,} labels in the {side}", labels) for name in DETECTORS)
            return
    if then is not None and now is not None:
        before, after = _usual(current.task, then), _stream(now, _judge(current.task, then), MOST_NOW)
        yield from (_measured(name, before, after) for name in DETECTORS)


@shared
def _usual(task: str, then: Outcomes) -> tuple[Counts, Counts]:
    """Return the reference's own stream."""
    return _stream(then, _judge(task, then), MOST_BEFORE)


@shared
def _judge(task: str, then: Outcomes) -> Callable[[Outcomes], npt.NDArray[np.bool_]]:
    """Return what says which predictions are wrong, by what is usual in the reference."""
    if task == MULTICLASS:
        return lambda outcomes: ~outcomes.labels
    if task == REGRESSION:
        far = float(np.quantile(np.abs(then.values - then.scores), FAR))
        return lambda outcomes: np.asarray(np.abs(outcomes.values - outcomes.scores) > far, dtype=bool)
    cut = float(np.quantile(then.scores, 1 - then.labels.mean(), method="higher"))
    return lambda outcomes: np.asarray((outcomes.scores >= cut) != outcomes.labels, dtype=bool)


def _stream(outcomes: Outcomes, judge: Callable[[Outcomes], npt.NDArray[np.bool_]], most: int) -> tuple[Counts, Counts]:
    """Return which predictions were wrong (0 or 1) and when, in the order of time; at most so many, evenly spread."""
    order = np.argsort(outcomes.at, kind="stable")
    if len(order) > most:
        order = order[np.linspace(0, len(order) - 1, most).round().astype(np.int64)]
    return judge(outcomes)[order].astype(np.int64), outcomes.at[order]


def _measured(name: str, before: tuple[Counts, Counts], after: tuple[Counts, Counts]) -> Measured:
    errors, at = (np.concatenate([one, other]) for one, other in zip(before, after, strict=True))
    start = len(before[0])
    found = step(name, errors, start)
    if found is None:
        words = f"no change in {len(after[0]):,} labels after {start:,} of the reference"
        return Measurement(name, 0.0, len(after[0]), reference=0.0, interval=(0.0, 0.0), detail=words)
    return _risen(name, errors, at, Step(found.seen, max(found.since, start)), start)


def _risen(name: str, errors: Counts, at: Counts, found: Step, start: int) -> Measurement:
    since = found.since
    gap = rise(_shares(errors[:start]), _shares(errors[since:]), at[:start], at[since:])
    when = datetime.fromtimestamp(int(at[since]), UTC)
    words = (
        f"wrong {errors[since:].mean() * 100:.1f} % of {len(errors) - since:,} since {when:%Y-%m-%d %H:%M} UTC, "
        f"reference {errors[:start].mean() * 100:.1f} %"
    )
    return Measurement(name, gap.value, len(errors) - since, reference=0.0, interval=(gap.low, gap.high), detail=words)


def _shares(errors: Counts) -> Floats:
    return errors.astype(np.float64)
