"""Memory: references that have been read from the database before, so that workers stay warm.

A reference never changes: another stretch, other columns or another source have another fingerprint. So what is remembered cannot
be stale, only forgotten.
"""

from collections import OrderedDict
from dataclasses import fields
from threading import Lock

import numpy as np

from bot.core.lines import Lines
from bot.core.readings import Reading

Key = tuple[str, str]

MOST_BYTES = 256 * 1024 * 1024
"""About three hundred references of twenty columns; the one that was asked for longest ago is forgotten first."""


class Memory:
    """Readings by (model, fingerprint), and lines by (model, watch), which are few and small; safe to share between threads."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most, self._size, self._lock = most_bytes, 0, Lock()
        self._known: OrderedDict[Key, tuple[Reading, int]] = OrderedDict()
        self._lines: dict[Key, tuple[str, Lines]] = {}

    def lines(self, model: str, watch: str, fingerprint: str) -> Lines | None:
        """Return a watch's measured lines, if those of this fingerprint are remembered."""
        mark, lines = self._lines.get((model, watch), ("", None))
        return lines if mark == fingerprint else None

    def keep_lines(self, model: str, watch: str, fingerprint: str, lines: Lines) -> Lines:
        """Remember a watch's measured lines, in place of those of another fingerprint, and return them."""
        self._lines[model, watch] = (fingerprint, lines)
        return lines

    def recall(self, key: Key) -> Reading | None:
        """Return the reading, if it is remembered."""
        with self._lock:
            if key not in self._known:
                return None
            self._known.move_to_end(key)
            return self._known[key][0]

    def keep(self, key: Key, reading: Reading) -> Reading:
        """Remember a reading and return it; what is larger than the whole memory is not kept."""
        size = weight(reading)
        with self._lock:
            self._size += size - self._known.pop(key, (reading, 0))[1]
            self._known[key] = (reading, size)
            while self._size > self._most:
                self._size -= self._known.popitem(last=False)[1][1]
        return reading


def weight(reading: Reading) -> int:
    """Return how many bytes the arrays of a reading take, with something for each named level."""
    parts = [
        part
        for part in (*reading.distributions.values(), *reading.resources.values(), reading.outcomes, reading.operations)
        if part is not None
    ]
    values = [getattr(part, f.name) for part in parts for f in fields(part)]
    return sum(
        value.nbytes if isinstance(value, np.ndarray) else 100 * len(value) if isinstance(value, dict) else 0 for value in values
    )
