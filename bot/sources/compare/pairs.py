"""One column of both files, ready to be measured: sorted once, everything else is looked up.

Missing values (null and NaN) and infinities are counted apart and left out of every distance.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bot.core.profiles import Counts, Floats, NumericProfile
from bot.sources.compare.pictures import drawn_levels, drawn_numbers, picture_edges
from bot.sources.values import numbers, texts
from bot.stats import smirnov, transport
from bot.stats.distances import kolmogorov_smirnov
from bot.stats.profiles import inner_quantiles, profile_numbers
from bot.stats.transport import Between

CUTS = 4_096


@dataclass(frozen=True, slots=True)
class Held:
    """What a side holds of a column: rows in all, without a value, infinite."""

    rows: int = 0
    missing: int = 0
    infinite: int = 0

    @property
    def count(self) -> int:
        """Rows that can be measured."""
        return self.rows - self.missing - self.infinite

    @property
    def unusable(self) -> int:
        """Rows that no model can use."""
        return self.missing + self.infinite


@dataclass(eq=False)
class Numbers:
    """A numeric column of both files, whole and sorted: every measure is exact."""

    reference: Held
    current: Held
    then: Floats
    now: Floats

    @cached_property
    def deciles(self) -> tuple[Counts, Counts]:
        """Both sides' rows a bin of the reference's deciles: linear quantiles, duplicates dropped, ends open, (lo, hi]."""
        return self.counts(inner_quantiles(self.then))

    @cached_property
    def deviation(self) -> float:
        """The reference's standard deviation, ddof 0; exactly 0 where all its values are equal."""
        with np.errstate(over="ignore", invalid="ignore"):
            return float(self.then.std()) if len(self.then) and self.then[0] < self.then[-1] else 0.0

    @property
    def constant(self) -> bool:
        """Whether both sides are one and the same value."""
        return self.ends[0] == self.ends[1]

    @property
    def ends(self) -> tuple[float, float]:
        """The smallest and the largest finite value of both sides; (inf, -inf) where there is none."""
        sides = [side for side in (self.then, self.now) if len(side)]
        return min((float(side[0]) for side in sides), default=np.inf), max((float(side[-1]) for side in sides), default=-np.inf)

    @cached_property
    def smirnov(self) -> Between:
        """KS, 0 to 1."""
        distance = smirnov.distance(self.then, self.now)
        return Between(distance, distance)

    @cached_property
    def transport(self) -> Between:
        """W1 in the column's unit."""
        distance = transport.earth_movers(self.then, self.now)
        return Between(distance, distance)

    def picture(self) -> dict[str, Any]:
        """Return how both sides are distributed."""
        edges = picture_edges(self.then if len(self.then) else self.now)
        return drawn_numbers(edges, *self.counts(edges), self.ends)

    def counts(self, edges: Floats) -> tuple[Counts, Counts]:
        """Return both sides' rows between these edges, the ends open."""
        return binned(self.then, edges), binned(self.now, edges)

    def exact(self) -> "Numbers":
        """Return the pair of which everything is known exactly."""
        return self


@dataclass(eq=False)
class StreamedNumbers(Numbers):
    """The reference whole, the window counted slice by slice at its cut points: KS and W1 are intervals. `now` stays empty."""

    like: NumericProfile
    window: NumericProfile
    counted: dict[bytes, Counts]
    whole: Callable[[], Numbers]
    _exact: Numbers | None = field(default=None, init=False)

    @property
    def ends(self) -> tuple[float, float]:
        """The smallest and the largest finite value of both sides."""
        return min(self.like.low, self.window.low), max(self.like.high, self.window.high)

    @cached_property
    def smirnov(self) -> Between:
        """KS, 0 to 1."""
        found = kolmogorov_smirnov(self.like, self.window)
        return Between(found.low, found.high) if found else self.exact().smirnov

    @cached_property
    def transport(self) -> Between:
        """W1 in the column's unit."""
        return transport.certified(self.like, self.window) or self.exact().transport

    def counts(self, edges: Floats) -> tuple[Counts, Counts]:
        """Return both sides' rows between these edges, the ends open."""
        now = self.counted.get(edges.tobytes())
        return binned(self.then, edges), binned(self.exact().now, edges) if now is None else now

    def exact(self) -> Numbers:
        """Return the pair of which everything is known exactly; the window is read a second time, whole."""
        self._exact = self._exact or self.whole()
        return self._exact


@dataclass(eq=False)
class Levels:
    """A column of categories in both files: rows a level, over the union of levels."""

    reference: Held
    current: Held
    names: list[str]
    then: Counts
    now: Counts

    def picture(self) -> dict[str, Any]:
        """Return how both sides are distributed."""
        return drawn_levels(self.names, self.then, self.now)


Read = Callable[[], pa.ChunkedArray]
"""Reads a column; it is let go of as soon as it is sorted."""


def whole(reference: Read, current: Read) -> Numbers:
    """Return a numeric column of both files with everything exact."""
    (then, ordered), (now, other) = _sorted(reference()), _sorted(current())
    return Numbers(then, now, ordered, other)


def streamed(reference: Read, current: Iterable[pa.ChunkedArray], again: Read, *, pictures: bool) -> StreamedNumbers:
    """Return a numeric column of which the window's slices are seen once; `again` reads it whole where that turns out needed."""
    then, ordered = _sorted(reference())
    like = profile_numbers(ordered, cuts=CUTS)
    wanted = [inner_quantiles(ordered), *([picture_edges(ordered)] if pictures else [])]
    window, bins = profile_numbers(np.empty(0), like=like), [np.zeros(len(edges) + 1, np.int64) for edges in wanted]
    for part in current:
        values = numbers(part.drop_null())
        window = window.merged(profile_numbers(values, nulls=part.null_count, like=like))
        finite = _finite(values)
        bins = [sums + binned(finite, edges) for sums, edges in zip(bins, wanted, strict=True)]
    counts = {edges.tobytes(): sums for edges, sums in zip(wanted, bins, strict=True)}
    now = Held(window.rows, window.missing, window.infinities)

    def exactly() -> Numbers:
        return Numbers(then, now, ordered, _sorted(again())[1])

    return StreamedNumbers(then, now, ordered, np.empty(0), like, window, counts, exactly)


def leveled(reference: Read, current: Read) -> Levels:
    """Return a column of categories of both files, levels in the order of their names."""
    (then, before), (now, after) = _levels(reference()), _levels(current())
    names = sorted(before.keys() | after.keys())
    return Levels(then, now, names, *(np.array([side.get(name, 0) for name in names], np.int64) for side in (before, after)))


def binned(ordered: Floats, edges: Floats) -> Counts:
    """Return the rows of a sorted column in (lo, hi] between ascending edges, the two ends open."""
    up_to = np.searchsorted(ordered, edges, side="right")
    return np.diff(np.concatenate([[0], up_to, [len(ordered)]])).astype(np.int64)


def _sorted(column: pa.ChunkedArray) -> tuple[Held, Floats]:
    values = numbers(column.drop_null())
    values.sort()
    finite = _finite(values)
    nans = len(values) - int(np.searchsorted(values, np.nan, side="left"))
    return Held(len(column), column.null_count + nans, len(values) - nans - len(finite)), finite


def _finite(ordered: Floats) -> Floats:
    """Return the part of a sorted column that is finite: NaN goes last, infinities to the ends."""
    return ordered[np.searchsorted(ordered, -np.inf, side="right") : np.searchsorted(ordered, np.inf, side="left")]


def _levels(column: pa.ChunkedArray) -> tuple[Held, dict[str, int]]:
    values = column if pa.types.is_dictionary(column.type) else texts(column)
    found = pc.value_counts(values.drop_null())
    names = texts(pa.chunked_array([found.field("values")])).to_pylist()
    rows: dict[str, int] = {}
    for name, count in zip(names, found.field("counts").to_pylist(), strict=True):
        key = "" if name is None else name
        rows[key] = rows.get(key, 0) + count
    return Held(len(column), len(column) - sum(rows.values())), rows
