"""The audit log's rows: appended inside the transaction of what they tell, read back exactly as they were hashed."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from bot.core.actions import canonical
from bot.core.audit import GENESIS, AuditEntry, AuditRow
from bot.store import tables
from bot.store.entries import settled
from bot.store.errors import AuditBroken

rows = tables.audit


def append(connection: Connection, entry: AuditEntry) -> AuditRow:
    """Append under the next number. The caller holds the pen, so no number is skipped and no two follow the same row."""
    last = connection.execute(select(rows.c.seq, rows.c.hash).order_by(rows.c.seq.desc()).limit(1)).one_or_none()
    seq, prev = (last.seq + 1, last.hash) if last else (1, GENESIS)
    row = AuditRow(seq, settled(entry), prev)
    connection.execute(rows.insert().values(**_columns(row)))
    return row


def stored(connection: Connection, newest: int | None = None) -> list[tuple[AuditRow, str]]:
    """Return rows with their stored hashes, oldest first: all, or only the `newest` so many."""
    query = select(rows).order_by(rows.c.seq.desc()).limit(newest)
    return [_read(row) for row in connection.execute(query).all()[::-1]]


def one(connection: Connection, seq: int) -> AuditRow | None:
    """Return the row of this number."""
    row = connection.execute(select(rows).where(rows.c.seq == seq)).one_or_none()
    return _read(row)[0] if row else None


def stream(connection: Connection) -> Iterator[tuple[AuditRow, str]]:
    """Yield every row with its stored hash, oldest first, without holding them all.

    Raises:
        AuditBroken: a row is no longer readable as what was written.
    """
    query = select(rows).order_by(rows.c.seq)
    for row in connection.execution_options(yield_per=1000).execute(query):
        yield _read(row)


def hashes(connection: Connection, size: int | None = None) -> list[bytes]:
    """Return the stored leaf hashes of the first `size` rows (all without it), in order."""
    query = select(rows.c.seq, rows.c.hash).order_by(rows.c.seq).limit(size)
    return [_leaf(seq, text) for seq, text in connection.execute(query)]


def _leaf(seq: int, text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise _broken(seq) from None


def _columns(row: AuditRow) -> dict[str, object]:
    entry = row.entry
    return {
        "seq": row.seq,
        "at": entry.at.isoformat(),
        "actor": entry.actor,
        "action": entry.action,
        "target": entry.target,
        "incident": entry.incident,
        "payload": canonical(entry.payload),
        "prev": row.prev,
        "hash": row.hash,
    }


def _read(row: Row[Any]) -> tuple[AuditRow, str]:
    try:
        at, payload = datetime.fromisoformat(row.at), json.loads(row.payload)
    except ValueError:
        raise _broken(row.seq) from None
    if at.isoformat() != row.at or canonical(payload) != row.payload:  # the same meaning in other bytes was not written by us
        raise _broken(row.seq)
    return AuditRow(row.seq, AuditEntry(at, row.actor, row.action, row.target, row.incident, payload), row.prev), row.hash


def _broken(seq: int) -> AuditBroken:
    return AuditBroken(f"Audit row #{seq} is not as it was written; run `aiops audit verify`.")
