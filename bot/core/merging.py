"""Readings of several stretches, put together as if they had been one."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np

from bot.core.profiles import CategoryProfile, ColumnProfile, NumericProfile
from bot.core.readings import Operations, Outcomes, Reading
from bot.core.windows import Window


def merged(readings: Sequence[Reading], end: datetime) -> Reading:
    """Return the stretches one after the other, as one window that stops at `end`; one of them may come several times.

    Each keeps its length; its outcomes are moved in time to their new place, so that a day drawn twice is two days. Columns must be
    counted at the same cut points; one that is lost or of another kind somewhere is left out.
    """
    length = sum((r.window.length for r in readings[1:]), readings[0].window.length)
    window, newest = Window.ending(end, length), None
    outcomes: list[Outcomes] = []
    edge = window.start
    for reading in readings:
        shift = edge - reading.window.start
        newest = reading.newest + shift if reading.newest else newest
        if reading.outcomes is not None:
            outcomes.append(replace(reading.outcomes, at=reading.outcomes.at + round(shift.total_seconds())))
        edge += reading.window.length
    return Reading(
        window,
        sum(r.rows for r in readings),
        columns=_columns(readings),
        kinds=readings[0].kinds,
        outcomes=_outcomes(outcomes),
        operations=_operations([r.operations for r in readings if r.operations is not None]),
        newest=newest,
    )


def _columns(readings: Sequence[Reading]) -> dict[str, ColumnProfile]:
    found: dict[str, ColumnProfile] = {}
    for name in readings[0].columns:
        parts = [r.columns.get(name) for r in readings]
        whole = _column(parts)
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
    )


def _operations(parts: Sequence[Operations]) -> Operations | None:
    if not parts:
        return None
    waits = np.concatenate([p.latencies_ms for p in parts])
    return Operations(sum(p.requests for p in parts), sum(p.errors for p in parts), waits)
