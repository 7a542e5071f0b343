"""Airflow's API as measured at 3.3.2: its tokens and states, a second run of one id as a conflict, a DAG that is paused."""

PASSWORD = "right-47f2"


class FakeAirflow:
    """The DAGs `train` and `asleep`, which is paused; each look at a run takes it one state further."""

    def __init__(self):
        self.runs, self.tokens, self.logins, self.calls, self.instead = {}, {}, 0, [], {}

    def forget_tokens(self):
        self.tokens = {}

    def answer(self, method, path, query, body, headers):
        self.calls.append((method, path, body))
        if (method, path) in self.instead:
            return self.instead[method, path]
        if path == "/auth/token":
            return self._login(body)
        who = self.tokens.get(headers.get("authorization", "").removeprefix("Bearer "))
        if who is None:
            return 403, {"detail": "Invalid JWT token"}
        return self._known(method, path, body, who)

    def _known(self, method, path, body, who):
        dag, _, run = path.removeprefix("/api/v2/dags/").partition("/dagRuns")
        if dag not in ("train", "asleep"):
            return 404, {"detail": f"The Dag with ID: `{dag}` was not found"}
        if not run and method == "GET":
            return 200, {"dag_id": dag, "is_paused": dag == "asleep"}
        if method != "GET" and who != "bot":
            return 403, {"detail": "Forbidden"}
        if run.endswith("/taskInstances"):
            return self._failed_tasks((dag, run.strip("/").removesuffix("/taskInstances")))
        return self._start(dag, body) if method == "POST" else self._run(method, (dag, run.strip("/")), body)

    def _login(self, body):
        if (body["username"], body["password"]) not in (("bot", PASSWORD), ("eve", PASSWORD)):
            return 401, {"detail": "Invalid credentials"}
        self.logins += 1
        self.tokens[f"token{self.logins}"] = body["username"]
        return 201, {"access_token": f"token{self.logins}"}

    def _start(self, dag, body):
        key = (dag, body["dag_run_id"])
        if key in self.runs:
            return 409, {"detail": {"reason": "Unique constraint violation"}}
        conf = body["conf"]
        end = "failed" if conf.get("fails") else "success"
        self.runs[key] = {"states": ["queued", *["running"] * (1 if not conf.get("seconds") else 1_000), end], "note": None}
        return 200, {"state": "queued"}

    def _failed_tasks(self, key):
        broken = key in self.runs and self.runs[key]["states"] == ["failed"] and not self.runs[key]["note"]
        return 200, {"task_instances": [{"task_id": "train", "state": "failed"}] if broken else []}

    def _run(self, method, key, body):
        if key not in self.runs:
            return 404, {"detail": f"The DagRun with dag_id: `{key[0]}` and run_id: `{key[1]}` was not found"}
        run = self.runs[key]
        if method == "PATCH":
            run["states"], run["note"] = [body["state"]], body["note"]
        state = run["states"].pop(0) if len(run["states"]) > 1 else run["states"][0]
        return 200, {"state": state, "note": run["note"]}
