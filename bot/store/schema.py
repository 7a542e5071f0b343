"""The schema's version: bring the database up to date, say where it stands, say whether the two differ.

A migration runs in one transaction, behind a lock, so that two replicas that start together do not build the same table twice.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, select

from bot.core.errors import ConfigError
from bot.store.database import answering, open_engine
from bot.store.tables import metadata

SCRIPTS = Path(__file__).parent / "migrations"
MIGRATING = 0x61696F7074  # an advisory lock of its own: migrating waits for other migrations only
VERSIONS = "aiops_version"


def upgrade(url: str, to: str = "head") -> str | None:
    """Bring the database to this revision and return it; a database that is there already is left alone."""
    return _migrate(url, lambda config: command.upgrade(config, to))


def downgrade(url: str, to: str = "base") -> str | None:
    """Take the database back to this revision and return it. Data of newer tables is lost."""
    return _migrate(url, lambda config: command.downgrade(config, to))


def current(url: str) -> str | None:
    """Return the revision the database is at; None when it has no tables of ours."""
    with _connected(url) as connection:
        return _revision(connection)


def head() -> str:
    """Return the newest revision this program knows."""
    revision = ScriptDirectory(str(SCRIPTS)).get_current_head()
    return revision or ""


def check(url: str) -> None:
    """Return quietly when the database fits this program.

    Raises:
        ConfigError: it is older, newer or has been changed by hand; the sentence says which and what to do.
    """
    with _connected(url) as connection:
        revision = _revision(connection)
        if revision != head():
            raise ConfigError(_behind(revision))
        if differences := differing(connection):
            raise ConfigError(f"The database's tables were changed by hand ({differences[0]}); restore them from a backup.")


def differing(connection: Connection) -> list[str]:
    """Return what sets the database's tables apart from the program's, in alembic's words; empty when nothing does."""
    context = MigrationContext.configure(connection, opts={"include_object": ours, "target_metadata": metadata})
    return [str(difference) for difference in compare_metadata(context, metadata)]


def ours(_object: object, name: str | None, kind: str, reflected: bool, counterpart: object) -> bool:  # noqa: FBT001
    """Return whether alembic should look at it; the durable engine keeps its tables in the same database."""
    return not (kind == "table" and reflected and counterpart is None and name not in metadata.tables)


def _behind(revision: str | None) -> str:
    if revision is None:
        return "The database has no tables of ours yet; run `aiops db upgrade`."
    known = {script.revision for script in ScriptDirectory(str(SCRIPTS)).walk_revisions()}
    if revision in known:
        return f"The database is at revision {revision}, this program needs {head()}; run `aiops db upgrade`."
    return f"The database is at revision {revision}, which this program does not know; it is too old, install a newer aiops-bot."


def _migrate(url: str, do: Callable[[Config], None]) -> str | None:
    with _connected(url) as connection:
        if connection.dialect.name != "sqlite":
            connection.execute(select(func.pg_advisory_xact_lock(MIGRATING)))
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
        do(config)
        return _revision(connection)


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    engine = open_engine(url)
    try:
        with answering(engine), engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def _revision(connection: Connection) -> str | None:
    options: dict[str, Any] = {"version_table": VERSIONS}
    return MigrationContext.configure(connection, opts=options).get_current_revision()
