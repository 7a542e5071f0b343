"""Is the audit log what it was? Rows against their chain, chain against signed checkpoints, checkpoints against their anchors."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.audit import GENESIS, AuditRow, Checkpoint
from bot.store import audit
from bot.store.checkpoints import every, link
from bot.store.database import SqlStore
from bot.store.errors import AuditBroken
from bot.store.frontier import Frontier
from bot.store.keys import fits

SOUND, TAMPERED, UNANCHORED = 0, 1, 2
STALE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found. `code` is the shell's: 0 fully anchored, 1 tampered, 2 sound in itself but nobody outside vouches for now.

    `first_bad` is the first row that cannot be trusted; `anchored` counts the rows that a checkpoint outside covers.
    """

    code: int
    words: str
    rows: int
    first_bad: int | None = None
    anchored: int = 0


@dataclass(frozen=True, slots=True)
class _Walk:
    """The rows, read once: how many hold together, where they stop doing so, and the root at each size asked for."""

    rows: int
    first_bad: int | None
    roots: Mapping[int, str]


def verify(
    store: SqlStore, anchors: Sequence[Checkpoint] | None, public_key: str, *, now: datetime, stale: timedelta = STALE
) -> Verification:
    """Hold everything against everything.

    Args:
        store: the database under suspicion.
        anchors: checkpoints from a place outside of it; None when the place cannot be reached.
        public_key: the sealer's, hex, from a place outside as well.
        now: the time.
        stale: how old the newest anchor may be.
    """
    with store.look() as connection:
        own = every(connection)
        known = [*own, *(anchors or ())]
        walk = _walk(audit.stream(connection), {checkpoint.size for checkpoint in known})
    signed = [checkpoint for checkpoint in known if fits(public_key, checkpoint)]
    trouble = _changed(walk, signed) or _forged(known, public_key) or _unlinked(own) or _missing(own, anchors or ())
    if trouble:
        first_bad, words = trouble
        return Verification(TAMPERED, words, walk.rows, first_bad)
    return _anchored(walk, anchors, now, stale)


def _walk(rows: Iterator[tuple[AuditRow, str]], sizes: set[int]) -> _Walk:
    frontier, prev, roots = Frontier(), GENESIS, {}
    while True:
        if frontier.size in sizes:
            roots[frontier.size] = frontier.root().hex()
        expected = frontier.size + 1
        try:
            row, stored = next(rows)
        except StopIteration:
            return _Walk(frontier.size, None, roots)
        except AuditBroken:
            return _Walk(frontier.size, expected, roots)
        if row.seq != expected or row.prev != prev or row.hash != stored:
            return _Walk(frontier.size, expected, roots)
        frontier.append(bytes.fromhex(stored))
        prev = stored


def _changed(walk: _Walk, known: Sequence[Checkpoint]) -> tuple[int, str] | None:
    if walk.first_bad:
        return walk.first_bad, f"Row #{walk.first_bad} was changed, removed or put in: it does not fit the rows before it."
    trusted = 0
    for checkpoint in sorted(known, key=lambda c: c.size):
        if checkpoint.size > walk.rows:
            gone = walk.rows + 1
            return gone, f"Rows from #{gone} on are gone: a checkpoint says there were {checkpoint.size}."
        if walk.roots[checkpoint.size] != checkpoint.root:
            bad = trusted + 1
            return (
                bad,
                f"History was rewritten between row #{bad} and #{checkpoint.size}: it does not have the root that was signed.",
            )
        trusted = checkpoint.size
    return None


def _forged(known: Iterable[Checkpoint], public_key: str) -> tuple[None, str] | None:
    for checkpoint in known:
        if not fits(public_key, checkpoint):
            return None, f"The checkpoint of {checkpoint.at:%Y-%m-%d %H:%M} UTC was not signed by this key: forged, or another key."
    return None


def _unlinked(own: Sequence[Checkpoint]) -> tuple[None, str] | None:
    for before, checkpoint in zip([None, *own], own, strict=False):
        if checkpoint.previous != link(before):
            return None, f"A checkpoint before that of {checkpoint.at:%Y-%m-%d %H:%M} UTC was removed or changed."
    return None


def _missing(own: Sequence[Checkpoint], anchors: Sequence[Checkpoint]) -> tuple[None, str] | None:
    here = {checkpoint.signature for checkpoint in own}
    for anchor in anchors:
        if anchor.signature not in here:
            return None, f"The checkpoint of {anchor.at:%Y-%m-%d %H:%M} UTC is anchored outside but gone from the database."
    return None


def _anchored(walk: _Walk, anchors: Sequence[Checkpoint] | None, now: datetime, stale: timedelta) -> Verification:
    sound = f"{walk.rows:,} rows hold together"
    if not anchors:
        reason = "the checkpoints outside cannot be reached" if anchors is None else "no checkpoint outside vouches for them"
        return Verification(UNANCHORED, f"{sound}, but {reason}.", walk.rows)
    last = max(anchors, key=lambda checkpoint: (checkpoint.size, checkpoint.at))
    if now - last.at > stale:
        words = f"{sound}, but the newest checkpoint outside is of {last.at:%Y-%m-%d %H:%M} UTC; later rows may have been removed."
        return Verification(UNANCHORED, words, walk.rows, anchored=last.size)
    waiting = walk.rows - last.size
    rest = f"; the last {waiting:,} wait for the next checkpoint" if waiting else ""
    return Verification(SOUND, f"{sound} and are anchored outside{rest}.", walk.rows, anchored=last.size)
