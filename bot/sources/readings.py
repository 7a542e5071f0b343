"""A window's reading, put together: every column's profile, and some of the rows whole, while each column is in hand once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bot.core.models import Model
from bot.core.profiles import ColumnProfile, Profiles
from bot.core.readings import Reading
from bot.core.windows import Window
from bot.sources.columns import MANY, side_by_side
from bot.sources.joint import Picking
from bot.sources.order import in_time, repeated
from bot.sources.outcomes import Said, chosen, outcomes_of, said_of, thinned
from bot.sources.segments import coarse, slices_of
from bot.sources.table import operations_of, profiled, versions_of
from bot.sources.targets import targets_of
from bot.sources.values import kind_of, moments


def declared_of(model: Model, there: Sequence[str]) -> dict[str, str]:
    """Return which of the columns that are there are profiled, and as what they were declared."""
    declared = {feature.name: feature.kind for feature in model.features} | {model.columns.score: "numeric"}
    return {name: kind for name, kind in declared.items() if name in there}


def reading_of(
    model: Model,
    window: Window,
    table: pa.Table,
    like: Profiles | None,
    as_of: datetime | None,
    *,
    profiles: Profiles | None = None,
    targets: bool = True,
    whole_rows: bool = True,
) -> Reading:
    """Return the reading of a table that holds just this window's rows; where `profiles` are given, no column is profiled."""
    columns, like = model.columns, like or {}
    there = declared_of(model, table.column_names)
    at = moments(table.column(columns.time), columns.time)
    said, picks = said_of(table, columns, model.task), chosen(table, columns, model.task)
    told = outcomes_of(table, columns, said, at, as_of=as_of, task=model.task)
    order, timed = (None, True) if like or profiles is not None else in_time(at)
    ids = table.column(columns.request) if columns.request in table.column_names else None
    picking = Picking(model, table, at, ids) if whole_rows and profiles is None else None
    passing = table if picking is None else picking.passing

    def profile(name: str) -> ColumnProfile:
        column = passing.column(name)
        return profiled(column if order is None else column.take(order), there[name], like.get(name), timed=timed)

    made = side_by_side(profile, there, parallel=len(table) >= MANY) if profiles is None else profiles
    return Reading(
        window=window,
        rows=len(table),
        columns=made,
        kinds={name: kind_of(table.schema.field(name).type, kind) for name, kind in there.items()},
        outcomes=told if like else thinned(told),
        operations=operations_of(table, columns),
        newest=datetime.fromtimestamp(int(at.max()), UTC) if len(at) else None,
        versions=versions_of(table, columns),
        duplicates=repeated(table, columns.request),
        joint=picking.told(as_of) if picking else None,
        slices=_slices(model, window, table, like or made, as_of) if profiles is None else {},
        task=model.task,
        scored=_given(said.scores, said) if like else np.empty(0),
        chosen=_given(picks, said) if like and len(picks) else np.empty(0, dtype=bool),
        top=model.top,
        targets=targets_of(model, told, picks, tables=(table,), like=like, as_of=as_of) if targets else {},
    )


def _given(values: npt.NDArray[Any], said: Said) -> npt.NDArray[Any]:
    """Return the values of the rows that have a score; the very same array where all have."""
    return values if said.given.all() else values[said.given]


def _slices(model: Model, window: Window, table: pa.Table, like: Profiles, as_of: datetime | None) -> dict[str, Reading]:
    """Return the reading of each slice, counted at the reference's cut points, as the whole is."""
    if not model.segments:
        return {}
    whole, cut = replace(model, segments=()), coarse(like)
    only = {"scored": np.empty(0), "chosen": np.empty(0, dtype=bool)}  # of a slice only labels tell
    return {
        name: replace(reading_of(whole, window, rows, cut, as_of, targets=False, whole_rows=False), **only)  # type: ignore[arg-type]
        for name, rows in slices_of(table, model.segments)
    }
