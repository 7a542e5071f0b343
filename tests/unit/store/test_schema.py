"""Migrations, up and down, on both databases."""

import threading

import pytest
from sqlalchemy import Connection, inspect, text

from bot.core.errors import ConfigError
from bot.core.findings import Verdict
from bot.store import schema
from bot.store.database import open_engine, open_store
from bot.store.tables import metadata
from tests.fakes.nouns import NOON, a_finding, an_incident


def test_an_empty_database_has_no_revision_and_is_not_fit(empty_database_url: str):
    assert schema.current(empty_database_url) is None
    with pytest.raises(ConfigError, match="aiops db upgrade"):
        schema.check(empty_database_url)


def test_an_upgraded_database_is_at_the_head_and_fit(empty_database_url: str):
    assert schema.upgrade(empty_database_url) == schema.current(empty_database_url) == schema.head()
    schema.check(empty_database_url)


def test_upgrading_again_leaves_the_rows_alone(empty_database_url: str):
    schema.upgrade(empty_database_url)
    store = open_store(empty_database_url)
    with store.write() as unit:
        unit.open_incident(an_incident())
    schema.upgrade(empty_database_url)

    with store.read() as unit:
        assert len(unit.incidents()) == 1
    store.close()


def test_down_and_up_again_leaves_nothing_and_builds_everything(empty_database_url: str):
    schema.upgrade(empty_database_url)
    schema.downgrade(empty_database_url)
    engine = open_engine(empty_database_url)
    left = set(inspect(engine).get_table_names()) - {schema.VERSIONS, "sqlite_sequence"}
    engine.dispose()
    schema.upgrade(empty_database_url)

    assert left == set()
    schema.check(empty_database_url)


def test_findings_stay_as_they_are_when_their_table_is_ordered_anew_and_back(empty_database_url: str):
    schema.upgrade(empty_database_url)
    store = open_store(empty_database_url)
    found = [a_finding(subject=f"feature {n}", verdict=verdict) for n, verdict in enumerate(Verdict)]
    with store.write() as unit:
        unit.record(NOON, found)
    store.close()
    schema.downgrade(empty_database_url, "0004")
    schema.upgrade(empty_database_url)

    store = open_store(empty_database_url)
    with store.read() as unit:
        assert list(unit.latest()) == found
    order = inspect(store.engine).get_pk_constraint("findings")["constrained_columns"]
    store.close()
    assert order == ["model", "check_name", "slot", "subject"]


def test_the_migrated_tables_are_the_tables_of_the_program(database_url: str):
    with open_engine(database_url).begin() as connection:
        assert schema.differing(connection) == []


def test_the_migrated_constraints_are_those_of_the_program(database_url: str, tmp_path, request):
    """Alembic does not compare CHECK constraints, so they are read back and compared here."""
    migrated = open_engine(database_url)
    with migrated.begin() as connection:
        found = _constraints(connection)
        if migrated.dialect.name == "postgresql":
            connection.execute(text("CREATE SCHEMA fresh"))
            connection.execute(text("SET LOCAL search_path TO fresh"))
            metadata.create_all(connection, checkfirst=False)
            fresh = _constraints(connection, "fresh")
    if migrated.dialect.name == "sqlite":
        with open_engine(f"sqlite:///{tmp_path / 'fresh.db'}").begin() as connection:
            metadata.create_all(connection)
            fresh = _constraints(connection)
    migrated.dispose()

    assert found == fresh
    assert found["incidents"]


def _constraints(connection: Connection, schema_name: str | None = None) -> dict[str, set[tuple[str, str]]]:
    look = inspect(connection)
    return {
        name: {(str(c["name"]), str(c["sqltext"])) for c in look.get_check_constraints(name, schema=schema_name)}
        for name in metadata.tables
    }


def test_a_change_by_hand_is_found(database_url: str):
    with open_engine(database_url).begin() as connection:
        connection.execute(text("DROP INDEX ix_runs_over"))

    with pytest.raises(ConfigError, match="changed by hand"):
        schema.check(database_url)


def test_a_database_of_a_newer_program_is_refused(database_url: str):
    with open_engine(database_url).begin() as connection:
        connection.execute(text("UPDATE aiops_version SET version_num = '9999'"))

    with pytest.raises(ConfigError, match="install a newer aiops-bot"):
        schema.check(database_url)


def test_replicas_that_start_together_build_the_tables_once(empty_database_url: str):
    start, results = threading.Barrier(4), []

    def replica() -> None:
        start.wait()
        results.append(schema.upgrade(empty_database_url))

    threads = [threading.Thread(target=replica) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert results == [schema.head()] * 4
