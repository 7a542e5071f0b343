"""L∞: how much has the share of one bin or level of a column changed at most?"""

from collections.abc import Iterator

from bot.core.checks import Family, Measured, Measurement, NotMeasured, Threshold, check
from bot.core.readings import Reading
from bot.stats.binned import between
from bot.stats.binned import l_infinity as distance

LEAST_ROWS = 200


@check(
    "l_infinity",
    family=Family.DRIFT,
    unit="",
    threshold=Threshold(0.10, 0.20, least_rows=LEAST_ROWS, significance=0.01),
    label="L∞",
)
def l_infinity(reference: Reading, current: Reading) -> Iterator[Measured]:
    """The largest change of one share among the reference's deciles or levels, 0 to 1."""
    for name, then in reference.columns.items():
        now = current.columns.get(name)
        moved = between(distance, then, now)
        if moved is None or now is None:
            yield NotMeasured(name, "no values on one side, or another type", current.rows)
            continue
        without_chance = (min(moved.beyond, moved.value), moved.value)
        yield Measurement(name, moved.value, now.count, reference=0.0, interval=without_chance, p_value=moved.p_value)
