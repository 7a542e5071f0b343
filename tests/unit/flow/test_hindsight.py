"""What a replayed stretch says about a policy, with and without events that people know of."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.checks import Family
from bot.core.findings import Finding, Verdict
from bot.core.incidents import Incident, Note, Severity, State
from bot.core.windows import Window
from bot.flow.hindsight import Replayed, Seen, quiet_at, quiet_time, reach_of, review
from tests.fakes.world import MORNING
from tests.unit.flow.room import DAY, DELAYS

PERIOD = Window(MORNING, MORNING + 60 * DAY)
GAP = Finding(
    DELAYS.key,
    "performance",
    Family.PERFORMANCE,
    "calibration_gap",
    Verdict.CRITICAL,
    "promised 28 %, came true 17 %",
    Window.ending(MORNING, DAY),
    "points",
    value=0.11,
    interval=(0.05, 0.15),
    threshold=0.10,
    label="calibration gap",
)


def opened(number, day, finding=GAP, **changes):
    at = MORNING + day * DAY
    window = Window.ending(at, DAY)
    draft = Incident(
        number, "delays", "production", finding.family, Severity.SEV1, State.OPEN, "losing", "ml", at, window, (finding,)
    )
    return replace(draft, **changes)


def played(*incidents, notes=()):
    return Replayed(DELAYS, PERIOD, 60, incidents, notes)


def event(day, length=10):
    return Window(MORNING + day * DAY, MORNING + (day + length) * DAY)


def test_an_incident_inside_an_events_reach_belongs_to_it_and_the_others_are_false():
    data = review(played(opened(1, 3), opened(2, 22), opened(3, 25)), [event(20)])

    assert [row["event"] is None for row in data["incidents"]] == [True, False, False]
    assert (data["false_alarms"], data["quiet_days"]) == (1, 50)
    assert data["false_alarms_per_month"] == pytest.approx(0.6)
    assert data["summary"] == "60 looks over 60 days: 1 of 1 known event found, 1 false alarm on 50 quiet days (0.6 a month)."


def test_the_delay_is_to_the_first_incident_of_the_event():
    (row,) = review(played(opened(2, 22), opened(3, 25)), [event(20)])["events"]

    assert (row["incident"], row["delay"], row["delay_s"]) == (2, "2 d", 2 * 86_400)


def test_an_event_that_nothing_opened_for_is_missed():
    (row,) = review(played(), [event(20)])["events"]

    assert (row["incident"], row["delay"], row["delay_s"]) == (None, "", None)


def test_without_events_nobody_has_said_which_incidents_were_true():
    data = review(played(opened(1, 3), opened(2, 9)))

    assert "false_alarms" not in data
    assert data["incidents_per_month"] == pytest.approx(1.0)
    assert data["summary"].endswith(
        "2 incidents, 1 a month. Nobody has said which of them were true: name known events with --event."
    )


def test_silence_needs_no_question():
    assert review(played())["summary"] == "60 looks over 60 days: 0 incidents, 0 a month."


def test_where_the_whole_period_is_an_event_there_is_no_rate():
    data = review(played(opened(1, 3)), [event(0, 60)])

    assert (data["quiet_days"], data["false_alarms_per_month"]) == (0, None)
    assert data["summary"].endswith("0 false alarms on 0 quiet days.")


@pytest.mark.parametrize(
    ("events", "days"),
    [
        ([], 60),
        ([event(10)], 50),
        ([event(10), event(15)], 45),
        ([event(15), event(10, 3)], 47),
        ([event(-5)], 55),
        ([event(55)], 55),
    ],
    ids=["none", "one", "overlapping", "any order", "begun before", "goes on after"],
)
def test_quiet_is_what_lies_outside_every_event(events, days):
    assert quiet_time(PERIOD, events) == days * DAY


def test_a_moment_is_quiet_outside_half_open_events():
    assert [quiet_at(MORNING + d * DAY, [event(10)]) for d in (9, 10, 19, 20)] == [True, False, False, True]


def test_an_incident_says_its_measure_its_interval_and_its_line():
    (row,) = review(played(opened(1, 3)))["incidents"]

    assert row["why"] == "calibration gap 11 points [5, 15], line 10 points: promised 28 %, came true 17 %"


def test_what_has_no_number_says_its_reason():
    blind = Finding(DELAYS.key, "source", Family.DATA_QUALITY, "model", Verdict.UNKNOWN, "", Window.ending(MORNING, DAY))
    bare = replace(blind, reason="The log is gone.")
    rows = review(played(opened(1, 3, blind), opened(2, 9, bare)))["incidents"]

    assert [row["why"] for row in rows] == ["source of model", "source of model: The log is gone."]


def test_digest_lines_come_along():
    note = Note("delays", "production", MORNING, Window.ending(MORNING, DAY), "temp moved")

    assert review(played(notes=[note]))["digest"] == [{"at": MORNING.isoformat(), "text": "temp moved"}]


def test_an_events_reach_is_two_of_the_longest_windows_its_lag_and_the_looks_that_must_persist():
    assert reach_of(DELAYS) == 30 * DAY
    assert reach_of(replace(DELAYS, watches=(replace(DELAYS.watches[0], lag=timedelta(hours=6)),))) == 30 * DAY + timedelta(hours=6)


def test_what_opened_it_is_told_not_what_its_newest_window_says():
    newest = replace(GAP, value=0.3, interval=(0.2, 0.4))
    seen = Seen(MORNING + 3 * DAY, DELAYS.watches[0], GAP)
    (row,) = review(replace(played(opened(1, 3, newest)), seen=[seen]))["incidents"]

    assert row["why"].startswith("calibration gap 11 points")
