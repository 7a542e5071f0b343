"""From Slack to the app: over a socket or signed HTTP, within three seconds; events are tried again, clicks never.

Slack tries an event three more times: at once, after a minute, after five.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

from bot.simulator.calls import CallLog
from bot.simulator.clock import Clock
from bot.simulator.errors import WorkspaceError
from bot.simulator.faults import DELIVERY_KINDS, Faults
from bot.simulator.signed_http import SignedHttp
from bot.simulator.sockets import Ack, NotDelivered, Sockets
from bot.simulator.workspace import Json, SlackApp

RETRY_AFTER_S = (0.0, 60.0, 300.0)
ENVELOPES = {"event": "events_api", "command": "slash_commands", "interactive": "interactive", "view": "interactive"}
REASONS = {"operation_timeout": "http_timeout", "dispatch_failed": "connection_failed"}


class Deliveries:
    """The way to the app."""

    def __init__(self, app: SlackApp, clock: Clock, faults: Faults, calls: CallLog, *, ack_timeout_s: float) -> None:
        self.sockets = Sockets(app.id)
        self.http = SignedHttp(app.signing_secret)
        self.transport = app.transport
        self.request_url = app.request_url
        self._clock = clock
        self._faults = faults
        self._calls = calls
        self._timeout_s = ack_timeout_s
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def reachable(self) -> bool:
        """Say whether somebody listens: an open socket, or a request URL."""
        return self.sockets.count > 0 if self.transport == "socket" else bool(self.request_url)

    async def use_http(self, url: str) -> None:
        """Deliver to this request URL from now on, after its challenge.

        Raises:
            WorkspaceError: the app did not answer the challenge, or the address is not http.
        """
        if not url.startswith(("http://", "https://")):
            raise WorkspaceError(f"The request URL {url!r} must start with http:// or https://.")
        await self.http.verify(url)
        self.transport, self.request_url = "http", url

    async def send(self, kind: str, name: str, payload: Json, *, attempt: int = 0, reason: str = "") -> Ack:
        """Deliver once and wait for the acknowledgement.

        Args:
            kind: "command", "interactive", "view" or "event".
            name: what the call log shows.
            payload: Slack's JSON.
            attempt: 0, or which retry of an event this is.
            reason: why the attempt before failed.

        Raises:
            NotDelivered: the app did not take it in time.
        """
        if self._faults.take(DELIVERY_KINDS, name):
            self.spawn(self._again(kind, name, payload))
        started, status, answer = time.perf_counter(), "ok", {}
        try:
            ack = await self._carry(kind, payload, attempt, reason)
            answer = ack.body
        except NotDelivered as fault:
            status = fault.error
            raise
        else:
            return ack
        finally:
            ms = (time.perf_counter() - started) * 1000
            self._calls.add("out", kind, name, status=status, ms=ms, request=payload, response=answer)

    async def _again(self, kind: str, name: str, payload: Json) -> None:
        try:
            await self._carry(kind, payload, 0, "")
        except NotDelivered as fault:
            self._calls.add("out", kind, name, status=fault.error, ms=0.0, request=payload, response={})

    async def _carry(self, kind: str, payload: Json, attempt: int, reason: str) -> Ack:
        if self.transport == "http":
            retry = {"Retry-Num": attempt, "Retry-Reason": reason} if attempt else None
            wire = "event" if kind == "event" else "command" if kind == "command" else "interactive"
            if not self.request_url:
                raise NotDelivered("dispatch_failed")
            return await self.http.send(self.request_url, wire, payload, timeout_s=self._timeout_s, retry=retry)
        extra: Json = {"accepts_response_payload": kind != "event"}
        if kind == "event":
            extra |= {"retry_attempt": attempt, "retry_reason": reason}
        return await self.sockets.send(ENVELOPES[kind], payload, timeout_s=self._timeout_s, extra=extra)

    def event(self, name: str, payload: Json) -> None:
        """Deliver an event in the background, with Slack's three retries."""
        self.spawn(self._event(name, payload))

    async def _event(self, name: str, payload: Json) -> None:
        reason = ""
        for attempt, wait_s in enumerate((0.0, *RETRY_AFTER_S)):
            await self._clock.wait_until(self._clock.now() + wait_s)
            try:
                await self.send("event", name, payload, attempt=attempt, reason=reason)
            except NotDelivered as fault:
                if fault.no_retry:
                    return
                reason = REASONS.get(fault.error, "http_error")
            else:
                return

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Let something run in the background until the simulator stops."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Stop all background work."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.http.close()
