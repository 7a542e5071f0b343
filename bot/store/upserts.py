"""INSERT … ON CONFLICT, which both databases speak alike and SQLAlchemy spells once per database."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

Values = Mapping[str, object]


def insert_if_new(connection: Connection, table: Table[Any], values: Values, *unique: str) -> Any:
    """Return the statement that inserts these values unless a row with the same `unique` columns is there."""
    return _insert(connection, table).values(**values).on_conflict_do_nothing(index_elements=unique)


def upsert(connection: Connection, table: Table[Any], values: Values, *unique: str) -> Any:
    """Return the statement that inserts these values, or writes them over the row with the same `unique` columns."""
    changed = {name: value for name, value in values.items() if name not in unique}
    return _insert(connection, table).values(**values).on_conflict_do_update(index_elements=unique, set_=changed)


def upsert_many(connection: Connection, table: Table[Any], rows: Sequence[Values], *unique: str) -> None:
    """Insert all of them, each over the row with the same `unique` columns."""
    if not rows:
        return
    statement = _insert(connection, table)
    changed = {name: statement.excluded[name] for name in rows[0] if name not in unique}
    connection.execute(statement.on_conflict_do_update(index_elements=unique, set_=changed), list(rows))


def _insert(connection: Connection, table: Table[Any]) -> Any:
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)
