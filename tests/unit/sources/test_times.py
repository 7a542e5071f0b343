"""Times as text, in all the forms that one column may hold: none of them may cost a row, or let one in."""

import random
import sqlite3
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine

from bot.core.models import Feature, LogColumns, Model
from bot.core.windows import Window
from bot.sources import sql

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)
DAY = Window.ending(NOON, timedelta(days=1))
MODEL = Model("m", "test", "ml", "log", "", DAY, (), (Feature("x", "numeric"),), LogColumns())

FORMS = {
    "a T": lambda at: f"{at:%Y-%m-%dT%H:%M:%S}",
    "a Z": lambda at: f"{at:%Y-%m-%dT%H:%M:%S.%f}Z",
    "a blank": lambda at: f"{at:%Y-%m-%d %H:%M:%S}",
    "a blank and a fraction": lambda at: f"{at:%Y-%m-%d %H:%M:%S.%f}",
    "an offset of zero": lambda at: f"{at:%Y-%m-%d %H:%M:%S}+00:00",
    "a place west": lambda at: at.astimezone(timezone(timedelta(hours=-11))).isoformat(),
    "a place east": lambda at: at.astimezone(timezone(timedelta(hours=14))).isoformat(),
    "no colon in the offset": lambda at: f"{at.astimezone(timezone(timedelta(hours=5))):%Y-%m-%dT%H:%M:%S%z}",
}
AROUND = [timedelta(hours=h) for h in (-30, -25, -24, -23, -12, -11, -1, 0, 1, 11, 13, 25)]


def logged(file: Path, texts: list[str], kind: str = "TEXT") -> sql.SqlSource:
    file.unlink(missing_ok=True)
    with sqlite3.connect(file) as database:
        database.execute(f"CREATE TABLE log (time {kind}, score REAL, x REAL)")
        database.executemany("INSERT INTO log VALUES (?, 0.5, 1.0)", [(text,) for text in texts])
    database.close()
    return sql.make({"url": f"sqlite:///{file}", "table": "log"})


@pytest.mark.parametrize("kind", ["TEXT", "DATETIME"])
@pytest.mark.parametrize("first", FORMS)
def test_the_form_of_the_first_row_says_nothing_of_the_others(tmp_path, kind, first):
    texts = [FORMS[first](NOON - timedelta(hours=2))]
    texts += [write(NOON + offset) for write in FORMS.values() for offset in AROUND]

    reading = logged(tmp_path / "log.db", texts, kind).reading(MODEL, DAY)

    assert reading.rows == 1 + len(FORMS) * sum(-timedelta(days=1) <= offset < timedelta() for offset in AROUND)


@settings(max_examples=25)
@given(
    start=st.integers(915_148_800, 2_114_380_800).map(lambda epoch: datetime.fromtimestamp(epoch, UTC)),
    length=st.integers(1, 260_000).map(lambda seconds: timedelta(seconds=seconds)),
    seed=st.integers(0, 2**32),
)
def test_whatever_the_window_the_rows_inside_are_found_and_no_others(tmp_path_factory, start, length, seed):
    dice = random.Random(seed)
    window = Window(start, start + length)
    edges = [start, start + length, start - timedelta(seconds=1), start + length - timedelta(seconds=1)]
    moments = edges + [start + timedelta(seconds=dice.randrange(-200_000, 400_000)) for _ in range(30)]
    texts = [dice.choice(list(FORMS.values()))(at) for at in moments]

    reading = logged(tmp_path_factory.getbasetemp() / "any.db", texts).reading(MODEL, window)

    assert reading.rows == sum(window.start <= at < window.end for at in moments)


def test_only_the_window_is_fetched_not_the_days_around_it(tmp_path):
    texts = [FORMS["a blank"](NOON - timedelta(minutes=m)) for m in range(60 * 48)]
    source = logged(tmp_path / "log.db", texts)
    hour = Window.ending(NOON, timedelta(hours=1))
    query, _ = source._query(source._reflected("log"), MODEL, hour)

    with source._engine.connect() as connection:
        fetched = connection.execute(query).all()

    assert len(fetched) == 61  # the end itself may come along; it is not in the reading
    assert source.reading(MODEL, hour).rows == 60


def test_a_window_is_found_by_the_index_of_the_time_column(tmp_path):
    source = logged(tmp_path / "log.db", [FORMS["a blank"](NOON)])
    with sqlite3.connect(tmp_path / "log.db") as database:
        database.execute("CREATE INDEX log_time ON log (time)")
    query, _ = source._query(source._reflected("log"), MODEL, DAY)

    with source._engine.connect() as connection:
        plan = connection.exec_driver_sql(
            f"EXPLAIN QUERY PLAN {query.compile(connection, compile_kwargs={'literal_binds': True})}"
        ).all()

    assert "USING INDEX log_time" in str(plan)


POSTGRES = {
    "TIMESTAMPTZ": lambda at: at,
    "TIMESTAMP": lambda at: at.replace(tzinfo=None),
    "BIGINT": lambda at: int(at.timestamp()),
    "NUMERIC": lambda at: int(at.timestamp()) * 1_000,
    "DOUBLE PRECISION": lambda at: at.timestamp(),
}


def kept(url: str, kind: str, values: list[object]) -> sql.SqlSource:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(f'CREATE TABLE log ("time" {kind}, score REAL, x NUMERIC)')
        for value in values:
            connection.exec_driver_sql("INSERT INTO log VALUES (%s, 0.5, 'NaN')", (value,))
    engine.dispose()
    return sql.make({"url": url, "table": "log"})


@pytest.mark.parametrize("kind", POSTGRES)
def test_postgres_may_keep_times_in_any_type(postgres_url, kind):
    reading = kept(postgres_url, kind, [POSTGRES[kind](NOON + offset) for offset in AROUND]).reading(MODEL, DAY)

    assert reading.rows == sum(-timedelta(days=1) <= offset < timedelta() for offset in AROUND)
    assert reading.newest == NOON - timedelta(hours=1)


def test_postgres_may_keep_times_as_texts_of_many_forms(postgres_url):
    texts = [write(NOON + offset) for write in FORMS.values() for offset in AROUND]

    reading = kept(postgres_url, "TEXT", texts).reading(MODEL, DAY)

    assert reading.rows == len(FORMS) * sum(-timedelta(days=1) <= offset < timedelta() for offset in AROUND)


def test_a_day_without_an_hour_is_its_midnight(postgres_url):
    days = [date(2026, 3, 27), date(2026, 3, 28), date(2026, 3, 29), date(2026, 3, 30)]

    reading = kept(postgres_url, "DATE", days).reading(MODEL, DAY)

    assert (reading.rows, reading.newest) == (1, datetime(2026, 3, 29, tzinfo=UTC))


def test_a_number_that_is_none_is_counted_as_such_in_an_exact_column_too(postgres_url):
    x = kept(postgres_url, "TIMESTAMPTZ", [NOON - timedelta(hours=1)]).reading(MODEL, DAY).columns["x"]

    assert (x.nans, x.count) == (1, 0)
