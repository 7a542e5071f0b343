"""Slack's rate limits, for whoever wants them enforced: tiers per minute, one message a second per channel."""

from __future__ import annotations

import math

from bot.simulator.clock import Clock
from bot.simulator.errors import SlackError

POST_BURST = 5  # Slack allows "short bursts" and gives no number
TIER_PER_MINUTE = {1: 1, 2: 20, 3: 50, 4: 100}


class Limits:
    """One bucket for each method, and one for each channel that is posted to."""

    def __init__(self, clock: Clock, *, strict: bool) -> None:
        self._clock = clock
        self.strict = strict
        self._buckets: dict[str, tuple[float, float]] = {}

    def check(self, method: str, tier: int, channel: str | None) -> None:
        """Raise `ratelimited` when the app was too fast. Tier 0 is chat.postMessage, tier 5 knows no limit."""
        if not self.strict or tier not in {0, *TIER_PER_MINUTE}:
            return
        if tier == 0:
            self._take(f"{method} {channel}", per_s=1.0, burst=POST_BURST)
        else:
            most = TIER_PER_MINUTE[tier]
            self._take(method, per_s=most / 60, burst=most)

    def _take(self, key: str, *, per_s: float, burst: int) -> None:
        now = self._clock.now()
        left, at = self._buckets.get(key, (float(burst), now))
        left = min(float(burst), left + (now - at) * per_s)
        if left < 1:
            self._buckets[key] = (left, now)
            raise SlackError("ratelimited", status=429, retry_after_s=math.ceil((1 - left) / per_s))
        self._buckets[key] = (left - 1, now)
