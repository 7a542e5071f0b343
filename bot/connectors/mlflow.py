"""MLflow: which version of a registered model an alias names, and which one its server really answers with. Plain REST, no client.

What a real MLflow does, and what follows: `mlflow models serve` goes on answering with the version that it started with when the
alias moves, and its `/version` is MLflow's own, so what is served is asked at the server by an answer of the model; there is no
compare-and-swap, so the alias is read again just before it is moved; `latest` and `v1` are reserved, so they are refused before; an
alias that nobody has set is a 400, not a 404.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field

from bot import validation
from bot.core.errors import ActionFailed, ConfigError, NotFound, OutcomeUnknown
from bot.core.models import Split
from bot.core.ports import ConnectorKind
from bot.http import Allowed, Answer, Http
from bot.validation import Part

API = "/api/2.0/mlflow"
SERVER_ERROR = 500
PAGE = 200
MOST_PAGES = 50
RESERVED = re.compile(r"latest|v[0-9]+", re.IGNORECASE)
NUMBER = re.compile(r"[1-9][0-9]{0,17}")


class Served(Part):
    """Where the version that really answers is asked: a GET, or a POST of `ask`; in the answer's JSON at `pointer`, or in a header.

    What is found there is a version's number, or the id of its run or of its logged model.
    """

    url: str
    ask: Any = Field(None, description="What is posted, e.g. an input for /invocations; without it the URL is read.")
    pointer: str = Field("", pattern=r"^(/.{0,200})?$", description="JSON pointer, e.g. /predictions/0/version")
    header: str = Field("", pattern=r"^[A-Za-z0-9-]{0,60}$")


class Place(Part):
    """What one model is called in the registry, which alias its server was started with, and where that server is asked."""

    served: Served
    registered: str = Field("", pattern=r"^[^'/:]{0,250}$", description="Empty: the model's own name.")
    alias: str = Field("champion", pattern=r"^[A-Za-z0-9_-]{1,100}$")


class Options(Part):
    """The section of `aiops.yaml`."""

    url: str
    models: Annotated[dict[str, Place], Field(min_length=1)]
    token: str = ""
    timeout: float = Field(default=10.0, gt=0, le=60)


class Mlflow:
    """Implements `AliasedRegistry`."""

    name = "mlflow"

    def __init__(self, options: Options) -> None:
        self._url, self._models = options.url.rstrip("/"), options.models
        for model, place in options.models.items():
            _checked(model, place)
        self._headers = {"authorization": f"Bearer {options.token}"} if options.token else {}
        self._http = Http(Allowed.of(self._url), deadline_s=options.timeout)
        # the servers are others than the registry: its token is none of their business
        self._servers = Http(Allowed.of(*(place.served.url for place in options.models.values())), deadline_s=options.timeout)

    def split(self, target: str) -> Split:
        """Return the version that the model's server answers with, as a split: it serves everything.

        Raises:
            ActionFailed: the server cannot be asked, or says nothing that the registry knows.
        """
        served = self._place(target).served
        answer = self._servers.get(served.url) if served.ask is None else self._servers.ask(served.url, json=served.ask)
        said = _said(answer.checked(), served)
        return {said if NUMBER.fullmatch(said) else self._version_of(target, said, answer.where): 1.0}

    def versions(self, target: str) -> Sequence[str]:
        """Return the versions that are ready, oldest first."""
        ready = {str(row["version"]) for row in self._rows(target) if row.get("status", "READY") == "READY"}
        return sorted(ready, key=int)

    def alias(self, target: str) -> str:
        """Return the alias that says which version is to be served."""
        return self._place(target).alias

    def aliased(self, target: str) -> str:
        """Return the version that the alias names.

        Raises:
            NotFound: the alias or the registered model is not there.
        """
        place = self._place(target)
        asked = {"name": self._registered(target), "alias": place.alias}
        answer = self._read("registered-models/alias", asked)
        if answer.status == 404:
            raise NotFound(f"MLflow has no registered model '{asked['name']}'; compare `registered` of {target} with it.")
        if answer.status == 400 and _code(answer) == "INVALID_PARAMETER_VALUE":
            raise NotFound(f"Nobody has set the alias '{place.alias}' of '{asked['name']}' in MLflow yet; set it there once.")
        told = self._checked(answer).json()
        return str(_version(told.get("model_version") if isinstance(told, dict) else None, answer.where)["version"])

    def set_alias(self, target: str, version: str, key: str) -> None:  # noqa: ARG002 - absolute, so a repetition changes nothing
        """Let the alias name this version.

        Raises:
            NotFound: there is no such version.
            OutcomeUnknown: the answer was cut off, or MLflow broke down over it.
        """
        place, name = self._place(target), self._registered(target)
        body = {"name": name, "alias": place.alias, "version": version}
        answer = self._http.post(f"{self._url}{API}/registered-models/alias", json=body, headers=self._headers)
        if answer.status == 404:
            raise NotFound(f"MLflow has no version {version} of '{name}'.")
        if answer.status >= SERVER_ERROR:
            raise OutcomeUnknown(f"{answer.where} answered {answer.status}.")
        self._checked(answer)

    def close(self) -> None:
        """Close idle connections."""
        self._http.close()
        self._servers.close()

    def _place(self, target: str) -> Place:
        if target not in self._models:
            raise NotFound(f"MLflow is told nothing of '{target}'; known: {', '.join(sorted(self._models))}.")
        return self._models[target]

    def _registered(self, target: str) -> str:
        return self._place(target).registered or target

    def _version_of(self, target: str, said: str, where: str) -> str:
        """Return the version that was made by this run, or is this logged model."""
        for row in self._rows(target):
            if said in (row.get("run_id"), str(row.get("source", "")).removeprefix("models:/")):
                return str(row["version"])
        raise ActionFailed(f"{where} says that it serves {said[:60]!r}, which is no version of {target} that MLflow knows.")

    def _rows(self, target: str) -> Iterator[Mapping[str, Any]]:
        """Yield what the registry holds of each version, newest first."""
        asked = {"filter": f"name='{self._registered(target)}'", "max_results": str(PAGE), "order_by": "version_number DESC"}
        for _ in range(MOST_PAGES):
            answer = self._checked(self._read("model-versions/search", asked))
            told = answer.json()
            rows = told.get("model_versions", []) if isinstance(told, dict) else None
            for row in rows if isinstance(rows, list) else [None]:
                yield _version(row, answer.where)
            if not told.get("next_page_token"):
                return
            asked["page_token"] = str(told["next_page_token"])

    def _read(self, path: str, asked: Mapping[str, str]) -> Answer:
        return self._http.get(f"{self._url}{API}/{path}", params=asked, headers=self._headers)

    def _checked(self, answer: Answer) -> Answer:
        if answer.status in (401, 403):
            raise ActionFailed(
                f"MLflow lets nobody in with this token ({answer.status}); compare `token` of the connector with it."
            )
        return answer.checked()


def _checked(model: str, place: Place) -> None:
    if RESERVED.fullmatch(place.alias):
        raise ConfigError(f"Connector mlflow: '{place.alias}' of {model} is no alias; MLflow keeps that name for itself.")
    if bool(place.served.pointer) == bool(place.served.header):
        raise ConfigError(f"Connector mlflow: `served` of {model} needs `pointer` or `header`, one of them.")
    if re.search(r"['/:]", place.registered or model):
        raise ConfigError(f"Connector mlflow: no model of MLflow is called '{model}'; give `registered`.")


def _code(answer: Answer) -> str:
    try:
        told = answer.json()
    except ActionFailed:
        return ""
    return str(told.get("error_code", "")) if isinstance(told, dict) else ""


def _version(row: Any, where: str) -> Mapping[str, Any]:
    """Return what the registry told of a version, whose number is one."""
    if not isinstance(row, dict) or not NUMBER.fullmatch(str(row.get("version", ""))):
        raise ActionFailed(f"{where} does not tell versions as MLflow does; is `url` really MLflow's?")
    return row


def _said(answer: Answer, served: Served) -> str:
    """Return what the server says it serves."""
    found = answer.headers.get(served.header.lower()) if served.header else _at(answer.json(), served.pointer)
    if isinstance(found, bool) or not isinstance(found, str | int) or not str(found).strip():
        place = f"in the header '{served.header}'" if served.header else f"at '{served.pointer}'"
        raise ActionFailed(f"{answer.where} does not say {place} which version it serves; compare `served` with its answer.")
    return str(found).strip()


def _at(told: Any, pointer: str) -> Any:
    """Return what stands at this JSON pointer (RFC 6901), None where nothing does."""
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        if isinstance(told, list):
            told = told[int(name)] if re.fullmatch(r"[0-9]{1,9}", name) and int(name) < len(told) else None
        else:
            told = told.get(name) if isinstance(told, dict) else None
    return told


def make(options: Mapping[str, object]) -> Mlflow:
    """Build it from its section of the configuration.

    Raises:
        ConfigError: an option is missing or wrong.
    """
    return Mlflow(validation.options(options, Options, of="Connector mlflow"))


mlflow = ConnectorKind(
    name="mlflow",
    make=make,
    options={
        "url": "of the tracking server, e.g. https://mlflow.corp",
        "models": "for each model: registered (its name by default), alias (champion by default), and served: url, ask (what to "
        "post), and pointer or header, where the answer says which version answered",
        "token": "sent as a bearer token, e.g. ${env:MLFLOW_TOKEN}",
        "timeout": "seconds that one call may take, whole; 10 by default",
    },
    summary="MLflow's registry: an alias says which version is to be served, the model's server which one it really is",
)
