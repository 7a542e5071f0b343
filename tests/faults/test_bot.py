"""The whole bot on its worst days: killed, clicked twice, shut out of Slack, lied to. Each test ends with I1 to I8."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from bot.core.approvals import Standing
from bot.core.incidents import State
from bot.core.runs import RunState
from tests.faults.databases import POSTGRES_SLOWLY
from tests.faults.edge import COUNTERS, SET, STATE
from tests.faults.house import FORGETFUL
from tests.faults.papers import PLACE

THREE_STEPS = [0.25, 0.5, 1.0]


def at_once(*presses):
    """Press all of these buttons at the same moment; return what each person was told."""
    gate = Barrier(len(presses))

    def pressed(press):
        gate.wait()
        return press()

    with ThreadPoolExecutor(len(presses)) as fingers:
        return list(fingers.map(pressed, presses))


def shares(house):
    """What the target was told, repetitions left out."""
    told = [round(call.share, 4) for call in house.edge.door.sets]
    return [share for n, share in enumerate(told) if n == 0 or share != told[n - 1]]


def is_verifying(house):
    return bool(house.audited("run.applied"))


def finishes(house):
    """Let fresh data come and wait for the run's end."""
    house.until("the run has applied its steps", lambda: is_verifying(house))
    house.is_judged()
    house.until("the run is over", lambda: house.is_over)


def taken(told):
    """Return how many clicks Slack delivered; another may have found the button gone already, as in life, and nothing else."""
    assert all(answer is None or "element_not_found" in answer for answer in told), told
    return told.count(None)


@POSTGRES_SLOWLY
def test_a_kill_between_the_commit_and_the_post_loses_no_incident_and_posts_it_once(house):
    house.starts()
    house.slack.fault("rate_limited", "chat.postMessage", count=3, retry_after=1)
    house.loses()
    house.until("the incident is committed", lambda: house.incidents)
    assert "is losing" not in house.slack.transcript(PLACE)
    house.dies()
    house.starts()
    house.recovers("the incident is posted", lambda: "is losing" in house.slack.transcript(PLACE))

    assert len(house.incidents) == 1
    house.invariants()


MOMENTS = {
    "its answer is under way": (SET, 2, True),
    "it is applied and not read back": (STATE, 2, False),
    "it is measured": (COUNTERS, 2, False),
}


@POSTGRES_SLOWLY
@pytest.mark.parametrize(
    "moment",
    [
        "its answer is under way",
        pytest.param("it is applied and not read back", marks=pytest.mark.slow),
        pytest.param("it is measured", marks=pytest.mark.slow),
    ],
)
def test_a_run_that_is_killed_in_a_step_while(house, moment):
    path, sets, answer = MOMENTS[moment]
    house.starts()
    approve = house.proposed()("bo")
    held = house.edge.door.hold(path, sets=sets, answer=answer)
    approve()
    held.wait()
    house.dies()
    held.release()
    house.killed_inside = int(answer)
    house.starts()
    house.recovers("all steps are done", lambda: is_verifying(house))
    finishes(house)

    assert [run.state for run in house.runs] == [RunState.SUCCEEDED]
    assert shares(house) == THREE_STEPS
    house.invariants()


@pytest.mark.slow
def test_a_bot_that_is_killed_while_it_is_paused_begins_no_step_until_somebody_resumes_it(house):
    house.starts()
    approve = house.proposed()("bo")
    held = house.edge.door.hold(SET, sets=1, answer=True)
    approve()
    held.wait()
    house.people["bo"].says("/aiops pause the edge is moved", channel=PLACE)
    house.until("it is paused", lambda: house.audited("bot.paused"))
    house.dies()
    held.release()
    house.killed_inside = 1
    house.starts()
    house.recovers("the step that was under way is done", lambda: house.audited("step.done"))
    time.sleep(2.0)
    assert shares(house) == THREE_STEPS[:1]

    house.people["ana"].says("/aiops resume", channel=PLACE)
    house.recovers("all steps are done", lambda: is_verifying(house))
    finishes(house)

    assert [run.state for run in house.runs] == [RunState.SUCCEEDED]
    assert shares(house) == THREE_STEPS
    house.invariants()


@pytest.mark.failure("owner", database="postgresql")
@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_of_two_replicas_the_other_one_finishes_the_run_whose_owner_dies_in_a_step(house):
    house.starts()
    house.is_joined()
    approve = house.proposed()("bo")
    held = house.edge.door.hold(SET, sets=2, answer=True)
    approve()
    held.wait()
    dead = house.owner_dies(house.runs[0].id)
    held.release()
    house.killed_inside = 1
    house.recovers("the other one owns the run", lambda: house.owner_of(house.runs[0].id) not in ("", dead))
    house.recovers("all steps are done", lambda: is_verifying(house))
    finishes(house)

    assert [run.state for run in house.runs] == [RunState.SUCCEEDED]
    assert shares(house) == THREE_STEPS
    assert dead not in house.executors
    house.invariants()


@pytest.mark.slow
def test_a_run_that_is_killed_while_it_verifies_closes_the_incident_in_its_next_life(house):
    house.starts()
    house.proposed()("bo")()
    house.until("it verifies", lambda: house.runs[0].outcome.startswith("Verifying"))
    house.dies()
    house.is_judged()
    house.starts()
    house.recovers("the run is over", lambda: house.is_over)

    assert [incident.state for incident in house.incidents] == [State.RESOLVED]
    house.invariants()


@pytest.mark.failure("way back")
@pytest.mark.slow
def test_a_run_that_is_killed_while_it_goes_back_is_back_in_its_next_life(company):
    house = company(mends=False)
    house.starts()
    approve = house.proposed()("bo")
    held = house.edge.door.hold(SET, sets=4, answer=True)  # three steps, then the first way back
    approve()
    house.until("the run has applied its steps", lambda: is_verifying(house))
    house.is_judged()
    held.wait()
    house.dies()
    held.release()
    house.killed_inside = 1
    house.starts()
    house.recovers("the run is over", lambda: house.is_over)

    assert [run.state for run in house.runs] == [RunState.COMPENSATED]
    assert shares(house) == [*THREE_STEPS, 0.5, 0.25, 0.0]
    house.invariants()


@POSTGRES_SLOWLY
def test_a_training_outlives_the_bot_and_is_found_again_by_its_next_life(company):
    house = company(trains=True)
    begun = house.folder / "trained"
    house.starts()
    press = house.proposed("Has the model trained anew")
    assert press("bo")() is None
    house.until("the training has begun", begun.exists)
    house.until("people see how far it is", lambda: "epoch 1 of 2" in house.slack.transcript(PLACE))
    house.dies()
    house.starts()
    (house.folder / "go").touch()
    house.recovers("the run is over", lambda: house.is_over)
    house.until("people are told", lambda: "trained v9. The incident stays with people" in house.slack.transcript(PLACE))

    assert (begun.read_text(), [run.state for run in house.runs]) == ("x", [RunState.SUCCEEDED])
    assert [incident.state for incident in house.incidents] == [State.ACKNOWLEDGED]
    assert house.edge.door.sets == []
    house.invariants()


@pytest.mark.failure("clicks")
@POSTGRES_SLOWLY
def test_a_double_click_is_one_vote_one_decision_and_one_run(house):
    with house.lives():
        finger = house.proposed()
        told = at_once(finger("bo"), finger("bo"))
        finishes(house)

        assert taken(told)
        assert len(house.audited("vote.approved")) == len(house.audited("run.queued")) == len(house.runs) == 1
        house.invariants()


@pytest.mark.failure("clicks")
@POSTGRES_SLOWLY
def test_two_people_who_approve_at_once_start_one_run_and_both_are_answered(house):
    with house.lives():
        finger = house.proposed()
        told = at_once(finger("ana"), finger("bo"))
        finishes(house)

        assert taken(told)
        assert len(house.audited("vote.approved")) == len(house.runs) == 1
        assert len(house.audited("vote.refused")) == taken(told) - 1
        house.invariants()


@pytest.mark.failure("clicks")
@POSTGRES_SLOWLY
def test_a_click_after_the_end_is_told_so_and_starts_nothing(company):
    house = company(expires="2s")
    with house.lives(FORGETFUL):
        late = house.proposed()("bo")
        time.sleep(2)
        told = late()
        house.people["bo"].sees("has expired", within=5)
    with house.lives():
        house.recovers("the card has no button", lambda: "[Approve]" not in house.slack.transcript(PLACE))
        (proposal,) = house.read(lambda unit: unit.proposals())

        assert told is None
        assert proposal.standing is Standing.EXPIRED
        assert (house.runs, house.edge.door.sets) == ([], [])
        house.invariants()


@pytest.mark.parametrize(
    ("kind", "details"),
    [("rate_limited", {"retry_after": 1, "count": 2}), ("drop_after_accept", {})],
)
def test_an_incident_is_one_message_though_slack(house, kind, details):
    with house.lives():
        house.slack.fault(kind, "chat.postMessage", **details)
        house.loses()
        house.until("the incident is shown", lambda: "is losing" in house.slack.transcript(PLACE))
        house.recovers("everything is told", lambda: house.audited("incident.explained") and house.is_level())

        assert len(house.incidents) == 1
        house.invariants()


@pytest.mark.slow
def test_a_click_that_slack_delivers_twice_is_one_vote(house):
    with house.lives():
        press = house.proposed()("bo")
        house.slack.fault("duplicate_delivery")
        press()
        finishes(house)

        assert len(house.audited("vote.approved")) == 1
        assert house.audited("vote.refused") == []
        house.invariants()


@pytest.mark.slow
def test_a_run_goes_on_while_slack_is_away_and_people_read_it_afterwards(house):
    with house.lives():
        press = house.proposed()("bo")
        house.until("everything is told", house.is_level)
        press()
        house.slack.fault("server_error", "*", count=10_000, status=503)
        away = time.monotonic()
        finishes(house)
        time.sleep(max(0.0, 5 - (time.monotonic() - away)))
        house.slack.room.faults.clear()
        house.recovers("Slack is level", house.is_level)

        assert [incident.state for incident in house.incidents] == [State.RESOLVED]
        assert "Resolved: Mended by" in house.slack.transcript(PLACE)
        house.invariants()


@pytest.mark.slow
def test_a_splitter_that_forgets_in_the_middle_fails_the_step_loudly_and_nothing_is_called_resolved(house):
    with house.lives():
        approve = house.proposed()("bo")
        held = house.edge.door.hold(COUNTERS, sets=2)
        approve()
        held.wait()
        house.edge.restarts()
        held.release()
        house.until("the run is over", lambda: house.is_over)

        assert [run.state for run in house.runs] == [RunState.COMPENSATED]
        assert [incident.state for incident in house.incidents] == [State.ACKNOWLEDGED]
        house.people["ana"].sees("Everything it had changed was put back", within=10)
        house.invariants()
