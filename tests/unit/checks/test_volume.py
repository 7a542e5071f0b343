from datetime import timedelta

import pytest

from bot.checks.volume import volume
from bot.core.findings import Verdict
from bot.core.windows import Window
from tests.fakes.nouns import NOON
from tests.fakes.readings import a_reading
from tests.unit.checks.judging import found, measured, unmeasured

USUAL = a_reading(rows=24_000)


def an_hour(rows):
    return a_reading(rows=rows, window=Window.ending(NOON, timedelta(hours=1)))


def test_a_usual_hour_of_a_day_long_reference_is_once_the_rate():
    assert measured(volume, USUAL, an_hour(1_000))["model"].value == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("rows", "verdict"),
    [(1_000, Verdict.HEALTHY), (5_000, Verdict.HEALTHY), (400, Verdict.WARNING), (100, Verdict.CRITICAL), (0, Verdict.CRITICAL)],
)
def test_fewer_predictions_than_usual_are_judged_and_more_are_welcome(rows, verdict):
    assert found(volume, USUAL, an_hour(rows))["model"].verdict is verdict


def test_just_under_the_line_is_not_certain_enough():
    assert found(volume, USUAL, an_hour(495))["model"].verdict is Verdict.HEALTHY


def test_where_hardly_any_are_usual_silence_proves_nothing():
    assert "silence would prove nothing" in unmeasured(volume, a_reading(rows=100), an_hour(0))["model"]


def test_an_empty_reference_knows_no_usual_rate():
    assert found(volume, a_reading(), an_hour(10))["model"].verdict is Verdict.UNKNOWN
