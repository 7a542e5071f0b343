"""A window's rows as an Arrow table become a reading or a sample; here everything that comes from data is still hostile."""

from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from bot.core.errors import SourceUnavailable
from bot.core.models import LogColumns, Model
from bot.core.profiles import CategoryProfile, ColumnProfile, Counts, Floats, NumericProfile
from bot.core.readings import Operations, Outcomes, Reading, Sample
from bot.core.windows import Window
from bot.stats.profiles import CUTS, MOST_LEVELS, profile_levels, profile_numbers

MILLIS_FROM, MICROS_FROM = 1e11, 1e14
"""An epoch number above these is in milliseconds, in microseconds; seconds reach the first in the year 5138."""


def kind_of(kind: pa.DataType, declared: str = "") -> str:
    """Return "numeric" or "categorical"; a column without any value is what it was declared to be."""
    if pa.types.is_null(kind):
        return declared or "categorical"
    number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind) or pa.types.is_boolean(kind)
    return "numeric" if number else "categorical"


def numbers(column: pa.ChunkedArray) -> Floats:
    """Return a numeric column as float64 of shape (n,), missing as NaN; an array of its own, to be sorted in place."""
    return np.array(pc.cast(column, pa.float64(), safe=False).to_numpy(), dtype=np.float64)


def texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return any column as text: what Arrow cannot write (lists, bytes that are no UTF-8) as Python does."""
    try:
        return pc.cast(column, pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return pa.chunked_array([[None if value is None else str(value) for value in column.to_pylist()]], pa.string())


def profiled(column: pa.ChunkedArray, declared: str, like: ColumnProfile | None, most: int | None = None) -> ColumnProfile:
    """Return the profile of one column: as numbers when it holds numbers and was declared so, else as levels.

    `most` is how many cut points or levels are kept; by default as many as a stored reference needs.
    """
    if declared == "numeric" and kind_of(column.type, declared) == "numeric":
        counted_like = like if isinstance(like, NumericProfile) else None
        return profile_numbers(numbers(column.drop_null()), nulls=column.null_count, like=counted_like, cuts=most or CUTS)
    found = pc.value_counts(texts(column).drop_null())
    levels, counts = found.field("values").to_pylist(), np.asarray(found.field("counts").to_numpy(), dtype=np.int64)
    counted_like_levels = like if isinstance(like, CategoryProfile) else None
    return profile_levels(levels, counts, nulls=column.null_count, like=counted_like_levels, most=most or MOST_LEVELS)


def moments(column: pa.ChunkedArray, name: str) -> Counts:
    """Return times as epoch seconds, shape (n,): from timestamps (naive ones are UTC), ISO texts or epoch numbers.

    Raises:
        SourceUnavailable: they are no times.
    """
    if column.null_count:
        raise SourceUnavailable(f"The time column '{name}' has {column.null_count:,} rows without a time; no window can hold them.")
    if kind_of(column.type) == "numeric" and len(column):
        epoch = numbers(column)
        scale = 1e6 if np.abs(epoch).max() > MICROS_FROM else 1e3 if np.abs(epoch).max() > MILLIS_FROM else 1.0
        return np.asarray(np.floor(epoch / scale), dtype=np.int64)
    try:
        times = pd.to_datetime(column.to_pandas(), utc=True, format=None if pa.types.is_timestamp(column.type) else "ISO8601")
    except (ValueError, TypeError, OverflowError):
        raise SourceUnavailable(f"The column '{name}' does not hold times; write ISO 8601 or epoch seconds.") from None
    return np.asarray(times.dt.as_unit("s").astype("int64"), dtype=np.int64)


def within(table: pa.Table, window: Window, time: str) -> pa.Table:
    """Return the rows of `[start, end)`."""
    at = moments(table.column(time), time)
    return table.filter(pa.array((at >= window.start.timestamp()) & (at < window.end.timestamp())))


def required(table: pa.Table, columns: LogColumns, where: str) -> None:
    """Raise SourceUnavailable unless the columns are there without which nothing can be said."""
    lost = [name for name in (columns.time, columns.score) if name not in table.column_names]
    if lost:
        there = ", ".join(table.column_names[:20])
        raise SourceUnavailable(f"{where} has no column '{lost[0]}'; it has {there}. Name the right one under the model's columns.")


def reading_of(
    model: Model, window: Window, table: pa.Table, like: Mapping[str, ColumnProfile] | None, as_of: datetime | None
) -> Reading:
    """Return the reading of a table that holds just this window's rows."""
    columns, like = model.columns, like or {}
    declared = {feature.name: feature.kind for feature in model.features} | {columns.score: "numeric"}
    there = {name: kind for name, kind in declared.items() if name in table.column_names}
    at = moments(table.column(columns.time), columns.time)
    return Reading(
        window=window,
        rows=len(table),
        columns={name: profiled(table.column(name), kind, like.get(name)) for name, kind in there.items()},
        kinds={name: kind_of(table.schema.field(name).type, kind) for name, kind in there.items()},
        outcomes=outcomes_of(table, columns, at, as_of),
        operations=operations_of(table, columns),
        newest=datetime.fromtimestamp(int(at.max()), UTC) if len(at) else None,
        versions=_versions(table, columns),
    )


def outcomes_of(table: pa.Table, columns: LogColumns, at: Counts, as_of: datetime | None) -> Outcomes | None:
    """Return the rows whose label had arrived before `as_of`; None where the log has no label column."""
    if columns.label not in table.column_names:
        return None
    known = arrived(table, columns, as_of)
    rows = table.filter(pa.array(known))
    awaited = at[~known]
    return Outcomes(
        scores=numbers(rows.column(columns.score)),
        labels=numbers(rows.column(columns.label)) > 0.5,
        versions=_texts(rows, columns.version),
        at=at[known],
        awaited=len(awaited),
        oldest_awaited=datetime.fromtimestamp(int(awaited.min()), UTC) if len(awaited) else None,
    )


def arrived(table: pa.Table, columns: LogColumns, as_of: datetime | None) -> npt.NDArray[np.bool_]:
    """Return which rows have a score and a label that had arrived by then, shape (n,)."""
    label, score = table.column(columns.label), table.column(columns.score)
    if kind_of(label.type, "numeric") != "numeric":
        raise SourceUnavailable(f"The label column '{columns.label}' must hold true and false or 1 and 0.")
    known = np.asarray(np.isfinite(numbers(label)) & np.isfinite(numbers(score)), dtype=bool)
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
    failed = len(table) - table.column(columns.error).null_count if columns.error in names else 0
    waits = numbers(table.column(columns.latency_ms).drop_null()) if columns.latency_ms in names else np.empty(0)
    return Operations(len(table), failed, waits[np.isfinite(waits)])


def sample_of(model: Model, table: pa.Table, limit: int, version: str | None) -> Sample:
    """Return at most `limit` labelled rows, evenly spread, the same ones at every call."""
    columns = model.columns
    rows = table.filter(pa.array(arrived(table, columns, None)))
    if version is not None and columns.version in rows.column_names:
        rows = rows.filter(pc.equal(pc.cast(rows.column(columns.version), pa.string()), version))
    rows = rows.take(pa.array(np.unique(np.linspace(0, len(rows) - 1, min(limit, len(rows))).astype(np.int64))))
    return Sample(
        features={f.name: tuple(rows.column(f.name).to_pylist()) for f in model.features if f.name in rows.column_names},
        scores=numbers(rows.column(columns.score)),
        labels=numbers(rows.column(columns.label)) > 0.5,
        versions=_texts(rows, columns.version),
        at=moments(rows.column(columns.time), columns.time),
    )


def _texts(table: pa.Table, name: str) -> npt.NDArray[np.str_]:
    if name not in table.column_names:
        return np.full(len(table), "", dtype=np.str_)
    return np.asarray([value or "" for value in pc.cast(table.column(name), pa.string()).to_pylist()], dtype=np.str_)


def _versions(table: pa.Table, columns: LogColumns) -> dict[str, int]:
    versions, counts = np.unique(_texts(table, columns.version), return_counts=True)
    return {str(v): int(c) for v, c in zip(versions, counts, strict=True) if v}
