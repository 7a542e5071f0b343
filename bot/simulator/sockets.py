"""Socket Mode: the app's open sockets, one envelope to exactly one of them, and its acknowledgement."""

from __future__ import annotations

import asyncio
import json
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from starlette.websockets import WebSocket, WebSocketDisconnect

from bot.simulator.errors import SlackError
from bot.simulator.workspace import Json

MOST_SOCKETS = 10
CLOSING_S = 0.2


class NotDelivered(Exception):
    """The app did not take it; `error` is Slack's word for why."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error
        self.no_retry = False


@dataclass
class Ack:
    """The app took it; `body` is what it answered, possibly nothing."""

    body: Json = field(default_factory=dict)


class Sockets:
    """The open Socket Mode connections of the app."""

    def __init__(self, app_id: str) -> None:
        self._app_id = app_id
        self._open: list[WebSocket] = []
        self._tickets: set[str] = set()
        self._acks: dict[str, asyncio.Future[Json]] = {}
        self._turn = 0

    @property
    def count(self) -> int:
        """Return how many sockets are open."""
        return len(self._open)

    @property
    def open(self) -> tuple[WebSocket, ...]:
        """Return the open sockets, oldest first."""
        return tuple(self._open)

    def ticket(self) -> str:
        """Return a query string that opens one socket, once."""
        ticket = secrets.token_urlsafe(16)
        self._tickets.add(ticket)
        return f"ticket={quote(ticket)}&app_id={self._app_id}"

    async def serve(self, socket: WebSocket) -> None:
        """Talk to one socket until it closes."""
        ticket = socket.query_params.get("ticket", "")
        if ticket not in self._tickets or len(self._open) >= MOST_SOCKETS:
            await socket.close(code=4403)
            return
        self._tickets.discard(ticket)
        await socket.accept()
        self._open.append(socket)
        try:
            await socket.send_json(self._hello())
            while True:
                self._hear(await socket.receive_text())
        except (WebSocketDisconnect, RuntimeError):
            return  # the app went away, or its socket was killed on demand
        finally:
            self.forget(socket)

    def forget(self, socket: WebSocket) -> None:
        """Send nothing more to this socket."""
        if socket in self._open:
            self._open.remove(socket)

    async def send(self, kind: str, payload: Json, *, timeout_s: float, extra: Json | None = None) -> Ack:
        """Send one envelope to one socket and wait for its acknowledgement.

        Raises:
            NotDelivered: dispatch_failed without a socket, operation_timeout without an acknowledgement.
        """
        if not self._open:
            raise NotDelivered("dispatch_failed")
        self._turn += 1
        socket = self._open[self._turn % len(self._open)]
        envelope = secrets.token_hex(16)
        self._acks[envelope] = asyncio.get_running_loop().create_future()
        try:
            await socket.send_json({"envelope_id": envelope, "type": kind, "payload": payload, **(extra or {})})
            return Ack(await asyncio.wait_for(self._acks[envelope], timeout_s))
        except TimeoutError as late:
            raise NotDelivered("operation_timeout") from late
        except (WebSocketDisconnect, RuntimeError) as gone:
            self.forget(socket)
            raise NotDelivered("dispatch_failed") from gone
        finally:
            del self._acks[envelope]

    async def disconnect(self, reason: str) -> None:
        """Send every socket the frame with which Slack announces (warning) or demands a new connection.

        A demand takes the socket out of use at once and closes it a moment later.
        """
        asked = self.open
        for socket in asked:
            await socket.send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": "simulator"}})
            if reason != "warning":
                self.forget(socket)
        if reason != "warning":
            await asyncio.sleep(CLOSING_S)
            for socket in asked:
                await socket.close()

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self._open),
            "debug_info": {"host": "simulator", "build_number": 1, "approximate_connection_time": 18060},
            "connection_info": {"app_id": self._app_id},
        }

    def _hear(self, text: str) -> None:
        try:
            frame: Any = json.loads(text)
        except json.JSONDecodeError:
            return  # Slack ignores what it cannot read; the missing acknowledgement shows
        waiting = self._acks.get(str(frame.get("envelope_id"))) if isinstance(frame, dict) else None
        if waiting is not None and not waiting.done():
            body = frame.get("payload")
            waiting.set_result(body if isinstance(body, dict) else {})

    def new_url(self, base_url: str) -> str:
        """Return the address of a new socket.

        Raises:
            SlackError: too_many_websockets when ten are open.
        """
        if len(self._open) >= MOST_SOCKETS:
            raise SlackError("too_many_websockets")
        return f"{base_url.replace('http', 'ws', 1)}/link/?{self.ticket()}"
