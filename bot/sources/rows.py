"""Rows of a database as Arrow columns, whatever the database let people put in.

SQLite keeps any value in any column, and a view's columns may have no type at all. A number column with a few unreadable values
stays one (they count as missing); a column in which most values are no numbers is text.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import numpy as np
import pyarrow as pa
from sqlalchemy import types as sql

Values = Sequence[object]


def arrow(kinds: Mapping[str, sql.TypeEngine[object]], rows: Sequence[Sequence[object]]) -> pa.Table:
    """Return rows as an Arrow table; `kinds` names the columns in the rows' order, with the types that the database declares."""
    columns = list(zip(*rows, strict=True)) or [()] * len(kinds)
    return pa.table({name: array(values, kind) for (name, kind), values in zip(kinds.items(), columns, strict=True)})


def array(values: Values, kind: sql.TypeEngine[object]) -> pa.Array:
    """Return one column; what is not of its declared type does not stop it."""
    try:
        return pa.array(values, type=_declared(kind))
    except (pa.ArrowException, OverflowError, ValueError, TypeError):
        return _mixed(values, parse=isinstance(kind, sql.Numeric | sql.Integer | sql.Boolean))


def united(batches: Sequence[pa.Table]) -> pa.Table:
    """Return the batches as one table; a column that is text in one and numbers in another becomes what most of its rows are."""
    return pa.table({name: _joined([batch.column(name) for batch in batches]) for name in batches[0].column_names})


def _joined(parts: list[pa.ChunkedArray]) -> pa.ChunkedArray:
    filled = [part for part in parts if part.null_count < len(part)] or parts
    kinds = {part.type for part in filled}
    if len(kinds) == 1:
        kind = kinds.pop()
        return pa.chunked_array([chunk for part in parts for chunk in part.cast(kind).chunks], type=kind)
    return pa.chunked_array([_mixed([value for part in parts for value in part.to_pylist()], parse=True)])


def _declared(kind: sql.TypeEngine[object]) -> pa.DataType | None:
    if isinstance(kind, sql.Integer):
        return pa.int64()
    if isinstance(kind, sql.Numeric):
        return pa.float64()
    return pa.string() if isinstance(kind, sql.String) else None


def _mixed(values: Values, *, parse: bool) -> pa.Array:
    """Return numbers where most values are, else text; `parse` also takes numbers that are written as text."""
    found = [None if value is None else _number(value, parse=parse) for value in values]
    given = [number for number in found if number is not None]
    if 2 * sum(not unreadable for _, unreadable in given) >= len(given) > 0:
        return pa.array([None if number is None else number[0] for number in found], pa.float64(), from_pandas=False)
    return pa.array([None if value is None else _text(value) for value in values], pa.string())


def _number(value: object, *, parse: bool) -> tuple[float, bool]:
    """Return the value as a number, and whether it is none (then NaN)."""
    if not isinstance(value, int | float | Decimal | np.number) and not (parse and isinstance(value, str)):
        return np.nan, True
    try:
        return float(value), False
    except OverflowError:
        return float("inf"), False
    except ValueError:
        return np.nan, True


def _text(value: object) -> str:
    """Return any value as text that every store can hold."""
    return str(value).encode("utf-8", "replace").decode("utf-8")
