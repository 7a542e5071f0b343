"""One suite for every `Store`: whoever presses Continue, and however many at once, a gate is passed once."""

from typing import Any

import pytest

from bot.core.errors import NotFound
from bot.core.gates import Press
from bot.core.ports import Store
from bot.store.database import open_store
from tests.contract.test_store import _race
from tests.fakes.nouns import NOON, a_proposal, a_run, an_incident
from tests.fakes.store import MemoryStore


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def running(request: pytest.FixtureRequest) -> Any:
    """A store with incident #1 and its run p1."""
    url = {"sqlite": "sqlite_url", "postgresql": "postgres_url"}.get(request.param)
    store = open_store(request.getfixturevalue(url)) if url else MemoryStore()
    with store.write() as unit:
        unit.open_incident(an_incident())
        unit.add_proposal(a_proposal())
        unit.save_run(a_run())
    yield store
    if url:
        store.close()


def test_a_gate_is_passed_once_whoever_presses(running: Store):
    with running.write() as unit:
        said = [unit.press(Press("p1", step, by, NOON)) for step, by in (("all", "U2"), ("all", "U3"), ("half", "U3"))]

    with running.read() as unit:
        assert (said, unit.presses("p1")) == (
            [True, False, True],
            [Press("p1", "all", "U2", NOON), Press("p1", "half", "U3", NOON)],
        )
        assert list(unit.presses("p2")) == []


def test_a_press_at_no_run_is_refused(running: Store):
    with pytest.raises(NotFound, match="p7"), running.write() as unit:
        unit.press(Press("p7", "all", "U2", NOON))


def test_of_twenty_presses_at_one_gate_exactly_one_counts(running: Store):
    assert _race(running, lambda unit, n: unit.press(Press("p1", "all", f"U{n}", NOON))).count(True) == 1
