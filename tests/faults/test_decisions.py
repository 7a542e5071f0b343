"""What people decide while the bot is dead, and at the same moment: one decision, one run, and everybody is told."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.approvals import Policy, Standing
from bot.core.errors import NotAllowed
from bot.core.runs import RunState
from bot.flow.decide import approve, reject
from tests.faults.failures import balance
from tests.faults.lives import NURSERY, eventually
from tests.faults.office import BO, DEE, ON_CALL, clicks, keys
from tests.faults.test_bot import finishes

CLICKS, ROUNDS = 8, 5


def standing(house, number):
    with house.desk.store.read() as unit:
        return unit.proposal(number).standing


@pytest.mark.failure("clicks")
def test_what_people_decide_while_the_bot_is_dead_is_done_once_it_lives_again(office, tally):
    house = office(4)
    approved, rejected, contested = (house.proposed(n).id for n in range(3))
    house.desk = replace(house.desk, policies={"rollback": Policy(ON_CALL, expires=timedelta(0))})
    late = house.proposed(3).id
    replica = house.begins()
    eventually(house.is_staffed, 20, "the bot lived")
    house.kills(replica)
    approve(house.desk, approved, by=BO)
    with pytest.raises(NotAllowed, match="approved already"):
        approve(house.desk, approved, by=BO)
    reject(house.desk, rejected, by=BO, reason="Not now.")
    approve(house.desk, contested, by=BO)
    with pytest.raises(NotAllowed, match="already"):
        reject(house.desk, contested, by=DEE, reason="Not now.")
    with pytest.raises(NotAllowed, match="has expired"):
        approve(house.desk, late, by=BO)
    house.begins()
    eventually(lambda: len(house.runs()) == 2 and all(run.state.over for run in house.runs()), 20, "both runs were over")
    audited = Counter(row.entry.action for row in house.record())
    tally(kills=1, runs=len(house.runs()), **balance([*keys(approved), *keys(contested)], house.splitter.effects()))
    tally(clicks_while_dead=6, audit_rows=audited.total())

    assert {run.state for run in house.runs()} == {RunState.SUCCEEDED}
    assert [standing(house, number) for number in (approved, rejected, contested)] == [
        Standing.APPROVED,
        Standing.REJECTED,
        Standing.APPROVED,
    ]
    assert (audited["vote.approved"], audited["proposal.rejected"], audited["vote.refused"], audited["run.queued"]) == (2, 1, 2, 2)
    assert (tally.counts["lost"], tally.counts["doubled"]) == (0, 0)


@pytest.mark.failure("clicks")
def test_of_eight_processes_that_decide_at_the_same_moment_one_does_and_the_others_are_told(office, tally):
    house = office(ROUNDS)
    proposals = [house.proposed(n).id for n in range(ROUNDS)]
    gate, told = NURSERY.Barrier(CLICKS), NURSERY.Queue()
    fingers = [NURSERY.Process(target=clicks, args=(house.papers, proposals, n, gate, told), daemon=True) for n in range(CLICKS)]
    for finger in fingers:
        finger.start()
    answers = dict(told.get(timeout=60) for _ in fingers)
    for finger in fingers:
        finger.join(20)
    house.begins()
    eventually(lambda: all(run.state.over for run in house.runs()), 20, "every run was over")
    audited = house.audited()
    decided = [[answers[finger][n] for finger in answers].count("") for n in range(ROUNDS)]
    ran = [number for number in proposals if standing(house, number) is Standing.APPROVED]
    tally(clicks=CLICKS * ROUNDS, decisions=sum(decided), runs=len(house.runs()))
    tally(**balance([key for run in ran for key in keys(run)], house.splitter.effects()), audit_rows=sum(audited.values()))

    assert decided == [1] * ROUNDS
    assert all("already" in answer for person in answers.values() for answer in person if answer), answers
    assert [audited["vote.approved", n] + audited["proposal.rejected", n] for n in proposals] == [1] * ROUNDS
    assert sorted(run.id for run in house.runs()) == sorted(ran)
    assert (tally.counts["lost"], tally.counts["doubled"]) == (0, 0)


@pytest.mark.failure("clicks")
@pytest.mark.slow
def test_a_click_that_slack_cannot_deliver_to_a_dead_bot_is_said_to_the_person_and_the_button_works_in_its_next_life(house, tally):
    house.starts()
    press = house.proposed()("bo")
    house.dies()
    told = press()
    assert (house.audited("vote.approved"), house.runs) == ([], [])
    house.starts()
    again = house.finger("bo", "Approve")()
    finishes(house)
    tally(kills=1, runs=len(house.runs), clicks_while_dead=1)

    assert told
    assert again is None
    assert [run.state for run in house.runs] == [RunState.SUCCEEDED]
    house.invariants()
