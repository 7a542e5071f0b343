"""Parallel steps begin together and are all awaited; a failure lets the others end, and then everything goes back in reverse."""

from dataclasses import dataclass, field, replace

import pytest

from bot.core.actions import Action, Change, Effect, Going, Verification
from bot.core.errors import ActionFailed, NotAllowed, OutcomeUnknown, WorldMoved
from bot.core.playbooks import Step
from bot.core.runs import RunState
from bot.flow import decide, gate
from bot.flow.propose import propose
from tests.fakes.journal import Killed
from tests.unit.flow.room import ROLLBACK, Room

TROUBLES = {"refuses": ActionFailed("It says no."), "cut off": OutcomeUnknown("Cut off."), "moved": WorldMoved("Moved.")}


@dataclass
class Work(Action):
    """Does what a test says: `goes` looks until a step ends, `troubles` at each call of apply, steps that end badly."""

    name: str = "work"
    goes: dict[str, int] = field(default_factory=dict)
    troubles: dict[str, list[str]] = field(default_factory=dict)
    bad: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    began: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    undone: list[str] = field(default_factory=list)

    def plan(self, platform, target, parameters, *, step, before):
        return Change(step, self.name, target, dict(parameters), {"step": step}, f"do {step}")

    def precheck(self, platform, change):
        if self.troubles.get(change.step) == ["precheck"]:
            raise ActionFailed("Not now.")

    def apply(self, platform, change, key):
        troubles = self.troubles.get(change.step)
        trouble = troubles.pop(0) if troubles else ""
        if trouble in TROUBLES and trouble != "cut off":
            raise TROUBLES[trouble]
        if key not in self.keys:
            self.keys.append(key)
            self.began.append(change.step)
        if trouble:
            raise TROUBLES[trouble]

    def read_back(self, platform, change, key):
        if change.step in self.lost or key not in self.keys:
            raise ActionFailed(f"Nobody knows of {change.step}.")

    def measure(self, platform, change, key):
        if self.goes.get(change.step, 0):
            self.goes[change.step] -= 1
            return Going(f"{self.goes[change.step]} to go")
        if change.step in self.bad:
            raise ActionFailed(f"{change.step} ended badly.")
        return Effect(f"{change.step} ended")

    def blast(self, changes):
        return f"{len(changes)} works"

    def undo(self, platform, change, key):
        self.undone.append(change.step)
        return f"{change.step} is back."


def held(*names, **common):
    return tuple(Step(name, "work", patience_s=3_600.0, together="both", **common) for name in names)


def roomy(*steps, **scripted):
    work = Work(**scripted)
    playbook = replace(ROLLBACK, parameters=(), steps=steps, verification=Verification())
    room = Room(playbook=playbook)
    room.lays(actions={"work": work}, expand=lambda book, _chosen: list(book.steps), playbooks={"rollback": playbook})
    room.losing()
    room.work = work
    proposal = propose(room.desk, 1, "rollback", {}, by=room.person("ana"))
    room.number = decide.approve(room.desk, proposal.id, by=room.person("bo")).id
    return room


FIRST, LAST = Step("first", "work"), Step("last", "work")


def test_parallel_steps_are_all_begun_before_any_is_awaited():
    room = roomy(FIRST, *held("a", "b"), LAST, goes={"a": 2, "b": 1})
    journal = room.journal(room.number)
    ended = room.runs(room.number, journal)

    assert ended["state"] == "succeeded"
    assert journal.done == [
        "begin",
        *(f"first/{part}" for part in ("abort?", "precheck", "apply", "read back", "measure")),
        *("a/abort?", "a/precheck", "b/precheck", "a/apply", "b/apply", "a/read back", "b/read back"),
        *("a/measure", "b/measure", "a/measure/1", "b/measure/1", "a/measure/2"),
        *(f"last/{part}" for part in ("abort?", "precheck", "apply", "read back", "measure")),
        *("applied", "end"),
    ]


STEPS = ["begin", "a/abort?", "a/precheck", "b/apply", "b/read back", "a/measure", "b/measure", "a/measure/1", "applied", "end"]


@pytest.mark.parametrize("moment", ["kill_before", "kill_after"])
@pytest.mark.parametrize("step", STEPS)
def test_a_run_killed_at_any_parallel_step_goes_on_and_each_effect_happens_once(step, moment):
    room = roomy(*held("a", "b"), goes={"a": 4, "b": 2})
    journal = room.journal(room.number, **{moment: step})
    with pytest.raises(Killed):
        room.runs(room.number, journal)
    ended = room.runs(room.number, journal.restarted())

    assert ended["state"] == "succeeded"
    assert room.work.began == ["a", "b"]


def test_one_that_fails_lets_the_others_end_and_then_all_goes_back_in_reverse():
    room = roomy(FIRST, *held("a", "b", "c"), LAST, goes={"a": 1, "c": 3}, bad=("b",))
    journal = room.journal(room.number)
    ended = room.runs(room.number, journal)

    assert (ended["state"], ended["outcome"].split(".")[0]) == ("compensated", "b ended badly")
    assert "c/measure/3" in journal.done
    assert room.work.undone == ["c", "b", "a", "first"]
    assert "last" not in room.work.began


def test_once_one_is_refused_no_other_begins():
    room = roomy(*held("a", "b", "c"), goes={"a": 2}, troubles={"b": ["refuses"]})
    ended = room.runs(room.number)

    assert ended["outcome"] == "It says no. b is back. a is back."
    assert (room.work.began, room.work.goes["a"]) == (["a"], 0)


def test_what_is_refused_and_may_be_asked_again_waits_until_the_others_have_begun():
    room = roomy(*held("a", "b", retries=2, pause_s=30.0), troubles={"a": ["refuses", "refuses"]})
    journal = room.journal(room.number)
    ended = room.runs(room.number, journal)

    assert ended["state"] == "succeeded"
    assert room.work.began == ["b", "a"]
    assert journal.slept == [30.0, 30.0]
    assert [name for name in journal.done if name.startswith("a/a")] == [
        "a/abort?",
        "a/apply",
        "a/abort?/1",
        "a/apply/2",
        "a/abort?/2",
        "a/apply/3",
    ]


def test_a_call_that_was_cut_off_is_read_back():
    assert roomy_ended(troubles={"a": ["cut off"]})["state"] == "succeeded"


def test_what_cannot_be_read_back_has_failed_and_the_other_is_awaited():
    room = roomy(*held("a", "b"), goes={"b": 2}, lost=("a",))

    assert room.runs(room.number)["outcome"].startswith("Nobody knows of a.")
    assert room.work.goes["b"] == 0


def test_two_that_fail_are_both_told():
    assert roomy_ended(bad=("a", "b"))["outcome"].startswith("a ended badly. b ended badly. b is back.")


def test_where_somebody_else_acts_nothing_is_put_back():
    room = roomy(*held("a", "b"), troubles={"b": ["moved"]})

    assert room.runs(room.number)["state"] == "failed"
    assert room.work.undone == []


def test_one_that_cannot_begin_now_lets_none_begin():
    room = roomy(*held("a", "b"), troubles={"b": ["precheck"]})
    ended = room.runs(room.number)

    assert ended["outcome"] == "Not now. Nothing had been changed."
    assert room.work.began == []


def roomy_ended(**scripted):
    room = roomy(*held("a", "b"), **scripted)
    return room.runs(room.number)


def test_an_abort_is_heard_at_the_next_look_and_all_goes_back():
    room = roomy(*held("a", "b"), goes={"a": 9, "b": 9})
    journal = room.journal(room.number, kill_before="sleep")
    with pytest.raises(Killed):
        room.runs(room.number, journal)
    decide.abort(room.desk, room.number, by=room.person("bo"))
    ended = room.runs(room.number, journal.restarted())

    assert (ended["state"], room.work.undone) == ("compensated", ["b", "a"])


def test_an_abort_is_heard_between_two_tries():
    room = roomy(*held("a", "b", retries=5, pause_s=30.0), troubles={"a": ["refuses"] * 6})
    journal = room.journal(room.number, kill_before="sleep")
    with pytest.raises(Killed):
        room.runs(room.number, journal)
    decide.abort(room.desk, room.number, by=room.person("bo"))

    assert room.runs(room.number, journal.restarted())["outcome"].startswith("It was aborted.")


def test_what_goes_on_for_too_long_has_failed():
    room = roomy(*(replace(step, patience_s=1.0) for step in held("a", "b")), goes={"a": 9_999})

    assert room.runs(room.number)["outcome"].startswith("'a' had not ended after")


def test_parallel_steps_have_their_gate_in_common():
    room = roomy(FIRST, *held("a", "b", gate="Look.", gate_s=3_600.0))
    journal = room.journal(room.number, kill_before="sleep")
    with pytest.raises(Killed):
        room.runs(room.number, journal)
    card = room.shown(f"run:{room.number}")

    assert (card["gate"]["step"], card["gate"]["look"]) == ("both", "Look.")
    assert [step["state"] for step in card["steps"]] == ["done", "waiting", "waiting"]

    gate.proceed(room.desk, f"{room.number}:both", by=room.person("bo"))

    assert room.runs(room.number, journal.restarted())["state"] == "succeeded"
    assert "both/gate" in journal.done


def test_the_cards_say_what_happens_at_the_same_time():
    room = roomy(FIRST, *held("a", "b", gate="Look.", gate_s=60.0))

    assert room.shown(f"proposal:{room.number}")["steps"] == [
        "do first",
        "when a person continues it (Look.): do a",
        "at the same time: do b",
    ]


def test_the_runs_message_tells_how_far_each_of_them_is():
    room = roomy(*held("a", "b"), goes={"a": 3, "b": 2})
    with pytest.raises(Killed):
        room.runs(room.number, room.journal(room.number, kill_before="sleep"))
    card = room.shown(f"run:{room.number}")

    assert card["outcome"] == "a: 2 to go\nb: 1 to go"
    assert [(step["words"], step["state"]) for step in card["steps"]] == [("do a", "doing"), ("at the same time: do b", "doing")]


def test_a_queued_run_does_nothing_yet():
    room = roomy(*held("a", "b"))

    assert room.run(room.number).state is RunState.QUEUED
    assert [step["state"] for step in room.shown(f"run:{room.number}")["steps"]] == ["waiting", "waiting"]


def test_two_that_would_change_the_same_thing_at_once_are_refused():
    with pytest.raises(NotAllowed, match="'a' and 'b' are parallel and both change what plays 'serving' for delays"):
        roomy(*held("a", "b", parameters={"now": 1}))
