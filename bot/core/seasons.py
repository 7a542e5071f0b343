"""Seasons: the same hours of the week (or of the day), over and over.

Hours are those of a clock on a wall, in the zone that people live in: traffic comes by it. So where clocks are changed one of them
is missing or comes twice, and a slot is then an hour shorter or longer.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.core.windows import Window

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HOURS = {"day": 24, "week": 168}
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True)
class Season:
    """What comes round: a "day" or a "week", by the clocks of `zone`."""

    name: str
    zone: str = "UTC"

    @property
    def length(self) -> timedelta:
        """How long a round is."""
        return HOURS[self.name] * HOUR

    def slot(self, window: Window) -> "Slot | None":
        """Return the whole hours that hold this window; None where they are a round or more: then no hour is another's equal."""
        start = window.start.astimezone(ZoneInfo(self.zone)).replace(minute=0, second=0, microsecond=0)
        hours = math.ceil((window.end - start.astimezone(UTC)) / HOUR)
        if hours >= HOURS[self.name]:
            return None
        return Slot(self, start.hour if self.name == "day" else 24 * start.weekday() + start.hour, hours)


@dataclass(frozen=True, slots=True)
class Slot:
    """Some hours of a round: from `first` (0 is midnight, of a week Monday's) so many `hours` on."""

    season: Season
    first: int
    hours: int

    @property
    def words(self) -> str:
        """As people say it: "Sun 22:00 to Mon 02:00 Europe/Berlin"."""
        return f"{self._at(self.first)} to {self._at(self.first + self.hours)} {self.season.zone}"

    def within(self, stretch: Window) -> list[Window]:
        """Return when these hours came in a stretch, oldest first; only those that lie in it as a whole."""
        return [window for window in self._around(stretch) if stretch.start <= window.start and window.end <= stretch.end]

    def _around(self, stretch: Window) -> Iterator[Window]:
        zone = ZoneInfo(self.season.zone)
        day, last = (edge.astimezone(zone).date() for edge in (stretch.start, stretch.end))
        while day <= last:
            if self.season.name == "day" or day.weekday() == self.first // 24:
                clock = datetime.combine(day, time(self.first % 24))
                start, end = (at.replace(tzinfo=zone).astimezone(UTC) for at in (clock, clock + self.hours * HOUR))
                if start < end:  # in spring an hour does not come at all
                    yield Window(start, end)
            day += DAY

    def _at(self, hour: int) -> str:
        told = f"{hour % 24:02}:00"
        return told if self.season.name == "day" else f"{WEEKDAYS[hour // 24 % 7]} {told}"
