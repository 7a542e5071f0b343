"""Answers for one person's eyes: errors, refusals and what they asked for."""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slack_sdk import WebClient

from bot.slack.client import SlackTrouble, call
from bot.slack.ports import Render

log = logging.getLogger(__name__)
PERSON = re.compile(r"<@([UW][A-Z0-9]{1,30})>")
Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Where:
    """Who is spoken to, and where they were: an empty channel means a direct message."""

    user: str
    channel: str = ""
    thread_ts: str = ""


def where(body: Body, meta: Mapping[str, str] | None = None) -> Where:
    """Return where a person was when they sent this; `meta` is what a modal remembers of it."""
    user = (body.get("user") or {}).get("id") if isinstance(body.get("user"), dict) else body.get("user_id")
    user = user or (body.get("event") or {}).get("user") or ""
    if meta is not None:
        return Where(str(user), meta.get("channel", ""), meta.get("thread_ts", ""))
    place = body.get("container") or {}
    channel = (body.get("channel") or {}).get("id") if isinstance(body.get("channel"), dict) else None
    channel = channel or place.get("channel_id") or body.get("channel_id") or (body.get("event") or {}).get("channel") or ""
    return Where(str(user), str(channel), str(place.get("thread_ts") or ""))


@dataclass(frozen=True, slots=True)
class Answers:
    """Speaks to one person at a time."""

    client: WebClient
    render: Render

    def tell(self, to: Where, text: str, lookup: str = "") -> None:
        """Say one sentence to one person, where they are; in a direct message when that is impossible. Never raises."""
        self.show(to, "error", {"text": text, "lookup": lookup, "by": PERSON.findall(text)})

    def show(self, to: Where, template: str, data: Mapping[str, object]) -> None:
        """Show one person a rendered answer that nobody else sees. Never raises: there is nobody left to tell."""
        shown = self.render(template, data)
        said: dict[str, Any] = {"text": shown.text, "blocks": list(shown.blocks)}
        try:
            if to.channel:
                thread = to.thread_ts or None
                call(lambda: self.client.chat_postEphemeral(channel=to.channel, user=to.user, thread_ts=thread, **said))
                return
        except SlackTrouble as trouble:
            log.info("No ephemeral message in %s: %s", to.channel, trouble)
        try:
            call(lambda: self.client.chat_postMessage(channel=to.user, unfurl_links=False, **said))
        except SlackTrouble as trouble:
            log.warning("%s could not be told '%s': %s", to.user, shown.text, trouble)
