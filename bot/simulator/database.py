"""The SQLite file below everything: what people and apps wrote survives a restart of the simulator."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

SCHEMA = """
create table if not exists channels (
  id text primary key, name text not null, kind text not null, topic text not null default '',
  creator text not null default '', created real not null, archived integer not null default 0);
create unique index if not exists channel_names on channels (name) where kind <> 'im';
create table if not exists members (channel text, user text, primary key (channel, user)) without rowid;
create table if not exists messages (
  channel text, ts text, thread_ts text, user text not null, ephemeral_for text,
  broadcast integer not null default 0, doc text not null, primary key (channel, ts)) without rowid;
create index if not exists threads on messages (channel, thread_ts, ts);
create table if not exists reads (channel text, user text, ts text not null, primary key (channel, user)) without rowid;
create table if not exists reactions (
  channel text, ts text, name text, user text, primary key (channel, ts, name, user));
create table if not exists pins (channel text, ts text, user text, at real, primary key (channel, ts)) without rowid;
create table if not exists bookmarks (id text primary key, channel text not null, doc text not null);
create table if not exists files (
  id text primary key, doc text not null, state text not null, key text not null, body blob);
create table if not exists views (
  id text primary key, kind text not null, user text not null, state text not null, depth integer not null,
  doc text not null);
create table if not exists triggers (
  id text primary key, user text not null, view text not null, due real not null, used integer not null default 0);
create table if not exists response_urls (
  key text primary key, channel text not null, user text not null, ts text, thread_ts text,
  due real not null, uses integer not null default 0);
create table if not exists counters (name text primary key, value integer not null) without rowid;
"""


class Database:
    """One connection, used by the simulator's loop only; each statement is its own transaction."""

    def __init__(self, path: str | Path) -> None:
        self._connection = sqlite3.connect(str(path), check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        # A killed process loses nothing; only a killed machine would, and this is no archive.
        self._connection.execute("pragma journal_mode = wal")
        self._connection.execute("pragma synchronous = off")
        self._connection.executescript(SCHEMA)

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        """Return all rows of a query."""
        return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, *values: Any) -> sqlite3.Row | None:
        """Return the first row of a query, or None."""
        found: sqlite3.Row | None = self._connection.execute(sql, values).fetchone()
        return found

    def run(self, sql: str, *values: Any) -> int:
        """Execute one change and return how many rows it touched."""
        return self._connection.execute(sql, values).rowcount

    def next(self, name: str) -> int:
        """Return 1, 2, 3 … for a counter, also across restarts."""
        row = self.row(
            "insert into counters values (?, 1) on conflict (name) do update set value = value + 1 returning value", name
        )
        return int(row["value"]) if row else 0

    def new_id(self, letter: str) -> str:
        """Return a fresh id in Slack's fashion: a letter and ten capital letters or digits."""
        digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
        number, text = self.next(letter), ""
        while number:
            number, digit = divmod(number, len(digits))
            text = digits[digit] + text
        return f"{letter}1{text:0>9}"

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
