"""Channels have names for people and ids for Slack: only posting takes a name, editing and reading back want the id.

An id is learned from the first post's answer; Slack's list is asked only when a restart has lost it, never as a matter of course.
"""

import re
import threading
from collections.abc import Mapping

from slack_sdk import WebClient

from bot.slack.client import Refused, call

ID = re.compile(r"[CGDUW][A-Z0-9]{7,}")
MOST_PAGES = 20


class Channels:
    """What is known about channels; safe for several threads."""

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}
        self._lock = threading.Lock()

    def learn(self, name: str, channel_id: str) -> None:
        """Remember which id Slack answered with for a name."""
        if channel_id:
            with self._lock:
                self._ids[_bare(name)] = channel_id

    def known(self, name: str, kept: Mapping[str, object] | None = None) -> str:
        """Return the id of a channel, from what is known without asking; or empty text."""
        if ID.fullmatch(name):
            return name
        if kept and kept.get("channel"):
            self.learn(name, str(kept["channel"]))
        return self._ids.get(_bare(name), "")

    def id_of(self, client: WebClient, name: str, kept: Mapping[str, object] | None = None) -> str:
        """Return the id of a channel, asking Slack when it must.

        Raises:
            SlackTrouble: Refused with channel_not_found when there is no such channel for the bot.
        """
        if not self.known(name, kept):
            self._ask(client)
        found = self.known(name)
        if not found:
            raise Refused("channel_not_found", detail=name[:80])
        return found

    def _ask(self, client: WebClient) -> None:
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            here = cursor
            page = call(
                lambda here=here: client.conversations_list(  # type: ignore[misc]
                    types="public_channel,private_channel", exclude_archived=True, limit=1_000, cursor=here
                )
            )
            for channel in page.get("channels") or []:
                self.learn(str(channel.get("name", "")), str(channel.get("id", "")))
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or None
            if not cursor:
                return


def _bare(name: str) -> str:
    return name.strip().removeprefix("#").lower()
