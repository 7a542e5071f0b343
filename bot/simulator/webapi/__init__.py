"""The Web API: one file a family of methods, each method one function that takes a `Call`.

A method is registered with what it needs:

    @method("chat.postMessage", scope="chat:write", tier=0)
    def post_message(call: Call) -> Json: ...

It returns what stands next to `"ok": true`, or raises `SlackError` with Slack's own code.
"""

from bot.simulator.webapi import bookmarks, chat, conversations, files, marks, users, views, workspace
from bot.simulator.webapi.call import METHODS, Call, Method

__all__ = ["METHODS", "Call", "Method", "bookmarks", "chat", "conversations", "files", "marks", "users", "views", "workspace"]
