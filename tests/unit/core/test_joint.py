"""Whole rows, cut down."""

import numpy as np
import pytest

from bot.core.joint import joined
from tests.fakes.readings import joint

ROWS = joint({"x": np.arange(10.0), "carrier": ["a", "b"] * 5})


def test_a_column_is_found_by_its_name():
    assert list(ROWS.column("carrier")[:3]) == [0, 1, 0]


def test_rows_that_are_kept_bring_all_that_belongs_to_them():
    kept = ROWS.rows(ROWS.column("x") > 6)

    assert (list(kept.column("x")), list(kept.at), kept.of, len(kept.scores), len(kept.labels)) == ([7, 8, 9], [7, 8, 9], 3, 3, 3)


def test_thinned_rows_are_spread_evenly_and_say_how_many_there_were():
    assert list(ROWS.thinned(4).column("x")) == [0, 3, 6, 9]
    assert ROWS.thinned(4).of == 10
    assert ROWS.thinned(10) is ROWS


def test_stretches_that_follow_each_other_are_joined_under_the_same_levels():
    both = joined([joint({"x": np.arange(2.0), "c": ["b", None]}), joint({"x": np.arange(2.0, 4.0), "c": ["a", "b"]})], 10)

    assert (list(both.column("x")), both.levels, both.of) == ([0, 1, 2, 3], {"c": ("a", "b")}, 4)
    assert list(both.column("c")) == pytest.approx([1, np.nan, 0, 1], nan_ok=True)


def test_a_stretch_that_kept_fewer_of_its_rows_counts_as_many_as_it_had():
    dense, thin = joint({"x": np.zeros(100)}), joint({"x": np.ones(100)}, of=300)

    assert joined([dense, thin], 40).column("x").mean() == pytest.approx(0.75, abs=0.03)
    assert joined([dense, thin], 40).of == 400
    assert len(joined([dense, joint({"x": np.zeros(0)})], 40)) == 40
