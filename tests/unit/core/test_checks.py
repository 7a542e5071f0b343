"""A threshold judges the whole interval; a check is a function with a name."""

import pytest

from bot.core.checks import Family, Measurement, Threshold, check

UP = Threshold(warning=0.1, critical=0.25)
DOWN = Threshold(warning=0.8, critical=0.6, above=False)
LOSS = Threshold(warning=0.05, critical=0.10, null=0.0)
GAIN = Threshold(warning=-0.05, critical=-0.10, null=0.0, above=False)


def measured(value, interval=None):
    return Measurement("temp", value, 1_000, interval=interval)


@pytest.mark.parametrize(
    ("threshold", "value", "interval", "level"),
    [
        (UP, 0.09, None, None),
        (UP, 0.1, None, "warning"),
        (UP, 0.25, None, "critical"),
        (UP, 0.30, (0.09, 0.60), None),
        (UP, 0.30, (0.10, 0.60), "warning"),
        (UP, 0.30, (0.25, 0.60), "critical"),
        (DOWN, 0.81, None, None),
        (DOWN, 0.8, None, "warning"),
        (DOWN, 0.6, None, "critical"),
        (DOWN, 0.5, (0.4, 0.81), None),
        (DOWN, 0.5, (0.4, 0.7), "warning"),
        (Threshold(), 1e9, None, None),
        (Threshold(critical=1.0), 0.9, None, None),
        (Threshold(warning=1.0), 9.0, None, "warning"),
    ],
)
def test_a_line_is_crossed_only_when_the_whole_interval_lies_beyond(threshold, value, interval, level):
    assert threshold.crossed(measured(value, interval)) == level


@pytest.mark.parametrize(
    ("threshold", "value", "interval", "level"),
    [
        (LOSS, 0.12, (0.01, 0.23), "critical"),
        (LOSS, 0.06, (0.01, 0.11), "warning"),
        (LOSS, 0.04, (0.01, 0.07), None),
        (LOSS, 0.30, (0.00, 0.60), None),
        (GAIN, -0.12, (-0.23, -0.01), "critical"),
        (GAIN, -0.06, (-0.11, -0.01), "warning"),
        (GAIN, -0.30, (-0.60, 0.00), None),
    ],
)
def test_with_a_null_the_value_must_be_large_and_the_interval_must_leave_no_doubt(threshold, value, interval, level):
    assert threshold.crossed(measured(value, interval)) == level


@pytest.mark.parametrize(
    ("threshold", "level", "words"),
    [
        (UP, "critical", "≥ 0.25"),
        (UP, "warning", "≥ 0.1"),
        (DOWN, "critical", "≤ 0.6"),
        (Threshold(critical=1.0), "warning", ""),
    ],
)
def test_a_line_can_be_said_in_words(threshold, level, words):
    assert threshold.words(level) == words


def test_a_function_becomes_a_check_whose_summary_is_its_first_line():
    @check("age", family=Family.DATA_QUALITY, unit="h", threshold=UP, thresholds={"wind": DOWN})
    def age(_reference, _current):
        """How old the newest row is.

        More words.
        """
        yield measured(3.0)

    assert (age.name, age.family, age.unit, age.summary) == ("age", Family.DATA_QUALITY, "h", "How old the newest row is.")
    assert (age.judged_by("temp"), age.judged_by("wind")) == (UP, DOWN)
    assert [m.value for m in age.measure(None, None)] == [3.0]


def test_a_check_without_lines_judges_nothing_as_bad():
    @check("age", family=Family.DATA_QUALITY, unit="h")
    def age(_reference, _current):
        yield measured(3.0)

    assert age.judged_by("temp").crossed(measured(1e9)) is None
    assert age.summary == ""


def test_broken_data_explains_everything_else_and_drift_explains_nothing():
    order = sorted(Family, key=lambda family: family.precedence)

    assert order == [Family.DATA_QUALITY, Family.OPERATIONS, Family.PERFORMANCE, Family.DRIFT]
    assert Family.DATA_QUALITY.words == "data quality"


@pytest.mark.parametrize(
    ("value", "interval", "level"),
    [
        (0.12, (0.02, 0.2), "critical"),
        (-0.12, (-0.2, -0.02), "critical"),
        (-0.08, (-0.1, -0.05), "warning"),
        (-0.12, (-0.2, 0.01), None),
        (0.05, (0.01, 0.09), None),
        (0.0, None, None),
    ],
)
def test_of_two_sides_both_are_bad_where_it_is_certain_that_there_is_trouble(value, interval, level):
    either = Threshold(0.07, 0.10, null=0.0, two_sided=True)

    assert either.crossed(Measurement("gap", value, 5_000, interval=interval)) == level


def test_a_line_is_drawn_on_the_side_where_the_value_lies():
    either, above = Threshold(0.07, 0.10, two_sided=True), Threshold(0.07, 0.10)

    assert (either.line("critical", -0.3), either.line("critical", 0.3), above.line("warning", -0.3)) == (-0.10, 0.10, 0.07)
    assert (either.words("warning"), Threshold(two_sided=True).line("warning", 1.0)) == ("beyond ±0.07", None)
