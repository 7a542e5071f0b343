"""The room: everything the simulator holds, and the few things that happen in it.

Both doors, the Web API (apps) and the page's API (people), act through these verbs, so that an event is sent and
a page is told in one place only.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bot.simulator.blocks import with_ids
from bot.simulator.calls import CallLog
from bot.simulator.channels import Channels, Conversation
from bot.simulator.clock import Clock
from bot.simulator.database import Database
from bot.simulator.deliveries import Deliveries
from bot.simulator.escaping import as_markup
from bot.simulator.events import Events
from bot.simulator.faults import Faults
from bot.simulator.files import Files
from bot.simulator.limits import Limits
from bot.simulator.live import Live
from bot.simulator.messages import Message, Messages
from bot.simulator.replies import Replies
from bot.simulator.shapes import for_app, for_page
from bot.simulator.sidebar import bot_state, sidebar_entry
from bot.simulator.views import Views
from bot.simulator.workspace import Json, Workspace


class Room:
    """One workspace with its people, its app and all that was said."""

    def __init__(self, workspace: Workspace, db: str | Path, *, strict_rate: bool = False, ack_timeout_s: float = 3.0) -> None:
        self.workspace = workspace
        self.app = workspace.app
        self.base_url = ""
        self.banner: Json | None = None
        self.clock = Clock()
        self.db = Database(db)
        self.channels = Channels(self.db, workspace, self.clock.now())
        self.messages = Messages(self.db, self.clock)
        self.files = Files(self.db, self.clock)
        self.views = Views(self.db, workspace, self.clock)
        self.faults = Faults()
        self.limits = Limits(self.clock, strict=strict_rate)
        self.live = Live()
        self.calls = CallLog(self.clock, self.live)
        self.deliver = Deliveries(self.app, self.clock, self.faults, self.calls, ack_timeout_s=ack_timeout_s)
        self.replies = Replies(self)
        self.events = Events(workspace, self.channels, self.clock, self.deliver)

    def escaped(self, text: str) -> str:
        """Return what a person typed as Slack stores it."""
        return as_markup(text, self.workspace, self.channels)

    def audience(self, channel: Conversation, message: Message) -> set[str]:
        """Return who may see a message: one person for an ephemeral, else whoever may see the channel."""
        if message.ephemeral_for is not None:
            return {message.ephemeral_for}
        return {user.id for user in self.workspace.people if self.channels.may_see(channel, user.id)}

    def post(self, channel: Conversation, message: Message) -> Message:
        """Store a message, show it to everybody who may see it and tell the app.

        A reply to a message that is gone silently becomes a message of the channel itself: so does Slack.
        """
        doc = _named(message.doc)
        root = self.messages.get(channel.id, message.thread_ts) if message.thread_ts else None
        if root is None or root.is_reply or root.ephemeral_for is not None:
            message, root = replace(message, thread_ts=None, broadcast=False), None
        stored = replace(message, ts=message.ts or self.messages.next_ts(), doc=doc)
        self.messages.add(stored)
        self.show("ephemeral" if stored.ephemeral_for else "message", channel, stored)
        if root is not None and stored.ephemeral_for is None:
            self.show("changed", channel, root)
        if stored.ephemeral_for is None:
            self.channels.mark_read(channel.id, stored.user, stored.ts)
            self.events.posted(channel, stored, for_app(stored, self.messages))
        return stored

    def edit(self, channel: Conversation, old: Message, doc: Json) -> Message:
        """Put a new content in the place of the old one, with Slack's mark of an edit."""
        edited = {"user": old.user, "ts": self.messages.next_ts()}
        new = replace(old, doc={**_named(doc), **({} if old.ephemeral_for else {"edited": edited})})
        self.messages.change(channel.id, old.ts, new.doc)
        if old.ephemeral_for is None:
            self.events.changed(channel, for_app(new, self.messages), for_app(old, self.messages))
        self.show("changed", channel, new)
        return new

    def delete(self, channel: Conversation, message: Message) -> None:
        """Delete a message; a root with replies becomes a tombstone."""
        self.messages.remove(channel.id, message.ts)
        stone = self.messages.get(channel.id, message.ts)
        if stone is not None:
            self.show("changed", channel, stone)
        else:
            told = {"type": "deleted", "channel": channel.id, "ts": message.ts, "thread_ts": message.thread_ts}
            self.live.tell(told, self.audience(channel, message))
        if message.ephemeral_for is None:
            self.events.deleted(channel, for_app(message, self.messages))
        if message.is_reply and (root := self.messages.get(channel.id, str(message.thread_ts))):
            self.show("changed", channel, root)

    def come_in(self, channel: Conversation, user: str, inviter: str | None = None) -> bool:
        """Add a member; False when that person was in already."""
        came = self.channels.join(channel.id, user)
        if came:
            self.events.joined(channel, user, inviter)
            self.show_channel(channel)
        return came

    def react(self, channel: Conversation, message: Message, name: str, *, user: str, add: bool) -> bool:
        """Add or take back a reaction; False when nothing changed."""
        done = self.messages.react(channel.id, message.ts, name, user, add=add)
        if done:
            self.show("changed", channel, message)
            self.events.reaction(channel, message, name, user=user, add=add)
        return done

    def show_channel(self, channel: Conversation) -> None:
        """Tell everybody who may see a channel that it is new or has changed."""
        now = self.channels.get(channel.id) or channel
        for user in self.workspace.users:
            if self.channels.may_see(now, user.id):
                self.live.tell({"type": "channel", "channel": sidebar_entry(self, now, user.id)}, {user.id})

    def show(self, kind: str, channel: Conversation, message: Message) -> None:
        """Tell the open pages about a message."""
        shown = for_page(message, self.messages, self.app)
        told = {"type": kind, "channel": channel.id, "message": shown}
        self.live.tell(told, self.audience(channel, message))

    def show_bot(self) -> None:
        """Tell the pages whether the app is connected."""
        now = bot_state(self)
        self.live.tell({"type": "bot", "connected": now["connected"], "transport": now["transport"]})

    def show_view(self, kind: str, user: str, view: Json) -> None:
        """Tell a person's pages about a view: view_open, view_update, view_close or home."""
        self.live.tell({"type": kind, "view": view}, {user})

    async def close(self) -> None:
        """Stop deliveries and close the database."""
        await self.deliver.close()
        self.db.close()


def _named(doc: Json) -> Json:
    """Return a message in which every block has its id, also those inside attachments."""
    attachments = [
        {"id": number, **each, **({"blocks": with_ids(each["blocks"])} if each.get("blocks") else {})}
        for number, each in enumerate(doc.get("attachments") or [], start=1)
    ]
    named = {**doc, "blocks": with_ids(doc["blocks"])} if doc.get("blocks") else dict(doc)
    return {**named, "attachments": attachments} if attachments else named
