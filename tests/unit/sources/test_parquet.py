"""Row groups of Parquet files read from their files: the same columns as a scan of the dataset has, whatever they are called."""

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from bot.sources.files import opened
from bot.sources.parquet import column_of_pieces, columns_of_pieces, pieces_of, table_of_pieces

NAMES = ["a", "a.b", "", "a.b.c", "é\n", "list", "struct", "text"]


def table(first=0, n=6):
    """Return columns whose names are each other's beginnings, of types that nest."""
    values = [
        list(range(first, first + n)),
        [float(i) for i in range(n)],
        [None] * n,
        [True] * n,
        [f"é{i}" for i in range(n)],
        [[i] for i in range(n)],
        [{"b": i, "c": {"d": "x"}} for i in range(n)],
        ["often"] * n,
    ]
    return pa.table(dict(zip(NAMES, values, strict=True)))


@pytest.fixture
def data(tmp_path):
    pq.write_table(table(), tmp_path / "a.parquet", row_group_size=2)
    pq.write_table(table(6).drop_columns(["a.b"]), tmp_path / "b.parquet", row_group_size=4)
    return opened(tmp_path)


def pieces(data, most=10**9, rows=None):
    return [list(part) for part in pieces_of(data, rows, data.schema, most)]


def test_every_column_is_the_one_that_a_scan_of_the_dataset_has(data):
    (found,) = pieces(data)
    scanned = data.to_table()

    assert table_of_pieces(found, NAMES) == scanned
    assert all(column_of_pieces(found, data.schema.field(name)) == scanned.column(name) for name in NAMES)
    assert columns_of_pieces(found, data.schema).column("text").type == pa.dictionary(pa.int32(), pa.string())


@pytest.mark.parametrize(("most", "rows"), [(1, [2, 2, 2, 4, 2]), (4, [4, 2, 4, 2]), (6, [6, 6]), (8, [6, 6]), (10, [10, 2])])
def test_row_groups_come_together_as_far_as_there_is_room(data, most, rows):
    assert [sum(map(len, part)) for part in pieces(data, most)] == rows


def test_a_row_group_that_holds_no_such_rows_is_not_read(data):
    (found,) = pieces(data, rows=ds.field("a") > 8)

    assert table_of_pieces(found, ["a"]).column("a").to_pylist() == [6, 7, 8, 9, 10, 11]


def test_of_no_row_groups_there_are_no_rows(tmp_path):
    pq.write_table(table(n=0), tmp_path / "none.parquet")
    data = opened(tmp_path)
    (found,) = pieces(data)

    assert (len(table_of_pieces(found, NAMES)), len(column_of_pieces([], data.schema.field("a")))) == (0, 0)


def test_other_files_have_no_row_groups(tmp_path):
    (tmp_path / "log.csv").write_text("a\n1\n")

    assert pieces(opened(tmp_path / "log.csv")) == []
