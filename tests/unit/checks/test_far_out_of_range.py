from dataclasses import replace

import numpy as np
import pytest

from bot.checks.far_out_of_range import far_out_of_range
from bot.core.findings import Verdict
from tests.fakes.readings import a_reading
from tests.unit.checks.judging import found, measured, unmeasured

RANDOM = np.random.default_rng(18)


def compared(then, now):
    reference = a_reading({"x": np.asarray(then, dtype=np.float64)})
    return reference, a_reading({"x": np.asarray(now, dtype=np.float64)}, like=reference)


def test_far_is_farther_out_than_the_range_is_wide():
    assert measured(far_out_of_range, *compared(range(11), [-10, -10.1, 0, 5, 20, 20.1]))["x"].value == 2 / 6


@pytest.mark.parametrize(("share", "verdict"), [(0.0, "healthy"), (0.001, "healthy"), (0.03, "warning"), (0.10, "critical")])
def test_values_that_no_season_brings_are_found_by_their_share(share, verdict):
    now = np.where(np.arange(3_000) < share * 3_000, -999.0, RANDOM.normal(60, 10, 3_000))

    finding = found(far_out_of_range, *compared(RANDOM.normal(60, 10, 5_000), now))["x"]

    assert finding.verdict == verdict


def test_a_summer_after_a_winter_is_out_of_range_but_not_far():
    winter, summer = RANDOM.normal(35, 9, 5_000), RANDOM.normal(82, 7, 2_000)

    assert found(far_out_of_range, *compared(winter, summer))["x"].verdict is Verdict.HEALTHY


@pytest.mark.parametrize("draw", [RANDOM.standard_normal, RANDOM.standard_exponential, RANDOM.standard_cauchy])
@pytest.mark.parametrize("then", [50, 2_000])
def test_windows_of_the_same_kind_wake_nobody(draw, then):
    verdicts = {found(far_out_of_range, *compared(draw(then), draw(500)))["x"].verdict for _ in range(60)}

    assert verdicts == {Verdict.HEALTHY}


def test_a_profile_from_before_this_was_counted_says_so():
    reference, current = compared(range(100), range(100))
    old = replace(reference, columns={"x": replace(reference.columns["x"], far=None)})

    assert "older than this check" in unmeasured(far_out_of_range, old, current)["x"]
    assert "no range" in unmeasured(far_out_of_range, *compared(np.ones(50), np.ones(50)))["x"]
