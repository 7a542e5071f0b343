"""What the bot may do by itself: only where a policy says so, inside its budget, and no more once a mend did not last."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.approvals import Policy, Standing
from bot.core.audit import BOT
from bot.core.errors import Conflict, NotAllowed, NotFound
from bot.core.incidents import State
from bot.flow import brake, decide, heal, report, resolve
from bot.flow.decide import POLICY
from tests.unit.flow.room import ROLLBACK, Room

AUTO = Policy(frozenset({"on-call"}), auto_per_day=2, auto_returned=timedelta(days=2))


@pytest.fixture
def room():
    """A room where the policy lets the bot roll back twice a day, and the model is losing."""
    room = Room(policy=AUTO)
    room.losing()
    return room


def the_proposal(room, incident=1):
    with room.store.read() as unit:
        (proposal,) = unit.proposals(incident=incident)
    return proposal


def mends(room):
    """Let the run of the newest incident do its work and be verified on data that are well."""
    number = the_proposal(room, room.incidents()[0].id).id
    room.log.gap = 0.02
    room.splitter.set_raw({"v1": 0, "v2": 0, "v3": 100})
    return room.runs(number)


def loses_again(room):
    """Bring the same trouble back: v3 serves again and loses."""
    room.splitter.set_raw({"v1": 0, "v2": 0, "v3": 100})
    room.losing()
    return room.incidents()[0]


def test_it_proposes_and_approves_by_itself_and_every_row_says_so(room):
    assert heal.heal_all(room.desk) == 1
    proposal = the_proposal(room)
    card = room.shown(f"proposal:{proposal.id}")

    assert (proposal.proposed_by, proposal.decided_by, proposal.standing) == (BOT, POLICY, Standing.APPROVED)
    assert (card["reason"], card["buttons"]) == ("auto, 1 of 2 today.", [])
    assert [started.number for started in room.store.enqueued] == [proposal.id]
    assert mends(room)["verdict"] == "healthy"


def test_it_does_so_once_however_often_it_looks(room):
    assert [heal.heal_all(room.desk) for _ in range(3)] == [1, 0, 0]


def test_without_a_policy_that_says_auto_it_does_nothing():
    room = Room()
    room.losing()

    assert (heal.heal_all(room.desk), room.audited().count("proposal.made")) == (0, 0)


def test_another_playbooks_permission_is_none(room):
    room.lays(policies={"rollback": replace(AUTO, auto_per_day=0), "restart": AUTO})

    assert heal.heal_all(room.desk) == 0


def test_where_two_playbooks_are_offered_people_choose(room):
    other = replace(ROLLBACK, name="other")
    room.lays(playbooks={"rollback": ROLLBACK, "other": other}, policies={"rollback": AUTO, "other": AUTO})

    assert heal.heal_all(room.desk) == 0


def test_where_nothing_suggests_what_to_choose_people_choose():
    room = Room(policy=AUTO)
    room.versions.gaps = {"v1": 0.3, "v2": 0.3, "v3": 0.15}
    room.losing()

    assert heal.heal_all(room.desk) == 0


def test_before_the_evidence_is_there_it_waits(room):
    room.forgets_evidence()

    assert heal.heal_all(room.desk) == 0


def test_an_incident_that_somebody_has_acknowledged_is_theirs(room):
    resolve.acknowledge(room.desk, 1, by=room.person("ana"))

    assert heal.heal_all(room.desk) == 0


def test_an_incident_for_which_somebody_has_proposed_something_is_theirs(room):
    room.proposed(by="ana")

    assert heal.heal_all(room.desk) == 0


def test_who_takes_it_up_while_the_bot_plans_is_first(room, monkeypatch):
    plan = heal.propose

    def meanwhile(*given, **named):
        resolve.acknowledge(room.desk, 1, by=room.person("ana"))
        return plan(*given, **named)

    monkeypatch.setattr(heal, "propose", meanwhile)

    assert heal.heal_all(room.desk) == 0
    assert "proposal.made" not in room.audited()


def test_a_platform_that_does_not_answer_leaves_the_incident_to_people(room):
    room.splitter.down = True

    assert heal.heal_all(room.desk) == 0


def test_while_the_bot_is_paused_it_proposes_nothing_and_does_so_when_it_is_resumed(room):
    brake.pause(room.desk, by=room.person("ana"))
    assert heal.heal_all(room.desk) == 0
    brake.resume(room.desk, by=room.person("ana"))

    assert heal.heal_all(room.desk) == 1


def test_a_brake_that_is_pulled_while_it_plans_makes_it_ask(room, monkeypatch):
    plan = heal.propose

    def meanwhile(*given, **named):
        brake.pause(room.desk, by=room.person("ana"))
        return plan(*given, **named)

    monkeypatch.setattr(heal, "propose", meanwhile)
    heal.heal_all(room.desk)

    assert (the_proposal(room).standing, list(room.store.enqueued)) == (Standing.WAITING, [])
    assert "asks you to approve; it is paused." in room.thread()


def test_beyond_the_budget_it_asks_people_and_says_why(room):
    room.lays(policies={"rollback": replace(AUTO, auto_per_day=1, auto_returned=timedelta(seconds=1))})
    heal.heal_all(room.desk)
    mends(room)
    room.clock.passes(3_600)
    loses_again(room)
    heal.heal_all(room.desk)
    proposal = the_proposal(room, 2)

    assert (proposal.standing, proposal.proposed_by) == (Standing.WAITING, BOT)
    assert "The bot proposes this and asks you to approve; 1 of 1 today are used up." in room.thread(2)
    assert decide.approve(room.desk, proposal.id, by=room.person("ana")).standing is Standing.APPROVED


def test_the_next_day_has_a_budget_of_its_own(room):
    room.lays(policies={"rollback": replace(AUTO, auto_per_day=1, auto_returned=timedelta(hours=1))})
    heal.heal_all(room.desk)
    mends(room)
    room.clock.passes(86_400)
    loses_again(room)
    heal.heal_all(room.desk)

    assert the_proposal(room, 2).decided_by == POLICY


def comes_back(room):
    """Let the bot mend it by itself, and let it come back."""
    heal.heal_all(room.desk)
    mends(room)
    loses_again(room)
    heal.heal_all(room.desk)
    return the_proposal(room, 2)


def test_what_came_back_was_not_mended_so_it_asks_from_then_on(room):
    proposal = comes_back(room)
    why = "what 'rollback' had mended by itself in #1 came back after"

    assert (proposal.standing, proposal.proposed_by) == (Standing.WAITING, BOT)
    assert why in report.status(room.desk)["asks"][0]["reason"]
    assert f"W{why[1:]}" in room.thread(2)
    assert room.audited().count("auto.demoted") == 1


def test_what_came_back_late_is_another_trouble(room):
    heal.heal_all(room.desk)
    mends(room)
    room.clock.passes(3 * 86_400)
    loses_again(room)
    heal.heal_all(room.desk)

    assert the_proposal(room, 2).decided_by == POLICY


def test_what_a_person_approved_and_came_back_is_not_held_against_the_bot(room):
    room.proposed(by="ana")
    decide.approve(room.desk, the_proposal(room).id, by=room.person("bo"))
    mends(room)
    loses_again(room)
    heal.heal_all(room.desk)

    assert the_proposal(room, 2).decided_by == POLICY


def test_a_person_arms_it_again_and_the_same_trouble_is_not_held_against_it_twice(room):
    proposal = comes_back(room)
    decide.reject(room.desk, proposal.id, by=room.person("ana"), reason="looking at it")
    hold = heal.arm(room.desk, "delays", by=room.person("ana"))
    heal.heal_all(room.desk)

    assert hold.subject == "delays@production"
    assert "asks" not in report.status(room.desk)
    assert (room.audited().count("auto.demoted"), room.audited().count("auto.armed")) == (1, 1)


def test_only_who_may_approve_it_may_arm_it(room):
    comes_back(room)
    with pytest.raises(NotAllowed, match="Only on-call may arm it; your roles: viewer"):
        heal.arm(room.desk, "delays", by=room.person("cy"))

    assert "asks" in report.status(room.desk)


def test_what_is_armed_or_unknown_cannot_be_armed(room):
    with pytest.raises(Conflict, match="not disarmed on delays@production"):
        heal.arm(room.desk, "delays", by=room.person("ana"))
    room.lays(policies={})
    with pytest.raises(Conflict, match="No policy lets the bot act by itself on delays@production, so there is nothing to arm"):
        heal.arm(room.desk, "delays", by=room.person("ana"))
    with pytest.raises(NotFound, match="There is no model 'nobody'"):
        heal.arm(room.desk, "nobody", by=room.person("ana"))


def test_of_two_replicas_that_see_it_come_back_one_says_so(room):
    heal.heal_all(room.desk)
    mends(room)
    loses_again(room)
    room.store.lost = {"hold": False}
    heal.heal_all(room.desk)

    assert "auto.demoted" not in room.audited()


def test_the_budgets_say_what_is_used_and_where_it_asks(room):
    comes_back(room)
    (row,) = heal.budgets(room.desk)

    assert (row["model"], row["playbooks"], row["used"], row["per_day"]) == ("delays@production", ["rollback"], 1, 2)
    assert row["asks"].endswith("as #2")
    room.lays(policies={"rollback": replace(AUTO, auto_per_day=0)})
    assert heal.budgets(room.desk) == []


def test_an_incident_that_is_resolved_meanwhile_is_left_alone(room):
    heal.heal_all(room.desk)
    mends(room)

    assert room.incident().state is State.RESOLVED
    assert heal.heal_all(room.desk) == 0
