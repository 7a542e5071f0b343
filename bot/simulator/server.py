"""The simulator as a server: in a thread of a test, or a process of its own. Listens on 127.0.0.1 only."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Self, TypeVar

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from bot.simulator.connections import Connections
from bot.simulator.errors import WorkspaceError
from bot.simulator.faults import Fault
from bot.simulator.room import Room
from bot.simulator.transcript import transcript
from bot.simulator.ui import Ui
from bot.simulator.web import WebApi
from bot.simulator.workspace import Json, SlackApp, Workspace, default_workspace

START_S = 10.0
KEEP_ALIVE_S = 75
_Result = TypeVar("_Result")


class Simulator:
    """A running Slack with one workspace and one app.

    Args:
        workspace: people, channels and the app; the default workspace when left out.
        db: SQLite file that keeps what was said across restarts; in memory when left out.
        port: 0 for any free port.
        strict_rate: enforce Slack's rate limits.
        ack_timeout_s: how long the app has to acknowledge; Slack gives three seconds.
    """

    def __init__(
        self,
        workspace: Workspace | None = None,
        *,
        db: str | Path = ":memory:",
        port: int = 0,
        strict_rate: bool = False,
        ack_timeout_s: float = 3.0,
    ) -> None:
        self.workspace = workspace or default_workspace()
        self.workspace.check()
        self._settings = {"strict_rate": strict_rate, "ack_timeout_s": ack_timeout_s}
        self._db = db
        self._port = port
        self._room: Room | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> Self:
        """Serve in a background thread; returns when the server answers.

        Raises:
            WorkspaceError: the port is taken, or the server did not come up.
        """
        listener = _listen(self._port)
        self._port = listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run, args=(listener,), name="slack-simulator", daemon=True)
        self._thread.start()
        deadline = time.monotonic() + START_S
        while not (self._server and self._server.started):
            if time.monotonic() > deadline or not self._thread.is_alive():
                raise WorkspaceError("The Slack simulator did not start; its log says why.")
            time.sleep(0.005)
        return self

    def stop(self) -> None:
        """Stop serving. What was said stays in the database file."""
        if self._server is not None:
            self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(timeout=START_S)
        self._server = self._thread = self._room = self._loop = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def serve(self) -> None:
        """Serve in this thread until the process is stopped."""
        listener = _listen(self._port)
        self._port = listener.getsockname()[1]
        print(self.url, flush=True)  # noqa: T201  the one line a starter waits for
        self._run(listener)

    @property
    def url(self) -> str:
        """Return the address of the page, without a slash at the end."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def api_url(self) -> str:
        """Return the `base_url` for a slack_sdk WebClient."""
        return f"{self.url}/api/"

    @property
    def app(self) -> SlackApp:
        """Return the installed app: its tokens and its signing secret."""
        return self.workspace.app

    @property
    def room(self) -> Room:
        """Return the room behind the doors; touch it through `on_loop` only."""
        if self._room is None:
            raise WorkspaceError("The Slack simulator is not running; start it first.")
        return self._room

    def on_loop(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        """Run something in the simulator's own thread and return its result."""
        if self._loop is None:
            work.close()
            raise WorkspaceError("The Slack simulator is not running; start it first.")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=START_S)

    def fault(self, kind: str, method: str = "*", **details: Any) -> None:
        """Let something fail; see `faults.Fault` for kinds and details.

        Raises:
            WorkspaceError: there is no such fault.
        """
        self.on_loop(self._ui.cause(Fault(kind, method, **details)))

    def deliver_to(self, url: str) -> None:
        """Deliver over signed HTTP to this request URL from now on, after its challenge.

        Raises:
            WorkspaceError: the app did not answer the challenge.
        """
        self.on_loop(self.room.deliver.use_http(url))

    def advance(self, seconds: float) -> None:
        """Push the simulator's clock forward."""

        async def push() -> None:
            self.room.clock.advance(seconds)

        self.on_loop(push())

    def calls(self, name: str | None = None) -> list[Json]:
        """Return the call log, oldest first; only one method's or delivery's calls when named."""

        async def read() -> list[Json]:
            return self.room.calls.after(0, 10_000)

        return [call for call in self.on_loop(read()) if name in {None, call["name"]}]

    def transcript(self, channel: str, *, seen_by: str = "*") -> str:
        """Return a channel with its threads as chat text; `seen_by` adds that person's ephemerals."""

        async def read() -> str:
            found = self.room.channels.get(channel) or self.room.channels.named(channel)
            if found is None:
                raise WorkspaceError(f"There is no channel {channel!r} in the workspace.")
            viewer = seen_by if seen_by == "*" else self.workspace.person(seen_by).id
            return transcript(self.room, found, viewer)

        return self.on_loop(read())

    def wait_for_app(self, within: float = 10.0) -> None:
        """Return as soon as the app can be reached.

        Raises:
            WorkspaceError: it did not connect in time.
        """
        deadline = time.monotonic() + within
        while not self.room.deliver.reachable:
            if time.monotonic() > deadline:
                raise WorkspaceError(f"No app connected to the Slack simulator within {within:g} s.")
            time.sleep(0.01)

    def _run(self, listener: socket.socket) -> None:
        asyncio.run(self._serve(listener))

    async def _serve(self, listener: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        connections = Connections()
        room = Room(self.workspace, self._db, **self._settings)  # type: ignore[arg-type]
        room.base_url = self.url
        self._room, self._ui = room, Ui(room, connections)
        app = Starlette(
            routes=[*WebApi(room, connections).routes(), *self._ui.routes()],
            middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
        )
        config = uvicorn.Config(
            app,
            http=connections.protocol(),
            ws="websockets-sansio",
            lifespan="off",
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=1,
            timeout_keep_alive=KEEP_ALIVE_S,
        )
        self._server = uvicorn.Server(config)
        try:
            with contextlib.closing(listener):
                await self._server.serve(sockets=[listener])
        finally:
            await room.close()


def _listen(port: int) -> socket.socket:
    # asyncio switches Nagle's delay of 40 ms off only for sockets that say they are TCP.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(128)  # whoever comes before the server is up waits in the queue
    except OSError as taken:
        listener.close()
        raise WorkspaceError(f"Port {port} on 127.0.0.1 cannot be used: {taken.strerror}; choose another.") from taken
    return listener
