"""Reference readings: the structure as JSON, the arrays as npz beside it."""

from sqlalchemy import Connection, select

from bot.core.readings import Reading
from bot.store import tables
from bot.store.codec import Arrays, dumps, loads, pack, unpack
from bot.store.upserts import upsert

rows = tables.references


def get(connection: Connection, model: str, fingerprint: str) -> Reading | None:
    """Return it, or None."""
    query = select(rows.c.body, rows.c.arrays).where(rows.c.model == model, rows.c.fingerprint == fingerprint)
    row = connection.execute(query).one_or_none()
    return loads(Reading, row.body, unpack(row.arrays)) if row else None


def save(connection: Connection, model: str, fingerprint: str, reading: Reading) -> None:
    """Keep it, over an earlier one of the same fingerprint."""
    arrays: Arrays = {}
    values = {"model": model, "fingerprint": fingerprint, "body": dumps(reading, arrays), "arrays": pack(arrays)}
    connection.execute(upsert(connection, rows, values, "model", "fingerprint"))
