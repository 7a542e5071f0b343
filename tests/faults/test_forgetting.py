"""Forgetting a year while the bot works: a replica is killed in the middle, another ends it, and nobody waits for it."""

import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
import sqlalchemy as sa

from bot.core.findings import Verdict
from bot.core.keeping import LOOKS, Keep
from bot.engine.durable import CHECKS, Durable
from bot.flow.desk import Desk
from bot.flow.forget import FORGET, Broom, forget
from bot.store import tables
from bot.store.database import open_store
from bot.store.keeper import SqlKeeper
from tests.fakes.nouns import a_finding
from tests.fakes.world import CHECKS as SOME_CHECKS
from tests.fakes.world import FakeClock, FakeDirectory, paired
from tests.faults.lives import BRISK, eventually, to_be_told_to_go

pytestmark = [pytest.mark.failure("scale"), pytest.mark.slow]
MODELS, NAMES, DAYS, REPLICAS, KILLS = 20, ("missing", "psi", "ks"), 300, 2, 2
NOW = datetime(2030, 1, 1, tzinfo=UTC)
EVERY_S = 90.0


@dataclass(frozen=True)
class Year:
    """What a replica is given."""

    url: str
    rest_s: float = 0.05


@contextmanager
def remembering(year: Year):
    engine = Durable(year.url, pace=BRISK)
    store = open_store(year.url, enqueue=engine.enqueue)
    clock = FakeClock(NOW)
    desk = Desk(clock, clock, store, FakeDirectory(), {}, {}, {}, {}, SOME_CHECKS, {}, {}, {}, list, paired, None)
    broom = Broom(desk, SqlKeeper(store), Keep(), partial(time.sleep, year.rest_s))
    engine.register(FORGET, lambda journal, _payload: forget(broom, journal), queue=CHECKS)
    yield store, engine
    engine.stop()
    store.close()


def forgets(year: Year) -> None:
    """One replica."""
    told_to_go = to_be_told_to_go()
    with remembering(year) as (_store, engine):
        engine.launch()
        told_to_go.wait()


def a_year(store) -> None:
    """One look a day of every model, the newest now: healthy, with a critical one now and then."""
    for model in range(MODELS):
        with store.write() as unit:
            for day in range(DAYS):
                verdict = Verdict.CRITICAL if day % 50 == 49 else Verdict.HEALTHY
                found = [a_finding(model=f"m{model}@production", check=name, verdict=verdict, n=day) for name in NAMES]
                unit.record(NOW - timedelta(days=day), found)


def left(store) -> int:
    with store.look() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(tables.findings))


def waited_for_a_look(store, slot) -> float:
    """Write what a look would, and return how long that took: seconds."""
    began = time.monotonic()
    with store.write() as unit:
        unit.record(slot, [a_finding(model="busy@production", check="missing")])
    return time.monotonic() - began


def test_a_year_is_forgotten_though_who_forgets_is_killed_and_those_who_look_go_on(database_url, lives, tally):
    year, waits = Year(database_url), []
    with remembering(year) as (store, engine):
        engine.prepare()
        a_year(store)
        before = left(store)
        working = [lives.begin(year, forgets) for _ in range(REPLICAS)]
        engine.enqueue_now(FORGET, f"{FORGET}:now", {}, FORGET)
        for kill in range(1, KILLS + 1):
            eventually(lambda share=kill / 5: left(store) < before * (1 - share), EVERY_S, "some of it was forgotten")
            for life in working:  # whoever of them it was that forgot
                lives.kill(life)
            working = [lives.begin(year, forgets) for _ in range(REPLICAS)]
        while not engine.over(f"{FORGET}:now"):
            waits.append(waited_for_a_look(store, NOW + timedelta(seconds=len(waits))))
            time.sleep(0.02)
            assert len(waits) < 50 * EVERY_S
        with store.read() as unit:
            found = {
                (m, name): unit.history(f"m{m}@production", (name, "temperature"), 999) for m in range(MODELS) for name in NAMES
            }
            busy = len(unit.history("busy@production", ("missing", "temperature"), 10_000))
            audited = [row.entry.action for row in unit.audit_rows(9)]
        ended = engine.status(f"{FORGET}:now")
    kept = [[f.n for f in history] for history in found.values()]
    tally(
        kills=KILLS * REPLICAS,
        forgotten=before - len(found) * LOOKS,
        lost=len(waits) - busy,
        longest_wait_ms=round(1_000 * max(waits)),
    )

    assert ended.state == "SUCCESS"
    assert kept == [list(range(LOOKS - 1, -1, -1))] * len(found)
    assert busy == len(waits)
    assert audited[-1] == "database.pruned"
    assert max(waits) < 5


def test_the_bot_forgets_by_itself_and_says_so_in_the_audit_log(house, tally):
    with house.store.write() as unit:
        for day in range(2 * LOOKS):
            unit.record(house.clock.now() - timedelta(days=100 + day), [a_finding(model="gone@production")])

    with house.lives():
        house.until("it is forgotten and written down", lambda: "database.pruned" in audited(house))
    tally(forgotten=2 * LOOKS)

    assert house.read(lambda unit: unit.latest("gone@production")) == []


def audited(house):
    return [row.entry.action for row in house.read(lambda unit: unit.audit_rows(20))]
