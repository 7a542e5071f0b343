"""Measured lines: one row a watch; another fingerprint takes its place."""

from sqlalchemy import Connection, select

from bot.core.lines import Lines
from bot.store import tables
from bot.store.codec import dumps, loads
from bot.store.upserts import upsert

rows = tables.lines


def get(connection: Connection, model: str, watch: str, fingerprint: str) -> Lines | None:
    """Return them, or None where there are none of this fingerprint."""
    query = select(rows.c.body).where(rows.c.model == model, rows.c.watch == watch, rows.c.fingerprint == fingerprint)
    body = connection.scalar(query)
    return None if body is None else loads(Lines, body)


def save(connection: Connection, model: str, watch: str, fingerprint: str, lines: Lines) -> None:
    """Keep them, in place of the watch's earlier ones."""
    values = {"model": model, "watch": watch, "fingerprint": fingerprint, "body": dumps(lines)}
    connection.execute(upsert(connection, rows, values, "model", "watch"))
