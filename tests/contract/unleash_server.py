"""A real Unleash from npm, over a database of the tests' PostgreSQL, and how flags, tokens and reports are made in one."""

import os
import subprocess
import time
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import create_engine, make_url, text

from bot.demo.ports import free_port
from tests.contract import servers
from tests.fakes.unleash import PROJECT, VIEWER

ASKED = "unleash-server@6.10.1"
ADMIN, SDK = "*:*.tests-admin", "*:production.tests-sdk"
NUMBERS = count()
INSTALL = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]


def program():
    """Return what node starts; it is installed when it is not there, and again after a failure."""
    servers.program("npm", "it comes with Node 20 or newer, which Unleash needs")
    folder = servers.folder("unleash")
    if not (folder / "ready").exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([*INSTALL, "--prefix", folder, ASKED], check=True, env=os.environ | servers.QUIET)
        (folder / "ready").touch()
    return folder / "node_modules" / "unleash-server" / "dist" / "server.js"


@contextmanager
def application(url, flag, folder, *, deaf=False):
    """Let an application ask this server for a flag, with Unleash's own SDK; a deaf one never hears that it was switched."""
    env = os.environ | servers.QUIET | {"NODE_PATH": str(program().parents[2])}
    command = ["node", Path(__file__).with_name("unleash_app.js"), url, SDK, flag, *(["deaf"] if deaf else [])]
    with servers.running(command, env, folder / "application.log", lambda: True, 20):
        yield


@contextmanager
def running(folder, postgres):
    """Yield the address of a server that is ready."""
    name = f"unleash_{uuid4().hex}"
    engine = create_engine(postgres("postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    address = f"http://127.0.0.1:{(port := free_port())}"
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


class World:
    """An Unleash in which flags are made, over its own API."""

    def __init__(self, url, admin, sdk):
        self.url, self.admin, self.sdk = url, admin, sdk
        self.client = httpx.Client(base_url=url, trust_env=False, timeout=20)

    def asks(self, path, body=None, *, token=None, method="POST"):
        return self.client.request(method, path, json=body, headers={"authorization": token or self.admin})

    def makes(self, *strategies, on=False, parent=""):
        """Make a flag with these strategies in production; return its name."""
        flag = f"flag-{next(NUMBERS)}"
        assert self.asks(f"{PROJECT}/features", {"name": flag}).status_code == 201
        for strategy in strategies:
            assert self.asks(f"{self.place(flag)}/strategies", strategy).status_code == 200
        if parent:
            assert self.asks(f"{PROJECT}/features/{flag}/dependencies", {"feature": parent}).status_code == 200
        if on:
            assert self.asks(f"{self.place(flag)}/on").status_code == 200
        return flag

    def place(self, flag):
        return f"{PROJECT}/features/{flag}/environments/production"

    def report(self, flag, yes, no, application="churn-server"):
        """Report as an SDK does, and wait until Unleash has counted it."""
        at, before = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), self.counted(flag)
        bucket = {"start": at, "stop": at, "toggles": {flag: {"yes": yes, "no": no}}}
        body = {"appName": application, "instanceId": "1", "bucket": bucket}
        assert self.asks("/api/client/metrics", body, token=self.sdk).status_code == 202
        self.wait_for(flag, lambda rows: rows != before)

    def counted(self, flag):
        return self.asks(f"/api/admin/client-metrics/features/{flag}/raw?hoursBack=2", method="GET").json()["data"]

    def wait_for(self, flag, seen, within=30):
        """Wait until what applications report of a flag is as it should be."""
        until = time.monotonic() + within
        while not seen(self.counted(flag)):
            assert time.monotonic() < until, "Unleash did not count the report."
            time.sleep(0.2)

    def maintains(self, flag, *, enabled):
        """Begin or end maintenance, and make sure of it: the real one may remember for a minute what it was just before."""
        for _ in range(20):
            self.asks("/api/admin/maintenance", {"enabled": enabled})
            if (self.asks(f"{self.place(flag)}/off").status_code == 503) is enabled:
                return
            time.sleep(0.2)
        pytest.fail("Maintenance could not be switched.")

    def viewer(self):
        """Return a token of somebody who may only look."""
        return VIEWER


class Real(World):
    """The real one, which knows only the people that it was told of."""

    def __init__(self, url):
        super().__init__(url, ADMIN, SDK)

    def viewer(self):
        name = {"username": f"viewer{next(NUMBERS)}", "password": "Look-but-touch-not-1"}
        assert self.asks("/api/admin/user-admin", {**name, "rootRole": 3, "sendEmail": False}).status_code == 201
        with httpx.Client(base_url=self.url, trust_env=False, timeout=20) as browser:
            assert browser.post("/auth/simple/login", json=name).status_code == 200
            made = browser.post("/api/admin/user/tokens", json={"description": "x", "expiresAt": "2100-01-01T00:00:00Z"})
        return made.json()["secret"]
