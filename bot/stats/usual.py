"""What is usual: how much a metric varies in the reference among stretches as long as the one that is judged.

A threshold learned on longer or shorter stretches is wrong (3 standard deviations of 500-row windows, held against 100-row ones,
raise 96 % false alarms), so the reference is cut anew for each size. The line is mean ± 3 standard deviations (ddof 0, as NannyML
has it).
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from bot.core.profiles import Counts
from bot.stats.estimates import LIMITS, LOWER_IS_BETTER

DEVIATIONS = 3.0
LEAST_CHUNKS = 5
MOST_CHUNKS = 200
DRAWN = 50
"""How many chunks are drawn where the reference does not hold enough whole ones."""

Told = Callable[[Counts], Mapping[str, float]]
"""Rows, by place, → metrics."""


class Usual(NamedTuple):
    """A metric's mean and standard deviation over the reference's chunks, and how many those were."""

    mean: float
    deviation: float
    chunks: int

    def lines(self, name: str) -> tuple[float, float]:
        """Return the thresholds, below and above, cut where the metric ends."""
        low, high = LIMITS.get(name, (0.0, 1.0))
        return max(low, self.mean - DEVIATIONS * self.deviation), min(high, self.mean + DEVIATIONS * self.deviation)

    def worse_by(self, name: str, value: float) -> float:
        """Return how many standard deviations a value is on the bad side of the mean; negative where it is better."""
        gap = value - self.mean if name in LOWER_IS_BETTER else self.mean - value
        return gap / max(self.deviation, 1e-12)


def whole_chunks(rows: int, size: int) -> Iterator[Counts]:
    """Yield the rows of each whole chunk of this size, in order; of very many an even choice."""
    count = rows // size
    for place in np.unique(np.linspace(0, count - 1, min(count, MOST_CHUNKS)).astype(np.int64)):
        yield np.arange(place * size, (place + 1) * size)


def drawn_chunks(rows: int, size: int) -> Iterator[Counts]:
    """Yield chunks drawn with replacement, seeded: what chance alone does where there are too few whole ones."""
    random = np.random.default_rng(0)
    for _ in range(DRAWN):
        yield np.sort(random.integers(0, rows, size))


def overlapping_chunks(rows: int, size: int) -> Iterator[Counts]:
    """Yield stretches of this size, each a quarter of it after the one before."""
    for start in range(0, rows - size + 1, max(size // 4, 1)):
        yield np.arange(start, start + size)


def at_length(rows: int, size: int, told: Told) -> dict[str, Usual]:
    """Return what is usual of stretches of this size, even where the reference holds only a few whole ones.

    Those then overlap, and no deviation is taken to be smaller than what chance alone makes of rows drawn at random.
    """
    if rows // size >= LEAST_CHUNKS:
        return usual(whole_chunks(rows, size), told)
    found, chance = usual(overlapping_chunks(rows, size), told), usual(drawn_chunks(rows, size), told)
    return {
        name: one._replace(deviation=max(one.deviation, chance[name].deviation)) for name, one in found.items() if name in chance
    }


def usual(chunks: Iterator[Counts], told: Told) -> dict[str, Usual]:
    """Return what is usual of each metric that at least two chunks could tell."""
    found: dict[str, list[float]] = {}
    for rows in chunks:
        for name, value in told(rows).items():
            found.setdefault(name, []).append(value)
    return {name: Usual(float(np.mean(v)), float(np.std(v)), len(v)) for name, v in found.items() if len(v) > 1}
