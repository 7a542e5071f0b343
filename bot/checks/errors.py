"""Errors: how many predictions failed?"""

from collections.abc import Iterator

from bot.core.checks import Family, Measured, Measurement, NotMeasured, Threshold, check
from bot.core.readings import Reading
from bot.stats.rates import wilson
from bot.stats.series import LEAST, level


@check("errors", family=Family.OPERATIONS, unit="share", label="error share", threshold=Threshold(0.01, 0.05, least_rows=100))
def errors(_reference: Reading, current: Reading) -> Iterator[Measured]:
    """The share of requests that failed, 0 to 1, with Wilson's interval; where the log knows no failure, that of the metrics."""
    operations, series = current.operations, current.resources.get("error_rate")
    if series is not None and not (operations and operations.errors) and not series.unknown and len(series) >= LEAST:
        value, low, high = level(series.values)
        words = f"mean of {len(series)} samples of the metric error_rate"
        yield Measurement("model", value, current.rows, interval=(low, high), detail=words)
        return
    if operations is None or not operations.requests:
        yield NotMeasured("model", "no requests are in the log for this window")
        return
    band = wilson(operations.errors, operations.requests)
    words = f"{operations.errors:,} of {operations.requests:,} failed"
    yield Measurement("model", operations.errors / operations.requests, operations.requests, interval=band, detail=words)
