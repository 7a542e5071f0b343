"""Readings of several stretches, put together as if they had been one."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from bot.core.joint import JointRows, joined
from bot.core.profiles import CategoryProfile, ColumnProfile, NumericProfile, Profiles
from bot.core.readings import Operations, Outcomes, Reading
from bot.core.windows import Window

MOST_OUTCOMES, MOST_JOINT = 200_000, 5_000
"""Labelled rows, and whole ones, that a reference is asked to keep of its stretches."""


def merged(readings: Sequence[Reading], end: datetime) -> Reading:
    """Return the stretches one after the other, as one window that stops at `end`; one of them may come several times.

    Each keeps its length; its outcomes are moved in time to their new place, so that a day drawn twice is two days and a group
    two groups. Columns must be counted at the same cut points; one that is lost or of another kind somewhere is left out.
    """
    length = sum((r.window.length for r in readings[1:]), readings[0].window.length)
    window, newest = Window.ending(end, length), None
    outcomes: list[Outcomes] = []
    edge = window.start
    for reading in readings:
        shift = edge - reading.window.start
        newest = reading.newest + shift if reading.newest else newest
        if reading.outcomes is not None:
            outcomes.append(_moved(reading.outcomes, round(shift.total_seconds())))
        edge += reading.window.length
    return Reading(
        window,
        sum(r.rows for r in readings),
        columns=_columns([r.columns for r in readings]),
        targets=_columns([r.targets for r in readings]),
        kinds=readings[0].kinds,
        outcomes=_outcomes(outcomes),
        operations=_operations([r.operations for r in readings if r.operations is not None]),
        newest=newest,
        task=readings[0].task,
        top=readings[0].top,
    )


def _moved(outcomes: Outcomes, by_s: int) -> Outcomes:
    """Return the outcomes so many seconds later; groups of one stretch stay together, those of its copies elsewhere are others."""
    return replace(outcomes, at=outcomes.at + by_s, groups=outcomes.groups + by_s)


def gathered(whole: Reading, parts: Sequence[Reading]) -> Reading:
    """Return some stretches of a reference, each read at its cut points and oldest first, as a reference of their own.

    Of no stretch it has no rows. It is as long as they are together and ends where the whole does; its rows keep their times.
    A column that a stretch lacks, or has as another kind, gets nothing from it.
    """
    length = sum((part.window.length for part in parts), timedelta(0)) or whole.window.length
    window = Window.ending(whole.window.end, length)
    known = [part.outcomes for part in parts if part.outcomes is not None]
    outcomes = _outcomes(known)
    repeated = [part.duplicates for part in parts if part.duplicates is not None]
    return Reading(
        window,
        sum(part.rows for part in parts),
        columns=_each_within(whole.columns, [part.columns for part in parts]),
        targets=_each_within(whole.targets, [part.targets for part in parts]),
        kinds=whole.kinds,
        outcomes=outcomes.thinned(MOST_OUTCOMES) if outcomes else None,
        operations=_operations([part.operations for part in parts if part.operations is not None]),
        newest=max((part.newest for part in parts if part.newest), default=None),
        versions=dict(sum((Counter(part.versions) for part in parts), Counter())),
        duplicates=sum(repeated) if len(repeated) == len(parts) > 0 else None,
        joint=_jointly([part.joint for part in parts if part.joint is not None and len(part.joint)]),
        slices={
            name: replace(gathered(rows, [part.slices[name] for part in parts if name in part.slices]), window=window)
            for name, rows in whole.slices.items()
        },
        task=whole.task,
        top=whole.top,
    )


def _each_within(whole: Profiles, parts: Sequence[Profiles]) -> Profiles:
    return {name: _within(column, [part.get(name) for part in parts]) for name, column in whole.items()}


def _within(whole: ColumnProfile, parts: Sequence[ColumnProfile | None]) -> ColumnProfile:
    """Return what the parts have of a column, counted as the whole is."""
    found: ColumnProfile = whole.emptied()
    for part in parts:
        found = _both(found, part) or found
    return found


def _jointly(parts: Sequence[JointRows]) -> JointRows | None:
    """Return the whole rows of those parts that have the same columns as the first."""
    alike = [part for part in parts if (part.names, set(part.levels)) == (parts[0].names, set(parts[0].levels))]
    return joined(alike, MOST_JOINT) if alike else None


def _columns(readings: Sequence[Profiles]) -> Profiles:
    found: dict[str, ColumnProfile] = {}
    for name in readings[0]:
        whole = _column([columns.get(name) for columns in readings])
        if whole is not None:
            found[name] = whole
    return found


def _column(parts: Sequence[ColumnProfile | None]) -> ColumnProfile | None:
    whole = parts[0]
    for part in parts[1:]:
        whole = _both(whole, part)
    return whole


def _both(one: ColumnProfile | None, other: ColumnProfile | None) -> ColumnProfile | None:
    """Return both together; None when they are not of one kind."""
    if isinstance(one, NumericProfile):
        return one.merged(other) if isinstance(other, NumericProfile) else None
    return one.merged(other) if isinstance(one, CategoryProfile) and isinstance(other, CategoryProfile) else None


def _outcomes(parts: Sequence[Outcomes]) -> Outcomes | None:
    if not parts:
        return None
    return Outcomes(
        np.concatenate([p.scores for p in parts]),
        np.concatenate([p.labels for p in parts]),
        np.concatenate([p.versions for p in parts]),
        np.concatenate([p.at for p in parts]),
        sum(p.awaited for p in parts),
        chosen=_whole([p.chosen for p in parts], parts),
        values=_whole([p.values for p in parts], parts),
        groups=_whole([p.groups for p in parts], parts),
    )


def _whole(arrays: Sequence[npt.NDArray[Any]], parts: Sequence[Outcomes]) -> npt.NDArray[Any]:
    """Return the arrays as one, or empty where one of them does not tell of all its rows."""
    told = all(len(array) == len(part) for array, part in zip(arrays, parts, strict=True))
    return np.concatenate(arrays) if told else arrays[0][:0]


def _operations(parts: Sequence[Operations]) -> Operations | None:
    if not parts:
        return None
    waits = np.concatenate([p.latencies_ms for p in parts])
    return Operations(sum(p.requests for p in parts), sum(p.errors for p in parts), waits)
