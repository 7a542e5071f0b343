"""Slack's refusals, sorted by what mends them, each with its sentence for status and readiness."""

from collections.abc import Mapping

BAD_CONTENT = frozenset(
    {
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_attachments",
        "invalid_arguments",
        "msg_too_long",
        "msg_blocks_too_long",
        "no_text",
    }
)
"""The message itself is at fault: say it more simply."""

GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed", "cant_edit_message"})
"""Somebody deleted it, or it can no longer change."""

CHANNEL: Mapping[str, str] = {
    "not_in_channel": "The bot is not in channel {channel}; type `/invite @aiops` there.",
    "channel_not_found": "There is no channel {channel} that the bot can see; invite it, or mend the channel in aiops.yaml.",
    "is_archived": "Channel {channel} is archived; name another one for the team in aiops.yaml.",
    "posting_to_channel_denied": "Channel {channel} does not let the bot post; ask its owner.",
}
TOKEN: Mapping[str, str] = {
    "token_revoked": "Slack has revoked the bot's token; install the app again and set SLACK_BOT_TOKEN.",
    "token_expired": "The bot's Slack token has expired; set a fresh SLACK_BOT_TOKEN.",
    "invalid_auth": "Slack does not know the bot's token; set SLACK_BOT_TOKEN to the app's xoxb- token.",
    "not_authed": "No Slack token was sent; set SLACK_BOT_TOKEN.",
    "account_inactive": "The bot's Slack account was removed; install the app again.",
    "missing_scope": "The Slack app lacks a scope; install it again with the manifest of `aiops slack manifest`.",
}


def place(code: str, channel: str) -> str:
    """Return where a trouble is listed: under its channel, or under "slack" when all of Slack is concerned."""
    return channel if code in CHANNEL else "slack"


def sentence(code: str, channel: str) -> str:
    """Return what is wrong and the way out; empty text for a refusal that waiting mends."""
    return {**CHANNEL, **TOKEN}.get(code, "").format(channel=channel or "(none)")
