"""HTTP deliveries: signed as Slack signs them, answered within three seconds or not at all."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from urllib.parse import urlencode

import httpx

from bot.simulator.errors import WorkspaceError
from bot.simulator.sockets import Ack, NotDelivered
from bot.simulator.workspace import Json


def signature(secret: str, timestamp: str, body: str) -> str:
    """Return the `X-Slack-Signature` of a body: HMAC-SHA256 over `v0:timestamp:body`."""
    return "v0=" + hmac.new(secret.encode(), f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()


class SignedHttp:
    """Posts to the app's request URL."""

    def __init__(self, signing_secret: str) -> None:
        self._secret = signing_secret
        self._client = httpx.AsyncClient(trust_env=False, follow_redirects=False)

    async def send(self, url: str, kind: str, payload: Json, *, timeout_s: float, retry: Json | None = None) -> Ack:
        """Post one delivery and read the answer.

        Raises:
            NotDelivered: http_client_error (4xx), http_service_error (5xx, redirects), operation_timeout,
                or dispatch_failed when nobody listens.
        """
        body, content_type = _encoded(kind, payload)
        timestamp = str(int(time.time()))  # the app compares this with its own clock
        headers = {
            "Content-Type": content_type,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature(self._secret, timestamp, body),
            **{f"X-Slack-{key}": str(value) for key, value in (retry or {}).items()},
        }
        try:
            answer = await self._client.post(url, content=body.encode(), headers=headers, timeout=timeout_s)
        except httpx.TimeoutException as late:
            raise NotDelivered("operation_timeout") from late
        except httpx.HTTPError as gone:
            raise NotDelivered("dispatch_failed") from gone
        if answer.status_code >= 300:
            fault = NotDelivered("http_client_error" if 400 <= answer.status_code < 500 else "http_service_error")
            fault.no_retry = answer.headers.get("X-Slack-No-Retry") == "1"
            raise fault
        return Ack(_answered(answer))

    async def verify(self, url: str) -> None:
        """Do the url_verification handshake.

        Raises:
            WorkspaceError: the app did not return the challenge.
        """
        challenge = secrets.token_hex(16)
        try:
            ack = await self.send(url, "event", {"type": "url_verification", "challenge": challenge}, timeout_s=3.0)
        except NotDelivered as fault:
            raise WorkspaceError(f"The request URL {url} did not answer the challenge: {fault.error}.") from fault
        if challenge not in {ack.body.get("challenge"), ack.body.get("text")}:
            raise WorkspaceError(f"The request URL {url} answered without the challenge; is the Bolt app behind it?")

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _encoded(kind: str, payload: Json) -> tuple[str, str]:
    if kind == "event":
        return json.dumps(payload), "application/json"
    if kind == "command":
        return urlencode(payload), "application/x-www-form-urlencoded"
    return urlencode({"payload": json.dumps(payload)}), "application/x-www-form-urlencoded"


def _answered(answer: httpx.Response) -> Json:
    if not answer.content:
        return {}
    if answer.headers.get("content-type", "").startswith("application/json"):
        try:
            body = answer.json()
        except ValueError:
            return {}
        return body if isinstance(body, dict) else {}
    return {"text": answer.text}
