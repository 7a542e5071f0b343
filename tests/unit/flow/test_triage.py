"""What opens an incident, who gets it, how bad it is, and what stays a line in the digest."""

from dataclasses import replace

import pytest

from bot.core.checks import Family, Measurement
from bot.core.findings import Verdict
from bot.core.incidents import Severity, State
from bot.core.models import Feature
from bot.flow import triage
from bot.flow.watch import look
from tests.fakes.nouns import a_finding
from tests.unit.flow.room import DELAYS, Room

HOSTILE = "<!channel> *|*<https://evil.example|click>\n`rm -rf`"


def missing_columns(room, shares):
    """Let the log lose these columns; the dict may change from look to look."""
    room.measures("missing", lambda _r, c: iter([Measurement(s, share, c.rows, reference=0.0) for s, share in shares.items()]))


def slow(room, p95):
    room.measures("latency", lambda _r, c: iter([Measurement("p95", p95, c.rows, reference=20.0)]))


def test_slow_answers_are_an_operations_incident_with_the_number_in_its_title(room):
    slow(room, 1_234.0)
    room.looks(2)

    assert (room.incident().title, room.incident().severity) == ("delays: latency 1,234 ms", Severity.SEV2)
    assert room.incident().team == "ml-platform"


def test_a_worse_window_raises_the_severity_once_and_says_so(room):
    lost = {"wind": 1.0}
    missing_columns(room, lost)
    room.looks(2)
    assert room.incident().severity is Severity.SEV3
    lost["temp"] = 1.0
    room.looks(4)

    assert room.incident().severity is Severity.SEV2
    assert room.thread().count("Severity rose from SEV3 to SEV2.") == 1
    assert room.audited().count("incident.severity") == 1


def test_a_better_window_does_not_talk_the_severity_down(room):
    lost = {"wind": 1.0, "temp": 1.0}
    missing_columns(room, lost)
    room.looks(2)
    lost["temp"] = 0.0
    room.looks(3)

    assert room.incident().severity is Severity.SEV2


@pytest.mark.parametrize(
    ("family", "finding", "standard", "critical"),
    [
        (Family.PERFORMANCE, {"subject": "calibration_gap"}, "SEV1", "SEV1"),
        (Family.OPERATIONS, {"subject": "p95"}, "SEV2", "SEV1"),
        (Family.DATA_QUALITY, {"subject": "wind"}, "SEV3", "SEV2"),
        (Family.DATA_QUALITY, {"subject": "temp"}, "SEV2", "SEV1"),
        (Family.DATA_QUALITY, {"subject": "model"}, "SEV2", "SEV1"),
        (Family.DATA_QUALITY, {"subject": "model", "check": "source"}, "SEV3", "SEV2"),
        (Family.DRIFT, {"subject": "temp"}, "SEV3", "SEV2"),
    ],
)
def test_severity_follows_family_weight_and_tier(family, finding, standard, critical):
    found = [a_finding(family=family, **finding)]

    assert triage.severity_of(DELAYS, family, found).value == standard
    assert triage.severity_of(replace(DELAYS, tier="critical"), family, found).value == critical


def test_broken_data_go_to_the_team_that_feeds_most_of_it():
    features = [
        Feature("a", "numeric", 0.1, "weather"),
        Feature("b", "numeric", 0.1, "airports"),
        Feature("c", "numeric", 0.1, "airports"),
    ]
    model = replace(DELAYS, features=tuple(features))
    found = [a_finding(family=Family.DATA_QUALITY, subject=s) for s in "abc"]

    assert triage.team_of(model, Family.DATA_QUALITY, found) == "airports"
    assert triage.team_of(model, Family.DATA_QUALITY, found[:1]) == "weather"
    assert triage.team_of(model, Family.DATA_QUALITY, [a_finding(subject="model")]) == "ml-platform"
    assert triage.team_of(model, Family.OPERATIONS, found) == "ml-platform"


def test_when_another_replica_was_first_nothing_is_said_twice(room):
    room.store.lost = {"open_incident": None}
    room.log.gap = 0.15
    room.looks(2)

    assert "incident.opened" not in room.audited()
    assert dict(room.store.notices) == {}


def test_a_digest_line_is_written_once_even_if_the_window_is_looked_at_again(room):
    room.log.drift = 9.4
    room.looks()
    revision = dict(room.store.revisions)
    look(room.desk, room.model, room.model.watches[0], room.data.now())

    assert dict(room.store.revisions) == revision
    assert len(room.shown("digest:2026-03-03")["lines"]) == 1


@pytest.mark.parametrize(("subject", "matters"), [("temp", True), ("wind", False), ("score", True), ("unheard of", False)])
def test_a_column_matters_when_the_model_leans_on_it(subject, matters):
    assert triage.important(DELAYS, subject) is matters


def test_drift_of_a_column_that_the_model_hardly_uses_wakes_nobody(room):
    room.log.labelled = 0
    room.measures("psi", lambda _r, c: iter([Measurement("wind", 9.4, c.rows)]))
    room.looks(5)

    assert room.incidents() == []
    assert (
        room.shown("digest:2026-03-03")["lines"][0]["text"]
        == "wind (PSI 9.4) moved; not yet important and persistent enough to page."
    )


def test_a_warning_pages_nobody(room):
    room.log.gap = 0.07
    room.looks(5)

    assert room.incidents() == []


def test_an_incident_stays_open_while_its_finding_is_unknown(room):
    room.losing()
    room.log.gap, room.log.labelled = 0.0, 12
    room.looks(6)

    assert room.incident().state is State.OPEN


def test_one_good_window_is_not_yet_calm(room):
    room.losing()
    room.log.gap = 0.0
    room.looks(1)

    assert room.incident().state is State.OPEN


def test_an_incident_that_came_back_is_a_new_one(room):
    room.losing()
    room.log.gap = 0.0
    room.looks(2)
    room.log.gap = 0.15
    room.looks(2)

    assert [(i.id, i.state) for i in room.incidents()] == [(2, State.OPEN), (1, State.RESOLVED)]


def test_an_unknown_verdict_of_any_other_check_pages_nobody(room):
    finding = a_finding(family=Family.PERFORMANCE, subject="calibration_gap", verdict=Verdict.UNKNOWN)

    with room.store.read() as unit:
        assert triage.may_page(unit, DELAYS, finding) is False


def test_only_the_primary_metric_pages(room):
    primary = a_finding(family=Family.PERFORMANCE, subject="calibration_gap", verdict=Verdict.CRITICAL)

    with room.store.read() as unit:
        assert triage.may_page(unit, DELAYS, primary) is True
        assert triage.may_page(unit, DELAYS, replace(primary, subject="brier")) is False


def test_an_estimate_pages_unless_a_label_says_that_the_model_does_well(room):
    guess = a_finding(check="estimated", family=Family.PERFORMANCE, subject="roc_auc", verdict=Verdict.CRITICAL)
    healthy = a_finding(check="performance", family=Family.PERFORMANCE, subject="calibration_gap", verdict=Verdict.HEALTHY)

    with room.store.write() as unit:
        assert triage.may_page(unit, DELAYS, guess) is True
        assert triage.may_page(unit, DELAYS, replace(guess, subject="calibration_gap")) is True
        unit.record(room.data.now(), [healthy])
        assert triage.may_page(unit, DELAYS, guess) is False


def test_an_estimate_of_the_primary_metric_is_not_taken_for_the_metric_itself(room):
    guess = a_finding(check="estimated", family=Family.PERFORMANCE, subject="calibration_gap", verdict=Verdict.HEALTHY)
    real = replace(guess, check="performance", verdict=Verdict.CRITICAL)

    with room.store.write() as unit:
        unit.record(room.data.now(), [guess])
        assert triage.may_page(unit, DELAYS, real) is True
        assert triage.may_page(unit, DELAYS, replace(guess, verdict=Verdict.CRITICAL)) is True


def test_an_estimate_of_one_slice_wakes_nobody_unless_slices_may():
    guess = a_finding(check="estimated", family=Family.PERFORMANCE, subject="roc_auc · o=a", slice="o=a", verdict=Verdict.CRITICAL)

    assert triage.of_weight(DELAYS, guess) is False
    assert triage.of_weight(replace(DELAYS, segments_page=True), guess) is True


def test_what_is_only_estimated_is_said_to_be_probable_and_a_step_less_severe():
    guess = a_finding(
        check="estimated",
        family=Family.PERFORMANCE,
        subject="roc_auc",
        value=5.2,
        unit="sd worse than usual",
        label="estimated ROC AUC",
    )
    real = a_finding(check="performance", family=Family.PERFORMANCE, subject="calibration_gap")

    assert triage.severity_of(DELAYS, Family.PERFORMANCE, [guess]).value == "SEV2"
    assert triage.severity_of(DELAYS, Family.PERFORMANCE, [guess, real]).value == "SEV1"
    assert triage.title_of(DELAYS, Family.PERFORMANCE, [guess]) == (
        "delays is probably losing: estimated ROC AUC 5.2 sd worse than usual"
    )


def test_a_hostile_column_name_is_data_and_never_an_address(room):
    hostile = Room(model=replace(DELAYS, features=(Feature(HOSTILE, "numeric", 0.4, "weather"),)))
    missing_columns(hostile, {HOSTILE: 1.0})
    hostile.looks(2)
    notices = list(hostile.store.notices.values())

    assert HOSTILE in hostile.incident().title
    assert all(HOSTILE not in f"{n.key}{n.channel}{n.template}{n.thread}{n.mention}" for n in notices)
    assert {b["value"] for b in hostile.shown("incident:1")["buttons"]} == {"1"}
    assert HOSTILE not in hostile.shown("incident:1")["team_mention"]


def test_a_bad_window_after_a_good_one_is_not_calm(room):
    room.losing()
    for gap in (0.0, 0.15, 0.0, 0.15):
        room.log.gap = gap
        room.looks()

    assert [i.state for i in room.incidents()] == [State.OPEN]


def test_an_incident_whose_column_is_no_longer_measured_stays_open(room):
    lost = {"wind": 1.0}
    missing_columns(room, lost)
    room.looks(2)
    lost.clear()
    lost["temp"] = 0.0
    only = replace(room.model.watches[0], checks=("missing",))
    for _ in range(4):
        room.data.passes(86_400)
        look(room.desk, room.model, only, room.data.now())

    assert room.incident().state is State.OPEN


def test_a_column_on_the_line_of_importance_weighs():
    model = replace(DELAYS, features=(Feature("rain", "numeric", triage.IMPORTANT),))
    found = [a_finding(family=Family.DATA_QUALITY, subject="rain")]

    assert triage.severity_of(model, Family.DATA_QUALITY, found) is Severity.SEV2
    assert triage.important(model, "rain") is True


@pytest.mark.parametrize("page", [False, True])
@pytest.mark.parametrize(
    "finding",
    [
        {"family": Family.DATA_QUALITY, "check": "missing", "subject": "temp · origin=JFK"},
        {"family": Family.PERFORMANCE, "check": "performance", "subject": "calibration_gap · origin=JFK"},
        {"family": Family.DRIFT, "check": "psi", "subject": "temp · origin=JFK"},
    ],
)
def test_what_is_found_on_a_slice_wakes_people_only_where_the_configuration_says_so(room, finding, page):
    found = a_finding(verdict=Verdict.CRITICAL, slice="origin=JFK", **finding)
    with room.store.read() as unit:
        assert triage.may_page(unit, replace(room.model, segments_page=page), found) is page


def moved_for_good(room):
    """Bring the room to an open drift incident: the inputs have moved, and no label says how the model does."""
    room.log.drift, room.log.labelled = 9.4, 12
    room.looks(2)
    room.log.labelled = None


def test_drift_that_stays_closes_when_labels_have_said_often_enough_that_the_model_does_well(room):
    moved_for_good(room)
    room.looks(1)
    assert room.incident().state is State.OPEN
    room.looks(1)

    assert room.incident().state is State.RESOLVED
    assert "labels say that the model does well" in room.incident().cause


def test_drift_that_stays_is_no_new_incident_while_the_model_does_well(room):
    moved_for_good(room)
    room.looks(6)

    assert len(room.incidents()) == 1


def test_drift_that_stays_keeps_its_incident_open_while_no_label_comes(room):
    moved_for_good(room)
    room.log.labelled = 12
    room.looks(6)

    assert room.incident().state is State.OPEN
