"""Jobs: what somebody else carries out for us and that takes its time, and the platforms that do."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from bot.core.actions import Json, Platform


class Stage(StrEnum):
    """Where a job stands; `absent` means that it was never started, `unknown` that it cannot be told now."""

    ABSENT = "absent"
    UNKNOWN = "unknown"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Job:
    """One start of a job: how far it is or how it ended in words, and what it says of its result."""

    stage: Stage
    words: str = ""
    result: Json = field(default_factory=dict)


class Jobs(Platform, Protocol):
    """Carries out named jobs that take their time: training, a restart, a clean-up. `key` names one start for ever."""

    def order(self, job: str, parameters: Json) -> str:
        """Return in words what would be started, or raise NotFound or ConfigError where it could not be."""
        ...

    def start(self, job: str, parameters: Json, key: str) -> None:
        """Start it; a second start with the same key starts nothing. Raises OutcomeUnknown when the answer was cut off."""
        ...

    def job(self, job: str, key: str) -> Job:
        """Return where this start stands."""
        ...

    def cancel(self, job: str, key: str) -> None:
        """Ask it to stop; nothing where it has ended or was never started."""
        ...
