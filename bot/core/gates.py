"""A gate: the place before a step where a run waits until a person has looked; a press continues it, once."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Press:
    """One person's word that a run may go on to this step; the database keeps one a gate."""

    run: str
    step: str
    by: str
    at: datetime
