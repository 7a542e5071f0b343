"""What follows when nobody decides in time: it is rejected, others are asked once, or it runs where that is harmless."""

from datetime import timedelta

import pytest

from bot.core.approvals import Outcome, Policy, Standing, Who
from bot.core.errors import NotAllowed
from bot.flow import brake, decide, report
from tests.unit.flow.room import Room

ON_CALL, FOUR_HOURS = frozenset({"on-call"}), timedelta(hours=4)
ESCALATES = Policy(ON_CALL, on_expiry=Outcome.ESCALATE, escalate_to=Who(roles=frozenset({"viewer"}), people=frozenset({"U0DEE"})))
RUNS = Policy(ON_CALL, on_expiry=Outcome.RUN)


def waiting(policy):
    """Return a room in which Ana's proposal waits, and its number."""
    room = Room(policy=policy)
    room.losing()
    return room, room.proposed(by="ana").id


def runs_out(room):
    room.clock.passes(FOUR_HOURS.total_seconds())
    return decide.expire(room.desk)


def test_others_are_asked_once_for_as_long_again_and_then_it_expires():
    room, number = waiting(ESCALATES)
    assert room.shown(f"proposal:{number}")["then"] == "After that viewer or <@U0DEE> may decide, too."
    assert [runs_out(room), decide.expire(room.desk)] == [0, 0]
    card = room.shown(f"proposal:{number}")
    assert (card["standing"], card["approvers"], "then" in card) == ("waiting", ["on-call", "viewer", "<@U0DEE>"], False)
    assert card["expires_at"] == (room.clock.now() + FOUR_HOURS).isoformat()
    assert runs_out(room) == 1

    assert room.proposal(number).standing is Standing.EXPIRED
    assert room.audited().count("proposal.escalated") == room.audited().count("proposal.expired") == 1


def test_those_who_are_asked_further_are_mentioned_in_the_thread():
    room, _ = waiting(ESCALATES)
    runs_out(room)
    (line,) = [n for n in room.store.notices.values() if n.mention and n.template == "line"]

    assert line.mention == "<!subteam^viewer> <@U0DEE>"
    assert line.data["text"] == "Nobody has decided in time; viewer or <@U0DEE> may decide now, too, within 4 h."


def test_those_who_are_asked_further_may_decide_then_and_not_before():
    room, number = waiting(ESCALATES)
    with pytest.raises(NotAllowed, match="Only on-call may decide this"):
        decide.approve(room.desk, number, by=room.person("cy"))
    runs_out(room)
    assert [p["number"] for p in report.home(room.desk, room.person("cy"))["waiting_for_me"]] == [number]

    assert decide.approve(room.desk, number, by=room.person("cy")).standing is Standing.APPROVED
    assert decide.abort(room.desk, number, by=room.person("cy")).abort_by == "U0CY"


def test_a_click_between_its_end_and_the_sweeper_is_told_to_look_at_the_card():
    room, number = waiting(ESCALATES)
    room.clock.passes(FOUR_HOURS.total_seconds())
    with pytest.raises(NotAllowed, match="its card says at once what follows"):
        decide.approve(room.desk, number, by=room.person("bo"))

    assert decide.expire(room.desk) == 0


def test_an_escalation_that_another_replica_wrote_first_is_told_once():
    room, _ = waiting(ESCALATES)
    room.store.lost = {"save_proposal": False}

    assert runs_out(room) == 0
    assert "proposal.escalated" not in room.audited()


def test_what_nobody_objects_to_runs_in_the_name_of_its_policy():
    room, number = waiting(RUNS)
    assert room.shown(f"proposal:{number}")["then"] == "If nobody rejects it by then, it runs by itself."
    assert [runs_out(room), decide.expire(room.desk)] == [1, 0]
    closed = room.proposal(number)
    assert (closed.standing, closed.decided_by) == (Standing.APPROVED, "policy")
    assert [e.number for e in room.store.enqueued] == [number]
    room.log.gap = 0.02

    assert room.runs(number)["verdict"] == "healthy"
    assert room.audited().count("approved.by_policy") == 1


def test_what_somebody_rejected_does_not_run():
    room, number = waiting(RUNS)
    decide.reject(room.desk, number, by=room.person("bo"), reason="no")

    assert (runs_out(room), list(room.store.enqueued)) == (0, [])


def test_while_the_bot_is_paused_nothing_runs_by_itself():
    room, number = waiting(RUNS)
    brake.pause(room.desk, by=room.person("bo"))
    assert runs_out(room) == 1

    assert (room.proposal(number).standing, list(room.store.enqueued)) == (Standing.EXPIRED, [])
    assert room.proposal(number).reason == "nobody decided in time, and the bot is paused."


def test_of_two_replicas_that_let_it_run_one_does():
    room, number = waiting(RUNS)
    room.store.lost = {"close_proposal": False}

    assert (runs_out(room), list(room.store.enqueued)) == (0, [])
    assert room.proposal(number).standing is Standing.WAITING
