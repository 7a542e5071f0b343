"""The jobs of Prefect: a deployment's run is started under a key, followed to its end, and stopped."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Annotated

from pydantic import AfterValidator, Field

from bot.connectors.orders import all_filled, complete, holes, in_words, known, short
from bot.connectors.prefect import deployments, runs
from bot.connectors.prefect.api import CONFLICT, GONE, Api
from bot.connectors.prefect.deployments import Way
from bot.connectors.prefect.runs import Run
from bot.core.actions import Json
from bot.core.errors import ActionFailed, AiopsError, OutcomeUnknown
from bot.core.jobs import Job, Stage
from bot.http import Answer, Unanswered, Unreached
from bot.validation import Part

PAUSES_S = (0.5, 1.5, 4.0)
"""Between the tries of a call of which nobody knows whether it was heard."""
STOPPED = {"type": "CANCELLING", "name": "Cancelling", "message": "stopped by aiops-bot"}
MOST_TASKS = 5
TAG = "aiops-bot"


def _two_names(text: str) -> str:
    names = text.split("/")
    if len(names) != 2 or any(not name.strip(" .") or not name.isprintable() or set(name) & set("%&<>?#") for name in names):
        raise ValueError("must be `flow/deployment`, as `prefect deployment ls` lists it")
    return text


class Order(Part):
    """One job: the deployment, and what its runs are told; texts may have holes for the playbook's parameters."""

    deployment: Annotated[str, Field(max_length=400), AfterValidator(_two_names)]
    parameters: dict[str, str | int | Annotated[float, Field(allow_inf_nan=False)] | bool] = Field(default_factory=dict)

    @property
    def holes(self) -> set[str]:
        """The parameters that it asks for."""
        return holes(*self.parameters.values())


class Trainer:
    """Starts deployments, follows their runs and stops them."""

    def __init__(self, api: Api, jobs: Mapping[str, Order], sleep: Callable[[float], None] = time.sleep) -> None:
        self._api, self._jobs, self._sleep = api, jobs, sleep

    def order(self, job: str, parameters: Json) -> str:
        """Return which deployment would run, with what.

        Raises:
            NotFound: there is no such job.
            ConfigError: a parameter is missing.
        """
        order = known(self._jobs, job)
        complete(job, order.holes, parameters)
        return in_words(job, f"deployment {order.deployment}", all_filled(order.parameters, parameters))

    def start(self, job: str, parameters: Json, key: str) -> None:
        """Start it; Prefect gives one run to a key, so where an answer is lost it is asked again.

        Raises:
            NotFound: there is no such deployment.
            ActionFailed: its work pool or queue is paused, or it does not take these parameters.
            OutcomeUnknown: Prefect broke down over it, or its answer was cut off, each time.
        """
        order = known(self._jobs, job)
        self._insist(lambda: self._begin(order, parameters, short(key)))

    def _begin(self, order: Order, parameters: Json, key: str) -> None:
        if self._run(key):  # begun in an earlier life, or by a call whose answer was lost: whatever has changed since
            return
        there = deployments.deployment(self._api, order.deployment)
        if paused := deployments.way(self._api, there).paused:
            raise ActionFailed(f"A run would wait for ever, because {paused}; resume that in Prefect first.")
        given = deployments.fitted(there, order.parameters, parameters)
        wish = {"name": key, "idempotency_key": key, "parameters": given, "tags": [TAG]}
        answer = self._api.order(f"deployments/{there.id}/create_flow_run", wish)
        if answer.status == CONFLICT:
            raise ActionFailed(f"Prefect does not start '{there.name}' with these parameters: {_why(answer)}.")
        told = answer.checked().json()
        runs.run(told if isinstance(told, dict) else {}, key)

    def _insist(self, call: Callable[[], None]) -> None:
        """Call; where Prefect is in trouble, again: its database may be locked (503), and what is called here may be repeated."""
        troubles: list[ActionFailed] = []
        for pause in (0.0, *PAUSES_S):
            self._sleep(pause)
            try:
                return call()
            except (Unreached, Unanswered, OutcomeUnknown) as trouble:
                troubles.append(trouble)
        raise next((trouble for trouble in troubles if isinstance(trouble, OutcomeUnknown)), troubles[-1])

    def job(self, job: str, key: str) -> Job:
        """Return where this start stands, by Prefect's own word for it."""
        order = known(self._jobs, job)
        try:
            run = self._run(short(key))
        except (Unreached, Unanswered) as trouble:
            return Job(Stage.UNKNOWN, str(trouble))
        if run is None:
            return Job(Stage.ABSENT)
        if run.stage is not Stage.RUNNING:
            return Job(run.stage, runs.ended(run, self._tasks(run, runs.BROKEN) if run.type in runs.BROKEN else []))
        goes = run.type == "RUNNING"
        tasks, progress = (self._tasks(run, ("RUNNING",)), self._progress(run)) if goes else ([], "")
        return Job(run.stage, runs.going(run, tasks, progress, self._obstacle(order)))

    def cancel(self, job: str, key: str) -> None:
        """Have it cancelled, which ends its process; nothing where it has ended or is not there any more."""
        known(self._jobs, job)
        self._insist(lambda: self._stop(short(key)))

    def _stop(self, key: str) -> None:
        run = self._run(key)
        if run is None or run.stage is not Stage.RUNNING or run.type == "CANCELLING":
            return
        answer = self._api.order(f"flow_runs/{run.id}/set_state", {"state": STOPPED})
        if answer.status == GONE:
            return
        told = answer.checked().json()
        state = told.get("state") if isinstance(told, dict) else None
        kind = state.get("type") if isinstance(state, dict) else None
        if kind != "CANCELLING" and runs.STAGES.get(str(kind), Stage.RUNNING) is Stage.RUNNING:
            raise ActionFailed(f"Prefect did not stop run {run.key}; it is still '{run.state[:60]}': look at it there.")

    def startable(self, job: str) -> Way:
        """Return the way that a run of this job would take; nothing is started.

        Raises:
            NotFound: there is no such deployment.
            ActionFailed: Prefect lets nobody in, or the flow does not take what the job tells it.
        """
        order = known(self._jobs, job)
        there = deployments.deployment(self._api, order.deployment)
        deployments.accept(there, order.parameters)
        return deployments.way(self._api, there)

    def deployments(self) -> Mapping[str, str]:
        """Return the deployment of each job, by name."""
        return {job: order.deployment for job, order in sorted(self._jobs.items())}

    def close(self) -> None:
        """Close idle connections."""
        self._api.close()

    def _run(self, key: str) -> Run | None:
        """Return the run of this key, None where there is none."""
        found = self._api.ask("flow_runs/filter", {"flow_runs": {"idempotency_key": {"any_": [key]}}, "limit": 1})
        return runs.run(found[0], key) if found else None

    def _tasks(self, run: Run, states: tuple[str, ...]) -> list[str]:
        """Return the names of the tasks in one of these states, none where that cannot be told."""
        which = {"flow_runs": {"id": {"any_": [run.id]}}, "task_runs": {"state": {"type": {"any_": states}}}, "limit": MOST_TASKS}
        with suppress(ActionFailed):
            return runs.names(self._api.ask("task_runs/filter", which))
        return []

    def _progress(self, run: Run) -> str:
        """Return how far the run itself says that it is; empty where it says nothing."""
        of = {"flow_runs": {"id": {"any_": [run.id]}}, "artifacts": {"type": {"any_": ["progress"]}}}
        with suppress(ActionFailed):
            return runs.progress(self._api.ask("artifacts/filter", {**of, "sort": "UPDATED_DESC", "limit": 1}))
        return ""

    def _obstacle(self, order: Order) -> str:
        """Return what keeps runs of this job from going on; empty for nothing, or where that cannot be told."""
        with suppress(AiopsError):
            return deployments.way(self._api, deployments.deployment(self._api, order.deployment)).keeps
        return ""


def _why(answer: Answer) -> str:
    """Return why Prefect refuses, in its own words."""
    told = answer.json()
    reason = runs.plain(told.get("detail")) if isinstance(told, dict) else ""
    return reason.removeprefix("Error creating flow run: ").rstrip(".") or "it does not say why"
