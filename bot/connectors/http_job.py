"""Jobs behind HTTP: start one, ask where it stands, stop it. A webhook of one's own, or a scheduler such as Airflow, by its API.

The start's key goes along as `Idempotency-Key` and as `{key}` in URL and body: a server that knows it already answers 409, and that
is success. With a `secret` each call is signed: `X-Aiops-Signature: v1=` HMAC-SHA256 over `v1:<X-Aiops-Timestamp>:<body>`, hex.
"""

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import Field

from bot import validation
from bot.connectors.orders import complete, filled, holes, in_words, known, short
from bot.core.actions import Json
from bot.core.errors import ActionFailed, ConfigError, OutcomeUnknown
from bot.core.jobs import Job, Stage
from bot.core.ports import ConnectorKind
from bot.http import Allowed, Http, Unanswered, Unreached
from bot.validation import Part

CONFLICT, GONE = 409, 404
SERVER_ERROR = 500
SAID_CHARS = 200


class Call(Part):
    """One write: where to, and with what."""

    url: str
    method: Literal["POST", "PUT", "PATCH", "DELETE"] = "POST"
    body: Any = None


class States(Part):
    """What the server's own words for a job's state mean; any other word is "running"."""

    succeeded: list[str] = Field(default=["succeeded", "success"])
    failed: list[str] = Field(default=["failed", "error", "cancelled"])


class Order(Part):
    """One job."""

    start: Call
    status: str
    cancel: Call | None = None
    state: str = Field("state", description="Where in the answer to `status` the state stands, dotted.")
    words: str = Field("", description="Where a line for people stands, dotted.")
    result: str = Field("", description="Where an object with results stands, dotted.")
    states: States = States()

    @property
    def holes(self) -> set[str]:
        """The parameters that its calls ask for."""
        calls = [self.start, *([self.cancel] if self.cancel else [])]
        return holes(self.status, *(call.url for call in calls), *(json.dumps(call.body) for call in calls)) - {"key"}


class Options(Part):
    """The section of `aiops.yaml`."""

    jobs: Annotated[dict[str, Order], Field(min_length=1)]
    headers: dict[str, str] = Field(default_factory=dict)
    secret: str = ""
    timeout: float = Field(default=15.0, gt=0, le=300)


class HttpJobs:
    """Implements `Jobs`."""

    name = "http_job"

    def __init__(self, options: Options, now: Callable[[], float] = time.time) -> None:
        self._jobs, self._headers, self._secret, self._now = options.jobs, options.headers, options.secret, now
        urls = [
            url for job in options.jobs.values() for url in (job.start.url, job.status, *([job.cancel.url] if job.cancel else []))
        ]
        if wrong := next((url for url in urls if "{" in url.partition("//")[2].partition("/")[0]), None):
            raise ConfigError(f"Connector http_job: the host of {wrong} must be written out; only its path may hold parameters.")
        self._http = Http(Allowed.of(*(filled(url, {}) for url in urls)), deadline_s=options.timeout)

    def order(self, job: str, parameters: Json) -> str:
        """Return what would be called.

        Raises:
            NotFound: there is no such job.
            ConfigError: a parameter is missing.
        """
        order = known(self._jobs, job)
        complete(job, order.holes, parameters)
        call = f"{order.start.method} {_in_url(order.start.url, {**parameters, 'key': '…'})}"
        return in_words(job, call, {name: parameters[name] for name in order.holes})

    def start(self, job: str, parameters: Json, key: str) -> None:
        """Start it; one that was started under this key is left alone by the server.

        Raises:
            ActionFailed: the server refuses.
            OutcomeUnknown: the server broke down over it, or its answer was cut off.
        """
        answer = self._write(known(self._jobs, job).start, {**parameters, "key": short(key)}, key)
        if answer.status >= SERVER_ERROR:
            raise OutcomeUnknown(f"{answer.where} answered {answer.status}.")
        if answer.status != CONFLICT:
            answer.checked()

    def job(self, job: str, key: str) -> Job:
        """Return where this start stands, by the server's own words."""
        order = known(self._jobs, job)
        try:
            answer = self._http.get(_in_url(order.status, {"key": short(key)}), headers=self._signed(b"", key))
        except (Unreached, Unanswered) as trouble:
            return Job(Stage.UNKNOWN, str(trouble))
        if answer.status == GONE:
            return Job(Stage.ABSENT)
        if answer.status >= SERVER_ERROR:
            return Job(Stage.UNKNOWN, f"{answer.where} answered {answer.status}.")
        told = answer.checked().json()
        state = _found(told, order.state)
        if not isinstance(state, str):
            raise ActionFailed(f"{answer.where} says no '{order.state}'; compare `state` of the job '{job}' with its answer.")
        words, result = _found(told, order.words), _found(told, order.result)
        said = str(words)[:SAID_CHARS] if words else state
        return Job(_stage(order, state), said, result if isinstance(result, dict) else {})

    def cancel(self, job: str, key: str) -> None:
        """Ask the server to stop it; where it offers no way, the job runs to its end."""
        order = known(self._jobs, job)
        if order.cancel:
            answer = self._write(order.cancel, {"key": short(key)}, key)
            if answer.status not in (CONFLICT, GONE):
                answer.checked()

    def close(self) -> None:
        """Close idle connections."""
        self._http.close()

    def _write(self, call: Call, parameters: Json, key: str) -> Any:
        body = json.dumps(_in_body(call.body, parameters)).encode() if call.body is not None else b""
        return self._http.send(call.method, _in_url(call.url, parameters), body, headers=self._signed(body, key))

    def _signed(self, body: bytes, key: str) -> dict[str, str]:
        headers = {**self._headers, "content-type": "application/json", "idempotency-key": short(key)}
        if not self._secret:
            return headers
        at = str(int(self._now()))
        signature = hmac.new(self._secret.encode(), b"v1:" + at.encode() + b":" + body, hashlib.sha256).hexdigest()
        return {**headers, "x-aiops-timestamp": at, "x-aiops-signature": f"v1={signature}"}


def _stage(order: Order, state: str) -> Stage:
    if state in order.states.succeeded:
        return Stage.SUCCEEDED
    return Stage.FAILED if state in order.states.failed else Stage.RUNNING


def _in_url(url: str, parameters: Json) -> str:
    return filled(url, parameters, lambda value: quote(value, safe="…"))


def _in_body(value: Any, parameters: Json) -> Any:
    if isinstance(value, dict):
        return {name: _in_body(inner, parameters) for name, inner in value.items()}
    if isinstance(value, list):
        return [_in_body(inner, parameters) for inner in value]
    return filled(value, parameters) if isinstance(value, str) else value


def _found(told: Any, path: str) -> Any:
    """Return what stands at this dotted path, None where nothing does."""
    for name in path.split(".") if path else ():
        told = told.get(name) if isinstance(told, dict) else None
    return told if path else None


def make(options: Mapping[str, object]) -> HttpJobs:
    """Build it from its section of the configuration.

    Raises:
        ConfigError: an option is missing or wrong.
    """
    return HttpJobs(validation.options(options, Options, of="Connector http_job"))


http_job = ConnectorKind(
    name="http_job",
    make=make,
    options={
        "jobs": "for each job: start (url, method, body), status (url), cancel, and where its answer says state, words and result",
        "headers": "sent with each call, e.g. authorization: ${env:TRAINER_TOKEN}",
        "secret": "signs each call, e.g. ${env:TRAINER_SECRET}",
        "timeout": "seconds that one call may take, whole; 15 by default",
    },
    summary="Jobs behind HTTP: a signed webhook, or a scheduler's API; started once by key, then asked until they end",
)
