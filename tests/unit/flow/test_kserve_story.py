"""A model behind KServe loses: the rollback is proposed, approved, ordered, waited for and verified; or stuck, and ordered back."""

import pytest

from bot import shelf
from bot.actions.set_traffic import SetTraffic
from bot.connectors.kserve import make
from bot.core.runs import RunState
from bot.flow.decide import approve
from bot.flow.propose import propose
from bot.flow.reconcile import reconcile
from tests.fakes.journal import Killed
from tests.fakes.kube import FakeKube, serving
from tests.unit.flow.room import Room

ROLLBACK = shelf.read().playbooks["rollback"]


@pytest.fixture(scope="module")
def house():
    kube = FakeKube()
    with serving(kube) as url:
        options = {"url": url, "namespace": "ml", "targets": {"delays": {"service": "delays"}}, "version_label": "version"}
        platform = make(options)
        yield kube, platform
        platform.close()


@pytest.fixture
def kube(house):
    kube = house[0]
    kube.begin()
    kube.serve(version="v2")
    kube.serve(version="v3")
    return kube


@pytest.fixture
def room(kube, house):
    room = Room(playbook=ROLLBACK)
    room.lays(
        platforms={"edge": house[1]},
        actions={"set_traffic": SetTraffic("set_traffic", now=lambda: room.clock.now().timestamp(), sleep=room.clock.passes)},
        expand=shelf.expand,
    )
    room.losing()
    return room


def approved(room):
    proposal = propose(room.desk, 1, "rollback", {"to_version": "v2"}, by=room.person("ana"))
    return approve(room.desk, proposal.id, by=room.person("bo")).id


def percent(kube):
    return kube.service()["spec"]["predictor"]["canaryTrafficPercent"]


def test_a_rollback_is_ordered_in_steps_waited_for_and_verified(room, kube):
    number = approved(room)
    room.log.gap = 0.02
    ended = room.runs(number)

    assert ended["verdict"] == "healthy", ended
    assert (percent(kube), room.run(number).split) == (0, {"v2": 1.0, "v3": 0.0})
    assert (
        room.run(number)
        .progress[-1]
        .endswith("kserve says that it routes v2 100 %; it counts no requests, so nothing was measured")
    )


@pytest.mark.parametrize("moment", ["kill_before", "kill_after"])
def test_a_bot_that_dies_at_an_order_gives_it_once(room, kube, moment):
    number = approved(room)
    first = room.journal(number, **{moment: "half/apply"})
    with pytest.raises(Killed):
        room.runs(number, first)
    room.log.gap = 0.02
    ended = room.runs(number, first.restarted())

    assert ended["verdict"] == "healthy", ended
    assert kube.calls["patch inferenceservices"] == 3


def test_a_route_that_is_stuck_ends_in_time_and_is_ordered_back(room, kube):
    kube.kserve.mode = "unrouted"
    ended = room.runs(approved(room))

    assert ended["state"] == RunState.COMPENSATED, ended
    assert "'first quarter' had not ended after 30 min" in str(ended["outcome"])
    assert "kserve still has to route so" in str(ended["outcome"])
    assert percent(kube) == 100


def test_a_deployment_in_the_middle_is_left_as_it_is(room, kube):
    number = approved(room)
    first = room.journal(number, kill_after="first quarter/apply")
    with pytest.raises(Killed):
        room.runs(number, first)
    kube.serve(version="v4")
    ended = room.runs(number, first.restarted())

    assert ended["state"] == RunState.FAILED, ended
    assert percent(kube) == 75


def test_a_deployment_past_the_bot_is_asked_about(room, kube):
    room.log.gap = 0.02
    room.runs(approved(room))
    kube.serve(version="v4", canaryTrafficPercent=100)
    for _ in range(2):
        room.data.passes(60)
        reconcile(room.desk)

    assert room.incident(2).title == "delays: 100 % of its traffic is not served as decided"
