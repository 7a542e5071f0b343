"""Slack: tokens (looked for, never shown), scopes, and the channels where incidents go."""

import os
from collections.abc import Iterator, Mapping
from typing import Any

from bot.config import Settings
from bot.doctor.remarks import Remark, hint, ok, problem
from bot.policies import named
from bot.slack.client import SLACK, SlackTrouble, call, web_client
from bot.slack.manifest import SCOPES

TOKENS: Mapping[str, Mapping[str, str]] = {
    "socket": {"SLACK_BOT_TOKEN": "xoxb-", "SLACK_APP_TOKEN": "xapp-"},
    "http": {"SLACK_BOT_TOKEN": "xoxb-", "SLACK_SIGNING_SECRET": ""},
}
PAGE = 200
MOST_PAGES = 20


def tokens(settings: Settings) -> Iterator[Remark]:
    """Look whether the environment holds what this transport needs."""
    for name, start in TOKENS[settings.slack.transport].items():
        value = os.environ.get(name, "")
        if not value:
            yield problem(
                "slack", f"{name} is not set.", f"Set it; see your app at api.slack.com ({settings.slack.transport} transport)."
            )
        elif not value.startswith(start):
            yield problem(
                "slack",
                f"{name} does not begin with {start}: another token stands there.",
                "Copy the right one from your app's page.",
            )
        else:
            yield ok("slack", f"{name} is set.")


def workspace(settings: Settings) -> Iterator[Remark]:
    """Ask Slack who we are, what we may do and where we are a member."""
    token = os.environ.get("SLACK_BOT_TOKEN", "")
    if not token:
        return
    client = web_client(token, settings.slack.base_url or SLACK)
    try:
        answer = client.auth_test()
        told = call(lambda: answer)
        yield ok("slack", f"the token belongs to {told.get('user', '?')} in {told.get('team', '?')}.")
        yield from scopes(answer.headers, groups=any(part.groups for _, part in named(settings.approvals)))
        yield from channels(settings, client)
    except SlackTrouble as trouble:
        yield _refused(trouble)
    except Exception as error:  # noqa: BLE001  the SDK raises many kinds before `call` can tell them apart
        yield _asked_again(error)


def _asked_again(error: Exception) -> Remark:
    def fail() -> None:
        raise error

    try:
        call(fail)
    except SlackTrouble as trouble:
        return _refused(trouble)
    return problem("slack", f"Slack's answer could not be read ({type(error).__name__}).", "Try again.")


def _refused(trouble: SlackTrouble) -> Remark:
    return problem("slack", f"Slack refused or did not answer: {trouble}.", "Check the token, the network and status.slack.com.")


def scopes(headers: Mapping[str, Any], *, groups: bool = False) -> Iterator[Remark]:
    """Hold the scopes that Slack says the token has against those that the bot needs; user groups only where some may approve."""
    listed = {str(name).lower(): value for name, value in headers.items()}.get("x-oauth-scopes")
    if listed is None:
        yield hint("slack", "Slack did not say which scopes the token has.", "Compare them with: aiops slack manifest")
        return
    granted = {scope.strip() for scope in str(listed).split(",")}
    needed = set(SCOPES) - (set() if groups else {"usergroups:read"})
    if missing := sorted(needed - granted):
        why = f"{missing[0]}: to {SCOPES[missing[0]]}" if len(missing) == 1 else ", ".join(missing)
        yield problem(
            "slack", f"the app lacks the scopes {why}.", "Update it with the output of: aiops slack manifest, then reinstall it."
        )
    else:
        yield ok("slack", f"all {len(needed)} scopes are granted.")


def channels(settings: Settings, client: Any) -> Iterator[Remark]:
    """Look whether every channel of the configuration is there and the bot is in it."""
    wanted = {settings.slack.channel, settings.slack.digest, *(team.channel for team in settings.teams.values())} - {""}
    seen = _conversations(client)
    for name in sorted(wanted):
        found = seen.get(name.removeprefix("#"))
        if found is None:
            yield problem(
                "slack",
                f"there is no channel '{name}' that the bot can see.",
                f"Create it, or invite the bot: /invite @aiops in #{name}",
            )
        elif not found.get("is_member"):
            yield problem("slack", f"the bot is no member of '{name}'.", f"Type in #{name}: /invite @aiops")
        else:
            yield ok("slack", f"the bot is a member of '{name}'.")


def _conversations(client: Any) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    cursor = ""
    for _ in range(MOST_PAGES):
        page = call(lambda at=cursor: client.conversations_list(limit=PAGE, cursor=at, exclude_archived=True))  # type: ignore[misc]
        for channel in page.get("channels", ()):
            found |= {str(channel.get("name")): channel, str(channel.get("id")): channel}
        cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
        if not cursor:
            break
    return found
