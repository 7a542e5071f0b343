"""The story in memory, as a chat would tell it; every verb is met on the way."""

import pytest

from bot.core.errors import NotAllowed
from bot.core.findings import Verdict
from bot.core.incidents import State
from bot.core.runs import RunState
from bot.flow import decide, report, resolve


def test_two_people_roll_a_losing_model_back_and_fresh_data_close_the_incident(room):
    room.losing()
    card = room.shown("incident:1")
    assert (card["state"], card["severity"]) == ("open", "SEV1")
    assert "Roll back to v2" in card["next_step"]

    proposal = room.proposed(by="ana")
    with pytest.raises(NotAllowed, match="You proposed this; someone else has to approve it"):
        decide.approve(room.desk, proposal.id, by=room.person("ana"))
    decide.approve(room.desk, proposal.id, by=room.person("bo"))
    assert [e.number for e in room.store.enqueued] == [proposal.id]

    room.log.gap = 0.02
    ended = room.runs(proposal.id)

    assert ended["verdict"] == "healthy"
    assert room.splitter.split("delays") == {"v1": 0.0, "v2": 1.0, "v3": 0.0}
    assert room.incident().state is State.RESOLVED
    assert room.shown("incident:1")["buttons"] == []
    assert report.report(room.desk)["mttr"]["words"] == "median 30 s over 1 resolved"


def test_one_bad_window_is_no_incident(room):
    room.log.gap = 0.15
    room.looks(1)

    assert room.incidents() == []


def test_forty_bad_windows_are_one_incident(room):
    room.log.gap = 0.15
    room.looks(40)

    assert len(room.incidents()) == 1
    assert sum(row.entry.action == "incident.opened" for row in room.store.audit_log) == 1


def test_huge_drift_of_a_model_that_does_well_is_a_digest_line_and_wakes_nobody(room):
    room.log.drift = 9.4
    room.looks(20)

    assert room.incidents() == []
    with room.store.read() as unit:
        notes = unit.notes(room.clock.at.replace(year=2000))
    assert [n.text for n in notes] == [
        "temp (PSI 9.4) moved, but labels say that delays does well (calibration gap 0 points on 10,000 labelled rows): not paging."
    ]


def test_huge_drift_that_nobody_can_judge_opens_a_small_incident(room):
    room.log.drift, room.log.labelled = 9.4, 0
    room.looks(2)

    assert (room.incident().family.value, room.incident().severity.value) == ("drift", "SEV3")


def test_a_lost_feed_goes_to_the_team_that_feeds_it_and_no_playbook_is_offered(room):
    room.log.missing = 1.0
    room.looks(2)
    card = room.shown("incident:1")

    assert (room.incident().team, room.incident().severity.value) == ("weather", "SEV2")
    assert room.store.notices["incident:1"].channel == "#weather"
    assert "neither rollback nor retraining would mend it" in card["next_step"]
    assert "propose" not in [b["action"] for b in card["buttons"]]


def test_broken_data_explains_a_loss_so_only_one_incident_opens(room):
    room.log.missing, room.log.gap = 1.0, 0.15
    room.looks(3)

    assert [i.family.value for i in room.incidents()] == ["data_quality"]


def test_a_log_that_cannot_be_read_is_unknown_and_after_two_looks_an_incident(room):
    room.log.down = "The log at /var/log is not there; mount it."
    room.looks(1)
    status = report.status(room.desk)["models"][0]
    assert (status["verdict"], room.incidents()) == ("unknown", [])
    room.looks(1)

    assert room.incident().severity.value == "SEV3"
    room.log.down = ""
    room.looks(2)
    assert room.incident().state is State.RESOLVED


def test_a_model_without_labels_is_never_called_healthy(room):
    room.log.labelled = 12
    room.looks(1)
    status = report.status(room.desk)["models"][0]

    assert (status["verdict"], status["reason"]) == (Verdict.UNKNOWN, "12 of 100 labels")


def test_a_trouble_that_goes_away_by_itself_closes_by_itself(room):
    room.losing()
    room.log.gap = 0.0
    room.looks(2)

    assert room.incident().state is State.RESOLVED
    assert "without any action" in room.incident().cause


def test_verification_on_fresh_data_that_is_still_bad_puts_everything_back(room):
    room.losing()
    proposal = room.approved()
    room.log.gap = 0.2

    ended = room.runs(proposal.id)

    assert ended["state"] == RunState.COMPENSATED
    assert room.splitter.split("delays")["v3"] == 1.0
    assert room.incident().state is State.ACKNOWLEDGED


def test_fresh_data_that_stay_too_few_hand_the_incident_to_people_and_leave_the_split(room):
    room.losing()
    proposal = room.approved()
    room.log.labelled = 10

    ended = room.runs(proposal.id)

    assert ended["state"] == RunState.HANDED_OVER
    assert room.splitter.split("delays")["v2"] == 1.0
    assert "could not confirm" in room.shown(f"run:{proposal.id}")["outcome"]


def test_an_abort_between_two_steps_goes_back(room):
    room.losing()
    proposal = room.approved()
    room.splitter.on_effect = lambda: decide.abort(room.desk, proposal.id, by=room.person("ana"))
    waits = room.desk.actions["set_traffic"].sleep

    def asked_to_stop(seconds):
        decide.abort(room.desk, proposal.id, by=room.person("ana"))
        waits(seconds)

    object.__setattr__(room.desk.actions["set_traffic"], "sleep", asked_to_stop)
    ended = room.runs(proposal.id)

    assert ended["state"] == RunState.COMPENSATED
    assert room.splitter.split("delays")["v3"] == 1.0


def test_a_resolve_by_hand_needs_a_cause_and_supersedes_what_waits(room):
    room.losing()
    proposal = room.proposed()
    with pytest.raises(NotAllowed, match="Say the cause"):
        resolve.resolve(room.desk, 1, by=room.person("ana"), cause=" ")
    resolve.resolve(room.desk, 1, by=room.person("ana"), cause="a holiday")

    with pytest.raises(NotAllowed, match="superseded: incident #1 is resolved"):
        decide.approve(room.desk, proposal.id, by=room.person("bo"))
