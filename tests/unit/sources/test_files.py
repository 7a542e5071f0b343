from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from bot.core.errors import ConfigError, SourceUnavailable
from bot.core.models import Feature, LogColumns, Model
from bot.core.profiles import CategoryProfile, NumericProfile
from bot.core.windows import Window
from bot.sources.files import make, table_of

NINE = datetime(2026, 3, 1, 9, tzinfo=UTC)
HOUR = Window.ending(NINE, timedelta(hours=1))
MODEL = Model("m", "test", "ml", "log", "", HOUR, (), (Feature("x", "numeric"), Feature("c", "categorical")), LogColumns())


def parquet(path: Path, **columns: pa.Array) -> Path:
    pa.parquet.write_table(pa.table(columns), path)
    return path


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "America/New_York"])
def test_timestamps_of_every_unit_and_zone_are_utc(tmp_path, unit, zone):
    inside = NINE - timedelta(minutes=30)
    moments = pa.array([m.replace(tzinfo=None) for m in (inside, NINE, NINE - timedelta(hours=2))], pa.timestamp(unit))
    times = moments if zone is None else pa.compute.assume_timezone(moments, "UTC").cast(pa.timestamp(unit, zone))
    path = parquet(tmp_path / "log.parquet", time=times, score=pa.array([0.5, 0.5, 0.5]))
    window = Window(HOUR.start + timedelta(microseconds=1), HOUR.end)

    assert make({"path": str(path)}).reading(MODEL, window).rows == 1


def test_a_folder_is_one_log(tmp_path):
    for day in range(3):
        parquet(tmp_path / f"{day}.parquet", time=pa.array([NINE - timedelta(minutes=day + 1)]), score=pa.array([0.5]))

    assert make({"path": str(tmp_path)}).reading(MODEL, HOUR).rows == 3


def test_decimals_and_dictionaries_are_numbers_and_levels(tmp_path):
    path = parquet(
        tmp_path / "log.parquet",
        time=pa.array([NINE - timedelta(minutes=1)] * 2),
        score=pa.array([0.5, 0.6]),
        x=pa.array([1, 2]).cast(pa.decimal128(30, 2)),
        c=pa.array(["a", None]).dictionary_encode(),
    )
    columns = make({"path": str(path)}).reading(MODEL, HOUR).columns

    assert isinstance(columns["x"], NumericProfile)
    assert columns["x"].mean == 1.5
    assert isinstance(columns["c"], CategoryProfile)
    assert (columns["c"].counts, columns["c"].nulls) == ({"a": 1}, 1)


def test_values_that_are_no_text_are_levels_as_python_writes_them(tmp_path):
    path = parquet(
        tmp_path / "log.parquet",
        time=pa.array([NINE - timedelta(minutes=1)] * 2),
        score=pa.array([0.5, 0.6]),
        c=pa.array([[1, 2], None]),
        x=pa.array([b"\xff", b"a"]),
    )
    reading = make({"path": str(path)}).reading(MODEL, HOUR)

    assert isinstance(reading.columns["c"], CategoryProfile)
    assert dict(reading.columns["c"].counts) == {"[1, 2]": 1}
    assert reading.kinds["x"] == "categorical"


def test_labels_that_are_text_are_a_sentence(tmp_path):
    path = parquet(
        tmp_path / "log.parquet",
        time=pa.array([NINE - timedelta(minutes=1)]),
        score=pa.array([0.5]),
        label=pa.array(["late"]),
    )

    with pytest.raises(SourceUnavailable, match="label column 'label' must hold true and false"):
        make({"path": str(path)}).reading(MODEL, HOUR)


def test_a_column_that_stands_there_twice_is_a_sentence(tmp_path):
    path, columns = tmp_path / "log.parquet", [pa.array([NINE]), pa.array([0.5]), pa.array([0.5])]
    pa.parquet.write_table(pa.table(columns, ["time", "score", "score"]), path)

    with pytest.raises(SourceUnavailable, match="duplicate field names"):
        make({"path": str(path)}).reading(MODEL, HOUR)


@pytest.mark.parametrize("name", ["empty.csv", "empty.parquet", "broken.parquet"])
def test_a_file_without_content_is_a_sentence(tmp_path, name):
    (tmp_path / name).write_bytes(b"" if "empty" in name else b"PAR1 and no more")

    with pytest.raises(SourceUnavailable, match=f"{name} cannot be read"):
        table_of(tmp_path / name)


def test_a_csv_whose_values_do_not_fit_is_a_sentence(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("time,score\n2026-03-01T08:30:00\n1,2,3\n")

    with pytest.raises(SourceUnavailable, match="cannot be read"):
        table_of(path)


@pytest.mark.parametrize("name", ["notes.txt", "folder"])
def test_what_is_neither_parquet_nor_csv_is_a_sentence(tmp_path, name):
    (tmp_path / "folder").mkdir()
    (tmp_path / "notes.txt").touch()

    with pytest.raises(SourceUnavailable, match=r"must be a \.parquet or \.csv file"):
        table_of(tmp_path / name)


def test_an_empty_field_of_a_text_column_is_missing(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("x,c\n1,a\n2,\n")

    assert table_of(path).column("c").null_count == 1


@pytest.mark.parametrize("options", [{}, {"path": "log.csv", "pth": "log.csv"}])
def test_a_wrong_option_is_a_sentence(options):
    with pytest.raises(ConfigError, match="option"):
        make(options)
