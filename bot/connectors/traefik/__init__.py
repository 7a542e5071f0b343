"""Traefik as a traffic splitter: the weights of a weighted service, set in the file that it watches and read back from its API.

What a real Traefik (3.7) does, and what follows. One thing in the file that it does not know, or a weight that is no number, and it
keeps the old configuration without a word to whoever wrote, so what was written counts only once the API says so, and is put back
otherwise: started anew on such a file, Traefik would serve nobody. It looks at the file after a pause (2 s by default), so setting
waits for it. It takes a negative weight for none and a missing one for 1; all at 0 is a 503 for everybody, so that is refused.
A restart forgets nothing, because the file stays.
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from pydantic import AfterValidator, Field

from bot import validation
from bot.connectors.traefik import answers
from bot.connectors.traefik.file import held
from bot.connectors.traefik.weights import PROVIDER, Weights, changed, qualified, weights
from bot.core.errors import Aborted, ActionFailed, NotFound, WorldMoved
from bot.core.models import Split, servable, whole_steps
from bot.core.ports import ConnectorKind
from bot.core.waiting import pause
from bot.http import Allowed, Http
from bot.validation import Part

TOTAL = 10_000
"""The weights that are set add up to this, so a share is exact to 0.01 %."""
POLL_S = 0.05


class Place(Part):
    """Where one version stands in Traefik: the weighted service that callers reach, and the one in it that is this version."""

    weighted: str = Field(pattern=r"^[A-Za-z0-9_.:-]{1,200}$")
    service: str = Field(pattern=r"^[A-Za-z0-9_.:-]{1,200}(@[a-z0-9-]{1,50})?$")


def _one_door(places: dict[str, Place]) -> dict[str, Place]:
    if len({place.weighted for place in places.values()}) > 1:
        raise ValueError("must name the same `weighted` for every version: one service shares their traffic")
    if len({qualified(place.service) for place in places.values()}) < len(places):
        raise ValueError("must name another `service` for each version")
    return places


Versions = Annotated[dict[str, Place], Field(min_length=1), AfterValidator(_one_door)]


class Options(Part):
    """The section of `aiops.yaml`."""

    api: str
    file: str = Field(pattern=r"^/.{1,1000}\.ya?ml$")
    targets: dict[str, Versions]
    metrics: str = ""
    settle: float = Field(default=10.0, gt=0, le=120)
    timeout: float = Field(default=5.0, gt=0, le=60)


class Traefik:
    """Implements `Splitter`; weights are whole numbers by the qualified name of a service, e.g. "delays_v2@file"."""

    name = "traefik"
    grain = TOTAL

    def __init__(self, options: Options) -> None:
        self._api, self._file, self._targets = options.api.rstrip("/"), Path(options.file), options.targets
        self._metrics = options.metrics or f"{self._api}/metrics"
        self._settle_s, self._patience_s = options.settle, options.timeout
        self._http = Http(Allowed.of(self._api, self._metrics), deadline_s=options.timeout)

    def split(self, target: str) -> Split:
        """Return the shares that Traefik works with now, whatever the file says."""
        shares = _shares(self._served(target))
        return {version: shares[qualified(place.service)] for version, place in self._places(target).items()}

    def set_split(self, target: str, split: Split, key: str) -> None:  # noqa: ARG002 - absolute, so a repetition changes nothing
        """Write the weight of every version into the file and wait until Traefik works with it; what a split does not name gets 0.

        Raises:
            WorldMoved: somebody else has changed the file, or Traefik does not work with what it says; nothing was written.
            Aborted: the run was to stop meanwhile; the file says again what Traefik served.
            ActionFailed: Traefik did not take it over in time; the file says again what Traefik serves.
        """
        places = self._places(target)
        shares = whole_steps(servable(target, split, places), TOTAL)
        served = self._served(target)
        wanted = {**served, **{qualified(place.service): shares[version] for version, place in places.items()}}
        if whole_steps(_shares(served), TOTAL) == wanted:
            wanted = served  # there already: its operators' own numbers stay
        self._write(target, wanted, served, over=lambda now: served == wanted or now in (served, wanted))
        try:
            why = self._missed(target, wanted)
        except Aborted:  # on the way back, weights that Traefik never took would be taken for somebody else's
            self._back(target, served, wanted)
            raise
        if why:
            late = f"Traefik did not take over the new weights of {target} within {self._settle_s:g} s"
            raise ActionFailed(f"{late}: {why}{self._back(target, served, wanted)}")

    def requests(self, target: str) -> Mapping[str, int]:
        """Return how many requests each version's service has answered since Traefik started."""
        self._served(target)  # a service that is not there is no service without requests
        counted = answers.counts(self._http.get(self._metrics).checked().text)
        return {version: counted.get(qualified(place.service), 0) for version, place in self._places(target).items()}

    def ready(self, target: str) -> str:
        """Say, without changing anything, that the file could be changed; ActionFailed when it could not."""
        served, service = self._served(target), self._weighted(target)
        with held(self._file, self._patience_s) as file:
            now = weights(file.read().text, service, str(self._file))
            file.check()
        if now != served:
            raise ActionFailed(self._apart(now, served))
        return f"{self._file} says what Traefik serves, and can be written"

    def close(self) -> None:
        """Close idle connections."""
        self._http.close()

    def _places(self, target: str) -> Mapping[str, Place]:
        if target not in self._targets:
            raise NotFound(f"Traefik serves no '{target}'; known: {', '.join(sorted(self._targets)) or 'none'}.")
        return self._targets[target]

    def _weighted(self, target: str) -> str:
        return next(iter(self._places(target).values())).weighted

    def _served(self, target: str) -> dict[str, int]:
        """Return the weights with which Traefik works now, of every service in the weighted one."""
        places, name = self._places(target), qualified(self._weighted(target))
        answer = self._http.get(f"{self._api}/api/http/services/{quote(name, safe='@')}")
        if answer.status == 404:
            raise ActionFailed(
                f"Traefik has no service '{name}'; compare its file with aiops.yaml, and see its log whether it took the file."
            )
        told = answers.weights(answer.checked().json(), name)
        lost = next((place.service for place in places.values() if qualified(place.service) not in told), None)
        if lost is not None:
            raise ActionFailed(f"Traefik's '{name}' sends nothing to a service '{lost}'; compare its file with aiops.yaml.")
        known = {qualified(place.service) for place in places.values()}
        stranger = next((service for service, weight in told.items() if weight and service not in known), None)
        if stranger is not None:
            raise ActionFailed(
                f"Traefik's '{name}' also sends traffic to '{stranger}', which aiops.yaml names for no version of {target}."
            )
        return told

    def _write(self, target: str, wanted: Weights, served: Weights, *, over: Callable[[Weights], bool]) -> None:
        """Write these weights where they are not there yet, over such ones as `over` agrees to; others are somebody else's."""
        service, where = self._weighted(target), str(self._file)
        with held(self._file, self._patience_s) as file:
            seen = file.read()
            now = weights(seen.text, service, where)
            if now.keys() != wanted.keys() or not over(now):
                raise WorldMoved(f"{self._apart(now, served)} What it says stays.")
            if now != wanted:
                file.replace(changed(seen.text, service, wanted, where), seen)

    def _apart(self, now: Weights, served: Weights) -> str:
        return (
            f"{self._file} says {_words(now)}, but Traefik serves {_words(served)}: somebody is just changing it, "
            "or Traefik has refused the file, as its log tells."
        )

    def _missed(self, target: str, wanted: Weights) -> str:
        """Wait until Traefik works with these weights; return why it does not when time is over, else empty text."""
        until = time.monotonic() + self._settle_s
        while why := self._lag(target, wanted):
            if time.monotonic() >= until:
                return why
            pause(POLL_S)
        return ""

    def _lag(self, target: str, wanted: Weights) -> str:
        try:
            served = self._served(target)
        except ActionFailed as silent:
            return str(silent)
        return "" if served == wanted else f"it serves {_words(served)}, and its log tells what it dislikes in the file."

    def _back(self, target: str, served: Weights, wanted: Weights) -> str:
        """Put back what was served, so that no restart brings up what Traefik never took; say how that went."""
        try:
            self._write(target, served, served, over=lambda now: now == wanted)
        except WorldMoved:
            raise
        except ActionFailed as stuck:
            return f" The file could not be put back, so mend it before Traefik restarts: {stuck}"
        return " The file says the old ones again."


def _shares(told: Weights) -> dict[str, float]:
    total = sum(told.values())
    return {name: weight / total if total else 0.0 for name, weight in told.items()}


def _words(told: Weights) -> str:
    return ", ".join(f"{name.removesuffix(PROVIDER)} {weight}" for name, weight in told.items())


def make(options: Mapping[str, object]) -> Traefik:
    """Build it from its section of the configuration.

    Raises:
        ConfigError: an option is missing or wrong.
    """
    return Traefik(validation.options(options, Options, of="Connector traefik"))


traefik = ConnectorKind(
    name="traefik",
    make=make,
    options={
        "api": "URL of Traefik's API, e.g. http://127.0.0.1:8080",
        "file": "path of the file (.yml or .yaml) that Traefik watches and the bot may write, with the weighted services",
        "targets": "for each model: version → {weighted, service}: the weighted service, and the one in it that is this version",
        "metrics": "URL of its Prometheus metrics; `api` with /metrics by default",
        "settle": "seconds within which Traefik has to take a new file over; 10 by default",
        "timeout": "seconds that one call may take, whole; 5 by default",
    },
    summary="Traffic split by Traefik's weighted services, set in the file that it watches and measured by its metrics",
)
