"""Messages: posted, edited, deleted, threaded; with reactions, pins and who may see them.

A stored message is Slack's own JSON (`ts`, `user`, `text`, `blocks`, `metadata`, …) in the column `doc`; thread,
author and ephemeral reader are columns of their own.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field

from bot.simulator.clock import Clock
from bot.simulator.database import Database
from bot.simulator.workspace import Json

MICROSECONDS = 1_000_000


@dataclass(frozen=True)
class Message:
    """One message as stored; `ephemeral_for` is the only person who sees it, or None."""

    channel: str
    ts: str
    user: str
    doc: Json = field(default_factory=dict)
    thread_ts: str | None = None
    ephemeral_for: str | None = None
    broadcast: bool = False

    @property
    def is_reply(self) -> bool:
        """Say whether this stands in a thread below another message."""
        return self.thread_ts is not None and self.thread_ts != self.ts


class Messages:
    """Every message of the workspace."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        newest = db.row("select max(ts) as ts from messages")
        self._last = _micros(newest["ts"]) if newest and newest["ts"] else 0

    def next_ts(self) -> str:
        """Return a timestamp that no message had before."""
        self._last = max(self._last + 1, int(self._clock.now() * MICROSECONDS))
        return f"{self._last // MICROSECONDS}.{self._last % MICROSECONDS:06d}"

    def add(self, message: Message) -> None:
        """Store a new message."""
        self._db.run(
            "insert into messages values (?, ?, ?, ?, ?, ?, ?)",
            *(message.channel, message.ts, message.thread_ts, message.user, message.ephemeral_for),
            *(int(message.broadcast), json.dumps(message.doc)),
        )

    def get(self, channel: str, ts: str) -> Message | None:
        """Return one message."""
        row = self._db.row("select * from messages where channel = ? and ts = ?", channel, ts)
        return _message(row) if row else None

    def change(self, channel: str, ts: str, doc: Json) -> None:
        """Put a new content in the place of the old one."""
        self._db.run("update messages set doc = ? where channel = ? and ts = ?", json.dumps(doc), channel, ts)

    def remove(self, channel: str, ts: str) -> None:
        """Delete a message. The root of a thread leaves a tombstone, as in Slack."""
        if self.replies(channel, ts):
            stone = {"subtype": "tombstone", "hidden": True, "text": "This message was deleted."}
            self._db.run(
                "update messages set doc = ?, user = 'USLACKBOT' where channel = ? and ts = ?",
                *(json.dumps(stone), channel, ts),
            )
        else:
            self._db.run("delete from messages where channel = ? and ts = ?", channel, ts)
        for table in ("reactions", "pins"):
            self._db.run(f"delete from {table} where channel = ? and ts = ?", channel, ts)  # noqa: S608  two fixed names

    def top_level(self, channel: str, viewer: str, *, before: str = "9", limit: int) -> list[Message]:
        """Return up to `limit` messages of a channel (threads only when broadcast), newest last."""
        found = self._db.rows(
            "select * from messages where channel = ? and ts < ?"
            " and (thread_ts is null or thread_ts = ts or broadcast = 1)"
            " and (ephemeral_for is null or ephemeral_for = ?) order by ts desc limit ?",
            *(channel, before, viewer, limit),
        )
        return [_message(row) for row in reversed(found)]

    def between(self, channel: str, oldest: str, latest: str) -> list[Message]:
        """Return the lasting top-level messages of a time, both ends included, newest first."""
        found = self._db.rows(
            "select * from messages where channel = ? and ts >= ? and ts <= ? and ephemeral_for is null"
            " and (thread_ts is null or thread_ts = ts or broadcast = 1) order by ts desc",
            *(channel, oldest, latest),
        )
        return [_message(row) for row in found]

    def replies(self, channel: str, ts: str, viewer: str = "") -> list[Message]:
        """Return the replies of a thread, oldest first; ephemeral ones only for their reader."""
        found = self._db.rows(
            "select * from messages where channel = ? and thread_ts = ? and ts <> ?"
            " and (ephemeral_for is null or ephemeral_for = ?) order by ts",
            *(channel, ts, ts, viewer),
        )
        return [_message(row) for row in found]

    def after(self, channel: str, ts: str, reader: str) -> list[Message]:
        """Return the lasting top-level messages that somebody else wrote after `ts`, newest 100."""
        found = self._db.rows(
            "select * from messages where channel = ? and ts > ? and user <> ? and ephemeral_for is null"
            " and (thread_ts is null or thread_ts = ts or broadcast = 1) order by ts desc limit 100",
            *(channel, ts, reader),
        )
        return [_message(row) for row in found]

    def last_ts(self, channel: str) -> str | None:
        """Return the timestamp of the newest lasting message."""
        row = self._db.row(
            "select max(ts) as ts from messages where channel = ? and ephemeral_for is null and"
            " (thread_ts is null or thread_ts = ts or broadcast = 1)",
            channel,
        )
        return row["ts"] if row else None

    def react(self, channel: str, ts: str, name: str, user: str, *, add: bool) -> bool:
        """Add or take back a reaction; False when nothing changed."""
        if add:
            return self._db.run("insert or ignore into reactions values (?, ?, ?, ?)", channel, ts, name, user) == 1
        where = "channel = ? and ts = ? and name = ? and user = ?"
        return self._db.run(f"delete from reactions where {where}", channel, ts, name, user) == 1  # noqa: S608

    def reactions(self, channel: str, ts: str) -> list[Json]:
        """Return the reactions of a message, in the order they were first given."""
        given: dict[str, list[str]] = {}
        sql = "select name, user from reactions where channel = ? and ts = ? order by rowid"
        for row in self._db.rows(sql, channel, ts):
            given.setdefault(row["name"], []).append(row["user"])
        return [{"name": name, "users": users, "count": len(users)} for name, users in given.items()]

    def pin(self, channel: str, ts: str, user: str) -> bool:
        """Pin a message; False when it was pinned already."""
        return self._db.run("insert or ignore into pins values (?, ?, ?, ?)", channel, ts, user, self._clock.now()) == 1

    def unpin(self, channel: str, ts: str) -> bool:
        """Take a pin away; False when there was none."""
        return self._db.run("delete from pins where channel = ? and ts = ?", channel, ts) == 1

    def pins(self, channel: str) -> list[str]:
        """Return the timestamps of the pinned messages, newest pin first."""
        return [r["ts"] for r in self._db.rows("select ts from pins where channel = ? order by at desc", channel)]


def _micros(ts: str) -> int:
    seconds, _, rest = ts.partition(".")
    return int(seconds) * MICROSECONDS + int(rest or 0)


def _message(row: sqlite3.Row) -> Message:
    return Message(
        channel=row["channel"],
        ts=row["ts"],
        user=row["user"],
        doc=json.loads(row["doc"]),
        thread_ts=row["thread_ts"],
        ephemeral_for=row["ephemeral_for"],
        broadcast=bool(row["broadcast"]),
    )
