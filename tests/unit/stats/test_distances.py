import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bot.core.profiles import CategoryProfile
from bot.stats.distances import aligned, chi_square, exact_p_value, kolmogorov_smirnov, stability_critical, stability_index
from bot.stats.profiles import profile_numbers

RNG = np.random.default_rng(3)
SAMPLES = st.lists(st.one_of(st.integers(-5, 5).map(float), st.floats(-1e6, 1e6)), min_size=1, max_size=60)


def ks(then, now, cuts=2_048):
    reference = profile_numbers(np.array(then, dtype=float), cuts=cuts)
    return kolmogorov_smirnov(reference, profile_numbers(np.array(now, dtype=float), like=reference))


def test_ks_of_two_hands_is_counted_by_hand():
    distance = ks([1, 2, 3, 4], [3, 4, 5, 6])

    assert (distance.value, distance.low, distance.high) == (0.5, 0.5, 0.5)


@given(then=SAMPLES, now=SAMPLES)
def test_ks_is_scipys_where_every_reference_value_is_a_cut_point(then, now):
    distance = ks(then, now)

    assert distance.low == distance.high == pytest.approx(stats.ks_2samp(then, now, method="asymp").statistic, abs=1e-12)


@settings(max_examples=300)
@given(then=SAMPLES, now=SAMPLES, cuts=st.integers(1, 12))
def test_scipys_ks_lies_inside_the_certified_interval(then, now, cuts):
    distance, oracle = ks(then, now, cuts), stats.ks_2samp(then, now, method="asymp").statistic

    assert distance.low - 1e-12 <= oracle <= distance.high + 1e-12


@given(first=SAMPLES, second=SAMPLES, then=SAMPLES, cuts=st.integers(1, 12))
def test_ks_of_merged_profiles_holds_scipys_value_of_the_whole(first, second, then, cuts):
    reference = profile_numbers(np.array(then), cuts=cuts)
    halves = [profile_numbers(np.array(half), like=reference) for half in (first, second)]
    distance = kolmogorov_smirnov(reference, halves[0].merged(halves[1]))
    oracle = stats.ks_2samp(then, first + second, method="asymp").statistic

    assert distance is not None
    assert distance.low - 1e-12 <= oracle <= distance.high + 1e-12


def test_the_interval_of_a_large_reference_is_narrow():
    distance = ks(RNG.normal(size=200_000), RNG.normal(0.1, 1, 50_000))

    assert distance.high - distance.low < 0.001


def test_ks_p_values_are_scipys():
    then, now = RNG.normal(size=700), RNG.normal(0.1, 1, 500)
    oracle = stats.ks_2samp(then, now, method="asymp")
    distance = ks(then, now)

    assert exact_p_value(distance.value, 700, 500) == pytest.approx(oracle.pvalue, rel=1e-9)
    assert distance.p_value == pytest.approx(oracle.pvalue, rel=0.1)


@pytest.mark.parametrize("values", [[], [np.nan], [np.inf, -np.inf]])
def test_without_finite_values_there_is_no_ks(values):
    assert ks([1.0], values) is None
    assert ks(values, [1.0]) is None


def test_profiles_of_different_references_are_not_compared():
    assert kolmogorov_smirnov(profile_numbers(np.arange(9.0)), profile_numbers(np.arange(8.0))) is None


def test_psi_of_two_bins_is_counted_by_hand():
    found = stability_index(np.array([49, 49]), np.array([24, 74]))
    p, q = (np.array(side) / 99 for side in ((49.5, 49.5), (24.5, 74.5)))

    assert found.value == pytest.approx(float(((q - p) * np.log(q / p)).sum()), abs=1e-15)


@pytest.mark.parametrize("side", [0, 1])
def test_psi_of_no_rows_is_nothing(side):
    counts = [np.array([5, 5]), np.array([5, 5])]
    counts[side] = np.array([0, 0])

    assert stability_index(*counts) is None


def test_psi_of_one_bin_is_no_change():
    assert stability_index(np.array([5]), np.array([50])) == (0.0, 0.0, 0.0, 1.0)


def test_the_critical_value_is_what_chance_exceeds_once_in_a_hundred():
    n, m, bins = 100_000, 500, 10
    drawn = RNG.multinomial(m, [0.1] * bins, 4_000)
    beyond = np.mean([stability_index(np.full(bins, n // bins), row).value > stability_critical(n, m, bins) for row in drawn])

    assert beyond == pytest.approx(0.01, abs=0.006)


def test_the_p_value_and_the_critical_value_say_the_same():
    found = stability_index(np.full(10, 100), np.array([70, 130, *[100] * 8]))
    critical = stability_critical(1_000, 1_000, 10, level=found.p_value)

    assert critical == pytest.approx(found.value, rel=1e-9)


@given(table=st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=2, max_size=12))
def test_chi_square_is_scipys_without_yates(table):
    then, now = np.array(table).T
    seen = (then + now) > 0
    if not then.sum() or not now.sum() or seen.sum() < 2:
        return
    found = chi_square(then, now)
    oracle = stats.chi2_contingency(np.stack([then[seen], now[seen]]), correction=False)

    assert found.statistic == pytest.approx(oracle.statistic, rel=1e-9, abs=1e-9)
    assert found.p_value == pytest.approx(oracle.pvalue, rel=1e-9, abs=1e-12)
    assert found.cramers_v == pytest.approx(
        stats.contingency.association(np.stack([then[seen], now[seen]]), method="cramer"), abs=1e-9
    )


def test_the_corrected_v_of_chance_is_near_nothing():
    wide = RNG.multinomial(300, [0.02] * 50, 2)
    found = chi_square(wide[0], wide[1])

    assert found.cramers_v > 0.2
    assert found.corrected_v < 0.15


def test_chi_square_of_one_level_is_no_change():
    assert chi_square(np.array([5, 0]), np.array([9, 0])) == (0.0, 1.0, 0.0, 0.0)


def test_chi_square_of_an_empty_side_is_nothing():
    assert chi_square(np.array([5, 2]), np.array([0, 0])) is None


def test_levels_are_aligned_over_their_union():
    then, now = aligned(CategoryProfile(3, 0, {"a": 1, "b": 2}), CategoryProfile(7, 0, {"c": 4, "b": 3}))

    assert (then.tolist(), now.tolist()) == ([1, 2, 0], [0, 3, 4])


def test_where_the_reference_dropped_levels_new_ones_are_not_told_from_dropped_ones():
    reference = CategoryProfile(20, 0, {"a": 10}, other=10, distinct=8)
    then, now = aligned(reference, CategoryProfile(11, 1, {"a": 4, "rare": 6}))

    assert (then.tolist(), now.tolist()) == ([10, 10], [4, 6])


def test_many_levels_that_have_not_changed_are_no_drift():
    from bot.stats.profiles import profile_levels  # noqa: PLC0415

    levels = [f"l{i}" for i in range(20_000)]
    shares = 1 / np.arange(1, 20_001)
    then, now = RNG.multinomial(100_000, shares / shares.sum(), 2)
    reference = profile_levels(levels, then)
    found = stability_index(*aligned(reference, profile_levels(levels, now, like=reference)))

    assert found.p_value > 0.001
