"""What Traefik says: the weights that its API tells, the requests that its metrics count. Both are hostile until looked at."""

import re
from typing import Any

from bot.connectors.traefik.weights import qualified
from bot.core.errors import ActionFailed

TEXT = r'"(?:[^"\\]|\\.)*"'
COUNTED = re.compile(rf'^traefik_service_requests_total\{{((?:[^"}}]|{TEXT})*)\}} (\S{{1,30}})$', re.MULTILINE)
LABEL = re.compile(rf"(\w+)=({TEXT})")
TRAEFIKS = re.compile(r"^traefik_config_reloads_total ", re.MULTILINE)


def weights(answer: Any, name: str) -> dict[str, int]:
    """Return the weight of each service in a weighted one, by qualified name, from what the API tells about it.

    Raises:
        ActionFailed: Traefik does not work with the service, or this is no weighted service, or no Traefik.
    """
    if not isinstance(answer, dict) or answer.get("name") != name:
        raise ActionFailed("Traefik's API does not tell its services; is this URL really its API?")
    if answer.get("status") == "disabled":
        said = str(answer.get("error"))[:200]
        raise ActionFailed(f"Traefik has switched its service '{name}' off, so callers get errors: {said!r}.")
    rows = [row for row in _list(answer.get("weighted")) if isinstance(row, dict)]
    if not rows:
        raise ActionFailed(f"Traefik's service '{name}' is not a weighted one, so it shares no traffic.")
    told = {qualified(str(row.get("name"))): _weight(row.get("weight"), name) for row in rows}
    if len(told) < len(rows):
        raise ActionFailed(f"Traefik's service '{name}' names a service twice; once is enough.")
    return told


def counts(page: str) -> dict[str, int]:
    """Return how many requests each service has answered, by qualified name; one that was never asked is not among them.

    Raises:
        ActionFailed: these are not Traefik's metrics, or a counter is no number.
    """
    if not TRAEFIKS.search(page):
        raise ActionFailed("`metrics` does not lead to Traefik's metrics; its static configuration needs `metrics.prometheus`.")
    found: dict[str, int] = {}
    for labels, value in COUNTED.findall(page):
        service = dict(LABEL.findall(labels)).get("service", "").strip('"')  # a label may hold a caller's words, even these
        found[service] = found.get(service, 0) + _count(value)
    return found


def _list(weighted: Any) -> list[Any]:
    rows = weighted.get("services") if isinstance(weighted, dict) else None
    return rows if isinstance(rows, list) else []


def _weight(value: Any, name: str) -> int:
    """A negative weight serves nobody (measured); what is no whole number is no weight."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ActionFailed(f"Traefik tells no number as a weight in '{name}'.")
    return max(0, value)


def _count(value: str) -> int:
    """A counter as Prometheus writes it: 1000000 is written 1e+06."""
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?(e\+?[0-9]{1,2})?", value):
        raise ActionFailed(f"Traefik counts no number of requests: {value!r}.")
    return int(float(value))
