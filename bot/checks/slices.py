"""Slices: is there a corner of the inputs in which the model does much worse than elsewhere?"""

from collections.abc import Iterator

from bot.core.checks import Family, Measured, Measurement, NotMeasured, Threshold, check
from bot.core.readings import BINARY, MULTICLASS, RANKING, REGRESSION, Reading
from bot.stats.slices import LEAST_ROWS, worst_slices


@check(
    "slices",
    family=Family.PERFORMANCE,
    unit="",
    threshold=Threshold(0.05, 0.10, least_rows=LEAST_ROWS, significance=0.05),
    label="excess loss",
    whole_rows=(BINARY, MULTICLASS),
)
def slices(reference: Reading, current: Reading) -> Iterator[Measured]:
    """How far the squared error of the worst slices has risen above the other rows': any level or quarter of one input or two."""
    if current.task in (REGRESSION, RANKING):
        yield NotMeasured("model", f"the slices of a {current.task} are not searched", current.rows)
        return
    now = current.joint
    then = reference.joint if reference.joint is not None or now is None else now.thinned(0)
    found = worst_slices(then, now) if then is not None and now is not None else []
    if not found:
        yield NotMeasured("model", f"no slice with {LEAST_ROWS} labelled rows does worse than the others", current.rows)
        return
    for worst in found:
        words = f"squared error {worst.loss:.3f}, elsewhere {worst.rest:.3f}"
        words += "" if worst.before is None else f"; in the reference it was {worst.before:+.3f} apart".replace("-", "−")
        yield Measurement(worst.name, worst.excess, worst.n, reference=0.0, p_value=worst.chance, detail=words)
