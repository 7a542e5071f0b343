"""The order of rows: what it tells, and that it is that of time."""

import numpy as np
import pyarrow as pa
import pytest

from bot.sources import order
from bot.sources.order import in_time, level_changes, repeated


def test_rows_that_came_in_any_order_are_put_into_that_of_time():
    order, timed = in_time(np.array([30, 10, 20, 5]))

    assert timed
    assert order.to_pylist() == [3, 1, 2, 0]


def test_rows_in_order_are_left_as_they_are():
    assert in_time(np.array([1, 1, 2])) == (None, True)
    assert in_time(np.array([], np.int64)) == (None, True)


def test_more_rows_than_are_worth_a_copy_stay_in_no_order(monkeypatch):
    monkeypatch.setattr(order, "MOST_SORTED", 2)

    assert in_time(np.array([3, 2, 1])) == (None, False)


@pytest.mark.parametrize("encode", [False, True])
def test_neighbours_that_differ_are_counted_within_each_chunk(encode):
    column = pa.chunked_array([["a", "a", "b"], ["b", "c"], []], pa.string())

    assert level_changes(column.dictionary_encode() if encode else column) == (2, 3)


@pytest.mark.parametrize(
    "ids",
    [
        pa.array(["r1", "r2", "r1", None, "r1"]),
        pa.array(["r1", "r2", "r1", None, "r1"]).dictionary_encode(),
        pa.array([7, 8, 7, None, 7]),
        pa.array([[7], [8], [7], None, [7]]),
    ],
    ids=["texts", "dictionary", "numbers", "lists"],
)
def test_a_request_that_came_three_times_is_repeated_twice(ids):
    assert repeated(pa.table({"request_id": ids}), "request_id") == 2


def test_where_there_are_no_ids_nobody_can_count_them():
    assert repeated(pa.table({"x": [1]}), "request_id") is None
    assert repeated(pa.table({"request_id": pa.nulls(3)}), "request_id") is None
    assert repeated(pa.table({"request_id": pa.array([], pa.string())}), "request_id") is None
