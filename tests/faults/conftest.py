"""Processes that may be killed, and an engine that watches what comes of it."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from bot.engine.durable import Durable
from tests.faults.edge import Edge
from tests.faults.failures import COUNTED, DATABASE, FAILURE, FAILURES, Collector, Tally, database_of
from tests.faults.house import House
from tests.faults.lives import Lives, Script, World, engine_of
from tests.faults.office import Office, Papers, opened, remedy


def pytest_configure(config: pytest.Config) -> None:
    """Listen to the tests that show a failure."""
    config.pluginmanager.register(Collector())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse a mark that names no failure: what is misspelt would be missing from the table."""
    for mark in (mark for item in items for mark in item.iter_markers("failure")):
        if mark.args[0] not in FAILURES:
            raise pytest.UsageError(f"There is no failure '{mark.args[0]}'; known: {', '.join(FAILURES)}.")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let the report say which failure a test shows, and on which database, however it ends."""
    mark = item.get_closest_marker("failure")
    if mark is not None:
        parameters = item.callspec.params.values() if isinstance(item, pytest.Function) and hasattr(item, "callspec") else ()
        item.user_properties += [(FAILURE, mark.args[0]), (DATABASE, database_of(parameters) or mark.kwargs.get("database", ""))]


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Tally:
    """Counts for the table of failures."""
    kept = Tally({})
    request.node.user_properties.append((COUNTED, kept.counts))
    return kept


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


@pytest.fixture
def office(database_url: str, tmp_path: Path, lives: Lives) -> Iterator[Callable[..., Office]]:
    """An office of its own on either kind of database, as a function from how many models it has, and what is special about it."""
    with ExitStack() as open_offices:

        def found(models: int, *, playbook: str = "", expires: timedelta = timedelta(hours=4), **special: object) -> Office:
            papers = Papers(database_url, tmp_path, models, **special)  # type: ignore[arg-type]
            papers.splitter.build()
            papers.playbook.parent.mkdir()
            papers.playbook.write_text(playbook or remedy(), "utf-8")
            desk, engine = open_offices.enter_context(opened(papers, expires=expires))
            engine.prepare()
            return Office(papers, desk, engine, lives)

        yield found


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
