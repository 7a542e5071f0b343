"""A run that the engine gave up does not look at work for ever: people get it."""

import pytest

from bot.core.incidents import State
from bot.core.runs import RunState
from bot.flow.abandoned import hand_over_abandoned
from tests.fakes.journal import Killed


@pytest.fixture
def half_done(room):
    room.losing()
    number = room.approved().id
    with pytest.raises(Killed):
        room.runs(number, room.journal(number, kill_before="all/apply"))
    return number


def test_a_run_that_was_given_up_is_handed_to_people_once(room, half_done):
    told = [hand_over_abandoned(room.desk, lambda _number: True) for _ in range(2)]

    assert told == [1, 0]
    assert (room.run(half_done).state, room.incident().state) == (RunState.FAILED, State.ACKNOWLEDGED)
    assert room.audited().count("run.failed") == 1
    assert "a person has to look at the platform now" in room.thread()


def test_a_run_that_was_given_up_touches_the_platform_no_more(room, half_done):
    moves = list(room.splitter.moves)
    hand_over_abandoned(room.desk, lambda _number: True)

    assert room.splitter.moves == moves


def test_a_run_that_is_at_work_is_left_alone(room, half_done):
    assert hand_over_abandoned(room.desk, lambda _number: False) == 0
    assert room.run(half_done).state is RunState.RUNNING


def test_a_run_that_ends_at_that_moment_keeps_its_own_end(room, half_done):
    def ends_now(number):
        room.log.gap = 0.02
        room.runs(number)
        return True

    hand_over_abandoned(room.desk, ends_now)

    assert room.run(half_done).state is RunState.SUCCEEDED
