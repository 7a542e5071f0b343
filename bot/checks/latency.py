"""Latency: how long did people wait for a prediction?"""

from collections.abc import Iterator

import numpy as np

from bot.core.checks import Family, Measured, Measurement, NotMeasured, Threshold, check
from bot.core.metrics import Series
from bot.core.readings import Reading
from bot.stats.rates import percentile
from bot.stats.series import LEAST, level

LEAST_REQUESTS = 100
PERCENTILES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}


@check(
    "latency",
    family=Family.OPERATIONS,
    unit="ms",
    threshold=Threshold(least_rows=LEAST_REQUESTS),
    thresholds={"p95": Threshold(250, 1_000, least_rows=LEAST_REQUESTS)},
)
def latency(_reference: Reading, current: Reading) -> Iterator[Measured]:
    """Percentiles of the answer time in ms, with intervals from order statistics; where no log has it, those of the metrics."""
    operations = current.operations
    if operations is None or not len(operations.latencies_ms):
        yield from _metered(current)
        return
    ordered = np.sort(operations.latencies_ms)
    for name, share in PERCENTILES.items():
        value, low, high = percentile(ordered, share)
        yield Measurement(name, value, len(ordered), interval=(low, high))


def _metered(current: Reading) -> Iterator[Measured]:
    """Yield the level of each percentile that the model's metrics tell; `n` are the log's rows: those that were waited for."""
    given = {name: current.resources[f"latency_{name}"] for name in PERCENTILES if f"latency_{name}" in current.resources}
    if not given:
        yield NotMeasured("p95", "no latencies are in the log for this window")
    for name, series in given.items():
        yield _level(name, series, current.rows)


def _level(name: str, series: Series, rows: int) -> Measured:
    if series.unknown or len(series) < LEAST:
        why = series.unknown or f"{len(series)} of {LEAST} samples"
        return NotMeasured(name, f"no latencies are in the log for this window, and of the metric: {why}")
    value, low, high = level(series.values)
    return Measurement(
        name, value, rows, interval=(low, high), detail=f"mean of {len(series)} samples of the metric latency_{name}"
    )
