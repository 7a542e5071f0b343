"""A training at Prefect, as people live through it: the real bot in a process of its own, Slack, a real Prefect 3.

Half a minute each besides the start of Prefect, so `make test-all` plays them.
"""

from contextlib import ExitStack

import pytest

from bot.core.incidents import State
from bot.core.runs import RunState
from tests.contract import prefect_server
from tests.fakes.prefect import PASSWORD
from tests.faults.papers import PLACE
from tests.story.trainers import company, trained, trains_at

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def prefect(tmp_path_factory):
    with ExitStack() as stack:
        yield prefect_server.Real(stack, tmp_path_factory.mktemp("prefect"))


@pytest.fixture
def house(sqlite_url, tmp_path):
    with company(tmp_path, sqlite_url) as house:
        yield house


def trains(house, prefect, **parameters):
    """Let the company train by a deployment that is told this, and have it approved."""
    trains_at(house, "prefect", prefect.url, PASSWORD, {"deployment": "train/nightly", "parameters": parameters})


def test_a_training_is_started_once_followed_to_its_end_and_the_incident_stays_with_people(house, prefect):
    trains(house, prefect, seconds=6, until="{model}")
    house.until("the thread says how far it is", lambda: "task 'fit-" in house.slack.transcript(PLACE), within=60)
    run, thread = trained(house)

    assert [one.state for one in house.runs] == [RunState.SUCCEEDED]
    assert "retrain: deployment train/nightly with seconds 6, until " in thread
    assert f"Done: run {run} ended as 'Completed'. The incident stays with people." in thread
    assert prefect.runs(run) == 1
    assert [one.state for one in house.incidents] == [State.ACKNOWLEDGED]
    house.invariants()


def test_a_training_that_fails_is_said_to_have_failed_at_which_task_and_why(house, prefect):
    trains(house, prefect, fails=True)
    run, thread = trained(house)

    assert [one.state for one in house.runs] == [RunState.COMPENSATED]
    assert f"' failed in run {run}: ValueError: There are no data. " in thread
    assert prefect.runs(run) == 1
    assert [one.state for one in house.incidents] == [State.ACKNOWLEDGED]
    house.invariants()


def test_a_training_that_a_person_aborts_is_cancelled_at_prefect(house, prefect):
    trains(house, prefect, seconds=300)
    house.until("the thread says how far it is", lambda: "task 'fit-" in house.slack.transcript(PLACE), within=60)
    house.finger("bo", "Abort")()
    run, thread = trained(house)
    house.until("Prefect has ended it", lambda: prefect.states(run) == ["CANCELLED"], within=60)

    assert [one.state for one in house.runs] == [RunState.COMPENSATED]
    assert "retrain was told to stop; what it had done by then stays." in thread
    assert [one.state for one in house.incidents] == [State.ACKNOWLEDGED]
    house.invariants()
