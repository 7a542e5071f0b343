"""Reconstruction: do the columns still go together as they used to?"""

from collections.abc import Iterator

from bot.core.checks import Family, Measured, Measurement, NotMeasured, Threshold, check
from bot.core.readings import Reading
from bot.stats.reconstruction import reconstruction as rebuilt

LEAST_ROWS = 200


@check(
    "reconstruction",
    family=Family.DRIFT,
    unit="deviations",
    threshold=Threshold(3.0, 5.0, least_rows=LEAST_ROWS),
    label="PCA reconstruction error",
)
def reconstruction(reference: Reading, current: Reading) -> Iterator[Measured]:
    """How far the mean PCA reconstruction error is from the reference's, in deviations of its own stretches: 0 is as usual."""
    then, now = reference.joint, current.joint
    for side, rows in (("reference", then), ("window", now)):
        if rows is None or len(rows) < LEAST_ROWS:
            kept = 0 if rows is None else len(rows)
            yield NotMeasured("model", f"{kept:,} of {LEAST_ROWS:,} whole rows in the {side}", kept)
            return
    chunks = int(reference.window.length / current.window.length)
    found = rebuilt(then, now, chunks=chunks) if then is not None and now is not None else None
    if found is None:
        yield NotMeasured("model", "no column is the same kind on both sides", current.rows)
        return
    low, high = found.band
    words = f"mean error {found.error:.3g}, reference {found.reference:.3g}, usual {low:.3g} to {high:.3g}"
    yield Measurement("model", found.deviations, found.n, reference=0.0, detail=words)
