"""What `set_traffic` makes of a platform that comes to it by and by and counts nothing: ordered, waited for, never "measured"."""

from dataclasses import replace

import pytest

from bot.actions.set_traffic import SetTraffic, switch_version
from bot.connectors.argo_rollouts import make as make_argo
from bot.connectors.kserve import make
from bot.core.actions import Going
from bot.core.errors import ActionFailed, WorldMoved
from tests.fakes.kube import FakeKube, serving

KEY = "run:ramp"


@pytest.fixture(scope="module")
def house():
    kube = FakeKube()
    with serving(kube) as url:
        platform = make({"url": url, "namespace": "ml", "targets": {"delays": {"service": "delays"}}, "version_label": "version"})
        yield kube, platform
        platform.close()


@pytest.fixture
def kube(house):
    kube = house[0]
    kube.begin()
    kube.serve(version="v1")
    kube.serve(version="v2")
    return kube


@pytest.fixture
def platform(kube, house):
    return house[1]


@pytest.fixture
def waited():
    return []


@pytest.fixture
def action(waited):
    """The action, whose waits take no time."""
    return SetTraffic("set_traffic", now=lambda: float(sum(waited)), sleep=waited.append)


def planned(action, platform, share=0.25):
    return action.plan(platform, "delays", {"version": "v1", "share": share}, step="ramp", before=None)


def applied(action, platform, share=0.25):
    change = planned(action, platform, share)
    action.precheck(platform, change)
    action.apply(platform, change, KEY)
    action.read_back(platform, change, KEY)
    return change


def looked(action, platform, change):
    """Look until it has ended; return how far it was at each look, and the effect."""
    said = []
    while isinstance(seen := action.measure(platform, change, KEY), Going):
        said.append(seen.words)
        assert len(said) < 20
    return said, seen


def test_the_plan_says_from_and_to_in_whole_percents_and_touches_nothing(kube, action, platform):
    change = planned(action, platform, share=1 / 3)

    assert (change.before, change.after) == ({"v1": 0.0, "v2": 1.0}, {"v1": 0.33, "v2": 0.67})
    assert change.words == "v2 100 % → v2 67 % · v1 33 %"
    assert kube.calls["patch inferenceservices"] == 0


def test_it_is_waited_for_look_by_look_and_then_said_to_be_its_own_word(kube, action, platform):
    kube.kserve.mode = "blind"
    change = applied(action, platform)
    assert action.measure(platform, change, KEY).words == "KServe still routes v2 100 %"

    kube.kserve.mode = "quick"
    said, effect = looked(action, platform, change)
    assert said[-1] == "KServe has taken the shares up; its route is not ready (Ingress has not yet been reconciled)"
    assert effect.words == "kserve says that it routes v2 75 % · v1 25 %; it counts no requests, so nothing was measured"
    assert effect.measured == {"measured": False, "said": {"v1": 0.25, "v2": 0.75}}
    assert effect.split == {"v1": 0.25, "v2": 0.75}


def test_it_has_to_be_said_for_as_long_as_the_step_holds(action, platform, waited):
    looked(action, platform, replace(applied(action, platform), hold_s=12.0))

    assert waited == [5.0, 5.0, 5.0]


def test_somebody_who_orders_something_else_meanwhile_is_left_alone(action, platform):
    change = applied(action, platform)
    platform.set_split("delays", {"v1": 0.6, "v2": 0.4}, "somebody")

    with pytest.raises(WorldMoved, match="Something else was ordered for delays meanwhile: v1 60 % · v2 40 %"):
        action.measure(platform, change, KEY)


def test_what_was_ordered_since_the_plan_stops_the_run_though_it_is_not_routed_yet(kube, action, platform):
    change = planned(action, platform)
    kube.kserve.mode = "blind"
    platform.set_split("delays", {"v1": 0.6, "v2": 0.4}, "somebody")

    with pytest.raises(WorldMoved, match="now serves v1 60 % · v2 40 %, but the plan was made for v2 100 %"):
        action.precheck(platform, change)


def test_a_deployment_since_the_plan_stops_the_run(kube, action, platform):
    change = planned(action, platform)
    kube.serve(version="v3")

    with pytest.raises(WorldMoved, match="now serves v3 100 %"):
        action.precheck(platform, change)
    with pytest.raises(WorldMoved, match="v1 is none of the versions"):
        action.apply(platform, change, KEY)


def test_an_order_that_did_not_stick_is_caught_by_reading_back(action, platform):
    change = planned(action, platform)

    with pytest.raises(ActionFailed, match="was set to v2 75 % · v1 25 %, but the splitter now says v2 100 %"):
        action.read_back(platform, change, KEY)


def test_a_server_that_cannot_be_asked_now_is_asked_again(kube, action, platform):
    change = applied(action, platform)
    kube.answers = [(503, {})]

    assert "answered 503" in action.measure(platform, change, KEY).words
    assert looked(action, platform, change)[1].split == {"v1": 0.25, "v2": 0.75}


def test_a_route_that_never_gets_ready_goes_on_and_is_never_called_done(kube, action, platform):
    change = applied(action, platform)
    kube.kserve.mode = "unrouted"
    kube.settle()

    assert "its route is not ready" in action.measure(platform, change, KEY).words


def test_going_back_orders_the_split_from_before_and_says_that_it_is_only_ordered(kube, action, platform):
    change = applied(action, platform)
    looked(action, platform, change)
    words = action.undo(platform, change, f"{KEY}:undo")
    kube.settle()

    assert words == "The split from before was ordered again and read back; kserve still has to route so."
    assert platform.split("delays") == {"v1": 0.0, "v2": 1.0}


def test_going_back_leaves_a_deployment_of_somebody_else_alone(kube, action, platform):
    change = applied(action, platform)
    looked(action, platform, change)
    kube.serve(version="v3")

    with pytest.raises(WorldMoved, match="ordered for delays meanwhile, which stays: v3 75 % · v1 25 %"):
        action.undo(platform, change, f"{KEY}:undo")


# Argo Rollouts: no way leads back into the middle of its steps


@pytest.fixture(scope="module")
def argo():
    kube = FakeKube()
    with serving(kube) as url:
        platform = make_argo(
            {"url": url, "namespace": "ml", "targets": {"delays": {"rollout": "delays"}}, "version_label": "version"}
        )
        yield kube, platform
        platform.close()


@pytest.fixture
def rollout(argo):
    """A Rollout whose second version waits at a fifth of the traffic."""
    argo[0].begin()
    argo[0].rolls("v1", [{"setWeight": 20}, {"pause": {}}, {"setWeight": 50}, {"pause": {}}])
    argo[0].rolls("v2")
    return argo[1]


def test_a_canary_is_aborted_waited_for_and_stays_aborted(argo, action, rollout):
    change = applied(action, rollout, share=1)
    _, effect = looked(action, rollout, change)

    assert change.words == "v1 80 % · v2 20 % → v1 100 %"
    assert effect.words == "argo_rollouts says that it routes v1 100 %; it counts no requests, so nothing was measured"
    with pytest.raises(
        ActionFailed, match=r"delays keeps serving v1 100 %: .* cannot give 80 % to v1 \(no rollout goes on there\)"
    ):
        action.undo(rollout, change, f"{KEY}:undo")


def test_a_weight_is_moved_and_moved_back(action, rollout):
    change = applied(action, rollout, share=0.5)
    assert looked(action, rollout, change)[1].split == {"v1": 0.5, "v2": 0.5}

    action.undo(rollout, change, f"{KEY}:undo")
    looked(action, rollout, replace(change, after=change.before))
    assert rollout.split("delays") == {"v1": 0.8, "v2": 0.2}


def test_a_share_that_its_steps_do_not_know_is_refused_before_anybody_approves_it(argo, action, rollout):
    with pytest.raises(ActionFailed, match=r"cannot give 75 % to v2 \(its steps wait at: 20 %, 50 %\)"):
        planned(action, rollout)
    assert argo[0].calls["patch rollouts/status"] == 0


def test_an_abort_by_its_own_analysis_ends_the_run_as_somebody_elses_order(argo, action, rollout):
    change = applied(action, rollout, share=0.5)
    argo[0].rolling()["status"]["abort"] = True

    with pytest.raises(WorldMoved, match="Something else was ordered for delays meanwhile: v1 100 %"):
        action.measure(rollout, change, KEY)
    with pytest.raises(WorldMoved, match="which stays: v1 100 %"):
        action.undo(rollout, change, f"{KEY}:undo")


def test_the_action_that_switches_over_is_for_platforms_that_do_it_at_once(platform, rollout):
    lacking = [[need for need in switch_version.needs if not hasattr(one, need)] for one in (platform, rollout)]

    assert lacking == [["at_once"], []]
