"""Votes, quorum, rejection, expiry and abort: one decision a proposal, whoever clicks, however often."""

import threading
from datetime import timedelta

import pytest

from bot.core.approvals import Policy, Principal, Standing
from bot.core.errors import AiopsError, Conflict, NotAllowed
from bot.core.incidents import State
from bot.core.runs import RunState
from bot.flow import decide
from tests.unit.flow.room import Room

ON_CALL = frozenset({"on-call"})
CROWD = [Principal(f"U{i}", f"p{i}", ON_CALL) for i in range(12)]


@pytest.fixture
def proposed(room):
    room.losing()
    return room.proposed(by="ana").id


def at_once(*clicks):
    """Let everybody click at the same moment; return what came of each."""
    gate, came = threading.Barrier(len(clicks)), []

    def one(click):
        gate.wait()
        try:
            came.append(click().standing.value)
        except AiopsError as refusal:
            came.append(str(refusal))

    threads = [threading.Thread(target=one, args=(click,)) for click in clicks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    return came


def test_of_many_people_who_approve_at_once_one_starts_the_run_and_all_others_are_told(room, proposed):
    came = at_once(*(lambda p=p: decide.approve(room.desk, proposed, by=p) for p in CROWD))

    assert sorted(came) == sorted(["approved"] + ["This proposal is approved already; its card says by whom."] * 11)
    assert [e.number for e in room.store.enqueued] == [proposed]
    assert room.audited().count("run.queued") == 1


def test_of_an_approval_and_a_rejection_at_once_exactly_one_counts(room, proposed):
    one, other = CROWD[:2]
    at_once(
        lambda: decide.approve(room.desk, proposed, by=one),
        lambda: decide.reject(room.desk, proposed, by=other, reason="not now"),
    )
    rejected = room.proposal(proposed).standing is Standing.REJECTED

    assert len(room.store.enqueued) == (0 if rejected else 1)
    assert (room.audited().count("proposal.rejected"), room.audited().count("run.queued")) == (int(rejected), int(not rejected))


def test_a_double_click_of_the_one_who_decided_starts_nothing_twice(room, proposed):
    decide.approve(room.desk, proposed, by=room.person("bo"))
    with pytest.raises(NotAllowed, match="approved already"):
        decide.approve(room.desk, proposed, by=room.person("bo"))

    assert len(room.store.enqueued) == 1


def test_the_one_who_is_a_moment_too_late_in_the_database_changes_nothing(room, proposed):
    room.store.lost = {"close_proposal": False}
    for vote in (
        lambda: decide.approve(room.desk, proposed, by=room.person("bo")),
        lambda: decide.reject(room.desk, proposed, by=room.person("bo"), reason="no"),
    ):
        with pytest.raises(Conflict, match="Somebody else decided this at the same moment; look at the card"):
            vote()

    assert (list(room.store.enqueued), room.incident().state) == ([], State.OPEN)
    assert "vote.approved" not in room.audited()


def test_the_queued_run_is_shown_and_the_incident_says_what_happens(room, proposed):
    decide.approve(room.desk, proposed, by=room.person("bo"))
    card = room.shown("incident:1")

    assert (card["state"], card["buttons"]) == ("mitigating", [{"action": "details", "text": "Details", "value": "1"}])
    assert room.shown(f"proposal:{proposed}")["buttons"] == []
    assert room.shown(f"run:{proposed}")["buttons"][0]["action"] == "abort"
    assert room.store.enqueued[0].lane == "delays@production"


def test_a_refused_vote_is_remembered_with_its_reason(room, proposed):
    with pytest.raises(NotAllowed):
        decide.approve(room.desk, proposed, by=room.person("cy"))
    row = room.store.audit_log[-1].entry

    assert (row.actor, row.action, row.payload["reason"]) == (
        "U0CY",
        "vote.refused",
        "Only on-call may decide this; your roles: viewer.",
    )


def test_a_quorum_of_two_takes_two_people_and_a_double_click_is_one_of_them():
    room = Room(policy=Policy(ON_CALL, quorum=2))
    room.losing()
    number = room.proposed(by="ana").id
    for _ in range(2):
        assert decide.approve(room.desk, number, by=room.person("bo")).standing is Standing.WAITING
    assert (room.shown(f"proposal:{number}")["quorum"], list(room.store.enqueued)) == ("1/2", [])
    decide.approve(room.desk, number, by=CROWD[0])

    assert (room.proposal(number).standing, room.shown(f"proposal:{number}")["quorum"]) == (Standing.APPROVED, "2/2")
    assert [e.number for e in room.store.enqueued] == [number]


def test_one_rejection_closes_it_with_its_reason_and_the_incident_stays_open(room, proposed):
    decide.reject(room.desk, proposed, by=room.person("bo"), reason=" the holiday traffic will pass ")
    card = room.shown(f"proposal:{proposed}")

    assert (card["standing"], card["reason"], card["decided_by"]) == ("rejected", "the holiday traffic will pass", "U0BO")
    assert (room.incident().state, list(room.store.enqueued)) == (State.OPEN, [])
    with pytest.raises(NotAllowed, match="rejected already"):
        decide.approve(room.desk, proposed, by=CROWD[0])


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_a_rejection_needs_a_reason(room, proposed, reason):
    with pytest.raises(NotAllowed, match="Say why in a few words"):
        decide.reject(room.desk, proposed, by=room.person("bo"), reason=reason)

    assert room.proposal(proposed).standing is Standing.WAITING


def test_the_proposer_may_withdraw_even_without_the_role():
    room = Room()
    room.losing()
    number = room.proposed(by="cy").id
    closed = decide.reject(room.desk, number, by=room.person("cy"), reason="I was wrong")

    assert (closed.standing, closed.decided_by) == (Standing.REJECTED, "U0CY")


def test_another_person_without_the_role_may_not_reject(room, proposed):
    with pytest.raises(NotAllowed, match="Only on-call may decide this"):
        decide.reject(room.desk, proposed, by=room.person("cy"), reason="I do not like it")

    assert room.proposal(proposed).standing is Standing.WAITING


def test_a_click_after_expiry_is_told_so_before_anybody_swept(room, proposed):
    room.clock.passes(4 * 3_600)
    with pytest.raises(NotAllowed, match="This proposal has expired; propose it again from the incident"):
        decide.approve(room.desk, proposed, by=room.person("bo"))

    assert list(room.store.enqueued) == []


def test_the_sweeper_closes_what_nobody_decided_once(room, proposed):
    assert decide.expire(room.desk) == 0
    room.clock.passes(timedelta(hours=4).total_seconds())
    assert [decide.expire(room.desk), decide.expire(room.desk)] == [1, 0]
    card = room.shown(f"proposal:{proposed}")

    assert (card["standing"], card["reason"], card["buttons"]) == ("expired", "nobody decided in time.", [])
    assert room.audited().count("proposal.expired") == 1


def test_a_sweeper_that_another_replica_outruns_sweeps_nothing(room, proposed):
    room.clock.passes(5 * 3_600)
    room.store.lost = {"close_proposal": False}

    assert decide.expire(room.desk) == 0
    assert "proposal.expired" not in room.audited()


def test_an_abort_is_asked_once_and_the_message_says_by_whom(room, proposed):
    decide.approve(room.desk, proposed, by=room.person("bo"))
    decide.abort(room.desk, proposed, by=room.person("ana"))
    decide.abort(room.desk, proposed, by=room.person("bo"))
    shown = room.shown(f"run:{proposed}")

    assert (shown["aborted_by"], shown["buttons"]) == ("U0ANA", [])
    assert room.audited().count("run.abort_asked") == 1


def test_a_run_that_has_not_begun_is_over_as_soon_as_it_is_aborted_and_its_turn_comes_in_vain(room, proposed):
    decide.approve(room.desk, proposed, by=room.person("bo"))
    room.splitter.down = True  # nobody has to be asked anything
    decide.abort(room.desk, proposed, by=room.person("ana"))

    assert (room.run(proposed).state, room.incident().state) == (RunState.FAILED, State.ACKNOWLEDGED)
    assert "It was aborted. Nothing had been changed." in room.thread()
    assert room.incident().evidence["split"] == "v3 100 %"
    journal = room.journal(proposed)
    room.runs(proposed, journal)
    assert (journal.done, room.splitter.moves, room.audited().count("run.failed")) == (["begin"], [], 1)


def test_only_who_may_approve_may_abort(room, proposed):
    decide.approve(room.desk, proposed, by=room.person("bo"))
    with pytest.raises(NotAllowed, match="Only on-call may abort this run"):
        decide.abort(room.desk, proposed, by=room.person("cy"))

    assert room.run(proposed).abort_by == ""


def test_a_run_that_is_over_cannot_be_aborted(room, proposed):
    decide.approve(room.desk, proposed, by=room.person("bo"))
    room.splitter.down = True
    room.runs(proposed)
    with pytest.raises(NotAllowed, match=r"over: The splitter gave no answer\. Nothing had been changed"):
        decide.abort(room.desk, proposed, by=room.person("ana"))

    assert room.run(proposed).state is RunState.FAILED
