"""Constant: a column that used to vary, and now says the same of everybody."""

from collections.abc import Iterator

from bot.core.checks import Family, Measured, Measurement, NotMeasured, Threshold, check
from bot.core.profiles import CategoryProfile, ColumnProfile, NumericProfile
from bot.core.readings import Reading
from bot.core.words import number, quoted
from bot.stats.draws import draws, independence
from bot.stats.profiles import at_most
from bot.stats.rates import wilson

LEAST_ROWS = 100


@check(
    "constant",
    family=Family.DATA_QUALITY,
    unit="share",
    label="variety lost",
    threshold=Threshold(0.50, 0.90, least_rows=LEAST_ROWS, significance=0.001),
)
def constant(reference: Reading, current: Reading) -> Iterator[Measured]:
    """Of a column that now has one value, the reference's share of other values: 0 (it varies, as it did) to 1 (it is stuck)."""
    for name, then in reference.columns.items():
        now = current.columns.get(name)
        if type(now) is not type(then) or now is None or not now.count or not then.count:
            yield NotMeasured(name, "no values on one side, or another type", current.rows)
        elif not _varies(then):
            yield NotMeasured(name, "it has one value in the reference, too", now.count)
        elif _varies(now):
            yield Measurement(name, 0.0, now.count, reference=0.0, p_value=1.0)
        elif independence(then) is None:
            words = (
                "it has one value, but nobody knows how quickly it changes: the reference's rows are in no order or it is too old"
            )
            yield NotMeasured(name, words, now.count)
        else:
            yield _stuck(name, then, now)


def _varies(column: ColumnProfile) -> bool:
    if isinstance(column, NumericProfile):
        return column.low < column.high
    return len(column.counts) + (column.other > 0) > 1 or column.other > 1


def _stuck(name: str, then: ColumnProfile, now: ColumnProfile) -> Measurement:
    """Measure a column that has one value; chance: every independent row has it, by the largest share that it may have."""
    value, usual = _only(now, then)
    rows, known = draws(then, now)
    low, high = wilson(usual / then.count * known, known)
    chance = float(high**rows)
    words = f"every one of {now.count:,} values is {value}, in the reference {usual / then.count * 100:.1f} % are"
    return Measurement(name, 1 - usual / then.count, now.count, 0.0, (1 - high, 1 - low), chance, words)


def _only(now: ColumnProfile, then: ColumnProfile) -> tuple[str, int]:
    """Return the one value as text, and in how many rows at most the reference has it."""
    if isinstance(now, NumericProfile) and isinstance(then, NumericProfile):
        return number(now.low), at_most(then, now.low)
    level = next(iter(now.counts), "") if isinstance(now, CategoryProfile) else ""
    return quoted(level), then.counts.get(level, 0) if isinstance(then, CategoryProfile) else 0
