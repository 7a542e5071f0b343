"""chat.*: posting, editing and deleting messages, ephemerals and permalinks."""

from __future__ import annotations

import json
from typing import Any

from bot.simulator.blocks import check_message, parts, refusal
from bot.simulator.channels import Conversation
from bot.simulator.errors import SlackError
from bot.simulator.messages import Message
from bot.simulator.rules import problem, string
from bot.simulator.shapes import for_app
from bot.simulator.webapi.call import Call, method
from bot.simulator.workspace import Json

TEXT_CHARS = 40_000
EDITED_TEXT_CHARS = 4_000
METADATA_BYTES = 8_000
ATTACHMENTS = 100


def _content(call: Call, *, most: int, cut: bool = False) -> Json:
    """Return text, blocks, attachments and metadata of a call, each checked as Slack checks it.

    A text of more than `most` characters is refused, or `cut` without a word.
    """
    text = str(call.args.get("text") or "")[: most if cut else None]
    blocks = call.decoded("blocks", "invalid_blocks_format")
    attachments = call.decoded("attachments", "invalid_attachments")
    markdown = call.maybe("markdown_text")
    if markdown is not None and (text or blocks):
        raise SlackError("markdown_text_conflict")
    if len(text) > most or len(markdown or "") > 12_000:
        raise SlackError("msg_too_long")
    if blocks is not None:
        check_message(blocks)
        _known_files(call, blocks)
    if attachments is not None:
        _check_attachments(attachments)
    if not (text.strip() or blocks or attachments or markdown):
        raise SlackError("no_text")
    content: dict[str, Any] = {"text": text or markdown or ""}
    given = (("blocks", blocks), ("attachments", attachments))
    content |= {key: value for key, value in given if value is not None}
    return content | _metadata(call)


def _check_attachments(attachments: Any) -> None:
    if not isinstance(attachments, list) or not all(isinstance(a, dict) for a in attachments):
        raise SlackError("invalid_attachments")
    if len(attachments) > ATTACHMENTS:
        raise SlackError("too_many_attachments")
    for attachment in attachments:
        if attachment.get("blocks") is not None:
            check_message(attachment["blocks"], "invalid_attachments")


def _known_files(call: Call, blocks: list[Any]) -> None:
    for part in parts(blocks):
        named = part.get("slack_file")
        if isinstance(named, dict) and "id" in named and call.room.files.get(str(named["id"])) is None:
            raise refusal("invalid_blocks", [problem("invalid slack file", "/blocks")])


def _metadata(call: Call) -> Json:
    metadata = call.decoded("metadata", "invalid_metadata_format")
    if metadata is None:
        return {}
    if metadata == {}:
        return {"metadata": None}
    if not isinstance(metadata, dict):
        raise SlackError("invalid_metadata_format")
    wrong: list[str] = []
    string(255)(metadata.get("event_type"), "/metadata/event_type", wrong)
    if wrong or not isinstance(metadata.get("event_payload"), dict):
        raise SlackError("invalid_metadata_schema")
    if len(json.dumps(metadata)) > METADATA_BYTES:
        raise SlackError("metadata_too_large")
    return {"metadata": {key: metadata[key] for key in ("event_type", "event_payload")}}


def _signed(call: Call, content: Json) -> Json:
    """Return the content of a message of the app, with its name on it."""
    app = call.room.app
    doc = {**content, "bot_id": app.bot_id, "app_id": app.id, "team": call.room.workspace.team_id}
    if call.maybe("username") or call.maybe("icon_emoji") or call.maybe("icon_url"):
        call.need("chat:write.customize")
        doc |= {key: call.args[key] for key in ("username", "icon_emoji") if call.maybe(key)}
    return {key: value for key, value in doc.items() if value is not None}


def _target(call: Call) -> Conversation:
    """Return where to post: a channel id or name, or a person, whose direct message is then opened."""
    wanted, room = call.text("channel", "channel_not_found"), call.room
    if any(user.id == wanted and not user.is_bot for user in room.workspace.users):
        return room.channels.direct(wanted, room.clock.now())
    found = room.channels.get(wanted) or room.channels.named(wanted)
    bot = room.app.bot_user_id
    if found is None or not room.channels.may_see(found, bot):
        raise SlackError("channel_not_found")
    if found.archived:
        raise SlackError("is_archived")
    if not room.channels.is_member(found.id, bot) and "chat:write.public" not in room.app.scopes:
        raise SlackError("not_in_channel")
    return found


@method("chat.postMessage", scope="chat:write", tier=0)
def post_message(call: Call) -> Json:
    """Post a message into a channel, thread or direct message."""
    channel = _target(call)
    content = _content(call, most=TEXT_CHARS, cut=True)
    message = Message(
        channel=channel.id,
        ts="",
        user=call.room.app.bot_user_id,
        doc=_signed(call, content),
        thread_ts=call.maybe("thread_ts"),
        broadcast=call.flag("reply_broadcast"),
    )
    posted = call.room.post(channel, message)
    told = for_app(posted, call.room.messages, metadata=True)
    return {"channel": channel.id, "ts": posted.ts, "message": told}


@method("chat.postEphemeral", scope="chat:write", tier=4)
def post_ephemeral(call: Call) -> Json:
    """Show one person a message that nobody else sees."""
    channel, user = _target(call), call.user()
    if not call.room.channels.is_member(channel.id, user.id):
        raise SlackError("user_not_in_channel")
    message = Message(
        channel=channel.id,
        ts="",
        user=call.room.app.bot_user_id,
        doc=_signed(call, _content(call, most=TEXT_CHARS)),
        thread_ts=call.maybe("thread_ts"),
        ephemeral_for=user.id,
    )
    return {"message_ts": call.room.post(channel, message).ts}


@method("chat.update", scope="chat:write", tier=3)
def update(call: Call) -> Json:
    """Put a new content into one of the app's own messages."""
    channel = call.channel()
    message = call.message(channel)
    if message.user != call.room.app.bot_user_id or message.doc.get("subtype") == "tombstone":
        raise SlackError("cant_update_message")
    content = _content(call, most=EDITED_TEXT_CHARS)
    kept = {key: value for key, value in message.doc.items() if key not in {"text", "blocks", "attachments"}}
    if "text" not in call.args and "text" in message.doc:
        kept["text"] = message.doc["text"]
        content.pop("text")
    if "attachments" not in content and "attachments" in message.doc:
        kept["attachments"] = message.doc["attachments"]
    doc = {key: value for key, value in {**kept, **content}.items() if value is not None}
    changed = call.room.edit(channel, message, doc)
    told = for_app(changed, call.room.messages, metadata=True)
    return {"channel": channel.id, "ts": changed.ts, "text": doc.get("text", ""), "message": told}


@method("chat.delete", scope="chat:write", tier=3)
def delete(call: Call) -> Json:
    """Delete one of the app's own messages."""
    channel = call.channel()
    message = call.message(channel)
    if message.user != call.room.app.bot_user_id:
        raise SlackError("cant_delete_message")
    call.room.delete(channel, message)
    return {"channel": channel.id, "ts": message.ts}


@method("chat.getPermalink", tier=5)
def get_permalink(call: Call) -> Json:
    """Return the link to a message; a reply's link names its thread."""
    channel = call.channel()
    message = call.message(channel, "message_ts")
    link = f"https://{call.room.workspace.domain}.slack.com/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.is_reply:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}
