"""Airflow 3 as a platform of jobs: a job is a DAG, a start of it a DAG run whose id is the start's key.

What a real Airflow does, and what follows: a run id that is there already is a 409, which is success; a run of a paused DAG waits
in the queue for ever, so a paused one is refused before; a token is given for name and password, lapses, and is then refused with
401 or 403 ("Invalid JWT token"), so both are answered by logging in once more, which is safe: a refused call has done nothing.
"""

import json
import threading
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import Field

from bot import validation
from bot.connectors.orders import all_filled, complete, holes, in_words, known, short
from bot.core.actions import Json
from bot.core.errors import ActionFailed, ConfigError, NotFound, OutcomeUnknown
from bot.core.jobs import Job, Stage
from bot.core.ports import ConnectorKind
from bot.http import Allowed, Answer, Http, Unanswered, Unreached
from bot.validation import Part

REFUSED, FORBIDDEN, GONE, CONFLICT, SERVER_ERROR = 401, 403, 404, 409, 500
STAGES = {"queued": Stage.RUNNING, "running": Stage.RUNNING, "success": Stage.SUCCEEDED, "failed": Stage.FAILED}
MOST_TASKS = 5
STOPPED = "stopped by aiops-bot"


class Order(Part):
    """One job: the DAG, and what its runs are told; texts may have holes for the playbook's parameters."""

    dag: str = Field(pattern=r"^[A-Za-z0-9_.-]{1,250}$")
    conf: dict[str, str | int | float | bool] = Field(default_factory=dict)

    @property
    def holes(self) -> set[str]:
        """The parameters that it asks for."""
        return holes(*self.conf.values())


class Options(Part):
    """The section of `aiops.yaml`."""

    url: str
    jobs: Annotated[dict[str, Order], Field(min_length=1)]
    username: str = ""
    password: str = ""
    token: str = ""
    timeout: float = Field(default=15.0, gt=0, le=300)


class Airflow:
    """Implements `Jobs`."""

    name = "airflow"

    def __init__(self, options: Options) -> None:
        if bool(options.token) == bool(options.username and options.password):
            raise ConfigError("Connector airflow: give `username` and `password`, or a `token`.")
        self._url, self._jobs, self._given = options.url.rstrip("/"), options.jobs, options
        self._token, self._lock = options.token, threading.Lock()
        self._http = Http(Allowed.of(self._url), deadline_s=options.timeout)

    def order(self, job: str, parameters: Json) -> str:
        """Return which DAG would run, with what.

        Raises:
            NotFound: there is no such job.
            ConfigError: a parameter is missing.
        """
        order = known(self._jobs, job)
        complete(job, order.holes, parameters)
        return in_words(job, f"DAG {order.dag}", all_filled(order.conf, parameters))

    def start(self, job: str, parameters: Json, key: str) -> None:
        """Start it; Airflow refuses a second run of this id, and that is as it should be.

        Raises:
            NotFound: there is no such DAG.
            ActionFailed: the DAG is paused, or Airflow refuses.
            OutcomeUnknown: it broke down over it, or its answer was cut off.
        """
        order = known(self._jobs, job)
        self._awake(order.dag)
        body = {"dag_run_id": short(key), "logical_date": None, "conf": all_filled(order.conf, parameters)}
        answer = self._call("POST", f"dags/{order.dag}/dagRuns", body)
        if answer.status >= SERVER_ERROR:
            raise OutcomeUnknown(f"{answer.where} answered {answer.status}.")
        if answer.status != CONFLICT:
            _checked(answer)

    def job(self, job: str, key: str) -> Job:
        """Return where this start stands, by Airflow's own word for it."""
        path = _run(known(self._jobs, job), key)
        try:
            answer = self._call("GET", path)
        except (Unreached, Unanswered) as trouble:
            return Job(Stage.UNKNOWN, str(trouble))
        if answer.status == GONE:
            return Job(Stage.ABSENT)
        if answer.status >= SERVER_ERROR:
            return Job(Stage.UNKNOWN, f"{answer.where} answered {answer.status}.")
        told = _checked(answer).json()
        state = told.get("state") if isinstance(told, dict) else None
        if not isinstance(state, str) or state not in STAGES:
            raise ActionFailed(f"{answer.where} names no state of a run that Airflow 3 knows.")
        note = told.get("note")
        if isinstance(note, str) and note:
            return Job(STAGES[state], note[:200])
        return Job(STAGES[state], self._said(state, path, f"run {short(key)}"))

    def _said(self, state: str, path: str, run: str) -> str:
        """Return where a run stands in words that lead to it: an ended one by its name, a failed one by its tasks, too."""
        if STAGES[state] is Stage.RUNNING:
            return state
        tasks = self._failed_tasks(path) if STAGES[state] is Stage.FAILED else []
        if not tasks:
            return f"{run} ended with '{state}'"
        return f"task{'s' if len(tasks) > 1 else ''} {', '.join(tasks)} failed in {run}"

    def _failed_tasks(self, path: str) -> list[str]:
        """Return the names of the tasks that failed, none where that cannot be told."""
        try:
            told = _checked(self._call("GET", f"{path}/taskInstances?state=failed&limit={MOST_TASKS}")).json()
        except ActionFailed:
            return []
        rows = told.get("task_instances") if isinstance(told, dict) else None
        named = [row.get("task_id") for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
        return sorted({f"'{name[:60]}'" for name in named if isinstance(name, str) and name})

    def cancel(self, job: str, key: str) -> None:
        """Set the run to failed, which ends its tasks; nothing where it is not there any more."""
        body = {"state": "failed", "note": STOPPED}
        answer = self._call("PATCH", _run(known(self._jobs, job), key), body)
        if answer.status not in (GONE, CONFLICT):
            _checked(answer)

    def _awake(self, dag: str) -> None:
        """Raise unless Airflow would carry out a run of this DAG."""
        answer = self._call("GET", f"dags/{dag}")
        if answer.status == GONE:
            raise NotFound(f"Airflow has no DAG '{dag}'; compare `dag` in aiops.yaml with its list of DAGs.")
        told = _checked(answer).json()
        if not isinstance(told, dict) or not isinstance(told.get("is_paused"), bool):
            raise ActionFailed(f"{answer.where} does not tell of a DAG as Airflow 3 does; is `url` really Airflow's?")
        if told["is_paused"]:
            raise ActionFailed(f"The DAG '{dag}' is paused, so a run of it would wait for ever; unpause it in Airflow first.")

    def close(self) -> None:
        """Close idle connections."""
        self._http.close()

    def _call(self, method: str, path: str, body: Any = None) -> Answer:
        """Call with the token that there is; where it is refused, once more with a new one."""
        token = self._token or self._logged_in(stale="")
        answer = self._sent(method, path, body, token)
        if answer.status not in (REFUSED, FORBIDDEN) or self._given.token:
            return answer
        return self._sent(method, path, body, self._logged_in(stale=token))

    def _sent(self, method: str, path: str, body: Any, token: str) -> Answer:
        url, headers = f"{self._url}/api/v2/{path}", {"authorization": f"Bearer {token}", "content-type": "application/json"}
        if method == "GET":
            return self._http.get(url, headers=headers)
        return self._http.send(method, url, json.dumps(body).encode(), headers=headers)

    def _logged_in(self, stale: str) -> str:
        """Return a token other than the stale one; of many threads one logs in.

        Raises:
            ActionFailed: Airflow lets nobody in with this name and password.
        """
        with self._lock:
            if self._token == stale:
                name = {"username": self._given.username, "password": self._given.password}
                answer = self._http.ask(f"{self._url}/auth/token", json=name)
                told = _checked(answer).json()
                token = told.get("access_token") if isinstance(told, dict) else None
                if not isinstance(token, str) or not token:
                    raise ActionFailed(f"{answer.where} gave no token; is `url` really Airflow's?")
                self._token = token
            return self._token


def _checked(answer: Answer) -> Answer:
    if answer.status in (REFUSED, FORBIDDEN):
        raise ActionFailed(
            f"Airflow does not allow this ({answer.status}); compare `username` and `password` or `token` of the connector "
            "and that user's role."
        )
    return answer.checked()


def _run(order: Order, key: str) -> str:
    return f"dags/{order.dag}/dagRuns/{quote(short(key), safe='')}"


def make(options: Mapping[str, object]) -> Airflow:
    """Build it from its section of the configuration.

    Raises:
        ConfigError: an option is missing or wrong.
    """
    return Airflow(validation.options(options, Options, of="Connector airflow"))


airflow = ConnectorKind(
    name="airflow",
    make=make,
    options={
        "url": "of Airflow's API server, e.g. https://airflow.corp",
        "jobs": "for each job: dag, and conf, which may hold parameters, e.g. until: '{until}'",
        "username": "whose token is asked for, with `password`",
        "password": "e.g. ${env:AIRFLOW_PASSWORD}",
        "token": "instead of both, a token that lasts, e.g. ${env:AIRFLOW_TOKEN}",
        "timeout": "seconds that one call may take, whole; 15 by default",
    },
    summary="Airflow 3: a job is a DAG, started once under the start's key, followed to its end, set to failed when it is stopped",
)
