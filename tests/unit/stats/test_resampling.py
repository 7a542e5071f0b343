"""Windows that might have been, and a reference without the rows that they are made of."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.profiles import CategoryProfile
from bot.stats.profiles import profile_numbers
from bot.stats.resampling import drawn, without

FINITE = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30)


def test_windows_are_made_of_blocks_of_consecutive_parts():
    windows = drawn(parts=120, take=14, times=50)

    assert windows.shape == (50, 14)
    assert windows.min() >= 0
    assert windows.max() < 120
    assert (np.diff(windows[:, :5], axis=1) == 1).all()


def test_the_same_windows_are_drawn_at_every_call():
    assert np.array_equal(drawn(60, 7, 20), drawn(60, 7, 20))


def test_parts_that_are_windows_themselves_come_once_each():
    assert drawn(5, 1, 200).tolist() == [[0], [1], [2], [3], [4]]


@given(FINITE, FINITE)
def test_taking_a_part_out_again_leaves_the_other(one, other):
    like = profile_numbers(np.array(one + other))
    left, right = (profile_numbers(np.array(values), nulls=1, like=like) for values in (one, other))
    rest = without(left.merged(right), right)

    assert (rest.rows, rest.nulls, rest.count) == (left.rows, 1, left.count)
    assert np.array_equal(rest.up_to, left.up_to)
    assert np.array_equal(rest.bins, left.bins)
    assert rest.mean == pytest.approx(left.mean, abs=1e-6)
    assert rest.squares == pytest.approx(left.squares, rel=1e-6, abs=1e-2)


def test_a_whole_without_itself_is_empty():
    whole = profile_numbers(np.arange(10.0))
    rest = without(whole, whole)

    assert (rest.rows, rest.count, rest.squares) == (0, 0, 0.0)


def test_levels_are_taken_out_and_what_was_capped_comes_from_the_rest():
    whole = CategoryProfile(20, 2, {"a": 10, "b": 5}, other=3, distinct=4)
    rest = without(whole, CategoryProfile(8, 1, {"a": 4, "z": 2}, other=1, distinct=3))

    assert (rest.rows, rest.nulls, rest.counts, rest.other) == (12, 1, {"a": 6, "b": 5}, 0)


def test_another_kind_changes_nothing():
    whole = profile_numbers(np.arange(10.0))

    assert without(whole, CategoryProfile(1, 0, {"a": 1})) is whole
