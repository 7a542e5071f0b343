"""Runs that share a lock go one after another, whatever their models; others go on, and who waits says for what."""

from dataclasses import replace

import pytest

from bot.core.actions import Verification
from bot.core.checks import Family
from bot.core.runs import RunState
from bot.flow import brake
from bot.flow.decide import abort, approve
from bot.flow.propose import propose
from tests.fakes.journal import Killed
from tests.unit.flow.room import DELAYS, ROLLBACK, Room, Splitter

LOCKED = replace(ROLLBACK, lock="edge", verification=Verification())
FREE = replace(LOCKED, name="free", lock="", content={"name": "free"})
NAMES = ("delays", "fares", "tips")


@pytest.fixture
def room():
    """A room with three models, each before a splitter of its own, and an open incident of each."""
    room = Room(playbook=LOCKED)
    models = [replace(DELAYS, name=name, serving=name) for name in NAMES]
    room.splitters = {name: Splitter(name, {"v1": 0.0, "v2": 0.0, "v3": 1.0}) for name in NAMES}
    room.lays(
        models={model.key: model for model in models},
        platforms=room.splitters,
        scorers={},
        playbooks={"rollback": LOCKED, "free": FREE},
        policies={"rollback": room.policy, "free": room.policy},
        actions={"set_traffic": replace(room.desk.actions["set_traffic"], sleep=lambda s: _passes(room, s))},
    )
    room.losing()
    with room.store.write() as unit:
        for name in NAMES[1:]:
            unit.open_incident(replace(unit.incident(1), id=0, model=name))
    return room


def _passes(room, seconds):
    room.clock.passes(seconds)
    for splitter in room.splitters.values():
        splitter.send(2_000)


def approved(room, incident, playbook="rollback"):
    proposal = propose(room.desk, incident, playbook, {"to_version": "v2"}, by=room.person("ana"))
    room.clock.passes(1)
    return approve(room.desk, proposal.id, by=room.person("bo")).id


def until(room, number, moment, journal=None):
    """Carry a run out until its process is killed before this step; return the journal that the next life finds."""
    journal = room.journal(number, kill_before=moment) if journal is None else journal.restarted(kill_before=moment)
    with pytest.raises(Killed):
        room.runs(number, journal)
    return journal


def test_a_run_waits_for_another_models_run_that_holds_the_lock_and_says_so(room):
    first, second = approved(room, 1), approved(room, 2)
    held = until(room, first, "all/apply")
    waits = until(room, second, "sleep")

    assert room.run(second).state is RunState.QUEUED
    assert room.shown(f"run:{second}")["outcome"] == (
        "Waits until the run on delays for incident #1 has ended: both need the lock 'edge'."
    )
    assert room.splitters["fares"].moves == []

    room.runs(first, held.restarted())
    ended = room.runs(second, waits.restarted())

    assert ended["state"] == "succeeded"
    assert room.run(first).ended_at <= room.run(second).started_at
    assert room.run(second).in_line is False


def test_who_waits_is_not_told_again_and_again(room):
    first, second = approved(room, 1), approved(room, 2)
    until(room, first, "all/apply")
    waits = until(room, second, "begin/2")
    told = room.store.notices[f"run:{second}"]
    until(room, second, "begin/3", waits)

    assert room.store.notices[f"run:{second}"] is told


def test_who_was_approved_first_goes_first_among_those_that_wait(room):
    first, second, third = (approved(room, number) for number in (1, 2, 3))
    held = until(room, first, "all/apply")
    late, early = until(room, third, "sleep"), until(room, second, "sleep")
    room.runs(first, held.restarted())
    late = until(room, third, "begin/2", late)

    assert room.shown(f"run:{third}")["outcome"].startswith("Waits until the run on fares for incident #2 has ended")
    assert room.runs(second, early.restarted())["state"] == "succeeded"
    assert room.runs(third, late.restarted())["state"] == "succeeded"


def test_a_run_that_does_not_need_the_lock_goes_on(room):
    until(room, approved(room, 1), "all/apply")

    assert room.runs(approved(room, 2, "free"))["state"] == "succeeded"


@pytest.mark.parametrize("moment", ["begin", "half/abort?"])
def test_a_run_killed_around_its_beginning_keeps_its_turn(room, moment):
    first, second = approved(room, 1), approved(room, 2)
    journal = room.journal(first, **({"kill_after": moment} if moment == "begin" else {"kill_before": moment}))
    with pytest.raises(Killed):
        room.runs(first, journal)
    waits = until(room, second, "sleep")

    assert room.runs(first, journal.restarted())["state"] == "succeeded"
    assert room.runs(second, waits.restarted())["state"] == "succeeded"


def test_an_abort_is_heard_in_the_line_and_changes_nothing(room):
    first, second = approved(room, 1), approved(room, 2)
    until(room, first, "all/apply")
    waits = until(room, second, "sleep")
    abort(room.desk, second, by=room.person("bo"))
    ended = room.runs(second, waits.restarted())

    assert (ended["state"], ended["outcome"]) == ("failed", "It was aborted. Nothing had been changed.")
    assert room.splitters["fares"].moves == []


def test_a_lock_that_comes_free_while_the_brake_is_on_starts_nothing(room):
    first, second = approved(room, 1), approved(room, 2)
    held = until(room, first, "all/apply")
    waits = until(room, second, "sleep")
    room.runs(first, held.restarted())
    brake.pause(room.desk, by=room.person("ana"))
    until(room, second, "begin/2", waits)

    assert room.run(second).state is RunState.QUEUED


def test_the_lock_is_part_of_the_plan_and_the_card_says_that_it_may_have_to_wait(room):
    proposal = propose(room.desk, 1, "rollback", {"to_version": "v2"}, by=room.person("ana"))
    card = room.shown(f"proposal:{proposal.id}")

    assert "It waits for its turn: runs that need the lock 'edge' go one after another." in card["preview"]
    assert replace(proposal.plan, lock="").hash != proposal.plan.hash


def test_a_run_that_queues_behind_one_on_its_own_model_says_so(room):
    approved(room, 1)
    with room.store.write() as unit:
        unit.open_incident(replace(unit.incident(1), id=0, family=Family.OPERATIONS))
    second = approved(room, 4, "free")

    assert room.shown(f"run:{second}")["outcome"] == "Waits until the run on delays for incident #1 has ended: one run a model."
