"""Model versions that answer over HTTP: asked to score logged rows again, without serving anybody.

Each version has a URL of its own. `POST <url>/score` takes `{"columns": {name: [value or null, …]}}` and answers
`{"version": …, "scores": [0 … 1, …]}`, one score a row. The version in the answer is checked: scores of another version than the
one asked would be evidence for the wrong decision.
"""

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from pydantic import Field

from bot import validation
from bot.core.errors import ActionFailed, NotFound
from bot.core.ports import ConnectorKind
from bot.core.profiles import Floats
from bot.core.readings import Sample
from bot.core.waiting import pause
from bot.http import Allowed, Http
from bot.validation import Part


class Options(Part):
    """The section of `aiops.yaml`."""

    targets: dict[str, dict[str, str]]
    batch: int = Field(default=2_000, ge=1, le=100_000)
    per_second: float = Field(default=20.0, gt=0)
    timeout: float = Field(default=15.0, gt=0, le=300)


class ModelServers:
    """Implements `Scorer`; serving traffic is spared by small batches and a pause between them."""

    name = "model_servers"

    def __init__(self, options: Options, sleep: Callable[[float], None] = pause) -> None:
        self._targets, self._batch, self._sleep = options.targets, options.batch, sleep
        self._gap_s, self._next, self._lock = 1 / options.per_second, 0.0, threading.Lock()
        urls = [url for versions in options.targets.values() for url in versions.values()]
        self._http = Http(Allowed.of(*urls), deadline_s=options.timeout)

    def versions(self, target: str) -> Sequence[str]:
        """Return the versions in the order of the configuration, oldest first."""
        return tuple(self._known(target))

    def score(self, target: str, version: str, sample: Sample) -> Floats:
        """Return this version's scores for the rows of the sample, shape (n,), each in [0, 1].

        Raises:
            NotFound: there is no such version.
            ActionFailed: its server cannot be reached, or answers with something else than its scores.
        """
        versions = self._known(target)
        if version not in versions:
            raise NotFound(f"There is no version '{version}' of {target} to ask; known: {', '.join(versions)}.")
        url = versions[version].rstrip("/") + "/score"
        pieces = [self._asked(url, version, columns, rows) for columns, rows in self._batches(sample)]
        return np.concatenate(pieces) if pieces else np.empty(0)

    def close(self) -> None:
        """Close idle connections."""
        self._http.close()

    def _known(self, target: str) -> Mapping[str, str]:
        if target not in self._targets:
            raise NotFound(f"No model servers are known for '{target}'; known: {', '.join(sorted(self._targets)) or 'none'}.")
        return self._targets[target]

    def _batches(self, sample: Sample) -> Iterator[tuple[dict[str, list[object]], int]]:
        for start in range(0, len(sample), self._batch):
            end = min(start + self._batch, len(sample))
            yield {name: [_plain(value) for value in values[start:end]] for name, values in sample.features.items()}, end - start

    def _asked(self, url: str, version: str, columns: Mapping[str, list[object]], rows: int) -> Floats:
        self._wait()
        answer = self._http.ask(url, json={"columns": columns}).checked()
        said = answer.json()
        if not isinstance(said, dict) or said.get("version") != version:
            raise ActionFailed(f"{answer.where} should answer as {version}, but does not; compare its URL with aiops.yaml.")
        scores = _scores(said.get("scores"))
        if scores is None or len(scores) != rows:
            raise ActionFailed(f"{answer.where} did not answer with one score from 0 to 1 for each of {rows:,} rows.")
        return scores

    def _wait(self) -> None:
        """Keep the pace over all threads: each call takes the next free place in time."""
        with self._lock:
            now = time.monotonic()
            mine = max(now, self._next)
            self._next = mine + self._gap_s
        if mine > now:
            self._sleep(mine - now)


def _scores(said: Any) -> Floats | None:
    if not isinstance(said, list) or not all(isinstance(score, int | float) and 0 <= score <= 1 for score in said):
        return None
    return np.array(said, dtype=np.float64)


def _plain(value: object) -> object:
    """A value as JSON has it: numpy's wrapping taken off, NaN and infinities missing."""
    plain = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(plain, float) and not math.isfinite(plain) else plain


def make(options: Mapping[str, object]) -> ModelServers:
    """Build it from its section of the configuration.

    Raises:
        ConfigError: an option is missing or wrong.
    """
    return ModelServers(validation.options(options, Options, of="Connector model_servers"))


model_servers = ConnectorKind(
    name="model_servers",
    make=make,
    options={
        "targets": "for each model: version → URL of its server, oldest version first",
        "batch": "rows in one question; 2000 by default",
        "per_second": "questions a second at most, so that serving is spared; 20 by default",
        "timeout": "seconds that one question may take, whole; 15 by default",
    },
    summary="Model versions behind HTTP servers of their own, asked to score logged rows again",
)
