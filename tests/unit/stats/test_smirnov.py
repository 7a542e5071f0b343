"""Smirnov's distance and p-value over whole columns: SciPy is the oracle."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from bot.stats import smirnov
from bot.stats.smirnov import distance, exact_p_value

some = st.one_of(st.integers(-4, 4).map(float), st.floats(-1e9, 1e9), st.sampled_from([1e6, -0.0, 1e300]))
columns = arrays.arrays(np.float64, st.integers(1, 60), elements=some).map(np.sort)


@pytest.mark.parametrize(("then", "now", "ks"), [([1, 2, 3, 4], [3, 4, 5, 6], 0.5), ([1, 2], [1, 2], 0.0), ([1], [2, 3], 1.0)])
def test_the_distance_of_small_columns_is_the_one_made_by_hand(then, now, ks):
    assert distance(np.array(then, float), np.array(now, float)) == ks


@pytest.mark.filterwarnings("ignore:ks_2samp")  # of its p-value, which is not asked for
@pytest.mark.parametrize("blocks", [1, 2, 7, 4_096])
@settings(max_examples=40)
@given(columns, columns)
def test_the_distance_is_scipys_however_few_blocks_are_looked_at(monkeypatch_module, blocks, then, now):
    monkeypatch_module.setattr(smirnov, "BLOCKS", blocks)

    assert distance(then, now) == pytest.approx(stats.ks_2samp(then, now, method="exact").statistic, abs=1e-12)


@pytest.fixture(scope="module")
def monkeypatch_module():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def test_the_distance_of_large_columns_with_ties_is_scipys():
    random = np.random.default_rng(1)
    then, now = np.sort(random.normal(size=50_000).round(1)), np.sort(random.normal(0.05, 1, 30_000).round(1))

    assert distance(then, now) == pytest.approx(stats.ks_2samp(then, now, method="asymp").statistic, abs=1e-12)


@given(st.floats(0, 1), st.integers(2, 10_000), st.integers(2, 10_000))
def test_the_p_value_is_scipys(gap, n, m):
    oracle = stats.kstwo.sf(gap, np.round(n * m / (n + m)))

    assert exact_p_value(gap, n, m) == pytest.approx(oracle, rel=1e-9, abs=1e-300)


@pytest.mark.parametrize("size", [2_000, 9_001, 40_000])
@pytest.mark.parametrize("reach", [1.5, 1.9, 3.0, 6.0, 15.0])
def test_the_quick_sum_is_scipys_slow_one(size, reach):
    gap = reach / np.sqrt(size)

    assert exact_p_value(gap, 2 * size, 2 * size) == pytest.approx(stats.kstwo.sf(gap, size), rel=1e-9)


def test_the_p_value_of_two_samples_is_that_of_scipys_test():
    random = np.random.default_rng(2)
    oracle = stats.ks_2samp(random.normal(size=300), random.normal(0.1, 1, 200), method="asymp")

    assert exact_p_value(oracle.statistic, 300, 200) == pytest.approx(oracle.pvalue, abs=1e-12)


@pytest.mark.parametrize("gap", [0.0, 1.0])
def test_one_row_against_one_proves_nothing(gap):
    assert exact_p_value(gap, 1, 1) == 1.0
