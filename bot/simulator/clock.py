"""A clock that tests may push forward: trigger ids, response URLs and retries live by it."""

from __future__ import annotations

import asyncio
import time


class Clock:
    """Wall-clock time plus an offset in seconds. Never goes backwards."""

    def __init__(self) -> None:
        self._offset_s = 0.0
        self._moved = asyncio.Event()

    def now(self) -> float:
        """Return seconds since 1970, UTC."""
        return time.time() + self._offset_s

    def advance(self, seconds: float) -> None:
        """Push the clock forward and wake whoever waits for a time that has now come."""
        self._offset_s += max(0.0, seconds)
        self._moved.set()
        self._moved = asyncio.Event()

    async def wait_until(self, due: float) -> None:
        """Return when the clock shows `due`, seconds since 1970."""
        while (left := due - self.now()) > 0:
            moved = self._moved
            try:
                await asyncio.wait_for(moved.wait(), timeout=left)
            except TimeoutError:
                continue
