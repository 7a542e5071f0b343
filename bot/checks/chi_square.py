"""Chi-square: have a column's categories changed their shares?"""

from collections.abc import Iterator

from bot.core.checks import Family, Measured, Measurement, NotMeasured, Threshold, check
from bot.core.profiles import CategoryProfile
from bot.core.readings import Reading
from bot.stats.distances import aligned
from bot.stats.distances import chi_square as association

LEAST_ROWS = 100


@check(
    "chi_square",
    family=Family.DRIFT,
    unit="",
    threshold=Threshold(0.10, 0.30, least_rows=LEAST_ROWS, significance=0.01),
    label="Cramér's V",
)
def chi_square(reference: Reading, current: Reading) -> Iterator[Measured]:
    """Cramér's V (bias-corrected) between level and window, 0 (same shares) to 1, with Pearson's p-value."""
    for name, then, now in reference.beside(current):
        if not isinstance(then, CategoryProfile):
            continue
        found = association(*aligned(then, now)) if isinstance(now, CategoryProfile) else None
        if found is None or now is None:
            yield NotMeasured(name, "no categories on one side, or another type", current.rows)
            continue
        yield Measurement(name, found.corrected_v, now.count, reference=0.0, p_value=found.p_value)
