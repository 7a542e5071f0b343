"""Two windows side by side: the same level is the same number on both sides, whatever each of them saw first."""

import numpy as np
import pytest

from bot.stats.columns import MOST_LEVELS, aligned, ranked
from tests.fakes.readings import joint


def test_levels_are_numbered_by_the_references_frequency_and_new_ones_come_last():
    sides = aligned(joint({"c": ["b", "b", "a", None]}), joint({"c": ["new", "a", "b", "new"]}))

    assert list(sides.then[:, 0]) == pytest.approx([0, 0, 1, np.nan], nan_ok=True)
    assert list(sides.now[:, 0]) == [2, 1, 0, 2]
    assert (list(sides.categorical), list(sides.levels)) == ([True], [3])


def test_levels_of_equal_frequency_keep_apart():
    sides = aligned(joint({"c": ["a", "b", "c"]}), joint({"c": ["c"]}))

    assert sorted(sides.then[:, 0]) == [0, 1, 2]


def test_a_column_of_another_type_and_one_that_is_gone_are_left_out():
    sides = aligned(joint({"x": np.ones(2), "y": ["1", "2"], "z": np.ones(2)}), joint({"x": np.ones(1), "y": np.ones(1)}))

    assert sides.names == ("x",)


def test_rows_without_any_common_column_are_still_rows():
    sides = aligned(joint({"x": np.ones(2)}), joint({"y": np.ones(3)}))

    assert (sides.then.shape, sides.now.shape) == ((2, 0), (3, 0))


def test_numbers_become_their_ranks_among_both_so_that_none_is_too_large():
    rows, is_now = ranked(aligned(joint({"x": np.array([1e308, -1e308, np.nan])}), joint({"x": np.array([0.0, 1e308])})))

    assert list(rows[:, 0]) == [2, 0, -1, 1, 2]
    assert list(is_now) == [False, False, False, True, True]


def test_neighbouring_ranks_share_a_step():
    sides = aligned(joint({"x": np.arange(4.0), "y": np.array([0, 0, 1, np.nan])}), joint({"x": np.arange(4.0), "y": np.ones(4)}))

    assert list(ranked(sides, 2)[0][:4, 0]) == [0, 0, 1, 1]
    assert list(ranked(sides, 2)[0][:4, 1]) == [0, 0, 1, -1]


def test_of_a_great_many_levels_the_rarest_share_one():
    names = [f"r{i:04}" for i in range(1_000)]
    rows, _ = ranked(aligned(joint({"c": names}), joint({"c": names})))

    assert rows.max() == MOST_LEVELS
