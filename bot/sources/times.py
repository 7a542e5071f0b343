"""How databases write moments, and how to ask for a window in each of their languages: all of it is UTC.

The bounds may let a little too much through, never too little: `bot.sources.table.within` has the last word.
"""

import math
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Integer, cast, func, or_
from sqlalchemy import types as sql

from bot.core.windows import Window
from bot.sources.values import MICROS_FROM, MILLIS_FROM

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
    return _days(start, end)


def _scale(example: object) -> float:
    size = abs(float(str(example or 0)))
    return 1e6 if size > MICROS_FROM else 1e3 if size > MILLIS_FROM else 1.0


def _days(start: datetime, end: datetime) -> tuple[str, str]:
    """Return text bounds of whole days, one more on each side for any zone.

    One column may hold texts with a 'T', with a blank and with an offset; only their days sort as times do.
    """
    return f"{start - DAY:%Y-%m-%d}", f"{end + 2 * DAY:%Y-%m-%d}"


def by_sqlite(at: ColumnElement[Any], window: Window) -> ColumnElement[bool]:
    """Return what SQLite itself makes of texts as times, so that the extra days are not fetched; what it cannot read is."""
    seconds = cast(func.strftime("%s", at), Integer)
    return or_(seconds.is_(None), seconds.between(math.floor(window.start.timestamp()), math.ceil(window.end.timestamp())))
