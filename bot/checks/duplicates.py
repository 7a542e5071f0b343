"""Duplicates: how many rows tell of a request that has been told already?"""

from collections.abc import Iterator

from bot.core.checks import Family, Measured, Measurement, NotMeasured, Threshold, check
from bot.core.readings import Reading
from bot.stats.rates import lost

LEAST_ROWS = 30


@check("duplicates", family=Family.DATA_QUALITY, unit="share", threshold=Threshold(0.01, 0.10, least_rows=LEAST_ROWS))
def duplicates(reference: Reading, current: Reading) -> Iterator[Measured]:
    """Of the requests that used to be logged once, the share that is repeated now: 0 (as usual) to 1 (all are one request)."""
    now, then = current.duplicates, reference.duplicates
    if now is None or not current.rows:
        yield NotMeasured("model", "the log has no request ids, or nobody has counted them", current.rows)
    elif then is None or not reference.rows or then == reference.rows:
        yield NotMeasured("model", "the reference has no request ids, or nobody has counted them", current.rows)
    else:
        value, low, high = lost((now, current.rows), (then, reference.rows))
        words = f"{now:,} of {current.rows:,} rows repeat a request id, reference {then / reference.rows * 100:.1f} %"
        yield Measurement("model", value, current.rows, reference=0.0, interval=(low, high), detail=words)
