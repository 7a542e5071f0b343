"""The outbox: what people should see and have not seen yet, handed to the delivery one message a channel at a time.

How a delivery uses it, for every `Posting` that `due` returns:

1. `posting.ambiguous`: an earlier attempt may have landed. Look through the channel back to `posting.first_sending` for a message
   whose metadata nonce is in `posting.suspects`. Found: `sent(key, posting.suspects[nonce], ts)` and done (when newer content
   waits, the row comes back as an edit). Not found: go on.
2. `sending(key, nonce, now)` *immediately* before calling Slack, with `posting.nonce` in the message's metadata. False: another
   replica has it; drop the posting.
3. Call Slack: `chat.postMessage` when `posting.ts` is empty (in `posting.thread_ts` when there is one), else `chat.update`.
4. Slack said yes: `sent(key, revision, ts)`. False: another copy was recorded first; delete the one that you just made.
   Slack said no (an answer came and it is an error): `failed(key, nonce, error, retry_at=…)`; without `retry_at` for good.
   No answer (time-out, reset, kill -9): call nothing. The row stays `sending` and comes back ambiguous after the settle wait.

Order: in a channel nothing is handed out while an earlier message is in flight or waits for its retry; a reply waits until its
thread's first message has a `ts`, and a thread whose first message failed for good holds up nobody else.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, or_, select, update

from bot.core.notices import Notice
from bot.store.codec import dumps, loads
from bot.store.notices import NEXT_POSITION
from bot.store.tables import notices

if TYPE_CHECKING:
    from bot.store.database import SqlStore

SETTLE = timedelta(seconds=30)
CLAIM = timedelta(seconds=30)
CLEARED = {"attempts": 0, "error": "", "next_try": None, "suspects": "{}", "first_sending": None, "sending_since": None}
Suspects = dict[str, int]


@dataclass(frozen=True, slots=True)
class Posting:
    """One message to post (`ts` empty) or to edit, claimed for this caller.

    `revision` is the content that `notice` holds. `nonce` goes into the metadata of this attempt. `suspects` maps the nonces of
    earlier attempts with unknown outcome to the revision they carried; `first_sending` is when the first of them started.
    `attempts` counts tries of this revision's row since it was last sent. `kept` is what the delivery stored with `keep`.
    """

    notice: Notice
    revision: int
    ts: str
    thread_ts: str
    nonce: str
    attempts: int
    waiting_since: datetime
    suspects: Mapping[str, int] = field(default_factory=dict)
    first_sending: datetime | None = None
    kept: Mapping[str, object] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The message's name."""
        return self.notice.key

    @property
    def edit(self) -> bool:
        """Whether it is posted already and only changes."""
        return bool(self.ts)

    @property
    def ambiguous(self) -> bool:
        """Whether an earlier post may have landed unseen. An edit is absolute and never ambiguous: send it again."""
        return bool(self.suspects) and not self.ts


class Outbox:
    """The delivery's side of the notices; every method is its own short transaction, safe with many replicas.

    `settle` must be well over the deadline of a call to Slack; `claim` is how long a claimed posting may wait for `sending`.
    """

    def __init__(self, store: "SqlStore", *, settle: timedelta = SETTLE, claim: timedelta = CLAIM) -> None:
        self._store, self._settle, self._claim = store, settle, claim

    def due(self, now: datetime, limit: int = 20) -> list[Posting]:
        """Claim and return at most `limit` messages, at most one a channel, the longest waiting first."""
        with self._store.look() as connection:
            heads = connection.execute(_heads(self._ready(now), limit)).all()
        return [posting for head in heads if (posting := self._claimed(head, now))]

    def sending(self, key: str, nonce: str, now: datetime) -> bool:
        """Mark that Slack is about to be called; False when this claim is no longer the caller's."""
        with self._store.begin() as connection:
            row = _row(connection, key, lock=True)
            if row is None or (row.state, row.nonce) != ("claimed", nonce):
                return False
            suspects = loads(Suspects, row.suspects) | {nonce: row.revision}
            marks = {"state": "sending", "sending_since": now, "first_sending": row.first_sending or now}
            connection.execute(_change(key).values(suspects=dumps(suspects), **marks))
        return True

    def sent(self, key: str, revision: int, ts: str) -> bool:
        """Record that this revision stands in Slack as message `ts`; False when another message has this key already."""
        with self._store.begin() as connection:
            row = _row(connection, key, lock=True)
            if row is None or (row.ts and row.ts != ts):
                return False
            reached = max(row.sent_revision, min(revision, row.revision))
            again = {"state": "waiting", "position": NEXT_POSITION}  # at the end, so that no busy card starves its channel
            values = {"state": "sent"} if reached == row.revision else again
            connection.execute(_change(key).values(sent_revision=reached, ts=ts, **CLEARED, **values))
        return True

    def failed(self, key: str, nonce: str, error: str, *, retry_at: datetime | None = None) -> bool:
        """Record Slack's refusal: try again at `retry_at`, or never without one; False when this claim is not the caller's.

        A refusal is certain: the attempt did not land. After a permanent one the row rests until its content changes.
        """
        with self._store.begin() as connection:
            row = _row(connection, key, lock=True)
            if row is None or row.nonce != nonce or row.state not in ("claimed", "sending"):
                return False
            suspects = {one: revision for one, revision in loads(Suspects, row.suspects).items() if one != nonce}
            state = "waiting" if retry_at else "failed"
            values = {"state": state, "next_try": retry_at, "error": error, "suspects": dumps(suspects), "sending_since": None}
            connection.execute(_change(key).values(**values))
        return True

    def keep(self, key: str, facts: Mapping[str, object]) -> None:
        """Keep a few facts with the message, e.g. the id of an uploaded picture; they replace the earlier ones."""
        with self._store.begin() as connection:
            connection.execute(_change(key).values(kept=dumps(facts)))

    def root_ts(self, key: str) -> str:
        """Return the `ts` of the thread's first message that this message belongs to (itself, when it starts one); or ""."""
        root = notices.alias("root")
        query = select(root.c.ts).join(
            notices, or_(notices.c.thread == root.c.key, and_(notices.c.thread == "", root.c.key == key))
        )
        with self._store.look() as connection:
            return connection.scalar(query.where(notices.c.key == key)) or ""

    def key_of(self, channel: str, ts: str) -> str | None:
        """Return the key of the message that stands at `ts` in this channel, if it is one of ours."""
        query = select(notices.c.body).where(notices.c.channel == channel, notices.c.ts == ts)
        with self._store.look() as connection:
            body = connection.scalar(query)
        return loads(Notice, body).key if body else None

    def depth_and_oldest(self) -> tuple[int, datetime | None]:
        """Return how many messages are not level with the truth, and since when the longest has waited."""
        query = select(func.count(), func.min(notices.c.waiting_since)).where(
            notices.c.state.in_(("waiting", "claimed", "sending"))
        )
        with self._store.look() as connection:
            depth, oldest = connection.execute(query).one()
        return depth, oldest

    def failures(self) -> Sequence[tuple[str, str]]:
        """Return (key, error) of the messages that failed for good."""
        query = select(notices.c.body, notices.c.error).where(notices.c.state == "failed").order_by(notices.c.position)
        with self._store.look() as connection:
            return [(loads(Notice, body).key, error) for body, error in connection.execute(query)]

    def _ready(self, now: datetime) -> ColumnElement[bool]:
        """Return when a row may be claimed: it waits, or whoever had it is gone."""
        row = notices.c
        return or_(
            and_(row.state == "waiting", or_(row.next_try.is_(None), row.next_try <= now)),
            and_(row.state == "claimed", row.claimed_at < now - self._claim),
            and_(row.state == "sending", row.sending_since < now - self._settle),
        )

    def _claimed(self, head: Row[Any], now: datetime) -> Posting | None:
        """Take one row by compare-and-set; each in its own transaction, so that no two rows are ever locked together."""
        nonce = secrets.token_hex(8)
        taken = update(notices).where(
            notices.c.key == head.key, notices.c.state == head.state, notices.c.nonce == head.nonce, self._ready(now)
        )
        with self._store.begin() as connection:
            values = {"state": "claimed", "nonce": nonce, "claimed_at": now, "attempts": notices.c.attempts + 1}
            if connection.execute(taken.values(**values)).rowcount == 0:
                return None
            row = _row(connection, head.key)
            root = _row(connection, row.thread) if row and row.thread else None
        return _posting(row, root) if row else None


def _heads(ready: ColumnElement[bool], limit: int) -> Select[Any]:
    """Select the first unsent row of each channel that could be sent at all, when it is ready now."""
    root = notices.alias("root")
    place = func.row_number().over(partition_by=notices.c.channel, order_by=notices.c.position).label("place")
    queued = (
        select(notices.c.key, notices.c.state, notices.c.nonce, notices.c.position, ready.label("ready"), place)
        .outerjoin(root, root.c.key == notices.c.thread)
        .where(notices.c.state.in_(("waiting", "claimed", "sending")), or_(notices.c.thread == "", root.c.ts != ""))
        .subquery()
    )
    return select(queued).where(queued.c.place == 1, queued.c.ready).order_by(queued.c.position).limit(limit)


def _row(connection: Connection, key: str, *, lock: bool = False) -> Row[Any] | None:
    query = select(notices).where(notices.c.key == key)
    return connection.execute(query.with_for_update() if lock else query).one_or_none()


def _change(key: str) -> Any:
    return update(notices).where(notices.c.key == key)


def _posting(row: Row[Any], root: Row[Any] | None) -> Posting:
    notice = loads(Notice, row.body)
    if root and not notice.channel:  # it was said before its thread was
        notice = replace(notice, channel=loads(Notice, root.body).channel)
    return Posting(
        notice,
        row.revision,
        row.ts,
        root.ts if root else "",
        row.nonce,
        row.attempts,
        row.waiting_since,
        loads(Suspects, row.suspects),
        row.first_sending,
        loads(dict[str, object], row.kept),
    )
