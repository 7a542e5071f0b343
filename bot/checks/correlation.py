"""Correlation: do two columns still rise and fall together?"""

from collections.abc import Iterator

from bot.core.checks import Family, Measured, Measurement, NotMeasured, Threshold, check
from bot.core.readings import TASKS, Reading
from bot.stats.correlation import LEAST_ROWS, changes

MOST_PAIRS = 5


@check(
    "correlation",
    family=Family.DRIFT,
    unit="",
    threshold=Threshold(0.2, 0.4, least_rows=LEAST_ROWS, significance=0.05),
    label="change of correlation",
    whole_rows=TASKS,
)
def correlation(reference: Reading, current: Reading) -> Iterator[Measured]:
    """By how much a pair's rank correlation has changed, 0 to 2; the five pairs that changed most."""
    then, now = reference.joint, current.joint
    found = changes(then, now) if then is not None and now is not None else []
    if not found:
        kept = 0 if now is None else len(now)
        yield NotMeasured("model", f"no two number columns with {LEAST_ROWS} rows on both sides", kept)
        return
    for change in found[:MOST_PAIRS]:
        words = f"was {change.then:.2f}, is {change.now:.2f}"
        subject = " ~ ".join(change.pair)
        yield Measurement(subject, abs(change.now - change.then), change.n, reference=0.0, p_value=change.p_value, detail=words)
