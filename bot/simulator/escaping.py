"""What a person types becomes Slack's mark-up: &, < and > escaped, @names, #channels and groups as ids."""

from __future__ import annotations

import re

from bot.simulator.channels import Channels
from bot.simulator.workspace import Workspace

MARKED = re.compile(r"&lt;(@[UW][A-Z0-9]+|#C[A-Z0-9]+(?:\|[^&|]*)?|!subteam\^S[A-Z0-9]+(?:\|[^&|]*)?|!here|!channel)&gt;")
NAMED = re.compile(r"(?<![\w<@#/])([@#])([a-z0-9][a-z0-9._-]*)")


def as_markup(text: str, workspace: Workspace, channels: Channels) -> str:
    """Return a typed text as Slack stores it; mark-up that is already there stays."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    marked = MARKED.sub(r"<\1>", escaped)

    def named(found: re.Match[str]) -> str:
        sign, name = found.groups()
        if sign == "#":
            channel = channels.named(name)
            return f"<#{channel.id}|{name}>" if channel else found.group()
        if name in {"here", "channel"}:
            return f"<!{name}>"
        users = {user.name: f"<@{user.id}>" for user in workspace.people}
        groups = {group.handle: f"<!subteam^{group.id}|@{group.handle}>" for group in workspace.groups}
        return {**groups, **users}.get(name, found.group())

    return NAMED.sub(named, marked)
