"""A share is said with its unit, so that nobody takes a gap of ten points for a tenth of something."""

from dataclasses import replace

import pytest

from bot.core.checks import Family
from bot.flow import announce
from bot.flow.explain import drawn, timeline
from tests.fakes.nouns import a_finding, an_incident


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("calibration_gap", 0.1034, "10.3 points"),
        ("calibration_gap", -0.05, "−5 points"),
        ("calibration", -0.0001, "0 points"),
        ("missing", 0.786, "78.6 %"),
        ("errors", 1.0, "100 %"),
        ("psi", 0.1034, "0.103"),
        ("missing", None, "–"),
        ("missing", float("nan"), "NaN"),
    ],
)
def test_a_share_is_said_in_percent_a_gap_in_points_and_the_rest_as_a_number(name, value, text):
    assert announce.amount(name, value) == text


@pytest.mark.parametrize(
    ("name", "low", "high", "text"),
    [
        ("calibration_gap", 0.05, 0.152, "[5, 15.2]"),
        ("psi", 0.05, 0.152, "[0.05, 0.152]"),
        ("missing", None, 0.2, "[–, 0.2]"),
        ("missing", 0.2, None, "[0.2, –]"),
    ],
)
def test_an_interval_is_in_the_unit_of_its_value(name, low, high, text):
    assert announce.between(name, low, high) == text


@pytest.mark.parametrize(("name", "left"), [("missing", ""), ("calibration_gap", ""), ("latency", "ms")])
def test_a_unit_is_written_once(name, left):
    assert announce.unit_after(name, "ms") == left


@pytest.mark.parametrize(("name", "shown"), [("missing", 78.6), ("calibration_gap", 78.6), ("psi", 0.786)])
def test_a_chart_shows_what_the_words_around_it_say(name, shown):
    assert drawn(name, 0.786) == shown
    assert drawn(name, None) is None


def test_the_chart_of_a_share_is_in_percent_from_line_to_reference():
    first = a_finding(family=Family.DATA_QUALITY, check="missing", value=0.5, threshold=0.2, reference=0.01, interval=(0.4, 0.6))
    chart = timeline(an_incident(findings=(first,)), [first, replace(first, value=None)])

    assert (chart["unit"], chart["threshold"], chart["reference"]) == ("%", 20.0, 1.0)
    assert [(p["value"], p["low"], p["high"]) for p in chart["points"]] == [(50.0, 40.0, 60.0)]
