"""Processes that live, work and are killed, and the outside world in which their effects can be counted."""

import logging
import multiprocessing
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bot.engine import lease
from bot.engine.durable import CHECKS, PLAYBOOKS, Durable, Pace
from bot.scheduler import CHECK, Cadence, Scheduler

BRISK = Pace(poll_s=0.05, beat_s=0.2, ttl_s=1.2)
NURSERY = multiprocessing.get_context("forkserver")
NURSERY.set_forkserver_preload(["tests.faults.lives", "tests.faults.office"])


@dataclass(frozen=True)
class Book:
    """A SQLite file that processes share and none of them owns: what is written there outlives whoever is killed."""

    path: Path

    def _all(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        with self._open() as db:
            return db.execute(query, values).fetchall()

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.path, timeout=30)) as db, db:
            yield db


class World(Book):
    """The target: a database of its own, as a platform would have. A key applies once, however often it is called."""

    def build(self) -> "World":
        with self._open() as db:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("CREATE TABLE effects (key TEXT PRIMARY KEY)")
            db.execute("CREATE TABLE calls (key TEXT, at REAL)")
            db.execute("CREATE TABLE ends (key TEXT, at REAL)")
        return self

    def apply(self, key: str) -> None:
        with self._open() as db:
            db.execute("INSERT INTO calls VALUES (?, ?)", (key, time.time()))
            db.execute("INSERT INTO effects VALUES (?) ON CONFLICT DO NOTHING", (key,))

    def end(self, key: str) -> None:
        with self._open() as db:
            db.execute("INSERT INTO ends VALUES (?, ?)", (key, time.time()))

    def stretch(self, prefix: str) -> tuple[float, float]:
        """Return when the first effect with such a key began and when the last one ended."""
        bounds = "SELECT (SELECT min(at) FROM calls WHERE key GLOB ?1), (SELECT max(at) FROM ends WHERE key GLOB ?1)"
        ((began, ended),) = self._all(bounds, f"{prefix}*")
        return began, ended

    def effects(self) -> list[str]:
        return [key for (key,) in self._all("SELECT key FROM effects ORDER BY key")]

    def calls(self, key: str) -> list[float]:
        return [at for (at,) in self._all("SELECT at FROM calls WHERE key = ? ORDER BY at", key)]


@dataclass(frozen=True)
class Ticking:
    """A replica's scheduler: data time runs `speed` times as fast from `begins` on, `late_s` seconds behind the others'."""

    begins: float
    speed: float
    slots: int
    late_s: float = 0.0

    def cadence(self) -> Cadence:
        start = datetime(2030, 1, 1, tzinfo=UTC)
        return Cadence("* * * * *", every_slot=True, start=start, lookback=timedelta(days=1))

    def all_slots(self) -> list[str]:
        """Return every slot that has to be looked at, as the target knows it."""
        return [(datetime(2030, 1, 1, tzinfo=UTC) + timedelta(minutes=n)).isoformat() for n in range(self.slots)]

    def now(self) -> datetime:
        passed = (time.time() - self.begins - self.late_s) * self.speed
        last = datetime(2030, 1, 1, tzinfo=UTC) + timedelta(minutes=self.slots - 1, seconds=1)
        return min(datetime(2030, 1, 1, tzinfo=UTC) - timedelta(seconds=1) + timedelta(minutes=passed), last)


@dataclass(frozen=True)
class Script:
    """What a process is given to live by."""

    url: str
    world: World
    executor: str = ""
    pace: Pace = BRISK
    place: str = ""
    step_s: float = 0.02
    ticking: Ticking | None = None


def bodies(script: Script) -> dict[str, Callable[..., Any]]:
    """Every workflow that the fault tests run."""
    world = script.world

    def act(journal: Any, name: str, seconds: float) -> None:
        def do() -> dict[str, object]:
            world.apply(f"{journal.id}:{name}")
            time.sleep(seconds)  # between the effect and its being remembered: where a kill hurts most
            world.end(f"{journal.id}:{name}")
            return {}

        journal.step(name, do)

    def five(journal: Any, payload: Any) -> dict[str, object]:
        for n in range(5):
            act(journal, f"s{n}", payload.get("step_s", script.step_s))
        return {"done": 5}

    def nap(journal: Any, payload: Any) -> dict[str, object]:
        act(journal, "before", 0)
        journal.sleep(payload["seconds"])
        act(journal, "after", 0)
        return {}

    def poison(journal: Any, _payload: Any) -> dict[str, object]:
        journal.step("dies", lambda: os.kill(os.getpid(), signal.SIGKILL) or {})
        return {}

    def check(journal: Any, payload: Any) -> dict[str, object]:
        journal.step("look", lambda: world.apply(str(payload["slot"])) or {})
        return {}

    return {"five": five, "nap": nap, "poison": poison, CHECK: check}


def engine_of(script: Script) -> Durable:
    """The engine of one script, everything registered."""
    engine = Durable(script.url, executor=script.executor, pace=script.pace)
    for name, body in bodies(script).items():
        engine.register(name, body, queue=CHECKS if name in (CHECK, "poison") else PLAYBOOKS)
    return engine


def to_be_told_to_go() -> threading.Event:
    """Be quiet, and return what SIGTERM sets."""
    logging.disable(logging.ERROR)
    told = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: told.set())
    return told


def live(script: Script) -> None:
    """One process, from start to SIGTERM, or to SIGKILL."""
    told_to_go = to_be_told_to_go()
    if script.place:
        lease.place = lambda: script.place
    engine = engine_of(script)
    engine.launch()
    if script.ticking:
        scheduler = Scheduler(engine.enqueue_now, data=script.ticking, wall=script.ticking, tick_s=0.1)
        scheduler.watch([script.ticking.cadence()])
        scheduler.start()
    told_to_go.wait()
    engine.stop(drain_s=5)


@dataclass
class Lives:
    """Starts processes and leaves none behind."""

    started: list[Any] = field(default_factory=list)

    def begin(self, script: Any, life: Callable[[Any], None] = live) -> Any:
        process = NURSERY.Process(target=life, args=(script,), daemon=True)
        process.start()
        self.started.append(process)
        return process

    def kill(self, process: Any) -> None:
        if process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
        process.join(5)

    def end(self) -> None:
        for process in self.started:
            self.kill(process)


def holders(engine: Durable) -> set[str]:
    """Return who has a lease."""
    with engine._engine.connect() as connection:
        return set(connection.execute(sa.select(lease.leases.c.executor)).scalars())


def eventually(holds: Callable[[], bool], within_s: float, what: str) -> float:
    """Return after how many seconds it held; a stall is a failure with a name."""
    begin = time.monotonic()
    while time.monotonic() - begin < within_s:
        if holds():
            return time.monotonic() - begin
        time.sleep(0.05)
    raise AssertionError(f"After {within_s:g} s it still was not so that {what}.")
