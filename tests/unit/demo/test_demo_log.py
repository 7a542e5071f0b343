import sqlite3
from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy

from bot.demo.clock import DataClock
from bot.demo.flights import CATEGORIES, FEATURES
from bot.demo.log import COLUMNS, PredictionLog, stamp

AT = datetime(2013, 7, 10, 9, tzinfo=UTC)


@pytest.fixture
def log(tmp_path):
    with PredictionLog(tmp_path / "log.db") as made:
        yield made


def row(flight, at=AT, score=0.5):
    features = ["x" if name in CATEGORIES else 1.0 for name in FEATURES]
    return (flight, "JFK-1", stamp(at), "v3", score, 4.2, None, *features)


def test_the_log_shows_prediction_and_truth_side_by_side(log):
    log.add([row("a"), row("b")])
    log.label([("a", True, AT + timedelta(hours=3))])
    read = log._database.execute("SELECT request_id, score, label, label_time FROM log ORDER BY request_id").fetchall()

    assert read == [("a", 0.5, 1, "2013-07-10 12:00:00.000000"), ("b", 0.5, None, None)]


def test_what_was_logged_is_not_logged_over(log):
    log.add([row("a", score=0.1)])
    log.add([row("a", score=0.9)])

    assert log._database.execute("SELECT score FROM predictions").fetchall() == [(0.1,)]


def test_rows_are_logged_together_or_not_at_all(log):
    with pytest.raises(sqlite3.ProgrammingError):
        log.add([row("a"), ("b",)])
    assert log.count() == (0, 0)


def test_predictions_and_labels_are_counted(log):
    log.add([row("a"), row("b")])
    log.label([("a", False, AT)])

    assert log.count() == (2, 1)


def test_times_are_read_by_sqlalchemy_as_times(log):
    log.add([row("a")])
    engine = sqlalchemy.create_engine(log.url)
    table = sqlalchemy.Table("predictions", sqlalchemy.MetaData(), autoload_with=engine)
    with engine.connect() as connection:
        naive = AT.replace(tzinfo=None)
        read = connection.execute(sqlalchemy.select(table.c.time).where(table.c.time >= naive)).scalars().all()
    engine.dispose()

    assert read == [naive]


def test_a_time_is_written_in_utc_and_in_one_width():
    assert stamp(datetime(2013, 7, 10, 5, tzinfo=timezone(timedelta(hours=-4)))) == "2013-07-10 09:00:00.000000"


def test_a_log_is_opened_again_with_what_it_held(log, tmp_path):
    log.add([row("a")])

    with PredictionLog(tmp_path / "log.db") as again:
        assert again.count() == (1, 0)


def test_every_column_has_its_place():
    assert COLUMNS[-len(FEATURES) :] == FEATURES


# the clock


def test_a_clock_is_read_by_whoever_knows_its_file(tmp_path):
    DataClock.starting(tmp_path / "clock", AT).advance(AT + timedelta(hours=1))

    assert DataClock(tmp_path / "clock").now() == AT + timedelta(hours=1)


def test_data_time_never_runs_backwards(tmp_path):
    clock = DataClock.starting(tmp_path / "clock", AT)
    clock.advance(AT - timedelta(hours=1))

    assert clock.now() == AT


def test_a_clock_speaks_utc(tmp_path):
    clock = DataClock.starting(tmp_path / "clock", AT.astimezone(timezone(timedelta(hours=2))))

    assert clock.now().isoformat() == "2013-07-10T09:00:00+00:00"
