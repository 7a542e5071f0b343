"""conversations.*: channels, their members and their history."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TypeVar

from bot.simulator.channels import Conversation, api_shape
from bot.simulator.errors import SlackError
from bot.simulator.messages import Message
from bot.simulator.shapes import for_app
from bot.simulator.webapi.call import Call, method
from bot.simulator.workspace import Json

PREFIX = {"channel": "channels", "group": "groups", "im": "im"}
KINDS = {"public_channel": "channel", "private_channel": "group", "im": "im"}
NAME_CHARS = 80
TOPIC_CHARS = 250
NEVER = "9999999999.999999"
_Item = TypeVar("_Item")


def _need(call: Call, channel: Conversation, what: str) -> None:
    """Raise missing_scope: what is allowed depends on the kind of conversation."""
    public_manage = {"write": "manage"} if channel.kind == "channel" else {}
    call.need(f"{PREFIX[channel.kind]}:{public_manage.get(what, what)}")


def _shape(call: Call, channel: Conversation) -> Json:
    members = call.room.channels.members(channel.id)
    return api_shape(channel, is_member=call.room.app.bot_user_id in members, num_members=len(members))


def paged(call: Call, items: list[_Item], default: int = 100) -> tuple[list[_Item], str]:
    """Return one page of a list and the cursor of the next, "" on the last.

    Raises:
        SlackError: invalid_cursor, invalid_limit.
    """
    limit, cursor = call.number("limit", default, 1000), call.maybe("cursor")
    try:
        start = int(base64.b64decode(cursor, validate=True).removeprefix(b"at:")) if cursor else 0
    except (ValueError, binascii.Error) as wrong:
        raise SlackError("invalid_cursor") from wrong
    left = len(items) - start - limit
    return items[start : start + limit], base64.b64encode(b"at:%d" % (start + limit)).decode() if left > 0 else ""


@method("conversations.create", tier=2)
def create(call: Call) -> Json:
    """Create a channel; the app is its first member."""
    name, private = call.text("name", "invalid_name_required"), call.flag("is_private")
    call.need("groups:write" if private else "channels:manage")
    if len(name) > NAME_CHARS:
        raise SlackError("invalid_name_maxlength")
    if not re.fullmatch(r"[a-z0-9_-]+", name):
        raise SlackError("invalid_name_specials")
    if not re.search(r"[a-z0-9]", name):
        raise SlackError("invalid_name_punctuation")
    room = call.room
    if room.channels.named(name):
        raise SlackError("name_taken")
    channel = room.channels.create(name, creator=room.app.bot_user_id, private=private, now=room.clock.now())
    room.show_channel(channel)
    return {"channel": _shape(call, channel)}


@method("conversations.invite", tier=3)
def invite(call: Call) -> Json:
    """Bring people into a channel."""
    channel = call.channel(live=True)
    _need(call, channel, "write")
    if channel.is_im:
        raise SlackError("method_not_supported_for_channel_type")
    if not call.room.channels.is_member(channel.id, call.room.app.bot_user_id):
        raise SlackError("not_in_channel")
    if not (wanted := call.ids("users")):
        raise SlackError("no_user")
    users = [call.known_user(user) for user in wanted]
    if any(user.id == call.room.app.bot_user_id for user in users):
        raise SlackError("cant_invite_self")
    if any(call.room.channels.is_member(channel.id, user.id) for user in users):
        raise SlackError("already_in_channel")
    for user in users:
        call.room.come_in(channel, user.id, inviter=call.room.app.bot_user_id)
    return {"channel": _shape(call, channel)}


@method("conversations.join", scope="channels:join", tier=3)
def join(call: Call) -> Json:
    """Let the app join a public channel."""
    channel = call.channel(live=True)
    if channel.kind != "channel":
        raise SlackError("method_not_supported_for_channel_type")
    came = call.room.come_in(channel, call.room.app.bot_user_id)
    return {"channel": _shape(call, channel)} | ({} if came else {"warning": "already_in_channel"})


@method("conversations.info", tier=3)
def info(call: Call) -> Json:
    """Return one conversation."""
    channel = call.channel()
    _need(call, channel, "read")
    return {"channel": _shape(call, channel)}


@method("conversations.list", tier=2)
def everything(call: Call) -> Json:
    """Return the conversations of the asked types that the app may see."""
    types = call.ids("types") or ["public_channel"]
    if unknown := set(types) - {*KINDS, "mpim"}:
        raise SlackError("invalid_types", unknown=sorted(unknown))
    wanted = {KINDS[kind] for kind in types if kind in KINDS}
    for kind in wanted:
        call.need(f"{PREFIX[kind]}:read")
    bot, channels = call.room.app.bot_user_id, call.room.channels
    found = [c for c in channels.all() if c.kind in wanted and channels.may_see(c, bot)]
    if call.flag("exclude_archived"):
        found = [c for c in found if not c.archived]
    page, cursor = paged(call, [_shape(call, channel) for channel in found])
    return {"channels": page, "response_metadata": {"next_cursor": cursor}}


@method("conversations.members", tier=4)
def members(call: Call) -> Json:
    """Return the ids of a channel's members."""
    channel = call.channel()
    _need(call, channel, "read")
    page, cursor = paged(call, call.room.channels.members(channel.id))
    return {"members": page, "response_metadata": {"next_cursor": cursor}}


def _told(call: Call, messages: list[Message]) -> list[Json]:
    # Metadata is told only to apps with the scope for it, and only when they ask.
    wanted = call.flag("include_all_metadata") and "metadata.message:read" in call.room.app.scopes
    return [for_app(message, call.room.messages, metadata=wanted) for message in messages]


def _times(call: Call) -> tuple[str, str]:
    oldest, latest = call.maybe("oldest") or "0", call.maybe("latest") or NEVER
    for given, code in ((oldest, "invalid_ts_oldest"), (latest, "invalid_ts_latest")):
        if not re.fullmatch(r"\d+(\.\d+)?", given):
            raise SlackError(code)
    return oldest, latest


def _within(call: Call, messages: list[Message]) -> list[Message]:
    oldest, latest = _times(call)
    ends = {oldest, latest} if call.flag("inclusive") else set()
    return [m for m in messages if float(oldest) < float(m.ts) < float(latest) or m.ts in ends]


@method("conversations.history", tier=3)
def history(call: Call) -> Json:
    """Return a channel's messages, newest first."""
    channel = call.channel(member=True)
    _need(call, channel, "history")
    found = call.room.messages.between(channel.id, *_times(call))
    page, cursor = paged(call, _within(call, found))
    more: Json = {"response_metadata": {"next_cursor": cursor}} if cursor else {}
    return {"messages": _told(call, page), "has_more": bool(cursor), "pin_count": 0, **more}


@method("conversations.replies", tier=3)
def replies(call: Call) -> Json:
    """Return a thread: its root, then its replies, oldest first."""
    channel = call.channel(member=True)
    _need(call, channel, "history")
    root = call.room.messages.get(channel.id, call.text("ts", "thread_not_found"))
    if root is None or root.ephemeral_for is not None:
        raise SlackError("thread_not_found")
    below = [] if root.is_reply else _within(call, call.room.messages.replies(channel.id, root.ts))
    page, cursor = paged(call, [root, *below], default=1000)
    more: Json = {"response_metadata": {"next_cursor": cursor}} if cursor else {}
    return {"messages": _told(call, page), "has_more": bool(cursor), **more}


@method("conversations.setTopic", tier=2)
def set_topic(call: Call) -> Json:
    """Change a channel's topic."""
    channel = call.channel(member=True, live=True)
    _need(call, channel, "write")
    topic = str(call.args.get("topic", ""))
    if len(topic) > TOPIC_CHARS:
        raise SlackError("too_long")
    call.room.channels.set_topic(channel.id, topic)
    call.room.show_channel(channel)
    return {"channel": _shape(call, call.channel())}


@method("conversations.archive", tier=2)
def archive(call: Call) -> Json:
    """Archive a channel."""
    channel = call.channel(member=True)
    _need(call, channel, "write")
    if channel.archived:
        raise SlackError("already_archived")
    if channel.name == "general":
        raise SlackError("cant_archive_general")
    if channel.is_im:
        raise SlackError("method_not_supported_for_channel_type")
    call.room.channels.archive(channel.id)
    call.room.show_channel(channel)
    return {}


@method("conversations.open", scope="im:write", tier=3)
def open_direct(call: Call) -> Json:
    """Open the direct message with one person."""
    users = call.ids("users")
    if not users and not call.maybe("channel"):
        raise SlackError("users_list_not_supplied")
    if len(users) > 1:
        raise SlackError("too_many_users")
    user = call.known_user(users[0]) if users else None
    channel = call.room.channels.direct(user.id, call.room.clock.now()) if user else call.channel()
    told = _shape(call, channel) if call.flag("return_im") else {"id": channel.id}
    return {"channel": told}
