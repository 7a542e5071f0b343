"""A run that did not mend the incident gives it back to people, once, with what was tried."""

import pytest

from bot.core.incidents import State
from bot.core.runs import RunState
from bot.flow.hand_over import hand_over
from tests.fakes.journal import Killed


@pytest.fixture
def failed(room):
    room.losing()
    number = room.approved().id
    room.splitter.lies = True
    room.runs(number)
    return number


def test_the_team_is_mentioned_and_the_card_says_how_the_last_try_ended(room, failed):
    card, ended = room.shown("incident:1"), room.run(failed).outcome
    called = [n for n in room.store.notices.values() if n.template == "line" and n.mention]

    assert card["next_step"] == f"The last try ended: {ended}"
    assert [(n.data["text"], n.mention) for n in called] == [(ended, "<!subteam^ml-platform>")]
    assert "propose" in [button["action"] for button in card["buttons"]]


def test_a_second_hand_over_changes_nothing(room, failed):
    rows = len(room.store.audit_log)
    with room.store.write() as unit:
        again = hand_over(room.desk, unit, failed, RunState.FAILED, "something else")

    assert (again["state"], again["outcome"]) == ("compensated", room.run(failed).outcome)
    assert len(room.store.audit_log) == rows


def test_a_hand_over_that_was_killed_after_it_was_written_is_said_once(room):
    room.losing()
    number = room.approved().id
    room.log.labelled = 10
    journal = room.journal(number, kill_after="end")
    with pytest.raises(Killed):
        room.runs(number, journal)
    ended = room.runs(number, journal.restarted())

    assert (ended["state"], room.audited().count("run.handed_over")) == ("handed_over", 1)
    assert room.incident().state is State.ACKNOWLEDGED
