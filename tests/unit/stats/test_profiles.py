import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.stats.profiles import cut_points, decile_edges, profile_levels, profile_numbers

NUMBERS = st.lists(st.one_of(st.integers(-4, 4).map(float), st.floats(allow_nan=True, allow_infinity=True)), max_size=50)
TAME = st.lists(st.one_of(st.integers(-4, 4).map(float), st.floats(-1e9, 1e9)), max_size=50)
RNG = np.random.default_rng(4)


def counted(profile):
    return (profile.rows, profile.missing, profile.infinities, profile.count, profile.up_to.tolist(), profile.below.tolist())


def test_a_small_column_is_counted_by_hand():
    profile = profile_numbers(np.array([3.0, 1.0, 1.0, np.nan, np.inf, -np.inf]), nulls=2)

    assert (profile.rows, profile.nulls, profile.nans, profile.infinities, profile.count) == (8, 2, 1, 2, 3)
    assert (profile.cuts.tolist(), profile.below.tolist(), profile.up_to.tolist()) == ([1.0, 3.0], [0, 2], [2, 3])
    assert profile.sum_up_to.tolist() == [2.0, 5.0]
    assert (profile.low, profile.high, profile.mean) == (1.0, 3.0, pytest.approx(5 / 3))


@given(values=NUMBERS, nulls=st.integers(0, 3))
def test_no_row_is_lost_or_doubled(values, nulls):
    profile = profile_numbers(np.array(values, dtype=float), nulls=nulls)
    finite = [v for v in values if np.isfinite(v)]

    assert profile.rows == len(values) + nulls
    assert profile.missing == nulls + sum(np.isnan(v) for v in values)
    assert profile.count == len(finite) == profile.bins.sum()
    assert (np.diff(profile.cuts) > 0).all()


@given(values=TAME, cuts=st.integers(1, 8), probe=TAME)
def test_counts_at_the_cut_points_are_counts_one_by_one(values, cuts, probe):
    reference = profile_numbers(np.array(values, dtype=float), cuts=cuts)
    profile = profile_numbers(np.array(probe, dtype=float), like=reference)
    column = np.array(probe, dtype=float)

    assert profile.below.tolist() == [int((column < cut).sum()) for cut in reference.cuts]
    assert profile.up_to.tolist() == [int((column <= cut).sum()) for cut in reference.cuts]
    assert profile.sum_up_to == pytest.approx([column[column <= cut].sum() for cut in reference.cuts], rel=1e-9, abs=1e-3)


@given(first=TAME, second=TAME, reference=TAME)
def test_merged_parts_are_the_whole(first, second, reference):
    like = profile_numbers(np.array(reference, dtype=float), cuts=5)
    one, two, whole = (profile_numbers(np.array(part, dtype=float), like=like) for part in (first, second, first + second))
    merged = one.merged(two)

    assert counted(merged) == counted(whole)
    assert merged.bins.tolist() == whole.bins.tolist()
    assert (merged.low, merged.high) == (whole.low, whole.high)
    assert merged.mean == pytest.approx(whole.mean, rel=1e-9, abs=1e-6)
    assert merged.squares == pytest.approx(whole.squares, rel=1e-6, abs=1e-3)


def test_cut_points_are_at_equal_ranks_with_both_ends():
    cuts = cut_points(np.arange(1_000.0), 11)

    assert cuts.tolist() == [0, 100, 200, 300, 400, 500, 599, 699, 799, 899, 999]


def test_a_column_of_few_values_keeps_them_all():
    assert cut_points(np.sort(RNG.integers(0, 50, 10_000).astype(float)), 64).tolist() == list(range(50))


def test_deciles_are_linear_quantiles_with_open_ends():
    ordered = np.sort(RNG.normal(size=1_000))

    assert decile_edges(ordered) == pytest.approx(np.quantile(ordered, np.arange(1, 10) / 10), abs=1e-12)


def test_tied_deciles_are_dropped():
    ordered = np.sort(np.concatenate([np.zeros(710), RNG.uniform(1, 2, 290)]))

    assert len(profile_numbers(ordered).bins) == 3


def test_the_upper_edge_belongs_to_its_bin():
    reference = profile_numbers(np.arange(11.0))
    profile = profile_numbers(reference.edges.copy(), like=reference)

    assert profile.bins.tolist() == [1] * 9 + [0]


def test_a_constant_has_bins_below_at_and_above_it():
    reference = profile_numbers(np.full(100, 7.0))
    profile = profile_numbers(np.array([6.0, 7.0, 7.0, 8.0]), like=reference)

    assert reference.bins.tolist() == [0, 100, 0]
    assert profile.bins.tolist() == [1, 2, 1]


@pytest.mark.parametrize("values", [[], [np.nan], [np.inf]])
def test_a_column_without_finite_values_has_no_cut_points(values):
    profile = profile_numbers(np.array(values, dtype=float))

    assert (len(profile.cuts), profile.count, profile.bins.sum()) == (0, 0, 0)


def test_the_largest_doubles_are_counted_without_a_warning():
    profile = profile_numbers(np.array([1.7e308, 1.7e308, -1.7e308]))

    assert (profile.count, profile.infinities) == (3, 0)


def test_rare_levels_are_summed_and_the_frequent_ones_kept():
    profile = profile_levels(["a", "b", "c"], np.array([5, 1, 9]), nulls=2, most=2)

    assert (profile.rows, profile.counts, profile.other, profile.distinct) == (17, {"c": 9, "a": 5}, 1, 3)


def test_a_window_keeps_every_level_that_its_reference_names():
    reference = profile_levels(["a", "b"], np.array([5, 5]), most=2)
    profile = profile_levels(["x", "y", "b"], np.array([90, 80, 1]), like=reference, most=2)

    assert (profile.counts, profile.other) == ({"b": 1, "x": 90}, 80)
