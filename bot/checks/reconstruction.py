"""Reconstruction: do the columns still go together as they used to?"""

from collections.abc import Iterator

from bot.checks.recipes import whole_rows
from bot.core.checks import Family, Measured, Measurement, NotMeasured, Threshold, check
from bot.core.readings import TASKS, Reading
from bot.stats.reconstruction import reconstruction as rebuilt

LEAST_ROWS = 200


@check(
    "reconstruction",
    family=Family.DRIFT,
    unit="deviations",
    threshold=Threshold(3.0, 5.0, least_rows=LEAST_ROWS),
    label="PCA reconstruction error",
    whole_rows=TASKS,
)
def reconstruction(reference: Reading, current: Reading) -> Iterator[Measured]:
    """How far the mean PCA reconstruction error is from the reference's, in deviations of its own stretches: 0 is as usual."""
    both = whole_rows(reference, current, LEAST_ROWS)
    if isinstance(both, NotMeasured):
        yield both
        return
    chunks = int(reference.window.length / current.window.length)
    found = rebuilt(*both, chunks=chunks)
    if found is None:
        yield NotMeasured("model", "no column is the same kind on both sides", current.rows)
        return
    low, high = found.band
    words = f"mean error {found.error:.3g}, reference {found.reference:.3g}, usual {low:.3g} to {high:.3g}"
    yield Measurement("model", found.deviations, found.n, reference=0.0, detail=words)
