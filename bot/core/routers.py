"""Routers: splitters that come to serve what they were asked for by and by, and count no requests: there is only their own word."""

from typing import Protocol

from bot.core.actions import Platform
from bot.core.errors import ActionFailed
from bot.core.models import Split


class NoWay(ActionFailed):
    """The platform has no way to these shares from where it stands; asking again changes nothing."""


class Router(Platform, Protocol):
    """Shares traffic in whole steps of 1 / `grain`. Reads raise NotNow where it cannot be asked at this moment."""

    grain: int

    def split(self, target: str) -> Split:
        """Return the shares by which it routes now, by its own account."""
        ...

    def check(self, target: str, split: Split) -> None:
        """Raise whatever asking for these shares would raise now; nothing is written."""
        ...

    def set_split(self, target: str, split: Split, key: str) -> None:
        """Ask for these shares. Absolute.

        Raises:
            OutcomeUnknown: the answer was cut off.
            WorldMoved: the split names versions that are not, or no longer, there.
            NoWay: nothing leads there from here.
        """
        ...

    def ordered(self, target: str) -> Split:
        """Return the shares that it was last asked for, by whomever."""
        ...

    def settling(self, target: str) -> str:
        """Return in words how far it is from serving what it was asked for; empty when it does."""
        ...


def router(platform: Platform) -> Router | None:
    """Return the platform as a router; None where it is none."""
    return platform if hasattr(platform, "settling") else None  # type: ignore[return-value]
