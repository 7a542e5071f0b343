"""The demo company's model platform: every version a server of its own, a real Envoy in front, all on loopback.

Nothing here knows of the bot. The bot finds it through `aiops.yaml`, as it would find anybody's.
"""

import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from bot.demo.envoy import EnvoyProcess
from bot.demo.leash import DemoFailed, Leashed

ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""Scoring 17 flights gains nothing from threads, and the machine's few cores are shared by all versions."""


class ModelPlatform:
    """Running servers and their splitter; `folder` gets their logs."""

    def __init__(self, folder: Path, target: str, models: Path, versions: Sequence[str], *, live: str) -> None:
        """Start all versions, and Envoy with all traffic on `live`.

        Raises:
            DemoFailed: something did not start; what did is stopped again.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.target = target
        with ExitStack() as started:
            self._servers = {v: _ModelServer(folder, models, v) for v in versions}
            for server in self._servers.values():
                started.callback(server.process.stop)
            ports = {version: server.port() for version, server in self._servers.items()}
            self.envoy = EnvoyProcess(folder, target, ports, {live: 100})
            started.callback(self.envoy.stop)
            self._running = started.pop_all()
        self.servers = {version: f"http://127.0.0.1:{port}" for version, port in ports.items()}

    @property
    def front(self) -> str:
        """Where callers send their requests."""
        return self.envoy.front

    @property
    def splitter_options(self) -> Mapping[str, object]:
        """The options of a platform of kind `envoy` in `aiops.yaml`."""
        return self.envoy.options

    @property
    def scorer_options(self) -> Mapping[str, object]:
        """The options of a scorer of kind `model_servers` in `aiops.yaml`."""
        return {"targets": {self.target: dict(self.servers)}}

    def check(self) -> None:
        """Raise DemoFailed, naming the log, when a part has stopped."""
        parts = {version: server.process for version, server in self._servers.items()} | {"envoy": self.envoy.process}
        for name, process in parts.items():
            if not process.alive:
                raise DemoFailed(f"The demo's {name} has stopped; see its log {process.log}.")

    def kill(self, version: str) -> None:
        """Let a version's server crash."""
        self._servers[version].process.kill()

    def stop(self) -> None:
        """End everything, splitter first."""
        self.envoy.process.let_go()
        for server in self._servers.values():
            server.process.let_go()
        self._running.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class _ModelServer:
    def __init__(self, folder: Path, models: Path, version: str) -> None:
        self._port_file = folder / f"{version}.port"
        self._port_file.unlink(missing_ok=True)
        command = [sys.executable, "-m", "bot.demo.modelserver", "--version", version]
        where = ["--models", str(models), "--port-file", str(self._port_file)]
        self.process = Leashed([*command, *where], folder / f"{version}.log", env=ONE_THREAD)

    def port(self) -> int:
        return self.process.wait_for(lambda: int(self._port_file.read_text("ascii")) if self._port_file.is_file() else None, 60)
