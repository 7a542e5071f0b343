"""Promote, told at the desk: the alias moves, an operator restarts where there is one, and only what the server answers counts."""

from dataclasses import replace

import pytest

from bot import shelf
from bot.actions.run_job import run_job
from bot.actions.set_alias import SetAlias, set_alias
from bot.core.actions import Effect, Verification
from bot.core.approvals import Policy
from bot.core.errors import ActionFailed, ConfigError, NotAllowed, NotFound
from bot.core.jobs import Job, Stage
from bot.core.runs import RunState
from bot.flow.decide import approve
from bot.flow.propose import options, propose
from tests.unit.flow.room import DELAYS, ROLLBACK, Room

PROMOTE = replace(shelf.read().playbooks["promote"], verification=Verification())
DONE = Job(Stage.SUCCEEDED, "restarted")


class Registry:
    """A registry of three versions and a server that keeps what it started with."""

    name = "registry"

    def __init__(self):
        self.known, self.named, self.served, self.moves = ["1", "2", "3"], "2", "2", []

    def split(self, target):
        return {self.served: 1.0}

    def versions(self, target):
        return self.known

    def alias(self, target):
        return "champion"

    def aliased(self, target):
        return self.named

    def set_alias(self, target, version, key):
        self.moves.append(version)
        self.named = version

    def restart(self):
        self.served = self.named


class Operator:
    """Restarts the registry's server, or only says so."""

    name = "operator"

    def __init__(self, registry, *, really=True):
        self.registry, self.really, self.started = registry, really, []

    def order(self, job, parameters):
        return f"{job} for {parameters['version']}"

    def start(self, job, parameters, key):
        self.started.append(key)
        if self.really:
            self.registry.restart()

    def job(self, job, key):
        return DONE if key in self.started else Job(Stage.ABSENT)


def laid(*, operator=False, really=True, playbooks=(PROMOTE,)):
    room = Room(model=replace(DELAYS, connectors={"operator": "ops"} if operator else {}), playbook=PROMOTE)
    room.registry, room.time = Registry(), []
    room.operator = Operator(room.registry, really=really)
    hurried = SetAlias("set_alias", now=lambda: float(len(room.time)), sleep=room.time.append)
    room.lays(
        platforms={"edge": room.registry} | ({"ops": room.operator} if operator else {}),
        scorers={},
        actions={**room.desk.actions, "set_alias": hurried, "run_job": run_job},
        playbooks={playbook.name: playbook for playbook in playbooks},
        policies={playbook.name: Policy(frozenset({"on-call"})) for playbook in playbooks},
        expand=shelf.expand,
    )
    room.log.gap = 0.15
    room.looks(2)
    return room


def proposed(room, version="3"):
    return propose(room.desk, 1, "promote", {"to_version": version}, by=room.person("ana"))


def ran(room, version="3"):
    return room.runs(approve(room.desk, proposed(room, version).id, by=room.person("bo")).id)


def test_the_versions_of_the_registry_are_offered_and_the_served_one_is_not():
    offered = options(laid().desk, 1)["playbooks"]

    assert [choice["value"] for choice in offered[0]["parameters"][0]["choices"]] == ["3", "1"]


def test_what_shifts_weights_is_not_offered_where_an_alias_decides():
    offered = options(laid(playbooks=(ROLLBACK, PROMOTE)).desk, 1)["playbooks"]

    assert [playbook["name"] for playbook in offered] == ["promote"]


def test_what_moves_an_alias_is_not_offered_where_weights_decide():
    room = laid(playbooks=(ROLLBACK, PROMOTE))
    room.lays(platforms={"edge": room.splitter})

    assert [playbook["name"] for playbook in options(room.desk, 1)["playbooks"]] == ["rollback"]


def test_without_an_operator_nothing_restarts_and_the_run_goes_back():
    room = laid()
    ended = ran(room)

    assert ended["state"] == RunState.COMPENSATED.value
    assert "names 3, but its server still answers with 2; it has to be restarted." in ended["outcome"]
    assert "The alias was put back and read back; the server answers as before." in ended["outcome"]
    assert (room.registry.moves, room.registry.served) == (["3", "2"], "2")


def test_a_server_that_follows_by_itself_needs_no_operator():
    room = laid()
    room.registry.set_alias = lambda *_: (setattr(room.registry, "named", "3"), room.registry.restart())
    ended = ran(room)

    assert ended["state"] == RunState.SUCCEEDED.value
    assert "the server answers with 3" in ended["outcome"]


def test_an_operator_restarts_and_what_the_server_answers_is_the_decision():
    room = laid(operator=True)
    plan = proposed(room).plan
    changes, ended = plan.changes, ran(room)

    assert plan.words == "champion: 2 → 3 served in 3 steps"
    assert [change.step for change in changes] == ["move the alias", "restart", "see it served"]
    assert ended["outcome"].startswith("Done: champion names 3; restarted; the server answers with 3.")
    with room.desk.store.read() as unit:
        assert [run.split for run in unit.runs()] == [{"3": 1.0}]


def test_an_operator_that_only_says_so_is_found_out():
    room = laid(operator=True, really=False)
    ended = ran(room)

    assert ended["state"] == RunState.COMPENSATED.value
    assert "its server still answers with 2" in ended["outcome"]
    assert len(room.operator.started) == 1


def test_going_back_after_a_restart_says_that_the_server_goes_on_with_the_new_version():
    room = laid(operator=True)
    registry = room.registry
    change = set_alias.plan(registry, "delays", {"version": "3", "served": "later"}, step="move", before=None)
    set_alias.apply(registry, change, "run:1")
    registry.restart()
    with pytest.raises(ActionFailed, match="names 2, but its server still answers with 3"):
        set_alias.undo(registry, change, "run:1:undo")

    assert registry.named == "2"


def test_an_alias_that_moves_while_it_is_measured_is_noticed():
    registry = Registry()
    change = set_alias.plan(registry, "delays", {"version": "3"}, step="move", before=None)
    registry.served, registry.named = "3", "1"
    with pytest.raises(ActionFailed, match="was moved to 3, but the registry says 1"):
        set_alias.measure(registry, change, "run:1")


def test_an_early_look_is_followed_by_others_while_there_is_time():
    registry, slept = Registry(), []

    def sleep(seconds):
        slept.append(seconds)
        if len(slept) == 3:
            registry.restart()

    action = SetAlias("set_alias", now=lambda: float(len(slept)), sleep=sleep)
    change = replace(action.plan(registry, "delays", {"version": "3"}, step="move", before=None), hold_s=60.0)
    action.apply(registry, change, "run:1")

    assert action.measure(registry, change, "run:1") == Effect(
        "the server answers with 3", {"alias": "3", "served": "3"}, {"3": 1.0}
    )


@pytest.mark.parametrize("parameters", [{}, {"version": "3", "served": "never"}, {"version": "3", "share": 0.5}])
def test_a_step_that_says_something_else_is_refused(parameters):
    with pytest.raises(ConfigError, match="set_alias needs `version`"):
        set_alias.plan(Registry(), "delays", parameters, step="move", before=None)


def test_a_platform_without_aliases_is_refused():
    with pytest.raises(ConfigError, match="no registry with aliases"):
        set_alias.plan(Room(playbook=ROLLBACK).splitter, "delays", {"version": "3"}, step="move", before=None)


def test_a_version_that_the_registry_does_not_know_cannot_be_chosen():
    with pytest.raises((NotAllowed, NotFound), match="choose one of 3, 1"):
        proposed(laid(), "9")


def test_all_of_the_traffic_is_what_may_go_wrong():
    assert "all of delays's traffic" in proposed(laid()).preview["blast_radius"]
