"""Pacing: Slack takes about one message a second and channel, with short bursts; who is faster is refused for all of them."""

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass

BURST = 3
POSTS_PER_S = 1.0
EDITS_PER_S = 50 / 60
EDIT_BURST = 20
MOST_BUCKETS = 10_000


@dataclass(slots=True)
class Bucket:
    """How many calls are free, and when that was counted (seconds, monotonic)."""

    tokens: float
    counted_at: float


class Pace:
    """Token buckets: posts one for each channel, edits one for the whole app. `posts_per_s` is Slack's rate a channel."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, posts_per_s: float = POSTS_PER_S) -> None:
        self._clock, self._posts_per_s = clock, posts_per_s
        self._buckets: dict[Hashable, Bucket] = {}
        self._lock = threading.Lock()

    def post_in_s(self, channel: str) -> float:
        """Take a place in this channel; return how long to wait before posting, in seconds."""
        return self._take(("post", channel), self._posts_per_s, BURST)

    def edit_in_s(self, channel: str) -> float:
        """Take a place for an edit: the channel's own and the app's; return how long to wait, in seconds."""
        return max(self._take(("edit", channel), self._posts_per_s, BURST), self._take("edit", EDITS_PER_S, EDIT_BURST))

    def _take(self, name: Hashable, per_s: float, burst: int) -> float:
        now = self._clock()
        with self._lock:
            if len(self._buckets) > MOST_BUCKETS:
                self._buckets.clear()
            bucket = self._buckets.setdefault(name, Bucket(burst, now))
            bucket.tokens = min(float(burst), bucket.tokens + (now - bucket.counted_at) * per_s) - 1
            bucket.counted_at = now
            return max(0.0, -bucket.tokens / per_s)
