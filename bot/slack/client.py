"""The Web API client, and every way in which a call can end, told apart by what is known about the message.

SlackTrouble
├── Refused        Slack answered no: the call had no effect
├── Unreachable    nothing was sent: no connection came about
└── Unanswered     anything may have happened: read back, never retry blindly
"""

import logging
import socket
import ssl
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import URLError

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

log = logging.getLogger(__name__)
TIMEOUT_S = 10
SLACK = "https://slack.com/api/"
AMBIGUOUS_CODES = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout"})
Answer = Mapping[str, Any]


class SlackTrouble(Exception):
    """A call of the Web API that did not end well; `code` is Slack's own word where there is one."""

    def __init__(self, code: str, *, retry_after_s: float | None = None, detail: str = "") -> None:
        super().__init__(f"{code} ({detail})" if detail else code)
        self.code, self.retry_after_s, self.detail = code, retry_after_s, detail


class Refused(SlackTrouble):
    """Slack answered, and it was no."""


class Unreachable(SlackTrouble):
    """No connection came about, so nothing can have been sent."""


class Unanswered(SlackTrouble):
    """The answer is missing or says nothing (time-out, reset, 5xx, HTML): the call may have had its effect."""


def web_client(token: str, base_url: str = SLACK, *, timeout_s: int = TIMEOUT_S) -> WebClient:
    """Return a client that never repeats a call by itself; the SDK's default re-posts a message when a connection drops."""
    address = base_url if base_url.endswith("/") else base_url + "/"
    return WebClient(token=token, base_url=address, timeout=timeout_s, retry_handlers=[])


def call(do: Callable[[], Any]) -> Answer:
    """Return the answer of one call.

    Raises:
        SlackTrouble: Refused, Unreachable or Unanswered, by what is known about its effect.
    """
    try:
        answer = do()
    except SlackApiError as error:
        raise _told(error) from error
    except (URLError, OSError, HTTPException, SlackClientError, ValueError) as error:
        if _before_sending(error):
            raise Unreachable("unreachable", detail=str(error)) from error
        raise Unanswered("unanswered", detail=f"{type(error).__name__}: {error}") from error
    return answer.data if isinstance(getattr(answer, "data", None), dict) else {}


def _told(error: SlackApiError) -> SlackTrouble:
    response = error.response
    status = int(getattr(response, "status_code", 0) or 0)
    code = str(response.get("error", "")) if hasattr(response, "get") else ""
    if status == 429 or code == "ratelimited":
        return Refused("ratelimited", retry_after_s=_retry_after(getattr(response, "headers", {})))
    if status >= 500 or code in AMBIGUOUS_CODES or not code.replace("_", "").isalnum():
        return Unanswered(f"http_{status}" if status >= 500 else "no_answer", detail=code[:200])
    messages = (response.get("response_metadata") or {}).get("messages") or []
    return Refused(code, detail="; ".join(str(m) for m in messages)[:500])


def _retry_after(headers: Mapping[str, Any]) -> float:
    named = {str(key).lower(): value for key, value in dict(headers).items()}
    value = named.get("retry-after", 1)
    value = value[0] if isinstance(value, list) else value
    try:
        return min(3_600.0, max(0.0, float(value)))
    except ValueError:
        return 30.0


def _before_sending(error: BaseException) -> bool:
    """Return whether the connection itself failed: refused, no such host, no route, a certificate that is not Slack's."""
    reason = error.reason if isinstance(error, URLError) else error
    return isinstance(reason, (ConnectionRefusedError, socket.gaierror, ssl.SSLCertVerificationError)) or (
        isinstance(reason, OSError) and reason.errno in (101, 113)  # ENETUNREACH, EHOSTUNREACH
    )
