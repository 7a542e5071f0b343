"""Keeping: how long what is stored stays, and the port through which it is forgotten.

What the story still reads never goes, however old it is: the newest looks of every check (k of n, charts, `status`), everything
around an open incident, every message of a thread that may still change, every reference that a configuration asks for. Incidents,
proposals, votes, runs and the audit log are not forgotten at all.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

LOOKS = 100
"""So many of each check's newest looks stay in any case: a chart shows ninety."""

Place = tuple[datetime, str]
"""Where a finding of one check stands: its slot, and its subject as the database writes it."""
ReferenceKey = tuple[str, str]
"""A stored reference: whose it is, and its fingerprint."""


@dataclass(frozen=True, slots=True)
class Keep:
    """How long things stay.

    `healthy` findings are most of what there is, all other `findings` say when something was not well; both in time of the data.
    `messages` are those that stand in Slack, `notes` the lines of the digest, of which `/aiops digest` reads up to 400 days, and
    `references` those that no configuration asks for.
    """

    healthy: timedelta = timedelta(days=14)
    findings: timedelta = timedelta(days=90)
    messages: timedelta = timedelta(days=30)
    notes: timedelta = timedelta(days=400)
    references: timedelta = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Old:
    """What counts as old of one check: healthy and before `healthy`, or anything before `findings`; never its newest `looks`."""

    healthy: datetime
    findings: datetime
    looks: int = LOOKS


@dataclass(frozen=True, slots=True)
class Delivered:
    """A message that is level with the truth: its key, the key of the message it answers, its place in the queue."""

    key: str
    thread: str
    position: int


class Keeper(Protocol):
    """The database, as whoever forgets sees it. Every method is one short transaction, and harmless when it is done twice."""

    def models(self) -> Sequence[str]:
        """Return the keys of the models of which there are findings, sorted; of those too that nobody watches any more."""
        ...

    def newest_slots(self, model: str) -> Mapping[str, datetime]:
        """Return the newest slot of each check of a model."""
        ...

    def old_findings(self, model: str, check: str, old: Old, limit: int) -> Sequence[Place]:
        """Return where the oldest findings stand that may go, at most `limit`."""
        ...

    def forget_findings(self, model: str, check: str, places: Sequence[Place]) -> None:
        """Delete them."""
        ...

    def old_messages(self, before: datetime, after: int, limit: int) -> Sequence[Delivered]:
        """Return the messages that came to rest before then, as did their thread, by place in the queue, from behind `after` on."""
        ...

    def forget_messages(self, keys: Collection[str], before: datetime) -> int:
        """Delete those that still rest since before then; return how many."""
        ...

    def forget_notes(self, before: datetime, limit: int) -> int:
        """Delete digest lines, at most `limit`; return how many."""
        ...

    def references(self) -> Mapping[ReferenceKey, datetime | None]:
        """Return what is stored, and when somebody was last seen to ask for it; None: never yet."""
        ...

    def want(self, keys: Iterable[ReferenceKey], at: datetime) -> None:
        """Remember that these are asked for."""
        ...

    def forget_references(self, keys: Sequence[ReferenceKey]) -> None:
        """Delete them."""
        ...
