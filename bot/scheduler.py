"""The clock, nothing more: what is due is computed here and enqueued elsewhere.

A tick is level-triggered. It does not ask "did I wake up in time" but "which slots lie behind us that nobody has enqueued"; late,
missed and early ticks do not matter, and a slot that could not be enqueued is tried again at the next tick. Numbers are made of the
slot, so any number of replicas may tick: the engine takes each number once.
"""

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger
from cronsim import CronSim, CronSimError

from bot.core.errors import ConfigError
from bot.core.ports import Clock

log = logging.getLogger("bot.scheduler")

CHECK = "check_shard"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZONED = re.compile(r"(.+)\s+([A-Za-z_]+/[A-Za-z][A-Za-z0-9_+/-]*|UTC)\s*")


class Enqueue(Protocol):
    """Starts a durable workflow, once a number, one at a time a lane."""

    def __call__(self, workflow: str, number: str, payload: Mapping[str, object], lane: str, /) -> None:
        """Start it, or do nothing when the number is known."""
        ...


@dataclass(frozen=True, slots=True)
class Cadence:
    """One rhythm of looking at models, in time of the data.

    Of slots that were missed only the newest is enqueued, because a late look at an old window is noise; `every_slot` asks for
    each. `lookback` must stay below the age at which the engine forgets checks, or a restart looks twice. No slot before `start`
    counts.
    """

    text: str
    shards: int = 1
    every_slot: bool = False
    lookback: timedelta = timedelta(hours=12)
    start: datetime | None = None


@dataclass(frozen=True, slots=True)
class Beat:
    """A chore in wall time: `rhythm` is cron text or seconds; `do` gets the slot, the same one on every replica."""

    name: str
    rhythm: str | float
    do: Callable[[datetime], None]
    lookback: timedelta = timedelta(hours=12)


def slots(rhythm: str | float, after: datetime, until: datetime) -> Iterator[datetime]:
    """Yield the slots in (after, until], UTC, oldest first.

    Cron text may end with a time zone ("0 6 * * 1-5 Europe/Berlin"): a local time that a change of clocks skips is made up for, one
    that comes twice counts once. Six fields begin with the second. Seconds are counted from 1970: one grid for all replicas.

    Raises:
        ConfigError: the text is no cron text.
    """
    return _cron_slots(rhythm, after, until) if isinstance(rhythm, str) else _grid(rhythm, after, until)


def _cron_slots(text: str, after: datetime, until: datetime) -> Iterator[datetime]:
    zoned = ZONED.fullmatch(text)
    fields, zone = zoned.groups() if zoned else (text, "UTC")
    try:
        place = UTC if zone == "UTC" else ZoneInfo(zone)
        for slot in CronSim(fields, after.astimezone(place)):
            if slot > until:
                return
            yield slot.astimezone(UTC)
    except (CronSimError, ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(
            f"'{text}' is no cadence ({error}); write five cron fields, e.g. '0 */6 * * *', and a time zone after them if not UTC."
        ) from None


def _grid(seconds: float, after: datetime, until: datetime) -> Iterator[datetime]:
    step = timedelta(seconds=seconds)
    slot = EPOCH + ((after - EPOCH) // step + 1) * step
    while slot <= until:
        yield slot
        slot += step


class _Due:
    """Which slots of one rhythm are behind us and not done; its memory is only there to save work."""

    def __init__(self, rhythm: str | float, lookback: timedelta, start: datetime | None = None) -> None:
        self._rhythm = rhythm
        self._lookback = lookback
        self._start = start
        self._done: datetime | None = None
        next(slots(rhythm, EPOCH, EPOCH), None)  # refuses a text that is none before anything starts

    def at(self, now: datetime) -> list[datetime]:
        """Return them, oldest first. A clock that went back is followed: known numbers are absorbed by the engine."""
        after = now - self._lookback
        if self._done is not None and self._done <= now:
            after = max(after, self._done)
        if self._start is not None:
            after = max(after, self._start - timedelta(seconds=1))
        return list(slots(self._rhythm, after, now))

    def done(self, slot: datetime) -> None:
        """Remember that everything up to this slot is enqueued."""
        self._done = slot


class Scheduler:
    """Ticks every cadence on the data's clock and every beat on the wall's, each in a job of its own."""

    def __init__(self, enqueue: Enqueue, *, data: Clock, wall: Clock, tick_s: float = 1.0) -> None:
        self._enqueue = enqueue
        self._data = data
        self._wall = wall
        self._tick_s = tick_s
        self._clock = BackgroundScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1}
        )

    def watch(self, cadences: Sequence[Cadence]) -> None:
        """Enqueue a check workflow for each shard at every slot of these cadences.

        Raises:
            ConfigError: a text is no cron text.
        """
        for cadence in cadences:
            due = _Due(cadence.text, cadence.lookback, cadence.start)
            self._add(f"cadence {cadence.text}", self._tick_s, partial(self._look, cadence, due))

    def beat(self, beats: Sequence[Beat]) -> None:
        """Do these chores: missed ones once, not as often as they were missed.

        Raises:
            ConfigError: a rhythm is neither seconds nor cron text.
        """
        for beat in beats:
            due = _Due(beat.rhythm, beat.lookback)
            often = min(self._tick_s, beat.rhythm) if isinstance(beat.rhythm, float | int) else self._tick_s
            self._add(f"beat {beat.name}", often, partial(self._chore, beat, due))

    def start(self) -> None:
        """Start ticking, in the background."""
        self._clock.start()

    def stop(self) -> None:
        """Stop ticking; a tick at work ends first."""
        if self._clock.running:
            self._clock.shutdown(wait=True)

    def _add(self, name: str, seconds: float, tick: Callable[[], None]) -> None:
        self._clock.add_job(_unharmed(name, tick), IntervalTrigger(seconds=seconds, timezone=UTC), id=name, name=name)

    def _look(self, cadence: Cadence, due: _Due) -> None:
        behind = due.at(self._data.now())
        for slot in behind if cadence.every_slot else behind[-1:]:
            for shard in range(cadence.shards):
                when = slot.isoformat()
                self._enqueue(
                    CHECK,
                    f"hc:{cadence.text}:{when}:{shard}",
                    {"cadence": cadence.text, "slot": when, "shard": shard, "shards": cadence.shards},
                    f"{cadence.text}#{shard}",
                )
            due.done(slot)

    def _chore(self, beat: Beat, due: _Due) -> None:
        for slot in due.at(self._wall.now())[-1:]:
            beat.do(slot)
            due.done(slot)


def _unharmed(name: str, tick: Callable[[], None]) -> Callable[[], None]:
    """Return the tick as an outermost loop needs it: what fails is logged and due again at the next tick."""

    def ticked() -> None:
        try:
            tick()
        except Exception:
            log.exception("%s could not do what is due; it tries again at the next tick", name)

    return ticked
