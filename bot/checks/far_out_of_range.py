"""Far out of range: values that no season and no ordinary drift brings."""

from collections.abc import Iterator

from bot.core.checks import Family, Measured, Measurement, NotMeasured, Threshold, check
from bot.core.profiles import NumericProfile
from bot.core.readings import Reading
from bot.core.words import number
from bot.stats.draws import draws
from bot.stats.rates import beyond

LEAST_ROWS = 30


@check(
    "far_out_of_range", family=Family.DATA_QUALITY, unit="share", threshold=Threshold(0.01, 0.05, least_rows=LEAST_ROWS), ever=True
)
def far_out_of_range(reference: Reading, current: Reading) -> Iterator[Measured]:
    """The share of values farther outside the reference's range than that range is wide, 0 to 1."""
    for name, then in reference.columns.items():
        if not isinstance(then, NumericProfile):
            continue
        now = current.columns.get(name)
        if not isinstance(now, NumericProfile) or not now.count or not now.same_cuts(then):
            yield NotMeasured(name, "no numbers in the window, or not counted at the reference's cut points", current.rows)
        elif then.far is None or now.far is None:
            yield NotMeasured(name, "the stored reference is older than this check: it has to be read anew", now.count)
        elif len(then.cuts) < 2:
            yield NotMeasured(name, "the reference has no range: fewer than two values", now.count)
        else:
            yield _measured(name, then, now, (then.far, now.far))


def _measured(name: str, then: NumericProfile, now: NumericProfile, far: tuple[int, int]) -> Measurement:
    usual, share = far[0] / then.count, far[1] / now.count
    rows, known = draws(then, now)
    band = beyond((share * rows, rows), (usual * known + 1, known + 1))  # one more: the next value may be the first of its kind
    ends = f"{number(float(then.cuts[0]))} to {number(float(then.cuts[-1]))}"
    words = f"{far[1]:,} of {now.count:,} values lie far outside the reference's {ends}"
    if far[1]:
        words += f"; the window has {number(now.low)} to {number(now.high)}"
    return Measurement(name, share, now.count, reference=usual, interval=band, detail=words)
