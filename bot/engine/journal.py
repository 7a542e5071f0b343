"""The journal over DBOS: every step's outcome is written before the next one starts."""

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from dbos import DBOS

from bot.core.actions import Json
from bot.core.ports import never
from bot.core.waiting import heard
from bot.engine.outcomes import Outcome, answer, lost_the_database, outcome, unknown

log = logging.getLogger("bot.engine")

PATIENCE_S = 90.0
"""How long a step that lost the database waits for it before the body is told."""
LONGEST_PAUSE_S = 2.0
SLICE_S = 1.0

T = TypeVar("T")


class Interrupted(BaseException):
    """This life of the workflow ends here: the process is going, or the database went away while an outcome was written.

    The workflow stays as it is and goes on in its next life. Nobody below may catch it, as nobody catches a kill.
    """


class DurableJournal:
    """One workflow's memory, good for one life of the process. Effects should carry the key `id:step`."""

    def __init__(self, number: str, stopping: threading.Event) -> None:
        self.id = number
        self._stopping = stopping

    def step(self, name: str, do: Callable[[], Json]) -> Json:
        """Do it and remember what it returned; after a crash the remembered answer is given instead.

        A crash between the effect and the remembering does it again: effects must be absolute or carry their key. An error of
        `bot.core.errors` is remembered too; any other becomes OutcomeUnknown.
        """
        self._go_on()
        known: Outcome = self._remembered(name, lambda: self._patiently(name, do))
        return answer(known)

    def sleep(self, seconds: float, cut_short: Callable[[], bool] = never) -> None:
        """Wait; the moment of waking is remembered, so a restart waits only what is left. `cut_short` is asked every second."""
        self._go_on()
        wakes: float = self._remembered("sleep", lambda: time.time() + seconds)
        while (left := min(wakes - time.time(), seconds)) > 0 and not cut_short():
            self._stopping.wait(min(left, SLICE_S))
            self._go_on()

    def _remembered(self, name: str, do: Callable[[], T]) -> T:
        """Let the library do it once; when it cannot write down what came of it, the body must not take that for an answer."""
        try:
            return DBOS.run_step({"name": name}, do)
        except Exception as error:
            if lost_the_database(error):
                raise Interrupted(self.id) from error
            raise

    def _patiently(self, name: str, do: Callable[[], Json]) -> Outcome:
        """Repeat a step that lost the database: it is as if the process had died there, only cheaper."""
        gives_up, pause = time.monotonic() + PATIENCE_S, 0.1
        while True:
            try:
                with heard(self._go_on):  # what waits inside hears when the process is to go
                    return outcome(name, do)
            except Exception as error:
                if not lost_the_database(error):
                    raise
                if time.monotonic() > gives_up:
                    return unknown(name, error)
                log.warning("step %s of %s lost the database and waits for it", name, self.id)
            self._stopping.wait(pause)
            self._go_on()
            pause = min(pause * 2, LONGEST_PAUSE_S)

    def _go_on(self) -> None:
        if self._stopping.is_set():
            raise Interrupted(self.id)
