"""Runs of real plans, carried out by replicas that are killed: what people approved happens, once, and the record says so."""

import random
import time
from datetime import UTC, datetime

import pytest

from bot.core.runs import RunState
from bot.flow.abandoned import hand_over_abandoned
from bot.flow.decide import approve
from bot.flow.gate import proceed
from tests.faults.failures import balance
from tests.faults.lives import eventually
from tests.faults.office import BO, STEPS, keys, remedy

ONCE_A_RUN = ("proposal.made", "vote.approved", "run.queued", "run.started", "run.applied", "run.succeeded")


@pytest.mark.failure("storm")
@pytest.mark.slow
def test_a_storm_of_kills_leaves_every_run_done_once_and_told_once(office, tally):
    kills, models, dice = 12, 60, random.Random(11)
    house = office(models, slow_s=0.15)
    runs = [approve(house.desk, house.proposed(n).id, by=BO).id for n in range(models)]
    for _ in range(kills):
        before, replica = len(house.splitter.calls()), house.begins()
        eventually(lambda before=before: len(house.splitter.calls()) > before + 1, 30, "the replica was at work")
        time.sleep(dice.random() * 0.4)  # chance where the kill strikes
        house.kills(replica)
        assert len(house.splitter.effects()) < len(STEPS) * models, "the storm outlived its runs"
    house.begins()
    eventually(lambda: all(run.state.over for run in house.runs()), 120, "every run was over")
    audited = house.audited()
    tally(kills=kills, runs=len(house.runs()), **balance([key for run in runs for key in keys(run)], house.splitter.effects()))
    tally(audit_rows=sum(audited.values()), asked_again=len(house.splitter.calls()) - len(house.splitter.effects()))

    assert [run.state for run in house.runs()] == [RunState.SUCCEEDED] * models
    assert (tally.counts["lost"], tally.counts["doubled"]) == (0, 0)
    assert {house.splitter.split(f"m{n}")["v1"] for n in range(models)} == {1.0}
    assert {(action, audited[action, run]) for run in runs for action in ONCE_A_RUN} == {(action, 1) for action in ONCE_A_RUN}
    assert {audited["step.done", key] for run in runs for key in keys(run)} == {1}
    tries = {key: audited["step.intended", key] for run in runs for key in keys(run)}
    asked = [key for key, _ in house.splitter.calls()]
    assert all(tries[key] >= asked.count(key) >= 1 for key in tries), "an effect without its intent"


WAITS = {"gate": "Look at the errors of {{ to_version }}.", "gate_timeout": "4s"}


def waits(house, run):
    return house.run(run).waits


def is_late(house, run):
    return datetime.now(UTC) > house.run(run).gate_until


@pytest.mark.failure("way back")
@pytest.mark.slow
def test_a_gate_whose_time_runs_out_while_the_bot_is_dead_and_kills_on_the_way_back_put_everything_back_once(office, tally):
    house = office(1, playbook=remedy(**WAITS), slow_s=0.3)
    run = approve(house.desk, house.proposed(0).id, by=BO).id
    replica = house.begins()
    eventually(lambda: house.runs() and waits(house, run), 20, "it waited at its gate")
    house.kills(replica)
    eventually(lambda: is_late(house, run), 20, "its time had run out")
    back = [f"{run}:two thirds:undo", f"{run}:third:undo"]
    for key in back:
        replica = house.begins()
        eventually(lambda key=key: key in house.splitter.effects(), 20, "it was on its way back")
        house.kills(replica)
    house.begins()
    eventually(lambda: house.run(run).state.over, 20, "it was over")
    audited = house.audited()
    tally(kills=1 + len(back), runs=1, **balance([*keys(run)[:2], *back], house.splitter.effects()))
    tally(audit_rows=sum(audited.values()), asked_again=len(house.splitter.calls()) - len(house.splitter.effects()))

    assert house.run(run).state is RunState.COMPENSATED
    assert house.splitter.split("m0") == {"v1": 0.0, "v2": 1.0}
    assert (tally.counts["lost"], tally.counts["doubled"]) == (0, 0)
    once = [
        ("gate.reached", keys(run)[2]),
        ("gate.expired", keys(run)[2]),
        ("run.compensated", run),
        *(("step.undone", k) for k in back),
    ]
    assert [audited[row] for row in once] == [1] * len(once)


@pytest.mark.failure("way back")
@pytest.mark.slow
def test_a_press_in_time_counts_though_the_bot_is_dead_then_and_lives_again_too_late(office, tally):
    house = office(1, playbook=remedy(**WAITS))
    run = approve(house.desk, house.proposed(0).id, by=BO).id
    replica = house.begins()
    eventually(lambda: house.runs() and waits(house, run), 20, "it waited at its gate")
    house.kills(replica)
    proceed(house.desk, keys(run)[2], by=BO)
    eventually(lambda: is_late(house, run), 20, "its time had run out")
    house.begins()
    eventually(lambda: house.run(run).state.over, 20, "it was over")
    tally(kills=1, runs=1, **balance(keys(run), house.splitter.effects()), pressed_in_time=1)

    assert house.run(run).state is RunState.SUCCEEDED
    assert house.splitter.split("m0")["v1"] == 1.0
    assert house.audited()["gate.expired", keys(run)[2]] == 0


@pytest.mark.failure("deploy")
@pytest.mark.slow
def test_what_was_proposed_before_a_deploy_is_carried_out_as_it_was_approved_and_what_comes_after_as_it_is_written_now(
    office, tally
):
    house = office(3, slow_s=0.3)
    waiting, begun = house.proposed(0), approve(house.desk, house.proposed(1).id, by=BO)
    replica = house.begins()
    eventually(lambda: keys(begun.id)[1] in house.splitter.effects(), 20, "one run was half done")
    house.kills(replica)
    house.deploys(remedy([("at once", 1.0)]))
    house.begins()
    approve(house.desk, waiting.id, by=BO)
    new = approve(house.desk, house.proposed(2).id, by=BO)
    eventually(lambda: len(house.runs()) == 3 and all(run.state.over for run in house.runs()), 30, "every run was over")
    expected = [*keys(waiting.id), *keys(begun.id), f"{new.id}:at once"]
    tally(kills=1, deploys=1, runs=3, **balance(expected, house.splitter.effects()), audit_rows=len(house.record()))

    assert {run.state for run in house.runs()} == {RunState.SUCCEEDED}
    assert {house.run(one.id).plan.hash == one.plan.hash for one in (waiting, begun, new)} == {True}
    assert sorted(house.splitter.effects()) == sorted(expected)


@pytest.mark.failure("deploy")
@pytest.mark.slow
def test_a_run_whose_body_is_another_one_after_a_deploy_does_nothing_more_and_is_handed_to_people(office, tally):
    house = office(1, playbook=remedy(**WAITS | {"gate_timeout": "1h"}))
    run = approve(house.desk, house.proposed(0).id, by=BO).id
    replica = house.begins()
    eventually(lambda: house.runs() and waits(house, run), 20, "it waited at its gate")
    house.kills(replica)
    proceed(house.desk, keys(run)[2], by=BO)
    house.begins(another_body=True)
    eventually(lambda: house.engine.over(run), 20, "the engine had caught it")
    told = hand_over_abandoned(house.desk, house.engine.over)
    tally(kills=1, deploys=1, runs=1, **balance(keys(run)[:2], house.splitter.effects()), handed_to_people=told)

    assert "recorded" in house.engine.status(run).error
    assert (told, house.run(run).state) == (1, RunState.FAILED)
    assert house.splitter.effects() == keys(run)[:2]
