"""Response URLs: an app's answer to a click or command, up to five times within half an hour."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from bot.simulator.blocks import check_message
from bot.simulator.channels import Conversation
from bot.simulator.errors import SlackError
from bot.simulator.messages import Message
from bot.simulator.workspace import Json

if TYPE_CHECKING:
    from bot.simulator.room import Room

USES = 5
LIVES_S = 30 * 60.0
TEXT_CHARS = 40_000


class Replies:
    """The response URLs that were handed out."""

    def __init__(self, room: Room) -> None:
        self._room = room

    def new_url(self, channel: str, user: str, *, ts: str | None = None, thread_ts: str | None = None) -> str:
        """Return a response URL for a click in a channel, or on the message `ts`."""
        key, due = secrets.token_urlsafe(18), self._room.clock.now() + LIVES_S
        sql = "insert into response_urls (key, channel, user, ts, thread_ts, due) values (?, ?, ?, ?, ?, ?)"
        self._room.db.run(sql, key, channel, user, ts, thread_ts, due)
        return f"{self._room.base_url}/response_url/{key}"

    def use(self, key: str, body: Json) -> None:
        """Do what the app asks for through one of these URLs.

        Raises:
            SlackError: expired_url, used_url, no_text, invalid_blocks and the like.
        """
        room = self._room
        row = room.db.row("select * from response_urls where key = ?", key)
        channel = room.channels.get(row["channel"]) if row else None
        if row is None or channel is None or room.clock.now() >= row["due"]:
            raise SlackError("expired_url", status=404)
        if row["uses"] >= USES:
            raise SlackError("used_url", status=404)
        original = room.messages.get(channel.id, row["ts"]) if row["ts"] else None
        if body.get("delete_original") and original:
            room.delete(channel, original)
        else:
            self.say(channel, row["user"], body, original=original)
        room.db.run("update response_urls set uses = uses + 1 where key = ?", key)

    def say(self, channel: Conversation, user: str, body: Json, *, original: Message | None = None) -> None:
        """Post an app's answer: ephemeral unless it asks for `in_channel`; or put it in the place of `original`."""
        doc = self._doc(body)
        if body.get("replace_original") and original:
            kept: Json = {key: original.doc[key] for key in ("metadata", "bot_id", "app_id", "team") if key in original.doc}
            self._room.edit(channel, original, {**kept, **doc})
            return
        ephemeral = body.get("response_type", "ephemeral") != "in_channel"
        bot = {"bot_id": self._room.app.bot_id, "app_id": self._room.app.id, "team": self._room.workspace.team_id}
        message = Message(
            channel=channel.id,
            ts="",
            user=self._room.app.bot_user_id,
            doc={**doc, **bot},
            thread_ts=body.get("thread_ts"),
            ephemeral_for=user if ephemeral else None,
        )
        self._room.post(channel, message)

    @staticmethod
    def _doc(body: Json) -> Json:
        text, blocks, attachments = body.get("text"), body.get("blocks"), body.get("attachments")
        if blocks is not None:
            check_message(blocks)
        if not (text or blocks or attachments):
            raise SlackError("no_text")
        if text is not None and not isinstance(text, str):
            raise SlackError("invalid_payload", status=400)
        doc: dict[str, Any] = {"text": (text or "")[:TEXT_CHARS]}
        return doc | {k: v for k, v in (("blocks", blocks), ("attachments", attachments)) if v}
