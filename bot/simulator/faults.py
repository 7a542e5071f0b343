"""Slack on a bad day, on demand: each fault waits for the next calls it fits and is used up by them."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from bot.simulator.errors import WorkspaceError
from bot.simulator.workspace import Json

CALL_KINDS = ("rate_limited", "server_error", "drop_before_accept", "drop_after_accept", "late_accept", "slow")
DELIVERY_KINDS = ("duplicate_delivery",)
SOCKET_KINDS = ("disconnect", "kill_socket")


@dataclass
class Fault:
    """One kind of failure for the next `count` calls of a method ("*" = any), in one channel or all.

    kind: rate_limited (429 and Retry-After) · server_error (`status`) · drop_before_accept, drop_after_accept
    (connection reset; only the latter stores the message) · late_accept (waits `delay_s`, then stores and answers) ·
    slow (stores, waits `delay_s`, then answers) · duplicate_delivery (the app gets the next delivery twice) ·
    disconnect (frame with `reason`) · kill_socket (socket reset). The last two happen at once.
    """

    kind: str
    method: str = "*"
    count: int = 1
    retry_after: int = 1
    delay_s: float = 1.0
    channel: str | None = None
    status: int = 503
    reason: str = "refresh_requested"

    def __post_init__(self) -> None:
        known = CALL_KINDS + DELIVERY_KINDS + SOCKET_KINDS
        if self.kind not in known:
            raise WorkspaceError(f"There is no fault {self.kind!r}; known are {', '.join(known)}.")


class Faults:
    """The faults that still wait."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Let this fault hit the next calls that fit."""
        self._waiting.append(fault)

    def clear(self) -> None:
        """Let everything work again."""
        self._waiting.clear()

    def take(self, kinds: tuple[str, ...], method: str, channel: str | None = None) -> Fault | None:
        """Return the oldest fault that fits this call and count it down."""
        for fault in self._waiting:
            fits = fault.kind in kinds and fault.method in {"*", method} and fault.channel in {None, channel}
            if fits:
                fault.count -= 1
                self._waiting = [f for f in self._waiting if f.count > 0]
                return fault
        return None

    def waiting(self) -> list[Json]:
        """Return the faults that have not hit yet."""
        return [asdict(fault) for fault in self._waiting]
