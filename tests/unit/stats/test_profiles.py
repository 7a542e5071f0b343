"""Counting a column: what is kept, and that the order and the slices of the rows do not matter."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from bot.stats.profiles import at_most, cut_points, decile_edges, profile_numbers
from tests.fakes.readings import levels, numbers

ANYTHING = st.floats(allow_nan=True, allow_infinity=True, width=64)
MODEST = st.floats(-1e6, 1e6)
columns = arrays.arrays(np.float64, st.integers(0, 60), elements=ANYTHING)
modest = arrays.arrays(np.float64, st.integers(0, 60), elements=MODEST)


def test_every_count_of_a_small_column_is_the_one_made_by_hand():
    profile = numbers([3, 1, 2, 2, np.nan, np.inf], nulls=4)

    assert (profile.rows, profile.nulls, profile.nans, profile.infinities) == (10, 4, 1, 1)
    assert (profile.count, profile.missing) == (4, 5)
    assert profile.cuts.tolist() == [1, 2, 3]
    assert profile.below.tolist() == [0, 1, 3]
    assert profile.up_to.tolist() == [1, 3, 4]
    assert profile.sum_up_to.tolist() == [1, 5, 8]
    assert (profile.low, profile.high, profile.mean, profile.squares) == (1, 3, 2, 2)


def test_deciles_of_a_hundred_are_ten_equal_bins():
    profile = numbers(np.arange(1, 101))

    assert profile.edges.tolist() == pytest.approx([10.9, 20.8, 30.7, 40.6, 50.5, 60.4, 70.3, 80.2, 90.1])
    assert profile.bins.tolist() == [10] * 10


def test_seventy_per_cent_zeros_share_one_bin():
    profile = numbers([0.0] * 70 + list(range(1, 31)))

    assert profile.bins.tolist() == [70, 10, 10, 10]


def test_a_value_on_an_edge_belongs_to_the_bin_below_it():
    reference = numbers(np.arange(11.0))

    assert numbers([1.0], reference).bins.tolist() == [1, 0, 0, 0, 0, 0, 0, 0, 0, 0]


def test_a_constant_has_bins_below_at_and_above_it():
    reference = numbers(np.full(50, 7.0))

    assert reference.bins.tolist() == [0, 50, 0]
    assert numbers([6.0, 7.0, 7.0, 8.0, 9.0], reference).bins.tolist() == [1, 2, 2]


@pytest.mark.parametrize("nothing", [[], [np.nan, np.nan], [np.inf, -np.inf]])
def test_a_column_without_a_finite_value_has_a_profile(nothing):
    profile = numbers(nothing, nulls=2)

    assert profile.count == 0
    assert profile.rows == len(nothing) + 2
    assert len(profile.cuts) == 0
    assert (profile.low, profile.high, profile.mean) == (np.inf, -np.inf, 0.0)


def test_minus_zero_is_zero():
    ours, theirs = numbers([-0.0, 0.0, 1.0]), numbers([0.0, -0.0, 1.0])

    assert ours.cuts.tolist() == theirs.cuts.tolist() == [0.0, 1.0]
    assert ours.up_to.tolist() == theirs.up_to.tolist() == [2, 3]


def test_both_infinities_are_counted_apart_from_nan():
    profile = numbers([np.inf, -np.inf, -np.inf, np.nan, 0.0])

    assert (profile.infinities, profile.nans, profile.count) == (3, 1, 1)


def test_values_near_the_end_of_the_range_are_still_counted():
    profile = numbers([1e308, 1e308, -1e308])

    assert profile.up_to.tolist() == [1, 3]
    assert (profile.low, profile.high) == (-1e308, 1e308)


def test_no_more_cut_points_are_kept_than_asked_for_and_both_ends_are_among_them():
    cuts = cut_points(np.arange(10_000.0), 100)

    assert len(cuts) == 100
    assert (cuts[0], cuts[-1]) == (0, 9_999)


def test_a_frequent_value_takes_one_cut_point_however_often_it_falls_on_one():
    values = np.sort(np.concatenate([np.zeros(9_000), np.arange(1.0, 5_001)]))

    cuts = cut_points(values, 100)

    assert len(np.unique(cuts)) == len(cuts)
    assert cuts[0] == 0


def test_edges_of_nothing_are_none():
    assert decile_edges(np.empty(0)).tolist() == []


@given(columns)
def test_every_row_of_any_column_is_counted_once(values):
    profile = numbers(values)

    assert profile.count + profile.nans + profile.infinities == profile.rows == len(values)
    assert profile.bins.sum() == profile.count
    assert (np.diff(profile.cuts) > 0).all()
    assert (profile.below <= profile.up_to).all()


@given(modest, modest, modest)
def test_profiles_of_two_slices_add_up_to_the_profile_of_the_whole(reference, one, other):
    like = numbers(reference)

    whole = numbers(np.concatenate([one, other]), like, nulls=5)
    merged = numbers(one, like, nulls=2).merged(numbers(other, like, nulls=3))

    for name in ("rows", "nulls", "nans", "infinities", "low", "high"):
        assert getattr(merged, name) == getattr(whole, name)
    for name in ("below", "up_to", "bins"):
        assert getattr(merged, name).tolist() == getattr(whole, name).tolist()
    assert merged.sum_up_to == pytest.approx(whole.sum_up_to, rel=1e-9, abs=1e-4)
    assert merged.mean == pytest.approx(whole.mean, rel=1e-9, abs=1e-6)
    assert merged.squares == pytest.approx(whole.squares, rel=1e-6, abs=1e-3)


def test_profiles_counted_at_different_cut_points_do_not_add_up():
    with pytest.raises(ValueError, match="same reference cut points"):
        numbers([1, 2, 3]).merged(numbers([4, 5, 6]))


@given(modest, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(values, random):
    shuffled = list(values)
    random.shuffle(shuffled)

    assert numbers(shuffled).up_to.tolist() == numbers(values).up_to.tolist()
    assert numbers(shuffled).cuts.tolist() == numbers(values).cuts.tolist()


def test_mean_and_squares_are_numpys():
    values = np.random.default_rng(1).normal(1e6, 3, 10_000)

    profile = profile_numbers(values.copy())

    assert profile.mean == pytest.approx(values.mean(), rel=1e-12)
    assert profile.squares / len(values) == pytest.approx(values.var(), rel=1e-9)


def test_levels_are_counted_and_nulls_apart():
    profile = levels(["b", "a", None, "b", None])

    assert profile.counts == {"b": 2, "a": 1}
    assert (profile.rows, profile.nulls, profile.count, profile.distinct) == (5, 2, 3, 2)


def test_beyond_the_cap_only_the_sum_is_kept():
    profile = levels(["a"] * 3 + ["b"] * 2 + ["c", "d"], most=2)

    assert profile.counts == {"a": 3, "b": 2}
    assert (profile.other, profile.distinct) == (2, 4)


def test_a_tie_at_the_cap_is_broken_by_name_not_by_the_order_of_the_rows():
    assert levels(["z", "y", "x"], most=2).counts == levels(["x", "y", "z"], most=2).counts == {"x": 1, "y": 1}


def test_a_window_keeps_the_references_levels_however_rare_they_have_become():
    reference = levels(["a"] * 9 + ["b"])

    window = levels(["new"] * 9 + ["newer"] * 8 + ["b"], reference, most=2)

    assert window.counts["b"] == 1


@pytest.mark.parametrize("name", ["", " ", "NaN", "'; DROP TABLE x; --", "<!channel>", "é" * 10_000, "a\x00b", "\u202egnirts"])
def test_a_hostile_level_is_only_text(name):
    assert levels([name, name]).counts == {name: 2}


def test_no_rows_and_only_nulls_have_a_profile():
    assert (levels([]).rows, levels([]).count) == (0, 0)
    assert (levels([None, None]).rows, levels([None, None]).count) == (2, 0)


def test_category_profiles_of_two_slices_add_up():
    one, other = ["a", "b", None], ["b", "c"]

    merged, whole = levels(one).merged(levels(other)), levels(one + other)

    assert dict(merged.counts) == dict(whole.counts)
    assert (merged.rows, merged.nulls, merged.distinct) == (whole.rows, whole.nulls, whole.distinct)


@pytest.mark.parametrize(("value", "rows"), [(1.0, 1), (2.0, 2), (2.5, 0), (0.0, 0), (9.0, 0)])
def test_how_often_a_column_has_a_value_is_exact_at_its_cut_points(value, rows):
    assert at_most(numbers([1, 2, 2, 3]), value) == rows


def test_between_cut_points_it_is_at_most_what_lies_between():
    profile = numbers(np.arange(1_000.0), cuts=3)

    assert profile.cuts.tolist() == [0, 500, 999]
    assert at_most(profile, 7.0) == 499


def test_far_is_beyond_the_cut_points_by_more_than_their_width():
    like = numbers([10, 20])

    assert numbers([0, -0.1, 15, 30, 30.1, np.inf, np.nan], like).far == 2
    assert numbers([1e308, -1e308]).far == 0
    assert numbers([1.0], numbers([])).far == 0
