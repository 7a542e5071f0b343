"""Prefect 3 as a platform of jobs: a job is a deployment, a start of it a flow run with the start's key. Plain REST, no library.

What a real Prefect (3.9.1) does, and what follows. A repeated idempotency key gives the run that is there (200, not 201), so a
start whose answer was lost is made again; a 409 is no repetition but a parameter of the wrong type. A parameter that the flow does
not take is accepted, and the run crashes: so it is refused before. A *paused deployment* only stops its schedule, but a paused work
pool or queue keeps every run waiting while the deployment says READY: so these are looked at. A run that was never begun is
cancelled by an answer that calls itself REJECT: so not the verdict is believed but the state. A run whose machine died stays
RUNNING for ever: its words say when nobody asks for that deployment's work any more, and the step's timeout ends it. On SQLite
of a few writes at a time some are refused with 503 (locked): so what may be repeated is made up to four times within six seconds.

Prefect Cloud has not been met; its API is the same one below another URL, with a key.
"""

from base64 import b64encode
from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from bot import validation
from bot.connectors.prefect.api import Api
from bot.connectors.prefect.trainer import Order, Trainer
from bot.core.errors import ConfigError
from bot.core.ports import ConnectorKind
from bot.validation import Part


class Options(Part):
    """The section of `aiops.yaml`."""

    url: str
    jobs: Annotated[dict[str, Order], Field(min_length=1)]
    username: str = ""
    password: str = ""
    api_key: str = ""
    timeout: float = Field(default=15.0, gt=0, le=300)


class Prefect(Trainer):
    """Implements `Jobs`."""

    name = "prefect"


def _api_url(url: str) -> str:
    """Return the URL as PREFECT_API_URL has it: a server's API is below /api, and so is Prefect Cloud's."""
    url = url.rstrip("/")
    return url if url.endswith("/api") or "/api/" in url else f"{url}/api"


def _login(options: Options) -> str:
    """Return what is sent as Authorization; empty for a server that lets everybody in."""
    name, password, api_key = options.username.strip(), options.password.strip(), options.api_key.strip()
    if bool(name) != bool(password) or (name and api_key):
        raise ConfigError("Connector prefect: give `username` and `password`, or an `api_key`, or none where nothing is asked for.")
    if not api_key.isascii() or not api_key.isprintable():
        raise ConfigError("Connector prefect: `api_key` is none; it holds characters that no key has.")
    if api_key:
        return f"Bearer {api_key}"
    return f"Basic {b64encode(f'{name}:{password}'.encode()).decode()}" if name else ""


def make(options: Mapping[str, object]) -> Prefect:
    """Build it from its section of the configuration.

    Raises:
        ConfigError: an option is missing or wrong.
    """
    read = validation.options(options, Options, of="Connector prefect")
    return Prefect(Api(_api_url(read.url), _login(read), read.timeout), read.jobs)


prefect = ConnectorKind(
    name="prefect",
    make=make,
    options={
        "url": "of Prefect's API, as PREFECT_API_URL has it, e.g. https://prefect.corp/api",
        "jobs": "for each job: deployment (flow/deployment), and parameters, which may hold the playbook's, e.g. until: '{until}'",
        "username": "with `password`: the server's auth string, in two",
        "password": "e.g. ${env:PREFECT_PASSWORD}",
        "api_key": "instead of both, Prefect Cloud's, e.g. ${env:PREFECT_API_KEY}",
        "timeout": "seconds that one call may take, whole; 15 by default",
    },
    summary="Prefect 3: a job is a deployment, started once under the start's key, followed to its end, cancelled when stopped",
)
