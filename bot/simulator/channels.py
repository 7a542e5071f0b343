"""Conversations: public and private channels and direct messages, their members and what each has read."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from bot.simulator.database import Database
from bot.simulator.workspace import Json, Workspace


@dataclass(frozen=True)
class Conversation:
    """A channel (`kind` "channel"), a private one ("group") or a direct message ("im")."""

    id: str
    name: str
    kind: str
    topic: str
    creator: str
    created: float
    archived: bool

    @property
    def is_im(self) -> bool:
        """Say whether this is a direct message with the app."""
        return self.kind == "im"


class Channels:
    """Every conversation of the workspace."""

    def __init__(self, db: Database, workspace: Workspace, now: float) -> None:
        self._db = db
        self._workspace = workspace
        for channel in workspace.channels:
            # A channel of an earlier run keeps its topic and its members.
            kind = "group" if channel.is_private else "channel"
            if self.get(channel.id) is None:
                self._insert(channel.id, channel.name, kind, ("", now, channel.topic))
                for member in channel.members:
                    self.join(channel.id, workspace.person(member).id)

    def get(self, channel: str) -> Conversation | None:
        """Return the conversation with this id."""
        return _conversation(self._db.row("select * from channels where id = ?", channel))

    def named(self, name: str) -> Conversation | None:
        """Return the channel with this name, with or without #."""
        wanted = name.removeprefix("#")
        return _conversation(self._db.row("select * from channels where name = ? and kind <> 'im'", wanted))

    def all(self) -> list[Conversation]:
        """Return every conversation, oldest first."""
        found = self._db.rows("select * from channels order by created, id")
        return [c for c in map(_conversation, found) if c is not None]

    def create(self, name: str, *, creator: str, private: bool, now: float) -> Conversation:
        """Create a channel whose only member is its creator."""
        channel = self._insert(self._db.new_id("C"), name, "group" if private else "channel", (creator, now, ""))
        self.join(channel.id, creator)
        return channel

    def direct(self, user: str, now: float) -> Conversation:
        """Return the direct message between a person and the app, opening it when new."""
        found = self.get(f"D{user[1:]}")
        if found is None:
            found = self._insert(f"D{user[1:]}", user, "im", (user, now, ""))
            self.join(found.id, user)
            self.join(found.id, self._workspace.app.bot_user_id)
        return found

    def _insert(self, channel: str, name: str, kind: str, rest: tuple[str, float, str]) -> Conversation:
        creator, created, topic = rest
        self._db.run(
            "insert into channels (id, name, kind, creator, created, topic) values (?, ?, ?, ?, ?, ?)",
            *(channel, name, kind, creator, created, topic),
        )
        return Conversation(channel, name, kind, topic, creator, created, archived=False)

    def set_topic(self, channel: str, topic: str) -> None:
        """Change the topic."""
        self._db.run("update channels set topic = ? where id = ?", topic, channel)

    def archive(self, channel: str) -> None:
        """Archive a channel; its messages stay readable."""
        self._db.run("update channels set archived = 1 where id = ?", channel)

    def join(self, channel: str, user: str) -> bool:
        """Add a member; False when that person was in already."""
        return self._db.run("insert or ignore into members values (?, ?)", channel, user) == 1

    def members(self, channel: str) -> list[str]:
        """Return the ids of the members."""
        return [r["user"] for r in self._db.rows("select user from members where channel = ? order by user", channel)]

    def is_member(self, channel: str, user: str) -> bool:
        """Say whether this person or bot is in the conversation."""
        return self._db.row("select 1 from members where channel = ? and user = ?", channel, user) is not None

    def may_see(self, channel: Conversation, user: str) -> bool:
        """Say whether somebody may read it: public channels are open to every person."""
        return channel.kind == "channel" or self.is_member(channel.id, user)

    def mark_read(self, channel: str, user: str, ts: str) -> None:
        """Remember the newest message that a person has seen; never moves back."""
        self._db.run(
            "insert into reads values (?, ?, ?) on conflict (channel, user) do update set ts = max(ts, excluded.ts)",
            *(channel, user, ts),
        )

    def read_until(self, channel: str, user: str) -> str:
        """Return the timestamp of the newest message that a person has seen, or "0"."""
        row = self._db.row("select ts from reads where channel = ? and user = ?", channel, user)
        return str(row["ts"]) if row else "0"


def _conversation(row: sqlite3.Row | None) -> Conversation | None:
    if row is None:
        return None
    place = (row["id"], row["name"], row["kind"], row["topic"])
    return Conversation(*place, creator=row["creator"], created=row["created"], archived=bool(row["archived"]))


def api_shape(channel: Conversation, *, is_member: bool, num_members: int) -> Json:
    """Return a conversation as `conversations.info` tells it."""
    if channel.is_im:
        return {"id": channel.id, "created": int(channel.created), "is_im": True, "user": channel.name}
    topic = {"value": channel.topic, "creator": channel.creator, "last_set": int(channel.created)}
    private = channel.kind == "group"
    told: Json = {"id": channel.id, "name": channel.name, "name_normalized": channel.name}
    told |= {"created": int(channel.created), "creator": channel.creator, "topic": topic, "num_members": num_members}
    told |= {"is_channel": not private, "is_group": private, "is_im": False, "is_mpim": False, "is_private": private}
    told |= {"is_archived": channel.archived, "is_general": channel.name == "general", "is_member": is_member}
    return told | {"is_shared": False, "is_org_shared": False, "purpose": {"value": "", "creator": "", "last_set": 0}}
