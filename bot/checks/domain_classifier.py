"""Domain classifier: can a learner tell today's rows from the reference's?"""

from collections.abc import Iterator

from bot.checks.recipes import whole_rows
from bot.core.checks import Family, Measured, Measurement, NotMeasured, Threshold, check
from bot.core.readings import TASKS, Reading
from bot.stats.domain import told_apart

LEAST_ROWS = 500
WARNING, CRITICAL = 0.65, 0.75
MOST_NAMED = 3


@check(
    "domain_classifier",
    family=Family.DRIFT,
    unit="",
    threshold=Threshold(WARNING, CRITICAL, least_rows=LEAST_ROWS, null=0.5),
    label="domain classifier AUC",
    whole_rows=TASKS,
)
def domain_classifier(reference: Reading, current: Reading) -> Iterator[Measured]:
    """How well a learner tells the window's rows from the reference's: AUC, 0.5 or less (not at all) to 1 (row by row).

    A column that only tells the time (a month, a running number, a season's temperature) tells any two windows apart, and so does a
    log that is ordered by place: leave such columns out, or take a reference of the same season.
    """
    both = whole_rows(reference, current, LEAST_ROWS)
    if isinstance(both, NotMeasured):
        yield both
        return
    told = told_apart(*both, explain_from=WARNING)
    if told is None:
        yield NotMeasured("model", "no column is the same kind on both sides", current.rows)
        return
    words = ", ".join(f"{name} ({fall:.2f})" for name, fall in told.leans[:MOST_NAMED])
    detail = f"told by {words}" if words else ""
    yield Measurement("model", told.area.value, told.n, reference=0.5, interval=(told.area.low, told.area.high), detail=detail)
