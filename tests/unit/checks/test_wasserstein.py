import numpy as np
import pytest
from scipy import stats

from bot.checks.wasserstein import wasserstein
from bot.core.findings import Verdict
from bot.stats.transport import scale
from tests.fakes.readings import a_reading, numbers
from tests.unit.checks.judging import compared, found, measured, unmeasured

RANDOM = np.random.default_rng(40)
NORMAL = RANDOM.normal(size=20_000)


def oracle(then, now):
    """SciPy's W1 with the tails cut, in the reference's deviations."""
    width = scale(numbers(then))
    return stats.wasserstein_distance(np.clip(then, *width.within), np.clip(now, *width.within)) / width.spread


def test_scipys_distance_lies_in_the_interval():
    shifted = RANDOM.normal(0.3, 1, 5_000)
    low, high = measured(wasserstein, *compared(NORMAL, shifted))["x"].interval

    assert low <= oracle(NORMAL, shifted) <= high


def test_the_value_is_the_least_that_the_distance_can_be():
    shifted = RANDOM.normal(0.3, 1, 5_000)
    value = measured(wasserstein, *compared(NORMAL, shifted))["x"].value

    assert value <= oracle(NORMAL, shifted)
    assert value == pytest.approx(0.3, abs=0.03)


def test_a_shift_is_told_in_deviations_whatever_the_unit():
    then, now = NORMAL * 1e5 + 7, RANDOM.normal(0.5, 1, 5_000) * 1e5 + 7

    assert measured(wasserstein, *compared(then, now))["x"].value == pytest.approx(0.5, abs=0.04)


def test_a_window_like_its_reference_is_healthy():
    assert found(wasserstein, *compared(NORMAL, RANDOM.normal(size=5_000)))["x"].verdict is Verdict.HEALTHY


def test_one_outlier_among_a_hundred_thousand_rows_hides_no_shift_of_half_a_deviation():
    spoiled = RANDOM.normal(size=100_000)
    spoiled[0] = 1e6

    assert found(wasserstein, *compared(spoiled, RANDOM.normal(0.5, 1, 20_000)))["x"].verdict is Verdict.CRITICAL


@pytest.mark.parametrize("side", ["reference", "window"])
def test_one_outlier_is_no_shift_by_itself(side):
    then, now = RANDOM.normal(size=20_000), RANDOM.normal(size=5_000)
    (then if side == "reference" else now)[0] = 1e9

    assert found(wasserstein, *compared(then, now))["x"].verdict is Verdict.HEALTHY


def test_among_many_small_windows_chance_raises_no_alarm():
    reference = a_reading({f"x{i}": RANDOM.standard_cauchy(size=400) for i in range(50)})
    current = a_reading({f"x{i}": RANDOM.standard_cauchy(size=120) for i in range(50)}, like=reference)

    assert not [finding for finding in found(wasserstein, reference, current).values() if finding.bad]


def test_a_scale_jump_is_critical():
    assert found(wasserstein, *compared(NORMAL + 5, 1_000 * (NORMAL[:5_000] + 5)))["x"].verdict is Verdict.CRITICAL


def test_a_constant_that_leaves_its_value_is_critical():
    assert found(wasserstein, *compared(np.ones(500), np.full(500, 1.5)))["x"].verdict is Verdict.CRITICAL


def test_too_few_rows_are_said_to_be_too_few():
    assert found(wasserstein, *compared(NORMAL, np.full(50, 9.0)))["x"].verdict is Verdict.UNKNOWN


def test_a_column_without_a_number_is_not_measured():
    assert "no numbers" in unmeasured(wasserstein, *compared(NORMAL, np.full(500, np.nan)))["x"]


def test_numbers_that_cannot_be_added_up_are_said():
    huge = np.array([-1.7e308, 1.7e308] * 50)

    assert "too large" in unmeasured(wasserstein, *compared(huge, huge))["x"]


def test_categories_are_somebody_elses():
    assert not list(wasserstein.measure(*compared(["a"], ["b"])))
