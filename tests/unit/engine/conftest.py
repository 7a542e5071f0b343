"""An engine in this process, quick about everything."""

from collections.abc import Callable, Iterator

import pytest

from bot.engine.durable import Durable, Pace

QUICK = Pace(poll_s=0.05, beat_s=0.1, ttl_s=2.0)


@pytest.fixture
def new_engine(sqlite_url: str) -> Iterator[Callable[[], Durable]]:
    """Makes engines on one SQLite file; all are stopped in the end."""
    made: list[Durable] = []

    def make() -> Durable:
        made.append(Durable(sqlite_url, pace=QUICK))
        return made[-1]

    yield make
    for engine in made:
        engine.stop(drain_s=1)


@pytest.fixture
def engine(new_engine: Callable[[], Durable]) -> Durable:
    """One engine, its tables there, not launched."""
    made = new_engine()
    made.prepare()
    return made
