"""The JSON that Slack sends to an app when a person types a command, clicks, submits or picks."""

from __future__ import annotations

from bot.simulator.channels import Conversation
from bot.simulator.messages import Message
from bot.simulator.room import Room
from bot.simulator.shapes import for_app
from bot.simulator.workspace import Json, User


def who(room: Room, user: User) -> Json:
    """Return the `user` of a payload."""
    return {"id": user.id, "username": user.name, "name": user.name, "team_id": room.workspace.team_id}


def _head(room: Room, user: User, kind: str) -> Json:
    team = {"id": room.workspace.team_id, "domain": room.workspace.domain}
    head: Json = {"type": kind, "team": team, "enterprise": None, "is_enterprise_install": False, "token": ""}
    return head | {"api_app_id": room.app.id, "user": who(room, user)}


def _place(channel: Conversation) -> Json:
    return {"id": channel.id, "name": "directmessage" if channel.is_im else channel.name}


def command(room: Room, user: User, channel: Conversation, words: tuple[str, str]) -> Json:
    """Return the form fields of a slash command; `words` are the command and its text."""
    sent: Json = {"token": "", "team_id": room.workspace.team_id, "team_domain": room.workspace.domain}
    sent |= {"channel_id": channel.id, "channel_name": _place(channel)["name"], "user_id": user.id}
    sent |= {"user_name": user.name, "command": words[0], "text": words[1], "api_app_id": room.app.id}
    sent |= {"is_enterprise_install": "false", "trigger_id": room.views.new_trigger(user.id)}
    return sent | {"response_url": room.replies.new_url(channel.id, user.id)}


def block_actions(room: Room, user: User, action: Json) -> Json:
    """Return the part that every click has in common."""
    return {**_head(room, user, "block_actions"), "actions": [{**action, "action_ts": f"{room.clock.now():.6f}"}]}


def from_message(room: Room, user: User, at: tuple[Conversation, Message], attachment: int | None) -> Json:
    """Return the part of a click that tells about the message (and its attachment, if any) it was made on."""
    channel, message = at
    url = room.replies.new_url(channel.id, user.id, ts=message.ts, thread_ts=message.thread_ts)
    container: Json = {"type": "message", "message_ts": message.ts, "channel_id": channel.id}
    container["is_ephemeral"] = message.ephemeral_for is not None
    if attachment is not None:
        container |= {"type": "message_attachment", "attachment_id": attachment, "is_app_unfurl": False}
    if message.is_reply:
        container["thread_ts"] = message.thread_ts
    sent: Json = {"container": container, "channel": _place(channel), "response_url": url}
    if message.ephemeral_for is None:  # Slack does not repeat an ephemeral message
        sent["message"] = for_app(message, room.messages)
    return sent | {"trigger_id": room.views.new_trigger(user.id)}


def from_view(room: Room, user: User, view: Json) -> Json:
    """Return the part of a click that tells about the view it was made in."""
    trigger = room.views.new_trigger(user.id, view["id"])
    return {"container": {"type": "view", "view_id": view["id"]}, "view": view, "trigger_id": trigger}


def view_submission(room: Room, user: User, view: Json) -> Json:
    """Return what is sent when a modal is submitted."""
    sent = _head(room, user, "view_submission")
    return {**sent, "trigger_id": room.views.new_trigger(user.id, view["id"]), "view": view, "response_urls": []}


def view_closed(room: Room, user: User, view: Json, *, cleared: bool) -> Json:
    """Return what is sent when a modal is closed."""
    return {**_head(room, user, "view_closed"), "view": view, "is_cleared": cleared}


def shortcut(room: Room, user: User, callback_id: str) -> Json:
    """Return what a global shortcut sends."""
    sent = _head(room, user, "shortcut")
    now = f"{room.clock.now():.6f}"
    return {**sent, "callback_id": callback_id, "trigger_id": room.views.new_trigger(user.id), "action_ts": now}


def message_action(room: Room, user: User, callback_id: str, at: tuple[Conversation, Message]) -> Json:
    """Return what a shortcut on a message sends."""
    channel, message = at
    sent = {**_head(room, user, "message_action"), **shortcut(room, user, callback_id), "type": "message_action"}
    sent |= {"channel": _place(channel), "message": for_app(message, room.messages), "message_ts": message.ts}
    return sent | {"response_url": room.replies.new_url(channel.id, user.id, ts=message.ts)}


def block_suggestion(room: Room, user: User, asked: Json) -> Json:
    """Return what is sent when an external menu needs its options; `asked` holds ids, value and container."""
    return {**_head(room, user, "block_suggestion"), **asked}
