"""Waiting: whatever waits for the world waits here, so that an abort and the end of the process are heard within a second.

An endpoint takes a quarter of an hour to come into service, a split has to be held before it is counted. Whoever started the step
lends an ear for as long as it takes; an action or a connector only says how long it would wait.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

SLICE_S = 1.0
"""The ears are asked this often."""

Ear = Callable[[], object]
"""Raises when there is no more to wait for; what it returns is nobody's business."""

_EARS: ContextVar[tuple[Ear, ...]] = ContextVar("ears", default=())


@contextmanager
def heard(ear: Ear) -> Iterator[None]:
    """Ask this ear, beside those of whoever is around, during every `pause` inside."""
    token = _EARS.set((*_EARS.get(), ear))
    try:
        yield
    finally:
        _EARS.reset(token)


def pause(seconds: float) -> None:
    """Wait so long; an ear that raises ends the wait, and that is what the caller hears.

    What was begun before stays begun: whoever catches nothing leaves it to those who go back.
    """
    until = time.monotonic() + seconds
    while True:
        for ear in _EARS.get():
            ear()
        left = until - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(left, SLICE_S))
