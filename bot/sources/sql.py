"""Prediction logs in any SQL database: one table or view, read-only, one window at a time."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
from sqlalchemy import Column, Engine, MetaData, Row, Select, Table, create_engine, event, make_url, select
from sqlalchemy import types as sql
from sqlalchemy.exc import ArgumentError, NoSuchTableError, SQLAlchemyError

from bot.core.errors import ConfigError, SourceUnavailable
from bot.core.models import Model
from bot.core.ports import SourceKind
from bot.core.profiles import ColumnProfile
from bot.core.readings import Reading, Sample
from bot.core.windows import Window
from bot.sources.table import reading_of, required, sample_of, within

TIMEOUT_S = 60
BATCH = 50_000


class SqlSource:
    """The log in one table or view of one database."""

    def __init__(self, url: str, table: str, schema: str | None = None, timeout_s: float = TIMEOUT_S) -> None:
        self.name = table
        self._table, self._schema = table, schema
        self._engine = _engine(url, timeout_s)

    def reading(
        self, model: Model, window: Window, like: Mapping[str, ColumnProfile] | None = None, *, as_of: datetime | None = None
    ) -> Reading:
        """Profile one window (see `bot.core.ports.Source`)."""
        return reading_of(model, window, self._rows(model, window), like, as_of)

    def sample(self, model: Model, window: Window, limit: int, version: str | None = None) -> Sample:
        """Return some labelled rows (see `bot.core.ports.Source`)."""
        return sample_of(model, self._rows(model, window), limit, version)

    def _rows(self, model: Model, window: Window) -> pa.Table:
        """Read the window's rows and only the columns that the model names."""
        where = f"The table '{self._table}'"
        try:
            log = Table(self._table, MetaData(), schema=self._schema, autoload_with=self._engine)
            required(pa.schema([(column.name, pa.null()) for column in log.columns]).empty_table(), model.columns, where)
            query = self._query(log, model, window)
            with self._engine.connect() as connection:
                result = connection.execution_options(stream_results=True, yield_per=BATCH).execute(query)
                batches = [arrow(list(result.keys()), log, partition) for partition in result.partitions(BATCH)]
        except NoSuchTableError:
            raise SourceUnavailable(f"{where} does not exist in the log's database; name the right one in aiops.yaml.") from None
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).strip().partition("\n")[0][:200]
            raise SourceUnavailable(f"{where} of the prediction log cannot be read: {reason}") from error
        found = (
            pa.concat_tables(batches, promote_options="permissive")
            if batches
            else arrow(list(query.selected_columns.keys()), log, [])
        )
        return within(found, window, model.columns.time).sort_by(model.columns.time)

    def _query(self, log: Table, model: Model, window: Window) -> Select[tuple[object, ...]]:
        wanted = [feature.name for feature in model.features]
        names = model.columns
        wanted += [
            names.time,
            names.request,
            names.version,
            names.score,
            names.label,
            names.label_time,
            names.latency_ms,
            names.error,
        ]
        at = log.c[names.time]
        start, end = (self._bound(at, moment) for moment in (window.start, window.end))
        return select(*[log.c[name] for name in dict.fromkeys(wanted) if name in log.c]).where(at >= start, at < end)

    def _bound(self, at: Column[object], moment: datetime) -> object:
        """Return a moment in the time column's own language."""
        if isinstance(at.type, sql.DateTime):
            return moment if at.type.timezone else moment.replace(tzinfo=None)
        if isinstance(at.type, sql.Numeric | sql.Integer | sql.Float):
            scale = self._scale(at)
            return moment.timestamp() * scale
        return moment.strftime(self._text_form(at))

    def _first(self, at: Column[object]) -> object:
        with self._engine.connect() as connection:
            return connection.execute(select(at).where(at.is_not(None)).limit(1)).scalar()

    def _scale(self, at: Column[object]) -> float:
        size = abs(float(str(self._first(at) or 0)))
        return 1e6 if size > 1e14 else 1e3 if size > 1e11 else 1.0

    def _text_form(self, at: Column[object]) -> str:
        return "%Y-%m-%dT%H:%M:%S" if "T" in str(self._first(at) or "T") else "%Y-%m-%d %H:%M:%S"


def arrow(names: Sequence[str], log: Table, rows: Sequence[Row[Any]]) -> pa.Table:
    """Return rows as an Arrow table; a column that holds other things than its type says becomes text."""
    values: list[tuple[object, ...]] = list(zip(*rows, strict=True)) or [()] * len(names)
    return pa.table({name: _array(log.c[name], column) for name, column in zip(names, values, strict=True)})


def _array(column: Column[object], values: tuple[object, ...]) -> pa.Array:
    try:
        return pa.array(values, type=_arrow_type(column))
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        return pa.array([None if value is None else str(value) for value in values], type=pa.string())


def _arrow_type(column: Column[object]) -> pa.DataType | None:
    kind = column.type
    if isinstance(kind, sql.Boolean):
        return pa.bool_()
    if isinstance(kind, sql.Integer):
        return pa.int64()
    if isinstance(kind, sql.Float) or (isinstance(kind, sql.Numeric) and not kind.asdecimal):
        return pa.float64()
    if isinstance(kind, sql.String):
        return pa.string()
    if isinstance(kind, sql.DateTime):
        return pa.timestamp("us", tz="UTC")
    return None


def _engine(url: str, timeout_s: float) -> Engine:
    try:
        address = make_url(url)
        if address.get_backend_name() == "sqlite":
            engine = create_engine(address.set(query={**address.query}), connect_args={"timeout": timeout_s})
            event.listen(engine, "connect", lambda connection, _record: connection.execute("PRAGMA query_only = ON"))
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


def _text_options(options: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, value in options.items():
        if name not in OPTIONS:
            raise ConfigError(f"A source of kind sql has no option '{name}'; it has {', '.join(OPTIONS)}.")
        yield name, str(value)


OPTIONS = {
    "url": "the database, e.g. sqlite:///log.db or ${env:LOG_URL}",
    "table": "the table or view with one row a prediction",
    "schema": "its schema, where there is one",
}


def make(options: Mapping[str, object]) -> SqlSource:
    """Build one from its options.

    Raises:
        ConfigError: an option is missing or unknown.
    """
    given = dict(_text_options(options))
    if lost := [name for name in ("url", "table") if not given.get(name)]:
        raise ConfigError(f"A source of kind sql needs the option '{lost[0]}': {OPTIONS[lost[0]]}.")
    return SqlSource(given["url"], given["table"], given.get("schema"))


source = SourceKind("sql", make, OPTIONS, "any SQLAlchemy database: one table or view with a row a prediction")
