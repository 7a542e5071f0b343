"""Intervals of proportions, counts and percentiles, against the tables of the books."""

import numpy as np
import pytest
from scipy import stats

from bot.stats.rates import SURE, beyond, lost, newcombe, percentile, poisson, wilson


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [(0, 10, 0.0, 0.277533), (1, 10, 0.017876, 0.404150), (5, 10, 0.236593, 0.763407)],
)
def test_wilsons_interval_is_that_of_the_books(k, n, low, high):
    assert wilson(k, n) == pytest.approx((low, high), abs=2e-6)


def test_wilsons_interval_is_that_of_newcombes_table():
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_of_no_trials_anything_may_be_true():
    assert wilson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize("k", [0, 1, 50, 99, 100])
def test_wilsons_interval_holds_the_share_and_stays_between_zero_and_one(k):
    low, high = wilson(k, 100)

    assert 0 <= low <= k / 100 <= high <= 1


def test_newcombes_interval_is_that_of_his_paper():
    assert newcombe(56, 70, 48, 80) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_newcombes_interval_of_nothing_against_nothing_holds_zero():
    low, high = newcombe(0, 10, 0, 10)

    assert low < 0 < high


@pytest.mark.parametrize(
    ("count", "low", "high"),
    [(0, 0.0, 3.6889), (1, 0.0253, 5.5716), (5, 1.6235, 11.6683), (10, 4.7954, 18.3904), (100, 81.364, 121.627)],
)
def test_garwoods_interval_is_that_of_the_tables(count, low, high):
    assert poisson(count) == pytest.approx((low, high), abs=5e-4)


def test_the_interval_of_a_median_is_made_of_order_statistics():
    value, low, high = percentile(np.arange(1.0, 101.0), 0.5)

    assert (value, low, high) == (50.5, 40, 61)


@pytest.mark.parametrize("share", [0.003, 0.5, 0.9, 0.95, 0.99, 0.999])
@pytest.mark.parametrize("n", [1, 2, 50, 399, 5_000, 48_211])
def test_the_ranks_of_a_percentile_are_the_binomials(n, share):
    low, high = (int(stats.binom.ppf(tail, n, share)) for tail in (0.025, 0.975))

    _, below, above = percentile(np.arange(n, dtype=float), share)

    value = np.quantile(np.arange(n), share)
    assert (below, above) == (min(value, max(0, low - 1)), max(value, min(n - 1, high)))


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99, 1.0])
def test_one_value_is_every_percentile_of_itself(share):
    assert percentile(np.array([7.0]), share) == (7, 7, 7)


def test_the_interval_of_a_percentile_covers_as_often_as_it_says():
    random = np.random.default_rng(11)
    truth = -np.log(0.05)

    bands = [percentile(np.sort(random.exponential(size=400)), 0.95) for _ in range(500)]

    assert np.mean([low <= truth <= high for _, low, high in bands]) > 0.93


@pytest.mark.parametrize(
    ("now", "then", "share"), [((30, 100), (0, 100), 0.3), ((75, 100), (50, 100), 0.5), ((5, 100), (10, 100), 0.0)]
)
def test_what_is_lost_is_a_share_of_what_used_to_be_there(now, then, share):
    value, low, high = lost(now, then)

    assert value == pytest.approx(share)
    assert 0 <= low <= value <= high <= 1


def test_where_nothing_is_left_everything_is_lost():
    assert lost((100, 100), (20, 100))[0] == 1.0


def test_what_is_usual_is_no_excess_and_what_is_certain_remains():
    assert beyond((2, 1_000), (2, 1_000))[0] == 0.0
    assert beyond((100, 1_000), (2, 1_000))[0] == pytest.approx(newcombe(100, 1_000, 2, 1_000, SURE)[0])


def test_an_excess_of_few_rows_over_a_small_reference_is_not_certain():
    assert beyond((5, 20), (2, 30))[0] == 0.0
    assert beyond((0.2, 0.28), (2, 5))[0] == 0.0
