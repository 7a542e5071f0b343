"""Resources: what the model's metrics server measures, against what is usual and against what is allowed.

Busy hours are no trouble and samples of one hour are alike, so a metric must be both far from its usual level and, with its whole
interval, out of the range that the reference's samples keep to (`bot.stats.series.usual`): an hour that the reference knows is
usual. A limit is a fact: of what fills up (cpu, memory) the 95th percentile of the samples counts, of what flows (latency, errors,
throughput) the mean.
"""

import math
from collections.abc import Iterator

from bot.core.checks import Family, Measured, Measurement, NotMeasured, Threshold, check
from bot.core.metrics import UNITS, Series, told
from bot.core.readings import Reading
from bot.core.words import POINTS, SHARE, plain
from bot.stats.series import LEAST, level, mostly_under, usual

LEAST_USUAL = 20
FALLS = ("cpu", "gpu", "throughput")
RISES = tuple(name for name in UNITS if name != "throughput")
"""On which side a metric's interval is held against the range that is usual: where its trouble lies."""

FILLS = ("cpu", "memory", "gpu", "gpu_memory")
RATIO = "times the reference's"
LIMIT = "_limit"

HIGHER = Threshold(1.5, 2.0, null=1.0)
OTHER = Threshold(0.5, 0.9, null=1.0, two_sided=True)
"""Of work: twice as much, or next to none while the process lives."""


@check(
    "resources",
    family=Family.OPERATIONS,
    unit=RATIO,
    threshold=HIGHER,
    thresholds={
        "cpu": OTHER,
        "gpu": OTHER,
        "throughput": Threshold(0.5, 0.2, above=False, null=1.0),
        "error_rate": Threshold(0.01, 0.05, null=0.0),
        **{f"{name}{LIMIT}": Threshold(0.9, 1.0) for name in UNITS},
        f"throughput{LIMIT}": Threshold(1.1, 1.0, above=False),
    },
    labels={subject: plain(subject) for name in UNITS for subject in (name, f"{name}{LIMIT}")},
    units={"error_rate": POINTS, **{f"{name}{LIMIT}": SHARE for name in UNITS}},
    of_rows=False,
)
def resources(reference: Reading, current: Reading) -> Iterator[Measured]:
    """CPU, memory, GPU, latency, errors and throughput as the model's `metrics` tell, beside the reference's and their limits."""
    if not current.resources:
        yield NotMeasured("model", "no metrics tell of it; give the model a source and queries under `metrics`")
    for name, now in current.resources.items():
        yield _against_usual(name, reference.resources.get(name, Series()), now)
        if now.limit is not None:
            yield _against_limit(name, now, now.limit)


def _against_usual(name: str, then: Series, now: Series) -> Measured:
    """Measure how far a metric is from its usual level; where trouble lies, its interval is told from the end of what is usual."""
    if why := _too_little(now) or _no_reference(then):
        return NotMeasured(name, why, len(now))
    here, before, (lowest, highest) = level(now.values), level(then.values), usual(then.values)
    words = f"{told(name, here.value)}; usual is {told(name, before.value)}, from {told(name, lowest)} to {told(name, highest)}"
    if name == "error_rate":
        value, interval, like = here.value - before.value, (here.low - highest, here.high - lowest), 0.0
    elif before.value <= 0:
        why = f"it was {told(name, before.value)} in the reference, so there is no ratio; give it a limit"
        return NotMeasured(name, why, len(now))
    else:
        value, like = here.value / before.value, 1.0
        low = here.low / (highest if name in RISES else before.value)
        fallen = here.high / lowest if lowest > 0 else 1.0  # where nothing at all is usual, too, no fall is sure
        high = fallen if name in FALLS else here.high / before.value
        interval = min(value, low), max(value, high)
    if not all(map(math.isfinite, (value, *interval))):
        return NotMeasured(name, "its samples are too far apart to be compared", len(now))
    return Measurement(name, value, len(now), like, interval, detail=words)


def _against_limit(name: str, now: Series, limit: float) -> Measured:
    """Measure which share of its limit a metric takes."""
    subject = name + LIMIT
    if why := _too_little(now):
        return NotMeasured(subject, why, len(now))
    if name in FILLS:
        most = mostly_under(now.values)
        value, interval, what = most / limit, None, f"{told(name, most)} at the 95th percentile"
    else:
        here = level(now.values)
        value, interval = here.value / limit, (here.low / limit, here.high / limit)
        what = f"{told(name, here.value)} on average"
    if not all(map(math.isfinite, (value, *(interval or ())))):
        return NotMeasured(subject, "its samples are too large to be compared", len(now))
    words = f"{what}, {'at least' if name == 'throughput' else 'at most'} {told(name, limit)} is allowed"
    return Measurement(subject, value, len(now), interval=interval, detail=words)


def _too_little(now: Series) -> str:
    return now.unknown or (f"not enough data: {len(now)} of {LEAST} samples" if len(now) < LEAST else "")


def _no_reference(then: Series) -> str:
    """Say why there is nothing to compare with; a reference that the server has half forgotten is still one."""
    if not then.trouble and len(then) >= LEAST_USUAL:
        return ""
    why = then.trouble or f"{len(then)} of {LEAST_USUAL} samples"
    return f"nothing says what is usual ({why}); name a `reference` under metrics that its server still knows"
