"""What people see: numbers as people write them, and buttons that fit the state."""

from dataclasses import replace

import pytest

from bot.core.approvals import Standing
from bot.core.incidents import State
from bot.core.runs import RunState
from bot.flow import announce, cards
from tests.fakes.nouns import a_finding, a_plan, a_proposal, a_run, an_incident

TWO = a_plan(changes=tuple(replace(a_plan().changes[0], step=step) for step in ("half", "all")))


def test_a_finding_without_an_interval_shows_none():
    row, other = announce.finding_data(a_finding()), announce.finding_data(a_finding(interval=(0.1, 0.4)))

    assert (row["interval"], row["interval_text"]) == (None, "")
    assert (other["interval"], other["interval_text"]) == ([0.1, 0.4], "[0.1, 0.4]")


@pytest.mark.parametrize(
    ("state", "handed_to", "remedies", "actions"),
    [
        (State.OPEN, "", False, ["acknowledge", "propose", "details", "resolve"]),
        (State.OPEN, "weather", False, ["acknowledge", "details", "resolve"]),
        (State.OPEN, "weather", True, ["acknowledge", "propose", "details", "resolve"]),
        (State.ACKNOWLEDGED, "", False, ["propose", "details", "resolve"]),
        (State.ACKNOWLEDGED, "weather", False, ["details", "resolve"]),
        (State.ACKNOWLEDGED, "weather", True, ["propose", "details", "resolve"]),
        (State.MITIGATING, "", True, ["details"]),
        (State.VERIFYING, "", True, ["details"]),
        (State.RESOLVED, "", True, []),
    ],
)
def test_the_buttons_fit_the_state_and_carry_the_number_only(state, handed_to, remedies, actions):
    shown = announce.buttons(an_incident(id=7, state=state, handed_to=handed_to), remedies=remedies)

    assert [button["action"] for button in shown] == actions
    assert {button["value"] for button in shown} <= {"7"}


@pytest.mark.parametrize(
    ("incident", "step"),
    [
        ({"state": State.RESOLVED}, ""),
        ({"state": State.MITIGATING}, "An approved plan is being carried out; every step is read back and measured."),
        (
            {"state": State.VERIFYING},
            "The same checks are run again on fresh data; they close this incident or hand it back.",
        ),
        ({"evidence": {"suggestion": "Roll back to v2."}}, "Roll back to v2."),
        ({"evidence": {}}, "Comparing the other versions on the very same rows; a suggestion follows in the thread."),
        ({"handed_to": "weather", "evidence": {"why_none": "The feed must come back."}}, "The feed must come back."),
        (
            {"handed_to": "weather", "evidence": {}},
            "Handed to weather: no playbook mends broken data. It closes by itself when the data is back.",
        ),
    ],
)
def test_the_next_step_is_always_said(incident, step):
    assert announce.next_step(an_incident(**incident)) == step


def test_an_incident_of_a_model_that_is_no_longer_configured_is_still_shown(room):
    with room.store.write() as unit:
        announce.show(room.desk, unit, an_incident(id=4, model="gone", team="weather"))

    assert (room.shown("incident:4")["owner"], room.shown("incident:4")["team_mention"]) == ("weather", "<!subteam^weather>")


def test_a_proposal_of_a_playbook_that_is_gone_is_named_as_it_was(room):
    with room.store.read() as unit:
        data = cards.proposal_data(replace(room.desk, playbooks={}), unit, a_proposal())

    assert (data["title"], data["standing"], len(data["buttons"])) == ("rollback", "waiting", 2)


@pytest.mark.parametrize("standing", [s for s in Standing if s is not Standing.WAITING])
def test_a_decided_proposal_has_no_button(room, standing):
    with room.store.read() as unit:
        data = cards.proposal_data(room.desk, unit, a_proposal(standing=standing))

    assert data["buttons"] == []


@pytest.mark.parametrize(
    ("check", "words"),
    [
        ("performance", "performance healthy on at least 300 fresh labelled rows, within 1 h of data"),
        ("latency", "latency healthy on at least 300 fresh rows, within 1 h of data"),
    ],
)
def test_a_card_says_what_must_be_seen_before_the_incident_closes(room, check, words):
    asked = a_proposal()
    asked = replace(asked, plan=replace(asked.plan, verification=replace(asked.plan.verification, checks=(check,))))

    assert cards.verification_words(room.desk, asked) == words


@pytest.mark.parametrize(
    ("state", "done", "steps"),
    [
        (RunState.QUEUED, (), ["doing", "waiting"]),
        (RunState.RUNNING, ("half\tmeasured",), ["done", "doing"]),
        (RunState.VERIFYING, ("half\tm", "all\tm"), ["done", "done"]),
        (RunState.FAILED, ("half\tm",), ["done", "failed"]),
        (RunState.FAILED, (), ["failed", "waiting"]),
        (RunState.COMPENSATED, ("half\tm",), ["undone", "failed"]),
        (RunState.COMPENSATED, (), ["failed", "waiting"]),
        (RunState.COMPENSATED, ("half\tm", "all\tm"), ["undone", "undone"]),
        (RunState.HANDED_OVER, ("half\tm", "all\tm"), ["done", "done"]),
    ],
)
def test_a_run_shows_how_far_each_step_came(room, state, done, steps):
    with room.store.write() as unit:
        cards.progress(unit, a_run(plan=TWO, state=state, progress=done))

    assert [step["state"] for step in room.shown("run:p1")["steps"]] == steps


def test_a_step_before_which_the_run_was_aborted_has_not_failed(room):
    with room.store.write() as unit:
        cards.progress(unit, a_run(plan=TWO, state=RunState.COMPENSATED, progress=("half\tm",), abort_by="U0ANA"))

    assert [step["state"] for step in room.shown("run:p1")["steps"]] == ["undone", "waiting"]
