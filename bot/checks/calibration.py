"""Calibration: do the scores still mean what they say, in every range?"""

from collections.abc import Iterator

from bot.core.checks import Family, Measured, Measurement, NotMeasured, Threshold, check
from bot.core.readings import RANKING, REGRESSION, Outcomes, Reading
from bot.core.words import POINTS
from bot.stats.learned import shared
from bot.stats.performance import calibration_error

LEAST_LABELS = 1_000


@check(
    "calibration",
    family=Family.PERFORMANCE,
    unit=POINTS,
    threshold=Threshold(0.07, 0.10, least_rows=LEAST_LABELS, null=0.02),
    labels={"ece": "calibration error"},
)
def calibration(reference: Reading, current: Reading) -> Iterator[Measured]:
    """The expected calibration error: |mean score − share that came true| of ten equal bins of the score, weighted by their rows.

    It sees what a gap over all rows cannot: high scores that promise too much beside low ones that promise too little.
    """
    now, then = current.outcomes, reference.outcomes
    if current.task in (REGRESSION, RANKING):
        yield NotMeasured("ece", f"a {current.task} promises no shares", current.rows)
    elif now is None or not len(now):
        yield NotMeasured("ece", "no label has arrived yet" if now is not None else "the log has no label column", current.rows)
    else:
        usual = _usual(then) if then is not None and len(then) else None
        value, low, high = calibration_error(now.scores, now.labels, now.at)
        yield Measurement("ece", value, len(now), reference=usual, interval=(low, high))


@shared
def _usual(then: Outcomes) -> float:
    return calibration_error(then.scores, then.labels, then.at).value
