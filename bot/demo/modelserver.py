"""One model version as an HTTP server of its own, as model platforms run them.

`POST /predict` {"airport", "time", "flights": [{feature: value}]} → {"version", "scores"}: serving. `POST /score` {"columns":
{feature: [value]}} → the same: for those who ask again and serve nobody. `GET /healthz`, `GET /metrics`. Every answer carries its
version, in the body and as `x-model-version`.

    python -m bot.demo.modelserver --version v2 --models FOLDER --port-file FILE
"""

import argparse
import json
import os
import socket
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot.demo import models
from bot.demo.flights import FEATURES
from bot.demo.leash import exit_with_parent

MOST_BYTES = 32_000_000
KEEP_ALIVE_S = 7_200
"""Longer than Envoy keeps an idle connection (1 h): who closes first while a request is on its way makes it a 503."""


class Scores(Protocol):
    """Whatever can be served."""

    def scores(self, frame: pd.DataFrame) -> models.Numbers:
        """Return one score a row, shape (n,), 0 to 1."""
        ...


class Unreadable(Exception):
    """What was sent is no question; the sentence goes back to the caller."""


class Served:
    """A version and its counters."""

    def __init__(self, version: str, model: Scores) -> None:
        self.version, self._model = version, model
        self.requests = self.errors = self.rows = 0
        self.seconds = 0.0

    async def predict(self, request: Request) -> Response:
        """Serve."""
        return await self._answer(request, _flights)

    async def score(self, request: Request) -> Response:
        """Score rows again."""
        return await self._answer(request, _columns)

    async def healthz(self, _: Request) -> Response:
        """Say that this version serves."""
        return self._said({"version": self.version, "status": "ok"})

    async def metrics(self, _: Request) -> Response:
        """Tell the counters in Prometheus' text format."""
        told = {"requests": self.requests, "errors": self.errors, "rows": self.rows, "seconds": self.seconds}
        lines = (f'model_{name}_total{{version="{self.version}"}} {value}\n' for name, value in told.items())
        return PlainTextResponse("".join(lines))

    async def _answer(self, request: Request, frame: Callable[[Any], pd.DataFrame]) -> Response:
        started = time.perf_counter()
        self.requests += 1
        try:
            rows = frame(await _json(request))
            scores = self._model.scores(rows)
        except (Unreadable, models.UnreadableFeatures) as error:
            self.errors += 1
            return self._said({"version": self.version, "error": str(error)}, 400)
        self.rows += len(scores)
        self.seconds += time.perf_counter() - started
        return self._said({"version": self.version, "scores": np.round(scores, 6).tolist()})

    def _said(self, content: dict[str, object], status: int = 200) -> Response:
        return JSONResponse(content, status, headers={"x-model-version": self.version})


async def _json(request: Request) -> Any:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BYTES:
            raise Unreadable(f"A question must not be larger than {MOST_BYTES:,} bytes.")
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise Unreadable("A question is a JSON object.") from None


def _flights(question: Any) -> pd.DataFrame:
    flights = question.get("flights") if isinstance(question, dict) else None
    if not isinstance(flights, list) or not all(isinstance(flight, dict) for flight in flights):
        raise Unreadable('A question holds "flights": a list of objects with the features.')
    return pd.DataFrame(flights, columns=None if flights else list(FEATURES))


def _columns(question: Any) -> pd.DataFrame:
    columns = question.get("columns") if isinstance(question, dict) else None
    if not isinstance(columns, dict) or not all(isinstance(values, list) for values in columns.values()):
        raise Unreadable('A question holds "columns": an object of lists.')
    if len({len(values) for values in columns.values()}) > 1:
        raise Unreadable("All columns of a question must be equally long.")
    return pd.DataFrame(columns)


def application(version: str, model: Scores) -> Starlette:
    """Return the server of one version."""
    served = Served(version, model)
    handlers: dict[str, tuple[str, Callable[[Request], Awaitable[Response]]]] = {
        "/predict": ("POST", served.predict),
        "/score": ("POST", served.score),
        "/healthz": ("GET", served.healthz),
        "/metrics": ("GET", served.metrics),
    }
    return Starlette(routes=[Route(path, handler, methods=[method]) for path, (method, handler) in handlers.items()])


def main() -> None:
    """Load the version, then listen; the port is written once it answers."""
    read = argparse.ArgumentParser(prog="python -m bot.demo.modelserver", description="Serve one version of the demo's model.")
    read.add_argument("--version", required=True)
    read.add_argument("--models", type=Path, required=True, help="the folder that bot.demo.models prepared")
    read.add_argument("--port", type=int, default=0)
    read.add_argument("--port-file", type=Path, required=True, help="where to write the port that was free")
    given = read.parse_args()
    app = application(given.version, models.load(given.models, given.version))
    listener = socket.create_server(("127.0.0.1", given.port))
    # asyncio leaves Nagle's algorithm on for sockets that it did not make itself: 40 ms for every answer
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    quiet = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=1, timeout_keep_alive=KEEP_ALIVE_S)
    server = uvicorn.Server(quiet)
    exit_with_parent(lambda: setattr(server, "should_exit", True))
    new = given.port_file.with_suffix(".new")
    new.write_text(str(listener.getsockname()[1]), "ascii")
    os.replace(new, given.port_file)  # noqa: PTH105 - atomic: nobody reads half a port
    server.run([listener])


if __name__ == "__main__":
    main()
