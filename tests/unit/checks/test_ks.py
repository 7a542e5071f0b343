import numpy as np
import pytest
from scipy import stats

from bot.checks.ks import ks
from bot.core.findings import Verdict
from tests.fakes.readings import a_reading
from tests.unit.checks.judging import compared, found, measured, unmeasured

RANDOM = np.random.default_rng(2)
NORMAL = RANDOM.normal(size=20_000)


def test_scipys_distance_lies_in_the_interval():
    shifted = RANDOM.normal(0.3, 1, 5_000)
    oracle = stats.ks_2samp(NORMAL, shifted, method="asymp").statistic

    low, high = measured(ks, *compared(NORMAL, shifted))["x"].interval

    assert low <= oracle <= high


def test_the_value_is_the_lower_end_so_that_no_alarm_rests_on_a_guess():
    measurement = measured(ks, *compared(NORMAL, RANDOM.normal(0.3, 1, 5_000)))["x"]

    assert measurement.value == measurement.interval[0]


def test_a_window_like_its_reference_is_healthy():
    assert found(ks, *compared(NORMAL, RANDOM.normal(size=5_000)))["x"].verdict is Verdict.HEALTHY


def test_one_outlier_among_a_hundred_thousand_rows_hides_no_shift_of_half_a_deviation():
    reference = RANDOM.normal(size=100_000)
    shifted = RANDOM.normal(0.5, 1, 20_000)
    reference[0] = 1e6
    oracle = stats.ks_2samp(reference, shifted, method="asymp").statistic

    measurement = measured(ks, *compared(reference, shifted))["x"]

    assert measurement.value == pytest.approx(oracle, abs=1e-3)
    assert found(ks, *compared(reference, shifted))["x"].bad


def test_a_tiny_shift_of_many_rows_is_certain_but_not_large_so_it_wakes_nobody():
    finding = found(ks, *compared(RANDOM.normal(size=200_000), RANDOM.normal(0.02, 1, 200_000)))["x"]

    assert finding.p_value < 0.001
    assert finding.verdict is Verdict.HEALTHY


def test_among_many_quiet_columns_chance_raises_no_alarm():
    reference = a_reading({f"x{i}": RANDOM.normal(size=300) for i in range(50)})
    current = a_reading({f"x{i}": RANDOM.normal(size=120) for i in range(50)}, like=reference)

    assert not [finding for finding in found(ks, reference, current).values() if finding.bad]


def test_missing_values_and_infinities_are_left_out():
    spoiled = np.concatenate([NORMAL[:1_000], np.full(500, np.nan), np.full(500, np.inf)])

    clean, left_out = (measured(ks, *compared(NORMAL, now))["x"] for now in (NORMAL[:1_000], spoiled))

    assert (left_out.value, left_out.n) == (clean.value, clean.n)


def test_a_column_without_a_number_is_not_measured():
    assert "no numbers" in unmeasured(ks, *compared(NORMAL, np.full(500, np.nan)))["x"]


def test_categories_are_somebody_elses():
    assert not list(ks.measure(*compared(["a"], ["b"])))
