"""How large the database is, and which part of it: the database itself is asked, so indexes and half-empty pages count.

Counting reads an SQLite file from end to end; PostgreSQL tells the rows of large tables from its own statistics, about.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import OperationalError

from bot.store.tables import metadata

if TYPE_CHECKING:
    from bot.store.database import SqlStore

ENGINE = "engine"
PARTS: Mapping[str, tuple[str, ...]] = {
    "findings": ("findings",),
    "messages": ("notices",),
    "notes": ("notes",),
    "references": ("references_", "lines", "wanted"),
    "incidents": ("incidents", "proposals", "votes", "decisions", "runs", "presses", "holds"),
    "audit": ("audit", "checkpoints"),
}
"""Our tables by what people call their content; everything else is the engine's."""

FEW = 100_000
"""Up to here rows are counted one by one on PostgreSQL."""

OF_SQLITE = """
SELECT tbl_name, SUM(pgsize) FROM sqlite_schema JOIN dbstat USING (name) WHERE aggregate = TRUE GROUP BY tbl_name
"""
OF_POSTGRES = """
SELECT relname, pg_total_relation_size(c.oid), reltuples FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE relkind = 'r' AND nspname IN (current_schema(), 'dbos')
"""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the database: how many rows it has (of the engine nobody counts them), and how many bytes; None: unknown."""

    name: str
    rows: int | None
    bytes: int | None


@dataclass(frozen=True, slots=True)
class Size:
    """The whole database in bytes, how many of them are free and will be used again, and its parts, the largest first."""

    bytes: int
    free: int
    parts: tuple[Part, ...]


def whole(store: "SqlStore") -> tuple[int, int]:
    """Return how many bytes the database takes, and how many of them are free; asks for nothing that takes long."""
    with store.look() as connection:
        return _whole(connection)


def measured(store: "SqlStore") -> Size:
    """Return the sizes of everything."""
    with store.look() as connection:
        sizes, about = _tables(connection)
        rows = {name: _rows(connection, name, about) for name in metadata.tables}
        parts = sorted(_parts(sizes, rows), key=lambda part: -(part.bytes or 0))
        return Size(*_whole(connection), tuple(parts))


def _whole(connection: Connection) -> tuple[int, int]:
    if connection.dialect.name != "sqlite":
        return int(connection.scalar(select(func.pg_database_size(func.current_database()))) or 0), 0
    page, pages, free = (
        int(connection.exec_driver_sql(f"PRAGMA {what}").scalar_one()) for what in ("page_size", "page_count", "freelist_count")
    )
    return page * pages, page * free


def _tables(connection: Connection) -> tuple[dict[str, int] | None, dict[str, int]]:
    """Return bytes by table, None where this SQLite was built without the means; and about how many rows a large table has."""
    if connection.dialect.name == "sqlite":
        try:
            return {str(name): int(size) for name, size in connection.execute(text(OF_SQLITE))}, {}
        except OperationalError as lacking:
            if "dbstat" not in str(lacking):
                raise
            return None, {}
    found = connection.execute(text(OF_POSTGRES)).all()
    return {str(name): int(size) for name, size, _ in found}, {str(name): int(rows) for name, _, rows in found}


def _rows(connection: Connection, name: str, about: Mapping[str, int]) -> int:
    table: Any = metadata.tables[name]
    return about[name] if about.get(name, 0) > FEW else int(connection.scalar(select(func.count()).select_from(table)) or 0)


def _parts(sizes: Mapping[str, int] | None, rows: Mapping[str, int]) -> Iterator[Part]:
    of = {table: part for part, tables in PARTS.items() for table in tables}
    taken = Counter[str]()
    for table, size in (sizes or {}).items():
        taken[of.get(table, ENGINE)] += size
    for part, tables in PARTS.items():
        yield Part(part, sum(rows[table] for table in tables), None if sizes is None else taken[part])
    yield Part(ENGINE, None, None if sizes is None else taken[ENGINE])
