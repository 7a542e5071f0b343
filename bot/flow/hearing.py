"""Hearing: a run that somebody wants to stop hears it within a second or two, wherever it waits.

Between two steps it only wakes early: that it was stopped is what the next step finds, and the journal remembers that step. So what
is remembered does not depend on when somebody pressed. Inside a step the wait itself breaks off, and that is the step's outcome.
Going back is never broken off: it lends no ear.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from bot.core.actions import Change, Json
from bot.core.errors import Aborted, StoreUnavailable
from bot.core.ports import Journal, never
from bot.core.waiting import heard
from bot.flow.desk import Desk


def stop_if_asked(desk: Desk, number: str) -> Json:
    """Raise Aborted when somebody wants this run to stop."""
    with desk.store.read() as unit:
        run = unit.run(number)
    if run.abort_by:
        raise Aborted("It was aborted.")
    return {}


def told_to_stop(desk: Desk, number: str) -> bool:
    """Return whether somebody wants this run to stop; while the database is away, nobody can be heard."""
    try:
        with desk.store.read() as unit:
            return bool(unit.run(number).abort_by)
    except StoreUnavailable:
        return False


def amid(desk: Desk, number: str, change: Change) -> AbstractContextManager[None]:
    """Let whatever waits in the middle of this step break off with Aborted as soon as somebody wants the run to stop."""

    def ear() -> None:
        if told_to_stop(desk, number):
            raise Aborted(f"It was aborted in the middle of '{change.step}'.")

    return heard(ear)


@dataclass
class Hearing(Journal):
    """A run's journal whose sleep is cut short when somebody wants the run to stop; the step after it has to find that out."""

    journal: Journal
    asked: Callable[[], bool]

    def __post_init__(self) -> None:
        """Go by the same id: effects carry it in their keys."""
        self.id = self.journal.id

    def step(self, name: str, do: Callable[[], Json]) -> Json:
        """Do it as the journal does."""
        return self.journal.step(name, do)

    def sleep(self, seconds: float, cut_short: Callable[[], bool] = never) -> None:
        """Wait as the journal does, and no longer once somebody wants the run to stop."""
        self.journal.sleep(seconds, lambda: self.asked() or cut_short())
