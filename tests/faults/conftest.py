"""Processes that may be killed, and an engine that watches what comes of it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.engine.durable import Durable
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
