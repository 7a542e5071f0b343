import numpy as np
import pytest
from scipy import stats

from bot.checks.chi_square import chi_square
from bot.core.findings import Verdict
from tests.fakes.readings import a_reading
from tests.unit.checks.judging import compared, found, measured, unmeasured


def test_the_p_value_is_scipys_without_yates():
    oracle = stats.chi2_contingency([[60, 40], [45, 55]], correction=False).pvalue

    measurement = measured(chi_square, *compared(["a"] * 60 + ["b"] * 40, ["a"] * 45 + ["b"] * 55))["x"]

    assert measurement.p_value == pytest.approx(oracle, abs=1e-12)


def test_shares_that_stay_are_healthy():
    assert found(chi_square, *compared(["a", "b"] * 500, ["a", "b"] * 300))["x"].verdict is Verdict.HEALTHY


def test_shares_that_change_places_are_critical():
    finding = found(chi_square, *compared(["a"] * 900 + ["b"] * 100, ["a"] * 100 + ["b"] * 900))["x"]

    assert finding.verdict is Verdict.CRITICAL


def test_all_rows_in_one_new_level_are_critical():
    assert found(chi_square, *compared(["a"] * 500, ["b"] * 500))["x"].verdict is Verdict.CRITICAL


def test_one_and_the_same_level_is_healthy():
    assert found(chi_square, *compared(["a"] * 500, ["a"] * 500))["x"].verdict is Verdict.HEALTHY


def test_a_thousand_levels_shuffled_by_chance_are_healthy():
    random = np.random.default_rng(3)
    levels = [f"level {i}" for i in range(1_500)]

    finding = found(chi_square, *compared(random.choice(levels, 20_000).tolist(), random.choice(levels, 2_000).tolist()))["x"]

    assert finding.verdict is Verdict.HEALTHY


def test_a_window_with_only_new_levels_beside_dropped_ones_is_seen():
    random = np.random.default_rng(4)
    usual = random.choice([f"level {i}" for i in range(1_500)], 20_000).tolist()

    assert found(chi_square, *compared(usual, ["new"] * 2_000))["x"].bad


def test_too_few_rows_are_said_to_be_too_few():
    assert found(chi_square, *compared(["a", "b"] * 500, ["b"] * 20))["x"].verdict is Verdict.UNKNOWN


def test_only_nulls_are_not_measured():
    assert "x" in unmeasured(chi_square, *compared(["a", "b"], [None, None]))


def test_a_hostile_name_is_only_a_name():
    name = "<!channel> '; DROP TABLE log; --"
    reference = a_reading({name: ["a", "b"] * 100})

    assert name in found(chi_square, reference, a_reading({name: ["a", "b"] * 100}, like=reference))
