"""What Prefect tells of a deployment: what it takes, who carries it out, and what would keep a run of it waiting."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from bot.connectors.orders import HOLE, filled
from bot.connectors.prefect.api import GONE, STRANGE, Api, identity
from bot.core.actions import Json
from bot.core.errors import ActionFailed, NotFound

Scalar = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Deployment:
    """One deployment: `pool` and `queue` (an id) are empty where a process serves it, `takes` is None where it is unsaid.

    `heard` is whether who would carry it out asks for work; Prefect notices after a minute that nobody does.
    """

    id: str
    name: str
    heard: bool
    pool: str
    queue: str
    takes: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Way:
    """The way of a run to who carries it out, in words: who that is, what on it is paused, and that they do not ask for work.

    The last two are empty where all is well.
    """

    by: str
    paused: str
    silent: str

    @property
    def keeps(self) -> str:
        """What would keep a run waiting."""
        return self.paused or self.silent


def deployment(api: Api, name: str) -> Deployment:
    """Return the deployment of this name, "flow/deployment".

    Raises:
        NotFound: Prefect has none.
    """
    flow, _, own = name.partition("/")
    answer = api.get(f"deployments/name/{quote(flow, safe='')}/{quote(own, safe='')}")
    if answer.status == GONE and "Deployment" in answer.text:
        raise NotFound(f"Prefect has no deployment '{name}'; compare `deployment` in aiops.yaml with `prefect deployment ls`.")
    if answer.status == GONE:
        raise ActionFailed(f"{answer.where} {STRANGE}")
    told = answer.checked().json()
    if not isinstance(told, dict) or told.get("status") not in ("READY", "NOT_READY"):
        raise ActionFailed(f"{answer.where} {STRANGE}")
    schema = told.get("parameter_openapi_schema")
    takes = schema.get("properties") if isinstance(schema, dict) else None
    return Deployment(
        id=identity(told),
        name=name,
        heard=told["status"] == "READY",
        pool=str(told.get("work_pool_name") or ""),
        queue=str(told.get("work_queue_id") or ""),
        takes=takes if isinstance(takes, dict) else None,
    )


def way(api: Api, of: Deployment) -> Way:
    """Return the way of its runs. While a pool or queue is paused Prefect still calls the deployment READY, so these are read."""
    by = f"the work pool '{of.pool[:60]}'" if of.pool else "the process that serves it"
    return Way(by, _paused(api, of), "" if of.heard else f"{by} has not asked for work for a minute or more")


def _paused(api: Api, of: Deployment) -> str:
    if of.pool and _is_paused(api, f"work_pools/{quote(of.pool, safe='')}"):
        return f"the work pool '{of.pool[:60]}' is paused"
    if of.queue and _is_paused(api, f"work_queues/{quote(of.queue, safe='')}"):
        return f"the work queue of '{of.name}' is paused"
    return ""


def _is_paused(api: Api, path: str) -> bool:
    answer = api.get(path).checked()
    told = answer.json()
    if not isinstance(told, dict) or not isinstance(told.get("is_paused"), bool):
        raise ActionFailed(f"{answer.where} {STRANGE}")
    return bool(told["is_paused"])


def accept(of: Deployment, wanted: Iterable[str]) -> None:
    """Raise ActionFailed where the flow takes no such parameter: Prefect would start a run of it, and that would crash."""
    if of.takes is not None and (unknown := sorted(set(wanted) - set(of.takes))):
        takes = ", ".join(sorted(of.takes)[:20]) or "nothing"
        raise ActionFailed(f"'{of.name}' takes no parameter '{unknown[0]}'; it takes: {takes}.")


def fitted(of: Deployment, wanted: Mapping[str, Scalar], parameters: Json) -> dict[str, Scalar]:
    """Return what a run is told: holes filled, and a filled text as the number or truth value that the flow asks for.

    Raises:
        ActionFailed: the flow takes no such parameter.
    """
    accept(of, wanted)
    return {name: _fitted(value, (of.takes or {}).get(name), parameters) for name, value in wanted.items()}


def _fitted(value: Scalar, asked: object, parameters: Json) -> Scalar:
    if not isinstance(value, str) or not HOLE.search(value):
        return value
    text = filled(value, parameters)
    try:
        number = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return number if _types(asked) & _types_of(number) else text


def _types(asked: object) -> set[str]:
    """Return the JSON types that a parameter may have; none where a text would do as well."""
    if not isinstance(asked, dict):
        return set()
    each = asked.get("anyOf") if isinstance(asked.get("anyOf"), list) else [asked]
    types = {str(one.get("type")) for one in each or () if isinstance(one, dict)}
    return set() if "string" in types else types


def _types_of(value: object) -> set[str]:
    if isinstance(value, bool):
        return {"boolean"}
    if isinstance(value, int):
        return {"integer", "number"}
    return {"number"} if isinstance(value, float) and math.isfinite(value) else set()
