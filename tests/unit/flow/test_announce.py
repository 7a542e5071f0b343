"""What people see: numbers as people write them, and buttons that fit the state."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.approvals import Standing
from bot.core.incidents import State
from bot.core.runs import RunState
from bot.flow import announce
from tests.fakes.nouns import a_finding, a_plan, a_proposal, a_run, an_incident

TWO = a_plan(changes=tuple(replace(a_plan().changes[0], step=step) for step in ("half", "all")))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (float("nan"), "NaN"),
        (0.0, "0"),
        (0.0004, "0"),
        (-0.0004, "0"),
        (0.0005, "0.0005"),
        (0.08321, "0.0832"),
        (-0.08321, "−0.0832"),
        (4.2149, "4.21"),
        (999.4, "999"),
        (999.6, "1,000"),
        (12_340.4, "12,340"),
        (-12_340.4, "−12,340"),
    ],
)
def test_a_number_has_three_digits_and_large_ones_are_in_full(value, text):
    assert announce.number(value) == text


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(0), "0 s"),
        (timedelta(seconds=59.6), "1 min"),
        (timedelta(minutes=2, seconds=10), "2 min 10 s"),
        (timedelta(hours=3, minutes=5, seconds=9), "3 h 5 min"),
        (timedelta(days=2, hours=4, minutes=59), "2 d 4 h"),
        (timedelta(days=400), "400 d"),
    ],
)
def test_a_length_of_time_is_said_in_its_two_largest_parts(length, text):
    assert announce.duration(length) == text


@pytest.mark.parametrize(
    ("names", "text"), [([], ""), (["a", "b", "c"], "a, b, c"), (["a", "b", "c", "d", "e"], "a, b, c and 2 more")]
)
def test_many_names_are_a_few_and_a_count(names, text):
    assert announce.some(names) == text


@pytest.mark.parametrize(("name", "text"), [("roc_auc", "ROC AUC"), ("share_of_late", "share of late")])
def test_a_metric_is_named_as_people_write_it(name, text):
    assert announce.metric(name) == text


def test_a_finding_without_an_interval_shows_none():
    row, other = announce.finding_data(a_finding()), announce.finding_data(a_finding(interval=(0.1, 0.4)))

    assert (row["interval"], row["interval_text"]) == (None, "")
    assert (other["interval"], other["interval_text"]) == ([0.1, 0.4], "[0.1, 0.4]")


@pytest.mark.parametrize(
    ("state", "handed_to", "actions"),
    [
        (State.OPEN, "", ["acknowledge", "propose", "details", "resolve"]),
        (State.OPEN, "weather", ["acknowledge", "details", "resolve"]),
        (State.ACKNOWLEDGED, "", ["propose", "details", "resolve"]),
        (State.ACKNOWLEDGED, "weather", ["details", "resolve"]),
        (State.MITIGATING, "", ["details"]),
        (State.VERIFYING, "", ["details"]),
        (State.RESOLVED, "", []),
    ],
)
def test_the_buttons_fit_the_state_and_carry_the_number_only(state, handed_to, actions):
    shown = announce.buttons(an_incident(id=7, state=state, handed_to=handed_to))

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
        data = announce.proposal_data(replace(room.desk, playbooks={}), unit, a_proposal())

    assert (data["title"], data["standing"], len(data["buttons"])) == ("rollback", "waiting", 2)


@pytest.mark.parametrize("standing", [s for s in Standing if s is not Standing.WAITING])
def test_a_decided_proposal_has_no_button(room, standing):
    with room.store.read() as unit:
        data = announce.proposal_data(room.desk, unit, a_proposal(standing=standing))

    assert data["buttons"] == []


def test_a_card_says_what_must_be_seen_before_the_incident_closes():
    assert announce.verification_words(a_proposal()) == "loss healthy on at least 300 fresh labelled rows, within 1 h of data"


@pytest.mark.parametrize(
    ("state", "done", "steps"),
    [
        (RunState.QUEUED, (), ["doing", "waiting"]),
        (RunState.RUNNING, ("half\tmeasured",), ["done", "doing"]),
        (RunState.VERIFYING, ("half\tm", "all\tm"), ["done", "done"]),
        (RunState.FAILED, ("half\tm",), ["done", "failed"]),
        (RunState.FAILED, (), ["failed", "waiting"]),
        (RunState.COMPENSATED, ("half\tm",), ["undone", "waiting"]),
        (RunState.HANDED_OVER, ("half\tm", "all\tm"), ["done", "done"]),
    ],
)
def test_a_run_shows_how_far_each_step_came(room, state, done, steps):
    with room.store.write() as unit:
        announce.progress(unit, a_run(plan=TWO, state=state, progress=done))

    assert [step["state"] for step in room.shown("run:p1")["steps"]] == steps


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("calibration_gap", 0.1034, "10.3 points"),
        ("calibration_gap", -0.00004, "0 points"),
        ("calibration_gap", -0.05, "−5 points"),
        ("calibration_gap", None, "–"),
        ("missing", 0.786, "78.6 %"),
        ("errors", 1.0, "100 %"),
        ("missing", float("nan"), "NaN"),
        ("psi", 9.29, "9.29"),
    ],
)
def test_a_share_is_told_in_percent_and_a_difference_of_shares_in_points(name, value, words):
    assert announce.amount(name, value) == words


@pytest.mark.parametrize(
    ("name", "low", "high", "words"),
    [
        ("calibration_gap", 0.0501, 0.15, "[5, 15]"),
        ("psi", 0.2, 0.31, "[0.2, 0.31]"),
        ("missing", None, 0.5, "[–, 0.5]"),
        ("missing", 0.5, None, "[0.5, –]"),
    ],
)
def test_an_interval_is_told_in_the_unit_of_its_value(name, low, high, words):
    assert announce.between(name, low, high) == words


@pytest.mark.parametrize(("name", "unit", "left"), [("errors", "share", ""), ("latency", "ms", "ms")])
def test_a_unit_is_written_once(name, unit, left):
    assert announce.unit_after(name, unit) == left
