"""A model that a cluster serves, as people live through it: the real bot in a process of its own, Slack, a Kubernetes API.

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
STEPS = ({"setWeight": 20}, {"pause": {}}, {"setWeight": 50}, {"pause": {}})


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
    """Let one Deployment serve the company's model, which has this trouble, and this playbook be offered; start the bot."""
    told = troubled(house, playbook, trouble, check)
    told["platforms"]["prod"] = reached(house, "kubernetes", {"deployment": TARGET})
    told["models"][0]["connectors"] = {"cluster": "prod"}
    del told["models"][0]["serving"]
    starts(house, told)


def rolls_out(house, kube, playbook):
    """Let Argo Rollouts try the newest version on a fifth of the model's traffic, where it loses; start the bot."""
    kube.rolls("v2", STEPS)
    kube.rolls("v3")
    told = troubled(house, playbook, "losing", "performance")
    told["platforms"]["edge"] = {**reached(house, "argo_rollouts", {"rollout": TARGET}), "version_label": "version"}
    starts(house, told)


def troubled(house, playbook, trouble, check):
    """Offer this playbook on a model with this trouble; return what stands in the company's `aiops.yaml`."""
    offers(house, playbook, check=check)
    rewrites(house, trouble)
    return yaml.safe_load(house.config.read_text())


def reached(house, kind, target):
    """Return how a platform of this kind is reached: with a token from a file, as in a cluster."""
    (house.folder / "kube.token").write_text(TOKEN)
    door = {"url": house.cluster, "namespace": "ml", "token_file": str(house.folder / "kube.token")}
    return {"kind": kind, **door, "targets": {TARGET: target}}


def starts(house, told):
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


def test_a_canary_that_loses_is_aborted_and_fresh_data_say_that_it_helped(house, kube):
    rolls_out(house, kube, "switch_rollout")
    house.asked("Gives everything to one version", "Take v3 out of the traffic", **{"Switch over to": "v2"})("bo")()
    is_mended(house)

    assert kube.rolling()["spec"]["template"]["spec"]["containers"][0]["image"].endswith("v2")
    house.invariants()
