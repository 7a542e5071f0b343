"""Envoy as a traffic splitter: weighted clusters whose weights are runtime values, over its admin interface.

Three things that a real Envoy does, and what follows: a weight that is no number is answered with "OK" while the static weight
applies, so weights are validated before and read back as Envoy *uses* them; weights that are all 0 make every request a 404, so
they are refused; a restart forgets every override, so nothing here is remembered, each answer is read anew.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from bot import validation
from bot.core.errors import ActionFailed, NotFound
from bot.core.models import Split, servable, whole_steps
from bot.core.ports import ConnectorKind
from bot.http import Allowed, Http
from bot.validation import Part

TOTAL = 10_000
"""The weights that are set add up to this, so a share is exact to 0.01 %."""


class Place(Part):
    """Where one version stands in Envoy: the runtime key of its weight, and its cluster."""

    runtime_key: str = Field(pattern=r"^[A-Za-z0-9_.-]{1,200}$")
    cluster: str = Field(pattern=r"^[A-Za-z0-9_.:-]{1,200}$")


class Options(Part):
    """The section of `aiops.yaml`."""

    admin: str
    targets: dict[str, dict[str, Place]]
    timeout: float = Field(default=5.0, gt=0, le=60)


class Envoy:
    """Implements `Splitter`; `targets` maps a model to its versions, and those to their places."""

    name = "envoy"
    grain = TOTAL

    def __init__(self, admin: str, targets: Mapping[str, Mapping[str, Place]], *, timeout: float = 5.0) -> None:
        self._admin = admin.rstrip("/")
        self._targets = targets
        self._http = Http(Allowed.of(admin), deadline_s=timeout)

    def split(self, target: str) -> Split:
        """Return the shares that Envoy works with now: its runtime value where that is a number, else its static weight."""
        places = self._places(target)
        runtime = self._runtime()
        weights = {version: _whole(runtime.get(place.runtime_key)) for version, place in places.items()}
        if None in weights.values():
            static = self._static_weights()
            weights = {v: static.get(places[v].cluster) if weight is None else weight for v, weight in weights.items()}
        unknown = [version for version, weight in weights.items() if weight is None]
        if unknown:
            raise ActionFailed(f"Envoy knows no weight for {unknown[0]} of {target}; compare its routes with aiops.yaml.")
        total = sum(weight or 0 for weight in weights.values())
        return {version: (weight or 0) / total if total else 0.0 for version, weight in weights.items()}

    def set_split(self, target: str, split: Split, key: str) -> None:  # noqa: ARG002 - absolute, so a repetition changes nothing
        """Set the weight of every version of the target in one call; a version that the split does not name gets 0."""
        places = self._places(target)
        weights = whole_steps(servable(target, split, places), TOTAL)
        answer = self._http.post(
            f"{self._admin}/runtime_modify",
            params={places[version].runtime_key: str(weight) for version, weight in weights.items()},
        ).checked()
        if answer.text.strip() != "OK":
            raise ActionFailed(f"Envoy did not take the new weights of {target}: {answer.text.strip()[:100]!r}.")

    def requests(self, target: str) -> Mapping[str, int]:
        """Return how many requests each version's cluster has completed since Envoy started."""
        clusters = {place.cluster: version for version, place in self._places(target).items()}
        names = "|".join(re.escape(cluster) for cluster in clusters)
        asked = {"format": "json", "filter": rf"^cluster\.({names})\.upstream_rq_completed$"}
        stats = self._http.get(f"{self._admin}/stats", params=asked).checked().json()
        rows = {str(row.get("name")): _whole(str(row.get("value"))) for row in _dicts(stats, "stats")}
        counted = {version: rows.get(f"cluster.{cluster}.upstream_rq_completed") for cluster, version in clusters.items()}
        missing = [place for place, version in clusters.items() if counted[version] is None]
        if missing:
            raise ActionFailed(f"Envoy has no cluster '{missing[0]}'; compare its configuration with aiops.yaml.")
        return {version: count or 0 for version, count in counted.items()}

    def close(self) -> None:
        """Close idle connections."""
        self._http.close()

    def _places(self, target: str) -> Mapping[str, Place]:
        if target not in self._targets:
            raise NotFound(f"Envoy serves no '{target}'; known: {', '.join(sorted(self._targets)) or 'none'}.")
        return self._targets[target]

    def _runtime(self) -> dict[str, str]:
        answer = self._http.get(f"{self._admin}/runtime", params={"format": "json"}).checked().json()
        entries = answer.get("entries") if isinstance(answer, dict) else None
        if not isinstance(entries, dict):
            raise ActionFailed("Envoy's admin interface does not tell its runtime values; is this URL really its admin interface?")
        return {key: str(entry.get("final_value", "")) for key, entry in entries.items() if isinstance(entry, dict)}

    def _static_weights(self) -> dict[str, int | None]:
        dump = self._http.get(f"{self._admin}/config_dump").checked().json()
        return {str(cluster.get("name")): _whole(str(cluster.get("weight", 0))) for cluster in _weighted(dump)}


def _whole(value: str | None) -> int | None:
    """A runtime value as Envoy takes it: a whole number, or nothing."""
    return int(value) if value and re.fullmatch(r"[0-9]{1,18}", value) else None


def _dicts(node: Any, name: str) -> Iterator[Mapping[str, Any]]:
    """Yield the mappings in a list that an answer may or may not hold under this name."""
    rows = node.get(name) if isinstance(node, dict) else None
    return (row for row in (rows if isinstance(rows, list) else []) if isinstance(row, dict))


def _weighted(node: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every weighted cluster anywhere in a configuration dump, static or dynamic."""
    if isinstance(node, dict):
        yield from _dicts(node.get("weighted_clusters"), "clusters")
        for inner in node.values():
            yield from _weighted(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _weighted(inner)


def make(options: Mapping[str, object]) -> Envoy:
    """Build it from its section of the configuration.

    Raises:
        ConfigError: an option is missing or wrong.
    """
    read = validation.options(options, Options, of="Connector envoy")
    return Envoy(read.admin, read.targets, timeout=read.timeout)


envoy = ConnectorKind(
    name="envoy",
    make=make,
    options={
        "admin": "URL of Envoy's admin interface, e.g. http://127.0.0.1:9901",
        "targets": "for each model: version → {runtime_key, cluster}",
        "timeout": "seconds that one call may take, whole; 5 by default",
    },
    summary="Traffic split by Envoy's weighted clusters, set as runtime values and measured by its counters",
)
