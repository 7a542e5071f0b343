"""Stretches of time: always UTC, always `[start, end)`."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self


def utc(moment: datetime) -> datetime:
    """Return the same instant in UTC; a naive time is refused, because nobody can know what it meant."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone; write it with one, e.g. {moment.isoformat()}Z.")
    return moment.astimezone(UTC)


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A half-open stretch `[start, end)` in UTC."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", utc(self.start))
        object.__setattr__(self, "end", utc(self.end))
        if self.start >= self.end:
            raise ValueError(f"A window must start before it ends: {self.start.isoformat()} … {self.end.isoformat()}.")

    @classmethod
    def ending(cls, end: datetime, length: timedelta) -> Self:
        """Return the window of this length that stops just before `end`."""
        return cls(end - length, end)

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return self.end - self.start

    def __str__(self) -> str:
        return f"{self.start:%Y-%m-%d %H:%M} to {self.end:%Y-%m-%d %H:%M} UTC"
