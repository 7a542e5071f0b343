"""Profiles add up: two stretches merged are the profile of both stretches' rows."""

from dataclasses import replace

import numpy as np
import pytest

from bot.core.profiles import CategoryProfile
from tests.fakes.readings import levels, numbers

RANDOM = np.random.default_rng(7)
WARM, COLD = RANDOM.normal(20, 3, 500), RANDOM.normal(-5, 8, 900)
LIKE = numbers(np.concatenate([WARM, COLD]))


def merged(one, other):
    return numbers(one, LIKE).merged(numbers(other, LIKE))


@pytest.mark.parametrize("part", ["rows", "nulls", "nans", "infinities", "cuts", "below", "up_to", "edges", "bins", "low", "high"])
def test_counts_of_two_stretches_are_the_counts_of_both(part):
    one, other = np.append(WARM, [np.nan, np.inf]), np.append(COLD, [-np.inf])
    both = numbers(np.concatenate([one, other]), LIKE)

    assert np.array_equal(getattr(merged(one, other), part), getattr(both, part))


@pytest.mark.parametrize("part", ["mean", "squares", "sum_up_to"])
def test_moments_of_two_stretches_are_the_moments_of_both(part):
    both = numbers(np.concatenate([WARM, COLD]), LIKE)

    assert getattr(merged(WARM, COLD), part) == pytest.approx(getattr(both, part))


@pytest.mark.parametrize(("one", "other"), [([], [1.0, 3.0]), ([1.0, 3.0], [])])
def test_a_stretch_without_values_changes_no_moment(one, other):
    together = merged(one, other)

    assert (together.mean, together.squares, together.low, together.high, together.count) == (2.0, 2.0, 1.0, 3.0, 2)


def test_missing_counts_nulls_and_nans_and_leaves_infinities_to_themselves():
    profile = numbers([1.0, np.nan, np.inf], nulls=4)

    assert (profile.rows, profile.missing, profile.infinities, profile.count) == (7, 5, 1, 1)


def test_profiles_counted_at_other_cut_points_do_not_add_up():
    with pytest.raises(ValueError, match="only when both were counted at the same reference cut points"):
        numbers([1.0, 2.0]).merged(numbers([1.0, 3.0]))


def test_categories_of_two_stretches_are_the_categories_of_both():
    both = levels(["JFK", "LGA", None]).merged(levels(["LGA", "EWR", "LGA"]))

    assert dict(both.counts) == {"JFK": 1, "LGA": 3, "EWR": 1}
    assert (both.rows, both.missing, both.count, both.distinct) == (6, 1, 5, 3)


def test_capped_levels_stay_counted_as_others():
    one = CategoryProfile(rows=100, nulls=0, counts={"a": 60}, other=40, distinct=25)
    other = CategoryProfile(rows=10, nulls=0, counts={"b": 8}, other=2, distinct=2)
    both = one.merged(other)

    assert (both.other, both.distinct, sum(both.counts.values()) + both.other) == (42, 25, both.count)


def test_two_stretches_without_values_are_one_without_values():
    nothing = merged([], [])

    assert (nothing.count, nothing.mean, nothing.squares) == (0, 0.0, 0.0)


@pytest.mark.parametrize("part", ["far", "magnitudes", "sentinels"])
def test_what_data_quality_asks_for_adds_up_and_is_not_known_where_one_side_was_not_counted(part):
    both = numbers(np.concatenate([WARM, COLD]), LIKE)
    uncounted = replace(numbers(COLD, LIKE), **{part: None})

    assert np.array_equal(getattr(merged(WARM, COLD), part), getattr(both, part))
    assert getattr(numbers(WARM, LIKE).merged(uncounted), part) is None
    assert getattr(uncounted.merged(numbers(WARM, LIKE)), part) is None


def test_what_two_releases_counted_at_other_values_does_not_add_up():
    other = replace(numbers(COLD, LIKE), sentinels=np.zeros((2, 3), np.int64))

    assert numbers(WARM, LIKE).merged(other).sentinels is None


def test_changes_of_two_stretches_are_the_changes_within_each():
    together = numbers([1, 1, 2]).merged(numbers([1, 1, 2]))

    assert (together.changes, together.followed) == (2, 4)
    assert levels(["a", "b", None, "b"]).merged(levels(["a", "a"])).followed == 3


def test_words_for_nothing_add_up_unless_one_side_did_not_count_them():
    one, other = levels(["N/A", "a"]), levels(["null", "N/A"])

    assert one.merged(other).sentinels == {"N/A": 2, "null": 1}
    assert one.merged(replace(other, sentinels=None)).sentinels is None
    assert replace(one, sentinels=None).merged(other).sentinels is None
