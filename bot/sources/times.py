"""How databases write moments, and how to ask for a window in each of their languages: all of it is UTC.

The bounds may let a little too much through, never too little: `bot.sources.table.within` has the last word.
"""

import re
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy import types as sql

from bot.core.windows import Window
from bot.sources.table import MICROS_FROM, MILLIS_FROM

PLAIN = re.compile(r"\d{4}-\d\d-\d\d([T ])\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:?00)?")
DAY = timedelta(days=1)


def bounds(at: ColumnElement[Any], window: Window, example: object) -> tuple[object, object]:
    """Return the window's start and end in the time column's own language.

    Args:
        at: the column; a database without times of its own (SQLite) has it untyped.
        window: what is asked for.
        example: any moment of the column, None where it is empty.
    """
    start, end = window.start, window.end
    if isinstance(at.type, sql.DateTime):
        zoned = at.type.timezone
        return (start, end) if zoned else (start.replace(tzinfo=None), end.replace(tzinfo=None))
    if isinstance(at.type, sql.Date):
        return start.date(), end.date() + DAY
    if isinstance(example, int | float) or isinstance(at.type, sql.Numeric | sql.Integer):
        scale = _scale(example)
        return start.timestamp() * scale, end.timestamp() * scale
    return _texts(start, end, str(example or ""))


def _scale(example: object) -> float:
    size = abs(float(str(example or 0)))
    return 1e6 if size > MICROS_FROM else 1e3 if size > MILLIS_FROM else 1.0


def _texts(start: datetime, end: datetime, example: str) -> tuple[str, str]:
    """Return text bounds: to the second where texts sort as times do, else whole days, one more on each side for any zone."""
    plain = PLAIN.fullmatch(example)
    if plain is None:
        return f"{start - DAY:%Y-%m-%d}", f"{end + 2 * DAY:%Y-%m-%d}"
    form = f"%Y-%m-%d{plain[1]}%H:%M:%S"
    return start.strftime(form), (end + timedelta(seconds=end.microsecond > 0)).strftime(form)
