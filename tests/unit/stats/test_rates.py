import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bot.stats.rates import newcombe, percentile, poisson, wilson


@given(n=st.integers(1, 10_000), share=st.floats(0, 1))
def test_wilson_is_scipys(n, share):
    k = int(share * n)
    oracle = stats.binomtest(k, n).proportion_ci(method="wilson")

    assert wilson(k, n) == pytest.approx((oracle.low, oracle.high), abs=1e-9)


def test_of_no_trials_anything_may_be_true():
    assert wilson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("counts", "interval"),
    [((56, 70, 48, 80), (0.0524, 0.3339)), ((9, 10, 3, 10), (0.1705, 0.8090)), ((10, 10, 0, 10), (0.6075, 1.0))],
)
def test_newcombes_differences_are_those_of_his_paper(counts, interval):
    assert newcombe(*counts) == pytest.approx(interval, abs=5e-5)


@pytest.mark.parametrize(("count", "interval"), [(0, (0.0, 3.6889)), (10, (4.7954, 18.3904)), (100, (81.364, 121.627))])
def test_garwoods_intervals_are_those_of_the_tables(count, interval):
    assert poisson(count) == pytest.approx(interval, rel=1e-4, abs=1e-4)


def test_a_percentile_lies_in_its_interval_as_often_as_promised():
    rng, truth = np.random.default_rng(6), stats.expon.ppf(0.95)
    bands = [percentile(np.sort(rng.exponential(size=400)), 0.95)[1:] for _ in range(600)]

    assert np.mean([low <= truth <= high for low, high in bands]) >= 0.93


@given(values=st.lists(st.floats(0, 1e6), min_size=1, max_size=50), share=st.sampled_from([0.5, 0.95, 0.99]))
def test_a_percentile_is_numpys_and_inside_its_interval(values, share):
    value, low, high = percentile(np.sort(values), share)

    assert value == np.quantile(values, share)
    assert low <= value <= high
