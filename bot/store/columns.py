"""Two column types: a moment that is UTC everywhere, and a name that any database can index."""

import hashlib
from datetime import UTC, datetime

from sqlalchemy import DateTime, Dialect, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

from bot.core.windows import utc
from bot.store.entries import clean

LONGEST = 300


class Moment(TypeDecorator[datetime]):
    """A time in UTC with microseconds: `timestamptz` on PostgreSQL, sortable text on SQLite; a naive time is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return what the driver is given."""
        if value is None:
            return None
        moment = utc(value)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return what was stored, aware and in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class Name(TypeDecorator[str]):
    """A text to find a row by. Names come from data and may be hostile: refused characters are replaced, long ones hashed.

    The true text stands in the row's body; this is only its address, made the same way for writing and for looking up.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return the text itself, or a prefix and its SHA-256 when it is longer than an index likes."""
        del dialect
        if value is None or (len(value) <= LONGEST and value.isascii() and "\x00" not in value):
            return value
        text = clean(value)
        if text == value and len(text) <= LONGEST:
            return text
        return f"{text[:200]}…{hashlib.sha256(value.encode('utf-8', 'surrogatepass')).hexdigest()}"

    def coerce_compared_value(self, op: object, value: object) -> TypeEngine[str]:
        """Compare with this type's own form of the text."""
        del op, value
        return self
