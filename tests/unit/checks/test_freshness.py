from datetime import timedelta

import pytest

from bot.checks.freshness import freshness
from bot.core.findings import Verdict
from bot.core.windows import Window
from tests.fakes.nouns import NOON
from tests.fakes.readings import a_reading
from tests.unit.checks.judging import found, measured


def last_seen(hours_ago, length_h=24):
    window = Window.ending(NOON, timedelta(hours=length_h))
    newest = None if hours_ago is None else NOON - timedelta(hours=hours_ago)
    return a_reading(window=window, newest=newest, rows=0 if newest is None else 10)


@pytest.mark.parametrize(
    ("hours", "verdict"), [(0, Verdict.HEALTHY), (7.9, Verdict.HEALTHY), (8, Verdict.WARNING), (12, Verdict.CRITICAL)]
)
def test_the_age_of_the_newest_prediction_is_judged(hours, verdict):
    assert found(freshness, a_reading(), last_seen(hours))["model"].verdict is verdict


def test_the_age_is_in_hours():
    assert measured(freshness, a_reading(), last_seen(2.5))["model"].value == 2.5


def test_a_day_without_a_prediction_is_critical():
    finding = found(freshness, a_reading(), last_seen(None))["model"]

    assert finding.verdict is Verdict.CRITICAL
    assert finding.reason == "not one prediction in 24 h"


def test_an_empty_hour_is_too_short_to_know_how_old():
    assert found(freshness, a_reading(), last_seen(None, length_h=1))["model"].verdict is Verdict.UNKNOWN
