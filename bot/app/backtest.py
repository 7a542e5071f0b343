"""Backtest: history played again through the very same code and policy, in a database that is thrown away.

Nothing leaves this room. The desk has no platforms and no scorers, its messages lie in an outbox that nobody empties, and its clock
stands at the slot that is being looked at, so an incident opens and closes in the time of the data.
"""

import heapq
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, event

from bot.app.house import bare_desk, registries
from bot.config import Settings
from bot.core.errors import ConfigError
from bot.core.models import PAGE, Model, Watch
from bot.core.windows import Window
from bot.flow.desk import Desk
from bot.flow.hindsight import Replayed, Seen
from bot.flow.triage import of_weight
from bot.flow.watch import look, reference
from bot.scheduler import EPOCH, slots
from bot.sources.held import HeldSource
from bot.store.database import open_store
from bot.store.schema import upgrade

SECOND = timedelta(seconds=1)
MOST = 1_000_000
"""As many incidents and notes as a replay may leave: all of them."""

Told = Callable[[int, int, datetime], None]
"""Called after each look: how many are done, of how many, and which time history has reached."""


@dataclass
class StandingClock:
    """A clock that stands where it was put."""

    at: datetime

    def now(self) -> datetime:
        """Return the time, UTC."""
        return self.at


@contextmanager
def rehearsal(settings: Settings) -> Iterator[tuple[Desk, StandingClock]]:
    """Lay a desk over an empty database that is gone afterwards; the real one is not even opened."""
    with tempfile.TemporaryDirectory(prefix="aiops-backtest-", ignore_cleanup_errors=True) as folder:
        url = f"sqlite:///{Path(folder) / 'rehearsal.db'}"
        upgrade(url)
        clock = StandingClock(EPOCH)
        store = open_store(url, clock=clock.now)
        _hurried(store.engine)
        try:
            yield bare_desk(settings, registries(), store, clock), clock
        finally:
            store.close()


def _hurried(engine: Engine) -> None:
    """Let SQLite not wait for the disk: what is lost with the power here was to be thrown away anyway."""
    event.listen(engine, "connect", lambda connection, _record: connection.execute("PRAGMA synchronous=OFF"))


def replay(
    desk: Desk,
    clock: StandingClock,
    model: Model,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    told: Told | None = None,
) -> Replayed:
    """Look at every due slot of every watch, oldest first, and return what that left behind.

    Raises:
        ConfigError: there is nothing to look at in this stretch.
        SourceUnavailable: the log cannot be read.
    """
    model = replace(model, mode=PAGE)  # what a recorded model would have opened is the question
    desk = replace(desk, models={**desk.models, model.key: model})
    span = stretch(desk, model, start, end)
    due = schedule(model, span, warm=start is None)
    if not due:
        beside = "name other times with --start and --end."
        raise ConfigError(f"Between {span} no look of {model.key} is due whose whole window lies in the log; {beside}")
    clock.at = due[0][0]
    like = reference(desk, model)
    ahead = reading_ahead(desk, model)
    seen: list[Seen] = []
    for done, (slot, watch) in enumerate(due, 1):
        clock.at = slot
        seen += [Seen(slot, watch, f) for f in look(ahead, model, watch, slot, like) if of_weight(model, f)]
        if told:
            told(done, len(due), slot)
    with desk.store.read() as unit:
        incidents = sorted(unit.incidents(model=model.key, limit=MOST), key=lambda i: i.id)
        notes = unit.notes(span.start - model.reference.length, model.key)
    return Replayed(model, Window(due[0][0], span.end), len(due), incidents, notes, seen)


def reading_ahead(desk: Desk, model: Model) -> Desk:
    """Return the desk with the model's log held in memory, a stretch at a time, where its source can."""
    log = desk.source(model)
    if not hasattr(log, "rows"):
        return desk
    longest = max(watch.window for watch in model.watches)
    return replace(desk, sources={**desk.sources, model.source: HeldSource(log, longest)})  # type: ignore[arg-type]


def stretch(desk: Desk, model: Model, start: datetime | None, end: datetime | None) -> Window:
    """Return what to replay: as asked, else from the reference's end (or the log's start, if that is later) to the log's end.

    Raises:
        ConfigError: the log cannot say how far it reaches, or the end is before the start.
        SourceUnavailable: the log cannot be read, or is empty.
    """
    if start is None or end is None:
        log = desk.source(model)
        if not hasattr(log, "span"):
            raise ConfigError(f"The log of {model.key} cannot say how far it reaches; name --start and --end.")
        first, last = log.span(model)
        later = max(first, model.reference.end) if model.reference.end < last else first
        start, end = start or later, end or last + SECOND
    if start >= end:
        raise ConfigError(f"There is nothing to replay between {start:%Y-%m-%d %H:%M} and {end:%Y-%m-%d %H:%M} UTC.")
    return Window(start, end)


def schedule(model: Model, span: Window, *, warm: bool) -> list[tuple[datetime, Watch]]:
    """Return every look in the span, oldest first; `warm` leaves out those whose window would begin before it."""
    rhythms = (_due(place, watch, span, warm=warm) for place, watch in enumerate(model.watches))
    return [(slot, model.watches[place]) for slot, place in heapq.merge(*rhythms)]


def _due(place: int, watch: Watch, span: Window, *, warm: bool) -> list[tuple[datetime, int]]:
    first = span.start + watch.window + watch.lag if warm else span.start
    return [(slot, place) for slot in slots(watch.cadence, first - SECOND, span.end)]
