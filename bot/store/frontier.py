"""The Merkle root of a log that is read once: a stack of whole subtrees instead of every leaf."""

import hashlib

from bot.core.audit import node


class Frontier:
    """Leaves go in one by one; `root` is the RFC 6962 root of those so far, in O(log n)."""

    def __init__(self) -> None:
        self.size = 0
        self._trees: list[tuple[int, bytes]] = []  # (leaves, hash), largest first

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash, joining subtrees of equal size."""
        size, joined = 1, leaf
        while self._trees and self._trees[-1][0] == size:
            joined = node(self._trees.pop()[1], joined)
            size *= 2
        self._trees.append((size, joined))
        self.size += 1

    def root(self) -> bytes:
        """Return the root over all leaves so far."""
        if not self._trees:
            return hashlib.sha256(b"").digest()
        *larger, (_, reached) = self._trees
        for _, left in reversed(larger):
            reached = node(left, reached)
        return reached
