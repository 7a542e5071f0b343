"""What the bot does by itself where a playbook says `on: bot`: it tells teams, and it looks around once more."""

from collections.abc import Sequence
from typing import Protocol

from bot.core.actions import Platform
from bot.core.audit import BOT
from bot.core.notices import Posted

PART, NAME = "bot", BOT
"""The part that the bot itself plays for every model, and its name among the platforms."""


class Teller(Platform, Protocol):
    """Posts to a team, once a key, and knows what came of it."""

    def teams(self) -> Sequence[str]:
        """Return the teams that can be told, sorted."""
        ...

    def tell(self, team: str, words: str, key: str) -> None:
        """Queue the message; a second call with the same key changes nothing."""
        ...

    def told(self, key: str) -> Posted | None:
        """Return what came of it; None where nothing was queued under this key."""
        ...

    def take_back(self, key: str) -> None:
        """Say in the message itself that it no longer holds: what was read cannot be unread."""
        ...


class Scout(Platform, Protocol):
    """Looks at everything that is known of the model of a run, and writes it into the incident's thread; changes nothing."""

    def look_around(self, key: str) -> None:
        """Look and write, once a key."""
        ...

    def seen(self, key: str) -> str:
        """Return in words what was seen; empty where nothing was written under this key."""
        ...
