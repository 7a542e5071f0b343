"""Aliases: a name in a model registry that says which version is to be served, and the servers that are to follow it."""

from collections.abc import Sequence
from typing import Protocol

from bot.core.actions import Platform
from bot.core.errors import ActionFailed
from bot.core.models import Split


class NotServed(ActionFailed):
    """The alias names the version by now, but the server does not answer with it: it has to be restarted, or to come up."""


class AliasedRegistry(Platform, Protocol):
    """A registry in which an alias says which version of a model is to be served, and the servers that are to follow it."""

    def split(self, target: str) -> Split:
        """Return what the model's server really answers with, as it says itself."""
        ...

    def versions(self, target: str) -> Sequence[str]:
        """Return the versions that could be served, oldest first."""
        ...

    def alias(self, target: str) -> str:
        """Return the alias's name."""
        ...

    def aliased(self, target: str) -> str:
        """Return the version that the alias names."""
        ...

    def set_alias(self, target: str, version: str, key: str) -> None:
        """Let the alias name this version. Absolute; raises OutcomeUnknown when the answer was cut off."""
        ...
