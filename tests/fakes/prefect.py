"""Prefect's API as measured at 3.9.1: one run to a key, states and their names, pools and queues, a token against forged requests.

As strict as the real one: what it does not know in a question or an order is a 422.
"""

from base64 import b64encode
from uuid import uuid4

PASSWORD = "right-47f2"
SCHEMA = {"seconds": "number", "fails": "boolean", "until": "string", "dies": "boolean", "epochs": "integer"}
TYPES = {"number": (int, float), "boolean": bool, "string": str, "integer": int}
QUEUE = str(uuid4())
NO_DATA = "Flow run encountered an exception: ValueError: There are no data."
KILLED = "Process exited with status code: -9. Process exited due to a SIGKILL signal."
OVER = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


def state(kind, name=None, message=None):
    return {"type": kind, "name": name or kind.capitalize(), "message": message, "data": None}


SCHEDULED, PENDING, RUNNING = state("SCHEDULED"), state("PENDING", "Submitting"), state("RUNNING")
RETRY = state("SCHEDULED", "AwaitingRetry", "Flow run encountered an exception: RuntimeError: not yet")


def deployment(pool=None, *, heard=True, properties=None):
    takes = {name: {"type": kind, "title": name} for name, kind in SCHEMA.items()} if properties is None else properties
    return {
        "id": str(uuid4()),
        "paused": False,
        "status": "READY" if heard else "NOT_READY",
        "work_pool_name": pool,
        "work_queue_id": QUEUE if pool else None,
        "parameter_openapi_schema": {"title": "Parameters", "type": "object", "properties": takes},
        "enforce_parameter_schema": True,
    }


class FakePrefect:
    """`train/nightly` is served, `train/pooled` waits in a work pool for a worker that is not there, `flaky/nightly` breaks down.

    Each look at a run takes it one state further. `instead` holds answers to give instead.
    """

    def __init__(self, *, csrf=False):
        self.deployments = {
            "train/nightly": deployment(),
            "train/pooled": deployment("pool", heard=False),
            "flaky/nightly": deployment(properties={}),
        }
        self.runs, self.calls, self.instead, self.seals = {}, [], {}, {} if csrf else None
        self.paused = {"pool": False, "queue": False}
        self.artifacts = [{"key": "fit", "type": "progress", "description": "epochs", "data": 25}]

    def answer(self, method, path, query, body, headers):
        self.calls.append((method, path, body))
        path = path.removeprefix("/api/")
        if (method, path) in self.instead:
            return self.instead[method, path]
        if headers.get("authorization") != f"Basic {b64encode(f'bot:{PASSWORD}'.encode()).decode()}":
            return 401, {"exception_message": "Unauthorized"}
        if path == "csrf-token":
            return self._seal(query["client"])
        if method == "POST" and self.seals is not None:
            if "prefect-csrf-token" not in headers:
                return 403, {"detail": "Missing CSRF token."}
            if self.seals.get(headers["prefect-csrf-client"]) != headers["prefect-csrf-token"]:
                return 403, {"detail": "Invalid CSRF token or client identifier."}
        return self._look(path) if method == "GET" else self._post(path, body)

    def _seal(self, client):
        if self.seals is None:
            return 422, {"detail": "CSRF protection is disabled."}
        self.seals[client] = uuid4().hex
        return 200, {"token": self.seals[client], "client": client}

    def _look(self, path):
        room, _, name = path.partition("/")
        if room == "work_pools" and name == "pool":
            return 200, {"name": "pool", "is_paused": self.paused["pool"]}
        if room == "work_queues" and name == QUEUE:
            return 200, {"id": QUEUE, "is_paused": self.paused["queue"]}
        if room == "deployments" and name.count("/") == 2:
            found = self.deployments.get(name.removeprefix("name/"))
            return (200, found) if found else (404, {"detail": "Deployment not found"})
        return 404, {"detail": "Not Found"}

    def _post(self, path, body):
        room, _, rest = path.partition("/")
        if rest == "filter":
            return self._filtered(room, body)
        id_, _, verb = rest.partition("/")
        return self._create(id_, body) if verb == "create_flow_run" else self._set_state(id_, body)

    def _filtered(self, room, body):
        keys = {"flow_runs": {"flow_runs", "limit"}, "task_runs": {"flow_runs", "task_runs", "limit"}}
        keys["artifacts"] = {"flow_runs", "artifacts", "sort", "limit"}
        if set(body) - keys[room]:
            return 422, {"exception_message": "Invalid request received."}
        which = body["flow_runs"]
        found = [
            run
            for run in self.runs.values()
            if run["idempotency_key"] in which.get("idempotency_key", {}).get("any_", [])
            or run["id"] in which.get("id", {}).get("any_", [])
        ]
        if room == "flow_runs":
            return 200, [self._told(run, further=True) for run in found]
        if room == "artifacts":
            return 200, self.artifacts if found else []
        return 200, [task for run in found for task in self._tasks(run, body["task_runs"]["state"]["type"]["any_"])]

    def _tasks(self, run, kinds):
        """One task, which is as its run is; a run that was killed has left it running."""
        now = "RUNNING" if run["states"][0]["type"] == "CRASHED" else run["states"][0]["type"]
        told = now in kinds and run["has_tasks"]
        return [{"name": "fit-504", "task_key": "fit-78e2081c", "state_type": now}] if told else []

    def _create(self, id_, body):
        there = next((one for one in self.deployments.values() if one["id"] == id_), None)
        if there is None:
            return 404, {"detail": "Deployment not found"}
        if set(body) != {"name", "idempotency_key", "parameters", "tags"}:
            return 422, {"exception_message": "Invalid request received."}
        properties = there["parameter_openapi_schema"]["properties"]
        for name, value in body["parameters"].items():
            kind = properties.get(name, {}).get("type")
            if kind and (not isinstance(value, TYPES[kind]) or (kind != "boolean" and isinstance(value, bool))):
                why = f"Validation failed for field '{name}'. Failure reason: {value!r} is not of type '{kind}'"
                return 409, {"detail": f"Error creating flow run: {why}"}
        key = body["idempotency_key"]
        if key in self.runs:
            return 200, self._told(self.runs[key])
        states = self._states(there, body["parameters"])
        self.runs[key] = {**body, "id": str(uuid4()), "states": states, "has_tasks": bool(properties)}
        return 201, self._told(self.runs[key])

    def _states(self, there, given):
        if there["work_pool_name"]:
            return [SCHEDULED]
        if there is self.deployments["flaky/nightly"]:
            return [SCHEDULED, RUNNING, RETRY, RETRY, state("FAILED", message="RuntimeError: not yet")]
        end = state("FAILED", message=NO_DATA) if given.get("fails") else state("COMPLETED")
        end = state("CRASHED", message=KILLED) if given.get("dies") else end
        return [SCHEDULED, PENDING, *[RUNNING] * (1_000 if given.get("seconds") else 2), end]

    def _set_state(self, id_, body):
        run = next((one for one in self.runs.values() if one["id"] == id_), None)
        if run is None:
            return 404, {"exception_message": f"Flow run with id {id_} not found"}
        now = run["states"][0]
        if now["type"] in OVER:
            return 200, {"status": "ABORT", "state": now}
        if now["type"] == "SCHEDULED":
            run["states"] = [state("CANCELLED")]
            return 201, {"status": "REJECT", "state": run["states"][0]}
        wish = body["state"]
        run["states"] = [
            state(wish["type"], wish["name"], wish["message"]),
            state("CANCELLED", message="Flow run was cancelled successfully."),
        ]
        return 201, {"status": "ACCEPT", "state": run["states"][0]}

    def _told(self, run, *, further=False):
        now = run["states"][0]
        if further and len(run["states"]) > 1:
            run["states"].pop(0)
        plain = {name: value for name, value in run.items() if name not in ("states", "has_tasks")}
        return {**plain, "state_type": now["type"], "state_name": now["name"], "state": now}
