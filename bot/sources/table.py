"""A window's rows as an Arrow table become a reading or a sample; here everything that comes from data is still hostile."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from bot.core.errors import SourceUnavailable
from bot.core.models import LogColumns, Model
from bot.core.profiles import CategoryProfile, ColumnProfile, Counts, Floats, NumericProfile
from bot.core.readings import Operations, Outcomes, Sample
from bot.core.windows import Window
from bot.sources.order import level_changes
from bot.stats.profiles import MOST_LEVELS, cuts_for, profile_levels, profile_numbers

MILLIS_FROM, MICROS_FROM = 1e11, 1e14
"""An epoch number above these is in milliseconds, in microseconds; seconds reach the first in the year 5138."""

FAR = 2.0**62
"""Beyond any window: where numbers that no clock shows are kept."""


def kind_of(kind: pa.DataType, declared: str = "") -> str:
    """Return "numeric" or "categorical"; a column without any value is what it was declared to be."""
    if pa.types.is_null(kind):
        return declared or "categorical"
    number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind) or pa.types.is_boolean(kind)
    return "numeric" if number else "categorical"


def numbers(column: pa.ChunkedArray) -> Floats:
    """Return a numeric column as float64 of shape (n,), missing as NaN; an array of its own, to be sorted in place."""
    found = pc.cast(column, pa.float64(), safe=False).to_numpy()
    return np.array(found, dtype=np.float64, copy=not (found.flags.owndata and found.flags.writeable))


def scores(column: pa.ChunkedArray) -> Floats:
    """Return scores as float64 of shape (n,), each from 0 to 1; where there is anything else nobody has scored: NaN."""
    if kind_of(column.type, "numeric") != "numeric":
        return np.full(len(column), np.nan)
    found = numbers(column)
    found[~((found >= 0) & (found <= 1))] = np.nan
    return found


def texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return any column as text: what Arrow cannot write (lists, bytes that are no UTF-8) as Python does."""
    try:
        return pc.cast(column, pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return pa.chunked_array([[None if value is None else str(value) for value in plain(column)]], pa.string())


def plain(column: pa.ChunkedArray) -> list[Any]:
    """Return a column as Python's own values; a moment beyond Python's calendar as the number that it is."""
    try:
        return list(column.to_pylist())
    except (OverflowError, ValueError):
        return [scalar.value if scalar.is_valid else None for scalar in column]


def profiled(
    column: pa.ChunkedArray, declared: str, like: ColumnProfile | None, most: int | None = None, *, timed: bool = True
) -> ColumnProfile:
    """Return the profile of one column: as numbers when it holds numbers and was declared so, else as levels.

    `most` is how many cut points or levels are kept; by default as many as a stored reference needs. `timed` says whether the rows
    are in the order of time, so that a reference can tell how quickly the column changes.
    """
    if declared == "numeric" and kind_of(column.type, declared) == "numeric":
        counted_like = like if isinstance(like, NumericProfile) else None
        cuts = most or cuts_for(len(column))
        made = profile_numbers(numbers(column.drop_null()), nulls=column.null_count, like=counted_like, cuts=cuts)
        return made if timed else replace(made, changes=0, followed=0)
    given = (column if pa.types.is_dictionary(column.type) else texts(column)).drop_null()
    found = pc.value_counts(given)
    levels = texts(pa.chunked_array([found.field("values")])).to_pylist()
    counts = np.asarray(found.field("counts").to_numpy(), dtype=np.int64)
    counted_like_levels = like if isinstance(like, CategoryProfile) else None
    changed = level_changes(given) if timed and like is None else (0, 0)
    return profile_levels(
        levels, counts, nulls=column.null_count, like=counted_like_levels, most=most or MOST_LEVELS, changed=changed
    )


def moments(column: pa.ChunkedArray, name: str) -> Counts:
    """Return times as epoch seconds, shape (n,): from timestamps (naive ones are UTC), ISO texts or epoch numbers.

    Raises:
        SourceUnavailable: they are no times.
    """
    wrong = f"The column '{name}' does not hold times; write ISO 8601 or epoch seconds."
    if pa.types.is_boolean(column.type):
        raise SourceUnavailable(wrong)
    if kind_of(column.type) == "numeric":
        epoch = numbers(column)
        if not np.isfinite(epoch).all():
            raise SourceUnavailable(wrong)
        largest = np.abs(epoch).max(initial=0.0)
        scale = 1e6 if largest > MICROS_FROM else 1e3 if largest > MILLIS_FROM else 1.0
        return np.asarray(np.clip(np.floor(epoch / scale), -FAR, FAR), dtype=np.int64)
    if pa.types.is_timestamp(column.type):
        return np.asarray(column.cast(pa.timestamp("us"), safe=False).cast(pa.int64()), dtype=np.int64) // 1_000_000
    try:
        times = pd.to_datetime(pd.Series(column.to_pylist(), dtype=object), utc=True, format="ISO8601")
    except (ValueError, TypeError, OverflowError):
        raise SourceUnavailable(wrong) from None
    return np.asarray(times.dt.as_unit("s").astype("int64"), dtype=np.int64)


def ends_of(column: pa.ChunkedArray, name: str) -> tuple[datetime, datetime]:
    """Return the oldest and the newest time of a column, UTC.

    Raises:
        SourceUnavailable: it holds none, or something else than times.
    """
    at = moments(column.drop_null(), name)
    if not len(at):
        raise SourceUnavailable(f"The log has no row with a time in '{name}': there is nothing to replay.")
    try:
        return datetime.fromtimestamp(int(at.min()), UTC), datetime.fromtimestamp(int(at.max()), UTC)
    except (ValueError, OverflowError, OSError):
        raise SourceUnavailable(
            f"The column '{name}' holds times that no calendar shows; correct them, or name --start and --end."
        ) from None


def within(table: pa.Table, window: Window, time: str) -> pa.Table:
    """Return the rows of `[start, end)`; a row without a time is in no window."""
    timed = table.filter(pc.is_valid(table.column(time))) if table.column(time).null_count else table
    at = moments(timed.column(time), time)
    inside = (at >= window.start.timestamp()) & (at < window.end.timestamp())
    return timed if inside.all() else timed.filter(pa.array(inside))


def wanted(model: Model) -> tuple[str, ...]:
    """Return the columns that a reading needs, by the log's own names; those that it does not have are empty text."""
    named = model.columns
    log = (named.time, named.request, named.version, named.score, named.label, named.label_time, named.latency_ms, named.error)
    return tuple(name for name in dict.fromkeys((*(feature.name for feature in model.features), *log)) if name)


def required(there: Sequence[str], columns: LogColumns, where: str) -> None:
    """Raise SourceUnavailable unless the columns are there, once each, without which nothing can be said."""
    for name in (columns.time, columns.score):
        if there.count(name) != 1:
            told = f"has the column '{name}' {there.count(name)} times" if name in there else f"has no column '{name}'"
            raise SourceUnavailable(
                f"{where} {told}; it has {', '.join(there[:20])}. Name the right one under the model's columns."
            )


def outcomes_of(table: pa.Table, columns: LogColumns, at: Counts, as_of: datetime | None) -> Outcomes | None:
    """Return the rows whose label had arrived before `as_of`; None where the log has no label column."""
    if columns.label not in table.column_names:
        return None
    came = arrived(table, columns, as_of)
    known = came & scored(table, columns)
    rows = table if known.all() else table.filter(pa.array(known))
    awaited = at[~came]
    return Outcomes(
        scores=scores(rows.column(columns.score)),
        labels=numbers(rows.column(columns.label)) > 0.5,
        versions=_texts(rows, columns.version),
        at=at[known],
        awaited=len(awaited),
        oldest_awaited=datetime.fromtimestamp(int(awaited.min()), UTC) if len(awaited) else None,
    )


def scored(table: pa.Table, columns: LogColumns) -> npt.NDArray[np.bool_]:
    """Return which rows have a score, shape (n,)."""
    return np.asarray(~np.isnan(scores(table.column(columns.score))), dtype=bool)


def arrived(table: pa.Table, columns: LogColumns, as_of: datetime | None) -> npt.NDArray[np.bool_]:
    """Return which rows have a label that had arrived by then, shape (n,).

    Raises:
        SourceUnavailable: the labels are neither flags nor numbers.
    """
    if columns.label not in table.column_names:
        return np.zeros(len(table), dtype=bool)
    label = table.column(columns.label)
    if kind_of(label.type, "numeric") != "numeric":
        raise SourceUnavailable(f"The label column '{columns.label}' must hold true and false or 1 and 0.")
    known = np.asarray(np.isfinite(numbers(label)), dtype=bool)
    if as_of is None or columns.label_time not in table.column_names:
        return known
    times = table.column(columns.label_time)
    timed = np.asarray(pc.is_valid(times).to_numpy(), dtype=bool)
    came = np.zeros(len(table), np.int64)
    came[timed] = moments(times.drop_null(), columns.label_time)
    return np.asarray(known & timed & (came < as_of.timestamp()), dtype=bool)


def operations_of(table: pa.Table, columns: LogColumns) -> Operations | None:
    """Return how serving felt; None where the log says nothing of it."""
    names = table.column_names
    if columns.latency_ms not in names and columns.error not in names:
        return None
    waits = np.empty(0)
    if columns.latency_ms in names and kind_of(table.column(columns.latency_ms).type, "numeric") == "numeric":
        waits = numbers(table.column(columns.latency_ms).drop_null())
    failed = _failures(table.column(columns.error)) if columns.error in names else 0
    return Operations(len(table), failed, waits[np.isfinite(waits) & (waits >= 0)])  # nobody waits for less than nothing


def _failures(column: pa.ChunkedArray) -> int:
    """Count failed requests: a text that says something, or a flag that is set."""
    given = column.drop_null()
    if kind_of(column.type) == "numeric":
        return int((numbers(given) != 0).sum())
    return len(given) - int(pc.sum(pc.equal(texts(given), "")).as_py() or 0)


def sample_of(model: Model, table: pa.Table, limit: int, version: str | None) -> Sample:
    """Return at most `limit` labelled rows, evenly spread, the same ones at every call."""
    columns = model.columns
    rows = table.filter(pa.array(arrived(table, columns, None) & scored(table, columns)))
    if version is not None and columns.version in rows.column_names:
        rows = rows.filter(pc.equal(texts(rows.column(columns.version)), version))
    if not len(rows):
        return Sample({}, np.empty(0), np.empty(0, bool), np.empty(0, np.str_), np.empty(0, np.int64))
    keys = (_texts(rows, columns.request), moments(rows.column(columns.time), columns.time))
    rows = rows.take(pa.array(np.lexsort(keys)))  # requests of one second come in any order from a database
    rows = rows.take(pa.array(np.unique(np.linspace(0, len(rows) - 1, min(limit, len(rows))).astype(np.int64))))
    return Sample(
        features={f.name: tuple(plain(rows.column(f.name))) for f in model.features if f.name in rows.column_names},
        scores=scores(rows.column(columns.score)),
        labels=numbers(rows.column(columns.label)) > 0.5,
        versions=_texts(rows, columns.version),
        at=moments(rows.column(columns.time), columns.time),
    )


def _texts(table: pa.Table, name: str) -> npt.NDArray[np.str_]:
    if name not in table.column_names:
        return np.full(len(table), "", dtype=np.str_)
    return np.asarray([value or "" for value in texts(table.column(name)).to_pylist()], dtype=np.str_)


def versions_of(table: pa.Table, columns: LogColumns) -> dict[str, int]:
    """Return how many rows each version has scored."""
    if columns.version not in table.column_names:
        return {}
    found = pc.value_counts(texts(table.column(columns.version)))
    pairs = zip(found.field("values").to_pylist(), found.field("counts").to_pylist(), strict=True)
    return {version: count for version, count in sorted(pairs, key=lambda pair: pair[0] or "") if version}
