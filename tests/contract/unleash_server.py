"""A real Unleash from npm, over a database of the tests' PostgreSQL, with a token for the bot and one for an application."""

import os
import shutil
import subprocess
from contextlib import contextmanager
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, make_url, text

from tests.contract import servers

ASKED = "unleash-server@6.10.1"
ADMIN, SDK = "*:*.tests-admin", "*:production.tests-sdk"
INSTALL = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]


def program():
    """Return what node starts; it is installed when it is not there, and again after a failure."""
    if not shutil.which("npm"):
        pytest.skip("Unleash needs Node 20 or newer with npm.")
    folder = servers.folder("unleash")
    if not (folder / "ready").exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([*INSTALL, "--prefix", folder, ASKED], check=True, env=os.environ | servers.QUIET)
        (folder / "ready").touch()
    return folder / "node_modules" / "unleash-server" / "dist" / "server.js"


@contextmanager
def running(folder, postgres):
    """Yield the address of a server that is ready."""
    name = f"unleash_{uuid4().hex}"
    engine = create_engine(postgres("postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    address = f"http://127.0.0.1:{(port := servers.free_port())}"
    env = os.environ | servers.QUIET | _settings(make_url(postgres(name)), port)
    log = folder / "unleash.log"
    with servers.running(["node", program()], env, log, servers.answers(f"{address}/health"), 120):
        yield address
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


def _settings(database, port):
    return {
        "DATABASE_HOST": str(database.query["host"]),  # a socket's folder
        "DATABASE_NAME": str(database.database),
        "DATABASE_USERNAME": str(database.username),
        "DATABASE_PASSWORD": "",
        "DATABASE_SSL": "false",
        "HTTP_HOST": "127.0.0.1",
        "HTTP_PORT": str(port),
        "INIT_ADMIN_API_TOKENS": ADMIN,
        "INIT_CLIENT_API_TOKENS": SDK,
        "CHECK_VERSION": "false",
        "SEND_TELEMETRY": "false",
    }
