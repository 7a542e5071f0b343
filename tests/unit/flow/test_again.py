"""A refused step is asked for again only where nothing of it has happened, with the same key, and never without end."""

from dataclasses import replace

import pytest

from bot.core.errors import ActionFailed, OutcomeUnknown
from bot.core.runs import RunState
from bot.flow import decide
from tests.fakes.journal import Killed
from tests.unit.flow.room import ROLLBACK, Room

BEFORE = {"v1": 0.0, "v2": 0.0, "v3": 1.0}


@pytest.fixture
def room():
    """A losing model with an approved way back whose steps may be asked for twice more."""
    steps = tuple(replace(step, retries=2, pause_s=30.0) for step in ROLLBACK.steps)
    room = Room(playbook=replace(ROLLBACK, steps=steps))
    room.losing()
    room.number = room.approved().id
    room.log.gap = 0.02
    return room


def runs(room, **kill):
    journal = room.journal(room.number, **kill)
    return room.runs(room.number, journal), journal


def test_what_was_refused_is_asked_for_again_with_the_same_key(room):
    room.splitter.troubles = ["refuses", "refuses"]
    ended, journal = runs(room)

    assert ended["state"] == "succeeded"
    assert [name for name in journal.done if name.startswith("half/")] == [
        "half/abort?",
        "half/precheck",
        "half/apply",
        "half/refused/1",
        "half/abort?/1",
        "half/apply/2",
        "half/refused/2",
        "half/abort?/2",
        "half/apply/3",
        "half/read back",
        "half/measure",
    ]
    assert journal.slept[:2] == [30.0, 30.0]
    assert [key for key, _ in room.splitter.moves] == [f"run_playbook:{room.number}:half", f"run_playbook:{room.number}:all"]
    assert room.audited().count("step.refused") == 2


def test_what_is_refused_for_the_last_time_is_put_back(room):
    room.splitter.troubles = ["", "refuses", "refuses", "refuses"]
    ended, _ = runs(room)

    assert (ended["state"], room.splitter.split("delays")) == (RunState.COMPENSATED, BEFORE)
    assert ended["outcome"].startswith("The splitter refuses.")


def test_the_runs_message_says_that_it_is_tried_again(room):
    room.splitter.troubles = ["refuses"]
    with pytest.raises(Killed):
        runs(room, kill_before="sleep")

    assert room.shown(f"run:{room.number}")["outcome"] == (
        "'half' was refused and nothing has changed: The splitter refuses. 2 more tries, the next in 30 s."
    )


def test_a_kill_between_two_tries_makes_no_third(room):
    room.splitter.troubles = ["refuses", "refuses"]
    journal = room.journal(room.number, kill_after="half/refused/2")
    with pytest.raises(Killed):
        room.runs(room.number, journal)
    room.runs(room.number, journal.restarted())

    assert [key.rpartition(":")[2] for key, _ in room.splitter.moves] == ["half", "all"]
    assert room.audited().count("step.refused") == 2


def test_an_abort_is_heard_between_two_tries(room):
    room.splitter.troubles = ["refuses"]
    journal = room.journal(room.number)
    passes = journal.passes
    journal.passes = lambda s: (passes(s), decide.abort(room.desk, room.number, by=room.person("bo")))
    ended = room.runs(room.number, journal)

    assert ended["outcome"].startswith("It was aborted.")
    assert room.splitter.moves == []


def test_what_was_cut_off_is_never_asked_for_again(room):
    room.splitter.troubles = ["cut before"]
    ended, journal = runs(room)

    assert "half/apply/2" not in journal.done
    assert ended["state"] == RunState.COMPENSATED


def test_what_happened_although_it_was_refused_is_not_done_again_but_put_back(room):
    real = room.splitter.set_split

    def refuses_and_does(target, split, key):
        real(target, split, key)
        if key.endswith(":half"):
            raise ActionFailed("The splitter refuses.")

    room.splitter.set_split = refuses_and_does
    ended, journal = runs(room)

    assert "half/apply/2" not in journal.done
    assert ended["outcome"].startswith(
        "The splitter refuses. It is not tried again, because fake says by now that something came of it."
    )
    assert room.splitter.split("delays") == BEFORE


@pytest.mark.parametrize(("look", "silent"), [(1, ActionFailed), (1, OutcomeUnknown), (2, OutcomeUnknown)])
def test_where_nobody_can_say_what_came_of_it_it_is_not_asked_for_again(room, look, silent):
    real, looks = room.splitter.split, []

    def refuses(target, split, key):
        looks.append(0)
        raise ActionFailed("The splitter refuses.")

    def falls_silent(target):
        if looks:
            looks[0] += 1
            if looks[0] == look:
                raise silent("No answer.")
        return real(target)

    room.splitter.set_split, room.splitter.split = refuses, falls_silent
    ended, journal = runs(room)

    assert "half/apply/2" not in journal.done
    assert "It is not tried again, because nobody can say what came of it: No answer." in ended["outcome"]


def test_where_somebody_else_acts_meanwhile_it_is_not_asked_for_again_and_theirs_stays(room):
    def refuses(target, split, key):
        room.splitter.somebody_sets("v1")
        raise ActionFailed("The splitter refuses.")

    room.splitter.set_split = refuses
    ended, journal = runs(room)

    assert "half/apply/2" not in journal.done
    assert ended["state"] == RunState.FAILED
    assert "What somebody else has set stays as it is." in ended["outcome"]
