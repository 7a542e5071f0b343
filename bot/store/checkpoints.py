"""Checkpoints: signed statements of how long the audit log is and what its root is, each linked to the one before.

One is made on every call, new rows or not: a log that stands still must still be vouched for, or deleting the newest checkpoint
would look like a quiet night.
"""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, Row, select
from sqlalchemy.exc import IntegrityError

from bot.core.audit import GENESIS, Checkpoint, merkle_root
from bot.core.windows import utc
from bot.store import audit, tables
from bot.store.anchors import Anchors, AnchorsUnreadable
from bot.store.database import SqlStore
from bot.store.errors import AuditBroken

rows = tables.checkpoints


class Sealer:
    """Makes checkpoints and carries them to every place that keeps them."""

    def __init__(self, store: SqlStore, key: Ed25519PrivateKey, anchors: Sequence[Anchors] = ()) -> None:
        self._store, self._key, self._anchors = store, key, anchors

    def seal(self, now: datetime) -> Checkpoint:
        """Sign the log as it is now; when another replica did so at the same moment, that one's checkpoint is returned.

        Raises:
            AuditBroken: the rows that the last checkpoint covered have changed; nothing is signed.
            AnchorsUnreadable: it was made, but a place did not take it; the next call brings it along.
        """
        with self._store.look() as connection:
            last, leaves = newest(connection), audit.hashes(connection)
        if last and merkle_root(leaves[: last.size]).hex() != last.root:
            raise AuditBroken(
                "The audit log was changed after its last checkpoint; run `aiops audit verify` and keep a copy of it."
            )
        made = self._signed(Checkpoint(len(leaves), merkle_root(leaves).hex(), utc(now), link(last)))
        with suppress(IntegrityError), self._store.begin() as connection:
            connection.execute(rows.insert().values(**_columns(made)))
        with self._store.look() as connection:
            kept = every(connection)
        for place in self._anchors:
            _bring(kept, place)
        return kept[-1]

    def _signed(self, checkpoint: Checkpoint) -> Checkpoint:
        return replace(checkpoint, signature=self._key.sign(checkpoint.body).hex())


def link(checkpoint: Checkpoint | None) -> str:
    """Return what the next checkpoint carries as `previous`: a hash over body and signature, hex."""
    if checkpoint is None:
        return GENESIS
    return hashlib.sha256(checkpoint.body + bytes.fromhex(checkpoint.signature)).hexdigest()


def every(connection: Connection) -> list[Checkpoint]:
    """Return all checkpoints, oldest first."""
    return [_read(row) for row in connection.execute(select(rows).order_by(rows.c.id))]


def newest(connection: Connection) -> Checkpoint | None:
    """Return the last one."""
    row = connection.execute(select(rows).order_by(rows.c.id.desc()).limit(1)).one_or_none()
    return _read(row) if row else None


def _bring(kept: Sequence[Checkpoint], place: Anchors) -> None:
    """Append what the place does not have yet; one that is new, or was away for a while, gets everything it missed."""
    known: set[str] = set()
    with suppress(AnchorsUnreadable):
        known = {checkpoint.signature for checkpoint in place.read()}
    place.append([checkpoint for checkpoint in kept if checkpoint.signature not in known])


def _columns(checkpoint: Checkpoint) -> dict[str, object]:
    return {
        "size": checkpoint.size,
        "root": checkpoint.root,
        "at": checkpoint.at,
        "previous": checkpoint.previous,
        "signature": checkpoint.signature,
    }


def _read(row: Row[Any]) -> Checkpoint:
    return Checkpoint(row.size, row.root, row.at, row.previous, row.signature)
