"""State, audit row and the start of a durable workflow are one transaction, with the real engine, on both databases."""

from collections.abc import Iterator
from contextlib import suppress

import pytest

from bot.core.approvals import Standing
from bot.core.errors import ConfigError, Conflict
from bot.core.ports import Unit
from bot.engine.durable import Durable
from bot.store import schema
from bot.store.database import SqlStore, open_store
from tests.fakes.nouns import NOON, a_proposal, an_entry, an_incident


@pytest.fixture
def engine(database_url: str) -> Iterator[Durable]:
    durable = Durable(database_url)
    durable.register("execute", lambda _journal, payload: payload)
    durable.register("other", lambda _journal, payload: payload)
    durable.prepare()
    yield durable
    durable.stop()


@pytest.fixture
def store(database_url: str, engine: Durable) -> Iterator[SqlStore]:
    opened = open_store(database_url, enqueue=engine.enqueue)
    with opened.write() as unit:
        unit.open_incident(an_incident())
        unit.add_proposal(a_proposal())
    yield opened
    opened.close()


def decide(unit: Unit) -> None:
    unit.close_proposal(a_proposal().closed(Standing.APPROVED, by="U2", at=NOON))
    unit.audit(an_entry("approved"))
    unit.enqueue("execute", "p1", {"plan": {"to": "v1"}}, lane="delays@production")


def test_a_decision_its_audit_row_and_its_run_appear_together(store: SqlStore, engine: Durable):
    with store.write() as unit:
        decide(unit)

    with store.read() as unit:
        assert (unit.proposal("p1").standing, [r.entry.action for r in unit.audit_rows(9)]) == (Standing.APPROVED, ["approved"])
    status = engine.status("p1")
    assert status is not None
    assert (status.workflow, status.state) == ("execute", "ENQUEUED")


def test_a_decision_its_audit_row_and_its_run_vanish_together(store: SqlStore, engine: Durable):
    with suppress(ZeroDivisionError), store.write() as unit:
        decide(unit)
        raise ZeroDivisionError

    with store.read() as unit:
        assert (unit.proposal("p1").standing, list(unit.audit_rows(9))) == (Standing.WAITING, [])
    assert engine.status("p1") is None


def test_the_same_number_starts_once(store: SqlStore, engine: Durable):
    for _ in range(2):
        with store.write() as unit:
            unit.enqueue("execute", "p1", {}, lane="delays@production")

    assert engine.status("p1") is not None


def test_the_same_number_for_another_workflow_is_a_conflict_and_undoes_the_rest(store: SqlStore):
    with store.write() as unit:
        unit.enqueue("execute", "p1", {}, lane="delays@production")

    with suppress(Conflict), store.write() as unit:
        unit.audit(an_entry("again"))
        unit.enqueue("other", "p1", {}, lane="delays@production")
    with store.read() as unit:
        assert list(unit.audit_rows(9)) == []


def test_a_store_without_an_engine_says_so(database_url: str):
    with open_store(database_url).write() as unit, pytest.raises(ConfigError, match="no engine"):
        unit.enqueue("execute", "p1", {}, lane="x")


def test_the_engines_tables_in_the_same_database_are_no_difference_to_ours(store: SqlStore, database_url: str):
    schema.check(database_url)

    with store.look() as connection:
        assert schema.differing(connection) == []
