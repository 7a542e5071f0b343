"""An abort is heard wherever a run waits: while it is held, while a platform settles, between looks; then everything goes back."""

from dataclasses import replace

import pytest

from bot.actions.set_toggle import SetToggle
from bot.actions.set_traffic import SetTraffic
from bot.core.incidents import State
from bot.core.runs import RunState
from bot.core.waiting import pause
from bot.flow import decide
from bot.flow.hearing import Hearing, told_to_stop
from tests.fakes.journal import FakeJournal, Killed
from tests.unit.flow.room import ROLLBACK, Room, Splitter
from tests.unit.flow.test_feature_toggle import Board
from tests.unit.flow.test_feature_toggle import laid as with_flag
from tests.unit.flow.test_feature_toggle import proposed as flag_proposed

BEFORE, HALF = {"v1": 0.0, "v2": 0.0, "v3": 1.0}, {"v1": 0.0, "v2": 0.5, "v3": 0.5}


class Slow(Splitter):
    """Takes what is asked for at once, and then says for ever that it is not there yet, unless it is on the way back."""

    def __init__(self, waits):
        super().__init__("delays", BEFORE)
        self.waits = waits

    def set_split(self, target, split, key):
        super().set_split(target, split, key)
        if not key.endswith(":undo"):
            self.waits(900)
            raise AssertionError("nobody heard the abort")


def losing(**step):
    """Bring a model to an approved run of two steps; `step` is said of its first one."""
    half, all_of_it = ROLLBACK.steps
    room = Room(playbook=replace(ROLLBACK, steps=(replace(half, **step), all_of_it)))
    room.losing()
    room.log.gap = 0.02
    room.number = room.approved().id
    room.waited, room.presses = 0, 3
    return room


@pytest.fixture
def room():
    return losing()


def waits(room):
    """Let somebody press Abort during the third wait of the run."""

    def wait(seconds):
        room.clock.passes(seconds)
        room.waited += 1
        if room.waited == room.presses:
            decide.abort(room.desk, room.number, by=room.person("ana"))
        pause(0)

    return wait


def holding(room):
    """Let the traffic of the first step be counted, and nobody ask for a prediction, so that it takes its time."""
    room.lays(actions={"set_traffic": SetTraffic("set_traffic", now=room._seconds, sleep=waits(room))})


def settling(room):
    room.presses = 1
    room.splitter = Slow(waits(room))
    room.lays(platforms={"edge": room.splitter})


@pytest.mark.parametrize("waiting", [holding, settling])
def test_an_abort_in_the_middle_of_a_wait_undoes_the_step_as_if_it_had_been_applied(room, waiting):
    waiting(room)
    ended = room.runs(room.number)

    assert ended["state"] == RunState.COMPENSATED.value
    assert ended["outcome"] == "It was aborted in the middle of 'half'. Everything it had changed was put back and read back."
    assert ended["outcome"] in room.thread()
    assert [split for _, split in room.splitter.moves] == [HALF, BEFORE]
    assert room.waited == room.presses
    assert room.incident().state is State.ACKNOWLEDGED


@pytest.mark.parametrize("waiting", [holding, settling])
def test_the_card_shows_the_step_in_whose_middle_it_was_aborted_as_undone(room, waiting):
    waiting(room)
    room.runs(room.number)

    assert [step["state"] for step in room.shown(f"run:{room.number}")["steps"]] == ["undone", "waiting"]


@pytest.mark.parametrize("moment", ["kill_before", "kill_after"])
@pytest.mark.parametrize(("waiting", "step"), [(holding, "half/measure"), (settling, "half/apply"), (holding, "half/undo")])
def test_a_bot_that_dies_around_an_abort_puts_back_once_what_it_had_changed(room, waiting, step, moment):
    waiting(room)
    first = room.journal(room.number, **{moment: step})
    with pytest.raises(Killed):
        room.runs(room.number, first)
    room.presses = room.waited + 1 if not room.run(room.number).abort_by else 0
    ended = room.runs(room.number, first.restarted())

    assert ended["state"] == RunState.COMPENSATED.value
    assert ended["outcome"].endswith("Everything it had changed was put back and read back.")
    assert [key.rpartition(":")[2] for key, _ in room.splitter.moves] == ["half", "undo"]
    assert room.audited().count("run.compensated") == 1


def test_a_step_that_may_be_tried_again_is_not_tried_again_after_an_abort():
    room = losing(retries=2, pause_s=5.0)
    settling(room)
    journal = room.journal(room.number)
    room.runs(room.number, journal)

    assert [name for name in journal.done if "half/" in name] == ["half/abort?", "half/precheck", "half/apply", "half/undo"]


def test_going_back_hears_no_abort(room):
    holding(room)
    goes_back, heard_there = room.splitter.set_split, []

    def set_split(target, split, key):
        if key.endswith(":undo"):
            pause(0)
            heard_there.append(key)
        goes_back(target, split, key)

    room.splitter.set_split = set_split

    assert room.runs(room.number)["state"] == RunState.COMPENSATED.value
    assert len(heard_there) == 1


def test_a_flag_whose_reports_are_awaited_for_minutes_is_switched_back_as_soon_as_somebody_aborts():
    board = Board(reports=[[], []])
    room = with_flag(board)
    room.waited, room.presses = 0, 1
    room.lays(actions={"set_toggle": SetToggle("set_toggle", sleep=waits(room))})
    room.number = decide.approve(room.desk, flag_proposed(room).id, by=room.person("bo")).id
    ended = room.runs(room.number)

    assert ended["outcome"] == (
        "It was aborted in the middle of 'switch'. "
        "The flag 'new-model' in production was switched on again, and that was read back."
    )
    assert [on for _, on in board.calls] == [False, True]


@pytest.mark.parametrize("pressed", [False, True])
def test_a_runs_sleep_is_cut_short_once_somebody_wants_it_to_stop(pressed):
    journal = FakeJournal()
    hearing = Hearing(journal, lambda: pressed)
    hearing.sleep(30.0)

    assert (hearing.id, journal.slept) == (journal.id, [] if pressed else [30.0])


def test_whoever_has_a_reason_of_their_own_may_cut_a_runs_sleep_short_as_well():
    journal = FakeJournal()
    Hearing(journal, lambda: False).sleep(30.0, lambda: True)

    assert journal.slept == []


def test_while_fresh_data_are_awaited_an_abort_cuts_the_waiting_short(room):
    journal = room.journal(room.number, kill_after="verify/0")
    with pytest.raises(Killed):
        room.runs(room.number, journal)
    awaited = journal.restarted()
    step = awaited.step

    def pressing(name, do):
        came = step(name, do)
        if name == "verify/0":
            decide.abort(room.desk, room.number, by=room.person("ana"))
        return came

    awaited.step = pressing
    ended = room.runs(room.number, awaited)

    assert (ended["outcome"].partition(".")[0], awaited.slept) == ("It was aborted", [])
    assert "sleep" in [name for name, _ in awaited.memory], "what is remembered does not depend on when somebody pressed"


def test_while_the_database_is_away_nobody_is_heard_and_the_wait_goes_on(room):
    decide.abort(room.desk, room.number, by=room.person("ana"))
    room.store.away = 0

    assert not told_to_stop(room.desk, room.number)
    assert told_to_stop(room.desk, room.number)
