"""A training at Airflow, as people live through it: the real bot in a process of its own, Slack, a real Airflow 3.

Half a minute each besides the start of Airflow, so `make test-all` plays them.
"""

from contextlib import ExitStack

import pytest
import yaml

from bot.connectors.orders import short
from bot.core.incidents import State
from bot.core.runs import RunState
from tests.contract import airflow_server
from tests.fakes.airflow import PASSWORD
from tests.faults.edge import TARGET, Edge
from tests.faults.house import House
from tests.faults.papers import PLACE
from tests.story.test_remedies import offers, rewrites

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def airflow(tmp_path_factory):
    with ExitStack() as stack:
        yield airflow_server.Real(stack, tmp_path_factory.mktemp("airflow"))


@pytest.fixture
def house(sqlite_url, tmp_path):
    edge = Edge(tmp_path)
    with House(tmp_path, sqlite_url, edge) as house:
        offers(house, "retrain")
        rewrites(house, "losing")
        yield house
    edge.close()


def trains_at(house, airflow, **conf):
    """Let the company's trainer be a DAG of Airflow that is told this; start the bot and lose."""
    house.secrets["Airflow's password"] = PASSWORD
    (house.folder / "password").write_text(PASSWORD)
    told = yaml.safe_load(house.config.read_text())
    door = {"url": airflow.url, "username": "bot", "password": f"${{file:{house.folder / 'password'}}}", "timeout": 20.0}
    told["platforms"]["trainer"] = {"kind": "airflow", **door, "jobs": {"retrain": {"dag": "train", "conf": conf}}}
    told["models"][0]["connectors"] = {"trainer": "trainer"}
    house.config.write_text(yaml.safe_dump(told, sort_keys=False))
    house.starts()
    house.loses()


def trained(house):
    """Let it be approved and wait for its end; return what Airflow calls the run."""
    house.asked("Has the model trained anew", "calibration")("bo")()
    house.until("the run is over", lambda: house.is_over, within=90)
    house.until("Slack says so", house.is_level)
    (run,) = house.runs
    assert run.state is not RunState.FAILED
    return short(f"{run.id}:train")


def test_a_training_is_started_once_followed_to_its_end_and_the_incident_stays_with_people(house, airflow):
    trains_at(house, airflow, model="{model}", seconds=2)
    run = trained(house)
    thread = house.slack.transcript(PLACE)

    assert [run.state for run in house.runs] == [RunState.SUCCEEDED]
    assert f"retrain: DAG train with model {TARGET}" in thread
    assert f"Done: run {run} ended with 'success'. The incident stays with people." in thread
    assert airflow.runs(run) == 1
    assert [one.state for one in house.incidents] == [State.ACKNOWLEDGED]
    house.invariants()


def test_a_training_that_fails_is_said_to_have_failed_and_at_which_task(house, airflow):
    trains_at(house, airflow, fails=True)
    run = trained(house)
    thread = house.slack.transcript(PLACE)

    assert [run.state for run in house.runs] == [RunState.COMPENSATED]
    assert f"'train' failed: task 'train' failed in run {run}. " in thread
    assert airflow.runs(run) == 1
    assert [one.state for one in house.incidents] == [State.ACKNOWLEDGED]
    house.invariants()
