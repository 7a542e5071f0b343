"""The keeper: forgets what is old, a few rows a transaction.

What may go is looked for in a reading transaction, which holds up nobody; only the deleting of these few rows takes the lock of an
SQLite file. A kill between two transactions leaves less to do, and nothing half done.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import and_, bindparam, delete, func, or_, select

from bot.core.findings import Verdict
from bot.core.keeping import Delivered, Old, Place, ReferenceKey
from bot.store import tables
from bot.store.findings import models, newest_slots
from bot.store.unit import PEN
from bot.store.upserts import upsert_many

if TYPE_CHECKING:
    from bot.store.database import SqlStore

AT_REST = ("sent", "failed")


class SqlKeeper:
    """The `Keeper` of an SQLite or PostgreSQL database."""

    def __init__(self, store: "SqlStore") -> None:
        self._store = store

    def models(self) -> Sequence[str]:
        """Return the keys of the models of which there are findings, sorted."""
        with self._store.look() as connection:
            return sorted(models(connection))

    def newest_slots(self, model: str) -> Mapping[str, datetime]:
        """Return the newest slot of each check of a model."""
        with self._store.look() as connection:
            return newest_slots(connection, model)

    def old_findings(self, model: str, check: str, old: Old, limit: int) -> Sequence[Place]:
        """Return where the oldest findings stand that may go, at most `limit`."""
        row = tables.findings.c
        mine = and_(row.model == model, row.check_name == check)
        latest = max(old.findings, old.healthy)  # said apart: in an OR, SQLite would not find the end of the range
        aged = and_(
            row.slot < latest,
            or_(row.slot < old.findings, and_(row.slot < old.healthy, row.verdict == Verdict.HEALTHY.value)),
        )
        newest = select(row.slot).where(mine).distinct().order_by(row.slot.desc())
        query = select(row.slot, row.subject).where(mine, aged).order_by(row.slot, row.subject).limit(limit)
        with self._store.look() as connection:
            if old.looks:
                first = connection.scalar(newest.offset(old.looks - 1).limit(1))
                if first is None:
                    return ()
                query = query.where(row.slot < first)
            return [(slot, subject) for slot, subject in connection.execute(query)]

    def forget_findings(self, model: str, check: str, places: Sequence[Place]) -> None:
        """Delete them."""
        row = tables.findings.c
        one = and_(row.slot == bindparam("at"), row.subject == bindparam("about"))
        statement = delete(tables.findings).where(row.model == model, row.check_name == check, one)
        with self._store.begin() as connection:
            connection.execute(statement, [{"at": slot, "about": subject} for slot, subject in places])

    def old_messages(self, before: datetime, after: int, limit: int) -> Sequence[Delivered]:
        """Return the messages that came to rest before then, as did their thread, by place in the queue, from behind `after` on."""
        row, root = tables.notices.c, tables.notices.alias("root")
        quiet = or_(row.thread == "", and_(root.c.waiting_since < before, root.c.state.in_(AT_REST)))
        query = (
            select(row.key, row.thread, row.position)
            .outerjoin_from(tables.notices, root, root.c.key == row.thread)
            .where(row.state.in_(AT_REST), row.waiting_since < before, row.position > after, quiet)
            .order_by(row.position)
            .limit(limit)
        )
        with self._store.look() as connection:
            return [Delivered(*found) for found in connection.execute(query)]

    def forget_messages(self, keys: Collection[str], before: datetime) -> int:
        """Delete those that still rest since before then; return how many. With the pen: nobody says one of them anew meanwhile."""
        row = tables.notices.c
        statement = delete(tables.notices).where(row.key.in_(keys), row.state.in_(AT_REST), row.waiting_since < before)
        with self._store.begin() as connection:
            if connection.dialect.name != "sqlite":
                connection.execute(select(func.pg_advisory_xact_lock(PEN)))
            return connection.execute(statement).rowcount

    def forget_notes(self, before: datetime, limit: int) -> int:
        """Delete digest lines, at most `limit`; return how many."""
        row = tables.notes.c
        oldest = select(row.id).where(row.at < before).order_by(row.at).limit(limit)
        with self._store.begin() as connection:
            return connection.execute(delete(tables.notes).where(row.id.in_(oldest))).rowcount

    def references(self) -> Mapping[ReferenceKey, datetime | None]:
        """Return what is stored, and when somebody was last seen to ask for it; None: never yet."""
        stored, asked = tables.references.c, tables.wanted.c
        same = and_(asked.model == stored.model, asked.fingerprint == stored.fingerprint)
        query = select(stored.model, stored.fingerprint, asked.at).outerjoin_from(tables.references, tables.wanted, same)
        with self._store.look() as connection:
            return {(model, fingerprint): at for model, fingerprint, at in connection.execute(query)}

    def want(self, keys: Iterable[ReferenceKey], at: datetime) -> None:
        """Remember that these are asked for."""
        asked = [{"model": model, "fingerprint": fingerprint, "at": at} for model, fingerprint in keys]
        with self._store.begin() as connection:
            upsert_many(connection, tables.wanted, asked, "model", "fingerprint")

    def forget_references(self, keys: Sequence[ReferenceKey]) -> None:
        """Delete them, and that they were asked for."""
        with self._store.begin() as connection:
            for table in (tables.references, tables.wanted):
                one = and_(table.c.model == bindparam("of"), table.c.fingerprint == bindparam("mark"))
                connection.execute(delete(table).where(one), [{"of": model, "mark": mark} for model, mark in keys])
