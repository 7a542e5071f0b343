"""People click and type in the simulator; the real Bolt takes it to the real verbs."""

import re
from dataclasses import replace

import pytest

from bot.core.approvals import Policy, Who
from bot.slack.surface import OLD_BUTTON
from tests.fakes.journal import Killed
from tests.unit.flow.room import ROLLBACK


@pytest.fixture
def opened(chat):
    """An open incident, with its card in front of everybody."""
    chat.room.losing()
    chat.ana.sees("delays is losing", within=10)
    chat.ana.sees("chart-", within=10)
    return chat


@pytest.fixture
def proposed(opened):
    """Ana has proposed a rollback to v2 through the form."""
    opened.ana.clicks("Propose a remedy…")
    opened.ana.sees("Suggested: Roll back to v2")
    assert opened.ana.submits() == {}
    opened.bo.sees("Approval needed: Roll back", within=10)
    return opened


@pytest.mark.parametrize(
    ("typed", "seen"),
    [
        ("status", "of 1 healthy"),
        ("incidents", "*Incidents*"),
        ("report", "Status report"),
        ("audit", "incident.opened"),
        ("whoami", "You may approve"),
    ],
)
def test_a_command_is_answered_to_the_person_who_asked_and_to_nobody_else(opened, typed, seen):
    assert opened.ana.says(f"/aiops {typed}", channel="ml-platform") is None
    opened.ana.sees(seen)

    assert "(only you)" in opened.ana.screen()
    assert "(only you)" not in opened.cy.screen()


def test_what_was_not_understood_brings_help_and_the_nearest_command(chat):
    chat.ana.says("/aiops statsu", channel="ml-platform")

    chat.ana.sees("There is no /aiops statsu. Is it 'status'?")


def test_an_error_is_one_sentence(chat):
    chat.ana.says("/aiops incident 77", channel="ml-platform")

    chat.ana.sees("77")


def test_an_acknowledged_incident_says_by_whom_and_loses_the_button(opened):
    opened.ana.clicks("Acknowledge")
    opened.bo.sees("*Acknowledged* by <@U0ANA>")
    opened.bo.sees("by <@U0ANA>")

    assert opened.room.incident().acknowledged_by == "U0ANA"


def test_the_proposer_is_refused_and_only_they_read_why(proposed):
    proposed.ana.clicks("Approve")
    proposed.ana.sees("You proposed this; someone else has to approve it.")
    proposed.bo.does_not_see("You proposed this")

    assert proposed.enqueued == []


def test_a_viewer_is_refused_and_the_refusal_is_audited(proposed):
    proposed.cy.clicks("Approve")
    proposed.cy.sees("Only on-call may decide this; your roles: viewer.")

    assert "vote.refused" in proposed.audited()


def test_the_second_person_starts_the_run_and_the_buttons_vanish(proposed):
    assert proposed.bo.clicks("Approve") is None
    proposed.bo.sees("*Approved* by <@U0BO>", within=10)

    assert len(proposed.enqueued) == 1
    assert "[Approve]" not in proposed.ana.screen()


def test_a_double_click_starts_one_run_and_no_click_is_swallowed(proposed):
    path, place, button = proposed.bo._button("Approve", None, None)
    twice = [proposed.bo._post(path, {**place, "action_id": button["action_id"]}) for _ in range(2)]
    proposed.bo.sees("This proposal is approved already")

    assert [answer["ok"] for answer in twice] == [True, True]
    assert len(proposed.enqueued) == 1


@pytest.fixture
def at_its_gate(chat):
    """Ana's rollback, approved by Bo, has taken its first step and waits for a person before the second one."""
    first, last = ROLLBACK.steps
    gated = replace(ROLLBACK, steps=(first, replace(last, gate="Look at v2's errors.", gate_s=3_600.0)))
    chat.room.lays(playbooks={"rollback": gated})
    chat.room.losing()
    chat.run = chat.room.approved().id
    chat.journal = chat.room.journal(chat.run, kill_before="sleep")
    with pytest.raises(Killed):
        chat.room.runs(chat.run, chat.journal)
    chat.bo.sees("waits for a person", within=10)
    return chat


def test_people_who_may_not_continue_a_run_are_told_and_it_waits_on(at_its_gate):
    at_its_gate.cy.clicks("Continue")
    at_its_gate.cy.sees("Only on-call may continue this run; your roles: viewer.")
    at_its_gate.ana.clicks("Continue")
    at_its_gate.ana.sees("You proposed this; someone else has to look and continue it.")

    assert at_its_gate.room.run(at_its_gate.run).waits


def test_a_double_click_continues_a_run_once_and_the_button_vanishes(at_its_gate):
    path, place, button = at_its_gate.bo._button("Continue", None, None)
    twice = [at_its_gate.bo._post(path, {**place, "action_id": button["action_id"]}) for _ in range(2)]
    at_its_gate.cy.sees("Continued by <@U0BO>; it goes on in a moment.", within=10)
    at_its_gate.room.log.gap = 0.02
    ended = at_its_gate.room.runs(at_its_gate.run, at_its_gate.journal.restarted())

    assert [answer["ok"] for answer in twice] == [True, True]
    assert "[Continue]" not in at_its_gate.cy.screen()
    assert at_its_gate.audited().count("gate.continued") == 1
    assert ended["state"] == "succeeded"


def test_saying_no_in_the_confirm_dialog_decides_nothing(proposed):
    proposed.bo.clicks("Approve", confirming=False)

    assert "vote.approved" not in proposed.audited()


def test_a_rejection_asks_why_and_the_card_tells_it(proposed):
    proposed.bo.clicks("Reject…")
    proposed.bo.fills("text", "wait for <!channel> labels")
    assert proposed.bo.submits() == {}
    proposed.ana.sees("*Rejected* by <@U0BO>", within=10)

    assert proposed.ana.sees("wait for &lt;!channel&gt; labels")


def test_a_refused_rejection_keeps_the_form_and_says_why(proposed):
    proposed.cy.clicks("Reject…")
    proposed.cy.fills("text", "no")

    assert proposed.cy.submits() == {"reason": "Only on-call may decide this; your roles: viewer."}


def test_resolving_by_hand_asks_for_the_cause(opened):
    opened.ana.clicks("Resolve…")
    opened.ana.fills("text", "the feed was late")
    assert opened.ana.submits() == {}
    opened.bo.sees("the feed was late", within=10)

    assert not opened.room.incident().open


def test_details_open_for_the_person_who_asked(opened):
    opened.bo.clicks("Details")

    opened.bo.sees("What was found")


def test_home_shows_what_waits_for_this_person_and_takes_their_vote(proposed):
    proposed.ana.opens_home()
    proposed.ana.sees("Models in production")
    proposed.ana.does_not_see("Waiting for you")
    proposed.bo.opens_home()
    proposed.bo.sees("Waiting for you")
    view = proposed.bo._views()[0][1]
    block = next(b for b in view["blocks"] if b["type"] == "actions" and b["elements"][0]["action_id"] == "approve")
    proposed.bo._post("/ui/view/click", {"view_id": view["id"], "block_id": block["block_id"], "action_id": "approve"})

    proposed.bo.sees("*Approved* by <@U0BO>", within=10)


def test_a_button_of_another_age_says_so(chat):
    old = {"type": "button", "action_id": "retired", "text": {"type": "plain_text", "text": "Old"}, "value": "1"}
    chat.surface.client.chat_postMessage(channel="C0000000OPS", text="old", blocks=[{"type": "actions", "elements": [old]}])
    chat.ana.clicks("Old")

    chat.ana.sees(OLD_BUTTON)


@pytest.mark.parametrize("value", ["", "99", "1; drop table", "-1"])
def test_a_forged_value_is_answered_with_a_sentence(chat, value):
    forged = {"type": "button", "action_id": "acknowledge", "text": {"type": "plain_text", "text": "Forged"}, "value": value or " "}
    chat.surface.client.chat_postMessage(channel="C0000000OPS", text="x", blocks=[{"type": "actions", "elements": [forged]}])
    assert chat.ana.clicks("Forged") is None

    chat.ana.sees(":warning:")


def test_a_fault_of_ours_is_told_with_an_id_that_finds_the_log_line(opened, caplog):
    object.__setattr__(opened.room.desk, "store", None)
    opened.ana.clicks("Acknowledge")
    seen = opened.ana.sees("it is the bot's fault")

    assert re.search(r"Lookup id `([0-9a-f]{8})`", seen)[1] in caplog.text


def test_the_same_delivery_twice_is_answered_once(chat):
    chat.slack.fault("duplicate_delivery")
    chat.ana.says("/aiops whoami", channel="ml-platform")
    chat.ana.sees("roles:")

    assert chat.ana.screen().count("roles:") == 1


def test_a_mention_is_answered_with_how_to_ask(chat):
    chat.ana.says("@aiops hello", channel="ml-platform")

    chat.ana.sees("/aiops status")


def test_a_paused_bot_says_so_on_its_cards_in_its_answers_and_to_who_approves(proposed):
    proposed.ana.says("/aiops pause the edge is moved", channel="ml-platform")
    proposed.bo.sees("*Paused* by <@U0ANA>", within=10)
    proposed.bo.clicks("Approve")
    proposed.bo.sees("Your approval is kept, but nothing starts: the bot is paused by <@U0ANA>")
    assert proposed.enqueued == []
    proposed.bo.says("/aiops resume", channel="ml-platform")
    proposed.ana.sees("Resumed: runs go on where they were", within=10)
    assert any(proposed.bo.clicks("Approve") is None for _ in range(50))  # the card may be changing under the first press
    proposed.bo.sees("*Approved* by <@U0BO>", within=10)

    assert len(proposed.enqueued) == 1


def test_a_viewer_cannot_pause_and_reads_who_may(chat):
    chat.cy.says("/aiops pause", channel="ml-platform")

    chat.cy.sees("Only on-call may pause and resume; your roles: viewer.")


def test_who_pauses_a_paused_bot_is_told_who_was_first(chat):
    chat.ana.says("/aiops pause the edge is moved", channel="ml-platform")
    chat.bo.says("/aiops pause", channel="ml-platform")

    chat.bo.sees("It is paused already, by <@U0ANA> since")


def test_a_member_of_a_user_group_may_approve_and_is_asked_what_the_policy_says(opened):
    policy = Policy(groups=frozenset({"S0SRE"}), confirm="Is the pricing team told?")
    opened.room.lays(policies={"rollback": policy})
    opened.surface.desk = opened.room.desk
    opened.room.proposed(by="ana")
    opened.bo.sees("Is the pricing team told?", within=10)
    opened.bo.clicks("Approve")
    opened.bo.sees("Only group S0SRE may decide this; your roles: on-call.")
    opened.cy.clicks("Approve")
    opened.cy.sees("*Approved* by <@U0CY>", within=10)

    assert len(opened.enqueued) == 1


def test_broken_glass_is_loud_on_the_card_and_its_review_is_written_with_a_button(opened):
    policy = Policy(frozenset({"on-call"}), quorum=2, break_glass=Who(people=frozenset({"U0ANA"})))
    opened.room.lays(policies={"rollback": policy})
    opened.room.proposed(by="ana")
    opened.bo.sees("Break glass…", within=10)
    opened.bo.clicks("Break glass…")
    opened.bo.fills("text", "I want to")
    assert opened.bo.submits() == {"reason": "Only @U0ANA may break the glass here; your roles: on-call."}
    opened.bo.closes()
    opened.ana.clicks("Break glass…")
    opened.ana.fills("text", "nobody answers")
    assert opened.ana.submits() == {}
    opened.bo.sees("*BREAK-GLASS* by <@U0ANA> alone; *somebody else has to review it*", within=10)
    assert len(opened.enqueued) == 1

    opened.bo.says("/aiops status", channel="ml-platform")
    opened.bo.sees("*A break-glass review is owed*: <@U0ANA> approved")
    opened.bo.clicks("Write the review…")
    opened.bo.fills("text", "It was right.")
    assert opened.bo.submits() == {}
    opened.ana.sees("reviewed by <@U0BO>: It was right.", within=10)


@pytest.fixture
def commanded(chat):
    """The rollback has a slash command of its own, which Slack knows, and one that its file has lost since."""
    chat.room.desk.playbooks["rollback"] = replace(ROLLBACK, command="/back")
    chat.room.losing()
    chat.ana.sees("delays is losing", within=10)
    return chat


@pytest.mark.parametrize("typed", ["/back", "/back delays", "/back #1"])
def test_a_playbooks_own_command_opens_its_form_on_the_open_incident(commanded, typed):
    assert commanded.ana.says(typed, channel="weather") is None
    commanded.ana.sees("For incident #1: delays is losing")
    assert commanded.ana.submits() == {}
    commanded.bo.sees("Approval needed: Roll back", within=10)

    assert commanded.room.incident().open


def test_a_command_that_means_no_one_incident_is_answered_to_the_person_alone(commanded):
    commanded.ana.says("/back nothing", channel="ml-platform")
    commanded.ana.sees("There is no model 'nothing' here.")

    commanded.cy.does_not_see("There is no model")


def test_a_command_whose_playbook_a_deploy_took_away_says_so(commanded):
    commanded.room.desk.playbooks["rollback"] = ROLLBACK
    commanded.ana.says("/back", channel="ml-platform")

    commanded.ana.sees("No playbook answers to /back here any more; /aiops help lists the commands that there are.")


def test_a_form_that_cannot_be_filled_says_why(commanded):
    commanded.room.desk.playbooks["rollback"] = replace(ROLLBACK, command="/back", families=frozenset())
    commanded.ana.says("/back", channel="ml-platform")

    commanded.ana.sees("'rollback' does not mend")


def test_help_lists_the_playbooks_own_commands(commanded):
    commanded.ana.says("/aiops help", channel="ml-platform")

    commanded.ana.sees("`/back [MODEL or #INCIDENT]`   Roll back")
