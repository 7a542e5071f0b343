"""A window that is read in slices tells what the same rows tell at once."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bot.core.errors import SourceUnavailable
from bot.core.models import Feature, LogColumns, Model
from bot.core.profiles import CategoryProfile, NumericProfile
from bot.core.readings import Reading
from bot.core.windows import Window
from bot.sources import files, readings, slices, tally
from bot.sources.columns import Columns
from bot.sources.slices import drawn, evenly, levels_of

START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = Window(START, START + timedelta(days=1))
HALF = Window(START + timedelta(hours=6), START + timedelta(hours=18))
FEATURES = (Feature("x", "numeric"), Feature("tied", "numeric"), Feature("c", "categorical"), Feature("gone", "numeric"))
MODEL = Model("m", "test", "ml", "log", "", DAY, (), FEATURES, LogColumns())
ROWS = 3_000


def rows(seed: int = 0) -> pa.Table:
    """Return a day of predictions: ties, nulls, NaN, infinities, many levels, labels that come late."""
    random = np.random.default_rng(seed)
    x = random.normal(size=ROWS)
    x[::7], x[::501], x[1::501] = np.nan, np.inf, -np.inf
    at = np.datetime64(START.replace(tzinfo=None), "us") + np.arange(ROWS) * np.timedelta64(86_400_000_000 // ROWS, "us")
    came = at + np.timedelta64(3_600_000_000, "us")
    columns = {
        "time": pa.array(at, pa.timestamp("us", tz="UTC")),
        "score": random.random(ROWS),
        "label": pa.array(random.random(ROWS) < 0.3, mask=random.random(ROWS) < 0.1),
        "label_time": pa.array(came, pa.timestamp("us", tz="UTC")),
        "version": pa.array([f"v{i % 3}" for i in range(ROWS)]),
        "latency_ms": random.exponential(20, ROWS),
        "error": pa.array([None if i % 50 else "timed out" for i in range(ROWS)]),
        "x": pa.array(x, mask=random.random(ROWS) < 0.05),
        "tied": np.round(random.normal(size=ROWS), 1),
        "c": pa.array([f"l{int(level)}" for level in random.geometric(0.01, ROWS)], mask=random.random(ROWS) < 0.05),
    }
    return pa.table(columns)


@pytest.fixture
def log(tmp_path: Path) -> files.FileSource:
    pq.write_table(rows(), tmp_path / "log.parquet", row_group_size=250)
    return files.FileSource(tmp_path / "log.parquet")


@pytest.fixture
def sliced(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Make seven hundred rows many."""
    monkeypatch.setattr(files, "MANY", 0)
    monkeypatch.setattr(files, "SLICE", 700)
    return monkeypatch


def same(one: Reading, other: Reading) -> None:
    """Assert that two readings tell the same, up to the rounding of sums."""
    for name in ("rows", "kinds", "newest", "versions", "duplicates"):
        assert getattr(one, name) == getattr(other, name), name
    assert list(one.columns) == list(other.columns)
    for name, column in one.columns.items():
        for field in fields(column):
            mine, theirs = getattr(column, field.name), getattr(other.columns[name], field.name)
            if isinstance(mine, np.ndarray | float) and isinstance(theirs, np.ndarray | float):
                assert mine == pytest.approx(theirs, rel=1e-12, abs=1e-9), (name, field.name)
            else:
                assert mine == theirs, (name, field.name)
    for part in ("outcomes", "operations"):
        mine, theirs = getattr(one, part), getattr(other, part)
        for field in fields(mine):
            assert np.array_equal(getattr(mine, field.name), getattr(theirs, field.name)), (part, field.name)


@pytest.mark.parametrize("window", [DAY, HALF])
def test_a_window_in_slices_tells_what_it_tells_at_once(log, sliced, window):
    in_slices = log.reading(MODEL, window, as_of=window.end)
    counted = log.reading(MODEL, HALF, in_slices.columns)
    sliced.undo()
    at_once = log.reading(MODEL, window, as_of=window.end)

    same(in_slices, at_once)
    same(counted, log.reading(MODEL, HALF, at_once.columns))


@pytest.mark.parametrize("most", [700, 10_000], ids=["in slices", "at once"])
def test_without_whole_rows_all_else_is_the_same(log, sliced, most):
    sliced.setattr(files, "SLICE", most)
    whole, without = (log.reading(MODEL, DAY, whole_rows=kept) for kept in (True, False))

    assert (without.joint, len(whole.joint)) == (None, ROWS)
    same(without, whole)


def test_a_window_between_the_row_groups_is_read_a_column_at_a_time(log, sliced):
    sliced.setattr(files, "SLICE", 10_000)
    window = Window(START + timedelta(minutes=7), START + timedelta(hours=3, minutes=7))
    by_column, sample = log.reading(MODEL, window), log.sample(MODEL, window, 50)
    sliced.undo()

    same(by_column, log.reading(MODEL, window))
    assert sample.features["c"] == log.sample(MODEL, window, 50).features["c"]


@pytest.mark.parametrize("start", [-500, 500])
def test_a_window_outside_of_the_log_is_a_reading_with_no_rows(log, sliced, start):
    window = Window.ending(START + timedelta(hours=start), timedelta(hours=1))

    assert log.reading(MODEL, window).rows == 0


def test_times_that_are_texts_are_read_in_slices_too(tmp_path, sliced):
    given = rows()
    texts = pa.array([moment.isoformat() for moment in given.column("time").to_pylist()])
    pq.write_table(given.set_column(0, "time", texts), tmp_path / "log.parquet", row_group_size=250)

    assert files.FileSource(tmp_path / "log.parquet").reading(MODEL, HALF).rows == ROWS // 2


def test_a_column_that_only_some_files_have_is_missing_in_the_others(tmp_path, sliced):
    whole = rows()
    pq.write_table(whole, tmp_path / "a.parquet")
    pq.write_table(whole.drop_columns(["x"]), tmp_path / "b.parquet")
    x = files.FileSource(tmp_path).reading(MODEL, DAY).columns["x"]

    assert x.rows == 2 * ROWS
    assert x.missing >= ROWS


def test_a_file_that_breaks_in_the_middle_is_a_sentence(tmp_path, sliced):
    path = tmp_path / "log.parquet"
    pq.write_table(rows(), path, row_group_size=250, compression="none", use_dictionary=False)
    content = bytearray(path.read_bytes())
    content[4 : len(content) // 2] = b"\xff" * (len(content) // 2 - 4)
    path.write_bytes(bytes(content))

    with pytest.raises(SourceUnavailable, match=r"log\.parquet cannot be read"):
        files.FileSource(path).reading(MODEL, DAY)


def test_a_reference_of_too_many_rows_is_cut_where_a_draw_of_them_says(log, sliced):
    sliced.setattr(slices, "WHOLE", 1_000)
    sliced.setattr(slices, "MOST_OUTCOMES", 10**6)
    x, tied = (log.reading(MODEL, DAY).columns[name] for name in ("x", "tied"))
    sliced.undo()
    whole = log.reading(MODEL, DAY).columns["x"]

    assert isinstance(x, NumericProfile)
    assert isinstance(whole, NumericProfile)
    assert isinstance(tied, NumericProfile)
    assert (x.rows, x.nulls, x.nans, x.infinities) == (whole.rows, whole.nulls, whole.nans, whole.infinities)
    assert (x.cuts[0], x.cuts[-1], x.low, x.high) == (whole.low, whole.high, whole.low, whole.high)
    assert x.up_to[-1] == x.count == whole.count
    assert np.abs(x.bins / x.count - 0.1).max() < 0.05
    assert x.mean == pytest.approx(whole.mean, rel=1e-9)


def test_a_drawn_reference_has_the_ends_of_every_slice():
    far = [slice_of(x=np.r_[np.zeros(999), place]) for place in (5.0, -7.0, np.nan)]

    assert drawn(far, "x").cuts[[0, -1]].tolist() == [-7.0, 5.0]


def test_rows_that_are_not_in_the_order_of_time_do_not_tell_how_quickly_a_column_changes(tmp_path, sliced):
    pq.write_table(rows().take(np.random.default_rng(0).permutation(ROWS)), tmp_path / "log.parquet", row_group_size=250)
    tied = files.FileSource(tmp_path / "log.parquet").reading(MODEL, DAY).columns["tied"]

    assert (tied.changes, tied.followed) == (0, 0)


def test_a_request_that_came_twice_is_counted_in_its_slice(tmp_path, sliced):
    given = rows().append_column("request_id", pa.array([f"r{i // 2}" for i in range(ROWS)]))
    pq.write_table(given, tmp_path / "log.parquet", row_group_size=250)

    assert files.FileSource(tmp_path / "log.parquet").reading(MODEL, DAY).duplicates == ROWS // 2


def test_a_draw_takes_one_row_of_every_stretch():
    for seed in range(20):
        assert (evenly(np.arange(100), 10, seed=seed) // 10).tolist() == list(range(10))


def test_of_very_many_labels_an_even_draw_is_kept_and_what_is_counted_stays_exact(log, sliced):
    sliced.setattr(slices, "MOST_OUTCOMES", 1_000)
    thin = log.reading(MODEL, DAY, as_of=DAY.end)
    sliced.undo()
    full = log.reading(MODEL, DAY, as_of=DAY.end)

    assert thin.outcomes is not None
    assert full.outcomes is not None
    assert thin.operations is not None
    assert full.operations is not None
    assert len(thin.outcomes) == pytest.approx(len(full.outcomes) / 3, abs=10)
    assert set(zip(thin.outcomes.at, thin.outcomes.scores, thin.outcomes.labels, thin.outcomes.versions, strict=True)) <= set(
        zip(full.outcomes.at, full.outcomes.scores, full.outcomes.labels, full.outcomes.versions, strict=True)
    )
    assert (thin.outcomes.awaited, thin.outcomes.oldest_awaited) == (full.outcomes.awaited, full.outcomes.oldest_awaited)
    assert (thin.operations.requests, thin.operations.errors) == (ROWS, full.operations.errors)
    assert len(thin.operations.latencies_ms) == pytest.approx(ROWS / 3, abs=10)


def slice_of(**columns: object) -> Columns:
    """Return a slice with these columns."""
    given = pa.table(columns)
    return Columns(given.column, given.schema, len(given))


def test_a_level_that_is_rare_in_every_slice_but_not_in_all_of_them_is_kept(monkeypatch):
    monkeypatch.setattr(slices, "MOST_LEVELS", 2)
    parts = [slice_of(c=["a"] * 3 + ["often"] * 2), slice_of(c=["b"] * 3 + ["often"] * 2 + [None])]
    found = levels_of(parts, "c", None)

    assert found.counts == {"often": 4, "a": 3}
    assert (found.rows, found.nulls, found.other, found.distinct) == (11, 1, 3, 3)


def test_levels_beyond_counting_are_summed_but_never_those_of_the_reference(monkeypatch):
    monkeypatch.setattr(tally, "MOST_COUNTED", 4)
    like = CategoryProfile(1, 0, {"known": 1})
    parts = [slice_of(c=[f"{place}-{i}" for i in range(6)] + ["known"] + ["often"] * 5) for place in range(3)]
    found = levels_of(parts, "c", like)

    assert (found.counts["known"], found.counts["often"]) == (3, 15)
    assert found.rows == found.count == 36
    assert sum(found.counts.values()) + found.other == 36
    assert found.distinct >= 8


def test_a_slice_adds_everything_that_a_reading_tells():
    """A new field must be added up in `bot.sources.slices.added`; then name it here."""
    told = {"window", "rows", "columns", "kinds", "outcomes", "operations", "newest", "versions", "duplicates", "joint", "slices"}
    told |= {"task", "scored", "chosen", "top", "targets"}
    told |= {"resources"}  # asked for beside the log, after its slices are added up

    assert {field.name for field in fields(Reading)} == told


def test_two_threads_and_one_tell_the_same(log, monkeypatch):
    alone = log.reading(MODEL, DAY)
    monkeypatch.setattr(readings, "MANY", 0)

    same(log.reading(MODEL, DAY), alone)
