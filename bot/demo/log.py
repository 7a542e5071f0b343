"""The demo company's prediction log: one SQLite file, as a small company would have it.

`predictions` has one row a flight, `labels` one row a flight whose truth has arrived; the view `log` is both, side by side, under
the names that the bot expects by default. Times are UTC text, `2013-07-10 09:00:00.000000`: fixed width, so that text order is time
order, and the form in which SQLAlchemy reads and writes a DATETIME on SQLite.
"""

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from bot.demo.flights import CATEGORIES, FEATURES

HEAD = ("request_id", "board", "time", "version", "score", "latency_ms", "error")
COLUMNS = (*HEAD, *FEATURES)
"""A row of `predictions`, in this order: flight, request that asked for it, when, who answered what how fast, features."""

Row = Sequence[object]

_FEATURES = ", ".join(f"{name} {'TEXT' if name in CATEGORIES else 'REAL'}" for name in FEATURES)
SCHEMA = f"""
CREATE TABLE IF NOT EXISTS predictions (
    request_id TEXT PRIMARY KEY, board TEXT NOT NULL, time DATETIME NOT NULL, version TEXT, score REAL, latency_ms REAL,
    error TEXT, {_FEATURES}
);
CREATE INDEX IF NOT EXISTS predictions_time ON predictions (time);
CREATE TABLE IF NOT EXISTS labels (
    request_id TEXT PRIMARY KEY, label BOOLEAN NOT NULL, label_time DATETIME NOT NULL
) WITHOUT ROWID;
CREATE VIEW IF NOT EXISTS log AS
    SELECT predictions.*, labels.label, labels.label_time FROM predictions LEFT JOIN labels USING (request_id);
"""  # noqa: S608 - names of our own


class PredictionLog:
    """Writes the log; safe to share between threads. A row that is there already is kept: what was logged was logged."""

    def __init__(self, path: Path) -> None:
        self.path, self._lock = path, threading.Lock()
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.executescript(SCHEMA)

    @property
    def url(self) -> str:
        """Where the bot finds it."""
        return f"sqlite:///{self.path}"

    def add(self, rows: Iterable[Row]) -> None:
        """Log predictions, each a row of `COLUMNS`; all of them or none."""
        self._write(f"INSERT OR IGNORE INTO predictions VALUES ({', '.join('?' * len(COLUMNS))})", rows)  # noqa: S608

    def label(self, rows: Iterable[tuple[str, bool, datetime]]) -> None:
        """Log truths: flight, whether it was late, when that was known."""
        told = ((request, int(late), stamp(at)) for request, late, at in rows)
        self._write("INSERT OR IGNORE INTO labels VALUES (?, ?, ?)", told)

    def count(self) -> tuple[int, int]:
        """Return how many predictions and how many labels there are."""
        with self._lock:
            found = self._database.execute("SELECT (SELECT count(*) FROM predictions), (SELECT count(*) FROM labels)").fetchone()
        return int(found[0]), int(found[1])

    def answered_since(self, at: datetime) -> dict[str, int]:
        """Return by version how many rows were answered live (with a latency) since this time."""
        query = "SELECT version, count(*) FROM predictions WHERE latency_ms IS NOT NULL AND time >= ? GROUP BY version"
        with self._lock:
            return {str(version): int(n) for version, n in self._database.execute(query, (stamp(at),))}

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write(self, statement: str, rows: Iterable[Row]) -> None:
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                self._database.executemany(statement, rows)
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")


def stamp(at: datetime) -> str:
    """Return a time as the log writes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
