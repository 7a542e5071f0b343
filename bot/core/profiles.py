"""What is kept of a column instead of its rows: counts that add up.

A profile is cut on the *reference* only. Reference and window then count at the same cut points, so two windows of two days, two
machines or two row groups can be compared or added without a row in sight (design: sorting once and looking up is the cheapest
reduction there is). Missing values are counted apart and left out of every distance.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class NumericProfile:
    """A numeric column, counted at the reference's cut points.

    Shapes: `cuts`, `below`, `up_to`, `sum_up_to` are (k,) with `cuts` strictly ascending; `edges` is (b - 1,), `bins` is (b,).
    `below[i]` counts finite values < cuts[i], `up_to[i]` counts values <= cuts[i], `sum_up_to[i]` adds those. `bins` counts the
    finite values in (edges[i-1], edges[i]], the two ends open. `squares` is the sum of squared distances from the mean.

    What data quality asks for; None in a profile that was stored before it was counted. `far` counts values that lie farther
    outside the cut points than these are apart, `magnitudes` the sizes of the values (`bot.stats.scale`), `sentinels` the usual
    stand-ins for nothing (`bot.stats.sentinels`). `changes` of the `followed` pairs of neighbouring rows, in the order of time,
    differ: how quickly the column changes, known of a reference only.
    """

    rows: int
    nulls: int
    nans: int
    infinities: int
    cuts: Floats
    below: Counts
    up_to: Counts
    sum_up_to: Floats
    edges: Floats
    bins: Counts
    low: float
    high: float
    mean: float
    squares: float
    far: int | None = None
    magnitudes: Counts | None = None
    sentinels: Counts | None = None
    changes: int = 0
    followed: int = 0

    @property
    def count(self) -> int:
        """Finite values."""
        return self.rows - self.missing - self.infinities

    @property
    def missing(self) -> int:
        """Nulls and NaNs."""
        return self.nulls + self.nans

    def same_cuts(self, other: "NumericProfile") -> bool:
        """Return whether both are counted at the same cut points."""
        return self.cuts is other.cuts or np.array_equal(self.cuts, other.cuts)  # a window's are its reference's very own

    def same_bins(self, other: "NumericProfile") -> bool:
        """Return whether both have the same bins."""
        return self.edges is other.edges or np.array_equal(self.edges, other.edges)

    def emptied(self) -> Self:
        """Return the profile of no rows at the same cut points; how quickly the column changes stays known."""
        return replace(
            self,
            rows=0,
            nulls=0,
            nans=0,
            infinities=0,
            below=np.zeros_like(self.below),
            up_to=np.zeros_like(self.up_to),
            sum_up_to=np.zeros_like(self.sum_up_to),
            bins=np.zeros_like(self.bins),
            low=np.inf,
            high=-np.inf,
            mean=0.0,
            squares=0.0,
            far=None if self.far is None else 0,
            magnitudes=None if self.magnitudes is None else np.zeros_like(self.magnitudes),
            sentinels=None if self.sentinels is None else np.zeros_like(self.sentinels),
        )

    def merged(self, other: Self) -> Self:
        """Return the profile of both stretches together; both must be counted at the same cut points."""
        if not (self.same_cuts(other) and self.same_bins(other)):
            raise ValueError("Profiles add up only when both were counted at the same reference cut points.")
        n, m = self.count, other.count
        shift = other.mean - self.mean if n and m else 0.0  # an empty stretch has no mean of its own
        mean = self.mean + shift * m / (n + m) if n else other.mean
        return replace(
            self,
            rows=self.rows + other.rows,
            nulls=self.nulls + other.nulls,
            nans=self.nans + other.nans,
            infinities=self.infinities + other.infinities,
            below=self.below + other.below,
            up_to=self.up_to + other.up_to,
            sum_up_to=self.sum_up_to + other.sum_up_to,
            bins=self.bins + other.bins,
            low=min(self.low, other.low),
            high=max(self.high, other.high),
            mean=mean,
            squares=self.squares + other.squares + shift * shift * n * m / max(n + m, 1),
            far=None if self.far is None or other.far is None else self.far + other.far,
            magnitudes=_added(self.magnitudes, other.magnitudes),
            sentinels=_added(self.sentinels, other.sentinels),
            changes=self.changes + other.changes,
            followed=self.followed + other.followed,
        )


def _added(one: Counts | None, other: Counts | None) -> Counts | None:
    """Return the counts of both, or None where they were not counted, or not counted alike, on both sides."""
    return one + other if one is not None and other is not None and one.shape == other.shape else None


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class CategoryProfile:
    """A column of categories: rows per level for the most frequent, the rest in `other`, `distinct` levels in all.

    `sentinels` counts the usual words for nothing, capped or not; None in a profile that was stored before they were counted.
    `changes` and `followed` as in NumericProfile.
    """

    rows: int
    nulls: int
    counts: Mapping[str, int]
    other: int = 0
    distinct: int = 0
    sentinels: Mapping[str, int] | None = None
    changes: int = 0
    followed: int = 0

    @property
    def count(self) -> int:
        """Rows that have a value."""
        return self.rows - self.nulls

    @property
    def missing(self) -> int:
        """Rows without a value."""
        return self.nulls

    def emptied(self) -> Self:
        """Return the profile of no rows; how quickly the column changes stays known."""
        return replace(self, rows=0, nulls=0, counts={}, other=0, distinct=0, sentinels=None if self.sentinels is None else {})

    def merged(self, other: Self) -> Self:
        """Return the profile of both stretches together; `distinct` is then a lower bound when levels were capped."""
        counts = _summed(self.counts, other.counts)
        return replace(
            self,
            rows=self.rows + other.rows,
            nulls=self.nulls + other.nulls,
            counts=counts,
            other=self.other + other.other,
            distinct=max(len(counts), self.distinct, other.distinct),
            sentinels=None if self.sentinels is None or other.sentinels is None else _summed(self.sentinels, other.sentinels),
            changes=self.changes + other.changes,
            followed=self.followed + other.followed,
        )


def _summed(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {level: one.get(level, 0) + other.get(level, 0) for level in {**one, **other}}


ColumnProfile = NumericProfile | CategoryProfile
Profiles = Mapping[str, ColumnProfile]
"""Every column of one stretch of rows, by name."""
