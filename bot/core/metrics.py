"""Numbers about serving that somebody else measures: which ones there are, and what was told of them over a window."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from bot.core.profiles import Floats
from bot.core.windows import Window
from bot.core.words import SHARE, number

BYTES = "bytes"
UNITS: Mapping[str, str] = {
    "cpu": "",
    "memory": BYTES,
    "gpu": "",
    "gpu_memory": BYTES,
    "latency_p95": "ms",
    "latency_p99": "ms",
    "error_rate": SHARE,
    "throughput": "requests/s",
}
"""The metrics that a model may have, each with the unit that its query has to give; "" is any (cores, a share)."""

LEAST_COVERED = 0.5
_SIZES = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


@dataclass(frozen=True, slots=True)
class Metrics:
    """Where a model's operational numbers come from: a query a metric, what must not be passed, what is usual.

    `limits` are in the units of `UNITS`; of throughput it is the least, of everything else the most. `reference` is the stretch
    that is usual, where that is not the model's own.
    """

    source: str
    queries: Mapping[str, str]
    limits: Mapping[str, float] = field(default_factory=dict)
    reference: Window | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One metric over one window: its finite samples in the order of time, shape (n,), evenly spaced.

    `asked` samples would cover the window. `trouble` is a sentence where it could not be told. `limit` is what the configuration
    allows, None where it says nothing.
    """

    values: Floats = field(default_factory=lambda: np.empty(0))
    asked: int = 0
    trouble: str = ""
    limit: float | None = None

    def __len__(self) -> int:
        return len(self.values)

    @property
    def unknown(self) -> str:
        """Why it says nothing about its window; empty where it does. A few samples would say when it was well, not how it was."""
        if self.trouble or not len(self):
            return self.trouble or "there is not one sample of it"
        if len(self) < LEAST_COVERED * self.asked:
            return f"its samples cover {len(self) / self.asked:.0%} of the window only".replace("%", " %")
        return ""


def told(name: str, value: float) -> str:
    """Return a metric's value with its unit, as people say it: "2.1 GiB", "340 ms", "0.8 %", "1.2"."""
    unit = UNITS.get(name, "")
    if unit == BYTES:
        size, rank = value, 0
        while abs(size) >= 1_024 and rank < len(_SIZES) - 1:
            size, rank = size / 1_024, rank + 1
        return f"{number(size)} {_SIZES[rank]}"
    return f"{number(value * 100)} %" if unit == SHARE else f"{number(value)} {unit}".rstrip()
