"""Missing values: how much of what the reference has is gone?"""

from collections.abc import Iterator

from bot.core.checks import Family, Measured, Measurement, NotMeasured, Threshold, check
from bot.core.profiles import ColumnProfile, NumericProfile
from bot.core.readings import Reading
from bot.stats.rates import lost

LEAST_ROWS = 30


@check("missing", family=Family.DATA_QUALITY, unit="share", threshold=Threshold(0.05, 0.50, least_rows=LEAST_ROWS))
def missing(reference: Reading, current: Reading) -> Iterator[Measured]:
    """Of the values that the reference has, the share that is gone now: 0 (as usual) to 1 (the column is empty)."""
    for name, then in reference.columns.items():
        now = current.columns.get(name)
        if now is None:  # a lost column is schema's to say
            continue
        if not now.rows or not then.rows:
            yield NotMeasured(name, "no rows in the window" if then.rows else "no rows in the reference")
            continue
        usual, share = _gone(then) / then.rows, _gone(now) / now.rows
        if usual == 1:
            yield NotMeasured(name, "always missing, in the reference too", now.rows)
            continue
        value, low, high = lost((_gone(now), now.rows), (_gone(then), then.rows))
        words = f"{share * 100:.1f} % missing, reference {usual * 100:.1f} %"
        yield Measurement(name, value, now.rows, reference=0.0, interval=(low, high), detail=words)


def _gone(column: ColumnProfile) -> int:
    """Rows that no model can use: nulls, NaN, and infinities."""
    return column.missing + (column.infinities if isinstance(column, NumericProfile) else 0)
