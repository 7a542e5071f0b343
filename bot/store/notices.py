"""The writing side of the outbox: one row a message, and a new revision only when people should see something else."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, func, select, update

from bot.core.notices import Notice, Posted
from bot.store import tables
from bot.store.codec import dumps, loads

rows = tables.notices

NEXT_POSITION = select(func.coalesce(func.max(rows.c.position), 0) + 1).scalar_subquery()
"""The end of the queue."""


def announce(connection: Connection, notice: Notice, now: datetime) -> None:
    """Insert the message, or make its row due again when its content changed; a waiting row keeps its place in the queue."""
    if notice.thread and not notice.channel:  # an answer stands where its thread stands
        root = select(rows.c.channel).where(rows.c.key == notice.thread)
        notice = replace(notice, channel=connection.scalar(root) or "")
    query = select(rows).where(rows.c.key == notice.key).with_for_update()
    row = connection.execute(query).one_or_none()
    if row is None:
        connection.execute(rows.insert().values(**_first(notice, now)))
        return
    if row.ts:  # a posted message cannot move
        earlier = loads(Notice, row.body)
        notice = replace(notice, channel=earlier.channel, thread=earlier.thread)
    if (body := dumps(notice)) == row.body:
        return
    values = {"body": body, "channel": notice.channel, "thread": notice.thread, "revision": row.revision + 1}
    if row.state in ("sent", "failed"):
        values |= {
            "state": "waiting",
            "position": NEXT_POSITION,
            "waiting_since": now,
            "attempts": 0,
            "next_try": None,
            "error": "",
        }
    connection.execute(update(rows).where(rows.c.key == notice.key).values(**values))


def posted(connection: Connection, key: str) -> Posted | None:
    """Return what was announced under this key last and how far it is; None where nothing was."""
    row = connection.execute(select(rows.c.body, rows.c.state, rows.c.error).where(rows.c.key == key)).one_or_none()
    return Posted(loads(Notice, row.body), row.state, row.error) if row else None


def _first(notice: Notice, now: datetime) -> dict[str, object]:
    return {
        "key": notice.key,
        "channel": notice.channel,
        "thread": notice.thread,
        "body": dumps(notice),
        "revision": 1,
        "sent_revision": 0,
        "state": "waiting",
        "position": NEXT_POSITION,
        "waiting_since": now,
        "attempts": 0,
        "error": "",
        "ts": "",
        "nonce": "",
        "suspects": "{}",
        "kept": "{}",
    }
