"""bookmarks.*: links in the header of a channel."""

from __future__ import annotations

import json

from bot.simulator.errors import SlackError
from bot.simulator.webapi.call import Call, method
from bot.simulator.workspace import Json

MOST = 100


def _of(call: Call, channel: str) -> list[Json]:
    found = call.room.db.rows("select doc from bookmarks where channel = ? order by id", channel)
    return [json.loads(row["doc"]) for row in found]


@method("bookmarks.add", scope="bookmarks:write", tier=2)
def add(call: Call) -> Json:
    """Add a link."""
    channel = call.channel("channel_id")
    title, kind = call.text("title"), call.text("type")
    if kind != "link":
        raise SlackError("invalid_bookmark_type")
    link = call.text("link", "invalid_link")
    if not link.startswith(("http://", "https://")):
        raise SlackError("invalid_link")
    if len(_of(call, channel.id)) >= MOST:
        raise SlackError("too_many_bookmarks")
    mark: Json = {"id": call.room.db.new_id("B"), "channel_id": channel.id, "title": title, "link": link, "type": "link"}
    mark |= {"emoji": call.maybe("emoji") or "", "date_created": int(call.room.clock.now())}
    call.room.db.run("insert into bookmarks values (?, ?, ?)", mark["id"], channel.id, json.dumps(mark))
    call.room.show_channel(channel)
    return {"bookmark": mark}


@method("bookmarks.list", scope="bookmarks:read", tier=3)
def everything(call: Call) -> Json:
    """Return the links of a channel."""
    return {"bookmarks": _of(call, call.channel("channel_id").id)}
