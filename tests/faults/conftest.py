"""Processes that may be killed, and an engine that watches what comes of it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.engine.durable import Durable
from tests.faults.edge import Edge
from tests.faults.house import House
from tests.faults.lives import Lives, Script, World, engine_of


@pytest.fixture
def engine_url(empty_database_url: str) -> str:
    """The address of an empty database, of either kind."""
    return empty_database_url


@pytest.fixture
def world(tmp_path: Path) -> World:
    """What the effects of steps are done to."""
    return World(tmp_path / "world.db").build()


@pytest.fixture
def lives() -> Iterator[Lives]:
    """Processes, all of which end with the test."""
    started = Lives()
    yield started
    started.end()


@pytest.fixture
def onlooker(engine_url: str, world: World) -> Iterator[Durable]:
    """An engine that enqueues and looks, and runs nothing itself."""
    engine = engine_of(Script(engine_url, world, executor=f"onlooker-{os.getpid()}"))
    engine.prepare()
    yield engine
    engine.stop()


@pytest.fixture(scope="session")
def running_edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """A real Envoy before two versions, with callers who never pause; one for all tests."""
    edge = Edge(tmp_path_factory.mktemp("edge"))
    yield edge
    edge.close()


@pytest.fixture
def company(running_edge: Edge, database_url: str, tmp_path: Path) -> Iterator[Callable[..., House]]:
    """A small company of its own on either kind of database, as a function from what is special about it."""
    running_edge.fresh()
    founded: list[House] = []

    def found(**special: object) -> House:
        founded.append(House(tmp_path, database_url, running_edge, **special))  # type: ignore[arg-type]
        return founded[-1]

    yield found
    for house in founded:
        house.close()


@pytest.fixture
def house(company: Callable[..., House]) -> House:
    """The ordinary one: its remedy helps."""
    return company()
