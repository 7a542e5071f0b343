"""One suite for the fake MLflow and the real one: the registry, the model's server that follows no alias, the action on both."""

from contextlib import ExitStack, contextmanager
from dataclasses import replace

import pytest

from bot.actions.set_alias import SetAlias, set_alias
from bot.connectors.mlflow import make
from bot.core.actions import UNDO
from bot.core.errors import ActionFailed, ConfigError, NotFound, WorldMoved
from bot.demo.ports import free_port
from tests.contract import mlflow_server
from tests.fakes.loopback import serving
from tests.fakes.mlflow import FakeMlflow

ASK = {"dataframe_split": {"columns": ["distance"], "data": [[1400]]}}
MODEL = "late arrivals"


def options(registry, server, **more):
    served = {"url": f"{server}/invocations", "ask": ASK, "pointer": "/predictions/0/version"}
    place = {"registered": "late-arrivals", "served": served}
    return {"url": registry, "models": {MODEL: {**place, **more}}, "timeout": 20.0}


class Fake:
    def __init__(self, stack):
        self.mlflow = FakeMlflow()
        self.registry = self.server = stack.enter_context(serving(self.mlflow.answer))

    def restart(self):
        self.mlflow.restart()


@pytest.fixture(scope="module", params=["fake", pytest.param("real", marks=pytest.mark.slow)])
def world(request, tmp_path_factory):
    with ExitStack() as stack:
        yield Fake(stack) if request.param == "fake" else mlflow_server.Real(stack, tmp_path_factory.mktemp("mlflow"))


@contextmanager
def connected(world, **more):
    made = make(options(world.registry, world.server, **more))
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def platform(world):
    with connected(world) as made:
        made.set_alias(MODEL, "2", "reset")
        yield made


def planned(platform, version, action=set_alias, **more):
    return action.plan(platform, MODEL, {"version": version, **more}, step="move", before=None)


def test_the_versions_are_told_oldest_first(platform):
    assert platform.versions(MODEL) == ["1", "2", "3"]


def test_the_alias_is_read_and_moved(platform):
    platform.set_alias(MODEL, "3", "run:1")
    platform.set_alias(MODEL, "3", "run:1")

    assert (platform.alias(MODEL), platform.aliased(MODEL)) == ("champion", "3")


def test_an_alias_that_nobody_has_set_is_said_so(world):
    with connected(world, alias="shadow") as platform, pytest.raises(NotFound, match="Nobody has set the alias 'shadow'"):
        platform.aliased(MODEL)


def test_a_model_that_is_not_there_is_said_so(world):
    with connected(world, registered="nobody") as platform:
        assert platform.versions(MODEL) == []
        with pytest.raises(NotFound, match="no registered model 'nobody'"):
            platform.aliased(MODEL)


def test_a_version_that_is_not_there_is_refused_and_nothing_moves(platform):
    with pytest.raises(NotFound, match="no version 9"):
        platform.set_alias(MODEL, "9", "run:1")

    assert platform.aliased(MODEL) == "2"


@pytest.mark.parametrize("name", ["latest", "LATEST", "v1"])
def test_a_reserved_name_is_refused_before_anything_is_called(world, name):
    with pytest.raises(ConfigError, match="keeps that name for itself"):
        make(options(world.registry, world.server, alias=name))


def test_a_plan_for_an_unknown_version_names_the_known_ones(platform):
    with pytest.raises(ConfigError, match="no version '9' of late arrivals; known: 1, 2, 3"):
        planned(platform, "9")


def test_an_alias_that_somebody_else_moved_is_left_alone(platform):
    change = planned(platform, "3")
    platform.set_alias(MODEL, "1", "somebody")
    with pytest.raises(WorldMoved, match="now names 1"):
        set_alias.apply(platform, change, "run:1")

    assert platform.aliased(MODEL) == "1"


def test_a_moved_alias_serves_nobody_and_is_put_back(world, platform):
    """The lie: the alias says 3, the server goes on answering with 2 until it is restarted."""
    change = planned(platform, "3")
    set_alias.precheck(platform, change)
    set_alias.apply(platform, change, "run:1")
    set_alias.read_back(platform, change, "run:1")

    assert platform.split(MODEL) == {"2": 1.0}
    with pytest.raises(ActionFailed, match="names 3, but its server still answers with 2; it has to be restarted"):
        set_alias.measure(platform, change, "run:1")
    assert "put back" in set_alias.undo(platform, change, f"run:1{UNDO}")
    assert platform.aliased(MODEL) == "2"


def test_after_a_restart_the_server_answers_with_the_alias_and_going_back_says_what_is_left(world, platform):
    later, look = planned(platform, "3", served="later"), planned(platform, "3")
    set_alias.apply(platform, later, "run:1")
    told = set_alias.measure(platform, later, "run:1")
    world.restart()
    with connected(world) as restarted:
        effect = set_alias.measure(restarted, look, "run:2")
        with pytest.raises(ActionFailed, match="names 2, but its server still answers with 3"):
            set_alias.undo(restarted, later, f"run:1{UNDO}")

        assert restarted.aliased(MODEL) == "2"
    world.restart()

    assert (told.words, told.split) == ("champion names 3", {})
    assert (effect.words, effect.split) == ("the server answers with 3", {"3": 1.0})


def test_a_server_that_is_down_is_waited_for_and_then_said_so(world, platform):
    gone = f"http://127.0.0.1:{free_port()}"
    slept = []
    action = SetAlias("set_alias", now=lambda: float(len(slept)), sleep=slept.append)
    change = planned(platform, "2")
    held = replace(change, hold_s=3.0)
    made = make(options(world.registry, gone))
    with pytest.raises(ActionFailed, match=r"does not say what it serves: .* could not be reached"):
        action.measure(made, held, "run:1")
    made.close()

    assert len(slept) == 3
