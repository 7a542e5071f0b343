"""A training at Prefect, as people live through it: the real bot in a process of its own, Slack, a real Prefect 3.

Half a minute each besides the start of Prefect, so `make test-all` plays them.
"""

from contextlib import ExitStack

import pytest
import yaml

from bot.connectors.orders import short
from bot.core.incidents import State
from bot.core.runs import RunState
from tests.contract import prefect_server
from tests.fakes.prefect import PASSWORD
from tests.faults.edge import Edge
from tests.faults.house import House
from tests.faults.papers import PLACE
from tests.story.test_remedies import offers, rewrites

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def prefect(tmp_path_factory):
    with ExitStack() as stack:
        yield prefect_server.Real(stack, tmp_path_factory.mktemp("prefect"))


@pytest.fixture
def house(sqlite_url, tmp_path):
    edge = Edge(tmp_path)
    with House(tmp_path, sqlite_url, edge) as house:
        offers(house, "retrain")
        rewrites(house, "losing")
        yield house
    edge.close()


def trains_at(house, prefect, **parameters):
    """Let the company's trainer be a deployment of Prefect that is told this; start the bot, lose, and have it approved."""
    house.secrets["Prefect's password"] = PASSWORD
    (house.folder / "password").write_text(f"{PASSWORD}\n")
    told = yaml.safe_load(house.config.read_text())
    door = {"url": prefect.url, "username": "bot", "password": f"${{file:{house.folder / 'password'}}}", "timeout": 20.0}
    job = {"deployment": "train/nightly", "parameters": parameters}
    told["platforms"]["trainer"] = {"kind": "prefect", **door, "jobs": {"retrain": job}}
    told["models"][0]["connectors"] = {"trainer": "trainer"}
    house.config.write_text(yaml.safe_dump(told, sort_keys=False))
    house.starts()
    house.loses()
    house.asked("Has the model trained anew", "calibration")("bo")()


def over(house):
    """Wait for the end of the run; return what Prefect calls it, and the thread."""
    house.until("the run is over", lambda: house.is_over, within=90)
    house.until("Slack says so", house.is_level)
    (run,) = house.runs
    return short(f"{run.id}:train"), house.slack.transcript(PLACE)


def test_a_training_is_started_once_followed_to_its_end_and_the_incident_stays_with_people(house, prefect):
    trains_at(house, prefect, seconds=6, until="{model}")
    house.until("the thread says how far it is", lambda: "task 'fit-" in house.slack.transcript(PLACE), within=60)
    run, thread = over(house)

    assert [one.state for one in house.runs] == [RunState.SUCCEEDED]
    assert "retrain: deployment train/nightly with seconds 6, until " in thread
    assert f"Done: run {run} ended as 'Completed'. The incident stays with people." in thread
    assert prefect.runs(run) == 1
    assert [one.state for one in house.incidents] == [State.ACKNOWLEDGED]
    house.invariants()


def test_a_training_that_fails_is_said_to_have_failed_at_which_task_and_why(house, prefect):
    trains_at(house, prefect, fails=True)
    run, thread = over(house)

    assert [one.state for one in house.runs] == [RunState.COMPENSATED]
    assert f"' failed in run {run}: ValueError: There are no data. " in thread
    assert prefect.runs(run) == 1
    assert [one.state for one in house.incidents] == [State.ACKNOWLEDGED]
    house.invariants()


def test_a_training_that_a_person_aborts_is_cancelled_at_prefect(house, prefect):
    trains_at(house, prefect, seconds=300)
    house.until("the thread says how far it is", lambda: "task 'fit-" in house.slack.transcript(PLACE), within=60)
    house.finger("bo", "Abort")()
    run, thread = over(house)
    house.until("Prefect has ended it", lambda: prefect.states(run) == ["CANCELLED"], within=60)

    assert [one.state for one in house.runs] == [RunState.COMPENSATED]
    assert "retrain was told to stop; what it had done by then stays." in thread
    assert [one.state for one in house.incidents] == [State.ACKNOWLEDGED]
    house.invariants()
