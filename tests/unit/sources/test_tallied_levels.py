"""Levels counted part by part are those of all rows at once, however they are written and encoded."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from bot.sources.table import profiled
from bot.sources.tally import Tally

VALUES = st.lists(st.sampled_from([None, "a", "b", "", "é", "\\xff"]), max_size=12)


def tallied(parts):
    tally = Tally(None)
    for part in parts:
        tally.add(part)
    return tally.profile(1_000)


@given(st.lists(st.tuples(VALUES, st.booleans()), min_size=1, max_size=4))
def test_parts_count_what_all_rows_count(parts):
    columns = [pa.chunked_array([pa.array(values, pa.string())]) for values, _ in parts]
    encoded = [column.dictionary_encode() if yes else column for column, (_, yes) in zip(columns, parts, strict=True)]
    whole = profiled(pa.chunked_array([chunk for column in columns for chunk in column.chunks], pa.string()), "categorical", None)
    found = tallied(encoded)

    assert (found.counts, found.rows, found.nulls, found.distinct) == (whole.counts, whole.rows, whole.nulls, whole.distinct)


def test_two_levels_that_are_written_alike_are_one():
    odd = pa.chunked_array([pa.array([b"\xff", b"\\xff", b"a"]).dictionary_encode()])

    assert tallied([odd, odd]).counts == {"\\xff": 4, "a": 2}
