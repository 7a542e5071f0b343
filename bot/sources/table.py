"""A window's rows as an Arrow table become a reading or a sample; here everything that comes from data is still hostile."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bot.core.errors import SourceUnavailable
from bot.core.models import LogColumns, Model
from bot.core.profiles import CategoryProfile, ColumnProfile, NumericProfile
from bot.core.readings import Operations, Sample
from bot.core.windows import Window
from bot.sources.order import level_changes
from bot.sources.outcomes import arrived, labels_of, said_of, texts_of
from bot.sources.values import kind_of, moments, numbers, plain, texts
from bot.stats.profiles import MOST_LEVELS, cuts_for, profile_levels, profile_numbers

MANY, THREADS = 100_000, 2
"""From so many rows on columns are worked on by so many threads."""

T = TypeVar("T")


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
    column = table.column(time)
    at = np.full(len(column), np.nan)
    at[np.asarray(pc.is_valid(column), dtype=bool)] = moments(column.drop_null() if column.null_count else column, time)
    inside = (at >= window.start.timestamp()) & (at < window.end.timestamp())
    return table if inside.all() else table.filter(pa.array(inside))


def wanted(model: Model) -> tuple[str, ...]:
    """Return the columns that a reading needs, by the log's own names; those that it does not have are empty text."""
    named = model.columns
    log = (
        named.time,
        named.request,
        named.version,
        named.score,
        named.label,
        named.label_time,
        named.latency_ms,
        named.error,
        named.prediction,
        named.group,
    )
    return tuple(name for name in dict.fromkeys((*(feature.name for feature in model.features), *log)) if name)


def of_the_log(model: Model) -> set[str]:
    """Return the log's own columns that are worth remembering while a window is read.

    Not its times and scores: a million are read again in five milliseconds, and would take eight megabytes each all the while.
    """
    return set(wanted(replace(model, features=()))) - {model.columns.time, model.columns.score}


def required(there: Sequence[str], columns: LogColumns, where: str) -> None:
    """Raise SourceUnavailable unless the columns are there, once each, without which nothing can be said."""
    for name in (columns.time, columns.score):
        if there.count(name) != 1:
            told = f"has the column '{name}' {there.count(name)} times" if name in there else f"has no column '{name}'"
            raise SourceUnavailable(
                f"{where} {told}; it has {', '.join(there[:20])}. Name the right one under the model's columns."
            )


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
    rows = table.filter(pa.array(arrived(table, columns, None, model.task) & said_of(table, columns, model.task).given))
    if version is not None and columns.version in rows.column_names:
        rows = rows.filter(pc.equal(texts(rows.column(columns.version)), version))
    if not len(rows):
        return Sample({}, np.empty(0), np.empty(0, bool), np.empty(0, np.str_), np.empty(0, np.int64))
    keys = (texts_of(rows, columns.request), moments(rows.column(columns.time), columns.time))
    rows = rows.take(pa.array(np.lexsort(keys)))  # requests of one second come in any order from a database
    rows = rows.take(pa.array(np.unique(np.linspace(0, len(rows) - 1, min(limit, len(rows))).astype(np.int64))))
    return Sample(
        features={f.name: tuple(plain(rows.column(f.name))) for f in model.features if f.name in rows.column_names},
        scores=said_of(rows, columns, model.task).scores,
        labels=labels_of(rows, columns, model.task),
        versions=texts_of(rows, columns.version),
        at=moments(rows.column(columns.time), columns.time),
    )


def versions_of(table: pa.Table, columns: LogColumns) -> dict[str, int]:
    """Return how many rows each version has scored."""
    if columns.version not in table.column_names:
        return {}
    found = pc.value_counts(texts(table.column(columns.version)))
    pairs = zip(found.field("values").to_pylist(), found.field("counts").to_pylist(), strict=True)
    return {version: count for version, count in sorted(pairs, key=lambda pair: pair[0] or "") if version}
