import numpy as np
import pytest

from bot.checks.missing import missing
from bot.core.findings import Verdict
from tests.fakes.readings import a_reading
from tests.unit.checks.judging import compared, found, measured, unmeasured


def share_missing(share, n=1_000):
    return np.where(np.arange(n) < share * n, np.nan, 1.0)


@pytest.mark.parametrize(
    ("usual", "now", "lost"), [(0.0, 0.3, 0.3), (0.5, 0.75, 0.5), (0.2, 0.2, 0.0), (0.4, 0.1, 0.0), (0.1, 1.0, 1.0)]
)
def test_it_is_the_share_of_what_the_reference_has(usual, now, lost):
    assert measured(missing, *compared(share_missing(usual), share_missing(now)))["x"].value == pytest.approx(lost)


def test_the_interval_holds_the_share_and_stays_between_zero_and_one():
    measurement = measured(missing, *compared(share_missing(0.1), share_missing(0.6)))["x"]

    assert 0 <= measurement.interval[0] <= measurement.value <= measurement.interval[1] <= 1


def test_a_feed_that_is_gone_is_critical():
    assert found(missing, *compared(["a"] * 500, [None] * 500))["x"].verdict is Verdict.CRITICAL


def test_a_few_more_than_usual_wake_nobody():
    assert found(missing, *compared(share_missing(0.05), share_missing(0.1)))["x"].verdict is Verdict.HEALTHY


def test_a_share_on_the_line_is_not_certain_enough_to_cross_it():
    assert found(missing, *compared(share_missing(0.0), share_missing(0.06)))["x"].verdict is Verdict.HEALTHY


def test_a_tenth_that_was_never_missing_before_warns():
    assert found(missing, *compared(share_missing(0.0), share_missing(0.1)))["x"].verdict is Verdict.WARNING


def test_nan_null_and_infinity_are_all_gone():
    nothing = np.array([np.nan, np.inf, -np.inf, 1.0] * 50)

    assert measured(missing, *compared(np.ones(100), nothing))["x"].value == pytest.approx(0.75)


def test_what_was_always_missing_is_not_lost_now():
    assert "always missing" in unmeasured(missing, *compared(share_missing(1.0), share_missing(0.5)))["x"]


def test_a_lost_column_is_left_to_schema():
    assert not list(missing.measure(a_reading({"x": np.ones(50)}), a_reading(rows=50)))
