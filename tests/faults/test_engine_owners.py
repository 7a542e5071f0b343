"""One owner a workflow: the slow, the stopped and the double are fenced off."""

import os
import random
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import make_url

from bot.core.errors import Conflict
from bot.engine.durable import Pace
from bot.engine.lease import leases
from tests.faults.failures import balance
from tests.faults.lives import Script, Ticking, engine_of, eventually, holders

STEPS = [f"pb:1:s{n}" for n in range(5)]


def freeze(process, *files):
    """Stop it where it holds no SQLite file's lock: whoever is frozen in the middle of writing stops everybody; no lease helps."""
    os.kill(process.pid, signal.SIGSTOP)
    while not all(map(writable, files)):
        os.kill(process.pid, signal.SIGCONT)
        time.sleep(0.02)
        os.kill(process.pid, signal.SIGSTOP)


def writable(file):
    """Return whether anybody may write to this SQLite file now."""
    with closing(sqlite3.connect(file, timeout=0.2, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        connection.execute("ROLLBACK")
        return True


@pytest.mark.failure("zombie")
def test_a_process_that_was_frozen_and_wakes_repeats_nothing_after_the_step_it_froze_in(engine_url, world, lives, onlooker, tally):
    onlooker.enqueue_now("five", "pb:1", {"step_s": 0.5})
    frozen = lives.begin(Script(engine_url, world))
    eventually(lambda: bool(world.calls(STEPS[1])), 10, "the second step began")
    freeze(frozen, world.path, *([Path(make_url(engine_url).database)] if engine_url.startswith("sqlite") else []))
    lives.begin(Script(engine_url, world))
    eventually(lambda: len(world.calls(STEPS[1])) == 2, 10, "another process took over")
    os.kill(frozen.pid, signal.SIGCONT)

    assert onlooker.wait("pb:1", 20).state == "SUCCESS"
    calls = [len(world.calls(step)) for step in STEPS]
    tally(frozen=1, runs=1, **balance(STEPS, world.effects()), steps_repeated=sum(calls) - len(STEPS))
    assert calls == [1, 2, 1, 1, 1]


@pytest.mark.failure("zombie")
def test_a_live_process_that_is_taken_for_dead_loses_its_run_to_one_owner(engine_url, world, lives, onlooker, tally):
    onlooker.enqueue_now("five", "pb:1", {"step_s": 0.5})
    slow = Pace(poll_s=0.1, beat_s=1.0, ttl_s=5.0)
    lives.begin(Script(engine_url, world, executor="slow-but-alive", pace=slow, place="another machine"))
    eventually(lambda: bool(world.calls(STEPS[1])), 10, "the second step began")
    with onlooker._engine.begin() as connection:
        connection.execute(leases.update().where(leases.c.executor == "slow-but-alive").values(expires=0))
    lives.begin(Script(engine_url, world))

    assert onlooker.wait("pb:1", 20).state == "SUCCESS"
    calls = [len(world.calls(step)) for step in STEPS]
    tally(taken_for_dead=1, runs=1, **balance(STEPS, world.effects()), steps_repeated=sum(calls) - len(STEPS))
    assert sum(calls) <= 6
    assert calls[4] == 1


@pytest.mark.failure("owner")
def test_a_second_process_under_the_same_id_is_refused_in_one_sentence(engine_url, world, lives, onlooker, tally):
    lives.begin(Script(engine_url, world, executor="aiops-0"))
    eventually(lambda: "aiops-0" in holders(onlooker), 10, "the first process lives")

    with pytest.raises(Conflict, match=r"^Another process runs as 'aiops-0' already; stop it, or give this one another"):
        engine_of(Script(engine_url, world, executor="aiops-0")).launch()
    tally(second_processes_refused=1)


def test_the_id_of_a_dead_process_can_be_taken_again(engine_url, world, lives, onlooker):
    script = Script(engine_url, world, executor="aiops-0", step_s=0.3)
    onlooker.enqueue_now("five", "pb:1", {})
    first = lives.begin(script)
    eventually(lambda: bool(world.calls(STEPS[1])), 10, "the second step began")
    lives.kill(first)
    lives.begin(script)

    assert onlooker.wait("pb:1", 10).state == "SUCCESS"


@pytest.mark.failure("schedule")
@pytest.mark.parametrize("slots", [60, pytest.param(200, marks=pytest.mark.slow)])
def test_three_replicas_that_are_killed_fire_every_slot_once(world, lives, onlooker, tally, slots):
    dice, kills, outages = random.Random(slots), 0, 0
    begins, speed = time.time() + 1.7, 12.0
    scripts = [Script(onlooker.url, world, ticking=Ticking(begins, speed, slots, late_s)) for late_s in (-1.5, 0.0, 1.5)]
    running = [lives.begin(script) for script in scripts]
    for turn in range(int(slots / speed)):
        time.sleep(0.5 + dice.random())
        struck = (0, 1, 2) if turn % 4 == 3 else (dice.randrange(3),)  # now and then all are down for a while
        kills, outages = kills + len(struck), outages + (len(struck) == 3)
        for n in struck:
            lives.kill(running[n])
        time.sleep(0.5 if len(struck) > 1 else 0)
        for n in struck:
            running[n] = lives.begin(scripts[n])

    eventually(lambda: len(world.effects()) >= slots and not onlooker.counts()["running"], 90, "every slot was looked at")
    rows = _check_rows(onlooker)
    looks, due = [world.calls(slot) for slot in world.effects()], scripts[1].ticking.all_slots()
    tally(kills=kills, outages=outages, slots=slots, **balance(due, world.effects()))
    tally(looked_again_after_a_kill=sum(len(calls) - 1 for calls in looks))

    assert rows == [("SUCCESS", slots)]
    assert (tally.counts["lost"], tally.counts["doubled"]) == (0, 0)


def test_work_whose_owner_has_no_lease_at_all_is_taken_over_too(engine_url, world, lives, onlooker):
    onlooker.enqueue_now("five", "pb:1", {"step_s": 0.5})
    first = lives.begin(Script(engine_url, world, place="another machine"))
    eventually(lambda: bool(world.calls(STEPS[1])), 10, "the second step began")
    lives.kill(first)
    with onlooker._engine.begin() as connection:
        connection.execute(leases.delete())
    lives.begin(Script(engine_url, world))

    assert onlooker.wait("pb:1", 20).state == "SUCCESS"


def _check_rows(onlooker):
    found = onlooker._client.list_workflows(name="check_shard", load_input=False, load_output=False)
    states = [row.status for row in found]
    return sorted((state, states.count(state)) for state in set(states))
