from dataclasses import replace

import numpy as np
import pytest

from bot.checks.out_of_range import out_of_range
from bot.core.findings import Verdict
from tests.fakes.readings import a_reading
from tests.unit.checks.judging import found, measured, unmeasured

RANDOM = np.random.default_rng(17)


def compared(then, now):
    reference = a_reading({"x": np.asarray(then, dtype=np.float64)})
    return reference, a_reading({"x": np.asarray(now, dtype=np.float64)}, like=reference)


def test_the_share_outside_counts_both_ends_and_leaves_what_lies_on_them():
    result = measured(out_of_range, *compared(range(101), [-1, 0, 50, 100, 101, 200, np.nan, np.inf]))["x"]

    assert result.value == 3 / 6
    assert result.detail == "3 of 6 values lie outside the reference's 0 to 100; the window has −1 to 200"


def test_one_row_in_five_thousand_wakes_nobody():
    assert found(out_of_range, *compared(RANDOM.random(5_000), [2.0, *RANDOM.random(4_999)]))["x"].verdict is Verdict.HEALTHY


@pytest.mark.parametrize("then", [30, 100, 5_000])
def test_chance_takes_windows_out_of_a_small_references_range_and_wakes_nobody(then):
    verdicts = [
        found(out_of_range, *compared(RANDOM.normal(size=then), RANDOM.normal(size=rows)))["x"].verdict
        for rows in (100, 1_000)
        for _ in range(100)
    ]

    assert set(verdicts) == {Verdict.HEALTHY}


@pytest.mark.parametrize("share", [0.05, 0.2])
def test_values_that_leave_the_range_are_found_but_only_warned_of(share):
    now = np.where(RANDOM.random(2_000) < share, 1.3, RANDOM.random(2_000))

    assert found(out_of_range, *compared(RANDOM.random(5_000), now))["x"].verdict is Verdict.WARNING


def test_a_slow_column_says_little_of_its_range():
    month = np.repeat([1.0, 2.0, 3.0, 4.0], 5_000)

    assert found(out_of_range, *compared(month, np.full(2_000, 5.0)))["x"].verdict is Verdict.HEALTHY


def test_one_value_is_no_range():
    assert "no range" in unmeasured(out_of_range, *compared(np.ones(100), np.zeros(100)))["x"]


def test_a_window_that_was_counted_elsewhere_is_not_compared():
    reference, _ = compared(range(100), [])

    assert "cut points" in unmeasured(out_of_range, reference, a_reading({"x": np.arange(50.0)}))["x"]


def test_a_reference_that_was_added_up_knows_its_own_share_outside():
    reference, other = compared(range(100), [*range(50), *range(1_000, 1_050)])
    added = replace(reference, columns={"x": reference.columns["x"].merged(other.columns["x"])})
    result = measured(out_of_range, added, other)["x"]

    assert result.reference == 0.25
    assert result.interval[0] < 0.5 - 0.2
