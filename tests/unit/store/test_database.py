"""What happens when the database is not there, busy, full or not a database."""

import sqlite3
import time
from pathlib import Path
from threading import Timer

import pytest
from sqlalchemy import create_engine, text

from bot.core.errors import ConfigError, StoreUnavailable
from bot.store.database import open_store
from tests.fakes.nouns import an_entry, an_incident


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nonsense", "cannot be read"),
        ("mysql://host/name", "sqlite and postgresql"),
        ("sqlite://", "plain file"),
        ("sqlite:///:memory:", "plain file"),
        ("sqlite:////nowhere/at/all.db", "does not exist"),
    ],
)
def test_an_address_that_cannot_work_is_refused_with_the_way_out(url: str, words: str):
    with pytest.raises(ConfigError, match=words):
        open_store(url)


def test_a_file_that_is_no_database_is_named(tmp_path: Path):
    (tmp_path / "notes.txt").write_text("hello " * 500)
    store = open_store(f"sqlite:///{tmp_path / 'notes.txt'}")

    with pytest.raises(ConfigError, match=r"notes\.txt is not a database"), store.write():
        pass


def test_a_database_without_tables_says_how_to_make_them(empty_database_url: str):
    store = open_store(empty_database_url)

    with pytest.raises(ConfigError, match="aiops db upgrade"), store.write() as unit:
        unit.open_incident(an_incident())
    store.close()


def test_a_server_that_is_not_there_is_unavailable_and_its_password_stays_secret():
    store = open_store("postgresql://bot:hunter2@127.0.0.1:1/aiops")

    with pytest.raises(StoreUnavailable, match="does not answer") as caught, store.write():
        pass
    assert "hunter2" not in str(caught.value)


def test_a_connection_that_is_lost_in_the_middle_is_unavailable_and_the_next_write_works(postgres_url: str):
    store = open_store(postgres_url)

    def lost() -> None:
        with store.write() as unit:
            _lose_everybody(postgres_url)
            unit.audit(an_entry("lost"))

    with pytest.raises(StoreUnavailable, match="try again"):
        lost()
    with store.write() as unit:
        row = unit.audit(an_entry("kept"))

    assert row.seq == 1
    store.close()


def test_connections_that_died_in_the_pool_are_noticed_before_use(postgres_url: str):
    store = open_store(postgres_url)
    with store.write() as unit:
        unit.audit(an_entry("before"))
    _lose_everybody(postgres_url)

    with store.write() as unit:
        assert unit.audit(an_entry("after")).seq == 2
    store.close()


def test_a_writer_that_waits_too_long_is_told(sqlite_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("bot.store.database.WAIT_S", 0)
    store = open_store(sqlite_url)
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreUnavailable, match="locked"), store.write():
        pass
    other.close()


def test_a_pen_that_is_held_too_long_is_told(postgres_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("bot.store.database.WAIT_S", 1)
    store, other = open_store(postgres_url), open_store(postgres_url)

    with other.write() as held:
        held.audit(an_entry())
        with pytest.raises(StoreUnavailable, match="lock timeout"), store.write() as unit:
            unit.audit(an_entry())
    store.close()
    other.close()


def test_a_waiting_writer_gets_its_turn_although_it_read_first(sqlite_url: str):
    """A deferred transaction would fail at once here, whatever the busy timeout says."""
    store = open_store(sqlite_url)
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    release = Timer(0.3, other.close)
    release.start()
    started = time.monotonic()
    with store.write() as unit:
        unit.incidents()
        unit.audit(an_entry())

    assert time.monotonic() - started >= 0.2
    release.join()


def test_a_full_disk_is_said_and_reading_goes_on(sqlite_url: str):
    store = open_store(sqlite_url)
    with store.write() as unit:
        unit.audit(an_entry())
    with store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(StoreUnavailable, match="full"), store.write() as unit:
        unit.audit(an_entry(payload={"x": "y" * 1_000_000}))
    with store.read() as unit:
        assert len(unit.audit_rows(9)) == 1


def _lose_everybody(url: str) -> None:
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(others))
    engine.dispose()
