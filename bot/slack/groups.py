"""User groups: who is in one, asked of Slack and remembered for a moment. Who cannot be asked about is not let through."""

import time
from collections.abc import Callable

from slack_sdk import WebClient

from bot.core.errors import NotAllowed
from bot.slack.client import SlackTrouble, call

FRESH_S = 60.0
PATIENCE_S = 2
"""A click has three seconds; a client for this waits no longer than so many."""


class Groups:
    """The members of user groups. Somebody who leaves a group may still approve for a minute; nobody may because Slack is away."""

    def __init__(self, client: WebClient, now: Callable[[], float] = time.monotonic) -> None:
        self._client, self._now = client, now
        self._kept: dict[str, tuple[float, frozenset[str]]] = {}

    def __call__(self, group: str) -> frozenset[str]:
        """Return the members' Slack ids.

        Raises:
            NotAllowed: Slack cannot say; the sentence has the reason.
        """
        at, members = self._kept.get(group, (float("-inf"), frozenset()))
        if self._now() - at < FRESH_S:
            return members
        try:
            answer = call(lambda: self._client.usergroups_users_list(usergroup=group))
        except SlackTrouble as trouble:
            raise NotAllowed(
                f"Slack cannot say who is in the user group {group} ({trouble.code}), so nobody is let through by it; "
                "try again, or ask somebody who is named by a role."
            ) from trouble
        members = frozenset(str(user) for user in answer.get("users") or ())
        self._kept[group] = (self._now(), members)
        return members
