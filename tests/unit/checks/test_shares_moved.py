"""Hellinger, Jensen–Shannon, L∞ and total variation: four distances of shares, judged alike."""

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon

from bot.checks.hellinger import hellinger
from bot.checks.jensen_shannon import jensen_shannon
from bot.checks.l_infinity import l_infinity
from bot.checks.total_variation import total_variation
from bot.core.findings import Verdict
from tests.unit.checks.judging import compared, found, measured, unmeasured

RANDOM = np.random.default_rng(31)
NORMAL = RANDOM.normal(size=20_000)

P, Q = np.array([0.6, 0.4]), np.array([0.2, 0.8])
BY_HAND = [
    (hellinger, np.sqrt(1 - np.sqrt(P * Q).sum())),
    (jensen_shannon, jensenshannon(P, Q, base=2)),
    (l_infinity, 0.4),
    (total_variation, 0.4),
]

each = pytest.mark.parametrize("check", [check for check, _ in BY_HAND], ids=lambda check: check.name)


@pytest.mark.parametrize(("check", "by_hand"), BY_HAND, ids=lambda part: getattr(part, "name", ""))
def test_the_distance_of_two_levels_is_the_one_made_by_hand(check, by_hand):
    then, now = ["a"] * 60 + ["b"] * 40, ["a"] * 20 + ["b"] * 80

    assert measured(check, *compared(then, now))["x"].value == pytest.approx(by_hand, abs=1e-12)


@each
def test_a_window_like_its_reference_is_healthy(check):
    assert found(check, *compared(NORMAL, RANDOM.normal(size=5_000)))["x"].verdict is Verdict.HEALTHY


@each
def test_a_shift_of_one_deviation_is_critical(check):
    assert found(check, *compared(NORMAL, RANDOM.normal(1, 1, 5_000)))["x"].verdict is Verdict.CRITICAL


@each
def test_one_outlier_among_a_hundred_thousand_rows_hides_no_shift_of_half_a_deviation(check):
    spoiled = RANDOM.normal(size=100_000)
    spoiled[0] = 1e6

    assert found(check, *compared(spoiled, RANDOM.normal(0.5, 1, 20_000)))["x"].bad


@each
def test_small_windows_of_many_rare_levels_do_not_cry_wolf(check):
    names = [f"level {i}" for i in range(300)]
    then, now = (RANDOM.choice(names, n).tolist() for n in (1_000, 220))

    assert found(check, *compared(then, now))["x"].verdict is Verdict.HEALTHY


@each
def test_a_new_level_moves_it(check):
    assert found(check, *compared(["a", "b"] * 500, ["a", "b", "new"] * 300))["x"].bad


@each
def test_too_few_rows_are_said_to_be_too_few(check):
    assert found(check, *compared(NORMAL, np.full(50, 9.0)))["x"].verdict is Verdict.UNKNOWN


@each
def test_missing_values_are_left_out(check):
    gone = np.concatenate([NORMAL[:1_000], np.full(500, np.nan)])
    clean, left_out = (measured(check, *compared(NORMAL, now))["x"] for now in (NORMAL[:1_000], gone))

    assert (left_out.value, left_out.n) == (clean.value, clean.n)


@each
def test_a_column_that_has_become_text_is_not_compared(check):
    assert "another type" in unmeasured(check, *compared(NORMAL, ["a"] * 500))["x"]
