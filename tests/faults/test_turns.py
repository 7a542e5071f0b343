"""Runs that share a lock never overlap at the target, on two replicas and over kills; a run that needs no lock is not held up."""

import random
import time

import pytest

from bot.core.approvals import Principal
from bot.core.runs import RunState
from bot.flow.decide import approve
from bot.flow.propose import propose
from bot.store.schema import upgrade
from tests.fakes.nouns import an_incident
from tests.faults.lives import Script
from tests.faults.locked import MODELS, PLAYBOOK, live, room_of

ANA, BO = (Principal(name, name, frozenset({"on-call"})) for name in ("ana", "bo"))
KILLS = 6


def approved(desk, model, playbook):
    with desk.store.write() as unit:
        incident = unit.open_incident(an_incident(model=model, evidence={}))
    return approve(desk, propose(desk, incident.id, playbook, {}, by=ANA).id, by=BO).id


def stretch(world, number):
    """When this run's effects were asked for, first and last."""
    asked = [at for step in PLAYBOOK.steps for at in world.calls(f"{number}:{step.name}")]
    return min(asked), max(asked)


@pytest.mark.slow
def test_two_models_under_one_lock_go_one_after_another_whoever_is_killed(engine_url, world, lives):
    upgrade(engine_url)
    script, dice = Script(engine_url, world), random.Random(3)
    desk, store, engine = room_of(Script(engine_url, world, executor="onlooker"))
    first, second, free = (approved(desk, *asked) for asked in zip(MODELS, ("rollback", "rollback", "free"), strict=True))
    replicas = [lives.begin(script, live) for _ in range(2)]
    for _ in range(KILLS):
        time.sleep(0.6 + dice.random() * 0.8)
        lives.kill(replicas.pop(0))
        replicas.append(lives.begin(script, live))

    ended = [engine.wait(number, 60).state for number in (first, second, free)]
    with store.read() as unit:
        runs = [unit.run(number) for number in (first, second, free)]
    store.close()
    engine.stop()
    (_, earlier), (later, _) = sorted(stretch(world, number) for number in (first, second))

    assert ended == ["SUCCESS"] * 3
    assert [run.state for run in runs] == [RunState.SUCCEEDED] * 3
    assert earlier < later
    assert stretch(world, free)[0] < later
    assert world.effects() == sorted(f"{number}:{step.name}" for number in (first, second, free) for step in PLAYBOOK.steps)


@pytest.mark.slow
def test_parallel_steps_overlap_and_go_on_in_one_order_whoever_is_killed(engine_url, world, lives):
    upgrade(engine_url)
    script, dice = Script(engine_url, world), random.Random(5)
    desk, store, engine = room_of(Script(engine_url, world, executor="onlooker"))
    number = approved(desk, MODELS[0], "both")
    replica = lives.begin(script, live)
    for _ in range(KILLS):
        time.sleep(1.2 + dice.random())
        lives.kill(replica)
        replica = lives.begin(script, live)

    ended = engine.wait(number, 60)
    with store.read() as unit:
        run = unit.run(number)
    store.close()
    engine.stop()

    assert (ended.state, run.state) == ("SUCCESS", RunState.SUCCEEDED)
    assert world.effects() == sorted(f"{number}:{step.name}" for step in PLAYBOOK.steps)
    assert [entry.partition("\t")[0] for entry in run.progress] == [step.name for step in PLAYBOOK.steps]
