"""Runs of real plans, carried out by replicas that are killed: what people approved happens, once, and the record says so."""

import random
import time

import pytest

from bot.core.approvals import Principal
from bot.core.runs import RunState
from bot.flow.decide import approve
from tests.faults.failures import balance
from tests.faults.lives import eventually
from tests.faults.office import ON_CALL, STEPS

BO = Principal("U0BO", "bo", ON_CALL)
ONCE_A_RUN = ("proposal.made", "vote.approved", "run.queued", "run.started", "run.applied", "run.succeeded")


def keys(run):
    return [f"{run}:{step}" for step in STEPS]


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
