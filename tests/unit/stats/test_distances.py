"""Distances: known answers first, then SciPy as the oracle, then what must hold for any two columns."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from bot.stats.distances import (
    aligned,
    chi_square,
    kolmogorov_smirnov,
    stability_critical,
    stability_index,
)
from tests.fakes.readings import levels, numbers

few = st.integers(-5, 5).map(float)
some = st.one_of(few, st.floats(-1e9, 1e9), st.sampled_from([np.nan, np.inf, -np.inf, -0.0, 1e6]))
columns = arrays.arrays(np.float64, st.integers(1, 50), elements=some)
counts = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=2, max_size=8)


def finite(values):
    return values[np.isfinite(values)]


def both(reference, current, cuts=2_048):
    then = numbers(reference, cuts=cuts)
    return then, numbers(current, then)


def test_ks_of_two_small_samples_is_the_one_made_by_hand():
    distance = kolmogorov_smirnov(*both([1, 2, 3, 4], [3, 4, 5, 6]))

    assert distance[:3] == (0.5, 0.5, 0.5)


@pytest.mark.parametrize(
    ("current", "ks"), [([1, 2], 0.0), ([3, 4], 1.0), ([-3, -2], 1.0), ([1, 1, 1, 2], 0.25), ([1.5, 1.5], 0.5)]
)
def test_ks_against_one_and_two(current, ks):
    assert kolmogorov_smirnov(*both([1, 2], current)).value == ks


@pytest.mark.filterwarnings("ignore:ks_2samp")  # of its p-value, which is not asked for
@given(columns, columns)
def test_ks_is_scipys_when_every_reference_value_is_a_cut_point(reference, current):
    assume(len(finite(reference)) and len(finite(current)))
    oracle = stats.ks_2samp(finite(reference), finite(current), method="exact")

    distance = kolmogorov_smirnov(*both(reference, current))

    assert distance.value == pytest.approx(oracle.statistic, abs=1e-9)
    assert distance.low == distance.high == distance.value


@pytest.mark.filterwarnings("ignore:ks_2samp")  # of its p-value, which is not asked for
@given(columns, columns, st.integers(2, 8))
def test_scipys_ks_lies_in_the_interval_however_few_cut_points_there_are(reference, current, cuts):
    assume(len(finite(reference)) and len(finite(current)))
    oracle = stats.ks_2samp(finite(reference), finite(current), method="exact").statistic

    distance = kolmogorov_smirnov(*both(reference, current, cuts))

    assert distance.low - 1e-9 <= oracle <= distance.high + 1e-9
    assert distance.value == distance.low


def test_the_interval_of_a_large_column_is_narrow():
    random = np.random.default_rng(3)

    distance = kolmogorov_smirnov(*both(random.normal(size=50_000), random.normal(0.1, 1, 50_000)))

    assert distance.high - distance.low < 2e-3


def test_the_limit_and_scipys_p_value_agree_on_large_samples():
    random = np.random.default_rng(3)
    reference, current = random.normal(size=20_000), random.normal(0.02, 1, 20_000)

    distance = kolmogorov_smirnov(*both(reference, current))

    assert distance.p_value == pytest.approx(stats.ks_2samp(reference, current, method="asymp").pvalue, abs=0.01)


@pytest.mark.parametrize(("reference", "current"), [([], [1]), ([1], []), ([np.nan], [1]), ([1], [np.inf])])
def test_ks_of_nothing_is_not_known(reference, current):
    assert kolmogorov_smirnov(*both(reference, current)) is None


def test_ks_of_two_columns_counted_at_different_cut_points_is_not_known():
    assert kolmogorov_smirnov(numbers([1, 2, 3]), numbers([1, 2, 4])) is None


def test_psi_of_two_bins_is_the_one_made_by_hand():
    p, q = (6.5 / 11, 4.5 / 11), (2.5 / 11, 8.5 / 11)
    by_hand = (q[0] - p[0]) * math.log(q[0] / p[0]) + (q[1] - p[1]) * math.log(q[1] / p[1])

    assert stability_index(np.array([6, 4]), np.array([2, 8])).value == pytest.approx(by_hand, abs=1e-12)


def test_psi_on_reference_deciles_is_that_of_the_textbook():
    random = np.random.default_rng(5)
    reference, current = random.normal(size=5_000), random.normal(0.5, 1, 3_000)
    edges = np.unique(np.quantile(reference, np.linspace(0, 1, 11)))
    edges[[0, -1]] = -np.inf, np.inf
    p, q = (np.histogram(-x, -edges[::-1])[0][::-1] + 0.5 for x in (reference, current))  # negated: (lo, hi] as we have it
    p, q = p / p.sum(), q / q.sum()

    then, now = both(reference, current)

    assert stability_index(then.bins, now.bins).value == pytest.approx(float(((q - p) * np.log(q / p)).sum()), abs=1e-9)


@given(counts)
def test_psi_is_never_negative_and_the_same_both_ways(pairs):
    then, now = (np.array(side) for side in zip(*pairs, strict=True))
    assume(then.sum() and now.sum())

    assert stability_index(then, now).value >= 0
    assert stability_index(then, now).value == pytest.approx(stability_index(now, then).value)


def test_psi_of_the_same_shares_is_zero_and_certain():
    distance = stability_index(np.array([50, 50]), np.array([50, 50]))

    assert (distance.value, distance.p_value) == (0.0, 1.0)


def test_psi_of_one_bin_cannot_move():
    assert stability_index(np.array([5]), np.array([9]))[:3] == (0, 0, 0)


@pytest.mark.parametrize(("then", "now"), [([0, 0], [1, 2]), ([1, 2], [0, 0]), ([], [])])
def test_psi_of_nothing_is_not_known(then, now):
    assert stability_index(np.array(then, dtype=np.int64), np.array(now, dtype=np.int64)) is None


def test_chance_crosses_the_critical_psi_as_often_as_it_says():
    random = np.random.default_rng(7)
    shares = np.full(10, 0.1)
    draws = zip(random.multinomial(5_000, shares, 2_000), random.multinomial(1_000, shares, 2_000), strict=True)
    line = stability_critical(5_000, 1_000, 10, 0.05)

    crossed = np.mean([stability_index(then, now).value > line for then, now in draws])

    assert crossed == pytest.approx(0.05, abs=0.015)


def test_the_p_value_of_psi_is_uniform_without_change():
    random = np.random.default_rng(8)
    draws = zip(random.multinomial(5_000, [0.2] * 5, 1_000), random.multinomial(5_000, [0.2] * 5, 1_000), strict=True)

    p_values = [stability_index(then, now).p_value for then, now in draws]

    assert stats.kstest(p_values, "uniform").statistic < 0.06


@given(counts)
def test_chi_square_is_scipys_without_yates(pairs):
    table = np.array([pair for pair in pairs if sum(pair)]).T
    assume(table.size and table.shape[1] > 1 and (table.sum(axis=1) > 0).all())
    oracle = stats.chi2_contingency(table, correction=False)

    found = chi_square(*(np.array(side) for side in zip(*pairs, strict=True)))

    assert found.statistic == pytest.approx(oracle.statistic, abs=1e-9)
    assert found.p_value == pytest.approx(oracle.pvalue, abs=1e-9)
    assert found.cramers_v == pytest.approx(stats.contingency.association(table, "cramer"), abs=1e-9)


def test_cramers_v_of_two_levels_that_have_changed_places_is_one():
    assert chi_square(np.array([10, 0]), np.array([0, 10])).cramers_v == 1


def test_bergsmas_v_is_the_one_made_by_hand():
    table = np.array([[30, 20, 50], [20, 30, 50]])
    phi2 = stats.chi2_contingency(table, correction=False).statistic / 200
    by_hand = math.sqrt(max(0, phi2 - 2 / 199) / min(3 - 2**2 / 199 - 1, 2 - 1 / 199 - 1))

    assert chi_square(table[0], table[1]).corrected_v == pytest.approx(by_hand, abs=1e-12)


def test_the_corrected_v_of_chance_alone_is_near_zero_where_the_plain_one_is_not():
    random = np.random.default_rng(9)
    shares = np.full(200, 1 / 200)

    found = chi_square(random.multinomial(1_000, shares), random.multinomial(1_000, shares))

    assert found.corrected_v < 0.1
    assert found.cramers_v > 0.25


def test_one_level_on_both_sides_has_not_changed():
    assert chi_square(np.array([7, 0]), np.array([9, 0])) == (0.0, 1.0, 0.0, 0.0)


@pytest.mark.parametrize(("then", "now"), [([0, 0], [1, 2]), ([3, 1], [0, 0])])
def test_an_empty_side_has_no_association(then, now):
    assert chi_square(np.array(then), np.array(now)) is None


def test_levels_are_aligned_by_name_and_new_ones_come_last():
    reference = levels(["b", "b", "c"])

    then, now = aligned(reference, levels(["a", "c", "c", "z"], reference))

    assert (then.tolist(), now.tolist()) == ([2, 1, 0, 0], [0, 2, 1, 1])


def test_beside_dropped_levels_a_new_one_counts_as_one_of_them():
    reference = levels(["a"] * 5 + ["b"] * 4 + ["c", "d"], most=2)

    then, now = aligned(reference, levels(["a", "new", "newer"], reference))

    assert (then.tolist(), now.tolist()) == ([5, 4, 2], [1, 0, 2])


@settings(max_examples=50)
@given(st.lists(st.text(max_size=2), max_size=40), st.lists(st.text(max_size=2), max_size=40), st.integers(1, 5))
def test_alignment_loses_no_row_whatever_the_cap(before, after, most):
    reference = levels(before, most=most)

    then, now = aligned(reference, levels(after, reference, most=most))

    assert (then.sum(), now.sum()) == (len(before), len(after))
