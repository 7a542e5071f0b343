"""Prediction logs in any SQL database: one table or view, read-only, one window at a time.

Labels stand in the same table, or in one of their own that is joined by the request's id. Nothing is ever written: PostgreSQL and
SQLite are told to refuse it.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    FromClause,
    MetaData,
    Select,
    Table,
    create_engine,
    event,
    func,
    make_url,
    select,
    type_coerce,
)
from sqlalchemy import types as sql
from sqlalchemy.exc import ArgumentError, NoSuchTableError, SQLAlchemyError

from bot.core.errors import ConfigError, SourceUnavailable
from bot.core.models import LogColumns, Model
from bot.core.ports import SourceKind
from bot.core.profiles import Profiles
from bot.core.readings import Reading, Sample
from bot.core.windows import Window
from bot.sources.pushed import pushed_reading
from bot.sources.readings import reading_of
from bot.sources.rows import arrow, united
from bot.sources.table import ends_of, required, sample_of, wanted, within
from bot.sources.times import bounds, by_sqlite

TIMEOUT_S = 60.0
BATCH = 50_000
STEPS = 100_000
"""How many steps of SQLite's machine lie between two looks at the clock."""


class SqlSource:
    """The log in one table or view of one database, its labels there or in a table of their own."""

    def __init__(
        self,
        url: str,
        table: str,
        *,
        schema: str | None = None,
        labels: str | None = None,
        timeout_s: float = TIMEOUT_S,
        push_down: bool = False,
    ) -> None:
        self.name, self._push_down = table, push_down
        self._table, self._schema, self._labels = table, schema, labels
        self._engine = _engine(url, timeout_s)

    def reading(
        self, model: Model, window: Window, like: Profiles | None = None, *, as_of: datetime | None = None, whole_rows: bool = True
    ) -> Reading:
        """Profile one window (see `bot.core.ports.Source`)."""
        if self._push_down:
            return self._pushed(model, window, like, as_of)
        return reading_of(model, window, self.rows(model, window), like, as_of, whole_rows=whole_rows)

    def sample(self, model: Model, window: Window, limit: int, version: str | None = None) -> Sample:
        """Return some labelled rows (see `bot.core.ports.Source`)."""
        return sample_of(model, self.rows(model, window), limit, version)

    def _pushed(self, model: Model, window: Window, like: Profiles | None, as_of: datetime | None) -> Reading:
        """Let the database count; its times must be times or numbers, because nobody can order texts as times there."""
        seconds = Window(_whole(window.start), _whole(window.end))  # times count in whole seconds, as in `table.within`
        with self._asked() as connection:
            log = self._log(model)
            if isinstance(log.c[model.columns.time].type, sql.String):
                words = (
                    f"The column '{model.columns.time}' of the table '{self._table}' is text: push_down needs a column of times."
                )
                raise SourceUnavailable(words)
            query, _ = self._query(log, model, seconds)
            return pushed_reading(connection, query.subquery("window_rows"), model, window, like, as_of=as_of)

    def span(self, model: Model) -> tuple[datetime, datetime]:
        """Return the times of the oldest and the newest row.

        Raises:
            SourceUnavailable: there is no row with a time, or the log cannot be read.
        """
        self._there()
        time = model.columns.time
        with self._asked() as connection:
            log = self._log(model)
            at = self._raw(log.c[time])
            first, last = connection.execute(select(func.min(at), func.max(at))).one()
        return ends_of(arrow({time: log.c[time].type}, [(first,), (last,)]).column(time), time)

    def rows(self, model: Model, window: Window) -> pa.Table:
        """Read the window's rows and only the columns that the model names."""
        self._there()
        with self._asked() as connection:
            query, kinds = self._query(self._log(model), model, window)
            batches = [arrow(kinds, batch) for batch in _batches(connection, query)]
        return within(united(batches or [arrow(kinds, [])]), window, model.columns.time)

    @contextmanager
    def _asked(self) -> Iterator[Connection]:
        """Open a connection; what the database cannot do is one sentence."""
        try:
            with self._engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).strip().partition("\n")[0][:200]
            raise SourceUnavailable(f"The table '{self._table}' of the prediction log cannot be read: {reason}") from error

    def _log(self, model: Model) -> Table:
        log = self._reflected(self._table)
        required(log.columns.keys(), model.columns, f"The table '{self._table}'")
        return log

    def _there(self) -> None:
        """Refuse a SQLite file that is not there: opening it would make an empty one."""
        file = self._engine.url.database
        if (
            self._engine.dialect.name == "sqlite"
            and file
            and not file.startswith((":memory:", "file:"))
            and not Path(file).exists()
        ):
            raise SourceUnavailable(f"There is no SQLite file {file}; name the right one in aiops.yaml.")

    def _reflected(self, table: str) -> Table:
        try:
            return Table(table, MetaData(), schema=self._schema, autoload_with=self._engine)
        except NoSuchTableError:
            words = f"The table '{table}' does not exist in the log's database; name the right one in aiops.yaml."
            raise SourceUnavailable(words) from None

    def _query(self, log: Table, model: Model, window: Window) -> tuple[Select[Any], Mapping[str, sql.TypeEngine[Any]]]:
        """Return what to ask for, and the declared types of its columns."""
        at = self._raw(log.c[model.columns.time])
        start, end = bounds(at, window, self._first(at))
        there: dict[str, ColumnElement[Any]] = {name: log.c[name] for name in wanted(model) if name in log.c}
        joined: FromClause = log
        if self._labels:
            labels, request = self._first_labels(self._labels, model.columns), model.columns.request
            if request not in log.c:
                raise SourceUnavailable(f"The table '{self._table}' has no column '{request}' to join its labels by.")
            there |= {column.name: column for column in labels.c if column.name != request}
            joined = log.outerjoin(labels, log.c[request] == labels.c[request])
        columns = [self._raw(column).label(name) for name, column in there.items()]
        query = select(*columns).select_from(joined).where(at >= start, at < end)
        if isinstance(start, str) and self._engine.dialect.name == "sqlite":
            query = query.where(by_sqlite(at, window))
        return query, {name: column.type for name, column in there.items()}

    def _first_labels(self, table: str, names: LogColumns) -> FromClause:
        """Return a label a request: the first that came, so that a label sent twice does not double its prediction."""
        labels = self._reflected(table)
        if lost := [name for name in (names.request, names.label) if name not in labels.c]:
            raise SourceUnavailable(f"The labels table '{table}' has no column '{lost[0]}'; it has {', '.join(labels.c.keys())}.")
        request, timed = labels.c[names.request], names.label_time in labels.c
        order = labels.c[names.label_time] if timed else labels.c[names.label]
        place = func.row_number().over(partition_by=request, order_by=order).label("place_of_label")
        kept = [request, labels.c[names.label], *([labels.c[names.label_time]] if timed else [])]
        ranked = select(*kept, place).subquery()
        return select(*[ranked.c[column.name] for column in kept]).where(ranked.c.place_of_label == 1).subquery()

    def _raw(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """Return a column as SQLite stores it: what its type says need not be there, and converting it would raise."""
        return type_coerce(column, sql.NullType()) if self._engine.dialect.name == "sqlite" else column

    def _first(self, at: ColumnElement[Any]) -> object:
        with self._engine.connect() as connection:
            return connection.execute(select(at).where(at.is_not(None)).limit(1)).scalar()


def _batches(connection: Connection, query: Select[Any]) -> Iterator[Sequence[Sequence[object]]]:
    """Stream the rows; SQLite's just as it holds them, because an object for each would cost a quarter of the reading."""
    if connection.dialect.name == "sqlite":
        cursor = connection.execute(query).cursor
        yield from iter(lambda: cursor.fetchmany(BATCH) if cursor else [], [])
    else:
        yield from connection.execution_options(stream_results=True, yield_per=BATCH).execute(query).partitions(BATCH)


def _whole(moment: datetime) -> datetime:
    """Return the next whole second."""
    return moment if not moment.microsecond else moment.replace(microsecond=0) + timedelta(seconds=1)


def _engine(url: str, timeout_s: float) -> Engine:
    try:
        address = make_url(url)
        if address.get_backend_name() == "sqlite":
            engine = create_engine(address, connect_args={"timeout": timeout_s})
            _bridle(engine, timeout_s)
            return engine
        if address.get_backend_name() == "postgresql":
            address = address.set(drivername="postgresql+psycopg")
            options = f"-c statement_timeout={int(timeout_s * 1000)} -c default_transaction_read_only=on -c timezone=UTC"
            return create_engine(address, pool_pre_ping=True, connect_args={"options": options, "connect_timeout": 10})
        return create_engine(address, pool_pre_ping=True)
    except (ArgumentError, ModuleNotFoundError) as error:
        raise ConfigError(
            f"The log's database address cannot be used ({type(error).__name__}); write sqlite:///log.db or the like."
        ) from None


def _bridle(engine: Engine, timeout_s: float) -> None:
    """Let SQLite only read, and no statement longer than its time: SQLite itself has no statement time-out."""
    until: dict[int, float] = {}

    def connected(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA query_only = ON")
        connection.set_progress_handler(lambda: time.monotonic() > until.get(id(connection), float("inf")), STEPS)

    def started(connection: Any, *_: object) -> None:
        until[id(connection.connection.dbapi_connection)] = time.monotonic() + timeout_s

    event.listen(engine, "connect", connected)
    event.listen(engine, "before_cursor_execute", started)


OPTIONS = {
    "url": "the database, e.g. sqlite:///log.db or ${env:LOG_URL}",
    "table": "the table or view with one row a prediction",
    "schema": "its schema, where there is one",
    "labels_table": "where labels lie when they are not in that table: joined by the request's id",
    "push_down": "true: PostgreSQL itself counts and no rows move, except labels with their scores, and waiting times",
    "timeout_s": f"how long one statement may take, in seconds; {TIMEOUT_S:g} by default",
}


def _texts(options: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, value in options.items():
        if name not in OPTIONS:
            raise ConfigError(f"A source of kind sql has no option '{name}'; it has {', '.join(OPTIONS)}.")
        yield name, str(value)


def make(options: Mapping[str, object]) -> SqlSource:
    """Build one from its options.

    Raises:
        ConfigError: an option is missing or unknown.
    """
    given = dict(_texts(options))
    if lost := [name for name in ("url", "table") if not given.get(name)]:
        raise ConfigError(f"A source of kind sql needs the option '{lost[0]}': {OPTIONS[lost[0]]}.")
    try:
        timeout_s = float(given.get("timeout_s", TIMEOUT_S))
    except ValueError:
        raise ConfigError("A source of kind sql needs a number of seconds as 'timeout_s', e.g. 60.") from None
    push_down = given.get("push_down", "false").lower()
    if push_down not in ("true", "false"):
        raise ConfigError("A source of kind sql needs true or false as 'push_down'.")
    if push_down == "true" and not given["url"].startswith("postgres"):
        raise ConfigError("'push_down' works on PostgreSQL only; take the option away, and rows are read.")
    return SqlSource(
        given["url"],
        given["table"],
        schema=given.get("schema"),
        labels=given.get("labels_table"),
        timeout_s=timeout_s,
        push_down=push_down == "true",
    )


source = SourceKind("sql", make, OPTIONS, "any SQLAlchemy database: one table or view with a row a prediction")
