"""Whole rows, cut down."""

import numpy as np

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
