"""The call log: every request between app and Slack, newest last, tokens never shown."""

from __future__ import annotations

from collections import deque
from typing import Any

from bot.simulator.clock import Clock
from bot.simulator.live import Live
from bot.simulator.workspace import Json

KEPT = 2_000
SECRETS = ("token", "client_secret", "verification_token")


class CallLog:
    """The last calls in memory; the page reads them, tests count them."""

    def __init__(self, clock: Clock, live: Live) -> None:
        self._calls: deque[Json] = deque(maxlen=KEPT)
        self._clock = clock
        self._live = live
        self._id = 0

    def add(self, direction: str, kind: str, name: str, **told: Any) -> None:
        """Write one call down. `told` holds status, ms, request and response."""
        self._id += 1
        call = {"id": self._id, "at": self._clock.now(), "direction": direction, "kind": kind, "name": name}
        call |= {"status": told["status"], "ms": round(told["ms"], 1)}
        call |= {"request": _clean(told["request"]), "response": _clean(told["response"])}
        self._calls.append(call)
        self._live.tell({"type": "call", "call": call})

    def after(self, call_id: int, limit: int) -> list[Json]:
        """Return up to `limit` calls that came after this id; with 0 the newest ones."""
        found = [call for call in self._calls if call["id"] > call_id]
        return found[:limit] if call_id else found[-limit:]


def _clean(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: "…" if key in SECRETS else _clean(each) for key, each in value.items()}
    return [_clean(each) for each in value] if isinstance(value, list) else value
