"""One Arrow column as numbers, texts, scores or moments; here everything that comes from data is still hostile."""

from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from bot.core.errors import SourceUnavailable
from bot.core.profiles import Counts, Floats

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
    """Return any column as text: lists, UUIDs and the like as Python writes them, of bytes that are no UTF-8 just those escaped.

    One such value must not change how the others are written: they would be levels that nobody has seen before.
    """
    if isinstance(column.type, pa.BaseExtensionType):  # Arrow would write the bytes that it is stored as
        return _written_out(column)
    try:
        return pc.cast(column, pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):  # it alone knows which types, and which bytes, it can write
        return _written_out(column)


def _written_out(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pa.chunked_array([[_written(value) for value in plain(column)]], pa.string())


def _written(value: object) -> str | None:
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return None if value is None else str(value)


def plain(column: pa.ChunkedArray) -> list[Any]:
    """Return a column as Python's own values; a moment beyond Python's calendar as the number that it is."""
    try:
        return list(column.to_pylist())
    except (OverflowError, ValueError):
        return [scalar.value if scalar.is_valid else None for scalar in column]


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
    column = _timestamps(column)
    if pa.types.is_timestamp(column.type):
        return np.asarray(column.cast(pa.timestamp("us"), safe=False).cast(pa.int64()), dtype=np.int64) // 1_000_000
    try:
        times = pd.to_datetime(pd.Series(column.to_pylist(), dtype=object), utc=True, format="ISO8601")
    except (ValueError, TypeError, OverflowError):
        raise SourceUnavailable(wrong) from None
    return np.asarray(times.dt.as_unit("s").astype("int64"), dtype=np.int64)


def _timestamps(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return ISO texts of one form as timestamps, ten times as fast as pandas reads any form; what is not so easy stays text."""
    if pa.types.is_string(column.type) and not column.null_count:
        for kind in (pa.timestamp("us", "UTC"), pa.timestamp("us")):
            with suppress(pa.ArrowInvalid):
                return column.cast(kind)
    return column


def classes(labels: pa.ChunkedArray) -> list[str | None]:
    """Return each row's class as text, None where there is none; a whole number is written as one, whatever its type."""
    if kind_of(labels.type, "categorical") != "numeric" or pa.types.is_boolean(labels.type):
        return [text or None for text in texts(labels).to_pylist()]
    return [None if not np.isfinite(v) else str(int(v)) if v == int(v) else str(v) for v in numbers(labels).tolist()]
