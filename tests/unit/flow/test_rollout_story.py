"""A model behind Argo Rollouts loses: switched over to an earlier version or out of a canary, once, and verified on fresh data."""

import pytest

from bot import shelf
from bot.actions.set_traffic import SetTraffic, SwitchVersion
from bot.connectors.argo_rollouts import make
from bot.core.approvals import Policy
from bot.core.errors import ActionFailed
from bot.core.runs import RunState
from bot.flow.decide import approve
from bot.flow.propose import options, propose
from tests.fakes.journal import Killed
from tests.fakes.kube import FakeKube, serving
from tests.unit.flow.room import Room

STEPS = ({"setWeight": 20}, {"pause": {}}, {"setWeight": 50}, {"pause": {}})
PLAYBOOKS = {name: shelf.read().playbooks[name] for name in ("switch_rollout", "rollback")}


@pytest.fixture(scope="module")
def house():
    kube = FakeKube()
    with serving(kube) as url:
        options = {"url": url, "namespace": "ml", "targets": {"delays": {"rollout": "delays"}}, "version_label": "version"}
        platform = make(options)
        yield kube, platform
        platform.close()


@pytest.fixture
def kube(house):
    """The third version waits at a fifth of the traffic."""
    kube = house[0]
    kube.begin()
    kube.rolls("v2", STEPS)
    kube.rolls("v3")
    return kube


@pytest.fixture
def room(kube, house):
    room = Room()
    timed = {"now": lambda: room.clock.now().timestamp(), "sleep": room.clock.passes}
    room.lays(
        platforms={"edge": house[1]},
        actions={"set_traffic": SetTraffic("set_traffic", **timed), "switch_version": SwitchVersion("switch_version", **timed)},
        playbooks=PLAYBOOKS,
        policies=dict.fromkeys(PLAYBOOKS, Policy(frozenset({"on-call"}))),
        expand=shelf.expand,
    )
    room.losing()
    return room


def approved(room, to_version="v2"):
    proposal = propose(room.desk, 1, "switch_rollout", {"to_version": to_version}, by=room.person("ana"))
    return approve(room.desk, proposal.id, by=room.person("bo")).id


def image(kube):
    return kube.rolling()["spec"]["template"]["spec"]["containers"][0]["image"]


def test_it_is_offered_where_argo_rollouts_serves_and_nowhere_else(room):
    assert "switch_rollout" in {row["name"] for row in options(room.desk, 1)["playbooks"]}

    room.lays(platforms={"edge": room.splitter})
    assert "switch_rollout" not in {row["name"] for row in options(room.desk, 1)["playbooks"]}


def test_a_canary_that_loses_is_aborted_and_its_template_put_back(room, kube):
    number = approved(room)
    room.log.gap = 0.02
    ended = room.runs(number)

    assert ended["verdict"] == "healthy", ended
    assert (image(kube), kube.rolling()["status"]["phase"]) == ("srv:v2", "Healthy")
    assert room.run(number).plan.words == "v2 80 % · v3 20 % → v2 100 %"
    assert "it serves most of the traffic already, and would get the rest" in str(room.proposal(number).preview["lines"])


@pytest.mark.parametrize("moment", ["kill_before", "kill_after"])
def test_a_version_that_serves_everything_is_left_for_the_one_before_once(room, kube, moment):
    room.desk.platforms["edge"].set_split("delays", {"v3": 1.0}, "release")
    kube.settle()
    number = approved(room)
    first = room.journal(number, **{moment: "switch/apply"})
    with pytest.raises(Killed):
        room.runs(number, first)
    room.log.gap = 0.02
    ended = room.runs(number, first.restarted())

    assert ended["verdict"] == "healthy", ended
    assert (image(kube), kube.calls["patch rollouts"]) == ("srv:v2", 1)


def test_what_does_not_help_goes_back_to_the_version_of_before(room, kube):
    room.desk.platforms["edge"].set_split("delays", {"v3": 1.0}, "release")
    kube.settle()
    ended = room.runs(approved(room))
    kube.settle()

    assert ended["state"] == RunState.COMPENSATED, ended
    assert image(kube) == "srv:v3"
    assert room.desk.platforms["edge"].split("delays") == {"v2": 0.0, "v3": 1.0}


def test_a_canary_that_was_aborted_in_vain_stays_aborted_and_nobody_says_that_it_was_undone(room, kube):
    ended = room.runs(approved(room))

    assert ended["state"] == RunState.FAILED, ended
    assert "Going back failed too: delays keeps serving v2 100 %" in str(ended["outcome"])
    assert (image(kube), kube.rolling()["status"]["phase"]) == ("srv:v2", "Healthy")


def test_pods_that_never_come_end_in_time_and_the_stable_version_keeps_everything(room, kube):
    room.desk.platforms["edge"].set_split("delays", {"v3": 1.0}, "release")
    kube.settle()
    kube.argo.mode = "stuck"
    ended = room.runs(approved(room))
    kube.settle()

    assert ended["state"] == RunState.COMPENSATED, ended
    assert "'switch' had not ended after 30 min" in str(ended["outcome"])
    assert (image(kube), room.desk.platforms["edge"].split("delays")) == ("srv:v3", {"v2": 0.0, "v3": 1.0})


def test_a_ramp_that_its_steps_do_not_know_is_refused_when_it_is_proposed(room):
    with pytest.raises(ActionFailed, match=r"cannot give 75 % to v3 \(its steps wait at: 20 %, 50 %\); switch it over"):
        propose(room.desk, 1, "rollback", {"to_version": "v2"}, by=room.person("ana"))
