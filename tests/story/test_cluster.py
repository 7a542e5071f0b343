"""A model that one Deployment serves, as people live through it: the real bot in a process of its own, Slack, a Kubernetes API.

The API is a fake that the real `kubectl` judges (`tests/contract/test_kubectl.py`); what it holds is the proof of each effect.
Some ten seconds each, so `make test-all` plays them.
"""

import pytest
import yaml

from bot.core.incidents import State
from bot.core.runs import RunState
from tests.fakes.kube import FakeKube, serving
from tests.faults.edge import TARGET, Edge
from tests.faults.house import House
from tests.faults.papers import PLACE
from tests.story.test_remedies import is_mended, offers, rewrites

pytestmark = pytest.mark.slow
TOKEN = "kube-7d1c-not-for-slack"


@pytest.fixture
def kube():
    """A cluster that serves the model with the second image that it was given."""
    kube = FakeKube(TOKEN)
    for image in ("srv:v2", "srv:v3"):
        kube.deploy(TARGET, image=image)
    return kube


@pytest.fixture
def house(sqlite_url, tmp_path, kube):
    edge = Edge(tmp_path)
    with serving(kube) as url, House(tmp_path, sqlite_url, edge) as house:
        house.cluster, house.secrets["the cluster's token"] = url, TOKEN
        yield house
    edge.close()


def serves(house, playbook, trouble, check):
    """Let the company's model be served by the cluster, have this trouble, and be offered this playbook; start the bot."""
    offers(house, playbook, check=check)
    rewrites(house, trouble)
    (house.folder / "kube.token").write_text(TOKEN)
    told = yaml.safe_load(house.config.read_text())
    cluster = {"kind": "kubernetes", "url": house.cluster, "namespace": "ml", "token_file": str(house.folder / "kube.token")}
    told["platforms"]["prod"] = {**cluster, "targets": {TARGET: {"deployment": TARGET}}}
    told["models"][0]["connectors"] = {"cluster": "prod"}
    del told["models"][0]["serving"]
    house.config.write_text(yaml.safe_dump(told, sort_keys=False))
    house.starts()
    house.loses()


def thread(house):
    return house.slack.transcript(PLACE)


def test_slow_pods_are_replaced_and_fresh_requests_say_that_it_helped(house, kube):
    serves(house, "restart_deployment", "slow", "latency")
    house.asked("Replaces every pod", "p95")("bo")()
    is_mended(house)

    assert (kube.images(), len(kube.sets())) == ({"srv:v3": 2}, 3)
    house.invariants()


def test_more_replicas_are_asked_for_and_fresh_requests_say_that_it_helped(house, kube):
    serves(house, "scale", "slow", "latency")
    house.asked("another number of replicas", "p95", **{"Replicas (4), or how many more (+2)": "+2"})("bo")()
    is_mended(house)

    assert kube.images() == {"srv:v3": 4}
    house.invariants()


def test_a_losing_version_is_rolled_back_on_the_cluster_and_fresh_data_say_that_it_helped(house, kube):
    serves(house, "rollback_deployment", "losing", "performance")
    house.asked("Puts an earlier revision", "calibration")("bo")()
    is_mended(house)

    assert kube.images() == {"srv:v2": 2}
    house.invariants()


def test_a_rollout_that_is_stuck_is_taken_back_and_the_thread_says_why(house, kube):
    kube.controller.mode = "stuck"
    serves(house, "rollback_deployment", "losing", "performance")
    house.asked("Puts an earlier revision", "calibration")("bo")()
    house.until("the run is over", lambda: house.is_over)
    kube.settle()

    assert [run.state for run in house.runs] == [RunState.COMPENSATED]
    assert kube.images() == {"srv:v3": 2}
    assert [one.state for one in house.incidents] == [State.ACKNOWLEDGED]
    house.invariants()
    assert "has timed out progressing" in thread(house)
