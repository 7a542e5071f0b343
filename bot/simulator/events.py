"""The Events API: what happened, told to the app when it subscribed, may know it and is in the channel."""

from __future__ import annotations

import secrets
from typing import Any

from bot.simulator.channels import Channels, Conversation
from bot.simulator.clock import Clock
from bot.simulator.deliveries import Deliveries
from bot.simulator.messages import Message
from bot.simulator.workspace import Json, Workspace

CHANNEL_TYPES = {"channel": "channels", "group": "groups", "im": "im"}


class Events:
    """Everything that the app is told without having asked."""

    def __init__(self, workspace: Workspace, channels: Channels, clock: Clock, deliver: Deliveries) -> None:
        self._workspace = workspace
        self._app = workspace.app
        self._channels = channels
        self._clock = clock
        self._deliver = deliver

    def send(self, kind: str, event: Json) -> None:
        """Send an event if the app subscribed to it (`kind` as the manifest names it)."""
        if kind not in self._app.bot_events:
            return
        name = str(event["type"])
        payload: Json = {"token": "", "team_id": self._workspace.team_id, "api_app_id": self._app.id}
        payload |= {"event": event, "type": "event_callback", "event_id": f"Ev{secrets.token_hex(5).upper()}"}
        payload |= {"event_time": int(self._clock.now()), "event_context": secrets.token_hex(8)}
        payload |= {"authorizations": [self._authorization()], "is_ext_shared_channel": False}
        self._deliver.event(name, payload)

    def _authorization(self) -> Json:
        told: Json = {"enterprise_id": None, "team_id": self._workspace.team_id, "user_id": self._app.bot_user_id}
        return told | {"is_bot": True, "is_enterprise_install": False}

    def posted(self, channel: Conversation, message: Message, told: Json) -> None:
        """Tell the app about a new message in a channel it is in."""
        self._about(channel, told)
        mentioned = f"<@{self._app.bot_user_id}>" in str(message.doc.get("text", ""))
        if mentioned and not channel.is_im and message.user != self._app.bot_user_id:
            self._in(channel, "app_mention", {**told, "type": "app_mention", "channel": channel.id})

    def changed(self, channel: Conversation, new: Json, old: Json) -> None:
        """Tell the app about an edit."""
        self._about(channel, {"subtype": "message_changed", "message": new, "previous_message": old, "hidden": True})

    def deleted(self, channel: Conversation, old: Json) -> None:
        """Tell the app about a deletion."""
        told = {"subtype": "message_deleted", "previous_message": old, "deleted_ts": old["ts"], "hidden": True}
        self._about(channel, told)

    def reaction(self, channel: Conversation, message: Message, name: str, *, user: str, add: bool) -> None:
        """Tell the app about a reaction."""
        item = {"type": "message", "channel": channel.id, "ts": message.ts}
        event: Json = {"user": user, "reaction": name, "item": item, "item_user": message.user}
        kind = "reaction_added" if add else "reaction_removed"
        self._in(channel, kind, {"type": kind, **event, "event_ts": self._now()})

    def joined(self, channel: Conversation, user: str, inviter: str | None) -> None:
        """Tell the app that somebody came into a channel."""
        event: Json = {"type": "member_joined_channel", "user": user, "channel": channel.id, "channel_type": "C"}
        event |= {"team": self._workspace.team_id, "event_ts": self._now()} | ({"inviter": inviter} if inviter else {})
        self._in(channel, "member_joined_channel", event)

    def home_opened(self, user: str, direct: str, view: Json | None) -> None:
        """Tell the app that somebody opened its Home tab."""
        event: Json = {"type": "app_home_opened", "user": user, "channel": direct, "tab": "home"}
        event |= {"event_ts": self._now()} | ({"view": view} if view else {})
        self.send("app_home_opened", event)

    def _about(self, channel: Conversation, told: Json) -> None:
        event: dict[str, Any] = {"type": "message", "channel": channel.id, "channel_type": channel.kind, **told}
        event.setdefault("ts", self._now())
        self._in(channel, f"message.{CHANNEL_TYPES[channel.kind]}", {**event, "event_ts": event["ts"]})

    def _in(self, channel: Conversation, kind: str, event: Json) -> None:
        if self._channels.is_member(channel.id, self._app.bot_user_id):
            self.send(kind, event)

    def _now(self) -> str:
        return f"{self._clock.now():.6f}"
