"""A real Prefect 3 on SQLite, guarded by an auth string and against forged requests, and what carries its flows out."""

import os
import shutil
import signal
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import httpx

from bot.demo.ports import free_port
from tests.contract import servers
from tests.fakes.prefect import PASSWORD

FORGETS_S = 10
"""So soon it says of a deployment that nobody asks for its work; of itself after a minute."""


class Real:
    """The server, and a process that serves `train/nightly` and `flaky/nightly`; `train/pooled` waits for a worker of the pool."""

    def __init__(self, stack, folder):
        port = free_port()
        self.url, self._folder = f"http://127.0.0.1:{port}/api", folder
        shutil.copy(Path(__file__).with_name("prefect_flows.py"), folder)
        self._env = servers.environment(
            "prefect",
            {
                "PREFECT_HOME": str(folder / "home"),
                "PREFECT_API_URL": self.url,
                "PREFECT_API_AUTH_STRING": f"bot:{PASSWORD}",
                "PREFECT_SERVER_API_AUTH_STRING": f"bot:{PASSWORD}",
                "PREFECT_SERVER_CSRF_PROTECTION_ENABLED": "true",
                "PREFECT_SERVER_SERVICES_FOREMAN_LOOP_SECONDS": "2",
                "PREFECT_SERVER_SERVICES_FOREMAN_DEPLOYMENT_LAST_POLLED_TIMEOUT_SECONDS": str(FORGETS_S),
                "PREFECT_RUNNER_POLL_FREQUENCY": "2",
                "PREFECT_WORKER_QUERY_SECONDS": "2",
            },
        )
        command = [servers.command("prefect", "prefect"), "server", "start", "--host", "127.0.0.1", "--port", port, "--no-ui"]
        ready = servers.answers(f"{self.url}/health")
        stack.enter_context(servers.running(command, self._env, folder / "server.log", ready, 120))
        self._seal = self._sealed()
        stack.enter_context(self.served("nightly"))
        self._make_pool()

    @contextmanager
    def served(self, name):
        """Have the flows served under this name by a process of its own; yields what pulls the plug on it."""
        command = [servers.command("prefect", "python"), "prefect_flows.py", name]
        log = self._folder / f"{name}.log"
        with servers.running(
            command, self._env, log, lambda: self.get(f"deployments/name/train/{name}")["last_polled"], 120
        ) as process:
            yield lambda: os.killpg(process.pid, signal.SIGKILL)

    @contextmanager
    def worked(self):
        """Have a worker ask for the pool's work."""
        command = [servers.command("prefect", "prefect"), "worker", "start", "--pool", "pool"]
        with servers.running(command, self._env, self._folder / "worker.log", self._has_worker, 60):
            yield

    def runs(self, key):
        """Return how many runs there are of this key."""
        return len(self.states(key))

    def states(self, key):
        """Return the state of each run of this key."""
        asked = {"flow_runs": {"idempotency_key": {"any_": [key]}}}
        return [run["state_type"] for run in self._call("POST", "flow_runs/filter", asked)]

    def pause(self, what, paused):
        """Pause the pool or its queue, or let it go on."""
        queue = self.get("deployments/name/train/pooled")["work_queue_id"]
        self._call("PATCH", {"pool": "work_pools/pool", "queue": f"work_queues/{queue}"}[what], {"is_paused": paused})

    def get(self, path):
        return self._call("GET", path)

    def _make_pool(self):
        like = self.get("deployments/name/train/nightly")
        kept = {name: like[name] for name in ("flow_id", "parameter_openapi_schema", "enforce_parameter_schema")}
        self._call("POST", "work_pools/", {"name": "pool", "type": "process"})
        where = {"path": str(self._folder), "entrypoint": "prefect_flows.py:train", "work_pool_name": "pool"}
        self._call("POST", "deployments/", {"name": "pooled", **where, **kept})

    def _has_worker(self):
        return self.get("deployments/name/train/pooled")["status"] == "READY"

    def _sealed(self):
        client = uuid4().hex
        told = httpx.get(f"{self.url}/csrf-token?client={client}", auth=("bot", PASSWORD), trust_env=False, timeout=10).json()
        return {"prefect-csrf-client": client, "prefect-csrf-token": told["token"]}

    def _call(self, method, path, body=None):
        """Call, and again while SQLite is locked, which the server says with 503."""
        for _ in range(20):
            told = httpx.request(
                method, f"{self.url}/{path}", json=body, headers=self._seal, auth=("bot", PASSWORD), trust_env=False, timeout=20
            )
            if told.status_code != 503:
                break
            time.sleep(0.5)
        told.raise_for_status()
        return told.json() if told.content else None


def begin(url, key):
    """Start the job `retrain` of `train/nightly` in this process, which a test kills in the middle."""
    from bot.connectors.prefect import make  # noqa: PLC0415 - a process of its own

    job = {"deployment": "train/nightly", "parameters": {"until": "{until}"}}
    make({"url": url, "jobs": {"retrain": job}, "username": "bot", "password": PASSWORD, "timeout": 60.0}).start(
        "retrain", {"until": "2026-01-01"}, key
    )


if __name__ == "__main__":
    begin(*sys.argv[1:])
