"""A process that carries out real runs, with the real verb, engine and store; only what they act on is of this file."""

import time
from dataclasses import dataclass, replace

from bot.app.resampling import Resampled
from bot.core.actions import Change, Effect, Going, Verification
from bot.core.approvals import Policy
from bot.engine.durable import Durable
from bot.flow.decide import RUN
from bot.flow.desk import Desk
from bot.flow.execute import execute
from bot.store.database import SqlStore, open_store
from tests.fakes.world import CHECKS, FakeDirectory, FakeLog, paired
from tests.faults.lives import Script, World, to_be_told_to_go
from tests.faults.office import Now
from tests.unit.flow.room import DELAYS, ROLLBACK

MODELS = ("delays", "fares", "tips")
PLAYBOOK = replace(ROLLBACK, lock="edge", verification=Verification(), parameters=())
FREE = replace(PLAYBOOK, name="free", lock="", content={"name": "free"})
BOTH = replace(
    FREE,
    name="both",
    content={"name": "both"},
    steps=tuple(replace(step, together="at once", patience_s=600.0) for step in FREE.steps),
)
STEP_S, WORK_S = 0.3, 2.0


@dataclass(frozen=True)
class Edge:
    """What stands before the models; what is done to it is kept by the world."""

    world: World
    name: str = "edge"

    def split(self, _target):
        return {"v1": 1.0}


class Slow:
    """An action that takes its time before and after its effect: where a kill hurts most."""

    name = "set_traffic"

    def plan(self, _platform, target, _parameters, *, step, before):
        return Change(step, self.name, target, before or {}, {"step": step}, f"{target}: {step}")

    def precheck(self, _platform, _change):
        pass

    def apply(self, platform, change, key):
        time.sleep(STEP_S)
        platform.world.apply(key)
        time.sleep(STEP_S)

    def read_back(self, platform, change, key):
        pass

    def measure(self, platform, change, key):
        if change.together and time.time() - platform.world.calls(key)[0] < WORK_S:
            return Going(f"{change.step} is at work")
        return Effect(f"{change.step} done")

    def blast(self, _changes):
        return "everything"

    def undo(self, _platform, _change, _key):
        return "Back."


def desk_of(store: SqlStore, world: World) -> Desk:
    """Lay a desk for three models before one edge."""
    policy = Policy(frozenset({"on-call"}))
    return Desk(
        clock=Now(),
        data=Now(),
        store=store,
        directory=FakeDirectory(),
        models={model.key: model for model in (replace(DELAYS, name=name) for name in MODELS)},
        sources={"log": FakeLog()},
        platforms={"edge": Edge(world)},
        scorers={},
        checks=CHECKS,
        actions={"set_traffic": Slow()},
        playbooks={"rollback": PLAYBOOK, "free": FREE, "both": BOTH},
        policies={"rollback": policy, "free": policy, "both": policy},
        expand=lambda playbook, _chosen: list(playbook.steps),
        digest_channel="#ml",
        paired=paired,
        resampling=Resampled(),
        poll_s=0.05,
    )


def room_of(script: Script) -> tuple[Desk, SqlStore, Durable]:
    """Return a desk on a real store, and the engine that carries its runs out."""
    engine = Durable(script.url, executor=script.executor, pace=script.pace)
    engine.prepare()
    store = open_store(script.url, enqueue=engine.enqueue)
    desk = desk_of(store, script.world)
    engine.register(RUN, lambda journal, payload: execute(desk, journal, str(payload["run"])))
    return desk, store, engine


def live(script: Script) -> None:
    """One replica, until it is told to go, or killed."""
    told_to_go = to_be_told_to_go()
    _desk, store, engine = room_of(script)
    engine.launch()
    told_to_go.wait()
    engine.stop(drain_s=5)
    store.close()
