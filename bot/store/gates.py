"""Presses: who continued which run before which step, once a gate."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from bot.core.gates import Press
from bot.store import runs, tables
from bot.store.codec import dumps, loads
from bot.store.upserts import insert_if_new

rows = tables.presses


def add(connection: Connection, press: Press) -> bool:
    """Keep it; False when somebody has pressed at this gate already. Raises NotFound when there is no such run."""
    runs.get(connection, press.run)
    values = {"run": press.run, "step": press.step, "at": press.at, "body": dumps(press)}
    return connection.scalar(insert_if_new(connection, rows, values, "run", "step").returning(rows.c.step)) is not None


def of(connection: Connection, run: str) -> Sequence[Press]:
    """Return the presses of a run, oldest first."""
    query = select(rows.c.body).where(rows.c.run == run).order_by(rows.c.at, rows.c.step)
    return [loads(Press, body) for body in connection.scalars(query)]
