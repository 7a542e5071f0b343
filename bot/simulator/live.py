"""What the open pages hear at once: one queue for each page, nothing that its person may not see."""

from __future__ import annotations

import asyncio
from collections.abc import Container

from bot.simulator.workspace import Json

BACKLOG = 2_000


class Live:
    """The pages that are open now."""

    def __init__(self) -> None:
        self._pages: dict[asyncio.Queue[Json], str] = {}

    def join(self, user: str) -> asyncio.Queue[Json]:
        """Open a queue of events for one page of this person."""
        queue: asyncio.Queue[Json] = asyncio.Queue(BACKLOG)
        self._pages[queue] = user
        return queue

    def leave(self, queue: asyncio.Queue[Json]) -> None:
        """Forget a page."""
        self._pages.pop(queue, None)

    def tell(self, event: Json, to: Container[str] | None = None) -> None:
        """Send an event to everybody, or to these people only. A page that stopped reading is forgotten."""
        for queue, user in list(self._pages.items()):
            if to is not None and user not in to:
                continue
            if queue.full():
                self.leave(queue)
            else:
                queue.put_nowait(event)
