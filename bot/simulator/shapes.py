"""The same message told twice: as the Web API tells an app, and as the page shows a person."""

from __future__ import annotations

from bot.simulator.files import for_page as file_for_page
from bot.simulator.messages import Message, Messages
from bot.simulator.workspace import Json, SlackApp

PAGE_KEYS = ("text", "blocks", "attachments", "files")


def for_app(message: Message, messages: Messages, *, metadata: bool = False) -> Json:
    """Return a message as `conversations.history` tells it; metadata only when asked for."""
    told: Json = {"type": "message", "user": message.user, "ts": message.ts, **message.doc}
    if not metadata:
        told.pop("metadata", None)
    if message.is_reply:
        told["thread_ts"] = message.thread_ts
        root = messages.get(message.channel, str(message.thread_ts))
        told["parent_user_id"] = root.user if root else ""
    told.update(thread_summary(message, messages, subscribed=True))
    if reactions := messages.reactions(message.channel, message.ts):
        told["reactions"] = reactions
    if message.ts in messages.pins(message.channel):
        told["pinned_to"] = [message.channel]
    return told


def thread_summary(message: Message, messages: Messages, *, subscribed: bool = False) -> Json:
    """Return reply count, repliers and newest reply of a root message; empty when there are none."""
    replies = [] if message.is_reply else messages.replies(message.channel, message.ts)
    if not replies:
        return {}
    users = list(dict.fromkeys(reply.user for reply in replies))
    summary: Json = {"thread_ts": message.ts, "reply_count": len(replies), "reply_users": users}
    summary |= {"reply_users_count": len(users), "latest_reply": replies[-1].ts}
    return summary | ({"subscribed": False, "is_locked": False} if subscribed else {})


def for_page(message: Message, messages: Messages, app: SlackApp) -> Json:
    """Return the message `M` of the page's API, with every key present."""
    doc = message.doc
    shown: Json = {key: doc.get(key) or ([] if key != "text" else "") for key in PAGE_KEYS}
    shown["files"] = [file_for_page(file) for file in shown["files"]]
    shown |= {"ts": message.ts, "channel": message.channel, "user": message.user}
    shown |= {"app": message.user == app.bot_user_id, "ephemeral": message.ephemeral_for is not None}
    shown |= {"reply_count": 0, "reply_users": [], "latest_reply": None, "edited": doc.get("edited")}
    shown |= thread_summary(message, messages)
    if message.is_reply:
        shown["thread_ts"] = message.thread_ts
    shown |= {"reactions": messages.reactions(message.channel, message.ts)}
    shown |= {"pinned": message.ts in messages.pins(message.channel), "broadcast": message.broadcast}
    for optional in ("username", "icon_emoji", "metadata", "subtype"):
        if optional in doc:
            shown[optional] = doc[optional]
    return shown
