"""Sentinels: does "nothing" come disguised as a value?"""

from collections.abc import Iterator

from bot.core.checks import Family, Measured, Measurement, NotMeasured, Threshold, check
from bot.core.profiles import CategoryProfile, ColumnProfile, NumericProfile
from bot.core.readings import Reading
from bot.core.words import quoted
from bot.stats.draws import draws
from bot.stats.rates import SURE, lost
from bot.stats.sentinels import Spike, risen, risen_word

LEAST_ROWS = 100


@check(
    "sentinel",
    family=Family.DATA_QUALITY,
    unit="share",
    label="stand-ins for nothing",
    threshold=Threshold(0.05, 0.20, least_rows=LEAST_ROWS),
)
def sentinel(reference: Reading, current: Reading) -> Iterator[Measured]:
    """The share of values that have become one stand-in for nothing (−999, 9999, "N/A", …), 0 (as usual) to 1."""
    for name, then in reference.columns.items():
        now = current.columns.get(name)
        if now is None or not now.count or not then.count:
            yield NotMeasured(name, "no values on one side", current.rows)
            continue
        worst = _risen(then, now)
        yield NotMeasured(name, worst, now.count) if isinstance(worst, str) else _measured(name, then, now, worst)


def _risen(then: ColumnProfile, now: ColumnProfile) -> Spike | str | None:
    """Return the stand-in that has risen most, None where none has, or why nobody can know."""
    if then.sentinels is None or now.sentinels is None:
        return "the stored reference is older than this check: it has to be read anew"
    if isinstance(then, CategoryProfile) and isinstance(now, CategoryProfile):
        return risen_word((now.sentinels or {}, now.count), (then.sentinels or {}, then.count))
    if not isinstance(then, NumericProfile) or not isinstance(now, NumericProfile):
        return "another type than in the reference"
    return risen((now.sentinels, now.count), (then.sentinels, then.count))


def _measured(name: str, then: ColumnProfile, now: ColumnProfile, worst: Spike | None) -> Measurement:
    if worst is None:
        return Measurement(name, 0.0, now.count, reference=0.0, interval=(0.0, 0.0))
    share, usual = worst.now / now.count, worst.then / then.count
    rows, known = draws(then, now)
    value, low, high = lost((share * rows, rows), (usual * known, known), SURE)
    words = f"{share * 100:.1f} % of the values are {quoted(worst.name)}, reference {usual * 100:.1f} %"
    return Measurement(name, value, now.count, reference=0.0, interval=(low, high), detail=words)
