"""The engine's own door to the database: a few short statements of leases, and the shape of the library's tables that we read."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

VERSION = "playbooks-1"
"""Constant over releases: recovery matches it exactly, so a new one would strand every run and approval of the old."""

BUSY_MS = 30_000

NOW: dict[str, str] = {
    "sqlite": "((julianday('now') - 2440587.5) * 86400.0)",
    "postgresql": "extract(epoch from clock_timestamp())::double precision",
}
"""The database's clock, seconds since 1970: the one clock that all replicas share."""


def connect(url: str) -> sa.Engine:
    """Return an engine of two connections at most; SQLite writes take the lock at once and wait for it."""
    engine = sa.create_engine(url, pool_size=2, max_overflow=0, pool_pre_ping=True)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _waits_for_writers)
    return engine


def _waits_for_writers(connection: Any, _record: object) -> None:
    connection.isolation_level = "IMMEDIATE"
    connection.execute(f"PRAGMA busy_timeout={BUSY_MS}")


def write_ahead(engine: sa.Engine) -> None:
    """Let readers of a SQLite file go on while somebody writes; the mode stays in the file."""
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")


def now(engine: sa.Engine) -> sa.ColumnElement[float]:
    """Return the database's own clock as an expression, seconds since 1970."""
    return sa.literal_column(NOW[engine.dialect.name], sa.Double())


def once_more(do: Callable[[], None]) -> None:
    """Do it again when another replica was creating the same table at the same moment."""
    try:
        do()
    except (sa.exc.IntegrityError, sa.exc.ProgrammingError, sa.exc.OperationalError):
        do()


class EngineTables:
    """The columns of the library's tables that we read; a contract test fails when a new version moves them."""

    def __init__(self, engine: sa.Engine) -> None:
        schema = None if engine.dialect.name == "sqlite" else "dbos"
        self.workflows = sa.table(
            "workflow_status",
            *map(sa.column, ("workflow_uuid", "status", "executor_id", "application_version", "queue_name", "owner_xid")),
            sa.column("recovery_attempts", sa.BigInteger()),
            sa.column("started_at_epoch_ms", sa.BigInteger()),
            schema=schema,
        )
        self.steps = sa.table(
            "operation_outputs",
            sa.column("workflow_uuid"),
            sa.column("completed_at_epoch_ms", sa.BigInteger()),
            schema=schema,
        )
