"""What makes an approximation safe to alarm on: SciPy's exact value is never outside of what the profiles claim."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bot.core.profiles import NumericProfile
from bot.stats.distances import aligned, kolmogorov_smirnov, stability_index
from bot.stats.profiles import profile_levels, profile_numbers
from bot.stats.rates import percentile

VALUES = st.lists(st.one_of(st.integers(-5, 5).map(float), st.floats(-1e6, 1e6)), min_size=1, max_size=60)


def counted(values: list[float], like: NumericProfile | None = None, cuts: int = 2_048) -> NumericProfile:
    return profile_numbers(np.array(values, dtype=float), like=like, cuts=cuts)


@given(first=VALUES, second=VALUES, then=VALUES, cuts=st.integers(1, 12))
def test_ks_of_merged_windows_holds_scipys_value_of_the_whole(first, second, then, cuts):
    reference = counted(then, cuts=cuts)
    distance = kolmogorov_smirnov(reference, counted(first, reference).merged(counted(second, reference)))
    oracle = stats.ks_2samp(then, first + second, method="asymp").statistic

    assert distance is not None
    assert distance.low - 1e-12 <= oracle <= distance.high + 1e-12


@given(first=VALUES, second=VALUES, now=VALUES)
def test_a_merged_reference_still_certifies(first, second, now):
    start = counted(first, cuts=3)
    reference = start.merged(counted(second, start))
    distance = kolmogorov_smirnov(reference, counted(now, start))
    oracle = stats.ks_2samp(first + second, now, method="asymp").statistic

    assert distance is not None
    assert distance.low - 1e-12 <= oracle <= distance.high + 1e-12


@given(values=VALUES, cuts=st.integers(1, 8), probe=VALUES)
def test_counts_at_the_cut_points_are_counts_one_by_one(values, cuts, probe):
    reference, column = counted(values, cuts=cuts), np.array(probe)
    profile = counted(probe, reference)

    assert profile.below.tolist() == [int((column < cut).sum()) for cut in reference.cuts]
    assert profile.up_to.tolist() == [int((column <= cut).sum()) for cut in reference.cuts]
    assert profile.sum_up_to == pytest.approx([column[column <= cut].sum() for cut in reference.cuts], rel=1e-9, abs=1e-3)


@given(values=st.lists(st.floats(0, 1e6), min_size=1, max_size=50), share=st.sampled_from([0.5, 0.95, 0.99]))
def test_a_percentile_is_numpys_and_inside_its_interval(values, share):
    value, low, high = percentile(np.sort(values), share)

    assert value == np.quantile(values, share)
    assert low <= value <= high


def test_twenty_thousand_levels_that_have_not_changed_are_no_drift():
    shares = 1 / np.arange(1, 20_001)
    then, now = np.random.default_rng(3).multinomial(100_000, shares / shares.sum(), 2)
    names = [f"l{i}" for i in range(20_000)]
    reference = profile_levels(names, then)
    found = stability_index(*aligned(reference, profile_levels(names, now, like=reference)))

    assert found is not None
    assert found.p_value > 0.001
