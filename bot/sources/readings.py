"""A window's reading, put together: every column's profile, and some of the rows whole, while each column is in hand once."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bot.core.joint import JointRows
from bot.core.models import Model
from bot.core.profiles import ColumnProfile, Counts, Floats
from bot.core.readings import Reading
from bot.core.windows import Window
from bot.sources.columns import MANY, side_by_side
from bot.sources.order import in_time, repeated
from bot.sources.outcomes import UNBOUNDED, arrived, chosen, labels_of, outcomes_of, said, scored, thinned
from bot.sources.segments import coarse, slices_of
from bot.sources.spread import evenly, picked
from bot.sources.table import operations_of, profiled, versions_of, wanted
from bot.sources.targets import targets_of
from bot.sources.values import kind_of, moments, numbers, scores, texts

MOST_JOINT = 5_000
"""Whole rows of a window that are kept: enough to tell two windows apart to within a hundredth of AUC."""


def declared_of(model: Model, there: Sequence[str]) -> dict[str, str]:
    """Return which of the columns that are there are profiled, and as what they were declared."""
    declared = {feature.name: feature.kind for feature in model.features} | {model.columns.score: "numeric"}
    return {name: kind for name, kind in declared.items() if name in there}


def reading_of(
    model: Model,
    window: Window,
    table: pa.Table,
    like: Mapping[str, ColumnProfile] | None,
    as_of: datetime | None,
    *,
    profiles: Mapping[str, ColumnProfile] | None = None,
    targets: bool = True,
) -> Reading:
    """Return the reading of a table that holds just this window's rows; where `profiles` are given, no column is profiled."""
    columns, like = model.columns, like or {}
    there = declared_of(model, table.column_names)
    at = moments(table.column(columns.time), columns.time)
    told = outcomes_of(table, columns, at, as_of, model.task)
    given, picks = scored(table, columns, model.task), chosen(table, columns, model.task)
    order, timed = (None, True) if like or profiles is not None else in_time(at)
    place = evenly(at, table.column(columns.request) if columns.request in table.column_names else None, MOST_JOINT)
    kept: dict[str, pa.ChunkedArray] = {}

    def profile(name: str) -> ColumnProfile:
        column = table.column(name)
        kept[name] = picked(column, place)  # while it is in hand: of a large log it is read again for every look
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
        joint=None
        if profiles is not None
        else told_jointly(model, with_log(model, table, place, kept), at[place], len(table), as_of),
        slices=_slices(model, window, table, like or made, as_of) if profiles is None else {},
        task=model.task,
        scored=said(table, columns, model.task)[given] if like else np.empty(0),
        chosen=picks[given] if like and len(picks) else np.empty(0, dtype=bool),
        top=model.top,
        targets=targets_of(model, told, picks, tables=(table,), like=like, as_of=as_of) if targets else {},
    )


def _slices(
    model: Model, window: Window, table: pa.Table, like: Mapping[str, ColumnProfile], as_of: datetime | None
) -> dict[str, Reading]:
    """Return the reading of each slice, counted at the reference's cut points, as the whole is."""
    whole, cut = replace(model, segments=()), coarse(like)
    only = {"joint": None, "scored": np.empty(0), "chosen": np.empty(0, dtype=bool)}  # of a slice only labels tell
    return {
        name: replace(reading_of(whole, window, rows, cut, as_of, targets=False), **only)  # type: ignore[arg-type]
        for name, rows in slices_of(table, model.segments)
    }


def with_log(model: Model, table: pa.Table, place: Counts, kept: Mapping[str, pa.ChunkedArray]) -> pa.Table:
    """Return the rows at these places: of the features what was kept as they passed by, of the log's own columns what they say."""
    log = (name for name in wanted(replace(model, features=())) if name in table.column_names and name not in kept)
    return pa.table({**kept, **{name: picked(table.column(name), place) for name in log}})


def told_jointly(model: Model, kept: pa.Table, at: Counts, of: int, as_of: datetime | None) -> JointRows:
    """Return the rows of a small table as numbers; `at` are their times, shape (n,), `of` is how many rows they stand for."""
    log = model.columns
    kinds = {f.name: f.kind for f in model.features if f.name in kept.column_names}
    levels: dict[str, tuple[str, ...]] = {}
    values = np.full((len(kept), len(kinds)), np.nan)
    for i, (name, kind) in enumerate(kinds.items()):
        if kind == "numeric" and kind_of(kept.column(name).type, kind) == "numeric":
            values[:, i] = numbers(kept.column(name))
        else:
            values[:, i], levels[name] = places(kept.column(name))
    values[~np.isfinite(values)] = np.nan
    labels, judged = np.full(len(kept), np.nan), model.task not in UNBOUNDED  # whole rows are judged by shares, never by distances
    known = arrived(kept, log, as_of, model.task)
    if judged and known.any():
        labels[known] = labels_of(kept, log, model.task)[known]
    said_of = scores(kept.column(log.score)) if judged else labels.copy()
    return JointRows(tuple(kinds), values, levels, said_of, labels, at, of)


def places(column: pa.ChunkedArray) -> tuple[Floats, tuple[str, ...]]:
    """Return a column as places in its levels, shape (n,), missing NaN; and the levels, sorted."""
    found = pc.dictionary_encode(texts(column).combine_chunks())
    order = np.asarray(pc.sort_indices(found.dictionary), dtype=np.int64)  # as Python sorts: UTF-8 keeps the order of code points
    place = np.empty(len(order) + 1)
    place[order], place[-1] = np.arange(len(order)), np.nan
    return place[np.asarray(pc.fill_null(found.indices, -1), dtype=np.int64)], tuple(found.dictionary.take(order).to_pylist())
