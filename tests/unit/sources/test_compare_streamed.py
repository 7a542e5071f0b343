"""Large files: a window streamed by slices must say what the whole one says, and never alarm on what it does not know."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.errors import SourceUnavailable
from bot.sources.compare import pairs, sides
from bot.sources.compare.sides import ParquetSide, Side, side_of
from tests.unit.sources.two_tables import compared, comparison, measured

RNG = np.random.default_rng(21)
INTERVALS = ("ks", "wasserstein", "wasserstein_normed")


@pytest.fixture(autouse=True)
def coarse(monkeypatch):
    """Small slices and few cut points, so that small columns show what large ones do."""
    monkeypatch.setattr(sides, "SLICE", 700)
    monkeypatch.setattr(pairs, "CUTS", 200)


@pytest.mark.parametrize("shift", [0.0, 0.05, 1.0])
def test_the_exact_value_lies_in_the_interval_and_the_lower_end_is_told(shift):
    then, now = {"x": RNG.normal(size=3_000)}, {"x": RNG.normal(shift, 1, 2_000)}
    streamed, whole = compared(then, now, every=True, large=100), compared(then, now, every=True)

    for name in INTERVALS:
        low, high = measured(streamed, "x", name)["interval"]
        assert low <= measured(whole, "x", name)["value"] <= high
        assert measured(streamed, "x", name)["value"] == low
        assert "interval" not in measured(whole, "x", name)


def test_where_a_line_lies_inside_the_interval_the_value_is_exact():
    then, now = np.arange(3_000.0), np.arange(3_000.0)
    now[1_000:1_310] = 1_007.5  # the widest gap lies there; at the next cut point, 1,010, it is below the line again
    told = measured(compared({"x": then}, {"x": now}, checks=["ks"], large=100), "x", "ks")

    assert told["value"] == pytest.approx(302 / 3_000, abs=1e-12)
    assert told["verdict"] == "warning"
    assert "interval" not in told


def test_exact_forbids_intervals_however_large_the_files_are():
    told = compared({"x": RNG.normal(size=300)}, {"x": RNG.normal(size=300)}, every=True, exact=True, large=0)

    assert not [m for m in told["features"][0]["measurements"] if "interval" in m]


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.floats(0, 0.6), st.booleans())
def test_streamed_or_whole_the_verdicts_are_the_same(seed, shift, ties):
    random = np.random.default_rng(seed)
    then, now = random.normal(size=1_500), random.normal(shift, 1, 900)
    if ties:
        then, now = then.round(), now.round()
    streamed, whole = (compared({"x": then}, {"x": now}, every=True, large=large) for large in (0, 10_000))

    verdicts = [[m["verdict"] for m in told["features"][0]["measurements"]] for told in (streamed, whole)]
    assert verdicts[0] == verdicts[1]


def test_what_is_counted_in_slices_is_what_is_counted_at_once():
    then = {"x": pa.array([*RNG.normal(size=2_000), None, np.nan, np.inf])}
    now = {"x": pa.array([*RNG.normal(size=2_000), None, None, np.nan, -np.inf])}
    streamed, whole = (comparison(then, now, every=True, pictures=True, large=large) for large in (0, 10_000))
    bins = ("psi", "jensen_shannon", "hellinger", "total_variation", "l_infinity")

    assert streamed.pictures == whole.pictures
    assert [measured(streamed.told, "x", name) for name in bins] == [measured(whole.told, "x", name) for name in bins]
    for share in ("missing", "infinite"):
        assert streamed.told["features"][0][share] == whole.told["features"][0][share]


def test_a_parquet_file_is_read_a_column_and_a_slice_at_a_time(tmp_path):
    table = pa.table({"x": RNG.normal(size=2_000), "a.b": RNG.choice(["u", "v"], 2_000)})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=900)
    side = side_of(tmp_path / "a.parquet")

    assert isinstance(side, ParquetSide)
    assert (side.rows, side.names) == (2_000, ["x", "a.b"])
    assert side.column("x").equals(table.column("x"))
    assert side.column("a.b").cast(pa.string()).to_pylist() == table.column("a.b").to_pylist()
    assert max(len(part) for part in side.slices("x")) <= 700
    assert pa.chunked_array([c for part in side.slices("x") for c in part.chunks]).to_pylist() == table.column("x").to_pylist()


def test_of_two_columns_of_one_name_the_first_counts(tmp_path):
    table = pa.Table.from_arrays([pa.array([1.0, 2.0]), pa.array(["a", "b"])], names=["x", "x"])
    pq.write_table(table, tmp_path / "a.parquet")
    side = side_of(tmp_path / "a.parquet")

    assert (side.names, side.type("x")) == (["x"], pa.float64())
    assert side.column("x").to_pylist() == [1.0, 2.0]


def test_a_folder_of_files_is_one_side(tmp_path):
    for part in range(3):
        pq.write_table(pa.table({"x": [float(part)]}), tmp_path / f"{part}.parquet")

    assert sorted(side_of(tmp_path).column("x").to_pylist()) == [0.0, 1.0, 2.0]


@pytest.mark.parametrize("name", ["a.parquet", "a.csv"])
def test_a_file_that_is_not_what_it_says_is_a_sentence(tmp_path, name):
    (tmp_path / name).write_bytes(b"\x00\x01 not a table")

    with pytest.raises(SourceUnavailable, match="cannot be read"):
        side_of(tmp_path / name).column("x")


def test_a_file_that_is_cut_off_behind_its_back_is_a_sentence(tmp_path):
    pq.write_table(pa.table({"x": RNG.normal(size=5_000)}), tmp_path / "a.parquet")
    side = side_of(tmp_path / "a.parquet")
    (tmp_path / "a.parquet").write_bytes(b"PAR1")

    with pytest.raises(SourceUnavailable, match="cannot be read"):
        list(side.slices("x"))


def test_an_empty_table_has_one_empty_slice():
    assert [len(part) for part in Side(pa.table({"x": pa.array([], pa.float64())})).slices("x")] == [0]


@pytest.mark.parametrize(("last", "kind"), [("1.5", pa.float64()), ("oops", pa.string())])
def test_a_guess_of_a_csv_columns_type_that_a_late_row_refutes_is_taken_back(tmp_path, last, kind):
    rows = 150_000  # more than the first block, from which types are guessed
    (tmp_path / "a.csv").write_text("x,c\n" + "12345678,a\n" * rows + f"{last},b\n")
    side = side_of(tmp_path / "a.csv")

    assert (side.rows, side.type("x")) == (rows + 1, kind)


def test_a_csv_that_cannot_be_read_at_all_is_a_sentence(tmp_path):
    (tmp_path / "a.csv").write_text("x,c\n1,2\n3\n")

    with pytest.raises(SourceUnavailable, match="cannot be read"):
        side_of(tmp_path / "a.csv")
