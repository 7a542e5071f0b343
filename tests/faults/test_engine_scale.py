"""Many models, and a long time: a slot is looked at within its cadence, and what the engine remembers does not grow."""

import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from bot.core.models import Model, Persistence, Watch
from bot.core.windows import Window
from bot.engine.database import EngineTables
from bot.engine.durable import CHECKS, Durable, Pace
from bot.flow.desk import Desk
from bot.flow.watch import look_at_all, shards_of
from bot.scheduler import CHECK, Cadence, Scheduler
from bot.store.database import open_store
from tests.fakes.world import CHECKS as SOME_CHECKS
from tests.fakes.world import FakeClock, FakeDirectory, FakeLog, paired
from tests.faults.failures import balance
from tests.faults.lives import Script, eventually, to_be_told_to_go

pytestmark = [pytest.mark.failure("scale"), pytest.mark.slow]
FLEET, REPLICAS = 2_000, 2
EVERY_S = 300.0
SLOT = datetime(2030, 1, 1, tzinfo=UTC)
WATCH = Watch("five minutes", "*/5 * * * *", timedelta(hours=1), ("missing",), persistence=Persistence(2, 2))
DAYS, LOOKS_A_DAY = 7, 48


@dataclass(frozen=True)
class Fleet:
    """What a replica of a bot with many models is given; its log is made up, everything else is real."""

    url: str
    models: int

    def model(self, n: int) -> Model:
        stretch = Window(SLOT - timedelta(days=9), SLOT - timedelta(days=4))
        return Model(f"m{n}", "production", "ml", "log", "", stretch, (WATCH,))


@contextmanager
def watching(fleet: Fleet):
    engine = Durable(fleet.url, pace=Pace(poll_s=0.1))
    store = open_store(fleet.url, enqueue=engine.enqueue)
    clock = FakeClock(SLOT + timedelta(seconds=1))
    models = {model.key: model for model in map(fleet.model, range(fleet.models))}
    desk = Desk(
        clock, clock, store, FakeDirectory(), models, {"log": FakeLog()}, {}, {}, SOME_CHECKS, {}, {}, {}, list, paired, None
    )

    def check_shard(journal, payload):
        slot, part = datetime.fromisoformat(payload["slot"]), (payload["shard"], payload["shards"])
        return journal.step("look", lambda: {"looked": look_at_all(desk, payload["cadence"], slot, *part)})

    engine.register(CHECK, check_shard, queue=CHECKS)
    yield desk, engine
    engine.stop()
    store.close()


def watches(fleet: Fleet) -> None:
    """One replica: it ticks, and looks."""
    told_to_go = to_be_told_to_go()
    with watching(fleet) as (desk, engine):
        scheduler = Scheduler(engine.enqueue_now, data=desk.data, wall=desk.clock, tick_s=0.5)
        scheduler.watch([Cadence(WATCH.cadence, shards_of(desk, WATCH.cadence))])
        engine.launch()
        scheduler.start()
        told_to_go.wait()
        scheduler.stop()


def test_one_slot_of_many_models_is_looked_at_within_its_cadence_though_a_replica_is_killed(database_url, lives, tally):
    fleet = Fleet(database_url, FLEET)
    with watching(fleet) as (desk, engine):
        engine.prepare()
        shards, began = shards_of(desk, WATCH.cadence), time.monotonic()
        doomed, *_ = (lives.begin(fleet, watches) for _ in range(REPLICAS))
        eventually(lambda: looked(engine)["SUCCESS"] > shards // 4, EVERY_S, "a quarter had been looked at")
        lives.kill(doomed)
        lives.begin(fleet, watches)
        eventually(lambda: looked(engine) == {"SUCCESS": shards}, EVERY_S, "all had been looked at")
        took = time.monotonic() - began
        with desk.store.read() as unit:
            found = [finding.model for finding in unit.latest() if finding.check == "missing"]
    tally(kills=1, models=FLEET, parts=shards, **balance([f"m{n}@production" for n in range(FLEET)], found))
    tally(s_for_a_slot=round(took), models_a_second=round(FLEET / took))

    assert (tally.counts["lost"], tally.counts["doubled"]) == (0, 0)
    assert took < EVERY_S


def looked(engine):
    return Counter(row.status for row in engine._client.list_workflows(name=CHECK, load_input=False, load_output=False))


def test_a_week_of_looks_leaves_as_many_rows_as_a_day(engine_url, world, lives, onlooker, tally):
    lives.begin(replace(Script(engine_url, world), pace=Pace(poll_s=0.05, checks_at_once=8)))
    left = []
    for day in range(DAYS):
        slots = [f"2030-01-{day + 1:02} {n}" for n in range(LOOKS_A_DAY)]
        for slot in slots:
            onlooker.enqueue_now(CHECK, f"hc:{slot}", {"slot": slot}, lane=slot)
        eventually(lambda: not any(onlooker.counts()[what] for what in ("waiting", "running")), 60, "the day's looks were done")
        a_day_passes(onlooker)
        onlooker.prune()
        left.append(rows(onlooker))
    tally(days=DAYS, looks=len(world.effects()), rows_after_a_day=left[0], rows_after_a_week=left[-1])

    assert len(world.effects()) == DAYS * LOOKS_A_DAY
    assert set(left) == {left[0]}


def a_day_passes(engine):
    """Move everything that is over a day into the past, less half an hour: the last look is a look ago."""
    schema = EngineTables(engine._engine).workflows.schema
    work = sa.table("workflow_status", sa.column("completed_at", sa.BigInteger()), schema=schema)
    with engine._engine.begin() as connection:
        connection.execute(sa.update(work).values(completed_at=work.c.completed_at - (24 * 60 - 30) * 60_000))


def rows(engine):
    """How many workflows and steps the engine remembers."""
    tables = EngineTables(engine._engine)
    with engine._engine.connect() as connection:
        return sum(connection.scalar(sa.select(sa.func.count()).select_from(table)) for table in (tables.workflows, tables.steps))
