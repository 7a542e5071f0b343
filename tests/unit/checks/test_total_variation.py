import numpy as np
import pytest

from bot.checks.total_variation import total_variation
from bot.core.findings import Verdict
from tests.fakes.readings import a_reading
from tests.unit.checks.judging import found, measured, unmeasured

RANDOM = np.random.default_rng(32)
NORMAL = RANDOM.normal(size=20_000)


def compared(then, now):
    reference = a_reading({"x": then})
    return reference, a_reading({"x": now}, like=reference)


def test_the_distance_of_two_levels_is_the_one_made_by_hand():
    then, now = ["a"] * 60 + ["b"] * 40, ["a"] * 20 + ["b"] * 80

    assert measured(total_variation, *compared(then, now))["x"].value == pytest.approx(0.4, abs=1e-12)


def test_a_window_like_its_reference_is_healthy():
    assert found(total_variation, *compared(NORMAL, RANDOM.normal(size=5_000)))["x"].verdict is Verdict.HEALTHY


def test_a_shift_of_one_deviation_is_critical():
    assert found(total_variation, *compared(NORMAL, RANDOM.normal(1, 1, 5_000)))["x"].verdict is Verdict.CRITICAL


def test_one_outlier_among_a_hundred_thousand_rows_hides_no_shift_of_half_a_deviation():
    spoiled = RANDOM.normal(size=100_000)
    spoiled[0] = 1e6

    assert found(total_variation, *compared(spoiled, RANDOM.normal(0.5, 1, 20_000)))["x"].bad


def test_small_windows_of_many_rare_levels_do_not_cry_wolf():
    names = [f"level {i}" for i in range(300)]
    then, now = (RANDOM.choice(names, n).tolist() for n in (1_000, 220))
    finding = found(total_variation, *compared(then, now))["x"]

    assert finding.verdict is Verdict.HEALTHY


def test_a_new_level_moves_it():
    assert found(total_variation, *compared(["a", "b"] * 500, ["a", "b", "new"] * 300))["x"].bad


def test_too_few_rows_are_said_to_be_too_few():
    assert found(total_variation, *compared(NORMAL, np.full(50, 9.0)))["x"].verdict is Verdict.UNKNOWN


def test_missing_values_are_left_out():
    gone = np.concatenate([NORMAL[:1_000], np.full(500, np.nan)])
    clean, left_out = (measured(total_variation, *compared(NORMAL, now))["x"] for now in (NORMAL[:1_000], gone))

    assert (left_out.value, left_out.n) == (clean.value, clean.n)


def test_a_column_that_has_become_text_is_not_compared():
    reference = a_reading({"x": NORMAL})

    assert "another type" in unmeasured(total_variation, reference, a_reading({"x": ["a"] * 500}))["x"]
