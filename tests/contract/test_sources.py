"""One suite for every `Source`: SQLite, PostgreSQL, Parquet and CSV tell the same of the same predictions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from sqlalchemy import Boolean, Column, DateTime, Float, MetaData, Table, Text, create_engine

from bot.core.errors import SourceUnavailable
from bot.core.models import Feature, LogColumns, Model
from bot.core.ports import Source
from bot.core.profiles import CategoryProfile, NumericProfile
from bot.core.windows import Window
from bot.sources import files, sql

NINE = datetime(2026, 3, 29, 9, tzinfo=UTC)
HOUR = Window.ending(NINE, timedelta(hours=1))
HOSTILE = "a\"b'; DROP TABLE log; --%(x)s:y é"
KINDS = {"time": DateTime(timezone=True), "label_time": DateTime(timezone=True), "label": Boolean(), "request_id": Text()} | {
    name: Text() for name in ("version", "error", "carrier")
}
Row = dict[str, Any]
Logged = Callable[[Sequence[Row]], Source]


def row(minutes: float, **values: Any) -> Row:
    """Return a prediction, so many minutes before nine."""
    at = NINE - timedelta(minutes=minutes)
    usual = {"version": "v1", "score": 0.5, "label": None, "label_time": None, "latency_ms": 5.0, "error": None, "age": 1.0}
    return {"time": at, "request_id": f"r{minutes}", **usual, "carrier": "AA", HOSTILE: 1.0} | values


MODEL = Model(
    name="delays",
    environment="test",
    team="ml",
    source="log",
    serving="",
    reference=HOUR,
    watches=(),
    features=(Feature("age", "numeric"), Feature("carrier", "categorical"), Feature(HOSTILE, "numeric")),
    columns=LogColumns(),
)
COLUMNS = list(row(0))


@dataclass
class Shop:
    """Writes predictions into a store of one kind and opens it as a source."""

    kind: str
    folder: Path
    url: str = ""

    def log(self, rows: Sequence[Row], columns: Sequence[str] = COLUMNS) -> Source:
        return self._database(rows, columns) if self.url else self._file(rows, columns)

    def _database(self, rows: Sequence[Row], columns: Sequence[str]) -> Source:
        engine = create_engine(self.url)
        table = Table("log", MetaData(), *[Column(name, KINDS.get(name, Float())) for name in columns])
        with engine.begin() as connection:
            table.create(connection)
            if rows:
                connection.execute(table.insert(), [{name: one[name] for name in columns} for one in rows])
        engine.dispose()
        return sql.make({"url": self.url, "table": "log"})

    def _file(self, rows: Sequence[Row], columns: Sequence[str]) -> Source:
        types = {Float: pa.float64(), Text: pa.string(), Boolean: pa.bool_(), DateTime: pa.timestamp("us", tz="UTC")}
        schema = pa.schema([(name, types[type(KINDS.get(name, Float()))]) for name in columns])
        table = pa.Table.from_pylist([{name: one[name] for name in columns} for one in rows], schema)
        path = self.folder / f"log.{self.kind}"
        (pa.parquet.write_table if self.kind == "parquet" else pa.csv.write_csv)(table, path)
        return files.make({"path": str(path)})

    def nothing(self) -> Source:
        if self.url:
            return sql.make({"url": self.url, "table": "nowhere"})
        return files.make({"path": str(self.folder / f"nowhere.{self.kind}")})


@pytest.fixture(params=["sqlite", "postgresql", "parquet", "csv"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Shop:
    if request.param == "sqlite":
        (tmp_path / "log.db").touch()
        return Shop("sqlite", tmp_path, f"sqlite:///{tmp_path / 'log.db'}")
    if request.param == "postgresql":
        return Shop("postgresql", tmp_path, request.getfixturevalue("postgres_url"))
    return Shop(request.param, tmp_path)


def test_a_window_holds_its_start_and_not_its_end(shop: Shop):
    reading = shop.log([row(0), row(0.5), row(60), row(60.1)]).reading(MODEL, HOUR)

    assert reading.rows == 2
    assert reading.newest == NINE - timedelta(seconds=30)


def test_columns_are_profiled_by_what_they_were_declared_to_be(shop: Shop):
    reading = shop.log([row(1, age=3.0), row(2, carrier="UA"), row(3, carrier=None)]).reading(MODEL, HOUR)
    age, carrier = reading.columns["age"], reading.columns["carrier"]

    assert isinstance(age, NumericProfile)
    assert (age.count, age.low, age.high) == (3, 1.0, 3.0)
    assert isinstance(carrier, CategoryProfile)
    assert (carrier.counts, carrier.nulls) == ({"AA": 1, "UA": 1}, 1)
    assert reading.kinds == {"age": "numeric", "carrier": "categorical", HOSTILE: "numeric", "score": "numeric"}


def test_missing_values_and_infinities_are_counted_apart(shop: Shop):
    rows = [row(1, age=None), row(2, age=float("nan")), row(3, age=float("inf")), row(4, age=float("-inf")), row(5, age=2.0)]
    age = shop.log(rows).reading(MODEL, HOUR).columns["age"]

    assert isinstance(age, NumericProfile)
    assert (age.rows, age.missing, age.infinities, age.count) == (5, 2, 2, 1)


def test_a_window_is_counted_at_its_references_cut_points(shop: Shop):
    source = shop.log([row(m, age=float(m)) for m in range(1, 100)])
    reference = source.reading(MODEL, Window.ending(NINE, timedelta(hours=2)))
    current = source.reading(MODEL, HOUR, reference.columns)
    then, now = reference.columns["age"], current.columns["age"]

    assert isinstance(then, NumericProfile)
    assert isinstance(now, NumericProfile)
    assert np.array_equal(then.cuts, now.cuts)
    assert now.count == 60
    assert then.merged(now).count == 159


def test_an_empty_window_is_a_reading_with_no_rows(shop: Shop):
    reading = shop.log([row(500)]).reading(MODEL, HOUR)

    assert (reading.rows, reading.newest, reading.versions) == (0, None, {})
    assert reading.columns["age"].rows == 0


def test_an_empty_log_is_a_reading_with_no_rows(shop: Shop):
    reading = shop.log([]).reading(MODEL, HOUR)

    assert reading.rows == 0


def test_a_label_counts_only_when_it_had_arrived(shop: Shop):
    rows = [
        row(5, label=True, label_time=NINE - timedelta(minutes=1)),
        row(6, label=False, label_time=NINE + timedelta(minutes=1)),
        row(7),
    ]
    source = shop.log(rows)
    early = source.reading(MODEL, HOUR, as_of=NINE).outcomes
    late = source.reading(MODEL, HOUR, as_of=NINE + timedelta(hours=1)).outcomes

    assert early is not None
    assert (early.labels.tolist(), early.awaited) == ([True], 2)
    assert early.oldest_awaited == NINE - timedelta(minutes=7)
    assert late is not None
    assert (len(late), late.awaited) == (2, 1)


def test_a_log_without_labels_has_no_outcomes(shop: Shop):
    kept = [name for name in COLUMNS if not name.startswith("label")]

    assert shop.log([row(1)], kept).reading(MODEL, HOUR).outcomes is None


def test_versions_errors_and_latencies_are_counted(shop: Shop):
    rows = [row(1), row(2, version="v2", error="timed out", latency_ms=None), row(3, version="v2", latency_ms=7.0)]
    reading = shop.log(rows).reading(MODEL, HOUR)

    assert reading.versions == {"v1": 1, "v2": 2}
    assert reading.operations is not None
    assert (reading.operations.requests, reading.operations.errors) == (3, 1)
    assert sorted(reading.operations.latencies_ms) == [5.0, 7.0]


def test_a_sample_is_spread_over_the_window_and_always_the_same(shop: Shop):
    rows = [row(m, label=True, label_time=NINE, age=float(m)) for m in range(1, 60)]
    source = shop.log([*rows, row(0.5)])
    sample = source.sample(MODEL, HOUR, 10)

    assert len(sample) == 10
    assert (sample.features["age"][0], sample.features["age"][-1]) == (59.0, 1.0)
    assert source.sample(MODEL, HOUR, 10).features == sample.features


def test_a_sample_may_be_of_one_version(shop: Shop):
    rows = [row(m, label=True, label_time=NINE, version=f"v{m % 2}") for m in range(1, 20)]
    sample = shop.log(rows).sample(MODEL, HOUR, 100, "v1")

    assert set(sample.versions) == {"v1"}
    assert len(sample) == 10


def test_a_sample_of_nothing_is_empty(shop: Shop):
    assert len(shop.log([row(1)]).sample(MODEL, HOUR, 10)) == 0


def test_a_log_that_is_not_there_is_named(shop: Shop):
    with pytest.raises(SourceUnavailable, match="nowhere"):
        shop.nothing().reading(MODEL, HOUR)


@pytest.mark.parametrize("lost", ["time", "score"])
def test_a_column_without_which_nothing_can_be_said_is_named(shop: Shop, lost: str):
    source = shop.log([row(1)], [name for name in COLUMNS if name != lost])

    with pytest.raises(SourceUnavailable, match=f"'{lost}'"):
        source.reading(MODEL, HOUR)


def test_a_lost_feature_is_absent_from_the_reading(shop: Shop):
    reading = shop.log([row(1)], [name for name in COLUMNS if name != "age"]).reading(MODEL, HOUR)

    assert "age" not in reading.columns
    assert "age" not in reading.kinds


def test_columns_that_the_log_does_not_have_are_left_out_by_empty_names(shop: Shop):
    model = replace(MODEL, columns=LogColumns(version="", label="", label_time="", latency_ms="", error="", request=""))
    reading = shop.log([row(1)]).reading(model, HOUR)

    assert (reading.rows, reading.outcomes, reading.operations, reading.versions) == (1, None, None, {})


def test_hostile_values_are_data(shop: Shop):
    worst = ["'; DROP TABLE log; --", "<!channel>", "=1+1", "é\u202e🦆", " " * 10]
    carrier = shop.log([row(i + 1, carrier=text) for i, text in enumerate(worst)]).reading(MODEL, HOUR).columns["carrier"]

    assert isinstance(carrier, CategoryProfile)
    assert set(carrier.counts) == set(worst)


def test_numbers_that_come_as_text_are_a_change_of_type(shop: Shop):
    model = replace(MODEL, features=(Feature("carrier", "numeric"),))

    assert shop.log([row(1)]).reading(model, HOUR).kinds["carrier"] == "categorical"


def test_a_clock_change_neither_loses_nor_doubles_rows(shop: Shop):
    rows = [row(60 * 12 - 10 * i) for i in range(6 * 12)]
    source = shop.log(rows)
    hours = [Window.ending(NINE - timedelta(hours=h), timedelta(hours=1)) for h in range(12)]

    assert [source.reading(MODEL, hour).rows for hour in hours] == [6] * 12


def test_pandas_and_the_source_agree_on_the_moments(shop: Shop):
    rng = np.random.default_rng(7)
    ages = rng.normal(40, 10, 500)
    source = shop.log([row(m / 10, age=float(age)) for m, age in enumerate(ages, 1)])
    age = source.reading(MODEL, HOUR).columns["age"]

    assert isinstance(age, NumericProfile)
    assert age.mean == pytest.approx(pd.Series(ages).mean(), abs=1e-9)
    assert age.squares == pytest.approx(pd.Series(ages).var(ddof=0) * 500, rel=1e-9)
