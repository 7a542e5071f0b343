"""Heavy servers, each in an environment of its own, and the processes of them that a test starts and ends as a group.

Some 2 GB under the user's cache (or $AIOPS_TEST_SERVERS), made once by the first slow test that needs it; no part of `make test`.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

ASKED = {
    "mlflow": "mlflow==3.17.2",
    "airflow": "apache-airflow==3.3.2",
    "moto": "moto[server]==5.2.5",
    "prefect": "prefect==3.9.1",
}
QUIET = {
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "SCARF_ANALYTICS": "false",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
}
"""Nobody is told that a test runs."""


def program(name: str, brought_by: str) -> str:
    """Return where a program lies; a test that needs it and does not find it fails, because nobody reads what was skipped."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        pytest.fail(f"{name} is not installed here: {brought_by}.", pytrace=False)
    return found


def folder(server: str) -> Path:
    """Return where a server is kept between runs."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "aiops-bot", "servers")
    return Path(os.environ.get("AIOPS_TEST_SERVERS") or cache) / server


def command(server: str, name: str) -> Path:
    """Return a command of a server's environment, which is made when there is none, and again after a failure."""
    place = folder(server)
    if not (place / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", place], check=True)
        asked = [place / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", ASKED[server]]
        subprocess.run(asked, check=True)
        (place / "ready").touch()
    return place / "bin" / name


@contextmanager
def borrowed(server: str) -> Iterator[None]:
    """Let this process import what lies in a server's environment and not in its own, for the length of a test."""
    found = next(command(server, "python").parents[1].glob("lib/python*/site-packages"))
    sys.path.append(str(found))
    try:
        yield
    finally:
        sys.path.remove(str(found))


def environment(server: str, more: Mapping[str, str]) -> dict[str, str]:
    """Return what its processes get: their own commands first, nothing of this tree."""
    path = f"{command(server, 'python').parent}{os.pathsep}{os.environ['PATH']}"
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | QUIET | {"PATH": path} | dict(more)


@contextmanager
def running(
    arguments: list[object], env: Mapping[str, str], log: Path, ready: Callable[[], bool], within_s: float
) -> "Iterator[subprocess.Popen[bytes]]":
    """Start a server in a process group, wait until it is ready, yield it, and end all of the group in the end."""
    with log.open("ab") as said:
        process = subprocess.Popen(
            ["nice", *map(str, arguments)], env=env, cwd=log.parent, stdout=said, stderr=said, start_new_session=True
        )
    try:
        _wait(process, ready, within_s, log)
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait(process: "subprocess.Popen[bytes]", ready: Callable[[], bool], within_s: float, log: Path) -> None:
    until = time.monotonic() + within_s
    while time.monotonic() < until and process.poll() is None:
        with suppress(httpx.HTTPError):
            if ready():
                return
        time.sleep(0.25)
    pytest.fail(f"It was not ready within {within_s:g} s:\n{log.read_text(errors='replace')[-3_000:]}")


def answers(url: str) -> Callable[[], bool]:
    """Return whether this URL answers with 200, as a function."""
    return lambda: httpx.get(url, trust_env=False, timeout=5).status_code == 200
