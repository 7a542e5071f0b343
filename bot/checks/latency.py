"""Latency: how long did people wait for a prediction?"""

from collections.abc import Iterator

import numpy as np

from bot.core.checks import Family, Measured, Measurement, NotMeasured, Threshold, check
from bot.core.readings import Reading
from bot.stats.rates import percentile

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
    """Percentiles of the answer time in ms, with intervals from order statistics."""
    operations = current.operations
    if operations is None or not len(operations.latencies_ms):
        yield NotMeasured("p95", "no latencies are in the log for this window")
        return
    ordered = np.sort(operations.latencies_ms)
    for name, share in PERCENTILES.items():
        value, low, high = percentile(ordered, share)
        yield Measurement(name, value, len(ordered), interval=(low, high))
