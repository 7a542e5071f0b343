"""files.*: uploads in three steps (announce, send the bytes, complete) and what became of them."""

from __future__ import annotations

from typing import Any

from bot.simulator.blocks import check_message
from bot.simulator.channels import Conversation
from bot.simulator.errors import SlackError
from bot.simulator.messages import Message
from bot.simulator.webapi.call import Call, method
from bot.simulator.workspace import Json

ALT_CHARS = 1_000
MOST_BYTES = 50_000_000  # of the simulator; Slack itself takes 1 GB


@method("files.getUploadURLExternal", scope="files:write", tier=4)
def get_upload_url(call: Call) -> Json:
    """Return where the bytes of a file go."""
    name, alt_txt = call.text("filename", "missing_argument"), call.maybe("alt_txt") or ""
    try:
        length = int(call.text("length", "missing_argument"))
    except ValueError as wrong:
        raise SlackError("invalid_arguments") from wrong
    if not 0 < length <= MOST_BYTES:
        raise SlackError("file_upload_size_restricted")
    if len(alt_txt) > ALT_CHARS:
        raise SlackError("alt_txt_too_large")
    file_id, key = call.room.files.announce(name, length, alt_txt=alt_txt, user=call.room.app.bot_user_id)
    return {"upload_url": f"{call.room.base_url}/upload/v1/{key}", "file_id": file_id}


@method("files.completeUploadExternal", scope="files:write", tier=4)
def complete_upload(call: Call) -> Json:
    """Finish uploads and share them in a channel or thread, as one message."""
    wanted = call.decoded("files", "invalid_arguments")
    if not isinstance(wanted, list) or not wanted or not all(isinstance(f, dict) and f.get("id") for f in wanted):
        raise SlackError("invalid_arguments")
    channels = [_destination(call, channel) for channel in call.ids("channel_id") or call.ids("channels")]
    blocks = call.decoded("blocks", "invalid_blocks_format")
    if blocks is not None:
        check_message(blocks)
    done = [call.room.files.complete(str(file["id"]), file.get("title")) for file in wanted]
    files = [file for file in done if file is not None]
    if len(files) < len(wanted):
        raise SlackError("file_not_found")
    for channel in channels:
        _share(call, channel, files, blocks)
    return {"files": [_shape(call, file) for file in files]}


def _destination(call: Call, channel_id: str) -> Conversation:
    channel = call.room.channels.get(channel_id)
    bot = call.room.app.bot_user_id
    if channel is None or not call.room.channels.may_see(channel, bot):
        raise SlackError("channel_not_found")
    if not call.room.channels.is_member(channel.id, bot):
        raise SlackError("not_in_channel")
    if channel.archived:
        raise SlackError("posting_to_channel_denied")
    return channel


def _share(call: Call, channel: Conversation, files: list[Json], blocks: Any) -> None:
    app, comment = call.room.app, call.maybe("initial_comment")
    doc: Json = {"text": comment or "", "files": [_shape(call, file) for file in files], "upload": False}
    doc |= {"bot_id": app.bot_id, "app_id": app.id} | ({"blocks": blocks} if blocks and not comment else {})
    message = Message(channel.id, "", app.bot_user_id, doc, thread_ts=call.maybe("thread_ts"))
    call.room.post(channel, message)


def _shape(call: Call, file: Json) -> Json:
    return {**file, "url_private": f"{call.room.base_url}/files-pri/{file['id']}", "is_external": False}


@method("files.info", scope="files:read", tier=4)
def info(call: Call) -> Json:
    """Return one file's description."""
    file = call.room.files.get(call.text("file", "file_not_found"))
    if file is None:
        raise SlackError("file_not_found")
    return {"file": _shape(call, file)}
