"""Holds: one row a kind and subject while it stands; a lifted one is gone, and the audit log remembers it."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, select

from bot.core.holds import Hold, Kind
from bot.store import tables
from bot.store.codec import dumps, loads
from bot.store.upserts import insert_if_new

rows = tables.holds


def add(connection: Connection, hold: Hold) -> bool:
    """Insert it; False when the same is held already."""
    values = {"kind": hold.kind.value, "subject": hold.subject, "at": hold.at, "body": dumps(hold)}
    added = insert_if_new(connection, rows, values, "kind", "subject").returning(rows.c.kind)
    return connection.scalar(added) is not None


def standing(connection: Connection, kind: Kind) -> Sequence[Hold]:
    """Return those of a kind that stand, oldest first."""
    query = select(rows.c.body).where(rows.c.kind == kind.value).order_by(rows.c.at, rows.c.subject)
    return [loads(Hold, body) for body in connection.scalars(query)]


def lift(connection: Connection, kind: Kind, subject: str) -> Hold | None:
    """Take it away and return it; None when it does not stand, or somebody else was first."""
    gone = delete(rows).where(rows.c.kind == kind.value, rows.c.subject == subject).returning(rows.c.body)
    body = connection.scalar(gone)
    return None if body is None else loads(Hold, body)
