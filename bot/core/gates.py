"""A gate: the place before a step where a run waits until a person has looked; a press continues it, once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Press:
    """One person's word that a run may go on to this step; the database keeps one a gate."""

    run: str
    step: str
    by: str
    at: datetime


class Pressing(Protocol):
    """The part of a transaction that continues a run at its gates."""

    def press(self, press: Press) -> bool:
        """Continue a run at a gate; False when somebody has done so already (one press a gate, by the database)."""
        ...

    def presses(self, run: str) -> Sequence[Press]:
        """Return who continued this run before which step, oldest first."""
        ...
