"""Slack's app manifest (version 2), made from what the bot really does: `aiops slack manifest` prints it."""

from collections.abc import Mapping
from typing import Any

from bot.core.playbooks import Playbook
from bot.flow.called import WORDS, by_command
from bot.slack.command import Command

SCOPES: Mapping[str, str] = {
    "app_mentions:read": "answer a mention with how to ask",
    "channels:history": "after an unanswered call, look whether the message is there before posting it again",
    "channels:read": "find a channel's id by the name that aiops.yaml gives it",
    "chat:write": "post and edit incidents, cards and answers",
    "commands": "answer /aiops and the playbooks' own commands",
    "files:write": "show charts",
    "groups:history": "the same look in private incident channels",
    "groups:read": "the same for private channels",
    "metadata.message:read": "recognise our own messages in that look",
    "usergroups:read": "know who is in a user group that may approve",
    "users:read": "tell people's names in the audit trail",
}
EVENTS = ("app_home_opened", "app_mention")
HINT = 100  # as much as Slack's composer shows


def manifest(
    commands: Mapping[str, Command],
    playbooks: Mapping[str, Playbook] | None = None,
    *,
    request_url: str = "",
    name: str = "aiops",
) -> dict[str, Any]:
    """Return the manifest: for Socket Mode, or with a `request_url` for signed HTTP. `playbooks` may bring commands."""
    socket = not request_url
    url = {} if socket else {"url": request_url}
    events = {"bot_events": list(EVENTS)} | ({} if socket else {"request_url": request_url})
    hint = " | ".join(commands)
    return {
        "_metadata": {"major_version": 2, "minor_version": 1},
        "display_information": {
            "name": name,
            "description": "Keeps machine-learning models in production healthy",
            "background_color": "#1d1c1d",
        },
        "features": {
            "app_home": {"home_tab_enabled": True, "messages_tab_enabled": True, "messages_tab_read_only_enabled": True},
            "bot_user": {"display_name": name, "always_online": True},
            "slash_commands": [
                {
                    "command": "/aiops",
                    "description": "Models in production: status, incidents, reports",
                    "usage_hint": hint if len(hint) <= HINT else hint[: HINT - 1] + "…",
                    "should_escape": True,
                    **url,
                },
                *(
                    {
                        "command": command,
                        "description": playbook.title,
                        "usage_hint": WORDS,
                        "should_escape": False,  # else #12 could arrive as a channel of that name
                        **url,
                    }
                    for command, playbook in by_command(playbooks or {}).items()
                ),
            ],
        },
        "oauth_config": {"scopes": {"bot": sorted(SCOPES)}},
        "settings": {
            "event_subscriptions": events,
            "interactivity": {"is_enabled": True} | ({} if socket else {"request_url": request_url}),
            "org_deploy_enabled": False,
            "socket_mode_enabled": socket,
            "token_rotation_enabled": False,
        },
    }
