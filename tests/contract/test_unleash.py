"""One suite for the fake Unleash and the real one: what it says of a flag, what applications get, and the action on both."""

from contextlib import ExitStack, contextmanager
from dataclasses import replace

import pytest

from bot.actions.set_toggle import SetToggle, set_toggle
from bot.connectors.unleash import make
from bot.core.actions import UNDO
from bot.core.errors import ActionFailed, ConfigError, NotFound, WorldMoved
from tests.contract import unleash_server
from tests.contract.unleash_server import Real, World
from tests.fakes.loopback import serving
from tests.fakes.unleash import ADMIN, PROJECT, SDK, FakeUnleash

EVERYBODY = {"name": "flexibleRollout", "parameters": {"rollout": "100", "stickiness": "default", "groupId": "g"}}
TENTH = {"name": "flexibleRollout", "parameters": {"rollout": "10", "stickiness": "default", "groupId": "g"}}
NO_ONE = {"name": "flexibleRollout", "parameters": {"rollout": "0", "stickiness": "default", "groupId": "g"}}
CHOSEN = {"name": "default", "parameters": {}, "constraints": [{"contextName": "userId", "operator": "IN", "values": ["42"]}]}
ASLEEP = {**EVERYBODY, "disabled": True}


@pytest.fixture(scope="module", params=["fake", pytest.param("real", marks=pytest.mark.slow)])
def world(request, tmp_path_factory):
    with ExitStack() as stack:
        if request.param == "fake":
            yield World(stack.enter_context(serving(FakeUnleash().answer)), ADMIN, SDK)
        else:
            folder, postgres = tmp_path_factory.mktemp("unleash"), request.getfixturevalue("postgres")
            yield Real(stack.enter_context(unleash_server.running(folder, postgres)))


@contextmanager
def connected(world, flag, **more):
    options = {
        "url": world.url,
        "token": world.admin,
        "environment": "production",
        "flags": {"churn": {"flag": flag}},
        "timeout": 20.0,
    }
    made = make({**options, **more})
    try:
        yield made
    finally:
        made.close()


def planned(platform, to):
    return set_toggle.plan(platform, "churn", {"to": to}, step="switch", before=None)


def held(change, seconds=180.0):
    return replace(change, hold_s=seconds)


def test_a_name_is_given_once(world):
    flag = world.makes()

    assert world.asks(f"{PROJECT}/features", {"name": flag}).status_code == 409


def test_a_flag_is_switched_and_a_second_time_changes_nothing(world):
    with connected(world, world.makes(EVERYBODY)) as platform:
        told = []
        for on in (True, True, False, False):
            platform.switch("churn", "run:1", on=on)
            told.append(platform.toggle("churn").on)

    assert told == [True, True, False, False]


def test_only_the_environment_that_is_named_is_switched(world):
    flag = world.makes(EVERYBODY)
    with connected(world, flag) as platform, connected(world, flag, environment="development") as beside:
        platform.switch("churn", "run:1", on=True)

        assert (platform.toggle("churn").on, beside.toggle("churn").on) == (True, False)


@pytest.mark.parametrize(
    ("strategies", "reach", "nobody"),
    [
        ((EVERYBODY,), "everybody", ""),
        ((TENTH,), "10 %", ""),
        ((CHOSEN,), "some, by its constraints", ""),
        ((TENTH, CHOSEN), "10 % or some, by its constraints", ""),
        ((NO_ONE,), "nobody (0 %)", "its strategies stand at 0 %"),
    ],
    ids=["everybody", "tenth", "chosen", "either", "no-one"],
)
def test_enabled_is_not_yet_for_whom(world, strategies, reach, nobody):
    """The lie: `enabled` is true for all of these."""
    with connected(world, world.makes(*strategies, on=True)) as platform:
        stand = platform.toggle("churn")

    assert (stand.on, stand.reach, stand.nobody) == (True, reach, nobody)


def test_a_flag_whose_parent_is_off_is_on_for_nobody(world):
    parent = world.makes(EVERYBODY)
    with connected(world, world.makes(EVERYBODY, on=True, parent=parent)) as platform:
        before = platform.toggle("churn")
        world.asks(f"{world.place(parent)}/on")

        assert (before.on, before.nobody) == (True, f"it depends on {parent}, which does not stand as it needs")
        assert platform.toggle("churn").nobody == ""


def test_the_flags_that_depend_on_one_are_named_to_those_who_approve(world):
    parent = world.makes(EVERYBODY, on=True)
    child = world.makes(EVERYBODY, parent=parent)
    with connected(world, parent) as platform:
        change = planned(platform, "off")

    assert set_toggle.blast([change]).endswith(f"and the flags that depend on it: {child}")


def test_what_would_be_on_for_nobody_is_not_planned(world):
    with connected(world, world.makes(NO_ONE)) as platform, pytest.raises(ConfigError, match="would be on for nobody: its strat"):
        planned(platform, "on")


@pytest.mark.parametrize("strategies", [(), (ASLEEP,)], ids=["none", "asleep"])
def test_a_flag_without_a_strategy_gets_one_for_everybody_and_the_plan_says_so(world, strategies):
    """The surprise: going back leaves the new strategy behind."""
    flag = world.makes(*strategies)
    with connected(world, flag) as platform:
        change = planned(platform, "on")
        set_toggle.apply(platform, change, "run:1")
        stand = platform.toggle("churn")
        undone = set_toggle.undo(platform, change, f"run:1{UNDO}")

        assert change.words == f"{flag} in production: off → on for everybody, by a new rule that stays"
        assert (stand.on, stand.reach, stand.bare) == (True, "everybody", False)
        assert undone.endswith("The rule for everybody that it got for being switched on stays.")
        assert not platform.toggle("churn").bare


def test_a_flag_that_stands_so_already_is_refused(world):
    with connected(world, world.makes(EVERYBODY)) as platform, pytest.raises(ConfigError, match="is off already"):
        planned(platform, "off")


def test_a_flag_that_is_not_there_is_said_so(world):
    with connected(world, "nobody") as platform:
        for asks in (lambda: platform.toggle("churn"), lambda: platform.switch("churn", "run:1", on=True)):
            with pytest.raises(NotFound, match="no flag 'nobody'"):
                asks()


def test_an_archived_flag_is_not_taken_for_one_that_is_off(world):
    """The lie: under its environment an archived flag answers 200, as switched off."""
    flag = world.makes(EVERYBODY)
    assert world.asks(f"{PROJECT}/archive", {"features": [flag]}).status_code == 202

    assert world.asks(world.place(flag), method="GET").json()["enabled"] is False
    with connected(world, flag) as platform:
        for asks in (lambda: platform.toggle("churn"), lambda: platform.switch("churn", "run:1", on=True)):
            with pytest.raises(NotFound, match="or it is archived"):
                asks()


def test_an_environment_that_is_not_there_is_said_so(world):
    with connected(world, world.makes(), environment="nowhere") as platform:
        with pytest.raises(NotFound, match="has no environment 'nowhere' in Unleash; it has: development, production"):
            platform.toggle("churn")
        with pytest.raises(NotFound, match="to switch in nowhere"):
            platform.switch("churn", "run:1", on=True)


@pytest.mark.parametrize(("token", "status"), [("wrong", 401), ("sdk", 403)])
def test_a_token_that_lets_nobody_in_is_said_so(world, token, status):
    flag = world.makes(EVERYBODY)
    with connected(world, flag, token=world.sdk if token == "sdk" else "*:*.wrong") as platform:
        for asks in (platform.toggle, platform.answered, platform.lacks):
            with pytest.raises(ActionFailed, match=rf"with this token \({status}\)"):
                asks("churn")


def test_a_token_that_may_only_look_is_known_before_it_is_needed(world):
    flag = world.makes(EVERYBODY, on=True)
    with connected(world, flag, token=world.viewer()) as looking, connected(world, flag) as switching:
        stands = looking.toggle("churn").on
        with pytest.raises(ActionFailed, match=r"may not switch 'flag-\d+' in production \(403\): it needs UPDATE_FEATURE_ENV"):
            looking.switch("churn", "run:1", on=False)

        assert (stands, looking.lacks("churn"), switching.lacks("churn")) == (True, "UPDATE_FEATURE_ENVIRONMENT", "")
        assert switching.toggle("churn").on


def test_in_maintenance_nothing_is_switched_and_that_is_known(world):
    flag = world.makes(EVERYBODY)
    with connected(world, flag) as platform:
        world.maintains(flag, enabled=True)
        try:
            with pytest.raises(ActionFailed, match="in maintenance mode and switches nothing"):
                platform.switch("churn", "run:1", on=True)
        finally:
            world.maintains(flag, enabled=False)

        assert not platform.toggle("churn").on


def test_what_applications_report_is_counted_by_application(world):
    flag = world.makes(EVERYBODY, on=True)
    with connected(world, flag) as platform:
        silent = platform.answered("churn")
        world.report(flag, 5, 1)
        world.report(flag, 2, 0, application="batch")

        assert silent == {}
        assert sorted((application, counts) for (application, _), counts in platform.answered("churn").items()) == [
            ("batch", (2, 0)),
            ("churn-server", (5, 1)),
        ]


@pytest.mark.parametrize("follows", [True, False], ids=["follows", "does-not"])
def test_what_applications_report_says_whether_they_follow(world, follows):
    """The lie that only applications can tell: Unleash says off, and one that never asks again goes on."""
    flag = world.makes(EVERYBODY, on=True)
    world.report(flag, 50, 0)
    action = SetToggle("set_toggle", sleep=lambda _: world.report(flag, 0 if follows else 7, 9 if follows else 0))
    with connected(world, flag) as platform:
        change = held(planned(platform, "off"))
        action.apply(platform, change, "run:1")
        action.read_back(platform, change, "run:1")
        if follows:
            assert (
                action.measure(platform, change, "run:1").words
                == f"{flag} is off; applications were answered 'off' 9 times in 100 s"
            )
        else:
            with pytest.raises(ActionFailed, match=r"is off, but churn-server report only 'on' \(7 answers in 100 s\)"):
                action.measure(platform, change, "run:1")
            assert "switched on again, and that was read back" in action.undo(platform, change, f"run:1{UNDO}")
            assert platform.toggle("churn").on


def test_a_flag_whose_strategies_somebody_changed_is_not_switched_on(world):
    flag = world.makes(TENTH)
    with connected(world, flag) as platform:
        change = planned(platform, "on")
        world.asks(f"{world.place(flag)}/strategies", EVERYBODY)
        with pytest.raises(WorldMoved, match="changed for whom"):
            set_toggle.apply(platform, change, "run:1")

        assert not platform.toggle("churn").on
