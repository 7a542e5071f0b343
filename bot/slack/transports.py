"""The two ways in: Socket Mode, where nothing must be reachable from outside, and signed HTTP, for production behind a balancer."""

import logging
import socket
import threading
from contextlib import suppress

from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.adapter.starlette.handler import to_bolt_request, to_starlette_response
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.core.errors import ConfigError
from bot.slack.client import web_client
from bot.slack.surface import THREADS, Surface

log = logging.getLogger(__name__)
PATH = "/slack/events"
MOST_BYTES = 1_000_000
CLOSE_S = 3.0


class Socket:
    """Socket Mode: the bot calls out, Slack sends each delivery to one of the open connections. It is pinged every `ping_s`."""

    def __init__(self, surface: Surface, *, ping_s: float = 5.0) -> None:
        keys = surface.keys
        if not keys.app_token:
            raise ConfigError("Socket Mode needs an app-level token; set SLACK_APP_TOKEN to the app's xapp- token.")
        client = web_client(keys.bot_token, keys.base_url)
        self._handler = SocketModeHandler(surface.app, keys.app_token, web_client=client, concurrency=THREADS, ping_interval=ping_s)

    def connect(self) -> None:
        """Connect, and reconnect by itself from then on."""
        self._handler.connect()  # type: ignore[no-untyped-call]

    @property
    def connected(self) -> bool:
        """Whether Slack can reach the bot now."""
        return bool(self._handler.client.is_connected())

    def close(self) -> None:
        """Disconnect for good, and at once: the library waits up to 4 s until its listeners hear something, so they are woken.

        A listener that begins to listen at that very moment never ends; the library would wait for it for ever, we do not.
        """
        client = self._handler.client
        client.closed, client.auto_reconnect_enabled = True, False
        client.message_queue.put(None)
        line = client.current_session.sock if client.current_session else None
        if line is not None:
            with suppress(OSError):  # it is gone already
                line.shutdown(socket.SHUT_RDWR)
        closing = threading.Thread(target=self._handler.close, name="socket-closes", daemon=True)
        closing.start()
        closing.join(CLOSE_S)


def routes(surface: Surface, path: str = PATH) -> list[Route]:
    """Return the routes for signed HTTP: one path for events, commands and clicks.

    Raises:
        ConfigError: there is no signing secret, so nobody could tell Slack from anybody else.
    """
    if not surface.keys.signing_secret:
        raise ConfigError("Signed HTTP needs the app's signing secret; set SLACK_SIGNING_SECRET.")

    async def deliver(request: Request) -> Response:
        stamp = request.headers.get("x-slack-request-timestamp", "")
        if not (stamp.isascii() and stamp.isdigit()):  # Bolt's verifier raises on anything else
            return PlainTextResponse("invalid request", status_code=401)
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > MOST_BYTES:
                return PlainTextResponse("too large", status_code=413)
        answered = await run_in_threadpool(surface.app.dispatch, to_bolt_request(request, body))
        return to_starlette_response(answered)

    return [Route(path, deliver, methods=["POST"])]
