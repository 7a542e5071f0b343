"""One call of the Web API: who calls, with which arguments, and the answers that every method shares."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.simulator.channels import Conversation
from bot.simulator.errors import SlackError
from bot.simulator.messages import Message
from bot.simulator.room import Room
from bot.simulator.workspace import Json, User


@dataclass(frozen=True)
class Method:
    """A method: its function, the scope it needs, its rate tier and the token it takes ("bot", "app", "none")."""

    name: str
    run: Callable[[Call], Json]
    scope: str | None
    tier: int
    token: str


METHODS: dict[str, Method] = {}


def method(
    name: str,
    *,
    scope: str | None = None,
    tier: int = 3,
    token: str = "bot",  # noqa: S107  a kind, no secret
) -> Callable[[Callable[[Call], Json]], Callable[[Call], Json]]:
    """Register a method under Slack's name for it."""

    def register(run: Callable[[Call], Json]) -> Callable[[Call], Json]:
        METHODS[name] = Method(name, run, scope, tier, token)
        return run

    return register


@dataclass(frozen=True)
class Call:
    """One call: the room it happens in and the arguments as they came (JSON values, or strings of a form)."""

    room: Room
    args: Json

    def text(self, name: str, missing: str = "invalid_arguments") -> str:
        """Return a required string; `missing` is Slack's code when there is none."""
        value = self.args.get(name)
        if value is None or value == "":
            raise SlackError(missing, response_metadata={"messages": [f"[ERROR] missing required field: {name}"]})
        return str(value)

    def maybe(self, name: str) -> str | None:
        """Return an optional string; empty counts as absent."""
        value = self.args.get(name)
        return None if value in (None, "") else str(value)

    def flag(self, name: str) -> bool:
        """Return a truth value, whichever way a form spells it."""
        return str(self.args.get(name, "")).lower() in {"1", "true"}

    def number(self, name: str, default: int, most: int) -> int:
        """Return a whole number between 1 and `most`.

        Raises:
            SlackError: invalid_limit.
        """
        try:
            value = int(self.args.get(name) or default)
        except ValueError as wrong:
            raise SlackError("invalid_limit") from wrong
        if not 1 <= value <= most:
            raise SlackError("invalid_limit")
        return value

    def decoded(self, name: str, wrong: str) -> Any:
        """Return JSON that came as a value or as a string; None when absent, `wrong` when unreadable."""
        value = self.args.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except json.JSONDecodeError as broken:
            raise SlackError(wrong) from broken

    def ids(self, name: str) -> list[str]:
        """Return a list that came as JSON or separated by commas."""
        value = self.args.get(name) or []
        items = value if isinstance(value, list) else str(value).split(",")
        return [str(item).strip() for item in items if str(item).strip()]

    def need(self, scope: str) -> None:
        """Raise missing_scope unless the app was given this scope."""
        have = self.room.app.scopes
        if scope not in have:
            raise SlackError("missing_scope", needed=scope, provided=",".join(have))

    def channel(self, name: str = "channel", *, member: bool = False, live: bool = False) -> Conversation:
        """Return the conversation named by its id.

        Args:
            name: the argument that holds the id.
            member: the app has to be in it (not_in_channel).
            live: it must not be archived (is_archived).
        """
        found = self.room.channels.get(self.text(name, "channel_not_found"))
        bot = self.room.app.bot_user_id
        if found is None or not self.room.channels.may_see(found, bot):
            raise SlackError("channel_not_found")
        if member and not self.room.channels.is_member(found.id, bot):
            raise SlackError("not_in_channel")
        if live and found.archived:
            raise SlackError("is_archived")
        return found

    def message(self, channel: Conversation, name: str = "ts", missing: str = "message_not_found") -> Message:
        """Return a lasting message of a channel by its timestamp."""
        found = self.room.messages.get(channel.id, self.text(name, missing))
        if found is None or found.ephemeral_for is not None:
            raise SlackError("message_not_found")
        return found

    def user(self, name: str = "user", missing: str = "user_not_found") -> User:
        """Return a person by id."""
        return self.known_user(self.text(name, missing))

    def known_user(self, user_id: str) -> User:
        """Return the person with this id, or raise user_not_found."""
        found = next((u for u in self.room.workspace.people if u.id == user_id), None)
        if found is None:
            raise SlackError("user_not_found")
        return found
