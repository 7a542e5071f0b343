"""The door: what comes in twice goes through once, and only people of this workspace go through at all."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

REMEMBERED_S = 600.0
MOST = 20_000


def name_of(body: Mapping[str, Any]) -> str:
    """Return what makes a delivery unique: Slack's event id, or the trigger of a click, command or form; "" where it has none."""
    for key in ("event_id", "trigger_id"):
        if body.get(key):
            return f"{key}:{body[key]}"
    return ""


def stranger(body: Mapping[str, Any], team_id: str) -> bool:
    """Return whether a click or form comes from a person of another workspace (a shared channel)."""
    user = body.get("user")
    theirs = user.get("team_id") if isinstance(user, dict) else None
    return bool(theirs and team_id and theirs != team_id and not body.get("is_enterprise_install"))


class Seen:
    """Remembers names for ten minutes. A name whose handling failed is forgotten, so that Slack's retry gets its chance."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._names: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def first(self, name: str) -> bool:
        """Return whether this name is new, and remember it; a nameless delivery is always new."""
        now = self._clock()
        with self._lock:
            while self._names and (next(iter(self._names.values())) < now - REMEMBERED_S or len(self._names) > MOST):
                self._names.popitem(last=False)
            if not name:
                return True
            new = name not in self._names
            self._names.setdefault(name, now)
            return new

    def forget(self, name: str) -> None:
        """Let the next delivery of this name through."""
        with self._lock:
            self._names.pop(name, None)
