"""Evidently and NannyML, each in an environment of its own: they need other versions. `python -m tests.bench.peers` makes them.

Three gigabytes under the user's cache (or $AIOPS_BENCH_PEERS), made once, some minutes; no part of `make test`.
"""

import os
import subprocess
import sys
from pathlib import Path

from rich.console import Console

PEERS = {
    "evidently": ("evidently==0.7.23", "pandas<3", "pyarrow"),
    "nannyml": (
        "nannyml==0.13.1",
        "pandas==2.2.*",
        "numpy==1.26.*",
        "scipy==1.13.*",
        "scikit-learn==1.5.*",
        "statsmodels",
        "pyarrow<20",
    ),
}
"""What pip is asked for: what they import but do not declare, and what they do not yet run with."""

QUIET = {"NML_DISABLE_USAGE_LOGGING": "1", "DO_NOT_TRACK": "1"}
"""Nobody is told that a benchmark runs."""


def place(peer: str) -> Path:
    """Return the folder of a peer's environment."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "aiops-bot", "peers")
    return Path(os.environ.get("AIOPS_BENCH_PEERS") or cache) / peer


def python(peer: str) -> Path:
    """Return the peer's Python; its environment is made when there is none, and again after a failure."""
    folder = place(peer)
    if not (folder / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        asked = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PEERS[peer]]
        subprocess.run(asked, check=True, env=_environment())
        (folder / "ready").touch()
    return folder / "bin" / "python"


def started(peer: str, script: Path, *arguments: object) -> "subprocess.Popen[bytes]":
    """Start one of our scripts in the peer's environment."""
    return subprocess.Popen([python(peer), script, *map(str, arguments)], env=_environment())


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | QUIET


if __name__ == "__main__":
    for name in PEERS:
        Console().print(f"{name}: {python(name)}")
