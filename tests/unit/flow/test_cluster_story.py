"""The night's work on a cluster: proposed, approved, done over real HTTP and verified; killed and found again; stuck and undone."""

from dataclasses import replace

import pytest

import bot.actions
from bot import shelf
from bot.connectors.kubernetes import make
from bot.core.actions import Action
from bot.core.approvals import Policy
from bot.core.checks import Measurement
from bot.core.registry import discover
from bot.core.runs import RunState
from bot.flow.decide import approve
from bot.flow.propose import options, propose
from tests.fakes.journal import Killed
from tests.fakes.kube import FakeKube, serving
from tests.unit.flow.room import DELAYS, Room

NAMES = ("restart_deployment", "scale", "rollback_deployment")


@pytest.fixture(scope="module")
def house():
    """One server and one connector for all stories."""
    kube = FakeKube()
    with serving(kube) as url:
        cluster = make({"url": url, "namespace": "ml", "targets": {"delays": {"deployment": "delays"}}})
        yield kube, cluster
        cluster.close()


@pytest.fixture
def kube(house):
    kube, _ = house
    kube.begin()
    kube.deploy(image="srv:v1")
    kube.deploy(image="srv:v2")
    return kube


@pytest.fixture
def room(kube, house):
    """A room with a slow model that one Deployment serves."""
    room = Room(model=replace(DELAYS, serving="", connectors={"cluster": "prod"}))
    room.lays(
        platforms={"prod": house[1]},
        actions=discover(bot.actions, Action),
        playbooks={name: shelf.read().playbooks[name] for name in NAMES},
        policies={name: Policy(frozenset({"on-call"})) for name in NAMES},
        expand=shelf.expand,
    )
    room.slow = True
    room.measures("latency", lambda _then, _now: iter([Measurement("p95", 900.0 if room.slow else 20.0, 10_000, reference=20.0)]))
    room.looks(2)
    return room


def approved(room, name, **parameters):
    proposal = propose(room.desk, 1, name, parameters, by=room.person("ana"))
    return approve(room.desk, proposal.id, by=room.person("bo")).id


def test_the_three_are_offered_for_a_model_with_a_cluster(room):
    offered = {row["name"] for row in options(room.desk, 1)["playbooks"]}

    assert {"restart_deployment", "scale"} <= offered


def test_a_restart_mends_and_the_incident_closes(room, kube):
    number = approved(room, "restart_deployment")
    room.slow = False
    ended = room.runs(number)

    assert ended["verdict"] == "healthy", ended
    assert (len(kube.sets()), kube.images()) == (3, {"srv:v2": 2})


def test_more_replicas_mend_and_the_incident_closes(room, kube):
    number = approved(room, "scale", replicas="+2")
    room.slow = False
    ended = room.runs(number)

    assert ended["verdict"] == "healthy", ended
    assert kube.images() == {"srv:v2": 4}


def test_more_replicas_that_do_not_help_are_taken_away_again(room, kube):
    ended = room.runs(approved(room, "scale"))
    kube.settle()

    assert ended["state"] == RunState.COMPENSATED, ended
    assert kube.images() == {"srv:v2": 2}


@pytest.mark.parametrize("moment", ["kill_before", "kill_after"])
@pytest.mark.parametrize(
    ("name", "step"), [("restart_deployment", "restart"), ("scale", "scale"), ("rollback_deployment", "roll back")]
)
def test_a_bot_that_dies_at_an_effect_makes_it_once(room, kube, name, step, moment):
    number = approved(room, name)
    before = kube.deployment()["metadata"]["generation"]
    room.slow = False
    first = room.journal(number, **{moment: f"{step}/apply"})
    with pytest.raises(Killed):
        room.runs(number, first)
    ended = room.runs(number, first.restarted())

    assert ended["verdict"] == "healthy", ended
    assert kube.deployment()["metadata"]["generation"] == before + 1


def test_a_restart_that_is_stuck_goes_back_and_says_why(room, kube):
    kube.controller.mode = "stuck"
    ended = room.runs(approved(room, "restart_deployment"))
    kube.settle()

    assert ended["state"] == RunState.COMPENSATED
    assert "has timed out progressing" in str(ended["outcome"])
    assert "Kubernetes goes back to the pods of before" in str(ended["outcome"])
    assert kube.images() == {"srv:v2": 2}
