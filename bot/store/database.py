"""Opening the database, and one transaction at a time.

SQLite: WAL, and every writing transaction starts with BEGIN IMMEDIATE, because a read that turns into a write fails at once when
somebody else wrote meanwhile. PostgreSQL: the story's writes take one advisory lock, *the pen*, for the length of their
transaction. So both databases have one writer of the story at a time: no lost update, no deadlock, no quorum missed because two
votes did not see each other, and an audit log without gaps. Bulk writes (findings, references) do without the pen.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from bot.core.actions import Json
from bot.core.errors import ConfigError, StoreUnavailable
from bot.core.ports import Unit
from bot.store.unit import SqlUnit

Enqueue = Callable[[Connection, str, str, Json, str], None]
"""`enqueue(connection, workflow, number, payload, lane)`: start a durable workflow inside the connection's open transaction.

The connection is what DBOS' `client.enqueue_in_transaction(connection, options, *args)` takes; the engine room gives this function.
"""

WAIT_S = 10
IDLE_S = 60
READING = {"reading": True}


def wall_clock() -> datetime:
    """Return the time, UTC."""
    return datetime.now(UTC)


class SqlStore:
    """The `Store` on SQLite or PostgreSQL."""

    def __init__(self, engine: Engine, *, enqueue: Enqueue | None = None, clock: Callable[[], datetime] = wall_clock) -> None:
        self.engine, self._enqueue, self._clock = engine, enqueue, clock
        self._thread = threading.local()

    @contextmanager
    def write(self) -> Iterator[Unit]:
        """Begin a writing transaction; commits at the end, rolls back on an exception.

        Raises:
            StoreUnavailable: the database does not answer or is busy.
            RuntimeError: this thread is writing already; it would wait for itself.
        """
        if getattr(self._thread, "writing", False):
            raise RuntimeError("This thread is writing already; use the unit it has.")
        self._thread.writing = True
        try:
            with self.begin() as connection:
                yield SqlUnit(connection, writing=True, now=self._clock, enqueue=self._enqueue)
        finally:
            self._thread.writing = False

    @contextmanager
    def read(self) -> Iterator[Unit]:
        """Begin a reading transaction: one snapshot, however long it lasts."""
        with self.look() as connection:
            yield SqlUnit(connection, writing=False, now=self._clock, enqueue=None)

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Begin a writing transaction on a bare connection."""
        with answering(self.engine), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def look(self) -> Iterator[Connection]:
        """Begin a reading transaction on a bare connection."""
        with answering(self.engine), self.engine.connect() as connection:
            options: dict[str, Any] = READING if _sqlite(self.engine) else {"isolation_level": "REPEATABLE READ"}
            with connection.execution_options(**options).begin():
                yield connection

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def open_store(url: str, *, enqueue: Enqueue | None = None, clock: Callable[[], datetime] = wall_clock) -> SqlStore:
    """Return the store at `sqlite:///file` or `postgresql://…`; its tables are made by `bot.store.schema.upgrade`.

    Raises:
        ConfigError: the address cannot be one of a database that we know.
    """
    return SqlStore(open_engine(url), enqueue=enqueue, clock=clock)


def open_engine(url: str) -> Engine:
    """Return an engine with our transaction rules; nothing is connected yet."""
    address = _address(url)
    if address.get_backend_name() == "sqlite":
        engine = create_engine(address, pool_size=5, max_overflow=45, connect_args={"timeout": WAIT_S})
        event.listen(engine, "connect", _on_connect)
        event.listen(engine, "begin", _on_begin)
        return engine
    options = f"-c lock_timeout={WAIT_S}s -c idle_in_transaction_session_timeout={IDLE_S}s -c timezone=UTC"
    arguments = {"connect_timeout": WAIT_S, "options": options, "application_name": "aiops-bot"}
    return create_engine(address, pool_pre_ping=True, pool_size=5, max_overflow=20, pool_timeout=30, connect_args=arguments)


def _address(url: str) -> URL:
    try:
        address = make_url(url)
    except ArgumentError:
        raise ConfigError("The database address cannot be read; write sqlite:///file.db or postgresql://user@host/name.") from None
    if address.drivername in ("postgres", "postgresql", "postgresql+psycopg"):
        return address.set(drivername="postgresql+psycopg")
    if address.get_backend_name() != "sqlite":
        raise ConfigError(f"The database address names {address.drivername}; the bot knows sqlite and postgresql.")
    if not address.database or address.database == ":memory:" or address.query:
        raise ConfigError("An SQLite database must be a plain file, e.g. sqlite:///aiops.db: other connections must see it.")
    if not (folder := Path(address.database).absolute().parent).is_dir():
        raise ConfigError(f"The folder of the database, {folder}, does not exist; create it or name another one.")
    return address


def _on_connect(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # BEGIN is ours: the driver's own would start late and be deferred
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={WAIT_S * 1000}"):
        connection.execute(f"PRAGMA {pragma}")


def _on_begin(connection: Connection) -> None:
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _sqlite(engine: Engine) -> bool:
    return engine.dialect.name == "sqlite"


@contextmanager
def answering(engine: Engine) -> Iterator[None]:
    """Turn the driver's ways of saying "not now" into `StoreUnavailable`, and "no tables" into `ConfigError`."""
    where = engine.url.render_as_string(hide_password=True)
    try:
        yield
    except PoolTimeoutError:
        raise StoreUnavailable(f"The database at {where} has no free connection; too much is going on, try again.") from None
    except DatabaseError as error:
        reason = str(error.orig).strip().partition("\n")[0]
        if "no such table" in reason or type(error.orig).__name__ == "UndefinedTable":
            raise ConfigError(f"The database at {where} lacks tables that this program needs; run `aiops db upgrade`.") from error
        if "file is not a database" in reason:
            raise ConfigError(f"The file at {where} is not a database; name another one.") from error
        if isinstance(error, (OperationalError, InterfaceError)) or error.connection_invalidated:
            raise StoreUnavailable(f"The database at {where} does not answer or is busy ({reason}); try again.") from error
        raise
