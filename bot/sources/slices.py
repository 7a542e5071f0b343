"""A window of many rows, read slice by slice: profiles add up, so memory does not grow with the rows.

Columns are profiled one after the other over all slices, two at a time; what is told by whole rows (labels, waiting times,
versions) is told of each slice and added up. A window is counted at its reference's cut points. A reference has none yet: its
columns are read whole up to `WHOLE` rows; above, an even draw of that many rows gives the cut points, the true ends of the column
among them, and a second pass counts at them.
"""

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime
from functools import reduce
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bot.core.joint import joined
from bot.core.models import Model
from bot.core.profiles import CategoryProfile, ColumnProfile, NumericProfile, Profiles
from bot.core.readings import Operations, Outcomes, Reading
from bot.core.windows import Window
from bot.sources.columns import Columns, side_by_side
from bot.sources.joint import MOST_JOINT, Picking
from bot.sources.order import level_changes
from bot.sources.readings import declared_of, reading_of
from bot.sources.table import of_the_log, profiled
from bot.sources.tally import Tally
from bot.sources.targets import decided_in, targets_of
from bot.sources.values import kind_of, moments, numbers, texts
from bot.stats.profiles import MOST_LEVELS, changes, profile_numbers

WHOLE = 4_000_000
MOST_OUTCOMES = 500_000
"""Of twice as many labelled rows or waiting times only a draw of this size is kept: more make no interval visibly narrower."""

Slices = Sequence[Columns]
Told = TypeVar("Told", Outcomes, Operations)


def reading_of_slices(
    model: Model,
    window: Window,
    slices: Slices,
    like: Profiles | None,
    as_of: datetime | None,
    *,
    whole_rows: bool = True,
) -> Reading:
    """Return the reading of a window whose rows come in slices, at least one; each holds just this window's rows."""
    there = declared_of(model, slices[0].column_names)
    known = like or {}
    picks = [Picking(model, part, moments(part.column(model.columns.time), model.columns.time)) for part in slices if whole_rows]
    passing = [pick.passing for pick in picks] or slices
    timed = bool(known) or in_order(slices, model.columns.time)
    made = side_by_side(lambda name: sliced(passing, name, there[name], known.get(name), timed=timed), there, parallel=True)
    step = max(1, sum(map(len, slices)) // MOST_OUTCOMES)
    log = of_the_log(model)
    told = (reading_of(model, window, part.remembering(log), like, as_of, profiles={}, targets=False) for part in slices)
    told = (thinned(reading, step, seed=place) for place, reading in enumerate(told))
    joint = joined([pick.told(as_of) for pick in picks], MOST_JOINT) if picks else None
    whole = reduce(added, told)
    decided = whole.chosen if known else decided_in(slices, model)
    targets = targets_of(model, whole.outcomes, decided, tables=slices, like=known, as_of=as_of)
    return replace(whole, columns=made, joint=joint, targets=targets)


def in_order(slices: Slices, time: str) -> bool:
    """Return whether all rows stand in the order of time; only then can a reference tell how quickly its columns change."""
    newest = -np.inf
    for at in (moments(part.column(time), time) for part in slices if len(part)):
        if at[0] < newest or (at[1:] < at[:-1]).any():
            return False
        newest = at[-1]
    return True


def sliced(slices: Slices, name: str, declared: str, like: ColumnProfile | None, *, timed: bool = True) -> ColumnProfile:
    """Return the profile of one column over all slices; as if its rows were one column, up to the rounding of sums."""
    kind = slices[0].schema.field(name).type
    if like is None and sum(map(len, slices)) <= WHOLE:
        chunks = [chunk for part in slices for chunk in part.column(name).chunks]
        return profiled(pa.chunked_array(chunks, type=kind), declared, None, timed=timed)
    if declared == "numeric" and kind_of(kind, declared) == "numeric":
        cut = like if isinstance(like, NumericProfile) else drawn(slices, name)
        parts = (profiled(part.column(name), declared, cut) for part in slices)
        whole = reduce(lambda one, other: one.merged(other), parts)  # type: ignore[arg-type]
        if like is not None or not timed:
            return whole
        changed, followed = changes(numbers(slices[0].column(name)))
        return replace(whole, changes=changed, followed=followed)
    known = like if isinstance(like, CategoryProfile) else None
    made = levels_of(slices, name, known)
    if like is not None or not timed:
        return made
    first = slices[0].column(name)
    changed, followed = level_changes((first if pa.types.is_dictionary(first.type) else texts(first)).drop_null())
    return replace(made, changes=changed, followed=followed)


def drawn(slices: Slices, name: str) -> NumericProfile:
    """Return an empty profile with the cut points for a column that nobody has cut yet: those of an even draw of its rows."""
    step = -(-sum(map(len, slices)) // WHOLE)
    kept, ends = [], []
    for place, part in enumerate(slices):
        values = numbers(part.column(name).drop_null())
        values = values[np.isfinite(values)]
        ends += [values.min(), values.max()] if len(values) else []
        kept.append(evenly(values, step, seed=place))
    return empty_like(profile_numbers(np.concatenate([*kept, np.array(ends)])))


def evenly(values: npt.NDArray[Any], step: int, *, seed: int) -> npt.NDArray[Any]:
    """Return one row of every `step`, each at a random place of its stretch, so that no rhythm in the rows can hide."""
    starts = np.arange(0, len(values), step)
    places = starts + np.random.default_rng(seed).integers(0, step, len(starts))
    drawn_rows: npt.NDArray[Any] = values[places[places < len(values)]]
    return drawn_rows


def empty_like(cut: NumericProfile) -> NumericProfile:
    """Return the profile of no rows at the same cut points."""
    return profile_numbers(np.empty(0), like=cut)


def levels_of(slices: Slices, name: str, like: CategoryProfile | None) -> CategoryProfile:
    """Return the profile of a column of categories; levels are counted in all slices before any is dropped."""
    tally = Tally(like)
    for part in slices:
        tally.add(part.column(name))
    return tally.profile(MOST_LEVELS)


def added(one: Reading, other: Reading) -> Reading:
    """Return what both slices of one window tell together; `columns` are profiled over all slices and left alone here.

    A request that came again in another slice is not seen: `duplicates` is then too small, never too large.
    """
    newest = [moment for moment in (one.newest, other.newest) if moment is not None]
    versions = {name: one.versions.get(name, 0) + other.versions.get(name, 0) for name in {**one.versions, **other.versions}}
    return replace(
        one,
        rows=one.rows + other.rows,
        outcomes=_outcomes(one.outcomes, other.outcomes),
        operations=_operations(one.operations, other.operations),
        newest=max(newest, default=None),
        versions=versions,
        scored=np.concatenate([one.scored, other.scored]),
        chosen=np.concatenate([one.chosen, other.chosen]),
        duplicates=None if one.duplicates is None or other.duplicates is None else one.duplicates + other.duplicates,
    )


def thinned(reading: Reading, step: int, *, seed: int) -> Reading:
    """Return the slice with one labelled row (or group) and one waiting time of every `step`; what is only counted stays exact."""
    if step == 1:
        return reading
    outcomes, operations = reading.outcomes, reading.operations
    return replace(
        reading,
        outcomes=outcomes and _drawn_rows(outcomes, step, seed),
        operations=operations and _drawn_rows(operations, step, seed),
        scored=evenly(reading.scored, step, seed=seed),
        chosen=evenly(reading.chosen, step, seed=seed),
    )


def _outcomes(one: Outcomes | None, other: Outcomes | None) -> Outcomes | None:
    if one is None or other is None:
        return None
    oldest = [moment for moment in (one.oldest_awaited, other.oldest_awaited) if moment is not None]
    return replace(_rows_of_both(one, other), awaited=one.awaited + other.awaited, oldest_awaited=min(oldest, default=None))


def _operations(one: Operations | None, other: Operations | None) -> Operations | None:
    if one is None or other is None:
        return None
    return replace(_rows_of_both(one, other), requests=one.requests + other.requests, errors=one.errors + other.errors)


def _rows_of_both(one: Told, other: Told) -> Told:
    """Return every array of the two, one behind the other."""
    both: dict[str, Any] = {name: np.concatenate([values, getattr(other, name)]) for name, values in _arrays(one).items()}
    return replace(one, **both)


def _drawn_rows(told: Told, step: int, seed: int) -> Told:
    """Return one row of every `step`, the same ones of every array."""
    if isinstance(told, Outcomes) and len(told.groups):
        return told.at_rows(told.groups % step == 0)  # its number says it: a group that lies in two slices is kept in both or none
    fewer: dict[str, Any] = {name: evenly(values, step, seed=seed) for name, values in _arrays(told).items()}
    return replace(told, **fewer)


def _arrays(told: Outcomes | Operations) -> dict[str, Any]:
    return {f.name: getattr(told, f.name) for f in fields(told) if isinstance(getattr(told, f.name), np.ndarray)}
