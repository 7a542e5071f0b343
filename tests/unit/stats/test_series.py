"""Levels of series: equal to SciPy where SciPy has them, sure only as far as neighbours that are alike allow."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats
from scipy.signal import lfilter

from bot.stats.series import LEAST, level, mostly_under, usual, winsorised

FINITE = st.floats(-1e307, 1e307)


def alike(n, rho, rng):
    """Return n samples of an AR(1) series around 0, sd 1."""
    noise = rng.normal(size=n + 200) * np.sqrt(1 - rho**2)
    return lfilter([1], [1, -rho], noise)[200:]


def test_a_level_by_hand():
    # 1 … 20: 1 becomes 2 and 20 becomes 19; the means of ten pairs are 2, 3.5, 5.5, …, 17.5, 19
    pairs = np.array([2, 3.5, 5.5, 7.5, 9.5, 11.5, 13.5, 15.5, 17.5, 19])
    half = stats.t.ppf(0.975, 9) * pairs.std(ddof=1) / np.sqrt(10)

    assert level(np.arange(1.0, 21.0)) == pytest.approx((10.5, 10.5 - half, 10.5 + half), abs=1e-12)


@pytest.mark.parametrize("n", [8, 19, 20, 100, 299])
def test_drawing_in_is_scipys(n):
    values = np.round(np.random.default_rng(n).normal(size=n), 1)  # with ties

    assert winsorised(values) == pytest.approx(np.asarray(stats.mstats.winsorize(values, (0.05, 0.05))), abs=1e-12)


def test_a_constant_is_sure_of_itself():
    assert level(np.full(30, 3.5)) == pytest.approx((3.5, 3.5, 3.5), abs=1e-12)
    assert level(np.zeros(30)) == (0.0, 0.0, 0.0)


def test_the_interval_holds_the_mean_of_samples_that_hang_together():
    rng = np.random.default_rng(3)
    found = [level(alike(240, 0.8, rng)) for _ in range(400)]
    held = np.mean([one.low <= 0 <= one.high for one in found])
    naive = [alike(240, 0.8, rng) for _ in range(400)]
    missed = np.mean([abs(v.mean()) > 1.96 * v.std() / np.sqrt(240) for v in naive])

    assert held > 0.90
    assert missed > 0.40  # what an interval that trusts the number of samples would do


def test_a_spike_moves_nothing():
    calm = np.random.default_rng(4).normal(100, 1, 240)
    spiked = calm.copy()
    spiked[17] = 1e12

    assert level(spiked).value == pytest.approx(level(calm).value, rel=1e-3)


@pytest.mark.parametrize(
    ("values", "ends"),
    [
        (np.arange(11.0, 61.0), (10.0, 66.0)),  # of fifty none is left out
        (np.arange(1.0, 301.0), (6 / 1.1, 295 * 1.1)),
        (np.array([-1.0, 0.0]), (-1.1, 0.0)),
        (np.array([-2.0, -1.1]), (-2.2, -1.0)),
    ],
)
def test_usual_is_what_all_but_one_in_fifty_keep_to_and_a_tenth_beyond(values, ends):
    assert usual(values) == pytest.approx(ends, abs=1e-12)


def test_one_sample_in_twenty_may_lie_over_the_95th_percentile():
    assert mostly_under(np.r_[np.ones(95), np.full(5, 9.0)]) <= 9.0
    assert mostly_under(np.r_[np.ones(97), np.full(3, 9.0)]) == 1.0
    assert mostly_under(np.r_[np.ones(90), np.full(10, 9.0)]) == 9.0


@given(arrays.arrays(np.float64, st.integers(LEAST, 60), elements=FINITE))
def test_a_level_lies_within_its_interval_and_its_samples(values):
    value, low, high = level(values)
    slack = 1e-9 * np.abs(values).max()

    assert low <= value <= high
    assert values.min() - slack <= value <= values.max() + slack
    assert np.isfinite([value, low, high]).all()
