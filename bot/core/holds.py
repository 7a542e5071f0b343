"""Holds: what stands until a person lifts it. The database keeps one a kind and subject, so two people lift nothing twice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class Kind(StrEnum):
    """What stands until a person lifts it.

    PAUSE holds everything that acts; ASK what the bot may do by itself on one model; REVIEW is owed for a proposal that one person
    approved alone, by break-glass.
    """

    PAUSE = "pause"
    ASK = "ask"
    REVIEW = "review"


@dataclass(frozen=True, slots=True)
class Hold:
    """Since when something is held, by whom and why. `subject` is what it holds; empty where there is only one thing to hold."""

    kind: Kind
    subject: str
    by: str
    at: datetime
    reason: str = ""

    @property
    def words(self) -> str:
        """Who holds it, since when and why, for the middle of a sentence."""
        why = f" ({self.reason})" if self.reason else ""
        return f"by <@{self.by}> since {self.at:%Y-%m-%d %H:%M} UTC{why}"


class Holding(Protocol):
    """The part of a transaction that holds and lifts."""

    def hold(self, hold: Hold) -> bool:
        """Hold something; False when the same is held already."""
        ...

    def holds(self, kind: Kind) -> Sequence[Hold]:
        """Return what is held, oldest first."""
        ...

    def lift(self, kind: Kind, subject: str) -> Hold | None:
        """Lift a hold and return it; None when it does not stand."""
        ...


def brake(unit: Holding) -> Hold | None:
    """Return the brake while somebody holds it."""
    return next(iter(unit.holds(Kind.PAUSE)), None)
