"""The brake: while a person holds it nothing acts, whoever restarts; votes, watching and going back are not lost by it."""

import pytest

from bot.core.approvals import Policy, Standing
from bot.core.errors import Conflict, NotAllowed
from bot.core.incidents import State
from bot.core.runs import RunState
from bot.flow import brake, decide, report
from tests.fakes.journal import Killed
from tests.unit.flow.room import Room


@pytest.fixture
def proposed(room):
    room.losing()
    return room.proposed(by="ana").id


@pytest.fixture
def approved(room, proposed):
    """A losing model with an approved way back to a version that does well."""
    room.log.gap = 0.02
    return decide.approve(room.desk, proposed, by=room.person("bo")).id


def pauses(room, reason="the splitter is being moved", by="ana"):
    return brake.pause(room.desk, by=room.person(by), reason=reason)


def resumes(room, by="bo"):
    return brake.resume(room.desk, by=room.person(by))


def waiting(room, number):
    """Return the run's journal at the moment when it starts to wait."""
    journal = room.journal(number, kill_before="sleep")
    with pytest.raises(Killed):
        room.runs(number, journal)
    return journal


def test_pausing_and_resuming_is_told_to_everybody_and_audited(room):
    pauses(room)
    resumes(room)
    said = [(notice.channel, notice.data["text"], notice.data["by"]) for notice in room.store.notices.values()]

    assert room.audited() == ["bot.paused", "bot.resumed"]
    assert [by for _, _, by in said] == ["U0ANA", "U0BO"]
    assert "Paused (the splitter is being moved): no run starts" in said[0][1]
    assert room.store.audit_log[1].entry.payload == {"paused_by": "U0ANA", "reason": "the splitter is being moved"}


@pytest.mark.parametrize("act", [pauses, resumes])
def test_who_may_approve_nothing_may_not_touch_the_brake(room, act):
    with pytest.raises(NotAllowed, match="Only on-call may pause and resume; your roles: viewer"):
        act(room, by="cy")


def test_a_role_of_its_own_may_be_named_for_the_brake(room):
    room.lays(brake=frozenset({"viewer"}))
    with pytest.raises(NotAllowed, match="Only viewer may pause and resume; your roles: on-call"):
        pauses(room, by="ana")

    assert pauses(room, by="cy").by == "U0CY"


def test_where_nobody_may_approve_anything_it_is_said_how_to_name_somebody(room):
    room.lays(policies={})
    with pytest.raises(NotAllowed, match=r"`brake:` in aiops\.yaml names no role"):
        pauses(room)


def test_a_second_pause_is_told_who_was_first_and_why(room):
    pauses(room)
    with pytest.raises(Conflict, match=r"paused already, by <@U0ANA> since 2026-03-02 09:00 UTC \(the splitter is being moved\)"):
        pauses(room, by="bo")

    assert room.audited() == ["bot.paused"]


def test_what_is_not_paused_cannot_be_resumed(room):
    with pytest.raises(Conflict, match="It is not paused, so nothing was changed"):
        resumes(room)


def test_an_approval_is_kept_and_starts_nothing_until_somebody_presses_again(room, proposed):
    pauses(room, reason="")
    for _ in range(2):
        with pytest.raises(
            NotAllowed, match=r"kept, but nothing starts: the bot is paused by <@U0ANA> since .*; press Approve once more"
        ):
            decide.approve(room.desk, proposed, by=room.person("bo"))
    card = room.shown(f"proposal:{proposed}")
    assert (card["quorum"], card["standing"], card["paused"]["by"]) == ("1/1", "waiting", "U0ANA")
    assert [list(room.store.enqueued), room.incident().state] == [[], State.OPEN]

    resumes(room)
    assert list(room.store.enqueued) == []
    assert "paused" not in room.shown(f"proposal:{proposed}")
    decide.approve(room.desk, proposed, by=room.person("bo"))

    assert [started.number for started in room.store.enqueued] == [proposed]
    assert room.audited().count("vote.approved") == room.audited().count("vote.confirmed") == 1


def test_of_a_quorum_the_rest_is_still_collected_while_it_is_paused():
    room = Room(policy=Policy(frozenset({"on-call"}), quorum=2, self_approval=True))
    room.losing()
    number = room.proposed(by="ana").id
    pauses(room)
    with pytest.raises(NotAllowed, match="others may still approve"):
        decide.approve(room.desk, number, by=room.person("ana"))
    with pytest.raises(NotAllowed, match="press Approve once more"):
        decide.approve(room.desk, number, by=room.person("bo"))
    resumes(room)

    assert decide.approve(room.desk, number, by=room.person("ana")).standing is Standing.APPROVED


def test_a_rejection_needs_no_waiting(room, proposed):
    pauses(room)

    assert decide.reject(room.desk, proposed, by=room.person("bo"), reason="no").standing is Standing.REJECTED


def test_what_waits_in_the_queue_does_not_start_until_it_is_resumed(room, approved):
    pauses(room)
    journal = waiting(room, approved)
    assert (room.run(approved).state, room.splitter.moves) == (RunState.QUEUED, [])
    assert room.shown(f"run:{approved}")["paused"]["reason"] == "the splitter is being moved"
    resumes(room)

    assert room.runs(approved, journal.restarted())["verdict"] == "healthy"
    assert "paused" not in room.shown(f"run:{approved}")


@pytest.mark.parametrize("lives", range(1, 4))
def test_between_two_steps_it_waits_over_every_kill_and_goes_on_with_each_step_once(room, approved, lives):
    journal = room.journal(approved, kill_before="all/abort?")
    with pytest.raises(Killed):
        room.runs(approved, journal)
    pauses(room)
    for _ in range(lives):
        journal = journal.restarted(kill_before="sleep")
        with pytest.raises(Killed):
            room.runs(approved, journal)
    assert [split for _, split in room.splitter.moves] == [{"v1": 0.0, "v2": 0.5, "v3": 0.5}]
    resumes(room)
    room.runs(approved, journal.restarted())

    assert [split["v2"] for _, split in room.splitter.moves] == [0.5, 1.0]
    assert room.run(approved).state is RunState.SUCCEEDED


def test_a_run_that_waits_for_days_looks_less_often_but_at_least_every_fourth_poll(room, approved):
    pauses(room)
    journal = room.journal(approved)
    journal.passes = lambda seconds: (room._passes(seconds), resumes(room) if len(journal.slept) == 100 else None)
    room.runs(approved, journal)
    waits = journal.slept[:100]

    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (room.desk.poll_s * 1.05, room.desk.poll_s * 4)


def test_an_abort_is_heard_while_it_is_paused_and_everything_goes_back(room, approved):
    journal = room.journal(approved, kill_before="all/abort?")
    with pytest.raises(Killed):
        room.runs(approved, journal)
    pauses(room)
    decide.abort(room.desk, approved, by=room.person("bo"))

    assert room.runs(approved, journal.restarted())["outcome"].startswith("It was aborted.")
    assert room.splitter.split("delays") == {"v1": 0.0, "v2": 0.0, "v3": 1.0}


def test_an_abort_of_a_run_that_never_started_needs_no_resuming(room, approved):
    pauses(room)
    decide.abort(room.desk, approved, by=room.person("bo"))

    assert room.runs(approved)["outcome"] == "It was aborted. Nothing had been changed."


def test_a_step_that_fails_while_it_is_paused_still_puts_back_what_it_changed(room, approved):
    room.splitter.troubles = ["", "refuses"]
    journal = room.journal(approved, kill_before="all/apply")
    with pytest.raises(Killed):
        room.runs(approved, journal)
    pauses(room)

    assert room.runs(approved, journal.restarted())["state"] == RunState.COMPENSATED


def test_fresh_data_that_say_it_did_not_help_send_nothing_back_until_it_is_resumed(room, approved):
    room.log.gap = 0.15
    journal = room.journal(approved, kill_before="verify/0")
    with pytest.raises(Killed):
        room.runs(approved, journal)
    pauses(room)
    looked = journal.restarted()
    looked.passes = lambda seconds: (room._passes(seconds), resumes(room) if len(looked.slept) == 12 else None)
    ended = room.runs(approved, looked)

    assert ended["state"] == RunState.COMPENSATED
    assert len(looked.slept) >= 12
    assert room.splitter.split("delays")["v3"] == 1.0


def test_while_it_is_paused_watching_and_evidence_go_on_and_everybody_is_told(room):
    pauses(room)
    room.losing()

    assert room.incident().evidence["best"] == "v2"
    assert report.status(room.desk)["paused"] == {
        "by": "U0ANA",
        "at": room.clock.now().isoformat(),
        "reason": "the splitter is being moved",
    }
    assert report.home(room.desk, room.person("bo"))["paused"]["by"] == "U0ANA"
