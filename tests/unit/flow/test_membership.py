"""Who may approve: by role, by name, by user group; where Slack cannot say who is in a group, nobody is let through by it."""

from dataclasses import replace

import pytest

from bot.core.approvals import Policy, Standing, Who
from bot.core.errors import NotAllowed
from bot.core.rules import Rule
from bot.flow import brake, decide, propose, report
from bot.flow.membership import known
from tests.unit.flow.room import ROLLBACK, Room

GROUP = Policy(groups=frozenset({"S0SRE"}), people=frozenset({"U0DEE"}))
AWAY = "Slack cannot say who is in the user group S0SRE (unreachable), so nobody is let through by it."


@pytest.fixture
def room():
    """A room in which the group S0SRE may approve; `asked` are the questions to Slack."""
    room = Room(policy=GROUP)
    room.asked = []
    room.members = frozenset({"U0CY"})

    def groups(group):
        room.asked.append(group)
        if room.members is None:
            raise NotAllowed(AWAY)
        return room.members

    room.lays(groups=groups)
    room.losing()
    return room


def test_a_member_of_the_group_may_approve_and_nobody_else(room):
    number = room.proposed(by="ana").id
    with pytest.raises(NotAllowed, match=r"Only <@U0DEE> or group S0SRE may decide this; your roles: on-call"):
        decide.approve(room.desk, number, by=room.person("bo"))

    assert decide.approve(room.desk, number, by=room.person("cy")).standing is Standing.APPROVED


def test_somebody_who_is_named_may_approve_without_asking_slack(room):
    decide.approve(room.desk, room.proposed(by="ana").id, by=room.person("dee"))

    assert room.asked == []


def test_while_slack_cannot_say_a_member_is_refused_with_the_reason_and_that_is_audited(room):
    number = room.proposed(by="ana").id
    room.members = None
    with pytest.raises(NotAllowed, match=r"\(unreachable\), so nobody is let through"):
        decide.approve(room.desk, number, by=room.person("cy"))

    assert room.store.audit_log[-1].entry.payload == {"reason": AWAY}
    assert room.proposal(number).standing is Standing.WAITING


def test_of_two_groups_the_one_that_answers_counts(room):
    def groups(group):
        if group == "S0A":
            raise NotAllowed(AWAY)
        return frozenset({"U0CY"})

    room.lays(groups=groups)
    who = known(room.desk, room.person("cy"), Who(groups=frozenset({"S0A", "S0B"})))

    assert (who.groups, who.unsure) == (frozenset({"S0B"}), AWAY)


def test_a_member_may_reject_abort_and_pull_the_brake(room):
    decide.reject(room.desk, room.proposed().id, by=room.person("cy"), reason="not now")
    number = decide.approve(room.desk, room.proposed().id, by=room.person("dee")).id
    brake.pause(room.desk, by=room.person("cy"))

    assert decide.abort(room.desk, number, by=room.person("cy")).abort_by == "U0CY"
    with pytest.raises(NotAllowed, match=r"Only <@U0DEE> or group S0SRE may pause and resume"):
        brake.resume(room.desk, by=room.person("bo"))


def test_home_shows_what_waits_for_a_member(room):
    number = room.proposed(by="ana").id

    assert [p["number"] for p in report.home(room.desk, room.person("cy"))["waiting_for_me"]] == [number]
    assert report.home(room.desk, room.person("bo"))["waiting_for_me"] == []


def test_the_card_names_and_mentions_everybody_who_may(room):
    number = room.proposed(by="ana").id

    assert room.shown(f"proposal:{number}")["approvers"] == ["<@U0DEE>", "group S0SRE"]
    assert room.store.notices[f"proposal:{number}"].mention == "<@U0DEE> <!subteam^S0SRE>"


def test_a_shell_without_slack_lets_no_group_through():
    room = Room(policy=GROUP)

    assert known(room.desk, room.person("cy"), GROUP.who).unsure.startswith("Only a running bot can ask Slack")


def test_a_rule_decides_by_the_model_that_the_incident_is_about():
    room = Room()
    strict = Rule(replace(room.policy, quorum=2), tiers=frozenset({"standard"}))
    room.lays(policies={}, rules=(strict, Rule(room.policy)))
    room.losing()

    assert room.proposed().policy.quorum == 2
    assert [words for words, _ in room.desk.every_policy] == ["every playbook; tier standard", "every playbook"]


def test_where_no_rule_fits_nothing_is_offered_and_it_is_said_for_what():
    room = Room()
    room.lays(policies={}, rules=(Rule(room.policy, tiers=frozenset({"low"})),))
    room.losing()

    assert propose.options(room.desk, 1)["playbooks"] == []
    with pytest.raises(NotAllowed, match=f"Nobody may approve '{ROLLBACK.name}' on delays in production"):
        room.proposed()


def test_what_slack_should_ask_before_an_approval_stands_on_the_card():
    room = Room(policy=Policy(frozenset({"on-call"}), confirm="Have you told the pricing team?"))
    room.losing()

    assert room.shown(f"proposal:{room.proposed().id}")["confirm"] == "Have you told the pricing team?"
