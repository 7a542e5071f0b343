"""HAProxy as a traffic splitter: the weights of a backend's servers, over its runtime socket.

What a real HAProxy does, and what follows: it answers a mistake with a sentence instead of an error code, so every sentence is a
failure; it sets one server at a time, so all commands of a change go in one line; a restart forgets every weight, so nothing is
remembered here. The backend needs a balance that honours weights exactly (`roundrobin`; with `random` 10 % were measured as 15 %).
"""

import csv
import re
import socket
import time
from collections.abc import Mapping

from pydantic import Field

from bot import validation
from bot.core.errors import ActionFailed, ConfigError, NotFound, OutcomeUnknown
from bot.core.models import Split, servable, whole_steps
from bot.core.ports import ConnectorKind
from bot.http import Unreached
from bot.validation import Part

TOTAL = 200
"""The weights that are set add up to this: HAProxy takes whole weights up to 256, so a share is exact to 0.5 %."""
MOST_BYTES = 16_000_000
RESPONSES = ("hrsp_1xx", "hrsp_2xx", "hrsp_3xx", "hrsp_4xx", "hrsp_5xx", "hrsp_other")

Rows = Mapping[tuple[str, str], Mapping[str, str]]


class Place(Part):
    """Where one version stands in HAProxy: a backend and a server in it."""

    backend: str = Field(pattern=r"^[A-Za-z0-9_.:-]{1,200}$")
    server: str = Field(pattern=r"^[A-Za-z0-9_.:-]{1,200}$")


class Options(Part):
    """The section of `aiops.yaml`."""

    socket: str = Field(pattern=r"^(/.{1,100}|[A-Za-z0-9.-]{1,200}:[0-9]{1,5}|\[[0-9a-fA-F:]+\]:[0-9]{1,5})$")
    targets: dict[str, dict[str, Place]]
    timeout: float = Field(default=5.0, gt=0, le=60)


class Haproxy:
    """Implements `Splitter`; `targets` maps a model to its versions, and those to their places."""

    name = "haproxy"
    grain = TOTAL

    def __init__(self, address: str, targets: Mapping[str, Mapping[str, Place]], *, timeout: float = 5.0) -> None:
        self._address, self._targets, self._timeout = address, targets, timeout

    def split(self, target: str) -> Split:
        """Return the shares of the weights that HAProxy works with now."""
        weights = {version: _whole(row, "weight") for version, row in self._rows(target).items()}
        total = sum(weights.values())
        return {version: weight / total if total else 0.0 for version, weight in weights.items()}

    def set_split(self, target: str, split: Split, key: str) -> None:  # noqa: ARG002 - absolute, so a repetition changes nothing
        """Set the weight of every version of the target in one line; a version that the split does not name gets 0."""
        places = self._places(target)
        weights = whole_steps(servable(target, split, places), TOTAL)
        self._rows(target)  # a server that is not there: nothing is set at all, rather than half of it
        line = "; ".join(f"set server {places[v].backend}/{places[v].server} weight {weight}" for v, weight in weights.items())
        answer = self._asked(line).strip()
        if answer:
            raise ActionFailed(f"HAProxy did not take the new weights of {target}: {answer[:100]!r}.")

    def requests(self, target: str) -> Mapping[str, int]:
        """Return how many requests each version's server has answered since HAProxy started."""
        return {version: sum(_whole(row, name) for name in RESPONSES) for version, row in self._rows(target).items()}

    def _places(self, target: str) -> Mapping[str, Place]:
        if target not in self._targets:
            raise NotFound(f"HAProxy serves no '{target}'; known: {', '.join(sorted(self._targets)) or 'none'}.")
        return self._targets[target]

    def _rows(self, target: str) -> dict[str, Mapping[str, str]]:
        """Return the statistics of each version's server."""
        places = self._places(target)
        there = _statistics(self._asked_again("show stat"))
        rows = {version: there.get((place.backend, place.server)) for version, place in places.items()}
        lost = next((version for version, row in rows.items() if row is None), None)
        if lost is not None:
            where = f"{places[lost].backend}/{places[lost].server}"
            raise ActionFailed(f"HAProxy has no server '{where}' for {lost} of {target}; compare it with aiops.yaml.")
        return {version: row for version, row in rows.items() if row is not None}

    def _asked_again(self, command: str) -> str:
        """Read: what was cut off is harmless, and said as such."""
        try:
            return self._asked(command)
        except OutcomeUnknown as error:
            raise ActionFailed(str(error)) from error

    def _asked(self, command: str) -> str:
        """Return the answer to one line.

        Raises:
            Unreached: nothing was sent.
            OutcomeUnknown: the line was sent, the answer did not come whole in time.
        """
        until = time.monotonic() + self._timeout
        try:
            connection = self._connected()
        except OSError as error:
            raise Unreached(f"HAProxy's socket {self._address} could not be reached; nothing was sent.") from error
        with connection:
            try:
                connection.sendall(f"{command}\n".encode())
                return _read(connection, until)
            except OSError as error:
                raise OutcomeUnknown(f"HAProxy's socket {self._address} gave no whole answer.") from error

    def _connected(self) -> socket.socket:
        if self._address.startswith("/"):
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(self._timeout)
            try:
                connection.connect(self._address)
            except OSError:
                connection.close()
                raise
            return connection
        host, _, port = self._address.rpartition(":")
        return socket.create_connection((host.strip("[]"), int(port)), self._timeout)


def _read(connection: socket.socket, until: float) -> str:
    """Return what comes until the other side closes; a drip that outlasts the deadline is cut off."""
    parts: list[bytes] = []
    size = 0
    while True:
        connection.settimeout(max(0.001, until - time.monotonic()))
        part = connection.recv(65_536)
        size += len(part)
        if size > MOST_BYTES:
            raise ActionFailed(f"HAProxy's socket answered more than {MOST_BYTES:,} bytes; is it really HAProxy's?")
        if not part:
            return b"".join(parts).decode("utf-8", "replace")
        parts.append(part)


def _statistics(text: str) -> Rows:
    if not text.startswith("# pxname,svname,"):
        raise ActionFailed("HAProxy's socket does not tell its statistics; is it the runtime socket, at level operator or admin?")
    rows = csv.DictReader(text.removeprefix("# ").splitlines())
    return {(str(row["pxname"]), str(row["svname"])): row for row in rows}


def _whole(row: Mapping[str, str], name: str) -> int:
    value = row.get(name) or "0"
    if not re.fullmatch(r"[0-9]{1,18}", value):
        raise ActionFailed(f"HAProxy tells no number as '{name}': {value[:20]!r}.")
    return int(value)


def make(options: Mapping[str, object]) -> Haproxy:
    """Build it from its section of the configuration.

    Raises:
        ConfigError: an option is missing or wrong.
    """
    read = validation.options(options, Options, of="Connector haproxy")
    if not read.socket.startswith("/") and int(read.socket.rpartition(":")[2]) > 65_535:
        raise ConfigError("Connector haproxy: the port of `socket` must be at most 65535.")
    return Haproxy(read.socket, read.targets, timeout=read.timeout)


haproxy = ConnectorKind(
    name="haproxy",
    make=make,
    options={
        "socket": "its runtime socket (`stats socket … level admin`): a path, or host:port",
        "targets": "for each model: version → {backend, server}",
        "timeout": "seconds that one call may take, whole; 5 by default",
    },
    summary="Traffic split by the weights of HAProxy's servers, set over its runtime socket and measured by its counters",
)
