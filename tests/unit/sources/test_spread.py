"""Rows that stand for their window: the same ones at every call, from whatever order, chunks and types they come in."""

import gc
import weakref
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.joint import JointRows
from bot.core.models import Feature, LogColumns, Model
from bot.core.readings import Reading
from bot.core.windows import Window
from bot.sources.joint import Picking
from bot.sources.readings import reading_of
from bot.sources.spread import evenly, picked
from bot.store.codec import dumps, loads, pack, unpack

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)
DAY = Window.ending(NOON, timedelta(days=1))
MODEL = Model("m", "test", "ml", "log", "", DAY, (), (Feature("x", "numeric"), Feature("carrier", "categorical")), LogColumns())
RANDOM = np.random.default_rng(3)


def a_log(n: int = 1_000, per_second: int = 4) -> pa.Table:
    start = int(DAY.start.timestamp())
    return pa.table(
        {
            "time": start + np.arange(n) // per_second,
            "request_id": [f"r{i:06}" for i in range(n)],
            "score": np.arange(n) / n,
            "label": np.arange(n) % 3 == 0,
            "label_time": start + np.arange(n) // per_second + 60,
            "x": np.arange(n, dtype=np.float64),
            "carrier": pa.array([("UA", "DL", None)[i % 3] for i in range(n)]),
        }
    )


def taken(table: pa.Table, most: int = 100, as_of: datetime | None = None) -> JointRows:
    at = np.asarray(table.column("time"), dtype=np.int64)
    ids = table.column("request_id") if "request_id" in table.column_names else None
    picking = Picking(MODEL, table, at, ids, most)
    for name in {f.name for f in MODEL.features} & set(table.column_names):
        picking.passing.column(name)
    return picking.told(as_of)


def test_rows_are_spread_evenly_from_the_first_to_the_last():
    kept = taken(a_log(), most=5)

    assert list(kept.column("x")) == [0, 250, 500, 749, 999]
    assert (len(kept), kept.of) == (5, 1_000)


def test_what_was_picked_from_goes_at_once_and_not_when_garbage_is_collected():
    table = a_log()
    picking = Picking(MODEL, table, np.asarray(table.column("time"), dtype=np.int64))
    picking.passing.column("x")
    gone = weakref.ref(picking)
    gc.disable()
    try:
        del picking
        assert gone() is None
    finally:
        gc.enable()


def test_a_short_window_is_kept_whole():
    assert list(taken(a_log(7)).column("x")) == list(range(7))


@pytest.mark.parametrize("seed", range(5))
def test_the_same_rows_come_in_whatever_order_and_chunks_the_log_hands_them_out(seed):
    log = a_log()
    shuffled = log.take(pa.array(np.random.default_rng(seed).permutation(len(log))))
    pieces = pa.concat_tables([shuffled.slice(i, 90) for i in range(0, len(log), 90)])

    assert np.array_equal(taken(log).values, taken(pieces).values, equal_nan=True)


def test_categories_are_places_in_their_levels_and_what_is_missing_is_none():
    kept = taken(a_log(4))

    assert kept.levels == {"carrier": ("DL", "UA")}
    assert list(kept.column("carrier")) == pytest.approx([1, 0, np.nan, 1], nan_ok=True)


def test_texts_with_a_dictionary_become_the_same():
    plain = a_log()
    encoded = plain.set_column(plain.column_names.index("carrier"), "carrier", plain.column("carrier").dictionary_encode())

    assert taken(encoded).levels == taken(plain).levels
    assert np.array_equal(taken(encoded).values, taken(plain).values, equal_nan=True)


def test_a_number_column_that_has_become_text_is_levels():
    changed = a_log(4).set_column(5, "x", pa.array(["a", "b", "a", None]))

    assert taken(changed).levels["x"] == ("a", "b")


def test_labels_are_known_only_once_they_have_come():
    kept = taken(a_log(8), as_of=DAY.start + timedelta(seconds=61))

    assert list(kept.labels) == pytest.approx([1, 0, 0, 1, *[np.nan] * 4], nan_ok=True)


def test_without_labels_the_truth_is_unknown():
    assert np.isnan(taken(a_log(4).drop(["label"])).labels).all()


def test_infinities_are_no_numbers_to_reckon_with():
    odd = a_log(3).set_column(5, "x", pa.array([np.inf, -np.inf, 1.0]))

    assert list(taken(odd).column("x")) == pytest.approx([np.nan, np.nan, 1], nan_ok=True)


@pytest.mark.parametrize("ids", [[None] * 4, [[1], [2], [3], [4]], [b"\xff", b"\xfe", b"", b"a"]])
def test_ids_that_nobody_can_write_leave_the_order_as_it_is(ids):
    odd = a_log(4).set_column(1, "request_id", pa.array(ids))

    assert sorted(taken(odd).column("x")) == [0, 1, 2, 3]


def test_without_ids_the_order_is_the_logs():
    assert list(taken(a_log(8).drop(["request_id"]), most=2).column("x")) == [0, 7]


def test_an_empty_window_has_no_rows_and_still_its_columns():
    kept = taken(a_log(0))

    assert (len(kept), kept.names, kept.of) == (0, ("x", "carrier"), 0)


@settings(max_examples=60)
@given(st.lists(st.integers(0, 5), max_size=60), st.integers(1, 12), st.randoms())
def test_which_rows_are_kept_does_not_hang_on_their_order(times, most, random):
    at, ids = np.array(times, dtype=np.int64), [f"{i:03}" for i in range(len(times))]
    mixed = list(range(len(times)))
    random.shuffle(mixed)
    there = [ids[i] for i in evenly(at, pa.chunked_array([ids], pa.string()), most)]
    mixed_ids = [ids[i] for i in mixed]
    again = [mixed_ids[i] for i in evenly(at[mixed], pa.chunked_array([mixed_ids], pa.string()), most)]

    assert there == again
    assert len(there) == min(most, len(times))
    assert list(at[[int(i) for i in there]]) == sorted(at[[int(i) for i in there]])


@given(st.lists(st.integers(0, 3), min_size=1, max_size=6), st.data())
@settings(max_examples=40)
def test_rows_are_picked_across_chunks(sizes, data):
    pieces = [list(range(sum(sizes[:i]), sum(sizes[: i + 1]))) for i in range(len(sizes))]
    column = pa.chunked_array(pieces, pa.int64())
    place = data.draw(st.lists(st.integers(0, len(column) - 1), max_size=8)) if len(column) else []

    assert picked(column, np.array(place, dtype=np.int64)).to_pylist() == place


def test_a_stored_reference_keeps_its_rows():
    log = a_log()
    reading = reading_of(MODEL, DAY, log, None, None)
    arrays: dict[str, np.ndarray] = {}
    text = dumps(reading, arrays)
    back = loads(Reading, text, unpack(pack(arrays))).joint

    assert back is not None
    assert np.array_equal(back.values, reading.joint.values, equal_nan=True)
    assert (back.names, back.levels, back.of) == (("x", "carrier"), {"carrier": ("DL", "UA")}, 1_000)


def test_a_reference_that_was_stored_before_there_were_rows_is_still_read():
    arrays: dict[str, np.ndarray] = {}
    old = dumps(replace(reading_of(MODEL, DAY, a_log(0), None, None), joint=None), arrays).replace(',"joint":null', "")

    assert loads(Reading, old, arrays).joint is None
