import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from bot.core.errors import ConfigError, SourceUnavailable
from bot.core.models import Feature, LogColumns, Model
from bot.core.profiles import CategoryProfile, NumericProfile
from bot.core.windows import Window
from bot.sources.sql import SqlSource, make

NINE = datetime(2026, 3, 1, 9, tzinfo=UTC)
HOUR = Window.ending(NINE, timedelta(hours=1))
MODEL = Model("m", "test", "ml", "log", "", HOUR, (), (Feature("x", "numeric"),), LogColumns())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


def log(file: Path, rows: list[tuple[Any, ...]], columns: str = "time TEXT, score REAL, x REAL") -> SqlSource:
    """Write rows as they are, past every conversion, and open them."""
    with sqlite3.connect(file) as database:
        database.execute(f"CREATE TABLE log ({columns})")
        if rows:
            database.executemany(f"INSERT INTO log VALUES ({', '.join('?' * len(rows[0]))})", rows)  # noqa: S608
    database.close()
    return make({"url": f"sqlite:///{file}", "table": "log"})


FORMS = {
    "ISO with a T": ("TEXT", lambda at: at.strftime("%Y-%m-%dT%H:%M:%S")),
    "ISO with a Z": ("TEXT", lambda at: at.strftime("%Y-%m-%dT%H:%M:%SZ")),
    "ISO with a blank": ("TEXT", lambda at: at.strftime("%Y-%m-%d %H:%M:%S")),
    "ISO in a zone": ("TEXT", lambda at: (at + timedelta(hours=5, minutes=30)).strftime("%Y-%m-%dT%H:%M:%S+05:30")),
    "ISO in a DATETIME": ("DATETIME", lambda at: at.strftime("%Y-%m-%dT%H:%M:%S.000Z")),
    "as SQLAlchemy writes": ("DATETIME", lambda at: at.strftime("%Y-%m-%d %H:%M:%S.%f")),
    "epoch seconds": ("INTEGER", lambda at: int(at.timestamp())),
    "epoch seconds in a DATETIME": ("DATETIME", lambda at: int(at.timestamp())),
    "epoch seconds with a fraction": ("REAL", lambda at: at.timestamp() + 0.25),
    "epoch milliseconds": ("INTEGER", lambda at: int(at.timestamp() * 1000)),
    "epoch microseconds": ("INTEGER", lambda at: int(at.timestamp() * 1_000_000)),
}


@pytest.mark.parametrize("form", FORMS)
def test_times_are_read_in_every_form(file, form):
    kind, write = FORMS[form]
    minutes = [-1, 0, 1, 30, 60, 61, 60 * 20]
    source = log(file, [(write(NINE - timedelta(minutes=m)), 0.5, 1.0) for m in minutes], f"time {kind}, score REAL, x REAL")
    reading = source.reading(MODEL, HOUR)

    assert reading.rows == 3
    assert reading.newest == NINE - timedelta(minutes=1)


def test_a_time_column_without_times_is_named(file):
    source = log(file, [("2026-03-01 at half past eight", 0.5, 1.0)])

    with pytest.raises(SourceUnavailable, match="'time' does not hold times"):
        source.reading(MODEL, HOUR)


def test_a_row_without_a_time_is_in_no_window(file):
    assert log(file, [(None, 0.5, 1.0), ("2026-03-01T08:30:00", 0.5, 1.0)]).reading(MODEL, HOUR).rows == 1


def mixed(file: Path, values: list[Any], kind: str = "REAL") -> SqlSource:
    return log(file, [("2026-03-01T08:30:00", 0.5, value) for value in values], f"time TEXT, score REAL, x {kind}")


def test_a_few_unreadable_values_of_a_number_column_are_missing(file):
    profile = mixed(file, [1.0, 2, "n/a", b"\xff", None]).reading(MODEL, HOUR).columns["x"]

    assert isinstance(profile, NumericProfile)
    assert (profile.count, profile.nans, profile.nulls) == (2, 2, 1)


def test_a_number_column_that_holds_mostly_text_has_changed_its_type(file):
    reading = mixed(file, ["low", "high", 3.0]).reading(MODEL, HOUR)

    assert reading.kinds["x"] == "categorical"
    assert isinstance(reading.columns["x"], CategoryProfile)


def test_a_column_without_a_type_is_what_its_values_are(file):
    reading = mixed(file, [1, 2.5, None], kind="").reading(MODEL, HOUR)

    assert reading.kinds["x"] == "numeric"


def test_whole_numbers_that_are_too_large_become_the_nearest(file):
    profile = mixed(file, [2**62, 1.5], kind="INTEGER").reading(MODEL, HOUR).columns["x"]

    assert isinstance(profile, NumericProfile)
    assert profile.high == 2.0**62


def test_numbers_with_all_their_digits_are_read_as_doubles(postgres_url):
    with create_engine(postgres_url).begin() as database:
        database.execute(text("CREATE TABLE log (time timestamp, score numeric(5, 4), x numeric)"))
        database.execute(text("INSERT INTO log VALUES ('2026-03-01 08:30', 0.5, 1e30), ('2026-03-01 08:30', 0.5, 'NaN')"))
    profile = make({"url": postgres_url, "table": "log"}).reading(MODEL, HOUR).columns["x"]

    assert isinstance(profile, NumericProfile)
    assert (profile.nans, profile.high) == (1, 1e30)


def labelled(file: Path, labels: list[tuple[Any, ...]]) -> SqlSource:
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE log (request_id TEXT, time TEXT, score REAL, x REAL)")
        database.execute("CREATE TABLE truths (request_id TEXT, label INTEGER, label_time TEXT)")
        database.executemany("INSERT INTO log VALUES (?, '2026-03-01T08:30:00', 0.5, 1.0)", [("a",), ("b",), ("c",)])
        database.executemany("INSERT INTO truths VALUES (?, ?, ?)", labels)
    database.close()
    return make({"url": f"sqlite:///{file}", "table": "log", "labels_table": "truths"})


def test_labels_are_joined_from_a_table_of_their_own(file):
    source = labelled(file, [("a", 1, "2026-03-01T08:50:00"), ("b", 0, "2026-03-01T09:50:00"), ("z", 1, "2026-03-01T08:50:00")])
    outcomes = source.reading(MODEL, HOUR, as_of=NINE).outcomes

    assert outcomes is not None
    assert (outcomes.labels.tolist(), outcomes.awaited) == ([True], 2)


def test_a_label_that_was_sent_twice_counts_once_as_it_first_came(file):
    source = labelled(file, [("a", 1, "2026-03-01T08:50:00"), ("a", 0, "2026-03-01T08:55:00")])
    reading = source.reading(MODEL, HOUR, as_of=NINE)

    assert reading.rows == 3
    assert reading.outcomes is not None
    assert reading.outcomes.labels.tolist() == [True]


def test_a_labels_table_without_labels_is_named(file):
    source = log(file, [("2026-03-01T08:30:00", 0.5, "a")], "time TEXT, score REAL, request_id TEXT")
    wrong = make({"url": f"sqlite:///{file}", "table": "log", "labels_table": "log"})

    assert source.reading(MODEL, HOUR).rows == 1
    with pytest.raises(SourceUnavailable, match="labels table 'log' has no column 'label'"):
        wrong.reading(MODEL, HOUR)


def test_a_log_without_the_requests_id_cannot_be_joined(file):
    log(file, [("2026-03-01T08:30:00", 0.5, 1.0)])
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE truths (request_id TEXT, label INTEGER)")
    database.close()

    with pytest.raises(SourceUnavailable, match="no column 'request_id'"):
        make({"url": f"sqlite:///{file}", "table": "log", "labels_table": "truths"}).reading(MODEL, HOUR)


@pytest.mark.parametrize("column", ["error TEXT", "error INTEGER"])
def test_an_error_is_a_text_that_says_something_or_a_flag_that_is_set(file, column):
    said = ["timed out", "", None] if column == "error TEXT" else [1, 0, None]
    source = log(file, [("2026-03-01T08:30:00", 0.5, error) for error in said], f"time TEXT, score REAL, {column}")
    operations = source.reading(MODEL, HOUR).operations

    assert operations is not None
    assert (operations.requests, operations.errors) == (3, 1)


def test_a_missing_database_file_is_named_and_not_made(file):
    with pytest.raises(SourceUnavailable, match="There is no SQLite file"):
        make({"url": f"sqlite:///{file}", "table": "log"}).reading(MODEL, HOUR)

    assert not file.exists()


def test_a_file_that_is_no_database_is_named(file):
    file.write_text("time,score\n")

    with pytest.raises(SourceUnavailable, match="not a database"):
        make({"url": f"sqlite:///{file}", "table": "log"}).reading(MODEL, HOUR)


def test_sqlite_is_told_to_refuse_writing(file):
    source = log(file, [])

    with source._engine.connect() as connection, pytest.raises(Exception, match="readonly"):
        connection.execute(text("DELETE FROM log"))


def test_postgres_is_told_to_refuse_writing(postgres_url):
    source = make({"url": postgres_url, "table": "log"})

    with source._engine.connect() as connection, pytest.raises(Exception, match="read-only transaction"):
        connection.execute(text("CREATE TABLE log (time timestamp)"))


ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS time, i AS score, i AS x FROM n WHERE i < 0"


def test_a_statement_that_takes_too_long_is_cut_off_on_sqlite(file):
    with sqlite3.connect(file) as database:
        database.execute(f"CREATE VIEW log AS {ENDLESS}")
    database.close()

    with pytest.raises(SourceUnavailable, match="interrupted"):
        make({"url": f"sqlite:///{file}", "table": "log", "timeout_s": 0.2}).reading(MODEL, HOUR)


def test_a_statement_that_takes_too_long_is_cut_off_on_postgres(postgres_url):
    with create_engine(postgres_url).begin() as database:
        database.execute(text("CREATE VIEW log AS SELECT now() AS time, 0.5 AS score, pg_sleep(30)::text AS x"))

    with pytest.raises(SourceUnavailable, match="statement timeout"):
        make({"url": postgres_url, "table": "log", "timeout_s": 0.2}).reading(MODEL, HOUR)


def test_a_database_that_does_not_answer_is_a_sentence():
    with pytest.raises(SourceUnavailable, match="'log' of the prediction log cannot be read"):
        make({"url": "postgresql://nobody@127.0.0.1:1/log", "table": "log"}).reading(MODEL, HOUR)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"table": "log"}, "needs the option 'url'"),
        ({"url": "sqlite://"}, "needs the option 'table'"),
        ({"url": "sqlite://", "table": "log", "tabel": "log"}, "no option 'tabel'"),
        ({"url": "no address", "table": "log"}, "cannot be used"),
        ({"url": "oracle+nothing://", "table": "log"}, "cannot be used"),
        ({"url": "sqlite://", "table": "log", "timeout_s": "soon"}, "number of seconds"),
    ],
)
def test_a_wrong_option_is_a_sentence(options, said):
    with pytest.raises(ConfigError, match=said):
        make(options)
