"""The audit log's arithmetic: canonical rows, a hash chain and an RFC 6962 Merkle tree.

A row's leaf is SHA-256(0x00 ‖ row); two nodes join as SHA-256(0x01 ‖ left ‖ right); an empty tree is SHA-256 of nothing (RFC 6962,
section 2.1). A change of any past row changes the root, and a checkpoint signs the root.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime

from bot.core.actions import canonical

GENESIS = hashlib.sha256(b"").hexdigest()
BOT = "aiops-bot"
"""The actor of what no person did."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What happened, before it has a number: who did what to which thing, and why it matters to which incident."""

    at: datetime
    actor: str
    action: str
    target: str
    incident: int | None = None
    payload: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AuditRow:
    """An entry in its place: `seq` has no gaps, `prev` is the hash of the row before."""

    seq: int
    entry: AuditEntry
    prev: str

    @property
    def body(self) -> bytes:
        """The row as bytes: canonical JSON of everything but its own hash."""
        entry = asdict(self.entry) | {"at": self.entry.at.isoformat()}
        return canonical({"seq": self.seq, "prev": self.prev, **entry}).encode()

    @property
    def hash(self) -> str:
        """Its leaf hash, hex."""
        return leaf(self.body).hex()

    @property
    def witness(self) -> str:
        """As a Slack message carries it, so that the message can prove the row later."""
        return f"audit #{self.seq} · {self.hash[:12]}"


def leaf(body: bytes) -> bytes:
    """Return a leaf's hash."""
    return hashlib.sha256(b"\x00" + body).digest()


def node(left: bytes, right: bytes) -> bytes:
    """Return the hash over two nodes."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def _split(n: int) -> int:
    """Return the largest power of two below n."""
    return 1 << (n - 1).bit_length() - 1


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes (RFC 6962, 2.1)."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    level = list(leaves)
    while len(level) > 1:  # pairing neighbours and carrying an odd last one up gives the RFC's tree
        pairs = [node(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = pairs + level[len(level) // 2 * 2 :]
    return level[0]


def inclusion_proof(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """Return the audit path of one leaf (RFC 6962, 2.1.1), nearest sibling first."""
    if len(leaves) <= 1:
        return []
    k = _split(len(leaves))
    if index < k:
        return [*inclusion_proof(index, leaves[:k]), merkle_root(leaves[k:])]
    return [*inclusion_proof(index - k, leaves[k:]), merkle_root(leaves[:k])]


def proves(body_hash: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Return whether the path leads from this leaf to this root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    fn, sn, reached = index, size - 1, body_hash
    for sibling in path:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            reached = node(sibling, reached)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            reached = node(reached, sibling)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and reached == root


def first_break(rows: Sequence[AuditRow], hashes: Sequence[str], prev: str = GENESIS) -> int | None:
    """Return the first seq whose chain, number or stored hash is wrong, or None when all hold together."""
    for expected, (row, stored) in enumerate(zip(rows, hashes, strict=True), rows[0].seq if rows else 1):
        if row.seq != expected or row.prev != prev or row.hash != stored:
            return expected
        prev = stored
    return None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed statement: at this size the log had this root (C2SP tlog-checkpoint in spirit, linked to the one before)."""

    size: int
    root: str
    at: datetime
    previous: str
    signature: str = ""

    @property
    def body(self) -> bytes:
        """What is signed."""
        return f"aiops-bot/audit\n{self.size}\n{self.root}\n{self.at.isoformat()}\n{self.previous}\n".encode()
