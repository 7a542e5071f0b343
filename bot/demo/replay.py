"""The company's life, replayed.

Every airport asks for its flights, Envoy sends each request to some version, and the truth comes hours later, as it did in 2013.

Live stretches go through Envoy, request by request, at a pace that can be changed while they run. Quiet stretches are backfilled:
scored here with the version that served then, logged under its name, with no latency, because none was measured.
"""

import heapq
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import httpx
import pandas as pd

from bot.demo.clock import DataClock
from bot.demo.flights import FEATURES
from bot.demo.log import PredictionLog, Row, stamp
from bot.demo.models import Numbers

HOUR = timedelta(hours=1)


class Scores(Protocol):
    """A version that can be asked in this process."""

    def scores(self, frame: pd.DataFrame) -> Numbers:
        """Return one score a row, shape (n,)."""
        ...


@dataclass
class Pace:
    """How fast the story is told; both may be changed at any time.

    `speed` is seconds of data a second (None: as fast as it goes); `slot` is how much each request covers: an airport asks for all
    flights of the next hour, or, with a shorter slot, more often for fewer. More requests tell the splitter's shares sooner.
    """

    speed: float | None = None
    slot: timedelta = HOUR


@dataclass
class Counters:
    """What has happened so far; `served` counts answered requests by version."""

    requests: int = 0
    errors: int = 0
    flights: int = 0
    labels: int = 0
    backfilled: int = 0
    served: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Request:
    board: str
    airport: str
    at: datetime
    ids: Sequence[str]
    flights: Sequence[Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class _Answer:
    version: str | None
    scores: Sequence[float | None]
    error: str | None
    latency_ms: float


class Replayer:
    """Sends and logs; `position` is where in the data it stands. One thread replays, others may read and change the pace."""

    def __init__(self, flights: pd.DataFrame, log: PredictionLog, clock: DataClock, *, start: datetime, front: str) -> None:
        ordered = flights.sort_values(["departs", "origin", "flight_id"], ignore_index=True)
        self._flights, self._departs, self._log, self._clock = ordered, ordered["departs"], log, clock
        self._front = front.rstrip("/") + "/predict"
        self._airports = ThreadPoolExecutor(4, "airport")
        self._http = httpx.Client(trust_env=False, timeout=10.0, follow_redirects=False)
        self._awaited: list[tuple[datetime, str, bool]] = []
        self._stop = threading.Event()
        self.position, self.pace, self.counters = start.astimezone(UTC), Pace(), Counters()
        clock.advance(self.position)

    def live(self, until: datetime) -> None:
        """Replay up to a time, through Envoy, at the pace; returns early when stopped."""
        due = time.monotonic()
        while self.position < until and not self._stop.is_set():
            end = min(_next(self.position, self.pace.slot), until)
            self._send(list(self._requests(self.position, end)))
            if self.pace.speed:
                due = max(due + (end - self.position).total_seconds() / self.pace.speed, time.monotonic() - 0.5)
                self._stop.wait(max(0.0, due - time.monotonic()))
            self._reach(end)

    def backfill(self, until: datetime, version: str, model: Scores) -> None:
        """Jump to a time: everything between is scored here by the version that served then, and logged."""
        rows = self._between(self.position, until)
        if len(rows):
            scores = model.scores(rows)
            boards = rows["origin"].astype(str) + "-" + rows["hour"].dt.strftime("%Y-%m-%dT%HZ")
            times = [stamp(max(moment.to_pydatetime(), self.position)) for moment in rows["hour"]]
            heads = zip(rows["flight_id"], boards, times, scores.tolist(), strict=True)
            features = zip(*_plain(rows).values(), strict=True)
            self._log.add(
                (flight, board, at, version, score, None, None, *given)
                for (flight, board, at, score), given in zip(heads, features, strict=True)
            )
            self.counters.backfilled += len(rows)
            self._await(rows)
        self._reach(until)

    def stop(self) -> None:
        """Let `live` return soon; may be called from any thread."""
        self._stop.set()

    def close(self) -> None:
        """Close the connections to Envoy."""
        self._airports.shutdown()
        self._http.close()

    def _between(self, start: datetime, end: datetime) -> pd.DataFrame:
        first, last = (self._departs.searchsorted(pd.Timestamp(moment)) for moment in (start, end))
        return self._flights.iloc[first:last]

    def _requests(self, start: datetime, end: datetime) -> Iterator[_Request]:
        rows = self._between(start, end)
        self._await(rows)
        for airport, mine in rows.groupby("origin", sort=True):
            features = _plain(mine)
            flights = [dict(zip(features, values, strict=True)) for values in zip(*features.values(), strict=True)]
            yield _Request(f"{airport}-{start:%Y-%m-%dT%H:%M}Z", str(airport), start, list(mine["flight_id"]), flights)

    def _send(self, requests: Sequence[_Request]) -> None:
        """Let all airports ask at once, as they do, and log what came back."""
        answered = list(zip(requests, self._airports.map(self._asked, requests), strict=True))
        for request, answer in answered:
            self.counters.requests += 1
            self.counters.flights += len(request.ids)
            if answer.version is None:
                self.counters.errors += 1
            else:
                self.counters.served[answer.version] = self.counters.served.get(answer.version, 0) + 1
        self._log.add(row for request, answer in answered for row in _rows(request, answer))

    def _asked(self, request: _Request) -> _Answer:
        question = {"airport": request.airport, "time": request.at.isoformat(), "flights": request.flights}
        started = time.perf_counter()
        version, scores, error = self._called(question, len(request.ids))
        latency_ms = (time.perf_counter() - started) * 1000
        return _Answer(version, scores, error, latency_ms)

    def _called(self, question: Mapping[str, object], n: int) -> tuple[str | None, Sequence[float | None], str | None]:
        """Return version, scores and error: a failed request is a row of the log like any other."""
        nobody: list[float | None] = [None] * n
        try:
            answer = self._http.post(self._front, json=question)
            if answer.status_code != httpx.codes.OK:
                return None, nobody, f"HTTP {answer.status_code}"
            said = answer.json()
            version, scores = str(said["version"]), [float(score) for score in said["scores"]]
        except (httpx.HTTPError, ValueError, TypeError, KeyError) as error:
            return None, nobody, type(error).__name__
        return (version, scores, None) if len(scores) == n else (None, nobody, "wrong number of scores")

    def _await(self, rows: pd.DataFrame) -> None:
        known = rows[rows["late"].notna() & rows["arrived"].notna()]
        for flight, late, arrived in zip(known["flight_id"], known["late"], known["arrived"], strict=True):
            heapq.heappush(self._awaited, (arrived.to_pydatetime(), flight, bool(late)))

    def _reach(self, to: datetime) -> None:
        """Deliver the labels that are known before this time, then let the clock show it."""
        known: list[tuple[str, bool, datetime]] = []
        while self._awaited and self._awaited[0][0] < to:
            at, flight, late = heapq.heappop(self._awaited)
            known.append((flight, late, at))
        if known:
            self._log.label(known)
            self.counters.labels += len(known)
        self.position = to
        self._clock.advance(to)


def _next(at: datetime, slot: timedelta) -> datetime:
    """Return the end of the slot that this time lies in; slots start at full hours."""
    hour = at.replace(minute=0, second=0, microsecond=0)
    return min(hour + ((at - hour) // slot + 1) * slot, hour + HOUR) if slot < HOUR else hour + HOUR


def _rows(request: _Request, answer: _Answer) -> Iterator[Row]:
    at = stamp(request.at)
    for flight, score, features in zip(request.ids, answer.scores, request.flights, strict=True):
        yield (flight, request.board, at, answer.version, score, answer.latency_ms, answer.error, *features.values())


def _plain(rows: pd.DataFrame) -> dict[str, list[Any]]:
    """Return the features as lists in their order, None where missing: what JSON and SQLite understand."""
    return {name: [None if value != value else value for value in rows[name].tolist()] for name in FEATURES}  # noqa: PLR0124 - NaN
