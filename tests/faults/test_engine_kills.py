"""SIGKILL at any moment: nothing is lost, and what has a key happens once."""

import random
import time
from dataclasses import replace

import pytest

from bot.engine.durable import Pace
from tests.faults.failures import balance
from tests.faults.lives import BRISK, Script, engine_of, eventually, holders

PATIENT = Pace(poll_s=0.1, beat_s=0.3, ttl_s=60.0)


@pytest.mark.failure("storm")
@pytest.mark.parametrize("kills", [10, pytest.param(40, marks=pytest.mark.slow)])
def test_a_storm_of_kills_loses_no_run_and_doubles_no_effect(world, lives, onlooker, tally, kills):
    dice, workflows = random.Random(7), 2 * kills
    script = Script(onlooker.url, world, step_s=0.15)
    numbers = [f"pb:{n}" for n in range(workflows)]
    for number in numbers:
        onlooker.enqueue_now("five", number, {}, lane=number)
    for _ in range(kills):
        process = lives.begin(script)
        time.sleep(0.3 + dice.random() * 0.5)
        lives.kill(process)

    lives.begin(script)
    states = [onlooker.wait(number, 60).state for number in numbers]
    effects = [f"{number}:s{n}" for number in numbers for n in range(5)]
    tally(kills=kills, runs=workflows, **balance(effects, world.effects()))

    assert states == ["SUCCESS"] * workflows
    assert world.effects() == sorted(effects)
    assert onlooker.counts() == {"waiting": 0, "running": 0, "given_up": 0, "stranded": 0}


def test_a_sleep_that_was_killed_waits_only_what_is_left(engine_url, world, lives, onlooker):
    script = Script(engine_url, world)
    onlooker.enqueue_now("nap", "pb:1", {"seconds": 2.5})
    first = lives.begin(script)
    eventually(lambda: bool(world.calls("pb:1:before")), 10, "the sleep began")
    time.sleep(0.7)
    lives.kill(first)

    lives.begin(script)
    onlooker.wait("pb:1", 20)
    (before,), (after,) = world.calls("pb:1:before"), world.calls("pb:1:after")

    assert 2.5 <= after - before < 4.5


def test_a_process_that_is_provably_dead_is_replaced_at_once_and_not_after_its_lease(engine_url, world, lives, onlooker):
    script = Script(engine_url, world, pace=PATIENT, step_s=0.3)
    onlooker.enqueue_now("five", "pb:1", {})
    first = lives.begin(script)
    eventually(lambda: bool(world.calls("pb:1:s1")), 10, "the second step began")
    lives.kill(first)

    lives.begin(script)

    assert eventually(lambda: onlooker.status("pb:1").over, 20, "the run was over") < 8


@pytest.mark.failure("owner")
def test_of_three_replicas_another_takes_over_after_the_lease_of_an_owner_whose_death_nobody_can_prove(
    engine_url, world, lives, onlooker, tally
):
    onlooker.enqueue_now("five", "pb:1", {"step_s": 0.4}, lane="m")
    onlooker.enqueue_now("five", "pb:2", {}, lane="m")
    places = {name: lives.begin(Script(engine_url, world, executor=name, place=f"machine of {name}")) for name in ("a", "b", "c")}
    eventually(lambda: bool(world.calls("pb:1:s1")), 10, "the second step began")
    eventually(lambda: len(holders(onlooker)) == 3, 10, "all three were there")
    owner, called = onlooker.status("pb:1").executor, len(world.calls("pb:1:s1"))
    lives.kill(places[owner])

    taken = eventually(lambda: onlooker.status("pb:1").executor not in ("", owner), 10, "the run was taken over")
    states = [onlooker.wait(number, 10).state for number in ("pb:1", "pb:2")]
    steps = [f"pb:{run}:s{n}" for run in (1, 2) for n in range(5)]
    tally(kills=1, runs=2, **balance(steps, world.effects()), leases_until_taken_over=round(taken / BRISK.ttl_s, 2))

    assert called == 1
    assert taken < 2 * BRISK.ttl_s
    assert states == ["SUCCESS"] * 2
    assert max(world.calls("pb:1:s4")) < min(world.calls("pb:2:s0"))


def test_a_process_told_to_go_hands_its_work_over_without_waiting_for_its_lease(engine_url, world, lives, onlooker):
    onlooker.enqueue_now("nap", "pb:1", {"seconds": 1.5})
    first = lives.begin(Script(engine_url, world, pace=PATIENT, place="another machine"))
    eventually(lambda: bool(world.calls("pb:1:before")), 10, "the sleep began")
    lives.begin(Script(engine_url, world, pace=PATIENT))
    first.terminate()

    assert onlooker.wait("pb:1", 10).state == "SUCCESS"
    assert len(world.calls("pb:1:before")) == len(world.calls("pb:1:after")) == 1


def test_work_that_kills_its_process_is_given_up_and_the_rest_goes_on(tmp_path, world, lives):
    script = Script(f"sqlite:///{tmp_path / 'aiops.db'}", world, pace=replace(BRISK, check_recoveries=2))
    onlooker = engine_of(script)
    onlooker.prepare()
    onlooker.enqueue_now("poison", "pb:poison", {})
    onlooker.enqueue_now("nap", "pb:good", {"seconds": 0.1}, lane="good")
    process = lives.begin(script)
    for _ in range(5):
        process.join(5)
        process = process if process.is_alive() else lives.begin(script)
        if onlooker.status("pb:poison").over:
            break

    assert onlooker.wait("pb:good", 10).state == "SUCCESS"
    assert onlooker.wait("pb:poison", 10).state == "MAX_RECOVERY_ATTEMPTS_EXCEEDED"
    assert onlooker.counts()["given_up"] == 1
    onlooker.stop()
