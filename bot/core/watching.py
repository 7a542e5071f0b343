"""Watching: what many looks at once ask before they begin, in one question each and without the pen."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from bot.core.runs import Run


class Watching(Protocol):
    """The part of a transaction that looks ask of several models, by their keys."""

    def runs_of(self, models: Sequence[str]) -> Mapping[str, Sequence[Run]]:
        """Return the runs of each of these models."""
        ...

    def troubled(self, models: Sequence[str]) -> frozenset[str]:
        """Return those of these models of which an incident is open."""
        ...
