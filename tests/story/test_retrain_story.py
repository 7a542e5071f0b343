"""A training at Airflow, as people live through it: the real bot in a process of its own, Slack, a real Airflow 3.

Half a minute each besides the start of Airflow, so `make test-all` plays them.
"""

from contextlib import ExitStack

import pytest

from bot.core.incidents import State
from bot.core.runs import RunState
from tests.contract import airflow_server
from tests.fakes.airflow import PASSWORD
from tests.faults.edge import TARGET
from tests.story.trainers import company, trained, trains_at

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def airflow(tmp_path_factory):
    with ExitStack() as stack:
        yield airflow_server.Real(stack, tmp_path_factory.mktemp("airflow"))


@pytest.fixture
def house(sqlite_url, tmp_path):
    with company(tmp_path, sqlite_url) as house:
        yield house


def trains(house, airflow, **conf):
    """Let the company train by a DAG that is told this, and have it approved."""
    trains_at(house, "airflow", airflow.url, PASSWORD, {"dag": "train", "conf": conf})


def test_a_training_is_started_once_followed_to_its_end_and_the_incident_stays_with_people(house, airflow):
    trains(house, airflow, model="{model}", seconds=2)
    run, thread = trained(house)

    assert [one.state for one in house.runs] == [RunState.SUCCEEDED]
    assert f"retrain: DAG train with model {TARGET}" in thread
    assert f"Done: run {run} ended with 'success'. The incident stays with people." in thread
    assert airflow.runs(run) == 1
    assert [one.state for one in house.incidents] == [State.ACKNOWLEDGED]
    house.invariants()


def test_a_training_that_fails_is_said_to_have_failed_and_at_which_task(house, airflow):
    trains(house, airflow, fails=True)
    run, thread = trained(house)

    assert [one.state for one in house.runs] == [RunState.COMPENSATED]
    assert f"'train' failed: task 'train' failed in run {run}. " in thread
    assert airflow.runs(run) == 1
    assert [one.state for one in house.incidents] == [State.ACKNOWLEDGED]
    house.invariants()
