"""What the surface needs of the rooms that it does not know; `bot.app` puts the real ones in."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from bot.core.notices import Notice

Block = Mapping[str, Any]


class Posting(Protocol):
    """One message to post or to edit, as the outbox hands it out (`bot.store.outbox.Posting`)."""

    @property
    def notice(self) -> Notice:
        """What it shows."""
        ...

    @property
    def key(self) -> str:
        """Its name."""
        ...

    @property
    def revision(self) -> int:
        """Which content the notice holds."""
        ...

    @property
    def ts(self) -> str:
        """Where it stands already; empty before the first post."""
        ...

    @property
    def thread_ts(self) -> str:
        """The thread that it answers; empty for a message of the channel."""
        ...

    @property
    def nonce(self) -> str:
        """The mark of this attempt."""
        ...

    @property
    def attempts(self) -> int:
        """How often this content was tried, this time included."""
        ...

    @property
    def suspects(self) -> Mapping[str, int]:
        """The marks of earlier attempts with unknown outcome, and the revision that each carried."""
        ...

    @property
    def first_sending(self) -> datetime | None:
        """When the first of those started."""
        ...

    @property
    def kept(self) -> Mapping[str, object]:
        """What was kept with `Outbox.keep`."""
        ...

    @property
    def edit(self) -> bool:
        """Whether it is posted already and only changes."""
        ...

    @property
    def ambiguous(self) -> bool:
        """Whether an earlier post may have landed unseen."""
        ...


class Outbox(Protocol):
    """Where the notices wait (`bot.store.outbox.Outbox`, which explains the protocol)."""

    def due(self, now: datetime, limit: int = 20) -> Sequence[Posting]:
        """Claim and return messages, at most one a channel."""
        ...

    def sending(self, key: str, nonce: str, now: datetime) -> bool:
        """Mark that Slack is about to be called; False when another replica has it."""
        ...

    def sent(self, key: str, revision: int, ts: str) -> bool:
        """Record where it stands; False when another copy was recorded first."""
        ...

    def failed(self, key: str, nonce: str, error: str, *, retry_at: datetime | None = None) -> bool:
        """Record a clear no: again at `retry_at`, or never without one."""
        ...

    def key_of(self, channel: str, ts: str) -> str | None:
        """Return the key of the message that is recorded there."""
        ...

    def keep(self, key: str, facts: Mapping[str, object]) -> None:
        """Keep a few facts with the message."""
        ...


class Rendered(Protocol):
    """A rendered notice (`bot.render.renderer.Rendered`)."""

    @property
    def text(self) -> str:
        """For notifications and old clients."""
        ...

    @property
    def blocks(self) -> Sequence[Block]:
        """The message."""
        ...

    @property
    def simple(self) -> Sequence[Block]:
        """The same without tables."""
        ...


class Render(Protocol):
    """`bot.render.Renderer.render`."""

    def __call__(self, template: str, data: Mapping[str, object], *, view: bool = False, mention: str = "") -> Rendered:
        """Return the message, or with `view` the blocks of a modal or Home tab. Never raises."""
        ...


class Picture(Protocol):
    """A drawn chart (`bot.charts.Picture`)."""

    @property
    def png(self) -> bytes:
        """The image."""
        ...

    @property
    def alt(self) -> str:
        """What it shows, in words."""
        ...

    @property
    def title(self) -> str:
        """Its headline."""
        ...


Draw = Callable[[Mapping[str, object]], Picture]


def unaudited(_action: str, _target: str, _facts: Mapping[str, object]) -> None:
    """Audit nothing."""


def unmeasured(_outcome: str, _seconds: float) -> None:
    """Measure nothing."""


@dataclass(frozen=True, slots=True)
class Ears:
    """Who hears of it: `audit(action, target, facts)` for what an auditor must know, `measure(outcome, seconds)` for metrics."""

    audit: Callable[[str, str, Mapping[str, object]], None] = unaudited
    measure: Callable[[str, float], None] = unmeasured
