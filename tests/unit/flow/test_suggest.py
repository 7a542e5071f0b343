"""Lines from history: as quiet as wanted over all measures together, never under what is nobody's trouble."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.checks import Family, Threshold
from bot.core.findings import Finding, Verdict
from bot.core.windows import Window
from bot.flow.hindsight import Replayed, Seen
from bot.flow.suggest import STILL, as_yaml, judged_value, suggest
from tests.fakes.world import MORNING
from tests.unit.flow.room import DAY, DELAYS

DAILY = DELAYS.watches[0]
BUMPS = [0.21 if day % 10 == 3 else 0.2 + 0.001 * (day % 7) for day in range(90)]


def seen(day, check, subject, value, verdict=Verdict.HEALTHY):
    family = {"missing": Family.DATA_QUALITY, "psi": Family.DRIFT, "performance": Family.PERFORMANCE}[check]
    slot = MORNING + day * DAY
    return Seen(slot, DAILY, Finding(DELAYS.key, check, family, subject, verdict, "", Window.ending(slot, DAY), value=value, n=900))


def history(values, check="missing", subject="temp"):
    return [seen(day, check, subject, value) for day, value in enumerate(values)]


def proposed(room, *rows, events=(), rate=1.0, model=DELAYS):
    played = Replayed(model, Window(MORNING, MORNING + 90 * DAY), 90, (), (), [s for row in rows for s in row])
    return suggest(room.desk, played, events, rate)


def test_a_quiet_history_gets_a_line_just_over_its_highest_value(room):
    bumps = [0.2 + 0.001 * (day % 7) for day in range(88)] + [0.4, 0.4]
    found = proposed(room, history(bumps), rate=0.0)

    assert found["lines"] == {"missing.temp": pytest.approx(0.4, rel=0.03)}
    assert found["false_alarms_per_month"] == 0


def test_as_many_false_alarms_as_wanted_are_spent_and_not_more(room):
    doubled = [0.2 + 0.001 * (day % 7) + (0.1 + day / 1_000) * (day % 15 in (5, 6)) for day in range(90)]
    found = [proposed(room, history(doubled), rate=rate) for rate in (0.0, 1.0, 3.0)]

    assert [f["false_alarms_per_month"] <= rate for f, rate in zip(found, (0.0, 1.0, 3.0), strict=True)] == [True] * 3
    assert found[0]["lines"]["missing.temp"] > found[1]["lines"]["missing.temp"] > found[2]["lines"]["missing.temp"]


def test_what_happened_in_a_known_event_makes_no_line_higher_and_is_found(room):
    event = Window(MORNING + 40 * DAY, MORNING + 50 * DAY)
    lost = [0.9 if 40 <= day < 50 else value for day, value in enumerate(BUMPS)]
    found = proposed(room, history(lost), events=[event])

    assert found["lines"]["missing.temp"] < 0.25
    assert "the event of 2013-08-07 09:00 found after 1 d" in found["summary"].replace(f"{event.start:%Y-%m-%d}", "2013-08-07")


def test_an_event_that_the_lines_would_miss_is_said(room):
    event = Window(MORNING + 40 * DAY, MORNING + 41 * DAY)

    assert "missed" in proposed(room, history(BUMPS), events=[event])["summary"]


def test_no_line_goes_under_the_checks_own_warning(room):
    tiny = [0.001 * (day % 7) for day in range(90)]

    assert proposed(room, history(tiny), rate=30.0)["lines"] == {"missing.temp": pytest.approx(0.2, rel=0.03)}


def test_a_check_without_a_warning_keeps_at_least_its_critical_line(room):
    check = replace(room.desk.checks["missing"], threshold=Threshold(critical=0.5))
    room.desk = replace(room.desk, checks={**room.desk.checks, "missing": check})

    assert proposed(room, history([0.001 * (day % 7) for day in range(90)]))["lines"]["missing.temp"] >= 0.5


def test_a_line_below_which_is_bad_is_proposed_below(room):
    check = replace(room.desk.checks["missing"], threshold=Threshold(0.5, 0.2, above=False))
    room.desk = replace(room.desk, checks={**room.desk.checks, "missing": check})
    quiet = [0.4 - 0.001 * (day % 7) for day in range(88)] + [0.3, 0.3]

    assert proposed(room, history(quiet), rate=0.0)["lines"]["missing.temp"] == pytest.approx(0.3, rel=0.03)


def test_drift_counts_only_while_nobody_knows_that_the_model_does_well(room):
    moved = history([0.3 + 0.02 * (day % 5) for day in range(90)], "psi")
    labelled = history([0.0] * 90, "performance", "calibration_gap")
    loud, quiet = proposed(room, moved, rate=1.0), proposed(room, moved, labelled, rate=1.0)

    assert loud["lines"]["psi.temp"] > quiet["lines"]["psi.temp"]
    assert quiet["false_alarms_per_month"] == 0


@pytest.mark.parametrize("values", [[0.1] * 90, [0.1, 0.2] * 4, [None] * 90], ids=["still", "short", "unmeasured"])
def test_a_history_that_says_nothing_proposes_nothing(room, values):
    found = proposed(room, history(values))

    assert (found["lines"], found["yaml"], found["summary"]) == ({}, "", STILL)


def test_a_measure_without_a_critical_line_gets_none(room):
    model = replace(DELAYS, thresholds={"missing": Threshold(0.2)})

    assert proposed(room, history(BUMPS), model=model)["lines"] == {}


def test_a_day_without_enough_rows_is_no_value(room):
    thin = seen(0, "missing", "temp", 0.9, Verdict.UNKNOWN).finding

    assert judged_value(Threshold(0.1, 0.2), thin) is None
    assert proposed(room, [*history(BUMPS), seen(91, "missing", "temp", 0.9, Verdict.UNKNOWN)])["lines"]["missing.temp"] < 0.3


def test_where_everything_is_an_event_there_is_no_rate(room):
    found = proposed(room, history(BUMPS), events=[Window(MORNING - DAY, MORNING + timedelta(days=100))])

    assert (found["false_alarms_per_month"], found["lines"]) == (None, {})


def test_yaml_reads_back_whatever_a_feature_is_called():
    import yaml  # noqa: PLC0415

    lines = {"ks.a: b#'c": 0.5, "psi.x": 0.25}

    assert yaml.safe_load(as_yaml(lines)) == {"thresholds": {key: {"critical": line} for key, line in lines.items()}}
