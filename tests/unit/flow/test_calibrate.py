"""Measured lines: made once, kept with what they depend on, laid over the fixed ones, and said."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from bot.core.checks import Check, Family, Measurement, NotMeasured, Threshold
from bot.core.findings import Verdict
from bot.core.lines import FalseAlarms, Learn, Line, Lines
from bot.core.models import Watch
from bot.core.windows import Window
from bot.flow.calibrate import calibrate, fingerprint, left_out, lines_for, own_line, parts_of
from bot.flow.detect import detect
from bot.flow.tune import effective, floored, lined
from bot.flow.watch import measured
from tests.fakes.readings import a_reading
from tests.fakes.world import MORNING, FakeLog
from tests.unit.flow.room import DAY, DELAYS, Database
from tests.unit.flow.test_promise import HOUR, MOVED, NAMES, Hours, stream

MODEL = replace(DELAYS, reference=Window(MORNING, MORNING + 60 * DAY), false_alarms=FalseAlarms())
WATCH = Watch("w", "0 */6 * * *", DAY, ("moved",), step=6 * HOUR)


@pytest.fixture
def hours(room):
    """A desk whose log has sixty quiet days; returns the reference."""
    log = Hours(stream(1, 60))
    room.lays(sources={"log": log}, checks={"moved": MOVED})
    return log.reading(MODEL, MODEL.reference)


def test_nothing_is_measured_for_a_model_that_asks_for_nothing(room, hours):
    assert lines_for(room.desk, replace(MODEL, false_alarms=None), WATCH, hours) == Lines()


def test_lines_are_made_once_and_then_remembered(room, hours):
    first = lines_for(room.desk, MODEL, WATCH, hours)
    room.lays(sources={})

    assert {line.subject for line in first.lines} == set(NAMES)
    assert lines_for(room.desk, MODEL, WATCH, hours) == first


def test_lines_are_read_from_the_database_once(room, hours):
    first = lines_for(room.desk, MODEL, WATCH, hours)
    read = lines_for(room.desk, MODEL, WATCH, hours)
    room.lays(sources={}, store=Database())

    assert first == read
    assert lines_for(room.desk, MODEL, WATCH, hours) is read


def test_a_look_that_writes_nothing_keeps_no_lines(room, hours):
    lines_for(room.desk, MODEL, WATCH, hours, keep=False)
    with room.store.read() as unit:
        assert unit.lines(MODEL.key, WATCH.name, fingerprint(MODEL, WATCH, hours)) is None


@pytest.mark.parametrize(
    "other",
    [
        replace(MODEL, false_alarms=FalseAlarms(2)),
        replace(MODEL, learned={"moved": Learn()}),
        replace(MODEL, thresholds={"moved": Threshold(critical=2)}),
        replace(MODEL, primary="log_loss"),
    ],
    ids=["rate", "learned", "thresholds", "primary"],
)
def test_another_configuration_needs_other_lines(hours, other):
    assert fingerprint(other, WATCH, hours) != fingerprint(MODEL, WATCH, hours)


def test_another_reference_needs_other_lines(hours):
    assert fingerprint(MODEL, WATCH, replace(hours, rows=1)) != fingerprint(MODEL, WATCH, hours)


def test_a_reference_that_cannot_be_read_again_leaves_the_fixed_lines_and_says_so(room, hours):
    room.lays(sources={"log": FakeLog(down="The log is gone; mount it.")})
    found = lines_for(room.desk, MODEL, WATCH, hours)
    room.lays(sources={"log": Hours(stream(1, 60))})

    assert (found.lines, found.trouble) == ((), "The log is gone; mount it.")
    assert lines_for(room.desk, MODEL, WATCH, hours).lines


def test_why_there_are_no_measured_lines_is_a_line_of_the_look(room):
    model = replace(DELAYS, false_alarms=FalseAlarms(), reference=Window(MORNING - 20 * DAY, MORNING - 10 * DAY))
    found = measured(room.desk, model, model.watches[0], MORNING, a_reading())

    assert found[-1].verdict is Verdict.HEALTHY
    assert found[-1].reason.startswith("the fixed lines judge: a reference of 10 days is too short")


def test_a_reference_too_short_to_learn_from_is_said(room, hours):
    short = replace(MODEL, reference=Window(MORNING, MORNING + 20 * DAY))

    assert "too short to learn from" in calibrate(room.desk, short, replace(WATCH, window=14 * DAY), hours).trouble


def test_a_window_as_long_as_its_reference_has_no_parts():
    assert parts_of(Window(MORNING, MORNING + DAY), DAY) == ([], 1)


def test_long_windows_are_made_of_days_and_short_ones_are_parts_themselves():
    days, take = parts_of(MODEL.reference, 14 * DAY)
    hours, one = parts_of(MODEL.reference, HOUR)

    assert (len(days), take, days[-1].end) == (60, 14, MODEL.reference.end)
    assert (len(hours), one, hours[-1].end) == (240, 1, MODEL.reference.end)


def test_what_never_varies_or_cannot_be_measured_keeps_its_fixed_line(room, hours):
    def still(_reference, current):
        yield Measurement("still", 0.0, current.rows)
        yield NotMeasured("gone", "no such column")

    room.lays(checks={"moved": replace(MOVED, measure=still)})

    assert calibrate(room.desk, MODEL, WATCH, hours).lines == ()


def test_what_nobody_is_woken_for_is_not_measured(room, hours):
    room.lays(checks={"moved": replace(MOVED, family=Family.PERFORMANCE)})
    found = calibrate(room.desk, MODEL, WATCH, hours)

    assert found.lines == ()


def test_a_learned_line_is_the_mean_and_so_many_deviations_of_its_own_windows(room, hours):
    model = replace(MODEL, false_alarms=None, learned={"moved.a": Learn("deviations", 3.0)})
    (line,) = lines_for(room.desk, model, WATCH, hours).lines

    assert (line.subject, line.sole) == ("a", True)
    assert 1.5 < line.value < 3.5


def test_a_learned_line_takes_the_place_of_a_rated_one(room, hours):
    found = calibrate(room.desk, replace(MODEL, learned={"moved.a": Learn("quantiles", upper=0.9)}), WATCH, hours)

    assert [(line.subject, line.sole) for line in found.lines] == [("b", False), ("c", False), ("d", False), ("a", True)]


def test_too_few_draws_learn_nothing(room, hours):
    def rarely(reference, current):
        if current.newest is not None:
            yield Measurement("a", 1.0, current.rows)

    room.lays(checks={"moved": replace(MOVED, measure=rarely)})

    assert calibrate(room.desk, replace(MODEL, learned={"moved": Learn()}), WATCH, hours).lines == ()


@pytest.mark.parametrize(
    ("learn", "line"),
    [(Learn("deviations", 2.0), 3 + 2 * np.std([1, 2, 3, 4, 5], ddof=1)), (Learn("quantiles", upper=0.8), 4)],
    ids=str,
)
def test_own_lines_by_hand(learn, line):
    assert own_line(learn, [5.0, 1.0, 3.0, 2.0, 4.0]) == pytest.approx(line)


def test_a_part_is_left_out_of_the_reference_it_is_measured_against(room, hours):
    part = Hours(stream(1, 60)).reading(MODEL, Window(MORNING, MORNING + 30 * DAY))
    rest = left_out(room.desk, replace(hours, columns={**hours.columns, "alien": hours.columns["a"]}), [part])
    later = Hours(stream(1, 60)).reading(MODEL, Window(MORNING + 30 * DAY, MORNING + 60 * DAY))

    assert (rest.rows, rest.window.length) == (720, 30 * DAY)
    assert rest.columns["a"].mean == pytest.approx(later.columns["a"].mean)
    assert rest.columns["alien"].rows == 1_440


def test_a_line_below_which_is_bad_is_measured_below(room, hours):
    def sunk(_reference, current):
        yield Measurement("a", 10 + current.columns["a"].mean, current.rows)

    room.lays(checks={"moved": replace(MOVED, measure=sunk, threshold=Threshold(critical=9.9, above=False))})
    (line,) = calibrate(room.desk, MODEL, WATCH, hours).lines

    assert 5 < line.value < 9


# laying a measured line over a fixed one


@pytest.mark.parametrize(
    ("fixed", "line", "sole", "critical", "warning"),
    [
        (Threshold(0.1, 0.25), 0.4, False, 0.4, 0.1),
        (Threshold(0.1, 0.25), 0.2, False, 0.25, 0.1),
        (Threshold(0.1, 0.25), 0.05, True, 0.05, 0.05),
        (Threshold(0.5, 0.2, above=False), 0.1, False, 0.1, 0.5),
        (Threshold(0.5, 0.2, above=False), 0.3, False, 0.2, 0.5),
        (Threshold(0.5, 0.2, above=False), -3.0, False, 0.02, 0.5),
        (Threshold(critical=0.0, above=False), -3.0, False, -3.0, None),
        (Threshold(), 0.4, False, 0.4, None),
    ],
    ids=["higher", "floor", "alone", "lower", "floor below", "silence stays loud", "no scale", "none fixed"],
)
def test_the_farther_line_judges_unless_the_measured_one_stands_alone(fixed, line, sole, critical, warning):
    judged = effective(fixed, Line("c", "s", line, "why", sole))

    assert (judged.critical, judged.warning) == (pytest.approx(critical), warning)


def test_a_column_that_is_gone_is_seen_however_unruly_the_reference():
    assert effective(Threshold(0.25, 0.5), Line("missing", "x", 7.0, "why"), "share").critical == pytest.approx(0.95)


def test_the_line_says_where_it_comes_from():
    rare, small = (effective(Threshold(0.1, 0.25), Line("c", "s", value, "at most …")).origin for value in (0.4, 0.2))

    assert rare == "at most …"
    assert small == "fixed; chance alone reaches 0.2 (at most …)"


def test_a_check_without_measured_lines_is_left_as_it_is():
    assert lined(MOVED, Lines((Line("other", "a", 1.0, ""),))) is MOVED


def test_a_finding_says_its_line(room, hours):
    lines = Lines((Line("moved", "a", 0.5, FalseAlarms().words),))
    shifted = replace(hours, columns={name: replace(column, mean=column.mean + 1) for name, column in hours.columns.items()})
    found = {f.subject: f for f in detect(room.desk, MODEL, WATCH, hours, shifted, lines=lines)}

    assert (found["a"].verdict, found["a"].threshold) == (Verdict.CRITICAL, 0.5)
    assert found["a"].reason.endswith("; line 0.5: at most 1 false incident in 30 d")
    assert "line" not in found["b"].reason


def test_a_healthy_finding_says_its_line_too(room, hours):
    (found,) = (
        f for f in detect(room.desk, MODEL, WATCH, hours, hours, lines=Lines((Line("moved", "a", 0.5, "why"),))) if f.subject == "a"
    )

    assert (found.verdict, found.reason) == (Verdict.HEALTHY, "line 0.5: why")


# a floor of rows


def test_windows_of_too_few_rows_are_not_judged_but_silence_is():
    loud = Check("volume", Family.DATA_QUALITY, "", MOVED.measure, Threshold(critical=1.0))
    drift = Check("ks", Family.DRIFT, "", MOVED.measure, Threshold(critical=1.0, least_rows=50), {"x": Threshold(least_rows=900)})

    assert floored(loud, 500) is loud
    assert floored(drift, 0) is drift
    assert (floored(drift, 500).threshold.least_rows, floored(drift, 500).thresholds["x"].least_rows) == (500, 900)


def test_a_watch_asks_for_its_rows(room):
    watch = replace(DELAYS.watches[0], checks=("psi",), least_rows=1_000_000)
    reading = replace(a_reading(), kinds={"drift": "0.9", "missing": "0"})
    (found,) = detect(room.desk, DELAYS, watch, reading, reading)

    assert (found.verdict, found.reason[:15]) == (Verdict.UNKNOWN, "not enough data")


@pytest.mark.parametrize(
    ("asked", "words", "rate"),
    [
        (FalseAlarms(), "at most 1 false incident in 30 d", 1.0),
        (FalseAlarms(2, timedelta(days=7)), "at most 2 false incidents in 7 d", 60 / 7),
    ],
    ids=["a month", "a week"],
)
def test_a_rate_is_said_as_people_say_it(asked, words, rate):
    assert (asked.words, asked.a_month) == (words, pytest.approx(rate))


@pytest.mark.parametrize(
    ("learn", "words"),
    [
        (Learn(), "3 standard deviations from the mean of the reference's own windows"),
        (Learn("quantiles", upper=0.99), "99 % of the reference's own windows stay within"),
    ],
    ids=["deviations", "quantiles"],
)
def test_a_learned_line_is_said_as_people_say_it(learn, words):
    assert learn.words == words
