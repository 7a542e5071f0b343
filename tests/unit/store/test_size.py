"""How large the database is: asked on both kinds."""

import pytest
from sqlalchemy import event

from bot.store import size
from bot.store.database import open_store
from tests.fakes.nouns import a_finding


def found(store, n: int) -> None:
    with store.write() as unit:
        unit.record(a_finding().window.end, [a_finding(subject=f"feature {place}") for place in range(n)])


def test_every_part_is_there_with_its_rows_and_what_it_takes(store):
    found(store, 1_000)

    measured = size.measured(store)

    assert {part.name for part in measured.parts} == {*size.PARTS, size.ENGINE}
    rows = {part.name: part.rows for part in measured.parts}
    assert (rows["findings"], rows["messages"], rows["engine"]) == (1_000, 0, None)
    assert measured.parts[0].name == "findings"
    assert measured.parts[0].bytes > 200_000
    assert sum(part.bytes for part in measured.parts) <= measured.bytes


def test_every_table_of_ours_belongs_to_a_part():
    assert sorted(size.metadata.tables) == sorted(table for tables in size.PARTS.values() for table in tables)


@pytest.fixture
def file(sqlite_url):
    opened = open_store(sqlite_url)
    yield opened
    opened.close()


def test_what_was_deleted_from_a_file_is_free_and_used_again(file):
    found(file, 2_000)
    before, _ = size.whole(file)
    with file.begin() as connection:
        connection.exec_driver_sql("DELETE FROM findings")

    _, free = size.whole(file)
    found(file, 2_000)

    assert free > 500_000
    assert size.whole(file)[0] == before


def test_an_sqlite_without_the_means_to_tell_says_the_whole_and_the_rows(file):
    @event.listens_for(file.engine, "before_cursor_execute", retval=True)
    def lacks(_connection, _cursor, statement, parameters, _context, _many):
        return statement.replace("dbstat", "dbstat_that_is_not_built_in"), parameters

    measured = size.measured(file)

    assert {part.bytes for part in measured.parts} == {None}
    assert measured.bytes > 0


def test_rows_of_a_large_table_are_told_by_postgresql_itself(store, monkeypatch):
    monkeypatch.setattr(size, "FEW", 10)
    found(store, 500)
    if store.engine.dialect.name != "sqlite":
        with store.begin() as connection:
            connection.exec_driver_sql("ANALYZE findings")

    assert {part.name: part.rows for part in size.measured(store).parts}["findings"] == 500
