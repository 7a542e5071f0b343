import math

import numpy as np
import pytest

from bot.checks.psi import psi
from bot.core.findings import Verdict
from tests.fakes.readings import a_reading
from tests.unit.checks.judging import compared, found, measured, unmeasured

RANDOM = np.random.default_rng(1)
NORMAL = RANDOM.normal(size=20_000)


def test_psi_of_two_levels_is_the_one_made_by_hand():
    p, q = (60.5 / 101, 40.5 / 101), (20.5 / 101, 80.5 / 101)
    by_hand = sum((b - a) * math.log(b / a) for a, b in zip(p, q, strict=True))

    value = measured(psi, *compared(["a"] * 60 + ["b"] * 40, ["a"] * 20 + ["b"] * 80))["x"].value

    assert value == pytest.approx(by_hand, abs=1e-12)


def test_a_window_like_its_reference_is_healthy():
    assert found(psi, *compared(NORMAL, RANDOM.normal(size=5_000)))["x"].verdict is Verdict.HEALTHY


def test_a_shift_of_one_deviation_is_critical():
    assert found(psi, *compared(NORMAL, RANDOM.normal(1, 1, 5_000)))["x"].verdict is Verdict.CRITICAL


def test_one_outlier_among_a_hundred_thousand_rows_hides_no_shift_of_half_a_deviation():
    reference = RANDOM.normal(size=100_000)
    shifted = RANDOM.normal(0.5, 1, 20_000)
    spoiled = reference.copy()
    spoiled[0] = 1e6

    clean, hidden = (measured(psi, *compared(then, shifted))["x"].value for then in (reference, spoiled))

    assert hidden == pytest.approx(clean, abs=1e-3)
    assert found(psi, *compared(spoiled, shifted))["x"].bad


def test_a_large_index_within_chance_stays_healthy():
    reference, current = compared(RANDOM.normal(size=250), RANDOM.normal(size=200))

    finding = found(psi, reference, current)["x"]

    assert finding.verdict is Verdict.HEALTHY


def test_too_few_rows_are_said_to_be_too_few():
    finding = found(psi, *compared(NORMAL, np.full(50, 9.0)))["x"]

    assert finding.verdict is Verdict.UNKNOWN
    assert "50 of 200 rows" in finding.reason


def test_values_that_go_missing_move_it():
    gone = np.where(np.arange(5_000) % 2, np.nan, RANDOM.normal(size=5_000))

    assert found(psi, *compared(NORMAL, gone))["x"].bad


def test_a_new_level_moves_it():
    assert found(psi, *compared(["a", "b"] * 500, ["a", "b", "new"] * 300))["x"].bad


def test_a_constant_that_leaves_its_value_moves_it():
    assert found(psi, *compared(np.ones(500), np.full(500, 1.5)))["x"].verdict is Verdict.CRITICAL


def test_a_column_that_has_become_text_is_not_compared():
    reference = a_reading({"x": NORMAL})

    assert "another type" in unmeasured(psi, reference, a_reading({"x": ["a"] * 500}))["x"]


def test_a_number_far_outside_of_the_reference_falls_into_the_open_bin():
    value = measured(psi, *compared(NORMAL, np.full(1_000, 1e300)))["x"].value

    assert value > 2
    assert np.isfinite(value)


def test_of_one_level_chance_explains_nothing():
    assert measured(psi, *compared(["a"] * 300, ["a"] * 300))["x"].detail == "chance alone explains up to 0"
